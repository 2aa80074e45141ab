import java.text.ParseException;
import java.text.SimpleDateFormat;
import java.util.Date;
import java.util.TimeZone;

/** SimpleDateFormat in UTC: moments by patterns, and texts by them. */
final class DateCases {
    private static final String[] PATTERNS = {
        "yyyyMMdd", "yyyy-MM-dd", "yyyy-MM-dd'T'HH:mm:ss.SSS'Z'", "yyyy-MM-dd'T'HH:mm:ssXXX", "yyyy-MM-dd HH:mm:ss z", "EEE, dd MMM yyyy HH:mm:ss Z", "EEEE d MMMM y", "yy/M/d h:m a", "hh 'o''clock' a, zzzz", "G GGGG yyyy", "D F w W u Y", "YYYY-'W'ww-u", "k K H h", "yyy yyyyy y yy", "M MM MMM MMMM MMMMM L LL LLL LLLL",
        "E EE EEE EEEE", "S SS SSS SSSSSS", "'it''s' ''yyyy''", "yyyyMMddHHmmssSSS", "X XX XXX", "Z ZZ ZZZZ", "MMMyyyy", "\u00e4 yyyy \u20ac\u20ac dd", "a aaaa", "dd''MM", "d d", "yyyyDDD", "yyyy.MM.dd G 'at' HH:mm:ss", "mm:ss",
    };

    static void write(Vectors to) throws Exception {
        long[] moments = {0, -1, 1, 999, 86_399_999L, 951_782_400_000L, 1_600_000_000_123L, 1_609_459_199_999L, 1_609_459_200_000L, 1_609_545_600_000L, 253_402_300_800_000L, -62_135_596_800_000L, -62_135_596_800_001L, -62_198_755_200_000L, -12_219_292_800_000L, -12_219_292_800_001L, -30_000_000_000_000L,
            1_577_836_800_000L, 1_583_020_799_000L, 1_483_228_800_000L, 1_514_678_400_000L, 1_703_980_800_000L, 45_000_000L};
        for (String pattern : PATTERNS) {
            SimpleDateFormat format = format(pattern);
            for (long millis : moments) {
                // Weeks of the October that lost ten days are a story of their own.
                if (millis == -12_219_292_800_000L && pattern.contains("F")) continue;
                to.line("pattern", pattern, "millis", millis, "formatted", format.format(new Date(millis)));
            }
            for (long millis : moments) read(to, pattern, format.format(new Date(millis)));
        }
        for (String pattern : new String[] {"b", "yyyy-MM-ddTHH", "'open", "yyyy 'x", "XXXX", "yXXXXX", "XXXXy", "yyyy-MM-dd n", "\u00e4'", "''''", "'a", "V", "Q"}) {
            try {
                format(pattern);
            } catch (IllegalArgumentException e) {
                to.line("pattern", pattern, "error", e.getMessage());
            }
        }
        texts(to, "yyyy-MM-dd", "2020-01-02", "2020-1-2", "20-1-2", "2020-13-45", "2020-00-00", "-5-01-01", "2020-01-02 and more", "2020-01", " 2020- 01-\t2", "2020 -01-02", "x2020-01-02", "", "2020-02-30", "2019-02-29", "1582-10-04", "1582-10-05", "1582-10-10", "1582-10-15", "0-01-01", "99999-12-31", "2020--1-02", "2020-01--2",
            "99999999999-01-01", "2020-1.5-02", "+2020-01-02", "2020-01-99999");
        texts(to, "yyyyMMdd", "20200102", "2020012", "2020 1 2", "202001", "20201301", "2020010203", "2020-1-2");
        texts(to, "HHmm", "1234", "12 4", "123", "2575", " 930", "9 30");
        texts(to, "yyyyMMMdd", "2020Jan02", "2020JANUARY02", "2020january2", "2020Ja02", "2020 Jan02", "02020Mar1");
        texts(to, "yyyyMM'x'dd", "202001x02", "20201x2");
        texts(to, "dMy", "1220", "122020", "12", "1 2 3");
        texts(to, "MMMM d", "June 5", "JUN 5", "Sept 5", "Sep 5", "may 31", "Mayo 5");
        texts(to, "LLL L", "June 5", "Jun 11");
        texts(to, "EEE d MMM yyyy", "Mon 5 Jan 2026", "Tuesday 5 Jan 2026", "sunday 29 feb 2024", "Xyz 5 Jan 2026", " Mon 5 Jan 2026");
        texts(to, "yyyy E", "2020 Mon", "2020 Sunday");
        texts(to, "yyyy-MM E", "2020-03 Mon", "2020-02 Sat");
        texts(to, "yyyy-MM W E", "2020-03 2 Mon", "2020-03 1 Sun", "2020-03 0 Sat", "2020-03 7 Wed");
        texts(to, "yyyy-MM F E", "2020-03 2 Mon", "2020-03 5 Mon", "2020-03 -1 Mon", "2020-03 -2 Sun", "2020-03 0 Fri", "2020-03 6 Fri");
        texts(to, "yyyy-MM E F W", "2020-03 Mon 2 3", "2020-03 Fri 1 1");
        texts(to, "yyyy w E", "2020 1 Mon", "2020 53 Wed", "2020 0 Sun", "2021 10 Sat");
        texts(to, "yyyy w", "2020 1", "2020 30", "2020 60");
        texts(to, "yyyy-MM W", "2020-03 2", "2020-03 1");
        texts(to, "yyyy-MM F", "2020-03 2", "2020-03 1");
        texts(to, "yyyy D", "2020 60", "2020 366", "2021 366", "2020 0", "2020 -5");
        texts(to, "yyyy D MM dd", "2020 60 03 05");
        texts(to, "yyyy MM dd D", "2020 03 05 60");
        texts(to, "D E w yyyy", "60 Mon 5 2020");
        texts(to, "yyyy MM dd w E", "2020 03 05 30 Tue");
        texts(to, "YYYY-'W'ww-u", "2020-W01-1", "2020-W53-7", "2021-W00-3", "2020-W10-8", "2020-W10-0", "2020-W10-15", "2020-W10--6", "20-W10-1");
        texts(to, "YYYY", "2020", "2023", "0001");
        texts(to, "YYYY MM dd", "2020 05 06");
        texts(to, "YYYY yyyy w", "2020 2021 6");
        texts(to, "yyyy YYYY w", "2020 2021 6");
        texts(to, "u yyyy w", "1 2020 10", "7 2020 10", "9 2020 10", "0 2020 10");
        texts(to, "yy", "20", "99", "00", "020", "5", "-5", "2020", "1a");
        texts(to, "y", "20", "99", "2020", "1");
        texts(to, "yyy", "20", "099");
        texts(to, "yy-MM-dd", "20-01-02", "99-12-31", "70-1-1", "1-1-1", "001-01-01");
        texts(to, "hh:mm a", "12:30 AM", "12:30 PM", "01:05 pm", "11:59 am", "13:00 PM", "0:00 AM", "12:30", "12:30 XM", "12:30  AM");
        texts(to, "a hh HH", "PM 05 10", "AM 05 17");
        texts(to, "HH a hh", "10 PM 05", "17 AM 05");
        texts(to, "HH hh", "10 05");
        texts(to, "hh", "5", "12", "17");
        texts(to, "a", "PM", "AM");
        texts(to, "KK a", "0 PM", "11 PM", "12 PM");
        texts(to, "kk:mm", "24:00", "1:00", "23:59", "0:00", "25:00");
        texts(to, "HH:mm:ss.SSS", "12:30:45.123", "12:30:45.1", "12:30:45.12345", "74:90:99.9999", "-1:-1:-1.-1", "12:30:45");
        texts(to, "G yyyy-MM-dd", "BC 5-01-01", "AD 2020-01-02", "ad 2020-01-02", "Before Christ 44-03-15", "Anno Domini 1-1-1", "XX 1-1-1");
        texts(to, "yyyy-MM-dd'T'HH:mm:ssX", "2020-01-02T03:04:05Z", "2020-01-02T03:04:05+01", "2020-01-02T03:04:05-0130", "2020-01-02T03:04:05+1", "2020-01-02T03:04:05", "2020-01-02T03:04:05z", "2020-01-02T03:04:05+24", "2020-01-02T03:04:05 Z");
        texts(to, "HH XX", "03 +0130", "03 -0130", "03 +01:30", "03 +01", "03 Z", "03 +0160", "03 +013");
        texts(to, "HH XXX", "03 +01:30", "03 -01:30", "03 +0130", "03 +1:30", "03 Z", "03 +01");
        texts(to, "HH Z", "03 +0130", "03 -0130", "03 GMT", "03 gmt", "03 GMT+01:30", "03 GMT-1:30", "03 GMT+0130", "03 GMT+1", "03 UTC", "03 utc", "03 +01:30", "03 +130", "03 Coordinated Universal Time", "03  UTC", "03  GMT", "03 GMTx", "03 nowhere", "03 Greenwich Mean Time");
        texts(to, "HH z", "03 +0130", "03 UTC", "03 GMT+12:00", "03 GMT+24:00", "03 GMT+");
        texts(to, "z HH", "UTC 03", "GMT 03", "+0200 03");
        texts(to, "'at' dd", "at 05", "AT 05", "at  05");
        texts(to, "d''M", "5'6", "5''6");
        texts(to, "\u00e4\u20ac dd", "\u00e4\u20ac 05", "\u00e4 05");
        texts(to, "'x'", "x", "y", "xy");
        texts(to, "ddHH", "01\u00e4", "0\u00e41", "0102");
    }

    private static SimpleDateFormat format(String pattern) {
        SimpleDateFormat format = new SimpleDateFormat(pattern);
        format.setTimeZone(TimeZone.getTimeZone("UTC"));
        return format;
    }

    private static void texts(Vectors to, String pattern, String... texts) throws Exception {
        for (String text : texts) read(to, pattern, text);
    }

    private static void read(Vectors to, String pattern, String text) throws Exception {
        Object millis = null;
        try {
            millis = format(pattern).parse(text).getTime();
        } catch (ParseException e) {
            // None.
        }
        to.line("pattern", pattern, "text", text, "millis", millis);
    }
}

import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;

/** What RegexRouter and TopicNameMatches ask of `java.util.regex`: a whole match, then `replaceFirst`. */
final class PatternCases {
    private static final String[][] CASES = {
        // Pattern, replacement, inputs.
        {"(.*)", "prefix-$1", "orders", "", "a\nb"}, {"orders-(\\d+)", "o$1", "orders-12", "orders-", "xorders-12", "orders-12x"}, {"a|ab", "x", "a", "ab", "b"}, {".*", "x", "abc", ""}, {"a*", "x", "aaa", "b", ""}, {"(a)?(b)?", "[$1$2]", "ab", "a", "b", ""},
        {"(?<env>[a-z]+)\\.(?<name>.+)", "${name}.${env}", "prod.orders", "Prod.orders"}, {"(.)(.)(.)(.)(.)(.)(.)(.)(.)(.)(.)", "$11-$1", "abcdefghijk"}, {"(.)(.*)", "$11", "ab"}, {"(.*)", "$0$0", "ab"}, {"(.*)", "\\$1", "ab"}, {"(.*)", "a\\\\b", "ab"}, {"(.*)", "\\a", "ab"},
        {"(.*)", "$", "ab"}, {"(.*)", "$x", "ab"}, {"(.*)", "$2", "ab"}, {"(.*)", "${none}", "ab"}, {"(.*)", "${1}", "ab"}, {"(.*)", "\\", "ab"}, {"(?<a>.*)", "${a", "ab"}, {"(.*)", "$1$", "ab"}, {"(.*)", "", "ab"}, {"(?<a1>x)", "${a1}", "x"},
        {"\\Qa.b\\E.*", "x", "a.b.c", "axb"}, {"[a-z&&[^aeiou]]+", "x", "bcd", "bad"}, {"[a-c[x-z]]+", "m", "axb", "d"}, {"[^a-c]+", "m", "xyz", "xaz"}, {"\\p{Alpha}+", "m", "abc", "ab1", "\u00e4"}, {"\\p{Lower}\\p{Upper}", "m", "aB", "Ab"}, {"\\p{L}+", "m", "gr\u00fc\u00df", "a1"},
        {"\\p{IsAlphabetic}+", "m", "gr\u00fc\u00df"}, {"\\p{javaLowerCase}+", "m", "abc"}, {"\\w+", "m", "abc_1", "gr\u00fc\u00df", "a-b"}, {"\\d+", "m", "12", "\u0661"}, {"\\s", "m", " ", "\u00a0", "\t"}, {"\\h", "m", " ", "\t", "\u00a0"}, {"\\R", "m", "\n", "\r\n"}, {"\\bfoo\\b", "m", "foo"},
        {"(?i)ABC", "m", "abc", "aBc"}, {"(?i)\u00c4", "m", "\u00e4"}, {"(?iu)\u00c4", "m", "\u00e4"}, {"(?i:a)b", "m", "Ab", "AB"}, {"(?s).*", "m", "a\nb"}, {".", "m", "\n", "\r", "\u0085", "\u2028", "\ud83d\ude00"}, {"(?m)^a$", "m", "a", "a\n"}, {"^a$", "m", "a", "a\n"}, {"\\Aa\\z", "m", "a"}, {"a\\Z", "m", "a", "a\n"}, {"(?x) a b # c", "m", "ab", "a b"}, {"(?d).", "m", "\r", "\n"},
        {"a++b", "m", "aab"}, {"a++ab", "m", "aab"}, {"(?>a|ab)c", "m", "abc", "ac"}, {"a{2,3}", "m", "a", "aa", "aaa", "aaaa"}, {"a{2}", "m", "aa"}, {"a{,2}", "m", "aa"}, {"a{2,}?", "m", "aaa"}, {"(a+?)(a*)", "$1-$2", "aaa"},
        {"(?=a).*", "m", "abc", "bc"}, {"(?!a).*", "m", "abc", "bc"}, {".*(?<=c)", "m", "abc", "ab"}, {".*(?<!c)", "m", "abc", "ab"}, {"(.)\\1", "m", "aa", "ab"}, {"(?<q>.)\\k<q>", "m", "aa", "ab"},
        {"\\x41", "m", "A"}, {"\\x{1F600}", "m", "\ud83d\ude00"}, {"\\u0041", "m", "A"}, {"\\0101", "m", "A"}, {"\\t", "m", "\t"}, {"\\e", "m", "\u001b"}, {"\\cA", "m", "\u0001"}, {"\\N{LATIN SMALL LETTER A}", "m", "a"}, {"\\/", "m", "/"}, {"\\-", "m", "-"}, {"\\_", "m", "_"},
        {"[\\w.-]+", "m", "a.b-c"}, {"[a\\-z]+", "m", "a-z"}, {"[]a]+", "m", "]a"}, {"[a", "m", "a"}, {"(a", "m", "a"}, {"a)", "m", "a"}, {"*a", "m", "a"}, {"a**", "m", "a"}, {"\\", "m", "a"}, {"\\y", "m", "y"}, {"[z-a]", "m", "a"}, {"(?<1a>x)", "m", "x"}, {"(?<a>x)(?<a>y)", "m", "xy"}, {"a{3,2}", "m", "a"}, {"\\p{Nope}", "m", "a"}, {"\\k<none>", "m", "a"}, {"{", "m", "{"}, {"}", "m", "}"}, {"]", "m", "]"}, {"a{", "m", "a{"}, {"(?P<a>x)", "m", "x"},
        {"[[:alpha:]]+", "m", "abc", "alph:"}, {"[a&&b]", "m", "a"}, {"[a&&a]", "m", "a"}, {"[a~~b]+", "m", "a~b"}, {"[a--b]+", "m", "a-b", "ab"}, {"[^\\d&&[^5]]", "m", "5", "4", "a"}, {"[#]+", "m", "##"}, {"\\#", "m", "#"}, {"a#b", "m", "a#b"}, {"[ ]", "m", " "},
        {"a+*", "m", "a"}, {"(?<name", "m", "a"}, {"(?<n>", "m", "a"}, {"(?:a", "m", "a"}, {"(?=", "m", "a"}, {"[a-", "m", "a"}, {"[]", "m", "a"}, {"[^", "m", "a"}, {"a|*", "m", "a"}, {"x{2", "m", "a"}, {"x{2,", "m", "a"}, {"x{2,y}", "m", "a"}, {"x{99999999999}", "m", "a"}, {"\\x4", "m", "a"}, {"\\x{110000}", "m", "a"}, {"\\u12", "m", "a"}, {"\\0", "m", "a"}, {"\\08", "m", "a"}, {"\\c", "m", "a"}, {"\\p{", "m", "a"}, {"\\p", "m", "a"}, {"\\p{IsNope}", "m", "a"}, {"\\p{}", "m", "a"}, {"\\k", "m", "a"}, {"\\kx", "m", "a"}, {"\\k<a", "m", "a"}, {"(?z)", "m", "a"}, {"(?i", "m", "a"}, {"(?", "m", "a"}, {"((a)", "m", "a"}, {"a))", "m", "a"}, {"ab**c", "m", "a"}, {"[b-a]c", "m", "a"}, {"[\\d-a]", "m", "a"}, {"?", "m", "a"}, {"+x", "m", "a"}, {"(?<a-b>x)", "m", "a"}, {"[a&&", "m", "a"}, {"[a\\", "m", "a"}, {"{2}", "m", "a"}, {"(a|b", "m", "a"}, {"^*", "m", "a"}, {"a{1}{2}", "m", "a"}, {"(*a)", "m", "a"}, {"[z-\\x41]", "m", "a"}, {"(?<>x)", "m", "a"}, {"[a[b]", "m", "a"}, {"(?#a)", "m", "a"}, {"orders-(.*", "m", "a"}, {"*.orders", "m", "a"}, {"(?<!a*)b", "m", "a"},
        {"connect-(.*)-(?:dev|prod)", "$1", "connect-x-dev", "connect-x-test"}, {"([^.]+)\\.([^.]+)\\.([^.]+)", "$3", "db.schema.table", "a.b"}, {"(.*)\\.(.*)", "$1_$2", "a.b.c"}, {"dbserver1\\.(.*)", "$1", "dbserver1.inventory.customers"}, {"\\Qx", "m", "x"}, {"(?:)", "m", ""}, {"", "m", "", "a"}, {"\\p{Punct}+", "m", "!$+<=>^`|~"}, {"\\p{ASCII}+", "m", "a~"}, {"\\p{Alnum}+", "m", "a1"}, {"\\p{Digit}\\P{Digit}", "m", "1a"}, {"\\p{Space}", "m", "\u000b"}, {"\\p{XDigit}+", "m", "fF0"}, {"\\p{Lu}\\p{Ll}", "m", "Aa"}, {"\\p{InGreek}", "m", "\u03b1"}, {"\\p{IsGreek}", "m", "\u03b1"}, {"\\p{IsLatin}", "m", "a"}, {"\\pL+", "m", "ab"}, {"\\p{general_category=Lu}", "m", "A"},
        {"\\v", "m", "\n", "\u000b", "v"}, {"\\H", "m", "a"}, {"\\V", "m", "a"}, {"\\S+", "m", "ab"}, {"\\D", "m", "a"}, {"\\W", "m", "-"}, {"\\B", "m", ""}, {"\\G.*", "m", "a"}, {"\\X", "m", "e\u0301"}, {"[\\Qa-\\E]+", "m", "a-"}, {"(?i)[a-z]+", "m", "ABC"}, {"(?i)\u017f", "m", "s"}, {"(?U)\\w+", "m", "gr\u00fc\u00df"}, {"\ud83d\ude00+", "m", "\ud83d\ude00\ud83d\ude00"},
    };

    static void write(Vectors to) throws Exception {
        for (String[] of : CASES) {
            Pattern pattern;
            try {
                pattern = Pattern.compile(of[0]);
            } catch (PatternSyntaxException e) {
                to.line("pattern", of[0], "invalid", e.getMessage());
                continue;
            }
            for (int i = 2; i < of.length; i++) {
                Map<String, Object> line = Vectors.object("pattern", of[0], "replacement", of[1], "input", of[i]);
                Matcher matcher = pattern.matcher(of[i]);
                boolean matches = matcher.matches();
                line.put("matches", matches);
                if (matches) {
                    try {
                        line.put("result", matcher.replaceFirst(of[1]));
                    } catch (RuntimeException e) {
                        line.put("error", Vectors.problem(e));
                    }
                }
                to.line(line);
            }
        }
    }
}

import org.apache.kafka.connect.data.SchemaAndValue;
import org.apache.kafka.connect.storage.SimpleHeaderConverter;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;

/** SimpleHeaderConverter: what `Values.parseString` makes of text, and `Values.convertToString` of data. */
final class HeaderCases {
    private static final String[] TEXTS = {
        "", " ", "  \t", "null", " null", "null ", "nullx", "null}", "true", "false", " true ", "TRUE", "true}", "true,", "truth",
        "a", "plain text", " padded ", "\"quoted\"", "\"quo\\\"ted\"", "\"", "\"\"", "'x'", "a:b", "a,b", "a\\,b", "back\\\\slash", "gr\u00fc\u00df \ud83d\ude00",
        "0", "1", "-1", "+1", "127", "128", "-128", "-129", "32767", "32768", "-32769", "2147483647", "2147483648", "-2147483649", "9223372036854775807", "9223372036854775808", "-9223372036854775808", "-9223372036854775809",
        "1e19", "1E19", "10000000000000000000", "10000000000000000001", "123456789012345678901234567890", "007", "1.", ".5", "-.5", "+.5", "1.0", "1.00", "-1.0", "0.0", "-0.0", "0.5", "-0.5", "1.5", "3.14159265358979", "1.1", "0.1", "123456.789",
        "1e2", "1e-2", "1E+3", "1.5e3", "1e5", "3.4028235e38", "3.5e38", "1e39", "-1e39", "1.5e39", "1e308", "1.7e308", "1e309", "1.5e309", "1e-46", "1e-400", "1.0e-50", "12345678901234567890.5", "1 2", " 1", "1 ", " 1.5 ", "1x", "+", "-", "--1", "1_000", "0x10", "1f", "1d", "1L", "NaN", "Infinity", "-Infinity", "-a", "1,2", "1:2",
        "2019-08-23", "2019-8-3", "2019-8-031", "2019-13-01", "2019-02-30", "2019-00-00", "0001-01-01", "19-08-2023", "2019-08-2x", "2019/08/23", "20190823", "9999-12-31", "12345-1-01", " 2019-08-23 ", "2019-08-23x", "1969-12-31", "2019 08-23", "2019- 8-23", "2019-08- 3",
        "14:34:54.346Z", "14\\:34\\:54.346Z", "25:61:61.999Z", "1:2:3.1234567Z", "1:02:3.12345Z", "14:34:54.346z", "14:34:54,346Z", "00:00:00.000Z", "14:34:54.34Z", "14:34:54.3466", "14:34:5a.346Z",
        "2019-08-23T14:34:54.346Z", "2019-08-23T14\\:34\\:54.346Z", "2019-08-23 14:34:54.346Z", "2019-08-23T14:34:54.346", "2019-08-23T14:34:54Z", "2019-08-23T25:34:54.346Z", "1960-01-01T00:00:00.001Z",
        "[]", "[ ]", "[1]", "[1,2,3]", "[1, 2, 3]", "[ 1 , 2 ]", "[1,200]", "[1,40000,3000000000]", "[1,1.5]", "[1.5,1]", "[1,1e300]", "[3000000000,1.5]", "[\"a\",\"b\"]", "[\"a\",1]", "[1,\"a\"]", "[true,false]", "[true,1]", "[null]", "[null,1]", "[1,null]", "[a]", "[a,b]", "[1,]", "[,1]", "[1", "1]", "[1]x", "[1] ", " [1]", "[1,2",
        "[\"a\\\"b\"]", "[\"a,b\"]", "[\"\"]", "[\"2019-08-23\"]", "[2019-08-23]", "[14:34:54.346Z]", "[\"14:34:54.346Z\"]", "[2019-08-23, 2019-08-24]", "[[1],[2]]", "[[],[1]]", "[[1],[\"a\"]]", "[{}]", "[{\"a\":1}]", "[1 2]", "[\"a\" \"b\"]", "[\"a\"b]", "[\"a]", "[1.0,2]", "[99999999999999999999]", "[1,99999999999999999999]", "[true", "[null", "[\"x\",null]", "[[]]", "[[null]]",
        "{}", "{ }", "{\"a\":1}", "{\"a\": 1, \"b\": 2}", "{\"a\":1,\"b\":2,}", "{\"a\":1,\"b\":\"x\"}", "{\"a\":null}", "{\"a\":1,\"b\":null}", "{null:1}", "{1:2}", "{1:2,300:4}", "{1:\"a\",\"b\":2}", "{a:1}", "{\"a\" 1}", "{\"a\":}", "{\"a\"}", "{\"a\":1", "{,}", "{\"a\":1}x", "{\"a\":[1,2]}", "{\"a\":{\"b\":true}}", "{\"a\":1 \"b\":2}", "{\"a\":1,,\"b\":2}",
        "{\"a\":1,\"a\":2}", "{1.5:1}", "{true:1}", "{\"a\":2019-08-23}", "{\"a\":\"2019-08-23\"}", "{\"a\":14:34:54.346Z}", "{\"a\":1,\"b\":1.5}", "{\"a\":1,\"b\":400}", "{\"2019-08-23\":1}", "{\"a\":\"\"}", "{:1}", "{\"a\":true,\"b\":false}", "{", "}", "[", "]", ":", ",", "\\", "\\\"", "\\n", "{}}", "[]]",
        "{\"foo\":\"bar\",\"baz\":[1,2.0,3]}", "foo: bar", "http://host:80/path?x=1,2", "key=value", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "3.9.1", "192.168.0.1", "550e8400-e29b-41d4-a716-446655440000", "1-2", "2019-08-23T14:34:54.346Z/x", "12:30", "+49 30 1234", "application/json; charset=utf-8",
        "[\"\\\\\"]", "[\"\\\\\\\"\"]", "[\"a\\nb\"]", "[-1,+2]", "[1e400]", "[0.5,1e400]", "[1.5,99999999999999999999]",
    };

    static void write(Vectors to) throws Exception {
        SimpleHeaderConverter converter = new SimpleHeaderConverter();
        converter.configure(Map.of());
        List<String> texts = new ArrayList<>(List.of(TEXTS));
        String[] pieces = {"{", "}", "[", "]", ":", ",", "\"", "\\", " ", "a", "1", "2.5", "true", "null", "-3", "2019-08-23", "1e3", "x y"};
        Random random = new Random(5);
        for (int i = 0; i < 300; i++) {
            StringBuilder text = new StringBuilder(random.nextBoolean() ? "[" : random.nextBoolean() ? "{" : "");
            int length = 1 + random.nextInt(8);
            for (int piece = 0; piece < length; piece++) text.append(pieces[random.nextInt(pieces.length)]);
            if (random.nextBoolean()) text.append(text.charAt(0) == '[' ? "]" : text.charAt(0) == '{' ? "}" : "");
            texts.add(text.toString());
        }
        String digits = "0123456789--::..TZ ";
        for (int i = 0; i < 150; i++) {
            int length = new int[] {10, 13, 24}[random.nextInt(3)];
            char[] text = new String[] {"2019-08-23", "14:34:54.346Z", "2019-08-23T14:34:54.346Z"}[length == 10 ? 0 : length == 13 ? 1 : 2].toCharArray();
            for (int change = random.nextInt(3); change >= 0; change--) text[random.nextInt(length)] = digits.charAt(random.nextInt(digits.length()));
            texts.add(new String(text));
            texts.add("[\"" + new String(text) + "\"]");
        }
        for (String text : texts) {
            Map<String, Object> line = Vectors.object("to", "connect", "text", text);
            try {
                SchemaAndValue data = converter.toConnectHeader("t", "h", text.getBytes(StandardCharsets.UTF_8));
                if (data == null) data = SchemaAndValue.NULL;
                line.put("schema", to.schema(data.schema()));
                line.put("value", Cbor.hex(data.schema(), data.value()));
            } catch (RuntimeException e) {
                line.put("error", Vectors.problem(e));
            }
            to.line(line);
        }
        List<SchemaAndValue> values = new ArrayList<>(Samples.values());
        values.addAll(Samples.bytes());
        values.add(new SchemaAndValue(null, List.of("quote \" back \\", new byte[] {1, 2}, Samples.map("k", "v"))));
        values.add(new SchemaAndValue(null, Samples.map("quote \" back \\", 1.5f)));
        for (SchemaAndValue data : values) {
            Map<String, Object> line = Vectors.object("to", "bytes", "schema", to.schema(data.schema()), "value", Cbor.hex(data.schema(), data.value()));
            try {
                byte[] bytes = converter.fromConnectHeader("t", "h", data.schema(), data.value());
                line.put("text", bytes == null ? null : new String(bytes, StandardCharsets.UTF_8));
            } catch (RuntimeException e) {
                line.put("error", Vectors.problem(e));
            }
            to.line(line);
        }
    }
}

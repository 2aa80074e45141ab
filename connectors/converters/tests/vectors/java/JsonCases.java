import org.apache.kafka.connect.data.SchemaAndValue;
import org.apache.kafka.connect.data.Schema;
import org.apache.kafka.connect.json.JsonConverter;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** JsonConverter in both directions. */
final class JsonCases {
    private static Vectors to;

    static void write(Vectors vectors) throws Exception {
        to = vectors;
        List<SchemaAndValue> values = new ArrayList<>(Samples.values());
        values.addAll(Samples.bytes());
        Map<String, String> plain = Map.of("schemas.enable", "false");
        Map<String, String> numeric = Map.of("schemas.enable", "false", "decimal.format", "numeric");
        Map<String, String> keep = Map.of("schemas.enable", "true", "replace.null.with.default", "false");
        for (SchemaAndValue value : values) {
            String json = fromConnect(Map.of(), value);
            fromConnect(plain, value);
            if (json != null) toConnect(Map.of(), json);
        }
        for (SchemaAndValue value : values) {
            Schema schema = value.schema();
            if (schema != null && schema.type() == Schema.Type.BYTES) fromConnect(numeric, value);
            if (schema != null && (schema.defaultValue() != null || schema == Samples.ORDER)) fromConnect(keep, value);
        }
        for (String json : PLAIN) toConnect(plain, json);
        for (String json : ENVELOPES) toConnect(Map.of(), json);
        for (String[] typed : PAYLOADS) {
            for (int i = 1; i < typed.length; i++) toConnect(Map.of(), "{\"schema\":" + typed[0] + ",\"payload\":" + typed[i] + "}");
        }
        String withDefault = "{\"schema\":{\"type\":\"struct\",\"fields\":[{\"type\":\"int32\",\"optional\":true,\"default\":4,\"field\":\"a\"},{\"type\":\"string\",\"default\":\"d\",\"field\":\"b\"}]},\"payload\":";
        for (String payload : new String[] {"{\"a\":null,\"b\":\"x\"}", "{\"b\":\"x\"}", "{\"a\":1,\"b\":null}", "{\"a\":1}", "{}"}) {
            toConnect(Map.of(), withDefault + payload + "}");
            toConnect(keep, withDefault + payload + "}");
        }
        String content = "{\"type\":\"struct\",\"fields\":[{\"type\":\"int32\",\"field\":\"a\"},{\"type\":\"string\",\"optional\":true,\"field\":\"b\"}]}";
        for (String payload : new String[] {"{\"a\":1,\"b\":\"x\"}", "{\"a\":1}", "{\"b\":\"x\"}", "[]", "null", "{\"schema\":null,\"payload\":1}", ""}) {
            toConnect(Map.of("schema.content", content), payload);
            toConnect(Map.of("schema.content", content, "schemas.enable", "false"), payload);
        }
        for (String bad : new String[] {"{", "{\"type\":\"nothing\"}", "{}", "null", ""}) toConnect(Map.of("schema.content", bad), "{\"a\":1}");
        toConnectBytes(plain, null);
        toConnectBytes(Map.of(), null);
        byte[][] raw = {
            {(byte) 0xef, (byte) 0xbb, (byte) 0xbf, '{', '}'}, {'"', (byte) 0xff, '"'}, {'"', (byte) 0xc3, '"'}, {'"', (byte) 0xed, (byte) 0xa0, (byte) 0x80, '"'}, {'"', (byte) 0xc0, (byte) 0x80, '"'}, {0},
            {'"', (byte) 0xf4, (byte) 0x90, (byte) 0x80, (byte) 0x80, '"'}, {'{', '"', (byte) 0xff, '"', ':', '1', '}'},
        };
        for (byte[] bytes : raw) toConnectBytes(plain, bytes);
        for (Map<String, String> config : List.of(
            Map.of("schemas.enable", "perhaps"), Map.of("decimal.format", "hex"), Map.of("schemas.cache.size", "x"), Map.of("replace.null.with.default", "no"), Map.of("schemas.cache.size", "-1"))) {
            toConnect(config, "1");
        }
    }

    private static final String[] PLAIN = {
        "1", "-1", "0", "-0", "007", "-007", "127", "9223372036854775807", "-9223372036854775808", "9223372036854775808", "18446744073709551616", "18446744073709551617", "-9223372036854775809",
        "123456789012345678901234567890", "1.0", "1.5", "-1.5", "-0.0", "0.1", "1e5", "1E5", "1e+5", "1e-5", "1.5e300", "1e400", "-1e400", "1e-400", "0.30000000000000004", "3.4028235e38", "00.5", "4.35", "123456.789",
        "2.2250738585072011e-308", "179769313486231580793728971405301e277", "9007199254740993.0", "1.", ".5", "+1", "1e", "1e+", "-", "--1", "0x10", "NaN", "Infinity", "-Infinity", "1_000",
        "true", "false", "null", "True", "tru", "truex", "true x", "true,", "nul", "nullnull", "1x", "1 x", "1,", "1 2", "1]", "\"a\"x", "\"a\" x", "{} x", "{}x", "[]]", "{}}",
        "\"\"", "\"text\"", "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\u0041\\u00e9\\u20ac\"", "\"\\ud83d\\ude00\"", "\"\\u0000\"", "\"\\x\"", "\"\\u12\"", "\"\\uzzzz\"", "\"a\nb\"", "\"a\tb\"", "\"open", "'a'", "\"\u007f\"",
        "\"gr\u00fc\u00df \ud83d\ude00\"", "a",
        "[]", "[1]", "[1,2,\"a\",null,true,1.5,{\"a\":[]}]", "[ 1 , 2 ]", "[1,]", "[,1]", "[1 2]", "[1", "[", "]", "[[[[]]]]", "[null]",
        "{}", "{\"a\":1}", "{\"b\":1,\"a\":2}", "{ \"a\" : 1 , \"b\" : [ ] }", "{\"a\":null}", "{\"a\":{\"b\":{\"c\":1.5}}}", "{\"a\":1,}", "{\"a\"}", "{\"a\":}", "{\"a\" 1}", "{a:1}", "{'a':1}", "{1:2}", "{\"a\":1 \"b\":2}", "{\"a\":1", "{", "}",
        "{\"a\":1,\"a\":2}", "{\"a\":1,\"b\":2,\"a\":{\"c\":3}}", "{\"a\":[1],\"b\":1,\"b\":2,\"a\":null}", "{\"\":1}", "{\"\\u0061\":1,\"a\":2}", "{\"gr\u00fc\u00df\":1}",
        "", " ", "\n\t ", " 1 ", "\u00a01", "\ufeff1", "// c\n1", "/* c */1", "{\"schema\":null,\"payload\":1}", "{\"schema\":{\"type\":\"int32\"},\"payload\":1}",
    };

    private static final String[] ENVELOPES = {
        "1", "{}", "[]", "null", "", " ", "\"x\"", "{\"schema\":null,\"payload\":1}", "{\"schema\":null,\"payload\":null}", "{\"schema\":null,\"payload\":{\"a\":[1,2.5,\"x\"]}}", "{\"payload\":1,\"schema\":null}",
        "{\"schema\":null}", "{\"payload\":1}", "{\"schema\":null,\"payload\":1,\"x\":2}", "{\"schema\":null,\"payload\":1,\"payload\":2}", "{\"schema\":null,\"Payload\":1}",
        "{\"payload\":5,\"schema\":{\"type\":\"int32\"}}", "{ \"schema\" : { \"type\" : \"int32\" } , \"payload\" : 5 } ", "{\"schema\":{\"type\":\"int32\"},\"payload\":5} trailing", "{\"schema\":{\"type\":\"int32\"},\"payload\":5",
        "{\"schema\":{\"type\":\"int32\"},\"payload\":\"x}", "{\"schema\":1,\"payload\":1}", "{\"schema\":\"int32\",\"payload\":1}", "{\"schema\":{},\"payload\":1}", "{\"schema\":[],\"payload\":1}", "{\"schema\":{\"type\":1},\"payload\":1}",
        "{\"schema\":{\"type\":\"int33\"},\"payload\":1}", "{\"schema\":{\"type\":\"array\"},\"payload\":[]}", "{\"schema\":{\"type\":\"array\",\"items\":null},\"payload\":[]}", "{\"schema\":{\"type\":\"array\",\"items\":{}},\"payload\":[]}",
        "{\"schema\":{\"type\":\"map\",\"values\":{\"type\":\"int8\"}},\"payload\":{}}", "{\"schema\":{\"type\":\"map\",\"keys\":{\"type\":\"string\"}},\"payload\":{}}", "{\"schema\":{\"type\":\"map\",\"keys\":null,\"values\":{\"type\":\"int8\"}},\"payload\":{}}",
        "{\"schema\":{\"type\":\"struct\"},\"payload\":{}}", "{\"schema\":{\"type\":\"struct\",\"fields\":{}},\"payload\":{}}", "{\"schema\":{\"type\":\"struct\",\"fields\":[]},\"payload\":{}}", "{\"schema\":{\"type\":\"struct\",\"fields\":[{\"type\":\"int8\"}]},\"payload\":{}}",
        "{\"schema\":{\"type\":\"struct\",\"fields\":[{\"type\":\"int8\",\"field\":1}]},\"payload\":{}}", "{\"schema\":{\"type\":\"struct\",\"fields\":[{\"type\":\"int8\",\"field\":\"\"}]},\"payload\":{}}",
        "{\"schema\":{\"type\":\"struct\",\"fields\":[{\"type\":\"int8\",\"field\":\"a\"},{\"type\":\"int8\",\"field\":\"a\"}]},\"payload\":{}}", "{\"schema\":{\"type\":\"struct\",\"fields\":[{\"field\":\"a\"}]},\"payload\":{}}",
        "{\"schema\":{\"type\":\"int32\",\"optional\":\"yes\"},\"payload\":null}", "{\"schema\":{\"type\":\"int32\",\"optional\":1},\"payload\":null}", "{\"schema\":{\"type\":\"int32\",\"optional\":true},\"payload\":null}", "{\"schema\":{\"type\":\"int32\",\"name\":5,\"version\":\"1\",\"doc\":false,\"parameters\":[]},\"payload\":1}",
        "{\"schema\":{\"type\":\"int32\",\"name\":\"n\",\"version\":3,\"doc\":\"d\",\"parameters\":{\"b\":\"1\",\"a\":\"2\"},\"default\":8,\"other\":1},\"payload\":1}", "{\"schema\":{\"type\":\"int32\",\"version\":1.5},\"payload\":1}", "{\"schema\":{\"type\":\"int32\",\"parameters\":{\"a\":1}},\"payload\":1}",
        "{\"schema\":{\"type\":\"int32\",\"parameters\":{}},\"payload\":1}", "{\"schema\":{\"type\":\"int32\",\"default\":null},\"payload\":1}", "{\"schema\":{\"type\":\"int32\",\"optional\":true,\"default\":null},\"payload\":null}", "{\"schema\":{\"type\":\"string\",\"default\":5},\"payload\":\"x\"}",
        "{\"schema\":{\"type\":\"struct\",\"optional\":true,\"fields\":[{\"type\":\"int8\",\"field\":\"a\"}],\"default\":{\"a\":1}},\"payload\":null}", "{\"schema\":{\"type\":\"struct\",\"fields\":[{\"type\":\"int8\",\"field\":\"a\"}],\"default\":{}},\"payload\":{\"a\":2}}",
        "{\"schema\":{\"type\":\"bytes\",\"name\":\"org.apache.kafka.connect.data.Decimal\",\"version\":1,\"parameters\":{\"scale\":\"2\"},\"default\":\"AMg=\"},\"payload\":null}",
        "{\"schema\":{\"type\":\"array\",\"items\":{\"type\":\"int8\"},\"default\":[1,2]},\"payload\":null}", "{\"schema\":{\"type\":\"map\",\"keys\":{\"type\":\"string\"},\"values\":{\"type\":\"int8\"},\"default\":{\"a\":1}},\"payload\":null}",
    };

    /** A schema, then payloads for it. */
    private static final String[][] PAYLOADS = {
        {"{\"type\":\"boolean\"}", "true", "false", "1", "0", "\"true\"", "null", "[]", "{}"},
        {"{\"type\":\"int8\"}", "1", "127", "128", "300", "-129", "1.9", "-1.9", "\"5\"", "true", "null", "[1]", "{}", "9223372036854775808", "1e2"},
        {"{\"type\":\"int16\"}", "40000", "-32768", "1e5"},
        {"{\"type\":\"int32\",\"optional\":true}", "2147483648", "-2147483649", "4294967296", "1e10", "1.5e3", "99999999999999999999", "null", "\"x\"", "123456789012345678901234567890.5"},
        {"{\"type\":\"int64\"}", "9223372036854775808", "1e20", "-1e30", "9007199254740993", "1.5", "\"7\"", "-0"},
        {"{\"type\":\"float\"}", "1", "1.1", "16777217", "1e39", "-1e39", "1e-46", "0.1", "9223372036854775807", "\"NaN\"", "123456789012345678901234567890", "-0.0", "-0"},
        {"{\"type\":\"double\"}", "1", "1.1", "9007199254740993", "1e309", "0.1", "\"Infinity\"", "123456789012345678901234567890", "true", "-0.0", "9223372036854775807"},
        {"{\"type\":\"string\"}", "\"x\"", "1", "true", "[]", "{}", "null", "\"\\u00e9\""},
        {"{\"type\":\"string\",\"optional\":true}", "null", "1"},
        {"{\"type\":\"bytes\"}", "\"AQID\"", "\"\"", "\"AQ==\"", "\"AQ\"", "\"AQ=\"", "\"A\"", "\"AQID\\n\"", "\" AQ ID\"", "\"A-_D\"", "\"A+/D\"", "\"AQ==AQ==\"", "\"!\"", "\"AR==\"", "1", "true", "[]", "{}", "\"AQI=\"", "\"AQI\"", "\"AQIDBA==\""},
        {"{\"type\":\"array\",\"items\":{\"type\":\"int32\"}}", "[1,2]", "[]", "[null]", "{}", "{\"a\":1,\"b\":2}", "\"x\"", "1", "[\"a\"]", "null"},
        {"{\"type\":\"array\",\"items\":{\"type\":\"string\",\"optional\":true}}", "[\"a\",null,1]", "[ \"a\" , \"b\" ]"},
        {"{\"type\":\"map\",\"keys\":{\"type\":\"string\"},\"values\":{\"type\":\"int32\"}}", "{\"b\":1,\"a\":2}", "{}", "[]", "[[\"a\",1]]", "{\"a\":null}", "1", "{\"a\":1,\"a\":2}"},
        {"{\"type\":\"map\",\"keys\":{\"type\":\"int32\"},\"values\":{\"type\":\"string\",\"optional\":true}}", "[[1,\"a\"],[2,null]]", "[]", "{}", "{\"1\":\"a\"}", "[1]", "[[1]]", "[[1,\"a\",2]]", "[[null,\"a\"]]", "[[1,\"a\"],[1,\"b\"]]", "\"x\""},
        {"{\"type\":\"struct\",\"fields\":[{\"type\":\"int32\",\"field\":\"a\"},{\"type\":\"string\",\"optional\":true,\"field\":\"b\"},{\"type\":\"struct\",\"optional\":true,\"fields\":[{\"type\":\"int8\",\"field\":\"x\"}],\"field\":\"c\"}]}",
            "{\"a\":1,\"b\":\"x\",\"c\":{\"x\":1}}", "{\"c\":{\"x\":1},\"b\":\"x\",\"a\":1}", "{\"a\":1}", "{\"a\":1,\"c\":null,\"z\":[1,{}],\"b\":null}", "{\"b\":\"x\"}", "{\"a\":null}", "{\"a\":1,\"b\":2}", "{\"a\":1,\"c\":{}}", "{\"a\":1,\"c\":5}",
            "[]", "\"x\"", "null", "{\"a\":1,\"a\":2}", "{\"a\":1,\"b\":\"x\",\"a\":3}", "{\"z\":1,\"a\":1}", "{}", "{\"a\":\"x\",\"z\":}", "{\"\\u0061\":1}", "{\"a\":1,\"b\":\"y\",\"c\":{\"y\":2,\"x\":1}}"},
        {"{\"type\":\"struct\",\"fields\":[{\"type\":\"string\",\"field\":\"s\"},{\"type\":\"bytes\",\"field\":\"y\"}]}", "{\"s\":1,\"y\":\"\"}", "{\"s\":\"\",\"y\":1}", "{\"s\":\"\",\"y\":\"AQ==\"}"},
        {"{\"type\":\"bytes\",\"name\":\"org.apache.kafka.connect.data.Decimal\",\"version\":1,\"parameters\":{\"scale\":\"2\"}}",
            "\"AMg=\"", "\"AA==\"", "\"\"", "\"/w==\"", "\"!\"", "1", "1.5", "1.50", "1e3", "123456789012345678901234567890.12", "true", "[]", "null", "\"AJrUN0xJmCmT\"", "-0.00"},
        {"{\"type\":\"bytes\",\"name\":\"org.apache.kafka.connect.data.Decimal\",\"version\":1}", "\"AMg=\"", "1"},
        {"{\"type\":\"bytes\",\"name\":\"org.apache.kafka.connect.data.Decimal\",\"version\":1,\"parameters\":{\"scale\":\"x\"}}", "\"AMg=\"", "1"},
        {"{\"type\":\"int32\",\"name\":\"org.apache.kafka.connect.data.Date\",\"version\":1}", "19000", "-1", "0", "1.0", "\"1\"", "2147483648", "null"},
        {"{\"type\":\"int32\",\"name\":\"org.apache.kafka.connect.data.Time\",\"version\":1}", "45296789", "0", "86400000", "86400001", "-1", "1.5", "\"1\""},
        {"{\"type\":\"int64\",\"name\":\"org.apache.kafka.connect.data.Timestamp\",\"version\":1,\"optional\":true}", "1600000000123", "-1", "0", "1.5", "\"1\"", "null", "true", "9223372036854775807", "9223372036854775808"},
        {"{\"type\":\"string\",\"name\":\"custom\"}", "\"x\""},
    };

    private static JsonConverter converter(Map<String, String> config) {
        JsonConverter converter = new JsonConverter();
        Map<String, String> all = new HashMap<>(config);
        all.put("converter.type", "value");
        converter.configure(all);
        return converter;
    }

    private static String fromConnect(Map<String, String> config, SchemaAndValue data) throws Exception {
        Map<String, Object> line = Vectors.object("to", "json", "config", config, "schema", to.schema(data.schema()), "value", Cbor.hex(data.schema(), data.value()));
        String text = null;
        try {
            byte[] bytes = converter(config).fromConnectData("t", data.schema(), data.value());
            text = bytes == null ? null : new String(bytes, StandardCharsets.UTF_8);
            line.put("text", text);
        } catch (RuntimeException e) {
            line.put("error", Vectors.problem(e));
        }
        to.line(line);
        return text;
    }

    private static void toConnect(Map<String, String> config, String text) throws Exception {
        convert(Vectors.object("to", "connect", "config", config, "text", text), config, text.getBytes(StandardCharsets.UTF_8));
    }

    private static void toConnectBytes(Map<String, String> config, byte[] bytes) throws Exception {
        String hex = bytes == null ? null : java.util.HexFormat.of().formatHex(bytes);
        convert(Vectors.object("to", "connect", "config", config, "bytes", hex), config, bytes);
    }

    private static void convert(Map<String, Object> line, Map<String, String> config, byte[] bytes) throws Exception {
        JsonConverter converter;
        try {
            converter = converter(config);
        } catch (RuntimeException e) {
            line.put("config_error", Vectors.problem(e));
            to.line(line);
            return;
        }
        try {
            SchemaAndValue data = converter.toConnectData("t", bytes);
            line.put("schema", to.schema(data.schema()));
            line.put("value", Cbor.hex(data.schema(), data.value()));
        } catch (RuntimeException e) {
            line.put("error", Vectors.problem(e));
        }
        to.line(line);
    }
}

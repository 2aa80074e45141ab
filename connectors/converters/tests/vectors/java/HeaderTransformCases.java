import org.apache.kafka.connect.data.Schema;
import org.apache.kafka.connect.data.SchemaAndValue;
import org.apache.kafka.connect.sink.SinkRecord;
import org.apache.kafka.connect.transforms.DropHeaders;
import org.apache.kafka.connect.transforms.HeaderFrom;
import org.apache.kafka.connect.transforms.InsertHeader;

import java.util.List;
import java.util.Map;

/** HeaderFrom, InsertHeader and DropHeaders, on records with headers and without. */
final class HeaderTransformCases {
    static void write(SchemaAndValue[] data) throws Exception {
        List<Map<String, String>> configs = List.of(
            Map.of("fields", "id", "headers", "h", "operation", "move"), Map.of("fields", "id,user,name", "headers", "old,h2,old", "operation", "copy"), Map.of("fields", "id,id", "headers", "h1,h2", "operation", "move"), Map.of("fields", "none,map", "headers", "h1,h2", "operation", "move"),
            Map.of("fields", "user,at,address", "headers", "h1,h2,h3", "operation", "move"), Map.of("fields", "address,note", "headers", "h1,h2", "operation", "copy", "replace.null.with.default", "false"), Map.of("fields", "missing", "headers", "h", "operation", "move"), Map.of("fields", "missing", "headers", "h", "operation", "copy"),
            Map.of("fields", "a,b", "headers", "h1,h2", "operation", "move"), Map.of("fields", "a,b", "headers", "h1,h2", "operation", "copy"), Map.of("fields", "a", "headers", "h", "operation", "move", "replace.null.with.default", "false"), Map.of("fields", "b", "headers", "h", "operation", "move", "replace.null.with.default", "false"),
            Map.of("fields", "b", "headers", "h", "operation", "copy", "replace.null.with.default", "false"), Map.of("fields", "c", "headers", "h", "operation", "move"), Map.of("fields", "i8,text,struct,f32,decimal", "headers", "h1,h2,h3,h4,h5", "operation", "move"));
        for (SchemaAndValue value : data) {
            for (boolean key : new boolean[] {false, true}) {
                for (Map<String, String> config : TransformCases.few(configs, key, value)) {
                    TransformCases.apply(key ? new HeaderFrom.Key<>() : new HeaderFrom.Value<>(), config, withHeaders(TransformCases.record(key, value)));
                }
            }
        }
        SinkRecord bare = TransformCases.record(false, data[0]);
        SinkRecord full = withHeaders(TransformCases.record(false, data[0]));
        TransformCases.apply(new HeaderFrom.Value<>(), Map.of("fields", "id", "headers", "h", "operation", "move"), bare);
        for (Map<String, String> config : List.of(Map.<String, String>of(), Map.of("fields", "a"), Map.of("fields", "a", "headers", "b"), Map.of("fields", "a", "headers", "b", "operation", "steal"), Map.of("fields", "a", "headers", "b", "operation", "MOVE"), Map.of("fields", "", "headers", "b", "operation", "move"),
            Map.of("fields", "a", "headers", "", "operation", "move"), Map.of("fields", "a,b", "headers", "c", "operation", "copy"), Map.of("fields", "a", "headers", "b,c", "operation", "copy", "replace.null.with.default", "x"), Map.of("fields", "a,", "headers", "b,", "operation", "copy"))) {
            TransformCases.apply(new HeaderFrom.Value<>(), config, full);
        }
        for (String literal : new String[] {"text", "", "5", "300", "-3000000000", "1.5", "true", "null", "2020-01-02", "[1,2]", "{\"a\":1}", "\"5\"", "12:30:45.123Z", "[1,\"a\"]", " 7 "}) {
            TransformCases.apply(new InsertHeader<>(), Map.of("header", "h", "value.literal", literal), bare);
            TransformCases.apply(new InsertHeader<>(), Map.of("header", "old", "value.literal", literal), full);
        }
        for (Map<String, String> config : List.of(Map.<String, String>of(), Map.of("header", "h"), Map.of("value.literal", "h"), Map.of("header", "", "value.literal", "x"))) TransformCases.apply(new InsertHeader<>(), config, full);
        for (String names : new String[] {"old", "n", "old,n", "missing", "n,missing,old,null", "Old", "", "old,old", "old,", " old , n "}) {
            TransformCases.apply(new DropHeaders<>(), Map.of("headers", names), full);
            TransformCases.apply(new DropHeaders<>(), Map.of("headers", names), bare);
        }
        TransformCases.apply(new DropHeaders<>(), Map.of(), full);
    }

    private static SinkRecord withHeaders(SinkRecord record) {
        record.headers().addString("old", "1").addInt("n", 5).addString("old", "2").add("null", null, Schema.OPTIONAL_STRING_SCHEMA).add("none", null, null);
        return record;
    }
}

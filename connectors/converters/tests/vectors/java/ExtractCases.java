import org.apache.kafka.connect.data.Schema;
import org.apache.kafka.connect.data.SchemaAndValue;
import org.apache.kafka.connect.data.SchemaBuilder;
import org.apache.kafka.connect.data.Struct;
import org.apache.kafka.connect.transforms.ExtractField;

import java.util.Map;

/** ExtractField, by names and by paths. */
final class ExtractCases {
    private static final Schema INNER = inner().build();
    private static final Schema FALLBACK = fallback();
    private static final Schema OUTER = SchemaBuilder.struct().name("outer").field("first", Schema.INT8_SCHEMA).field("inner", INNER).field("fallback", FALLBACK).field("a.b", Schema.STRING_SCHEMA)
        .field("map", SchemaBuilder.map(Schema.STRING_SCHEMA, Schema.INT8_SCHEMA).optional().build()).build();

    static void write(SchemaAndValue[] data) throws Exception {
        for (SchemaAndValue value : data) {
            for (boolean key : new boolean[] {false, true}) {
                for (String field : new String[] {"id", "none", "missing", "address", "a", "list"}) {
                    apply(key, Map.of("field", field), value);
                    if (key) break;
                }
            }
            apply(false, Map.of("field", "a", "replace.null.with.default", "false"), value);
            apply(false, Map.of("field", "address.street", "field.syntax.version", "v2"), value);
        }
        Struct full = new Struct(OUTER).put("first", (byte) 1).put("inner", new Struct(INNER).put("a.b", "x")).put("fallback", new Struct(FALLBACK).put("n", 1L)).put("a.b", "dotted").put("map", Map.of("k", (byte) 2));
        Struct empty = new Struct(OUTER).put("first", (byte) 1).put("a.b", "dotted");
        Map<Object, Object> map = Samples.map("inner", Samples.map("n", 5L, "a.b", "x", "deep", Samples.map("er", "y")), "none", null, "a.b", "dotted", "", "empty", "text", "t");
        SchemaAndValue[] nested = {new SchemaAndValue(OUTER, full), new SchemaAndValue(OUTER, empty), new SchemaAndValue(OUTER, null), new SchemaAndValue(null, map), new SchemaAndValue(null, null)};
        for (SchemaAndValue value : nested) {
            for (String path : new String[] {"inner.n", "inner", "inner.`a.b`", "fallback.n", "fallback.`a.b`", "`a.b`", "a.b", "", "``", "inner.", "inner.n.x", "inner.deep.er", "map.k", "none.x", "text.x", "missing.x", "first.x"}) {
                for (String version : new String[] {"V1", "V2"}) apply(false, Map.of("field", path, "field.syntax.version", version), value);
            }
            apply(false, Map.of("field", "inner.n", "field.syntax.version", "V2", "replace.null.with.default", "false"), value);
            apply(false, Map.of("field", "fallback.n", "field.syntax.version", "V2", "replace.null.with.default", "false"), value);
        }
        for (String path : new String[] {"`a", "a.`b", "\u00f6.`b\\`", "`", "`a`b", "`a`.`b\\`.c"}) apply(false, Map.of("field", path, "field.syntax.version", "V2"), nested[3]);
        apply(false, Map.of(), nested[3]);
        apply(false, Map.of("field", "a", "field.syntax.version", "V3"), nested[3]);
        apply(false, Map.of("field", "`a", "replace.null.with.default", "maybe", "field.syntax.version", "V2"), nested[3]);
    }

    private static SchemaBuilder inner() {
        return SchemaBuilder.struct().optional().field("n", SchemaBuilder.int64().optional().defaultValue(5L).build()).field("a.b", Schema.OPTIONAL_STRING_SCHEMA);
    }

    private static Schema fallback() {
        SchemaBuilder builder = inner();
        return builder.defaultValue(new Struct(builder).put("n", 9L).put("a.b", "fallback")).build();
    }

    private static void apply(boolean key, Map<String, String> config, SchemaAndValue value) throws Exception {
        TransformCases.apply(key ? new ExtractField.Key<>() : new ExtractField.Value<>(), config, TransformCases.record(key, value));
    }
}

import org.apache.kafka.connect.data.Decimal;
import org.apache.kafka.connect.data.Schema;
import org.apache.kafka.connect.data.SchemaAndValue;
import org.apache.kafka.connect.data.SchemaBuilder;
import org.apache.kafka.connect.data.Struct;
import org.apache.kafka.connect.transforms.Flatten;
import org.apache.kafka.connect.transforms.SetSchemaMetadata;

import java.math.BigDecimal;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/** Flatten and SetSchemaMetadata. */
final class ShapeCases {
    static void write(SchemaAndValue[] data) throws Exception {
        List<Map<String, String>> metadata = List.of(Map.of("schema.name", "new"), Map.of("schema.name", "new", "schema.version", "7"), Map.of("schema.version", "0"), Map.of("schema.version", "2", "replace.null.with.default", "false"));
        for (SchemaAndValue value : data) {
            for (boolean key : new boolean[] {false, true}) {
                flatten(key, Map.of(), value);
                for (Map<String, String> config : metadata) metadata(key, config, value);
            }
            flatten(false, Map.of("delimiter", "#-"), value);
        }
        structs();
        SchemaAndValue[] maps = {
            untyped("a", 1L, "b", Samples.map("c", "x", "d", Samples.map("e", true, "f", null), "g", List.of(1L, Samples.map("h", 1L))), "i", 1.5),
            untyped("b", Samples.map(), "c", Samples.map("d", Samples.map())),
            untyped("a", Samples.map("b", 1L), "a.b", 2L), untyped("a.b", 2L, "a", Samples.map("b", 1L)), untyped("a", Samples.map("b.c", 1L), "a.b", Samples.map("c", 2L)),
            untyped("", Samples.map("a", 1L), "a", 2L), untyped("", Samples.map("", Samples.map("", 5L))), untyped("a", Samples.map("", 1L)),
            untyped("xa", Samples.map("b", 1L), "x", Samples.map("ab", 2L)), untyped("ab", 1L, "a", Samples.map("b", 2L)),
            untyped("a", Samples.map("b", new BigDecimal("1.5"))), untyped("a", new java.util.Date(5)), untyped("gr\u00fcn", Samples.map("\u20ac", 1L)), untyped("bytes", new byte[] {1}, "f", 1.5f),
        };
        for (SchemaAndValue value : maps) {
            for (String delimiter : new String[] {".", "", "aa", "_"}) flatten(false, Map.of("delimiter", delimiter), value);
        }
        SchemaAndValue any = maps[0];
        for (Map<String, String> config : List.of(Map.<String, String>of(), Map.of("schema.name", ""), Map.of("schema.version", "x"), Map.of("schema.version", ""), Map.of("schema.name", "n", "replace.null.with.default", "no"))) metadata(false, config, any);
        metadata(false, Map.of("schema.name", ""), data[6]);
    }

    private static void structs() throws Exception {
        Schema leaf = SchemaBuilder.struct().name("leaf").field("i8", Schema.INT8_SCHEMA).field("text", SchemaBuilder.string().optional().defaultValue("d").build()).field("list", SchemaBuilder.array(Schema.INT64_SCHEMA).optional().doc("Numbers.").build()).build();
        Schema inner = SchemaBuilder.struct().optional().field("leaf", leaf).field("price", Decimal.builder(2).optional().build()).build();
        Schema outer = SchemaBuilder.struct().name("outer").version(3).doc("doc").parameter("p", "q").optional().field("id", Schema.INT64_SCHEMA).field("inner", inner).field("leaf", leaf).field("last", Schema.OPTIONAL_STRING_SCHEMA).build();
        Struct full = new Struct(leaf).put("i8", (byte) 1).put("text", "t").put("list", List.of(1L, 2L));
        Struct[] all = {
            new Struct(outer).put("id", 1L).put("inner", new Struct(inner).put("leaf", full).put("price", new BigDecimal("1.25"))).put("leaf", full).put("last", "z"),
            new Struct(outer).put("id", 1L).put("inner", new Struct(inner).put("leaf", new Struct(leaf).put("i8", (byte) 2))).put("leaf", new Struct(leaf).put("i8", (byte) 3)),
            new Struct(outer).put("id", 1L).put("leaf", full), new Struct(outer).put("id", 1L), new Struct(outer).put("leaf", full), null,
        };
        for (Struct value : all) {
            flatten(false, Map.of(), new SchemaAndValue(outer, value));
            flatten(false, Map.of("delimiter", "_"), new SchemaAndValue(outer, value));
            metadata(false, Map.of("schema.name", "n"), new SchemaAndValue(outer, value));
        }
        // Defaults that come from structs around.
        SchemaBuilder withDefault = SchemaBuilder.struct().field("a", SchemaBuilder.int32().defaultValue(5).build()).field("b", Schema.STRING_SCHEMA).field("c", Schema.OPTIONAL_STRING_SCHEMA);
        Schema defaulted = withDefault.defaultValue(new Struct(withDefault).put("a", 6).put("b", "bee")).build();
        Schema around = SchemaBuilder.struct().field("s", defaulted).field("t", Schema.OPTIONAL_INT8_SCHEMA).build();
        SchemaBuilder nested = SchemaBuilder.struct().optional().field("s", defaulted);
        Schema twice = nested.defaultValue(new Struct(nested).put("s", new Struct(defaulted).put("b", "outer"))).build();
        Schema top = SchemaBuilder.struct().field("n", twice).build();
        Struct[] some = {new Struct(around), new Struct(around).put("s", new Struct(defaulted).put("b", "x")),  new Struct(top), new Struct(top).put("n", new Struct(twice)), new Struct(top).put("n", new Struct(twice).put("s", new Struct(defaulted).put("a", 1).put("b", "y").put("c", "z")))};
        for (Struct value : some) flatten(false, Map.of(), new SchemaAndValue(value.schema(), value));
        flatten(false, Map.of(), new SchemaAndValue(twice, new Struct(twice).put("s", new Struct(defaulted).put("b", "y"))));
        for (Schema other : Arrays.asList(SchemaBuilder.struct().field("m", SchemaBuilder.map(Schema.STRING_SCHEMA, Schema.INT8_SCHEMA).optional().build()).build(), SchemaBuilder.struct().field("a.b", Schema.OPTIONAL_INT8_SCHEMA).field("a", SchemaBuilder.struct().optional().field("b", Schema.INT8_SCHEMA).build()).build(),
            SchemaBuilder.struct().field("a", SchemaBuilder.struct().optional().build()).build(), SchemaBuilder.struct().field("a", SchemaBuilder.struct().optional().field("m", SchemaBuilder.map(Schema.STRING_SCHEMA, Schema.INT8_SCHEMA).optional().build()).build()).build())) {
            flatten(false, Map.of(), new SchemaAndValue(other, new Struct(other)));
        }
    }

    private static SchemaAndValue untyped(Object... entries) {
        return new SchemaAndValue(null, Samples.map(entries));
    }

    private static void flatten(boolean key, Map<String, String> config, SchemaAndValue value) throws Exception {
        TransformCases.apply(key ? new Flatten.Key<>() : new Flatten.Value<>(), config, TransformCases.record(key, value));
    }

    private static void metadata(boolean key, Map<String, String> config, SchemaAndValue value) throws Exception {
        TransformCases.apply(key ? new SetSchemaMetadata.Key<>() : new SetSchemaMetadata.Value<>(), config, TransformCases.record(key, value));
    }
}

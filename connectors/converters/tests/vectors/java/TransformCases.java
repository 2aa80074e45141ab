import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.connect.connector.ConnectRecord;
import org.apache.kafka.connect.data.Decimal;
import org.apache.kafka.connect.data.Schema;
import org.apache.kafka.connect.data.SchemaAndValue;
import org.apache.kafka.connect.data.SchemaBuilder;
import org.apache.kafka.connect.data.Struct;
import org.apache.kafka.connect.data.Timestamp;
import org.apache.kafka.connect.header.Header;
import org.apache.kafka.connect.sink.SinkRecord;
import org.apache.kafka.connect.source.SourceRecord;
import org.apache.kafka.connect.transforms.Filter;
import org.apache.kafka.connect.transforms.HoistField;
import org.apache.kafka.connect.transforms.InsertField;
import org.apache.kafka.connect.transforms.MaskField;
import org.apache.kafka.connect.transforms.RegexRouter;
import org.apache.kafka.connect.transforms.ReplaceField;
import org.apache.kafka.connect.transforms.Transformation;
import org.apache.kafka.connect.transforms.ValueToKey;
import org.apache.kafka.connect.transforms.predicates.HasHeaderKey;
import org.apache.kafka.connect.transforms.predicates.Predicate;
import org.apache.kafka.connect.transforms.predicates.RecordIsTombstone;
import org.apache.kafka.connect.transforms.predicates.TopicNameMatches;

import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Each transformation and predicate on records of every kind. */
final class TransformCases {
    private static Vectors to;

    static final Schema DEFAULTS = SchemaBuilder.struct().name("d").version(4).doc("doc").parameter("p", "q")
        .field("a", SchemaBuilder.int32().optional().defaultValue(7).build())
        .field("b", SchemaBuilder.string().defaultValue("x").build())
        .field("c", Schema.OPTIONAL_STRING_SCHEMA).build();

    static final Schema TYPES = SchemaBuilder.struct()
        .field("i8", Schema.INT8_SCHEMA).field("i16", Schema.INT16_SCHEMA).field("i32", Schema.INT32_SCHEMA).field("i64", Schema.OPTIONAL_INT64_SCHEMA).field("f32", Schema.FLOAT32_SCHEMA).field("f64", Schema.FLOAT64_SCHEMA)
        .field("bool", Schema.BOOLEAN_SCHEMA).field("text", Schema.STRING_SCHEMA).field("bytes", Schema.BYTES_SCHEMA).field("decimal", Decimal.schema(2)).field("date", org.apache.kafka.connect.data.Date.SCHEMA)
        .field("time", org.apache.kafka.connect.data.Time.SCHEMA).field("timestamp", Timestamp.SCHEMA).field("list", SchemaBuilder.array(Schema.INT8_SCHEMA).build()).field("map", SchemaBuilder.map(Schema.STRING_SCHEMA, Schema.INT8_SCHEMA).build())
        .field("struct", Samples.ADDRESS).build();

    static Struct types() {
        return new Struct(TYPES).put("i8", (byte) 1).put("i16", (short) 2).put("i32", 3).put("i64", 4L).put("f32", 1.5f).put("f64", 2.5).put("bool", true).put("text", "t").put("bytes", new byte[] {1}).put("decimal", new BigDecimal("1.25"))
            .put("date", new java.util.Date(86_400_000L)).put("time", new java.util.Date(1000)).put("timestamp", new java.util.Date(123_456L)).put("list", List.of((byte) 1)).put("map", Map.of("k", (byte) 1)).put("struct", new Struct(Samples.ADDRESS).put("street", "s"));
    }

    static Map<String, Object> untyped() {
        Map<String, Object> map = new LinkedHashMap<>();
        map.put("id", 7L);
        map.put("name", "ann");
        map.put("ratio", 0.5);
        map.put("f32", 1.5f);
        map.put("ok", true);
        map.put("none", null);
        map.put("list", List.of(1L, 2L));
        map.put("map", Samples.map("a", 1L));
        map.put("bytes", new byte[] {1, 2});
        map.put("topic", "old");
        return map;
    }

    static void write(Vectors vectors) throws Exception {
        to = vectors;
        SchemaAndValue[] data = {
            new SchemaAndValue(null, untyped()), new SchemaAndValue(null, Samples.map()), new SchemaAndValue(null, null), new SchemaAndValue(null, "text"), new SchemaAndValue(null, 5L), new SchemaAndValue(null, List.of()),
            new SchemaAndValue(Samples.ORDER, Samples.order()), new SchemaAndValue(Samples.ORDER, null), new SchemaAndValue(DEFAULTS, new Struct(DEFAULTS)), new SchemaAndValue(DEFAULTS, new Struct(DEFAULTS).put("a", 1).put("b", "y").put("c", "z")),
            new SchemaAndValue(TYPES, types()), new SchemaAndValue(Schema.STRING_SCHEMA, "text"), new SchemaAndValue(Schema.OPTIONAL_INT64_SCHEMA, 5L), new SchemaAndValue(SchemaBuilder.map(Schema.STRING_SCHEMA, Schema.INT64_SCHEMA).build(), Samples.map("a", 1L)),
        };
        for (SchemaAndValue value : data) {
            for (boolean key : new boolean[] {false, true}) {
                insert(key, value);
                replace(key, value);
                mask(key, value);
                apply(key ? new HoistField.Key<>() : new HoistField.Value<>(), Map.of("field", "magic"), record(key, value));
            }
            valueToKey(value);
        }
        // What the record lacks.
        for (String suffix : new String[] {"", "?", "!"}) {
            Map<String, String> config = Map.of("topic.field", "t" + suffix, "partition.field", "p" + suffix, "timestamp.field", "ts" + suffix);
            for (SchemaAndValue value : new SchemaAndValue[] {data[0], data[6]}) {
                apply(new InsertField.Value<>(), config, new SourceRecord(Map.of(), Map.of(), "topic", null, null, null, value.schema(), value.value(), null));
                apply(new InsertField.Value<>(), config, new SourceRecord(Map.of(), Map.of(), "topic", 3, null, null, value.schema(), value.value(), 1_600_000_000_123L));
                apply(new InsertField.Value<>(), Map.of("offset.field", "o" + suffix), new SourceRecord(Map.of(), Map.of(), "topic", 3, null, null, value.schema(), value.value(), 5L));
                apply(new InsertField.Value<>(), Map.of("offset.field", "o" + suffix), record(false, value));
            }
        }
        configurations();
        router();
        apply(new Filter<>(), Map.of(), record(false, data[0]));
        apply(new Filter<>(), Map.of(), record(false, data[2]));
        predicates(data);
        ExtractCases.write(data);
        HeaderTransformCases.write(data);
        CastCases.write(data);
        ShapeCases.write(data);
        TimestampCases.write(data);
    }

    private static void insert(boolean key, SchemaAndValue value) throws Exception {
        List<Map<String, String>> configs = List.of(
            Map.of("static.field", "s", "static.value", "v"), ordered("topic.field", "topic", "partition.field", "partition", "offset.field", "offset", "timestamp.field", "ts", "static.field", "s!", "static.value", "v"), Map.of("topic.field", "id"),
            Map.of("static.field", "c", "static.value", "v", "replace.null.with.default", "false"), Map.of("topic.field", "same", "static.field", "same", "static.value", "v"));
        for (Map<String, String> config : few(configs, key, value)) apply(key ? new InsertField.Key<>() : new InsertField.Value<>(), config, record(key, value));
    }

    private static void replace(boolean key, SchemaAndValue value) throws Exception {
        List<Map<String, String>> configs = List.of(
            Map.of(), Map.of("exclude", "id,none,a"), Map.of("include", "name,user,b"), Map.of("include", "id,name,user", "exclude", "name"), Map.of("renames", "id:key,user:person,b:bb"), Map.of("exclude", "id", "renames", "name:id,user:id"),
            Map.of("renames", "name:id,user:id"), Map.of("exclude", "missing"), Map.of("include", "missing"), Map.of("replace.null.with.default", "false"), Map.of("exclude", "c", "replace.null.with.default", "false"), Map.of("exclude", "b", "replace.null.with.default", "false"),
            Map.of("renames", "a:c,c:a"), Map.of("renames", "name:x,ok:x"));
        for (Map<String, String> config : few(configs, key, value)) apply(key ? new ReplaceField.Key<>() : new ReplaceField.Value<>(), config, record(key, value));
    }

    private static void mask(boolean key, SchemaAndValue value) throws Exception {
        for (String field : new String[] {"id", "name", "ratio", "f32", "ok", "none", "list", "map", "bytes", "missing", "user", "amount", "paid", "note", "tags", "at", "address", "i8", "i16", "i32", "i64", "f64", "bool", "text", "decimal", "date", "time", "timestamp", "struct", "a", "b"}) {
            boolean relevant = (value.schema() == null && value.value() instanceof Map<?, ?> map && map.containsKey(field)) || (value.schema() != null && value.schema().type() == Schema.Type.STRUCT && value.schema().field(field) != null) || field.equals("missing");
            if (!relevant) continue;
            if (key && !field.equals("name") && !field.equals("user")) continue;
            apply(key ? new MaskField.Key<>() : new MaskField.Value<>(), Map.of("fields", field), record(key, value));
            if (field.equals("missing")) continue;
            for (String replacement : new String[] {"42", "-300.7", "xxx"}) apply(key ? new MaskField.Key<>() : new MaskField.Value<>(), Map.of("fields", field, "replacement", replacement), record(key, value));
        }
        if (few(List.of(Map.of(), Map.of()), key, value).size() < 2) return;
        apply(key ? new MaskField.Key<>() : new MaskField.Value<>(), Map.of("fields", "id,name,user"), record(key, value));
        apply(key ? new MaskField.Key<>() : new MaskField.Value<>(), Map.of("fields", "c", "replace.null.with.default", "false"), record(key, value));
        apply(key ? new MaskField.Key<>() : new MaskField.Value<>(), Map.of("fields", "a,b"), record(key, value));
    }

    /** One configuration is enough where every one fails alike; two for keys, which take the same path. */
    static List<Map<String, String>> few(List<Map<String, String>> configs, boolean key, SchemaAndValue value) {
        boolean fields = value.schema() == null ? value.value() instanceof Map : value.value() instanceof Struct;
        return configs.subList(0, fields ? key ? 2 : configs.size() : 1);
    }

    private static void valueToKey(SchemaAndValue value) throws Exception {
        for (Map<String, String> config : few(List.of(Map.of("fields", "id"), Map.of("fields", "name,id"), Map.of("fields", "missing"), Map.of("fields", "user,amount,address"), Map.of("fields", "a,b"), Map.of("fields", "b", "replace.null.with.default", "false"), Map.of("fields", "c,a", "replace.null.with.default", "false")), false, value)) {
            apply(new ValueToKey<>(), config, record(false, value));
        }
    }

    private static void configurations() throws Exception {
        ConnectRecord<SinkRecord> record = record(false, new SchemaAndValue(null, untyped()));
        for (Map<String, String> config : List.of(Map.<String, String>of(), Map.of("static.field", "x"), Map.of("static.value", "x"), Map.of("topic.field", "t", "replace.null.with.default", "maybe"), Map.of("topic.field", ""), Map.of("topic.field", "!"), Map.of("topic.field", "a!?"))) {
            apply(new InsertField.Value<>(), config, record);
        }
        for (Map<String, String> config : List.of(Map.of("renames", "a"), Map.of("renames", "a:b:c"), Map.of("renames", ":b"), Map.of("renames", "a:"), Map.of("exclude", "a,a"), Map.of("include", ""), Map.of("include", "id,"), Map.of("exclude", " id , name "), Map.of("renames", "id:a,id:b"))) {
            apply(new ReplaceField.Value<>(), config, record);
        }
        for (Map<String, String> config : List.of(Map.<String, String>of(), Map.of("fields", ""), Map.of("fields", "id,id"), Map.of("fields", "id", "replacement", ""), Map.of("fields", "id,,name"), Map.of("fields", ","))) {
            apply(new MaskField.Value<>(), config, record);
            if (!config.containsKey("replacement")) apply(new ValueToKey<>(), config, record);
        }
        apply(new HoistField.Value<>(), Map.of(), record);
        apply(new HoistField.Value<>(), Map.of("field", ""), record);
        apply(new RegexRouter<>(), Map.of("regex", "a"), record);
        apply(new RegexRouter<>(), Map.of("replacement", "a"), record);
        apply(new RegexRouter<>(), Map.of("regex", "(", "replacement", "a"), record);
    }

    private static void router() throws Exception {
        for (String[] of : new String[][] {{"(.*)", "pre-$1"}, {"topic", "other"}, {"top", "other"}, {"t(.)p(.)c", "$2$1"}, {"(?<all>.+)", "${all}.x"}, {"topic", "$1"}, {".*", "x"}}) {
            apply(new RegexRouter<>(), Map.of("regex", of[0], "replacement", of[1]), record(false, new SchemaAndValue(null, "v")));
        }
    }

    private static void predicates(SchemaAndValue[] data) throws Exception {
        SinkRecord with = record(false, data[0]);
        with.headers().addString("trace", "1").addString("trace", "2").addInt("n", 5);
        for (String name : new String[] {"trace", "n", "Trace", "x"}) {
            test(new HasHeaderKey<>(), Map.of("name", name), with);
            test(new HasHeaderKey<>(), Map.of("name", name), record(false, data[0]));
        }
        test(new HasHeaderKey<>(), Map.of(), with);
        test(new HasHeaderKey<>(), Map.of("name", ""), with);
        for (SchemaAndValue value : data) test(new RecordIsTombstone<>(), Map.of(), record(false, value));
        for (String pattern : new String[] {"topic", "top", "t.*", ".*", "(?i)TOPIC", "x|topic", "(", ""}) test(new TopicNameMatches<>(), Map.of("pattern", pattern), with);
        test(new TopicNameMatches<>(), Map.of(), with);
    }

    private static Map<String, String> ordered(String... of) {
        Map<String, String> map = new LinkedHashMap<>();
        for (int i = 0; i < of.length; i += 2) map.put(of[i], of[i + 1]);
        return map;
    }

    static SinkRecord record(boolean key, SchemaAndValue value) {
        SchemaAndValue other = new SchemaAndValue(Schema.STRING_SCHEMA, "other");
        SchemaAndValue first = key ? value : other;
        SchemaAndValue second = key ? other : value;
        return new SinkRecord("topic", 3, first.schema(), first.value(), second.schema(), second.value(), 42L, 1_600_000_000_123L, TimestampType.CREATE_TIME);
    }

    private static <R extends ConnectRecord<R>> Map<String, Object> record(ConnectRecord<R> record) throws Exception {
        Map<String, Object> object = Vectors.object("topic", record.topic(), "partition", record.kafkaPartition(), "offset", record instanceof SinkRecord sink ? (Object) sink.kafkaOffset() : null, "timestamp", record.timestamp(),
            "key", Vectors.object("schema", to.schema(record.keySchema()), "value", Cbor.hex(record.keySchema(), record.key())), "value", Vectors.object("schema", to.schema(record.valueSchema()), "value", Cbor.hex(record.valueSchema(), record.value())));
        object.values().removeIf(java.util.Objects::isNull);
        if (!record.headers().isEmpty()) {
            List<Object> headers = new ArrayList<>();
            for (Header header : record.headers()) headers.add(Arrays.asList(header.key(), to.schema(header.schema()), Cbor.hex(header.schema(), header.value())));
            object.put("headers", headers);
        }
        return object;
    }

    @SuppressWarnings({"unchecked", "rawtypes"})
    static void apply(Transformation transformation, Map<String, String> config, ConnectRecord record) throws Exception {
        Map<String, Object> line = Vectors.object("class", transformation.getClass().getName(), "config", new java.util.TreeMap<>(config));
        try {
            transformation.configure(config);
        } catch (RuntimeException e) {
            line.put("config_error", Vectors.problem(e));
            to.line(line);
            return;
        }
        line.put("record", record(record));
        try {
            ConnectRecord result = (ConnectRecord) transformation.apply(record);
            line.put("result", result == null ? null : record(result));
        } catch (RuntimeException e) {
            line.put("error", Vectors.problem(e));
        }
        to.line(line);
    }

    private static void test(Predicate<SinkRecord> predicate, Map<String, String> config, SinkRecord record) throws Exception {
        Map<String, Object> line = Vectors.object("class", predicate.getClass().getName(), "config", config);
        try {
            predicate.configure(config);
        } catch (RuntimeException e) {
            line.put("config_error", Vectors.problem(e));
            to.line(line);
            return;
        }
        line.put("record", record((ConnectRecord<SinkRecord>) record));
        line.put("holds", predicate.test(record));
        to.line(line);
    }
}

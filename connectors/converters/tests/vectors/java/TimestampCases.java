import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.connect.data.Date;
import org.apache.kafka.connect.data.Schema;
import org.apache.kafka.connect.data.SchemaAndValue;
import org.apache.kafka.connect.data.SchemaBuilder;
import org.apache.kafka.connect.data.Struct;
import org.apache.kafka.connect.data.Time;
import org.apache.kafka.connect.data.Timestamp;
import org.apache.kafka.connect.sink.SinkRecord;
import org.apache.kafka.connect.transforms.TimestampConverter;
import org.apache.kafka.connect.transforms.TimestampRouter;

import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** TimestampConverter from every form to every other, and TimestampRouter. */
final class TimestampCases {
    private static final String FORMAT = "yyyy-MM-dd'T'HH:mm:ss.SSSX";

    static void write(SchemaAndValue[] data) throws Exception {
        for (SchemaAndValue value : data) {
            for (boolean key : new boolean[] {false, true}) {
                List<Map<String, String>> configs = List.of(Map.of("field", "at", "target.type", "string", "format", FORMAT), Map.of("field", "id", "target.type", "Timestamp"), Map.of("field", "missing", "target.type", "unix"), Map.of("field", "name", "target.type", "Date", "format", FORMAT), Map.of("field", "none", "target.type", "Time"),
                    Map.of("field", "at", "target.type", "unix"), Map.of("field", "a", "target.type", "unix"), Map.of("field", "c", "target.type", "unix"), Map.of("field", "c", "target.type", "unix", "replace.null.with.default", "false"), Map.of("field", "time", "target.type", "Timestamp"), Map.of("field", "date", "target.type", "unix"), Map.of("field", "text", "target.type", "unix"),
                    Map.of("field", "ok", "target.type", "unix"), Map.of("field", "list", "target.type", "unix"));
                for (Map<String, String> config : TransformCases.few(configs, key, value)) apply(key, config, value);
                apply(key, Map.of("target.type", "Timestamp"), value);
            }
        }
        for (String target : new String[] {"string", "unix", "Date", "Time", "Timestamp"}) {
            int place = 0;
            for (SchemaAndValue value : values()) {
                apply(false, Map.of("target.type", target, "format", FORMAT), value);
                // Fields take the same path; some of them will do.
                if (place++ % 3 != 0) continue;
                if (value.schema() == null) apply(false, Map.of("field", "f", "target.type", target, "format", FORMAT), new SchemaAndValue(null, Samples.map("e", 1L, "f", value.value(), "g", "x")));
                else apply(false, Map.of("field", "f", "target.type", target, "format", FORMAT), field(value.schema(), value.value()));
            }
            for (Schema schema : List.of(Schema.OPTIONAL_INT64_SCHEMA, SchemaBuilder.int64().defaultValue(5L).build(), SchemaBuilder.string().optional().defaultValue("1970-01-01T00:00:01.002Z").build(), Timestamp.builder().optional().defaultValue(new java.util.Date(5)).build(), Timestamp.SCHEMA)) {
                apply(false, Map.of("field", "f", "target.type", target, "format", FORMAT), field(schema, null));
                apply(false, Map.of("field", "f", "target.type", target, "format", FORMAT, "replace.null.with.default", "false"), field(schema, null));
                apply(false, Map.of("target.type", target, "format", FORMAT), new SchemaAndValue(schema, null));
            }
        }
        for (String precision : new String[] {"seconds", "milliseconds", "microseconds", "nanoseconds"}) {
            for (long number : new long[] {0, 1, -1, 999, -999, 1_600_000_000_123L, 1_600_000_000L, -1_500, Long.MAX_VALUE, Long.MIN_VALUE}) {
                for (String target : new String[] {"Timestamp", "unix"}) apply(false, Map.of("target.type", target, "unix.precision", precision), new SchemaAndValue(Schema.INT64_SCHEMA, number));
                // A moment that no seconds can be counted of has no form in CBOR.
                if (number == Long.MIN_VALUE) continue;
                apply(false, Map.of("target.type", "unix", "unix.precision", precision), new SchemaAndValue(null, new java.util.Date(number)));
            }
        }
        SchemaBuilder whole = SchemaBuilder.struct().name("n").version(1).doc("d").parameter("p", "q").optional().field("f", Schema.INT64_SCHEMA).field("g", SchemaBuilder.int32().defaultValue(3).build());
        Schema defaulted = whole.defaultValue(new Struct(whole).put("f", 1_000L)).build();
        apply(false, Map.of("field", "f", "target.type", "string", "format", FORMAT), new SchemaAndValue(defaulted, new Struct(defaulted).put("f", 2_000L)));
        apply(false, Map.of("field", "f", "target.type", "string", "format", FORMAT), new SchemaAndValue(defaulted, null));
        apply(false, Map.of("target.type", "unix"), new SchemaAndValue(Schema.STRING_SCHEMA, "2020"));
        apply(false, Map.of("target.type", "unix"), new SchemaAndValue(null, "2020"));
        for (Map<String, String> config : List.of(Map.<String, String>of(), Map.of("target.type", "date"), Map.of("target.type", "string"), Map.of("target.type", "string", "format", " "), Map.of("target.type", "string", "format", "yyyy-b"), Map.of("target.type", "unix", "format", "'"), Map.of("target.type", "unix", "format", "  "), Map.of("target.type", "unix", "unix.precision", "hours"),
            Map.of("target.type", "unix", "unix.precision", "Seconds"), Map.of("target.type", "unix", "replace.null.with.default", "x"), Map.of("field", "id", "target.type", "unix"))) {
            apply(false, config, data[0]);
        }
        router();
    }

    private static List<SchemaAndValue> values() {
        List<SchemaAndValue> all = new ArrayList<>();
        for (long millis : new long[] {0, 1, -1, 86_399_999, 1_600_000_000_123L, -86_400_001, 253_402_300_800_000L}) {
            all.add(new SchemaAndValue(Timestamp.SCHEMA, new java.util.Date(millis)));
            all.add(new SchemaAndValue(Schema.INT64_SCHEMA, millis));
            all.add(new SchemaAndValue(null, millis));
        }
        for (long day : new long[] {0, -1, 18_000}) all.add(new SchemaAndValue(Date.SCHEMA, new java.util.Date(day * 86_400_000L)));
        for (long millis : new long[] {0, 1, 86_399_999}) all.add(new SchemaAndValue(Time.SCHEMA, new java.util.Date(millis)));
        all.add(new SchemaAndValue(null, new java.util.Date(1_600_000_000_123L)));
        for (String text : new String[] {"2020-01-02T03:04:05.678Z", "2020-1-2T3:4:5.6+01", "2020-01-02T03:04:05.678", "", "x", "2020-01-02T03:04:05.678Z and more", "2020-13-02T03:04:05.678Z"}) {
            all.add(new SchemaAndValue(Schema.STRING_SCHEMA, text));
            all.add(new SchemaAndValue(null, text));
        }
        for (Object other : new Object[] {true, 1.5, 1.5f, new byte[] {1}, List.of(1L), Samples.map("a", 1L), new BigDecimal("1.5")}) all.add(new SchemaAndValue(null, other));
        all.add(new SchemaAndValue(Schema.INT32_SCHEMA, 5));
        all.add(new SchemaAndValue(Schema.BOOLEAN_SCHEMA, true));
        all.add(new SchemaAndValue(SchemaBuilder.int64().name("named").optional().build(), 5L));
        all.add(new SchemaAndValue(SchemaBuilder.int32().name("named").build(), 5));
        return all;
    }

    private static void router() throws Exception {
        SchemaAndValue value = new SchemaAndValue(null, "v");
        for (String[] of : new String[][] {{null, null}, {"${topic}-${timestamp}", "yyyyMMdd"}, {"${timestamp}/${topic}/${timestamp}", "yyyy-MM"}, {"fixed", "yyyy"}, {"$1${topic}\\", "HH'$0'"}, {"${topic}", "'${topic}'"}, {"${topic", ""}, {"", "yyyy"}, {"${timestamp}", "EEE, d MMM yyyy HH:mm:ss Z"}, {"t", "yyyy-b"}, {"t", "'"}, {"${timestamp}", "yyyy-'W'ww"}}) {
            Map<String, String> config = new LinkedHashMap<>();
            if (of[0] != null) config.put("topic.format", of[0]);
            if (of[1] != null) config.put("timestamp.format", of[1]);
            TransformCases.apply(new TimestampRouter<>(), config, TransformCases.record(false, value));
            TransformCases.apply(new TimestampRouter<>(), config, new SinkRecord("other", 0, null, null, null, "v", 1L, 0L, TimestampType.LOG_APPEND_TIME));
        }
    }

    private static SchemaAndValue field(Schema of, Object value) {
        Schema schema = SchemaBuilder.struct().field("e", Schema.STRING_SCHEMA).field("f", of).field("g", Schema.OPTIONAL_INT8_SCHEMA).build();
        Struct struct = new Struct(schema).put("e", "x");
        if (value != null) struct.put("f", value);
        return new SchemaAndValue(schema, struct);
    }

    private static void apply(boolean key, Map<String, String> config, SchemaAndValue value) throws Exception {
        TransformCases.apply(key ? new TimestampConverter.Key<>() : new TimestampConverter.Value<>(), config, TransformCases.record(key, value));
    }
}

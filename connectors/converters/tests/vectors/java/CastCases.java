import org.apache.kafka.connect.data.Date;
import org.apache.kafka.connect.data.Decimal;
import org.apache.kafka.connect.data.Schema;
import org.apache.kafka.connect.data.SchemaAndValue;
import org.apache.kafka.connect.data.SchemaBuilder;
import org.apache.kafka.connect.data.Struct;
import org.apache.kafka.connect.data.Time;
import org.apache.kafka.connect.data.Timestamp;
import org.apache.kafka.connect.transforms.Cast;

import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Cast: every type to every type, of fields and of the whole. */
final class CastCases {
    private static final String[] TARGETS = {"int8", "int16", "int32", "int64", "float32", "float64", "boolean", "string"};

    static void write(SchemaAndValue[] data) throws Exception {
        for (SchemaAndValue value : data) {
            for (boolean key : new boolean[] {false, true}) {
                List<Map<String, String>> configs = List.of(Map.of("spec", "id:string,user:int8"), Map.of("spec", "id:int8,none:string,ratio:int32"), Map.of("spec", "missing:int8"), Map.of("spec", "a:string,b:boolean,c:float64"), Map.of("spec", "a:int64", "replace.null.with.default", "false"),
                    Map.of("spec", "b:string", "replace.null.with.default", "false"), Map.of("spec", "note:string,amount:float64,at:int64,paid:int8"), Map.of("spec", "tags:string"), Map.of("spec", "address:string"), Map.of("spec", "list:string"), Map.of("spec", "map:string"), Map.of("spec", "bytes:string"), Map.of("spec", "bytes:int8"));
                for (Map<String, String> config : TransformCases.few(configs, key, value)) apply(key, config, value);
                apply(key, Map.of("spec", "string"), value);
            }
            apply(false, Map.of("spec", "int8"), value);
        }
        for (String target : TARGETS) {
            int place = 0;
            for (SchemaAndValue value : values()) {
                apply(false, Map.of("spec", target), value);
                // Fields take the same path; some of them will do.
                if (place++ % 9 != 0) continue;
                if (value.schema() == null) apply(false, Map.of("spec", "f:" + target), new SchemaAndValue(null, Samples.map("f", value.value(), "g", 1L)));
                else apply(false, Map.of("spec", "f:" + target), field(value.schema(), value.value()));
            }
            for (Schema schema : defaults()) {
                apply(false, Map.of("spec", "f:" + target), field(schema, null));
                apply(false, Map.of("spec", "f:" + target, "replace.null.with.default", "false"), field(schema, null));
                apply(false, Map.of("spec", target), new SchemaAndValue(schema, schema.defaultValue()));
                apply(false, Map.of("spec", target), new SchemaAndValue(schema, null));
            }
        }
        SchemaBuilder whole = SchemaBuilder.struct().optional().field("f", Schema.INT8_SCHEMA);
        Schema defaulted = whole.defaultValue(new Struct(whole).put("f", (byte) 1)).build();
        apply(false, Map.of("spec", "f:string"), new SchemaAndValue(defaulted, new Struct(defaulted).put("f", (byte) 2)));
        Schema optional = SchemaBuilder.struct().name("o").version(1).doc("d").parameter("p", "q").optional().field("f", Schema.INT8_SCHEMA).build();
        apply(false, Map.of("spec", "f:string"), new SchemaAndValue(optional, new Struct(optional).put("f", (byte) 2)));
        apply(false, Map.of("spec", "f:string"), new SchemaAndValue(optional, new Struct(optional)));
        for (Map<String, String> config : List.of(Map.<String, String>of(), Map.of("spec", ""), Map.of("spec", "int9"), Map.of("spec", "a:int9"), Map.of("spec", "a:"), Map.of("spec", "a:b:c"), Map.of("spec", "x:int8,a:b:c"), Map.of("spec", "int8,int16"), Map.of("spec", "int8,a:int16"), Map.of("spec", "bytes"), Map.of("spec", "a:bytes"),
            Map.of("spec", "a:struct"), Map.of("spec", "array"), Map.of("spec", " A : Int8 , id : STRING"), Map.of("spec", "id:int8,id:string"), Map.of("spec", "id:string,id:int8"), Map.of("spec", "id:int8,"), Map.of("spec", ":int8"), Map.of("spec", "id:int8", "replace.null.with.default", "2"))) {
            apply(false, config, data[0]);
        }
    }

    private static List<SchemaAndValue> values() {
        List<SchemaAndValue> all = new ArrayList<>();
        for (byte number : new byte[] {0, 1, -128}) add(all, Schema.INT8_SCHEMA, number);
        for (short number : new short[] {0, 300, -32768}) add(all, Schema.INT16_SCHEMA, number);
        for (int number : new int[] {0, 128, 70000, Integer.MIN_VALUE, 16777217}) add(all, Schema.INT32_SCHEMA, number);
        for (long number : new long[] {0, 1, -129, 255, 4294967296L, Long.MAX_VALUE, Long.MIN_VALUE, 9007199254740993L}) add(all, Schema.INT64_SCHEMA, number);
        for (float number : new float[] {0f, -0f, 0.5f, 1.5f, -300.9f, 3e9f, 1e20f, -1e30f, Float.NaN, Float.POSITIVE_INFINITY, Float.MIN_VALUE, 1.17e-38f, 3.4e10f, 0.1f}) add(all, Schema.FLOAT32_SCHEMA, number);
        for (double number : new double[] {0, -0.0, 0.99, -1.5, 300.9, 3e9, 1e20, -1e300, Double.NaN, Double.NEGATIVE_INFINITY, 4.9e-324, 2e-3, 1e7, 123456789012.345, 16777217}) add(all, Schema.FLOAT64_SCHEMA, number);
        for (boolean truth : new boolean[] {true, false}) add(all, Schema.BOOLEAN_SCHEMA, truth);
        for (String text : new String[] {"", "0", "1", "+5", "-7", "-", "127", "128", "-129", "70000", "3000000000", "9223372036854775807", "9223372036854775808", "1.5", " 1.5 ", " 7", "1e3", "1E400", "-1e-400", ".5", "5.", ".", "1f", "2.5D", "NaN", "-NaN", "Infinity", "-Infinity", "inf", "nan", "infinity", "true", "TRUE",
            "yes", "1_000", "1,5", "16777217", "0.1", "3.4028235677973366e38", "3.4028236e38", "1.7976931348623159e308", "00012", "--1", "+-1", "1e", "e1", "1e+", "1ef", "fd", "gr\u00fc\u00df"}) add(all, Schema.STRING_SCHEMA, text);
        add(all, Schema.BYTES_SCHEMA, new byte[] {1, 2, (byte) 255});
        for (Object value : new Object[] {300L, -1L, 1.5f, -300.9, 1e20, true, "7", "x", new byte[] {}}) add(all, null, value);
        for (String number : new String[] {"0.00", "12.50", "-12.99", "300.10", "1E+3", "123456789012345678901234567890.12", "1E-7", "0.1", "16777217", "9007199254740993.0"}) add(all, Decimal.schema(new BigDecimal(number).scale()), new BigDecimal(number));
        for (long day : new long[] {0, 1, -1, 19000, 3000000}) add(all, Date.SCHEMA, new java.util.Date(day * 86_400_000L));
        for (long millis : new long[] {0, 1, 86_399_999}) add(all, Time.SCHEMA, new java.util.Date(millis));
        for (long millis : new long[] {0, -1, 86_400_000, 1_600_000_000_123L, 253_402_300_800_000L}) add(all, Timestamp.SCHEMA, new java.util.Date(millis));
        add(all, SchemaBuilder.int32().name("named").version(2).doc("d").parameter("p", "q").optional().build(), 65);
        add(all, SchemaBuilder.array(Schema.INT8_SCHEMA).build(), List.of((byte) 1));
        add(all, SchemaBuilder.map(Schema.STRING_SCHEMA, Schema.INT8_SCHEMA).build(), Map.of("a", (byte) 1));
        add(all, null, List.of(1L));
        add(all, null, Samples.map("a", 1L));
        return all;
    }

    private static List<Schema> defaults() {
        return List.of(Schema.OPTIONAL_INT64_SCHEMA, Schema.INT64_SCHEMA, SchemaBuilder.int32().defaultValue(300).build(), SchemaBuilder.string().optional().defaultValue("7").build(), SchemaBuilder.string().defaultValue("x").build(), SchemaBuilder.float64().defaultValue(1.5).build(),
            Timestamp.builder().defaultValue(new java.util.Date(5)).build(), Decimal.builder(1).optional().defaultValue(new BigDecimal("2.5")).build(), SchemaBuilder.int32().name("named").defaultValue(3).build());
    }

    private static void add(List<SchemaAndValue> all, Schema schema, Object value) {
        all.add(new SchemaAndValue(schema, value));
    }

    private static SchemaAndValue field(Schema of, Object value) {
        Schema schema = SchemaBuilder.struct().field("e", Schema.STRING_SCHEMA).field("f", of).field("g", Schema.OPTIONAL_INT8_SCHEMA).build();
        Struct struct = new Struct(schema).put("e", "x");
        if (value != null) struct.put("f", value);
        return new SchemaAndValue(schema, struct);
    }

    private static void apply(boolean key, Map<String, String> config, SchemaAndValue value) throws Exception {
        TransformCases.apply(key ? new Cast.Key<>() : new Cast.Value<>(), config, TransformCases.record(key, value));
    }
}

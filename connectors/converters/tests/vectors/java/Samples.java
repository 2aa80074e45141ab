import org.apache.kafka.connect.data.Date;
import org.apache.kafka.connect.data.Decimal;
import org.apache.kafka.connect.data.Schema;
import org.apache.kafka.connect.data.SchemaAndValue;
import org.apache.kafka.connect.data.SchemaBuilder;
import org.apache.kafka.connect.data.Struct;
import org.apache.kafka.connect.data.Time;
import org.apache.kafka.connect.data.Timestamp;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Connect data that several files of vectors share. */
final class Samples {
    static final Schema ADDRESS = SchemaBuilder.struct().name("address").version(2).doc("Where.").optional()
        .field("street", Schema.STRING_SCHEMA).field("zip", Schema.OPTIONAL_INT32_SCHEMA).build();

    static final Schema ORDER = SchemaBuilder.struct().name("order")
        .field("id", Schema.INT64_SCHEMA)
        .field("user", Schema.STRING_SCHEMA)
        .field("amount", Decimal.builder(2).optional().build())
        .field("paid", Schema.BOOLEAN_SCHEMA)
        .field("note", SchemaBuilder.string().optional().defaultValue("none").build())
        .field("tags", SchemaBuilder.array(Schema.STRING_SCHEMA).optional().build())
        .field("at", Timestamp.builder().optional().build())
        .field("address", ADDRESS)
        .build();

    static Struct order() {
        return new Struct(ORDER).put("id", 7L).put("user", "ann").put("amount", new BigDecimal("12.50")).put("paid", true).put("tags", List.of("a", "b"))
            .put("at", new java.util.Date(1_600_000_000_123L)).put("address", new Struct(ADDRESS).put("street", "Main \"1\"").put("zip", 12345));
    }

    static Schema optional(Schema schema) {
        return switch (schema.type()) {
            case INT8 -> Schema.OPTIONAL_INT8_SCHEMA;
            case INT16 -> Schema.OPTIONAL_INT16_SCHEMA;
            case INT32 -> Schema.OPTIONAL_INT32_SCHEMA;
            case INT64 -> Schema.OPTIONAL_INT64_SCHEMA;
            case FLOAT32 -> Schema.OPTIONAL_FLOAT32_SCHEMA;
            case FLOAT64 -> Schema.OPTIONAL_FLOAT64_SCHEMA;
            case BOOLEAN -> Schema.OPTIONAL_BOOLEAN_SCHEMA;
            case STRING -> Schema.OPTIONAL_STRING_SCHEMA;
            case BYTES -> Schema.OPTIONAL_BYTES_SCHEMA;
            default -> throw new IllegalArgumentException();
        };
    }

    static Map<Object, Object> map(Object... entries) {
        Map<Object, Object> map = new LinkedHashMap<>();
        for (int i = 0; i < entries.length; i += 2) map.put(entries[i], entries[i + 1]);
        return map;
    }

    /** Values of every type, with schemas and without. */
    static List<SchemaAndValue> values() {
        List<SchemaAndValue> all = new ArrayList<>();
        add(all, Schema.INT8_SCHEMA, (byte) -128);
        add(all, Schema.INT16_SCHEMA, (short) 32767);
        add(all, Schema.INT32_SCHEMA, Integer.MIN_VALUE);
        add(all, Schema.INT64_SCHEMA, Long.MAX_VALUE);
        add(all, Schema.INT64_SCHEMA, Long.MIN_VALUE);
        for (float number : new float[] {1.5f, 0.1f, 1e10f, -0f, Float.NaN, Float.POSITIVE_INFINITY}) add(all, Schema.FLOAT32_SCHEMA, number);
        for (double number : new double[] {1.5, 0.1, 1e10, 100, 1e-5, -0.0, 2e23, Double.NaN, Double.NEGATIVE_INFINITY}) add(all, Schema.FLOAT64_SCHEMA, number);
        add(all, Schema.BOOLEAN_SCHEMA, true);
        add(all, Schema.BOOLEAN_SCHEMA, false);
        for (String text : new String[] {"", "plain", "quote \" backslash \\ slash / tab \t newline \n return \r bell \u0007 backspace \b feed \f delete \u007f", "gr\u00fc\u00df \u20ac \ud83d\ude00 \u2028", "\u0000"}) {
            add(all, Schema.STRING_SCHEMA, text);
        }
        add(all, SchemaBuilder.string().name("named").version(3).doc("A doc.").parameter("p", "1").parameter("a", "2").build(), "x");
        add(all, Schema.OPTIONAL_STRING_SCHEMA, null);
        add(all, SchemaBuilder.string().optional().defaultValue("d").build(), null);
        add(all, SchemaBuilder.string().defaultValue("d").build(), "x");
        add(all, SchemaBuilder.int32().defaultValue(5).build(), null);
        add(all, Schema.INT32_SCHEMA, null);
        add(all, null, null);
        add(all, SchemaBuilder.array(Schema.INT32_SCHEMA).build(), List.of(1, 2, 3));
        add(all, SchemaBuilder.array(Schema.OPTIONAL_STRING_SCHEMA).build(), Arrays.asList("a", null));
        add(all, SchemaBuilder.array(Schema.STRING_SCHEMA).build(), List.of());
        add(all, SchemaBuilder.array(SchemaBuilder.array(Schema.FLOAT64_SCHEMA).build()).optional().build(), List.of(List.of(1.0), List.of()));
        add(all, SchemaBuilder.map(Schema.STRING_SCHEMA, Schema.INT32_SCHEMA).build(), map("b", 1, "a", 2));
        add(all, SchemaBuilder.map(Schema.STRING_SCHEMA, Schema.OPTIONAL_INT32_SCHEMA).build(), map("b", null));
        add(all, SchemaBuilder.map(Schema.INT32_SCHEMA, Schema.STRING_SCHEMA).build(), map(2, "x", 1, "y"));
        add(all, SchemaBuilder.map(Schema.STRING_SCHEMA, ADDRESS).build(), map("home", new Struct(ADDRESS).put("street", "s")));
        add(all, Decimal.schema(2), new BigDecimal("156.00"));
        add(all, Decimal.schema(0), new BigDecimal("-7"));
        add(all, Decimal.schema(-2), new BigDecimal("1.2E+3"));
        add(all, Decimal.schema(10), new BigDecimal(new BigInteger("-123456789012345678901234567890"), 10));
        add(all, Decimal.schema(2), new BigDecimal("1.500"));
        add(all, Decimal.schema(9), new BigDecimal("0.000000012").setScale(9));
        add(all, Date.SCHEMA, new java.util.Date(19_000L * 86_400_000L));
        add(all, Date.SCHEMA, new java.util.Date(-86_400_000L));
        add(all, Time.SCHEMA, new java.util.Date(45_296_789L));
        add(all, Timestamp.SCHEMA, new java.util.Date(1_600_000_000_123L));
        add(all, Timestamp.SCHEMA, new java.util.Date(-1L));
        add(all, Timestamp.SCHEMA, new java.util.Date(253_402_300_800_000L));
        add(all, ORDER, order());
        add(all, ORDER, new Struct(ORDER).put("id", 1L).put("user", "bob").put("paid", false));
        add(all, ORDER, new Struct(ORDER).put("id", 1L));
        add(all, SchemaBuilder.struct().build(), new Struct(SchemaBuilder.struct().build()));
        add(all, SchemaBuilder.struct().optional().defaultValue(null).field("a", Schema.OPTIONAL_INT8_SCHEMA).build(), null);
        // Without a schema.
        add(all, null, 42L);
        add(all, null, -1L);
        add(all, null, 1.5f);
        add(all, null, 1.5);
        add(all, null, 1e21);
        add(all, null, true);
        add(all, null, "text");
        add(all, null, List.of(1L, "a", true, 1.5));
        add(all, null, Arrays.asList(null, List.of()));
        add(all, null, map("a", 1L, "b", map("c", null), "d", List.of()));
        add(all, null, map());
        add(all, null, map(1L, "x", "k", 2L));
        add(all, null, map("", ""));
        return all;
    }

    /** Values that print Java's identity hash or lack a text: only for JSON. */
    static List<SchemaAndValue> bytes() {
        List<SchemaAndValue> all = new ArrayList<>();
        for (byte[] bytes : new byte[][] {{}, {1}, {1, 2}, {1, 2, 3}, {(byte) 0xff, (byte) 0xfe, 0, 62, 63}}) {
            add(all, Schema.BYTES_SCHEMA, bytes);
            add(all, null, bytes);
        }
        add(all, Schema.OPTIONAL_BYTES_SCHEMA, null);
        add(all, SchemaBuilder.bytes().defaultValue(new byte[] {9}).build(), null);
        return all;
    }

    private static void add(List<SchemaAndValue> all, Schema schema, Object value) {
        all.add(new SchemaAndValue(schema, value));
    }
}

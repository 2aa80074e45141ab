import org.apache.kafka.connect.converters.BooleanConverter;
import org.apache.kafka.connect.converters.ByteArrayConverter;
import org.apache.kafka.connect.converters.DoubleConverter;
import org.apache.kafka.connect.converters.FloatConverter;
import org.apache.kafka.connect.converters.IntegerConverter;
import org.apache.kafka.connect.converters.LongConverter;
import org.apache.kafka.connect.converters.ShortConverter;
import org.apache.kafka.connect.data.Schema;
import org.apache.kafka.connect.data.SchemaAndValue;
import org.apache.kafka.connect.storage.Converter;
import org.apache.kafka.connect.storage.StringConverter;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/** StringConverter, ByteArrayConverter, and the converters of one number or truth value. */
final class TextCases {
    private static Vectors to;

    static void write(Vectors vectors) throws Exception {
        to = vectors;
        for (SchemaAndValue value : Samples.values()) fromConnect(StringConverter::new, Map.of(), value);
        String text = "gr\u00fc\u00df \u20ac \ud83d\ude00";
        String[] encodings = {"UTF-8", "utf8", "ISO-8859-1", "latin1", "US-ASCII", "ASCII", "UTF-16", "UTF-16BE", "UTF-16LE"};
        byte[][] inputs = {
            {}, "plain".getBytes(StandardCharsets.US_ASCII), text.getBytes(StandardCharsets.UTF_8), text.getBytes(StandardCharsets.UTF_16), text.getBytes(StandardCharsets.UTF_16LE), {(byte) 0xff, (byte) 0xfe, 'a', 0},
            {(byte) 0xfe, (byte) 0xff, 0, 'a'}, {0, 'a', 0}, {(byte) 0xd8, 0, 0, 'a'}, {(byte) 0xdc, 0}, {(byte) 0xd8, 0}, {'a', (byte) 0x80, 'b'}, {(byte) 0xe4, (byte) 0xf6}, {(byte) 0xef, (byte) 0xbb, (byte) 0xbf, 'a'},
        };
        byte[][] malformed = {
            {(byte) 0xc3}, {(byte) 0xe2, (byte) 0x82}, {(byte) 0xe2, (byte) 0x82, 'x'}, {(byte) 0xe2, 'x'}, {(byte) 0xed, (byte) 0xa0, (byte) 0x80}, {(byte) 0xf0, (byte) 0x9f, (byte) 0x98}, {(byte) 0xf0, (byte) 0x9f, 'x'}, {(byte) 0xf0, 'x'},
            {(byte) 0xf4, (byte) 0x90, (byte) 0x80, (byte) 0x80}, {(byte) 0xf8, (byte) 0x88, (byte) 0x80, (byte) 0x80, (byte) 0x80}, {(byte) 0xc0, (byte) 0x80}, {(byte) 0xc1, (byte) 0xbf}, {(byte) 0xe0, (byte) 0x80, (byte) 0x80}, {(byte) 0xff, (byte) 0xff},
            {(byte) 0xf0, (byte) 0x80, (byte) 0x80, (byte) 0x80}, {(byte) 0xe0, (byte) 0x80}, {(byte) 0xf0, (byte) 0x80}, {(byte) 0xed, (byte) 0xa0}, {(byte) 0xf0, (byte) 0x9f, (byte) 0x98, (byte) 0x80, (byte) 0x80}, {(byte) 0xed, (byte) 0xa0, (byte) 0x80, (byte) 0xed, (byte) 0xb0, (byte) 0x80},
            {(byte) 0xe2, (byte) 0xe2, (byte) 0x82, (byte) 0xac}, {(byte) 0xf4, (byte) 0x90}, {(byte) 0xf5, (byte) 0x80, (byte) 0x80, (byte) 0x80},
        };
        for (String encoding : encodings) {
            Map<String, String> config = Map.of("converter.encoding", encoding);
            for (byte[] input : inputs) toConnect(StringConverter::new, config, input);
            fromConnect(StringConverter::new, config, new SchemaAndValue(Schema.STRING_SCHEMA, text));
            fromConnect(StringConverter::new, config, new SchemaAndValue(Schema.STRING_SCHEMA, ""));
        }
        for (byte[] input : malformed) toConnect(StringConverter::new, Map.of(), input);
        toConnect(StringConverter::new, Map.of(), null);
        List<SchemaAndValue> few = new ArrayList<>(Samples.bytes());
        few.add(new SchemaAndValue(Schema.BOOLEAN_SCHEMA, true));
        few.add(new SchemaAndValue(null, false));
        few.add(new SchemaAndValue(Schema.OPTIONAL_BOOLEAN_SCHEMA, null));
        few.add(new SchemaAndValue(Schema.INT16_SCHEMA, (short) -2));
        few.add(new SchemaAndValue(Schema.INT32_SCHEMA, 70_000));
        few.add(new SchemaAndValue(Schema.INT64_SCHEMA, 1L << 40));
        few.add(new SchemaAndValue(Schema.FLOAT32_SCHEMA, 1.5f));
        few.add(new SchemaAndValue(Schema.FLOAT64_SCHEMA, -2.5));
        few.add(new SchemaAndValue(Schema.STRING_SCHEMA, "x"));
        few.add(new SchemaAndValue(null, "x"));
        few.add(new SchemaAndValue(null, 1L));
        few.add(new SchemaAndValue(null, 1.5f));
        few.add(new SchemaAndValue(null, 1.5));
        few.add(new SchemaAndValue(null, List.of()));
        few.add(new SchemaAndValue(null, Samples.map("a", 1L)));
        few.add(new SchemaAndValue(null, null));
        few.add(new SchemaAndValue(Samples.ORDER, Samples.order()));
        few.add(new SchemaAndValue(Schema.INT8_SCHEMA, (byte) 1));
        byte[][] numbers = {null, {}, {1}, {0}, {2}, {1, 2}, {(byte) 0xff, (byte) 0xfe}, {1, 2, 3, 4}, {0x3f, (byte) 0xc0, 0, 0}, {1, 2, 3, 4, 5, 6, 7, 8}, {1, 2, 3}};
        List<Supplier<Converter>> small = List.of(
            ByteArrayConverter::new, BooleanConverter::new, ShortConverter::new, IntegerConverter::new, LongConverter::new, FloatConverter::new, DoubleConverter::new);
        for (Supplier<Converter> converter : small) {
            for (SchemaAndValue value : few) fromConnect(converter, Map.of(), value);
            for (byte[] bytes : numbers) toConnect(converter, Map.of(), bytes);
        }
    }

    private static Converter configured(Supplier<Converter> supplier, Map<String, String> config) {
        Converter converter = supplier.get();
        converter.configure(config, false);
        return converter;
    }

    private static void fromConnect(Supplier<Converter> supplier, Map<String, String> config, SchemaAndValue data) throws Exception {
        Converter converter = configured(supplier, config);
        Map<String, Object> line = Vectors.object(
            "class", converter.getClass().getName(), "to", "bytes", "config", config, "schema", to.schema(data.schema()), "value", Cbor.hex(data.schema(), data.value()));
        try {
            byte[] bytes = converter.fromConnectData("t", data.schema(), data.value());
            boolean text = converter instanceof StringConverter && config.isEmpty() && bytes != null;
            line.put(text ? "text" : "bytes", text ? new String(bytes, StandardCharsets.UTF_8) : bytes == null ? null : HexFormat.of().formatHex(bytes));
        } catch (RuntimeException e) {
            line.put("error", Vectors.problem(e));
        }
        to.line(line);
    }

    private static void toConnect(Supplier<Converter> supplier, Map<String, String> config, byte[] bytes) throws Exception {
        Converter converter = configured(supplier, config);
        Map<String, Object> line = Vectors.object("class", converter.getClass().getName(), "to", "connect", "config", config, "bytes", bytes == null ? null : HexFormat.of().formatHex(bytes));
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

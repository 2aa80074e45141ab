import org.apache.kafka.connect.data.Field;
import org.apache.kafka.connect.data.Schema;
import org.apache.kafka.connect.data.Struct;

import java.io.ByteArrayOutputStream;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Connect data as `wit/cbor.md` says, in hexadecimal digits, and schemas as objects. */
final class Cbor {
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();

    /** The value of a vector: null for null. */
    static String hex(Schema schema, Object value) {
        if (value == null) {
            return null;
        }
        Cbor cbor = new Cbor();
        cbor.item(schema, value);
        return HexFormat.of().formatHex(cbor.out.toByteArray());
    }

    /** The schema of a vector. */
    static Object schema(Schema schema) {
        if (schema == null) {
            return null;
        }
        Map<String, Object> object = Vectors.object("type", schema.type().getName());
        if (schema.isOptional()) object.put("optional", true);
        if (schema.name() != null) object.put("name", schema.name());
        if (schema.version() != null) object.put("version", schema.version());
        if (schema.doc() != null) object.put("doc", schema.doc());
        if (schema.parameters() != null) object.put("parameters", new LinkedHashMap<>(schema.parameters()));
        if (schema.defaultValue() != null) object.put("default", hex(schema, schema.defaultValue()));
        switch (schema.type()) {
            case STRUCT -> {
                List<Object> fields = new ArrayList<>();
                for (Field field : schema.fields()) fields.add(List.of(field.name(), schema(field.schema())));
                object.put("fields", fields);
            }
            case MAP -> {
                object.put("key", schema(schema.keySchema()));
                object.put("value", schema(schema.valueSchema()));
            }
            case ARRAY -> object.put("value", schema(schema.valueSchema()));
            default -> { }
        }
        return object;
    }

    private void item(Schema schema, Object value) {
        if (value == null) {
            out.write(0xf6);
        } else if (value instanceof Boolean truth) {
            out.write(truth ? 0xf5 : 0xf4);
        } else if (value instanceof Byte || value instanceof Short || value instanceof Integer || value instanceof Long) {
            integer(((Number) value).longValue());
        } else if (value instanceof Float number) {
            out.write(0xfa);
            out.writeBytes(ByteBuffer.allocate(4).putInt(Float.floatToRawIntBits(number)).array());
        } else if (value instanceof Double number) {
            out.write(0xfb);
            out.writeBytes(ByteBuffer.allocate(8).putLong(Double.doubleToRawLongBits(number)).array());
        } else if (value instanceof String text) {
            bytes(3, text.getBytes(StandardCharsets.UTF_8));
        } else if (value instanceof byte[] bytes) {
            bytes(2, bytes);
        } else if (value instanceof ByteBuffer buffer) {
            bytes(2, buffer.array());
        } else if (value instanceof BigDecimal decimal) {
            head(6, 4);
            head(4, 2);
            integer(-(long) decimal.scale());
            big(decimal.unscaledValue());
        } else if (value instanceof java.util.Date date) {
            date(schema == null ? null : schema.name(), date.getTime());
        } else if (value instanceof Struct struct) {
            head(5, struct.schema().fields().size());
            for (Field field : struct.schema().fields()) {
                item(null, field.name());
                item(field.schema(), struct.getWithoutDefault(field.name()));
            }
        } else if (value instanceof List<?> list) {
            head(4, list.size());
            for (Object element : list) item(schema == null ? null : schema.valueSchema(), element);
        } else if (value instanceof Map<?, ?> map) {
            head(5, map.size());
            for (Map.Entry<?, ?> entry : map.entrySet()) {
                item(schema == null ? null : schema.keySchema(), entry.getKey());
                item(schema == null ? null : schema.valueSchema(), entry.getValue());
            }
        } else {
            throw new IllegalArgumentException("no CBOR for " + value.getClass());
        }
    }

    private void date(String name, long millis) {
        if (org.apache.kafka.connect.data.Date.LOGICAL_NAME.equals(name)) {
            head(6, 100);
            integer(Math.floorDiv(millis, 86_400_000L));
            return;
        }
        head(6, org.apache.kafka.connect.data.Time.LOGICAL_NAME.equals(name) ? 1002 : 1001);
        head(5, 2);
        integer(1);
        integer(Math.floorDiv(millis, 1000L));
        integer(-3);
        integer(Math.floorMod(millis, 1000L));
    }

    private void big(BigInteger number) {
        if (number.bitLength() < 64) {
            integer(number.longValueExact());
        } else if (number.signum() >= 0) {
            head(6, 2);
            bytes(2, magnitude(number));
        } else {
            head(6, 3);
            bytes(2, magnitude(number.not()));
        }
    }

    private static byte[] magnitude(BigInteger number) {
        byte[] bytes = number.toByteArray();
        return bytes.length > 1 && bytes[0] == 0 ? java.util.Arrays.copyOfRange(bytes, 1, bytes.length) : bytes;
    }

    private void integer(long number) {
        if (number >= 0) head(0, number);
        else head(1, -1 - number);
    }

    private void bytes(int major, byte[] bytes) {
        head(major, bytes.length);
        out.writeBytes(bytes);
    }

    private void head(int major, long n) {
        int top = major << 5;
        if (n < 24) {
            out.write(top | (int) n);
        } else if (n < 1 << 8) {
            out.write(top | 24);
            out.write((int) n);
        } else if (n < 1 << 16) {
            out.write(top | 25);
            out.writeBytes(ByteBuffer.allocate(2).putShort((short) n).array());
        } else if (n < 1L << 32) {
            out.write(top | 26);
            out.writeBytes(ByteBuffer.allocate(4).putInt((int) n).array());
        } else {
            out.write(top | 27);
            out.writeBytes(ByteBuffer.allocate(8).putLong(n).array());
        }
    }
}

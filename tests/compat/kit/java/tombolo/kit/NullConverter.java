package tombolo.kit;

import java.util.Map;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.connect.components.Versioned;
import org.apache.kafka.connect.data.Schema;
import org.apache.kafka.connect.data.SchemaAndValue;
import org.apache.kafka.connect.storage.Converter;
import org.apache.kafka.connect.storage.HeaderConverter;

/** A converter of null: for validation alone. Being abstract, it cannot be made, and no plugin is listed under its name. */
public abstract class NullConverter implements Converter, HeaderConverter, Versioned {
    @Override
    public String version() {
        return "1.0";
    }

    @Override
    public ConfigDef config() {
        return null;
    }

    @Override
    public void configure(Map<String, ?> settings, boolean isKey) {}

    @Override
    public void configure(Map<String, ?> settings) {}

    @Override
    public byte[] fromConnectData(String topic, Schema schema, Object value) {
        return null;
    }

    @Override
    public SchemaAndValue toConnectData(String topic, byte[] value) {
        return null;
    }

    @Override
    public SchemaAndValue toConnectHeader(String topic, String name, byte[] value) {
        return null;
    }

    @Override
    public byte[] fromConnectHeader(String topic, String name, Schema schema, Object value) {
        return new byte[0];
    }

    @Override
    public void close() {}
}

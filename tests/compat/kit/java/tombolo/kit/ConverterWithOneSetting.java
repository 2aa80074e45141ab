package tombolo.kit;

import org.apache.kafka.common.config.ConfigDef;

/** Needs a setting. */
public class ConverterWithOneSetting extends NullConverter {
    @Override
    public ConfigDef config() {
        return new ConfigDef().define("prop", ConfigDef.Type.BOOLEAN, ConfigDef.Importance.HIGH, "");
    }
}

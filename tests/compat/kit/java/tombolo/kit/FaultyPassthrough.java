package tombolo.kit;

import java.util.Map;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.connect.components.Versioned;
import org.apache.kafka.connect.connector.ConnectRecord;
import org.apache.kafka.connect.errors.RetriableException;
import org.apache.kafka.connect.transforms.Transformation;

/** Fails once with `value-4`, and always with `value-7`. */
public class FaultyPassthrough<R extends ConnectRecord<R>> implements Transformation<R>, Versioned {
    private boolean hasFailed;

    @Override
    public String version() {
        return "1.0";
    }

    @Override
    public R apply(R record) {
        if ("value-4".equals(record.value()) && !hasFailed) {
            hasFailed = true;
            throw new RetriableException("Error when value='value-4'. A reattempt with this record will succeed.");
        }
        if ("value-7".equals(record.value())) {
            throw new RetriableException("Error when value='value-7'");
        }
        return record;
    }

    @Override
    public ConfigDef config() {
        return new ConfigDef();
    }

    @Override
    public void configure(Map<String, ?> settings) {}

    @Override
    public void close() {}
}

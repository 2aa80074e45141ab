package tombolo.kit;

import java.util.Collections;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.common.config.ConfigDef.Importance;
import org.apache.kafka.common.config.ConfigDef.Type;
import org.apache.kafka.common.config.ConfigDef.Width;
import org.apache.kafka.connect.connector.Task;
import org.apache.kafka.connect.sink.SinkConnector;

/** Has a setting of each type. */
public class DefinedSinkConnector extends SinkConnector {
    private static final List<String> NONE = Collections.emptyList();

    private Map<String, String> settings;

    @Override
    public String version() {
        return "1.0";
    }

    @Override
    public void start(Map<String, String> settings) {
        this.settings = settings;
    }

    @Override
    public Class<? extends Task> taskClass() {
        return EmptyTaskConfigsConnector.SimpleTask.class;
    }

    @Override
    public List<Map<String, String>> taskConfigs(int max) {
        return Tasks.of(settings, max);
    }

    @Override
    public void stop() {}

    @Override
    public ConfigDef config() {
        return new ConfigDef()
            .define("a.boolean", Type.BOOLEAN, true, Importance.HIGH, "A boolean.",
                "First", 1, Width.SHORT, "Boolean")
            .define("a.string", Type.STRING, ConfigDef.NO_DEFAULT_VALUE, Importance.HIGH,
                "A string that is required.", "First", 2, Width.LONG, "String",
                Collections.singletonList("a.list"), of("one", "two"))
            .define("an.int", Type.INT, 7, ConfigDef.Range.between(1, 100), Importance.MEDIUM,
                "An int from 1 to 100.", "Second", 1, Width.MEDIUM, "Int")
            .define("a.short", Type.SHORT, (short) 3, Importance.LOW, "A short.")
            .define("a.long", Type.LONG, 5000000000L, Importance.MEDIUM, "A long.")
            .define("a.double", Type.DOUBLE, 0.5, Importance.MEDIUM, "A double.")
            .define("a.list", Type.LIST, "x,y", Importance.MEDIUM, "A list.")
            .define("a.password", Type.PASSWORD, null, Importance.MEDIUM, "A password.")
            .define("a.choice", Type.STRING, "red", ConfigDef.ValidString.in("red", "green"),
                Importance.MEDIUM, "A choice.", null, -1, Width.NONE, "a.choice", NONE, of("red", "green"));
    }

    private static ConfigDef.Recommender of(Object... values) {
        return new ConfigDef.Recommender() {
            @Override
            public List<Object> validValues(String name, Map<String, Object> settings) {
                return List.of(values);
            }

            @Override
            public boolean visible(String name, Map<String, Object> settings) {
                return true;
            }
        };
    }
}

import java.lang.reflect.Field;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import com.fasterxml.jackson.databind.ObjectMapper;
import org.apache.kafka.connect.data.Schema;
import org.apache.kafka.connect.data.Struct;
import org.apache.kafka.connect.json.JsonConverter;
import org.apache.kafka.connect.storage.KafkaConfigBackingStore;
import org.apache.kafka.connect.storage.KafkaStatusBackingStore;

/** Prints records of the internal topics as Kafka Connect's own schemas and converter make them, one a line. */
public class Records {
    static final JsonConverter CONVERTER = new JsonConverter();
    static final ObjectMapper MAPPER = new ObjectMapper();

    static Schema schema(Class<?> store, String name) throws Exception {
        Field field = store.getDeclaredField(name);
        field.setAccessible(true);
        return (Schema) field.get(null);
    }

    static void print(String name, String key, Schema schema, Object value) throws Exception {
        byte[] bytes = CONVERTER.fromConnectData("t", schema, value);
        Map<String, Object> line = new LinkedHashMap<>();
        line.put("case", name);
        line.put("key", key);
        line.put("value", bytes == null ? null : new String(bytes, StandardCharsets.UTF_8));
        System.out.println(MAPPER.writeValueAsString(line));
    }

    static Struct struct(Schema schema, Object... members) {
        Struct struct = new Struct(schema);
        for (int i = 0; i < members.length; i += 2) struct.put((String) members[i], members[i + 1]);
        return struct;
    }

    static void config() throws Exception {
        Class<?> store = KafkaConfigBackingStore.class;
        Map<String, String> properties = new TreeMap<>();
        properties.put("connector.class", "FileStreamSource");
        properties.put("doc", "a \"quoted\" \\ line\n\ttab \u0001\u001f\u007f / é 😀 \u2028");
        properties.put("empty", "");
        Schema connector = schema(store, "CONNECTOR_CONFIGURATION_V0");
        print("connector", KafkaConfigBackingStore.CONNECTOR_KEY("my-source"), connector,
            struct(connector, "properties", properties));
        Schema task = schema(store, "TASK_CONFIGURATION_V0");
        print("task", KafkaConfigBackingStore.TASK_KEY(new org.apache.kafka.connect.util.ConnectorTaskId("my-source", 0)), task,
            struct(task, "properties", properties));
        Schema commit = schema(store, "CONNECTOR_TASKS_COMMIT_V0");
        print("commit", KafkaConfigBackingStore.COMMIT_TASKS_KEY("my-source"), commit, struct(commit, "tasks", 1));
        Schema target = schema(store, "TARGET_STATE_V1");
        for (String[] state : new String[][] {{"STARTED", "STARTED"}, {"PAUSED", "PAUSED"}, {"PAUSED", "STOPPED"}}) {
            print("target-" + state[1], KafkaConfigBackingStore.TARGET_STATE_KEY("my-source"), target,
                struct(target, "state", state[0], "state.v2", state[1]));
        }
        Schema restart = schema(store, "RESTART_REQUEST_V0");
        print("restart", KafkaConfigBackingStore.RESTART_KEY("my-source"), restart,
            struct(restart, "include-tasks", true, "only-failed", false));
        Schema level = schema(store, "LOGGER_LEVEL_V0");
        print("logger", KafkaConfigBackingStore.LOGGER_CLUSTER_KEY("org.apache.kafka.connect"), level,
            struct(level, "level", "DEBUG"));
    }

    static void status() throws Exception {
        Class<?> store = KafkaStatusBackingStore.class;
        Schema status = schema(store, "STATUS_SCHEMA_V0");
        print("status", "status-connector-my-source", status, struct(status,
            "state", "RUNNING", "worker_id", "host:8083", "generation", 7, "version", "4.3.1"));
        print("status-failed", "status-task-my-source-0", status, struct(status,
            "state", "FAILED", "trace", "Oops: \"x\"\n\tat a.b(C.java)\n", "worker_id", "host:8083", "generation", 7));
        Schema topic = schema(store, "TOPIC_STATUS_SCHEMA_V0");
        Schema value = schema(store, "TOPIC_STATUS_VALUE_SCHEMA_V0");
        print("topic", "status-topic-lines:connector-my-source", topic, Map.of("topic", struct(value,
            "name", "lines", "connector", "my-source", "task", 0, "discoverTimestamp", 1700000000123L)));
    }

    static void offsets() throws Exception {
        Map<String, Object> partition = new LinkedHashMap<>();
        partition.put("z", "last \"name\" \u001f");
        partition.put("a", 1L);
        List<Object> key = new ArrayList<>(List.of("my-source", partition));
        Map<String, Object> offset = new LinkedHashMap<>();
        offset.put("position", 30L);
        offset.put("lowest", Long.MIN_VALUE);
        offset.put("small", 0.001);
        offset.put("ten", 10.0);
        offset.put("large", 1.0E10);
        offset.put("tiny", 4.9E-324);
        offset.put("most", Double.MAX_VALUE);
        offset.put("third", 1.0 / 3);
        offset.put("nan", Double.NaN);
        offset.put("low", Double.NEGATIVE_INFINITY);
        offset.put("single", 0.1f);
        offset.put("yes", true);
        offset.put("none", null);
        offset.put("bytes", new byte[] {0, (byte) 200, (byte) 255, 1});
        print("offset", new String(CONVERTER.fromConnectData("t", null, key), StandardCharsets.UTF_8), null, offset);
        print("offset-forgotten", new String(CONVERTER.fromConnectData("t", null, key), StandardCharsets.UTF_8), null, null);
    }

    public static void main(String[] args) throws Exception {
        CONVERTER.configure(Map.of("schemas.enable", "false"), false);
        config();
        status();
        offsets();
    }
}

package tombolo.kit;

import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.Config;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.connect.connector.Task;
import org.apache.kafka.connect.sink.SinkConnector;
import org.apache.kafka.connect.sink.SinkRecord;
import org.apache.kafka.connect.sink.SinkTask;

/** Takes all it gets, and tells. */
public class MonitorableSinkConnector extends SinkConnector {
    private Map<String, String> settings;

    @Override
    public String version() {
        return "1.0";
    }

    @Override
    public Config validate(Map<String, String> settings) {
        Block.here(settings, "validation", "Connector::validate");
        return super.validate(settings);
    }

    @Override
    public void start(Map<String, String> settings) {
        this.settings = settings;
        Events.tell(settings, "connector", "start");
        Block.here(settings, "connector", "Connector::start");
    }

    @Override
    public Class<? extends Task> taskClass() {
        return MonitorableSinkTask.class;
    }

    @Override
    public List<Map<String, String>> taskConfigs(int max) {
        Block.here(settings, "connector", "Connector::taskConfigs");
        return Tasks.of(settings, max);
    }

    @Override
    public void stop() {
        Block.here(settings, "connector", "Connector::stop");
        Events.tell(settings, "connector", "stop");
    }

    @Override
    public ConfigDef config() {
        return new ConfigDef();
    }

    @Override
    public boolean alterOffsets(Map<String, String> settings, Map<TopicPartition, Long> offsets) {
        return Tasks.is(settings, "alter.offsets.result");
    }

    /** Its task. */
    public static class MonitorableSinkTask extends SinkTask {
        private Map<String, String> settings;
        private String id;

        @Override
        public String version() {
            return "1.0";
        }

        @Override
        public void start(Map<String, String> settings) {
            this.settings = settings;
            id = settings.getOrDefault("task.id", "task");
            Events.tell(settings, id, "start");
            Block.here(settings, id, "Task::start");
        }

        private void tell(String what, Stream<String> partitions) {
            Events.tell(settings, id, what, partitions.sorted().collect(Collectors.joining(",")));
        }

        @Override
        public void open(Collection<TopicPartition> partitions) {
            tell("open", partitions.stream().map(TopicPartition::toString));
        }

        @Override
        public void close(Collection<TopicPartition> partitions) {
            tell("close", partitions.stream().map(TopicPartition::toString));
        }

        @Override
        public void put(Collection<SinkRecord> records) {
            if (records.isEmpty()) {
                return;
            }
            if (Tasks.is(settings, "task.put.inject.error")) {
                throw new RuntimeException("Injecting errors during put");
            }
            Events.tell(settings, id, "put", records.size());
            for (SinkRecord record : records) {
                Events.tell(settings, id, "row", record.topic(), record.kafkaPartition(),
                    record.originalKafkaOffset(), record.key(), record.value());
            }
        }

        @Override
        public Map<TopicPartition, OffsetAndMetadata> preCommit(Map<TopicPartition, OffsetAndMetadata> offsets) {
            tell("commit", offsets.entrySet().stream().map(one -> one.getKey() + "=" + one.getValue().offset()));
            return offsets;
        }

        @Override
        public void stop() {
            Block.here(settings, id, "Task::stop");
            Events.tell(settings, id, "stop");
        }
    }
}

package tombolo.kit;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.apache.kafka.common.config.Config;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.connect.connector.Task;
import org.apache.kafka.connect.data.Schema;
import org.apache.kafka.connect.header.ConnectHeaders;
import org.apache.kafka.connect.source.ConnectorTransactionBoundaries;
import org.apache.kafka.connect.source.ExactlyOnceSupport;
import org.apache.kafka.connect.source.SourceConnector;
import org.apache.kafka.connect.source.SourceRecord;
import org.apache.kafka.connect.source.SourceTask;

/** A source of numbered records, one source partition per task. */
public class MonitorableSourceConnector extends SourceConnector {
    private Map<String, String> settings;
    private volatile Integer tasks;
    private volatile boolean stopped;

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
        if (Tasks.is(settings, "connector.start.inject.error") && !isWell()) {
            throw new RuntimeException("Injecting errors during connector start");
        }
        if (settings.get("num.tasks.file") != null) {
            Thread watcher = new Thread(this::watch);
            watcher.setDaemon(true);
            watcher.start();
        }
    }

    /** Whether what fails does so no longer: the events' file has a neighbour with the ending `.well`. */
    private boolean isWell() {
        return Files.exists(Path.of(settings.get("events") + ".well"));
    }

    private Integer askedByFile() {
        String file = settings.get("num.tasks.file");
        try {
            return file == null ? null : Integer.valueOf(Files.readString(Path.of(file)).trim());
        } catch (IOException | NumberFormatException error) {
            return null;
        }
    }

    private void watch() {
        Integer last = askedByFile();
        while (!stopped) {
            Integer asked = askedByFile();
            if (!Objects.equals(asked, last)) {
                last = asked;
                context().requestTaskReconfiguration();
            }
            try {
                Thread.sleep(50);
            } catch (InterruptedException error) {
                return;
            }
        }
    }

    @Override
    public Class<? extends Task> taskClass() {
        return MonitorableSourceTask.class;
    }

    @Override
    public List<Map<String, String>> taskConfigs(int max) {
        Block.here(settings, "connector", "Connector::taskConfigs");
        Integer asked = askedByFile();
        String count = settings.get("num.tasks");
        return Tasks.of(settings, asked != null ? asked : count != null ? Integer.parseInt(count) : max);
    }

    @Override
    public void stop() {
        stopped = true;
        Block.here(settings, "connector", "Connector::stop");
        Events.tell(settings, "connector", "stop");
        if (Tasks.is(settings, "connector.stop.inject.error")) {
            throw new RuntimeException("Injecting errors during connector stop");
        }
    }

    @Override
    public ConfigDef config() {
        return new ConfigDef();
    }

    @Override
    public ExactlyOnceSupport exactlyOnceSupport(Map<String, String> settings) {
        switch (settings.getOrDefault("custom.exactly.once.support", "")) {
            case "supported":
                return ExactlyOnceSupport.SUPPORTED;
            case "unsupported":
                return ExactlyOnceSupport.UNSUPPORTED;
            default:
                return null;
        }
    }

    @Override
    public ConnectorTransactionBoundaries canDefineTransactionBoundaries(Map<String, String> settings) {
        return "supported".equals(settings.get("custom.transaction.boundaries"))
            ? ConnectorTransactionBoundaries.SUPPORTED
            : ConnectorTransactionBoundaries.UNSUPPORTED;
    }

    @Override
    public boolean alterOffsets(Map<String, String> settings, Map<Map<String, ?>, Map<String, ?>> offsets) {
        return Tasks.is(settings, "alter.offsets.result");
    }

    /** Its task. */
    public static class MonitorableSourceTask extends SourceTask {
        private Map<String, String> settings;
        private String id;
        private String topic;
        private long perPoll;
        private long rate;
        private long max;
        private long first;
        private long number;
        private long since;
        private boolean hasPolled;
        private boolean hasEnded;

        @Override
        public String version() {
            return "1.0";
        }

        @Override
        public void start(Map<String, String> settings) {
            this.settings = settings;
            id = settings.get("task.id");
            Events.tell(settings, id, "start");
            Block.here(settings, id, "Task::start");
            if (Tasks.is(settings, "task-" + id + ".start.inject.error")) {
                throw new RuntimeException("Injecting errors during task start");
            }
            topic = settings.getOrDefault("topic", "sequential-topic");
            perPoll = Long.parseLong(settings.getOrDefault("messages.per.poll", "1"));
            rate = Long.parseLong(settings.getOrDefault("throughput", "-1"));
            max = Long.parseLong(settings.getOrDefault("max.messages", String.valueOf(Long.MAX_VALUE)));
            Map<String, Object> saved = context.offsetStorageReader().offset(partition());
            first = saved == null ? 0 : (Long) saved.get("saved");
            number = first;
            since = System.currentTimeMillis();
        }

        private Map<String, String> partition() {
            return Collections.singletonMap("task.id", id);
        }

        @Override
        public List<SourceRecord> poll() throws InterruptedException {
            if (!hasPolled) {
                hasPolled = true;
                Events.tell(settings, id, "poll");
            }
            Block.here(settings, id, "SourceTask::poll");
            long due = Long.MAX_VALUE;
            if (rate > 0) {
                due = first + (System.currentTimeMillis() - since) * rate / 1000 + perPoll;
            }
            long end = Math.min(number + perPoll, max);
            if (number >= max && !hasEnded) {
                hasEnded = true;
                Events.tell(settings, id, "end");
            }
            if (number >= end || end > due) {
                Thread.sleep(20);
                return null;
            }
            List<SourceRecord> records = new ArrayList<>();
            while (number < end) {
                number++;
                records.add(new SourceRecord(
                    partition(), Collections.singletonMap("saved", number), topic, null,
                    Schema.STRING_SCHEMA, "key-" + id + "-" + number,
                    Schema.STRING_SCHEMA, "value-" + id + "-" + number,
                    null, new ConnectHeaders().addLong("header-" + number, number)));
            }
            return records;
        }

        @Override
        public void commit() {
            Events.tell(settings, id, "commit");
        }

        @Override
        public void stop() {
            Block.here(settings, id, "Task::stop");
            Events.tell(settings, id, "stop");
        }
    }
}

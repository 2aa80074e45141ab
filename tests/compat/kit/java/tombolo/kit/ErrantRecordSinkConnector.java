package tombolo.kit;

import java.util.Collection;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.apache.kafka.connect.connector.Task;
import org.apache.kafka.connect.sink.ErrantRecordReporter;
import org.apache.kafka.connect.sink.SinkRecord;

/** Reports every record as bad: those with an even offset at once, the others late. */
public class ErrantRecordSinkConnector extends MonitorableSinkConnector {
    @Override
    public Class<? extends Task> taskClass() {
        return ErrantRecordSinkTask.class;
    }

    /** Its task. */
    public static class ErrantRecordSinkTask extends MonitorableSinkTask {
        private ErrantRecordReporter reporter;
        private ExecutorService later;

        @Override
        public void start(Map<String, String> settings) {
            super.start(settings);
            reporter = context.errantRecordReporter();
            later = Executors.newSingleThreadExecutor();
        }

        @Override
        public void put(Collection<SinkRecord> records) {
            super.put(records);
            for (SinkRecord record : records) {
                Throwable error = new Throwable("errant");
                if (record.originalKafkaOffset() % 2 == 0) {
                    reporter.report(record, error);
                } else {
                    later.submit(() -> reporter.report(record, error));
                }
            }
        }

        @Override
        public void stop() {
            later.shutdown();
            super.stop();
        }
    }
}

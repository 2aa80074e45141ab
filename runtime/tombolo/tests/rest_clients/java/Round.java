import java.util.Map;
import java.util.function.BooleanSupplier;
import org.sourcelab.kafka.connect.apiclient.Configuration;
import org.sourcelab.kafka.connect.apiclient.KafkaConnectClient;
import org.sourcelab.kafka.connect.apiclient.request.Request;
import org.sourcelab.kafka.connect.apiclient.request.RequestMethod;
import org.sourcelab.kafka.connect.apiclient.request.dto.ConnectorPluginConfigDefinition;
import org.sourcelab.kafka.connect.apiclient.request.dto.NewConnectorDefinition;
import org.sourcelab.kafka.connect.apiclient.request.post.PostConnectorRestart;
import org.sourcelab.kafka.connect.apiclient.rest.HttpClientRestClient;
import org.sourcelab.kafka.connect.apiclient.rest.RestResponse;
import org.sourcelab.kafka.connect.apiclient.rest.exceptions.ResourceNotFoundException;

/** A round through the API with the client of Java. Arguments: the worker's URL, a file to read, a topic. */
public class Round {
    static final String NAME = "java";
    static final String CLASS = "org.apache.kafka.connect.file.FileStreamSourceConnector";
    /** Far longer than a state takes to come. */
    static final long DEADLINE_MS = 60_000;

    public static void main(String[] arguments) throws Exception {
        String url = arguments[0];
        Map<String, String> config =
            Map.of("connector.class", CLASS, "tasks.max", "1", "file", arguments[1], "topic", arguments[2], "name", NAME);
        KafkaConnectClient client = new KafkaConnectClient(new Configuration(url));
        check(client.getConnectServerVersion().getKafkaClusterId() != null, "the cluster has an id");
        check(client.getConnectorPlugins().stream().anyMatch(plugin -> plugin.getClassName().equals(CLASS)), "the plugin is there");
        validate(client, config);

        var created = client.addConnector(NewConnectorDefinition.newBuilder().withName(NAME).withConfig(config).build());
        check(created.getName().equals(NAME) && created.getType().equals("source"), "created: " + created);
        waitFor(client, "RUNNING");
        check(client.getConnectors().contains(NAME), "it is in the list");
        var all = client.getConnectorsWithAllExpandedMetadata();
        check(all.getStatusForConnector(NAME).getConnector().get("state").equals("RUNNING"), "expanded: " + all);
        check(all.getDefinitionForConnector(NAME).getConfig().equals(config), "expanded: " + all);
        check(client.getConnectorConfig(NAME).equals(config), "it has its configuration");
        check(client.getConnectorTasks(NAME).iterator().next().getConfig().get("file").equals(arguments[1]), "its task too");
        check(client.getConnectorTaskStatus(NAME, 0).getState().equals("RUNNING"), "its task runs");

        check(client.pauseConnector(NAME), "pause");
        waitFor(client, "PAUSED");
        check(client.resumeConnector(NAME), "resume");
        waitFor(client, "RUNNING");
        until(() -> client.getConnectorTopics(NAME).getTopics().contains(arguments[2]), "its topic is known");
        check(client.resetConnectorTopics(NAME), "reset topics");
        offsets(client, url);

        check(client.restartConnector(NAME), "restart");
        check(client.restartConnector(new PostConnectorRestart(NAME).withIncludeTasks(true).withOnlyFailed(false)), "restart all");
        waitFor(client, "RUNNING");
        check(client.restartConnectorTask(NAME, 0), "restart its task");
        check(client.updateConnectorConfig(NAME, config).getTasks().size() == 1, "update");
        waitFor(client, "RUNNING");
        check(client.deleteConnector(NAME), "delete");
        until(() -> !client.getConnectors().contains(NAME), "it is gone");
        try {
            client.getConnector(NAME);
            throw new AssertionError("it is still there");
        } catch (ResourceNotFoundException gone) {
            check(gone.getMessage().contains("Connector java not found"), gone.getMessage());
        }
        System.out.println("done");
    }

    static void validate(KafkaConnectClient client, Map<String, String> config) {
        var definition = ConnectorPluginConfigDefinition.newBuilder().withName(CLASS);
        var valid = client.validateConnectorPluginConfig(definition.withConfig(config).build());
        check(valid.getErrorCount() == 0 && valid.getGroups().contains("Common"), "valid: " + valid);
        var first = valid.getConfigs().iterator().next();
        check(first.getDefinition().getName().equals("name") && first.getDefinition().getOrder() == 1, "first: " + first);
        var wrong = client.validateConnectorPluginConfig(definition.withConfig("tasks.max", "many").build());
        // It is no number, and what is left of it is nothing.
        check(wrong.getErrorCount() == 2, "wrong: " + wrong);
    }

    /** The client does not know of offsets: they are asked for through its own transport. */
    static void offsets(KafkaConnectClient client, String url) throws Exception {
        HttpClientRestClient transport = new HttpClientRestClient();
        transport.init(new Configuration(url));
        String offsets = "/connectors/" + NAME + "/offsets";
        until(() -> send(transport, RequestMethod.GET, offsets).getResponseStr().contains("position"), "its offset is committed");
        check(send(transport, RequestMethod.PUT, "/connectors/" + NAME + "/stop").getHttpCode() == 204, "stop");
        until(() -> client.getConnectorStatus(NAME).getTasks().isEmpty(), "it is stopped");
        RestResponse reset = send(transport, RequestMethod.DELETE, offsets);
        check(reset.getHttpCode() == 200 && reset.getResponseStr().contains("reset successfully"), "reset: " + reset);
        check(client.resumeConnector(NAME), "resume");
        waitFor(client, "RUNNING");
        transport.close();
    }

    static RestResponse send(HttpClientRestClient transport, RequestMethod method, String path) {
        return transport.submitRequest(new Request<String>() {
            @Override public String getApiEndpoint() { return path; }
            @Override public RequestMethod getRequestMethod() { return method; }
            @Override public Object getRequestBody() { return ""; }
            @Override public String parseResponse(String response) { return response; }
        });
    }

    static void waitFor(KafkaConnectClient client, String state) throws Exception {
        until(() -> {
            var status = client.getConnectorStatus(NAME);
            boolean all = status.getTasks().stream().allMatch(task -> task.getState().equals(state));
            return status.getConnector().get("state").equals(state) && status.getTasks().size() == 1 && all;
        }, "it is " + state);
    }

    static void until(BooleanSupplier condition, String what) throws Exception {
        long end = System.nanoTime() + DEADLINE_MS * 1_000_000;
        while (!condition.getAsBoolean()) {
            check(System.nanoTime() < end, "in vain: " + what);
            Thread.sleep(50);
        }
    }

    static void check(boolean condition, String what) {
        if (!condition) {
            throw new AssertionError(what);
        }
    }
}

package tombolo.kit;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The settings of tasks, each with a name. */
final class Tasks {
    private Tasks() {}

    static List<Map<String, String>> of(Map<String, String> all, int count) {
        List<Map<String, String>> tasks = new ArrayList<>();
        String connector = all.get("name");
        for (int index = 0; index < count; index++) {
            Map<String, String> task = new HashMap<>(all);
            task.put("connector.name", connector);
            task.put("task.id", connector + "-" + index);
            tasks.add(task);
        }
        return tasks;
    }

    static boolean is(Map<String, String> settings, String name) {
        return Boolean.parseBoolean(settings.get(name));
    }
}

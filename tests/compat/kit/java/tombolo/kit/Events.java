package tombolo.kit;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Map;

/** What happens, as lines of the file that the setting `events` names: who, what, and details, with tabs between. */
final class Events {
    private Events() {}

    static void tell(Map<String, String> settings, String who, String what, Object... details) {
        String file = settings.get("events");
        if (file == null) {
            return;
        }
        StringBuilder line = new StringBuilder(who).append('\t').append(what);
        for (Object detail : details) {
            line.append('\t').append(detail);
        }
        byte[] bytes = line.append('\n').toString().getBytes(StandardCharsets.UTF_8);
        try {
            Files.write(Path.of(file), bytes, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
        } catch (IOException error) {
            throw new UncheckedIOException(error);
        }
    }
}

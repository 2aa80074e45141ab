package tombolo.kit;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

/** A plugin that hangs: at the place that the setting `block` names, until a file appears. */
final class Block {
    private Block() {}

    /** Hangs, if this is the place, until the events' file has a neighbour with the ending `.go`. */
    static void here(Map<String, String> settings, String who, String place) {
        if (!place.equals(settings.get("block"))) {
            return;
        }
        Events.tell(settings, who, "blocks", place);
        Path go = Path.of(settings.get("events") + ".go");
        while (!Files.exists(go)) {
            try {
                Thread.sleep(20);
            } catch (InterruptedException error) {
                // It hangs whatever is asked of it.
            }
        }
    }
}

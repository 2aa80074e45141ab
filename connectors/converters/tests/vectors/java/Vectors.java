import com.fasterxml.jackson.databind.ObjectMapper;

import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/** Writes every file of vectors. The argument is the repository's root. */
public final class Vectors implements AutoCloseable {
    private static final ObjectMapper MAPPER = new ObjectMapper();
    private final PrintWriter out;

    private Vectors(Path file) throws Exception {
        Files.createDirectories(file.getParent());
        out = new PrintWriter(Files.newBufferedWriter(file, StandardCharsets.UTF_8));
    }

    public static void main(String[] args) throws Exception {
        Path root = Path.of(args[0]);
        Path converters = root.resolve("connectors/converters/tests/vectors");
        Path transforms = root.resolve("connectors/transforms/tests/vectors");
        try (Vectors to = new Vectors(root.resolve("sdk/rust/tests/vectors/java_numbers.jsonl"))) {
            Numbers.write(to);
        }
        try (Vectors to = new Vectors(converters.resolve("json.jsonl"))) {
            JsonCases.write(to);
        }
        try (Vectors to = new Vectors(converters.resolve("text.jsonl"))) {
            TextCases.write(to);
        }
        try (Vectors to = new Vectors(converters.resolve("headers.jsonl"))) {
            HeaderCases.write(to);
        }
        try (Vectors to = new Vectors(transforms.resolve("transforms.jsonl"))) {
            TransformCases.write(to);
        }
        try (Vectors to = new Vectors(transforms.resolve("patterns.jsonl"))) {
            PatternCases.write(to);
        }
    }

    /** Writes one line; names and values alternate. */
    void line(Object... members) throws Exception {
        out.println(MAPPER.writeValueAsString(object(members)));
    }

    static Map<String, Object> object(Object... members) {
        Map<String, Object> object = new LinkedHashMap<>();
        for (int i = 0; i < members.length; i += 2) {
            object.put((String) members[i], members[i + 1]);
        }
        return object;
    }

    /** What a thrown exception looks like in a vector. */
    static Map<String, Object> problem(Throwable thrown) {
        return object("class", thrown.getClass().getName(), "message", thrown.getMessage());
    }

    @Override
    public void close() {
        out.close();
    }
}

import com.fasterxml.jackson.databind.ObjectMapper;

import org.apache.kafka.connect.data.Schema;

import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;

/** Writes every file of vectors. The argument is the repository's root. */
public final class Vectors implements AutoCloseable {
    private static final ObjectMapper MAPPER = new ObjectMapper();
    private final PrintWriter out;
    private final Map<Schema, String> defined = new HashMap<>();

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
        try (Vectors to = new Vectors(root.resolve("sdk/rust/tests/vectors/java_dates.jsonl"))) {
            DateCases.write(to);
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
        try (Vectors to = new Vectors(root.resolve("lib/java-regex/tests/vectors/patterns.jsonl"))) {
            PatternCases.write(to);
        }
    }

    /** Writes one line; names and values alternate. */
    void line(Object... members) throws Exception {
        out.println(MAPPER.writeValueAsString(object(members)));
    }

    void line(Map<String, Object> object) throws Exception {
        out.println(MAPPER.writeValueAsString(object));
    }

    /** A schema, or the name of one that is defined once in a line of its own. */
    Object schema(Schema schema) throws Exception {
        if (schema == null || schema.type().isPrimitive()) {
            return Cbor.schema(schema);
        }
        if (!defined.containsKey(schema)) {
            defined.put(schema, "s" + (defined.size() + 1));
            line("define", defined.get(schema), "schema", Cbor.schema(schema));
        }
        return defined.get(schema);
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
        String message = thrown.getMessage();
        if (message != null) {
            // Which class of map or list it is depends on who made the record; an identity hash on nothing.
            message = message.replaceAll("java\\.util\\.(LinkedHashMap|ImmutableCollections\\$Map\\w+)", "java.util.HashMap")
                .replaceAll("java\\.util\\.(ImmutableCollections\\$List\\w+|Arrays\\$ArrayList)", "java.util.ArrayList")
                .replaceAll("@[0-9a-f]+$", "");
        }
        return object("class", thrown.getClass().getName(), "message", message);
    }

    @Override
    public void close() {
        out.close();
    }
}

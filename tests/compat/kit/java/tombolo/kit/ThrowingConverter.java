package tombolo.kit;

/** Cannot be made: its constructor throws. */
public class ThrowingConverter extends NullConverter {
    public ThrowingConverter() {
        throw new RuntimeException("I refuse to be made");
    }
}

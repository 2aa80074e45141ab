package tombolo.kit;

/** Cannot be made: it has no constructor that fits, and no plugin is listed under its name. */
public class NoConstructorConverter extends NullConverter {
    public NoConstructorConverter(String unwanted) {}
}

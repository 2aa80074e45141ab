package tombolo.kit;

/** Needs no settings: its definition is null. */
public class ConverterWithoutSettings extends NullConverter {}

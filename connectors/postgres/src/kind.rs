//! Types of columns that have a binary form here; every other type is written as text, which PostgreSQL reads. Not here: writing (`encode`).

/// What a column holds, its domain aside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    Boolean,
    Int2,
    Int4,
    Int8,
    Float4,
    Float8,
    Numeric,
    /// `text`, `varchar`, `char(n)`, `name`.
    Text,
    Bytes,
    Json,
    Jsonb,
    Uuid,
    Date,
    Time,
    Timestamp,
    TimestampTz,
    /// Any other.
    Other,
}

impl Kind {
    /// The kind of a type that PostgreSQL itself has, by its number.
    pub(crate) fn of(oid: u32) -> Self {
        match oid {
            16 => Self::Boolean,
            17 => Self::Bytes,
            19 | 25 | 1042 | 1043 => Self::Text,
            20 => Self::Int8,
            21 => Self::Int2,
            23 => Self::Int4,
            114 => Self::Json,
            700 => Self::Float4,
            701 => Self::Float8,
            1082 => Self::Date,
            1083 => Self::Time,
            1114 => Self::Timestamp,
            1184 => Self::TimestampTz,
            1700 => Self::Numeric,
            2950 => Self::Uuid,
            3802 => Self::Jsonb,
            _ => Self::Other,
        }
    }

    /// The type of a staging table's column, without limits of its length: the target has its own.
    pub(crate) fn staged(self) -> &'static str {
        match self {
            Self::Boolean => "bool",
            Self::Int2 => "int2",
            Self::Int4 => "int4",
            Self::Int8 => "int8",
            Self::Float4 => "float4",
            Self::Float8 => "float8",
            Self::Numeric => "numeric",
            Self::Text | Self::Other => "text",
            Self::Bytes => "bytea",
            Self::Json => "json",
            Self::Jsonb => "jsonb",
            Self::Uuid => "uuid",
            Self::Date => "date",
            Self::Time => "time",
            Self::Timestamp => "timestamp",
            Self::TimestampTz => "timestamptz",
        }
    }
}

/// How values of a column are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Form {
    /// In the binary form of the column's type.
    Native,
    /// As text that PostgreSQL casts to the column's type.
    Text,
}

//! Text as Java prints it: `toString` of numbers, decimals, dates and connect values.
//!
//! The reference is OpenJDK 17, which Kafka Connect runs on. Its `Double.toString` differs from that of JDK 19 and later: it sometimes prints one
//! digit more than needed, as `2.0E-3` never but `2.2E-322` for `2.0E-322`. Vectors from the real JVM are in `tests/vectors`.

pub(crate) mod calendar;
mod class;
pub mod date_format;
mod decimal;
mod float;
mod value;

pub use calendar::{DAY, date_to_string, write_date};
pub use class::{class_name, type_name};
pub use decimal::{decimal_to_i64, decimal_to_plain_string, decimal_to_string, parse_decimal};
pub use float::{double_to_string, float_to_string, write_double, write_float};
pub(crate) use value::write_plain;
pub use value::{to_string, write_value};

#[cfg(test)]
mod tests;

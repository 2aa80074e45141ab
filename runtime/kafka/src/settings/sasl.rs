//! SASL settings.
//!
//! Not here: TLS.
use super::{RefusedSetting, Translation};
pub(super) fn translate(_to: &mut Translation<'_>) -> Result<(), RefusedSetting> {
    Ok(())
}

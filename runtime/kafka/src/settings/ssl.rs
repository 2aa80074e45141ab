//! TLS settings: PEM in files and in settings, PKCS12 stores.
//!
//! Not here: authentication by SASL.
use super::{RefusedSetting, Translation};
pub(super) fn translate(_to: &mut Translation<'_>) -> Result<(), RefusedSetting> {
    Ok(())
}

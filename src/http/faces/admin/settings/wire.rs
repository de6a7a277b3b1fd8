//! Settings of the installation on the wire.

use serde::Serialize;
use utoipa::ToSchema;

/// Every effective value of the configuration, in the order of the example file.
#[derive(Serialize, ToSchema)]
#[schema(as = InstallationSettings)]
pub(super) struct InstallationSettings {
    /// The values.
    pub(super) items: Vec<Setting>,
}

/// One value.
#[derive(Serialize, ToSchema)]
#[schema(as = Setting)]
pub(super) struct Setting {
    /// The key's name.
    pub(super) key: &'static str,
    /// What is secret in it is hidden; null where it is unset.
    pub(super) value: Option<String>,
}

//! Devices that wait for a person's word (RFC 8628).

use std::time::Duration;

use super::authorization::Authorization;
use super::ids::{ClientId, FamilyId};
use super::scope::OAuthScope;
use super::text_enum::text_enum;
use super::time::Timestamp;

text_enum! {
    /// Where a device's request stands.
    DeviceState {
        /// Nobody has said anything.
        Pending = "pending",
        /// A person allowed it.
        Approved = "approved",
        /// A person refused it.
        Denied = "denied",
        /// Its tokens were issued.
        Used = "used",
    }
}

/// A device's request.
#[derive(Clone, Debug)]
pub struct DeviceCode {
    /// SHA-256 of the device code.
    pub digest: [u8; 32],
    /// What the person types: canonical, without the hyphen.
    pub user_code: String,
    /// Whose device it is.
    pub client: ClientId,
    /// What it asked for.
    pub scope: OAuthScope,
    /// Audience of its tokens, if it named one (RFC 8707).
    pub audience: Option<String>,
    /// Where it stands.
    pub state: DeviceState,
    /// The family that its tokens will belong to.
    pub family: FamilyId,
    /// What the person allowed, once they did.
    pub authorization: Option<Authorization>,
    /// How long it must wait between two questions; grows when it does not.
    pub interval: Duration,
    /// When it last asked.
    pub polled_at: Option<Timestamp>,
    /// When it began.
    pub created_at: Timestamp,
    /// When it expires.
    pub expires_at: Timestamp,
}

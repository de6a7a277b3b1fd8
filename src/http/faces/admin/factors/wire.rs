//! Second factors on the wire.

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::administration::users::Factors;
use crate::model::factors::Passkey;
use crate::model::time::Timestamp;

/// What a user proves a sign-in with beside the password.
#[derive(Serialize, ToSchema)]
#[schema(as = Factors)]
pub(super) struct FactorsShown {
    /// Whether there is an authenticator app.
    totp: bool,
    /// The passkeys, the oldest first.
    passkeys: Vec<PasskeyShown>,
    /// How many recovery codes have not been used.
    recovery_codes_left: u64,
}

impl From<Factors> for FactorsShown {
    fn from(Factors { totp, passkeys, recovery_codes_left }: Factors) -> Self {
        Self { totp, passkeys: passkeys.into_iter().map(PasskeyShown::from).collect(), recovery_codes_left }
    }
}

/// A passkey.
#[derive(Serialize, ToSchema)]
#[schema(as = Passkey)]
pub(super) struct PasskeyShown {
    /// What its owner calls it.
    name: String,
    /// RFC 3339.
    created_at: String,
    /// RFC 3339.
    last_used_at: Option<String>,
}

impl From<Passkey> for PasskeyShown {
    fn from(passkey: Passkey) -> Self {
        Self {
            name: passkey.name,
            created_at: passkey.created_at.rfc3339(),
            last_used_at: passkey.last_used_at.map(Timestamp::rfc3339),
        }
    }
}

//! What a person proves a sign-in with beside the password: authenticator apps and passkeys; and the
//! browsers that are known again.

use super::ids::UserId;
use super::text_enum::text_enum;
use super::time::Timestamp;

/// An authenticator app (RFC 6238).
#[derive(Clone)]
pub struct TotpFactor {
    /// Whose.
    pub user: UserId,
    /// The shared secret, sealed.
    pub sealed_secret: Vec<u8>,
    /// The time step of the last code that counted; an older one never counts again.
    pub last_step: Option<i64>,
    /// When its setting up was begun.
    pub created_at: Timestamp,
    /// When a first code has shown that it works; until then it is none.
    pub confirmed_at: Option<Timestamp>,
}

/// A passkey (WebAuthn Level 3): a key pair of which the browser or device keeps the private half.
#[derive(Clone, Debug)]
pub struct Passkey {
    /// How authenticators name it.
    pub credential_id: Vec<u8>,
    /// Whose.
    pub user: UserId,
    /// What its owner calls it.
    pub name: String,
    /// The public key, the signature counter and what else is checked, as JSON.
    pub credential: String,
    /// When it was added.
    pub created_at: Timestamp,
    /// When it was last signed in with.
    pub last_used_at: Option<Timestamp>,
}

/// A code for who has lost their factors, once.
#[derive(Clone, Debug)]
pub struct RecoveryCode {
    /// Whose.
    pub user: UserId,
    /// What it is known by; it holds the tenant and the user too.
    pub digest: [u8; 32],
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was used up.
    pub used_at: Option<Timestamp>,
}

text_enum! {
    /// What a passkey is asked for.
    CeremonyPurpose {
        /// To be added to an account.
        Registration = "registration",
        /// To sign in.
        Authentication = "authentication",
    }
}

/// A question to a passkey that waits for its answer, once.
#[derive(Clone, Debug)]
pub struct Ceremony {
    /// SHA-256 of the challenge.
    pub digest: [u8; 32],
    /// What for.
    pub purpose: CeremonyPurpose,
    /// SHA-256 of the cookie of the browser that was asked.
    pub browser: [u8; 32],
    /// Whose passkey it must be; anybody's if nobody is named.
    pub user: Option<UserId>,
    /// What the answer is checked against, as JSON.
    pub state: String,
    /// Until when the answer counts.
    pub expires_at: Timestamp,
}

/// A browser in which somebody has signed in before.
#[derive(Clone, Debug)]
pub struct KnownBrowser {
    /// SHA-256 of its cookie.
    pub browser: [u8; 32],
    /// Until when it stands in for a second factor.
    pub trusted_until: Option<Timestamp>,
    /// When it was first signed in with.
    pub first_at: Timestamp,
    /// When it was last signed in with.
    pub seen_at: Timestamp,
    /// What it called itself then.
    pub user_agent: Option<String>,
    /// From where.
    pub address: Option<String>,
}

/// A sign-in over an interface whose password was right and whose second factor is still to come.
#[derive(Clone, Debug)]
pub struct MfaTicket {
    /// Who signs in.
    pub user: UserId,
    /// The user's token epoch at that moment, which must still be the same.
    pub epoch: i32,
    /// Until when the second factor can be shown.
    pub expires_at: Timestamp,
}

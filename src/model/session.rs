//! Browser sessions, and what was proved in them.

use serde::{Deserialize, Serialize};

use super::ids::{SessionId, TenantId, UserId};
use super::text_enum::text_enum;
use super::time::Timestamp;

text_enum! {
    /// What a person can prove who they are with.
    Factor {
        /// A password.
        Password = "pwd",
        /// A code of an authenticator app (RFC 6238).
        Totp = "otp",
        /// A passkey, without the person having been recognised by the device.
        Passkey = "passkey",
        /// A passkey whose device recognised the person: two factors in one.
        VerifiedPasskey = "passkey-uv",
        /// A recovery code.
        RecoveryCode = "recovery",
        /// A browser that was trusted after a second factor: counts for one, proves none.
        TrustedBrowser = "trusted-browser",
        /// A provider elsewhere.
        Upstream = "upstream",
        /// A provider elsewhere that asked for two factors and is trusted in that.
        UpstreamMulti = "upstream-mfa",
    }
}

/// One proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proof {
    /// With what.
    pub factor: Factor,
    /// When.
    pub at: Timestamp,
}

/// One factor was proved.
pub const ACR_SINGLE: &str = "urn:gatehouse:acr:single";
/// Two factors were proved.
pub const ACR_MULTI: &str = "urn:gatehouse:acr:multi";
/// A factor was proved that can't be phished (OpenID Connect EAP ACR Values §2).
pub const ACR_PHISHING_RESISTANT: &str = "phr";
/// All of them, the weakest first.
pub const ACR_VALUES: &[&str] = &[ACR_SINGLE, ACR_MULTI, ACR_PHISHING_RESISTANT];

/// A person who is signed in in a browser.
#[derive(Clone, Debug)]
pub struct Session {
    /// Whose person it is.
    pub tenant: TenantId,
    /// Its name; what `sid` says.
    pub id: SessionId,
    /// SHA-256 of the cookie, which changes with every raise.
    pub digest: [u8; 32],
    /// Who.
    pub user: UserId,
    /// What they proved, each factor's newest proof.
    pub proofs: Vec<Proof>,
    /// Whether it counts for nothing until a second factor is proved.
    pub second_factor_due: bool,
    /// Whether the person asked to be remembered.
    pub remembered: bool,
    /// SHA-256 of the browser's own cookie.
    pub browser: Option<[u8; 32]>,
    /// From where it began.
    pub address: Option<String>,
    /// In which browser.
    pub user_agent: Option<String>,
    /// When it began.
    pub created_at: Timestamp,
    /// When it was last used.
    pub seen_at: Timestamp,
    /// When it ends if it is not used.
    pub expires_at: Timestamp,
    /// When it ends in any case.
    pub ends_at: Timestamp,
    /// When it was ended.
    pub ended_at: Option<Timestamp>,
}

impl Session {
    /// When the person last proved anything: `auth_time`.
    #[must_use]
    pub fn auth_time(&self) -> Timestamp {
        self.proofs.iter().map(|proof| proof.at).max().unwrap_or(self.created_at)
    }

    /// Whether this factor was proved.
    #[must_use]
    pub fn has(&self, factor: Factor) -> bool {
        self.proofs.iter().any(|proof| proof.factor == factor)
    }

    /// How the person proved who they are (RFC 8176 §2), and nothing that they did not.
    #[must_use]
    pub fn amr(&self) -> Vec<String> {
        let mut amr: Vec<&str> = Vec::new();
        let mut add = |method| {
            if !amr.contains(&method) {
                amr.push(method);
            }
        };
        for proof in &self.proofs {
            match proof.factor {
                Factor::Password => add("pwd"),
                Factor::Totp | Factor::RecoveryCode => add("otp"),
                Factor::Passkey => add("pop"),
                Factor::VerifiedPasskey => {
                    add("pop");
                    add("user");
                }
                Factor::TrustedBrowser | Factor::Upstream | Factor::UpstreamMulti => {}
            }
        }
        if self.is_multi_factor() {
            add("mfa");
        }
        amr.into_iter().map(str::to_owned).collect()
    }

    /// Whether a second factor was proved, or stood in for by a trusted browser. A session that began
    /// before there was one has none.
    #[must_use]
    pub fn has_second_factor(&self) -> bool {
        use Factor::{Passkey, RecoveryCode, Totp, TrustedBrowser, UpstreamMulti, VerifiedPasskey};
        let second = [Totp, Passkey, VerifiedPasskey, RecoveryCode, TrustedBrowser, UpstreamMulti];
        second.into_iter().any(|factor| self.has(factor))
    }

    fn is_multi_factor(&self) -> bool {
        let first = [Factor::Password, Factor::Upstream];
        let second = [Factor::Totp, Factor::Passkey, Factor::RecoveryCode];
        let any = |of: &[Factor]| of.iter().any(|factor| self.has(*factor));
        any(&[Factor::VerifiedPasskey, Factor::UpstreamMulti]) || any(&first) && any(&second)
    }

    /// What the proofs are worth: every value of [`ACR_VALUES`] that they reach, the weakest first.
    #[must_use]
    pub fn reached(&self) -> Vec<&'static str> {
        let mut reached = vec![ACR_SINGLE];
        if self.is_multi_factor() {
            reached.push(ACR_MULTI);
        }
        if self.has(Factor::Passkey) || self.has(Factor::VerifiedPasskey) {
            reached.push(ACR_PHISHING_RESISTANT);
        }
        reached
    }
}

//! Anti-forgery tokens of forms: a MAC over the browser's cookie, so that nothing is stored and
//! nobody who can't read the cookie can make one.

use aws_lc_rs::hmac;
use uuid::Uuid;

use super::digest::{base64url, from_base64url};
use super::sealing::MasterKey;

/// The key of all forms.
pub struct FormTokenKey(hmac::Key);

impl FormTokenKey {
    /// Derived from the master key.
    #[must_use]
    pub fn new(master: &MasterKey) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, master.derive("gatehouse form token v1").expose()))
    }

    /// The token for forms shown to the browser that holds this cookie.
    #[must_use]
    pub fn seal(&self, tenant: Uuid, cookie: &str) -> String {
        base64url(hmac::sign(&self.0, &message(tenant, cookie)).as_ref())
    }

    /// Whether the token was made for this cookie. Takes constant time.
    #[must_use]
    pub fn is_of(&self, tenant: Uuid, cookie: &str, token: &str) -> bool {
        from_base64url(token).is_some_and(|mac| hmac::verify(&self.0, &message(tenant, cookie), &mac).is_ok())
    }
}

fn message(tenant: Uuid, cookie: &str) -> Vec<u8> {
    [tenant.as_bytes(), cookie.as_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::entropy::SeededEntropy;

    #[test]
    fn a_token_counts_for_its_cookie_and_tenant_only() {
        let key = FormTokenKey::new(&MasterKey::generate(&SeededEntropy::new(1)));
        let token = key.seal(Uuid::nil(), "cookie");
        assert!(key.is_of(Uuid::nil(), "cookie", &token));
        for (tenant, cookie, token) in [
            (Uuid::max(), "cookie", &*token),
            (Uuid::nil(), "other", &token),
            (Uuid::nil(), "cookie", ""),
            (Uuid::nil(), "cookie", "x"),
        ] {
            assert!(!key.is_of(tenant, cookie, token));
        }
    }
}

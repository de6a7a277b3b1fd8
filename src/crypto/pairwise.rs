//! Subjects of a sector's own (OpenID Connect Core §8.1): nothing that two sectors could compare.
//!
//! A user's id is one block of AES; under a key of the tenant's and sector's own, it becomes another
//! block from which only we find the way back. So there is no table of pseudonyms, and a token under
//! a pseudonym leads to its user without a query.

use aws_lc_rs::cipher::{AES_256, DecryptingKey, DecryptionContext, EncryptingKey, UnboundCipherKey};
use aws_lc_rs::hmac;
use uuid::Uuid;

use super::sealing::MasterKey;

/// The key from which every sector's key is derived.
pub struct PairwiseKey(hmac::Key);

impl PairwiseKey {
    /// Derived from the master key.
    #[must_use]
    pub fn new(master: &MasterKey) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, master.derive("gatehouse pairwise subject v1").expose()))
    }

    fn of_sector(&self, tenant: Uuid, sector: &str) -> Option<UnboundCipherKey> {
        let key = hmac::sign(&self.0, &[tenant.as_bytes(), sector.as_bytes()].concat());
        UnboundCipherKey::new(&AES_256, key.as_ref()).ok()
    }

    /// The pseudonym of a user in a sector; always the same one.
    #[must_use]
    pub fn seal(&self, tenant: Uuid, sector: &str, user: Uuid) -> Option<Uuid> {
        let mut block = user.into_bytes();
        EncryptingKey::ecb(self.of_sector(tenant, sector)?).ok()?.encrypt(&mut block).ok()?;
        Some(Uuid::from_bytes(block))
    }

    /// The user of a pseudonym in a sector. Any pseudonym opens to something: whether it is a user
    /// is for storage to say.
    #[must_use]
    pub fn open(&self, tenant: Uuid, sector: &str, pseudonym: Uuid) -> Option<Uuid> {
        let mut block = pseudonym.into_bytes();
        let key = DecryptingKey::ecb(self.of_sector(tenant, sector)?).ok()?;
        key.decrypt(&mut block, DecryptionContext::None).ok()?;
        Some(Uuid::from_bytes(block))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::model::entropy::SeededEntropy;

    #[test]
    fn a_pseudonym_is_stable_in_its_sector_and_leads_back() {
        let key = PairwiseKey::new(&MasterKey::generate(&SeededEntropy::new(1)));
        let (tenant, user) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let one = key.seal(tenant, "one.example", user).unwrap();
        assert_eq!(key.seal(tenant, "one.example", user), Some(one));
        assert_eq!(key.open(tenant, "one.example", one), Some(user));
        assert_ne!(one, user);
        for other in [key.seal(tenant, "two.example", user), key.seal(Uuid::nil(), "one.example", user)] {
            assert_ne!(other, Some(one));
        }
        assert_ne!(key.open(tenant, "two.example", one), Some(user));
    }
}

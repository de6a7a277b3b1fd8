//! Password hashes: Argon2id for our own (RFC 9106), and verification of what was imported.
//!
//! Everything here blocks for milliseconds and is meant for the threads of
//! [`super::password_pool`].

use argon2::{Algorithm, Argon2, Block, Params, Version};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;

use super::digest::constant_time_eq;
pub use super::stored_hash::{HashScheme, UnusableHash};
use super::stored_hash::{StoredHash, Work};
use crate::model::entropy::Entropy;

const SALT_BYTES: usize = 16;
const HASH_BYTES: usize = 32;

/// What one Argon2id hash costs (RFC 9106 §3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cost {
    /// Memory in KiB.
    pub memory_kib: u32,
    /// Passes over the memory.
    pub iterations: u32,
    /// Lanes; they are computed one after the other.
    pub lanes: u32,
}

impl Cost {
    /// The least that OWASP's Password Storage Cheat Sheet finds acceptable: 19 MiB, two passes.
    pub const MINIMUM: Self = Self { memory_kib: 19 * 1024, iterations: 2, lanes: 1 };

    fn params(self) -> Option<Params> {
        Params::new(self.memory_kib, self.iterations, self.lanes, Some(HASH_BYTES)).ok()
    }

    /// Whether Argon2 can work with these numbers.
    #[must_use]
    pub fn is_valid(self) -> bool {
        self.params().is_some()
    }
}

impl Default for Cost {
    fn default() -> Self {
        Self::MINIMUM
    }
}

/// A password could not be hashed: the cost is impossible.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a password can't be hashed at this cost")]
pub struct CannotHash;

/// What comparing a password with a stored hash found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verified {
    /// The password is the right one.
    pub ok: bool,
    /// It is, but the hash is not of today's scheme and cost: hash the password again and store it.
    pub needs_rehash: bool,
}

impl Verified {
    /// A wrong password, or no such user.
    pub const NO: Self = Self { ok: false, needs_rehash: false };
}

/// So much room in blocks of 1 KiB, used or not, is mapped for itself and returned to the system when
/// it is let go. Of less than 32 MiB glibc's allocator keeps what it has seen once.
const RETURNED: usize = 33 * 1024;

/// Memory for Argon2, kept from one hash to the next.
#[derive(Default)]
pub struct Workspace(Vec<Block>);

impl Workspace {
    /// A new PHC string, `$argon2id$v=19$m=…,t=…,p=…$salt$hash`.
    ///
    /// # Errors
    /// If Argon2 can't work at this cost.
    pub fn hash(&mut self, password: &str, cost: Cost, entropy: &dyn Entropy) -> Result<String, CannotHash> {
        let params = cost.params().ok_or(CannotHash)?;
        let salt: [u8; SALT_BYTES] = entropy.bytes();
        let mut hash = [0; HASH_BYTES];
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        self.argon2(&argon2, password, &salt, &mut hash).ok_or(CannotHash)?;
        let Cost { memory_kib, iterations, lanes } = cost;
        let (salt, hash) = (STANDARD_NO_PAD.encode(salt), STANDARD_NO_PAD.encode(hash));
        Ok(format!("$argon2id$v=19$m={memory_kib},t={iterations},p={lanes}${salt}${hash}"))
    }

    /// Compares a password with a stored hash of any known scheme. A hash that can't be used
    /// matches nothing, but takes as long as a wrong password.
    pub fn verify(&mut self, password: &str, stored: &str, current: Cost) -> Verified {
        let Ok(stored) = StoredHash::parse(stored) else {
            self.waste(password, current);
            return Verified::NO;
        };
        let mut hash = vec![0; stored.hash.len()];
        let computed = self.compute(password, &stored, &mut hash);
        if computed.is_none() || !constant_time_eq(&hash, &stored.hash) {
            return Verified::NO;
        }
        Verified { ok: true, needs_rehash: !is_current(&stored, current) }
    }

    /// The work of one hash, for nothing: so that an unknown user takes as long as a known one.
    pub fn waste(&mut self, password: &str, cost: Cost) {
        if let Some(params) = cost.params() {
            let mut hash = [0; HASH_BYTES];
            let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
            let done = self.argon2(&argon2, password, &[0; SALT_BYTES], &mut hash);
            std::hint::black_box((done, hash));
        }
    }

    /// Gives the memory back.
    pub fn release(&mut self) {
        self.0 = Vec::new();
    }

    fn compute(&mut self, password: &str, stored: &StoredHash, hash: &mut [u8]) -> Option<()> {
        match stored.work {
            Work::Argon2 { algorithm, version, memory_kib, iterations, lanes } => {
                let params = Params::new(memory_kib, iterations, lanes, Some(hash.len())).ok()?;
                self.argon2(&Argon2::new(algorithm, version, params), password, &stored.salt, hash)
            }
            Work::Bcrypt { cost } => {
                let salt = stored.salt.as_slice().try_into().ok()?;
                let full = bcrypt::bcrypt(cost, salt, &bcrypt_input(password));
                hash.copy_from_slice(full.get(..hash.len())?); // 23 of 24 bytes are kept
                Some(())
            }
            Work::Scrypt { log_n, r, p } => {
                let params = scrypt::Params::new(log_n, r, p).ok()?;
                scrypt::scrypt(password.as_bytes(), &stored.salt, &params, hash).ok()
            }
            Work::Pbkdf2 { algorithm, iterations } => {
                aws_lc_rs::pbkdf2::derive(algorithm, iterations, &stored.salt, password.as_bytes(), hash);
                Some(())
            }
        }
    }

    fn argon2(&mut self, argon2: &Argon2<'_>, password: &str, salt: &[u8], hash: &mut [u8]) -> Option<()> {
        let blocks = argon2.params().block_count();
        // An imported hash may want more than the usual; its memory is not kept.
        if self.0.len() != blocks {
            self.release();
            self.0 = Vec::with_capacity(blocks.max(RETURNED));
            self.0.resize(blocks, Block::new());
        }
        argon2.hash_password_into_with_memory(password.as_bytes(), salt, hash, &mut self.0).ok()
    }
}

/// What bcrypt looks at: the password with a closing zero byte, cut at 72 bytes. The cut is
/// bcrypt's own; the system that wrote the hash did the same.
fn bcrypt_input(password: &str) -> Vec<u8> {
    password.bytes().chain([0]).take(72).collect()
}

fn is_current(stored: &StoredHash, current: Cost) -> bool {
    let Work::Argon2 { algorithm: Algorithm::Argon2id, version: Version::V0x13, memory_kib, iterations, lanes } =
        stored.work
    else {
        return false;
    };
    let cost = Cost { memory_kib, iterations, lanes };
    cost == current && stored.salt.len() >= SALT_BYTES && stored.hash.len() == HASH_BYTES
}

/// [`Workspace::hash`] with memory of its own.
///
/// # Errors
/// If Argon2 can't work at this cost.
pub fn hash(password: &str, cost: Cost, entropy: &dyn Entropy) -> Result<String, CannotHash> {
    Workspace::default().hash(password, cost, entropy)
}

/// [`Workspace::verify`] with memory of its own.
#[must_use]
pub fn verify(password: &str, stored: &str, current: Cost) -> Verified {
    Workspace::default().verify(password, stored, current)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use super::*;
    use crate::model::entropy::SeededEntropy;

    const CHEAP: Cost = Cost { memory_kib: 64, iterations: 1, lanes: 1 };
    const PASSWORD: &str = "correct horse ÿ battery";

    /// Made with passlib 1.7.4, bcrypt 4.0.1 and argon2-cffi 23.1 for `PASSWORD`.
    const VECTORS: &[(HashScheme, &str)] = &[
        (
            HashScheme::Pbkdf2Sha256,
            "$pbkdf2-sha256$1000$MDEyMzQ1Njc4OWFiY2RlZg$KDNr52tPa0wR.SP9eDVBLYraCOnSrbWTfmwDyqaKcPA",
        ),
        (
            HashScheme::Pbkdf2Sha256,
            "$pbkdf2-sha256$i=1000,l=32$MDEyMzQ1Njc4OWFiY2RlZg$KDNr52tPa0wR+SP9eDVBLYraCOnSrbWTfmwDyqaKcPA",
        ),
        (
            HashScheme::Pbkdf2Sha256,
            "$pbkdf2-sha256$i=1000$MDEyMzQ1Njc4OWFiY2RlZg$KDNr52tPa0wR+SP9eDVBLYraCOnSrbWTfmwDyqaKcPA",
        ),
        (
            HashScheme::Pbkdf2Sha512,
            "$pbkdf2-sha512$1000$././MzQ1Njc4OWFiY2RlZg$AabV3laeDcTOkVKWK8MR3ZaBp52Hj9gBnWjycUNx2hG6ZWXwiJJZANL6yulMF0..J5HVmhSLRPlZH.FocpFMDQ",
        ),
        (HashScheme::Pbkdf2Sha1, "$pbkdf2$1000$MDEyMzQ1Njc4OWFiY2RlZg$Tg5X42V.Bkhw408gzI7Zur.5xm8"),
        (HashScheme::Pbkdf2Sha256, "pbkdf2_sha256$1000$seasalt12345$nLdu81pMFnpc/iQhlWiBhJHQwPp1V3Gr+s7uvPlAp6I="),
        (
            HashScheme::Scrypt,
            "$scrypt$ln=10,r=8,p=1$MDEyMzQ1Njc4OWFiY2RlZg$M7jORGsA2+HOoS3vN1XEQlhKVDjh4G+DC3q1gwzidv4",
        ),
        (
            HashScheme::Argon2i,
            "$argon2i$v=19$m=256,t=2,p=2$MDEyMzQ1Njc4OWFiY2RlZg$3G61sMGNqeRUiOi4qk1eS1DSU7gHN2uJk7UOCs9S2Is",
        ),
        (
            HashScheme::Argon2d,
            "$argon2d$v=19$m=256,t=2,p=2$MDEyMzQ1Njc4OWFiY2RlZg$NboZv/8G/6v25eJkM/rJh0r9cXoZiuVyL5QHmFb1iSc",
        ),
        (
            HashScheme::Argon2id,
            "$argon2id$v=19$m=256,t=2,p=2$MDEyMzQ1Njc4OWFiY2RlZg$4clruuiOEPmgd+lRVQO5Dn1Kqa/+74tuZdvePMIgWy8",
        ),
        (
            HashScheme::Argon2id,
            "$argon2id$v=16$m=256,t=2,p=1$MDEyMzQ1Njc4OWFiY2RlZg$TUxILBU8L0FE5vcdClb+N6bsMzTJi9nnU8DZNgEFGQE",
        ),
        (HashScheme::Bcrypt, "$2a$04$CCCCCCCCCCCCCCCCCCCCC.gW6ok.KHwpj9rM87hHtjFgFRLoN7i/m"),
        (HashScheme::Bcrypt, "$2b$04$CCCCCCCCCCCCCCCCCCCCC.gW6ok.KHwpj9rM87hHtjFgFRLoN7i/m"),
        (HashScheme::Bcrypt, "$2y$04$CCCCCCCCCCCCCCCCCCCCC.gW6ok.KHwpj9rM87hHtjFgFRLoN7i/m"),
        // The same salt with its spare bits set.
        (HashScheme::Bcrypt, "$2b$04$CCCCCCCCCCCCCCCCCCCCC/gW6ok.KHwpj9rM87hHtjFgFRLoN7i/m"),
    ];

    #[test]
    fn other_systems_hashes_are_verified_and_renewed() {
        for (scheme, stored) in VECTORS {
            assert_eq!(HashScheme::recognise(stored), Ok(*scheme), "{stored}");
            assert_eq!(verify(PASSWORD, stored, CHEAP), Verified { ok: true, needs_rehash: true }, "{stored}");
            assert_eq!(verify("correct horse", stored, CHEAP), Verified::NO, "{stored}");
            assert_eq!(verify("", stored, CHEAP), Verified::NO, "{stored}");
        }
    }

    #[test]
    fn our_own_hashes_are_current_until_the_cost_changes() {
        let entropy = SeededEntropy::new(1);
        let stored = hash(PASSWORD, CHEAP, &entropy).unwrap();
        assert!(stored.starts_with("$argon2id$v=19$m=64,t=1,p=1$"), "{stored}");
        assert_ne!(stored, hash(PASSWORD, CHEAP, &entropy).unwrap(), "every hash has its own salt");
        assert_eq!(HashScheme::recognise(&stored), Ok(HashScheme::Argon2id));
        assert_eq!(verify(PASSWORD, &stored, CHEAP), Verified { ok: true, needs_rehash: false });
        let dearer = Cost { iterations: 2, ..CHEAP };
        assert_eq!(verify(PASSWORD, &stored, dearer), Verified { ok: true, needs_rehash: true });
        assert_eq!(verify("other", &stored, dearer), Verified::NO);
    }

    #[test]
    fn a_workspace_serves_different_costs_in_turn() {
        let entropy = SeededEntropy::new(2);
        let mut workspace = Workspace::default();
        let small = workspace.hash(PASSWORD, CHEAP, &entropy).unwrap();
        let large = workspace.hash(PASSWORD, Cost { memory_kib: 256, ..CHEAP }, &entropy).unwrap();
        for stored in [&small, &large, &small] {
            assert!(workspace.verify(PASSWORD, stored, CHEAP).ok);
            workspace.waste(PASSWORD, CHEAP);
        }
        assert_eq!(workspace.hash(PASSWORD, Cost { lanes: 0, ..CHEAP }, &entropy), Err(CannotHash));
    }

    #[test]
    fn bcrypt_looks_at_72_bytes_only() {
        let stored = "$2b$04$CCCCCCCCCCCCCCCCCCCCC.ug0A3dTXhy5U.dFjx/qguZ8I4CB77BC";
        for (length, ok) in [(71, false), (72, true), (80, true), (5000, true)] {
            assert_eq!(verify(&"x".repeat(length), stored, CHEAP).ok, ok, "{length}");
        }
    }

    #[test]
    fn excessive_and_malformed_hashes_are_refused() {
        let (salt, hash) = ("MDEyMzQ1Njc4OWFiY2RlZg", "KDNr52tPa0wR+SP9eDVBLYraCOnSrbWTfmwDyqaKcPA");
        let costly = [
            format!("$argon2id$v=19$m=1048576,t=1,p=1${salt}${hash}"),
            format!("$argon2id$v=19$m=64,t=21,p=1${salt}${hash}"),
            format!("$argon2id$v=19$m=262144,t=20,p=1${salt}${hash}"),
            format!("$argon2id$v=19$m=99999999999,t=1,p=1${salt}${hash}"),
            format!("$scrypt$ln=20,r=8,p=1${salt}${hash}"),
            format!("$scrypt$ln=63,r=8,p=1${salt}${hash}"),
            format!("$scrypt$ln=17,r=8,p=8${salt}${hash}"),
            format!("$scrypt$ln=10,r=4294967295,p=4294967295${salt}${hash}"),
            format!("$pbkdf2-sha256$2000001${salt}${hash}"),
            "$2b$16$CCCCCCCCCCCCCCCCCCCCC.gW6ok.KHwpj9rM87hHtjFgFRLoN7i/m".to_owned(),
            "$2b$31$CCCCCCCCCCCCCCCCCCCCC.gW6ok.KHwpj9rM87hHtjFgFRLoN7i/m".to_owned(),
        ];
        for text in costly {
            assert_eq!(HashScheme::recognise(&text), Err(UnusableHash::TooCostly), "{text}");
            assert_eq!(verify(PASSWORD, &text, CHEAP), Verified::NO);
        }
        let malformed = [
            format!("$argon2id$v=19$m=64,t=1${salt}${hash}"),
            format!("$argon2id$v=19$m=64,t=1,p=1,x=1${salt}${hash}"),
            format!("$argon2id$v=19$m=64,t=0,p=1${salt}${hash}"),
            format!("$argon2id$v=19$m=4,t=1,p=1${salt}${hash}"),
            format!("$argon2id$v=20$m=64,t=1,p=1${salt}${hash}"),
            format!("$argon2id$v=19$m=64,t=1,p=1$AAAA${hash}"),
            format!("$argon2id$v=19$m=64,t=1,p=1${salt}$AAAA"),
            format!("$argon2id$v=19$m=64,t=1,p=1${salt}${hash}$"),
            format!("$argon2id$v=19$m=+64,t=1,p=1${salt}${hash}"),
            format!("$scrypt$ln=0,r=8,p=1${salt}${hash}"),
            format!("$pbkdf2-sha256$0${salt}${hash}"),
            format!("$pbkdf2-sha256$i=1,l=31${salt}${hash}"),
            "pbkdf2_sha256$1$x$y".to_owned(),
            "$2b$03$CCCCCCCCCCCCCCCCCCCCC.gW6ok.KHwpj9rM87hHtjFgFRLoN7i/m".to_owned(),
            "$2b$4$CCCCCCCCCCCCCCCCCCCCC.gW6ok.KHwpj9rM87hHtjFgFRLoN7i/mm".to_owned(),
            "$2b$04$CCCCCCCCCCCCCCCCCCCCC.gW6ok.KHwpj9rM87hHtjFgFRLoN7i".to_owned(),
        ];
        for text in malformed {
            assert_eq!(HashScheme::recognise(&text), Err(UnusableHash::Malformed), "{text}");
        }
        for text in [
            "",
            "$",
            "$$",
            "plain",
            "$1$salt$hash",
            "$2x$04$x",
            "md5$a$b",
            "$argon2id",
            "pässword$1$2",
            &"$".repeat(600),
        ] {
            assert_eq!(HashScheme::recognise(text), Err(UnusableHash::UnknownScheme), "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_upsets_the_parser(index in 0..VECTORS.len(), at: usize, with in "\\PC{0,3}") {
            let vector = VECTORS[index].1;
            let at = at % vector.len();
            let text = format!("{}{with}{}", &vector[..at], vector.get(at + with.len()..).unwrap_or(""));
            let _ = HashScheme::recognise(&text);
        }
    }
}

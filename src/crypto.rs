//! Keys, signatures, digests, sealed values and passwords: a leaf beside [`crate::model`].
//!
//! Nothing here knows HTTP, SQL or a protocol's rules. Randomness is handed in; only key generation
//! and signatures use aws-lc's own generator, because its API takes no other.

pub mod certificate;
pub mod digest;
pub mod form_token;
pub mod jwk;
pub mod jws;
pub mod opaque;
pub mod pairwise;
pub mod password_hash;
pub mod password_pool;
pub mod sealing;
mod stored_hash;

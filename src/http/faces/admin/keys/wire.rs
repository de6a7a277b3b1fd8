//! Signing keys on the wire.

use serde::Serialize;
use utoipa::ToSchema;

use crate::http::faces::admin::members::body;
use crate::model::signing_key::{SigningAlg, SigningKey};

/// A signing key.
#[derive(Serialize, ToSchema)]
#[schema(as = Key)]
pub(super) struct KeyShown {
    /// Its RFC 7638 thumbprint.
    kid: String,
    /// `ES256`, `RS256`, `EdDSA`.
    alg: &'static str,
    /// `next`, `active`, `retiring` or `removed`.
    state: &'static str,
    /// RFC 3339.
    created_at: String,
    /// Since when it signs.
    activated_at: Option<String>,
    /// Since when it no longer does.
    retired_at: Option<String>,
}

impl From<SigningKey> for KeyShown {
    fn from(key: SigningKey) -> Self {
        Self {
            kid: key.kid.to_string(),
            alg: key.alg.as_str(),
            state: key.state.as_str(),
            created_at: key.created_at.rfc3339(),
            activated_at: key.activated_at.map(crate::model::time::Timestamp::rfc3339),
            retired_at: key.retired_at.map(crate::model::time::Timestamp::rfc3339),
        }
    }
}

body! {
    /// What is to be rotated.
    RotateBody as Rotate {
        /// Of this algorithm only; of each where it is absent.
        #[schema(value_type = Option<String>)]
        alg: Option<SigningAlg> = name,
        /// At once, even if clients have not seen the next key yet: for a key that leaked.
        now: Option<bool> = flag,
    }
}

/// What a rotation did.
#[derive(Serialize, ToSchema)]
#[schema(as = Rotated)]
pub(super) struct Rotated {
    /// One for each algorithm.
    pub(super) items: Vec<RotatedKey>,
}

/// The key that signs, or will.
#[derive(Serialize, ToSchema)]
#[schema(as = RotatedKey)]
pub(super) struct RotatedKey {
    /// Its name.
    pub(super) kid: String,
    /// Its algorithm.
    pub(super) alg: &'static str,
    /// `active`, or `next` while clients may not have seen it.
    pub(super) state: &'static str,
    /// RFC 3339.
    pub(super) signs_from: String,
}

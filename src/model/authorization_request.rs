//! Authorization requests that wait for somebody.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::ids::{ClientId, SessionId};
use super::text_enum::text_enum;
use super::time::Timestamp;

/// How long a person may take to sign in.
pub const PATIENCE: Duration = Duration::from_secs(3600);

text_enum! {
    /// What a stored request waits for.
    RequestKind {
        /// A browser that comes with its reference (RFC 9126).
        Pushed = "pushed",
        /// A person who is signing in.
        Login = "login",
    }
}

/// Where the parameters of a request came from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// The browser's address bar, or a form.
    #[default]
    Browser,
    /// A signed request object (RFC 9101).
    SignedObject,
    /// The client itself (RFC 9126): the digest of the reference, which is used up with the answer.
    Pushed([u8; 32]),
}

/// How far a person has come with a request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Progress {
    /// The session that the person chose to go on with (`prompt=select_account`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chosen: Option<SessionId>,
    /// The session in which the person consented to this very request (`prompt=consent`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub consented: Option<SessionId>,
    /// Where the parameters came from.
    pub source: Source,
}

/// A request that waits.
#[derive(Clone, Debug)]
pub struct AuthorizationRequest {
    /// SHA-256 of its reference.
    pub digest: [u8; 32],
    /// What it waits for.
    pub kind: RequestKind,
    /// Whose request it is.
    pub client: ClientId,
    /// SHA-256 of the cookie of the browser that it is bound to.
    pub browser: Option<[u8; 32]>,
    /// Its parameters as they count: read again, and checked again, when it goes on.
    pub parameters: Vec<(String, String)>,
    /// How far the person has come.
    pub progress: Progress,
    /// When it came.
    pub created_at: Timestamp,
    /// When it expires.
    pub expires_at: Timestamp,
    /// Whether it has been answered.
    pub used: bool,
}

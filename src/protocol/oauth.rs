//! OAuth 2 and OpenID Connect. One file an endpoint, one a rule that several share.

pub mod authorize;
pub mod claims;
pub mod client_auth;
pub mod device;
pub mod error;
pub mod introspect;
pub mod logout;
pub mod metadata;
mod oxide;
pub mod par;
pub mod params;
pub mod registration;
pub mod revoke;
pub mod token;
pub mod userinfo;

pub use error::{ErrorCode, OAuthError};
pub use params::Params;

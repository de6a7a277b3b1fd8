//! Tokens: one mint, one verifier.
//!
//! Every grant type and every face's sign-in ends in [`mint`]; every bearer check of every face
//! starts in [`verify`]. Nobody else signs or reads an access token.

pub mod claims;
mod families;
mod mint;
mod revoke;
mod verify;

pub use claims::AccessClaims;
pub use families::{Family, Refreshed, begin, recover, rotate};
pub use mint::{IDAAS_CLIENT, Issued, for_client, for_sign_in, on_behalf};
pub use revoke::{revoke_access_token, revoke_family};
pub use verify::{Principal, Verified, verify, verify_under};

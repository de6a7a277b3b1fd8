//! Tokens: one mint, one verifier.
//!
//! Every grant type and every face's sign-in ends in [`mint`]; every bearer check of every face
//! starts in [`verify`]. Nobody else signs or reads an access token.

mod authorizations;
pub mod claims;
mod exchange;
mod families;
mod id_token;
mod mint;
mod revoke;
mod verify;

pub use authorizations::{Answered, Answering, Redeemed, answer, audience_of_code, redeem_code, redeem_device_code};
pub use claims::AccessClaims;
pub use exchange::{MAX_ACTORS, exchange};
pub use families::{Family, Granted, Refreshed, begin, recover, rotate};
pub use id_token::{IdToken, id_token, sign_for_client, wishes};
pub use mint::{IDAAS_CLIENT, Issued, for_client, for_sign_in, on_behalf};
pub(super) use revoke::mark_ended;
pub use revoke::{end_sign_in, revoke_access_token, revoke_family};
pub use verify::{ACCOUNT_SCOPES, Principal, Standing, Verified, standing, verify, verify_under};

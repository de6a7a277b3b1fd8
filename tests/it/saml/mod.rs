//! `/api/sso/saml/*` (`workspace.md`): people who come by the SAML provider of their workspace.

mod refused;
mod sign_in;
mod wrapping;

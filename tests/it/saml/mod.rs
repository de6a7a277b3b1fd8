//! `/api/sso/saml/*` (`workspace.md`): people who come by the SAML provider of their workspace.

mod pages;
mod refused;
mod sign_in;
mod sign_out;
mod workspace;
mod wrapping;

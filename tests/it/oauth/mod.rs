//! The standards surface (`oauth.md`), one file a standard.

mod client_authentication;
mod client_settings;
mod jwks;
mod requests;
mod rfc6749_client_credentials;
mod rfc6749_password;
mod rfc6749_refresh;
mod rfc7009_revocation;
mod rfc7591_registration;
mod rfc7592_management;
mod rfc7662_introspection;
mod rfc8414_metadata;
mod rfc8707_resource;
mod rfc9068;
mod tenant_issuers;

//! The nouns: ids, states, parsing into types, and the seams for time and randomness.
//!
//! Nothing here is asynchronous, speaks SQL or knows a wire format; every other layer may name it.

pub mod access_log;
pub mod api_client;
pub mod audit;
pub mod authorization;
pub mod authorization_request;
pub mod catalogue;
pub mod change;
pub mod client;
pub mod client_settings;
pub mod color;
pub mod connection;
pub mod consent;
pub mod device_code;
pub mod entropy;
pub mod factors;
pub mod ids;
pub mod language;
pub mod logout;
pub mod mail;
pub mod organization;
pub mod page;
pub mod permission;
pub mod profile;
pub mod role;
pub mod scope;
pub mod scoped_grant;
pub mod secret;
pub mod session;
pub mod signing_key;
pub mod tenant;
pub mod text;
mod text_enum;
pub mod time;
pub mod token;
pub mod transfer;
pub mod user;

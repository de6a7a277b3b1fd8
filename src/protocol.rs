//! What the standards say: rules of endpoints, without actix and without SQL.

pub mod oauth;
pub mod saml;
pub mod upstream;

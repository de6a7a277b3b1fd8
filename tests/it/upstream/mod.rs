//! Sign-in by providers elsewhere, against a hand-made one that says whatever a test wants it to.

mod accounts;
mod availability;
mod plain_oauth2;
mod provider;
mod refused;
mod sign_in;
mod ways_in;

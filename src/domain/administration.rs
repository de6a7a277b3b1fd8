//! What administrators do to users and clients: the verbs that look at the powers of who asks. Nobody
//! administers or makes who may do more than they may themselves: by its password, address or secret its
//! powers would be theirs.

pub mod clients;
pub mod users;

//! What every copy must notice within a second when another copy changed it.

use super::text_enum::text_enum;

text_enum! {
    /// The kind of thing that changed.
    ChangeKind {
        /// A tenant, its keys or its settings; key: nothing.
        Tenant = "tenant",
        /// A client, its secrets or permissions; key: client id.
        Client = "client",
        /// A user's state or roles; key: user id.
        User = "user",
        /// A role or permission, and so any number of users; key: nothing.
        Roles = "roles",
        /// A tenant's signing keys; key: nothing.
        Keys = "keys",
        /// A token was revoked; key: its `jti`, digest or family.
        Token = "token",
        /// An API client; key: its client key.
        ApiClient = "api_client",
        /// A connection to a provider elsewhere, or its domains; key: nothing.
        Connection = "connection",
    }
}

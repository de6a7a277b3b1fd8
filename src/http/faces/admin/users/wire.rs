//! Users on the wire.

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::http::faces::admin::members::body;
use crate::model::mail::LinkPurpose;
use crate::model::time::Timestamp;
use crate::model::user::User;

/// A user.
#[derive(Serialize, ToSchema)]
#[schema(as = User)]
pub(super) struct UserShown {
    /// `usr_…`.
    pub(super) id: String,
    /// As it was given.
    email: Option<String>,
    /// Whether the address was proved.
    email_verified: bool,
    /// What they sign in with beside the address.
    username: Option<String>,
    /// For people to read.
    name: Option<String>,
    /// What other systems know them by, if it was they who made the account.
    external_sub: Option<String>,
    /// Whether they may sign in.
    is_active: bool,
    /// Whether they have a password.
    has_password: bool,
    /// Whether a second factor is enrolled.
    has_second_factor: bool,
    /// Until when too many wrong passwords or codes keep them out, RFC 3339; null where they don't.
    locked_until: Option<String>,
    /// Codes of the roles that they hold, sorted.
    roles: Vec<String>,
    /// Any JSON object.
    #[schema(value_type = Object)]
    profile: Value,
    /// RFC 3339.
    created_at: String,
    /// RFC 3339.
    updated_at: String,
}

impl UserShown {
    /// A user with the codes of their roles and the end of their lock.
    pub(super) fn new(user: User, roles: Vec<String>, locked_until: Option<Timestamp>) -> Self {
        Self {
            id: user.id.to_string(),
            email: user.email,
            email_verified: user.email_verified,
            username: user.username,
            name: user.name,
            external_sub: user.external_sub,
            is_active: user.enabled,
            has_password: user.password_hash.is_some(),
            has_second_factor: user.has_second_factor,
            locked_until: locked_until.map(Timestamp::rfc3339),
            roles,
            profile: user.profile,
            created_at: user.created_at.rfc3339(),
            updated_at: user.updated_at.rfc3339(),
        }
    }
}

body! {
    /// A user who is to be made: an address or a username must be there.
    NewUserBody as NewUser {
        /// Their address.
        email: Option<String> = optional,
        /// Whether the address was proved.
        email_verified: Option<bool> = flag,
        /// What they sign in with beside the address.
        username: Option<String> = optional,
        /// For people to read.
        name: Option<String> = optional,
        /// Without one they set one by a link.
        password: Option<String> = optional,
        /// Codes of the roles that they start with.
        roles: Option<Vec<String>> = texts,
        /// Any JSON object.
        #[schema(value_type = Option<Object>)]
        profile: Option<Value> = object,
    }
}

body! {
    /// What becomes of a user: what is absent stays, what is `null` is taken away.
    UserChangeBody as UserChange {
        /// A new one is not proved.
        #[schema(value_type = Option<String>)]
        email: Option<Option<String>> = change,
        /// Whether the address was proved.
        email_verified: Option<bool> = flag,
        /// What they sign in with beside the address.
        #[schema(value_type = Option<String>)]
        username: Option<Option<String>> = change,
        /// For people to read.
        #[schema(value_type = Option<String>)]
        name: Option<Option<String>> = change,
        /// Whether they may sign in; `false` ends what they hold.
        is_active: Option<bool> = flag,
        /// The whole of it: any JSON object.
        #[schema(value_type = Option<Object>)]
        profile: Option<Value> = object,
    }
}

body! {
    /// A password.
    PasswordBody as Password {
        /// At least as long as the tenant wants.
        password: String = text,
    }
}

body! {
    /// What is to be mailed.
    MailBody as UserMail {
        /// `verify_email` or `reset_password`.
        #[schema(value_type = String)]
        kind: LinkPurpose = required_name,
    }
}

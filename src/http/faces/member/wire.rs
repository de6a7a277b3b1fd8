//! What goes over the wire on this face, and its words for our nouns: `authentik_sub` is a user's sub.

use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::domain::provisioning::Account;
use crate::http::fields::{Body, FieldError, Fields};
use crate::model::scoped_grant::{GrantScope, GrantTarget, GrantedAction};
use crate::model::user::User;

/// A sign-in.
#[derive(ToSchema)]
pub(super) struct MemberLogin {
    /// Their username or address.
    pub(super) username: String,
    /// Their password.
    pub(super) password: String,
}

impl Body for MemberLogin {
    fn read(fields: &mut Fields) -> Result<Self, FieldError> {
        Ok(Self { username: fields.name("username")?, password: fields.text("password")? })
    }
}

/// A member's token.
#[derive(Serialize, ToSchema)]
pub(super) struct MemberToken<'a> {
    /// The token.
    pub(super) access_token: &'a str,
    /// `Bearer`.
    pub(super) token_type: &'static str,
    /// In seconds.
    pub(super) expires_in: u64,
    /// Scope names, separated by spaces.
    pub(super) scope: String,
}

/// A member.
#[derive(Serialize, ToSchema)]
pub(super) struct Me {
    /// What other systems know them by.
    sub: String,
    /// As it was given.
    email: Option<String>,
    /// For people to read.
    display_name: Option<String>,
}

impl From<User> for Me {
    fn from(user: User) -> Self {
        Self { sub: user.sub(), email: user.email, display_name: user.name }
    }
}

/// What a member may do where.
#[derive(Serialize, ToSchema)]
pub(super) struct MemberPermissions {
    /// What other systems know them by.
    pub(super) authentik_sub: String,
    /// One row an action, in the order in which they were granted.
    pub(super) permissions: Vec<MemberPermission>,
}

/// One action.
#[derive(Serialize, ToSchema)]
pub(super) struct MemberPermission {
    /// `company` or `site`.
    #[schema(value_type = String)]
    scope_type: GrantScope,
    /// Its key, or the text of the grant where the catalogue does not hold it.
    scope_id: String,
    /// The module's key, or the text of the grant.
    module: String,
    /// What may be done.
    action: String,
}

impl From<GrantedAction> for MemberPermission {
    fn from(granted: GrantedAction) -> Self {
        let GrantTarget { scope_type, scope, module, action } = granted.target;
        Self { scope_type, scope_id: scope, module, action }
    }
}

/// A grant that is to be given.
#[derive(ToSchema)]
pub(super) struct GrantPermission {
    /// Who; their account is made if there is none.
    #[schema(min_length = 1, max_length = 255)]
    pub(super) authentik_sub: String,
    /// Their address, if their account is made.
    pub(super) email: Option<String>,
    /// For people to read, if their account is made.
    pub(super) display_name: Option<String>,
    /// `company` or `site`.
    #[schema(pattern = "^(company|site)$")]
    pub(super) scope_type: String,
    /// A key of the catalogue, or a code.
    #[schema(pattern = "^[A-Za-z0-9._:-]{1,100}$")]
    pub(super) scope_id: String,
    /// A key of the catalogue, or a code.
    #[schema(pattern = "^[A-Za-z0-9._:-]{1,100}$")]
    pub(super) module: String,
    /// What may be done.
    #[schema(pattern = "^[A-Za-z0-9._:-]{1,100}$")]
    pub(super) action: String,
}

impl Body for GrantPermission {
    fn read(fields: &mut Fields) -> Result<Self, FieldError> {
        Ok(Self {
            authentik_sub: fields.text("authentik_sub")?,
            email: fields.optional_text("email")?,
            display_name: fields.optional_text("display_name")?,
            scope_type: fields.text("scope_type")?,
            scope_id: fields.text("scope_id")?,
            module: fields.text("module")?,
            action: fields.text("action")?,
        })
    }
}

impl GrantPermission {
    /// Whom it is for, in our words.
    pub(super) fn account(&self) -> Account<'_> {
        let (email, name) = (self.email.as_deref(), self.display_name.as_deref());
        Account { sub: &self.authentik_sub, email, name, ..Account::default() }
    }

    /// What it is about.
    pub(super) fn target(&self) -> Result<GrantTarget, FieldError> {
        target(&self.scope_type, &self.scope_id, &self.module, &self.action)
    }
}

/// A grant that is to be taken.
#[derive(ToSchema)]
pub(super) struct RevokePermission {
    /// Who.
    pub(super) authentik_sub: String,
    /// `company` or `site`.
    #[schema(pattern = "^(company|site)$")]
    pub(super) scope_type: String,
    /// A key of the catalogue, or a code.
    #[schema(pattern = "^[A-Za-z0-9._:-]{1,100}$")]
    pub(super) scope_id: String,
    /// A key of the catalogue, or a code.
    #[schema(pattern = "^[A-Za-z0-9._:-]{1,100}$")]
    pub(super) module: String,
    /// What may be done.
    #[schema(pattern = "^[A-Za-z0-9._:-]{1,100}$")]
    pub(super) action: String,
}

impl Body for RevokePermission {
    fn read(fields: &mut Fields) -> Result<Self, FieldError> {
        Ok(Self {
            authentik_sub: fields.text("authentik_sub")?,
            scope_type: fields.text("scope_type")?,
            scope_id: fields.text("scope_id")?,
            module: fields.text("module")?,
            action: fields.text("action")?,
        })
    }
}

impl RevokePermission {
    /// What it is about.
    pub(super) fn target(&self) -> Result<GrantTarget, FieldError> {
        target(&self.scope_type, &self.scope_id, &self.module, &self.action)
    }
}

fn target(scope_type: &str, scope: &str, module: &str, action: &str) -> Result<GrantTarget, FieldError> {
    Ok(GrantTarget {
        scope_type: scope_type.parse().map_err(|_| FieldError::new("scope_type", "must be company or site"))?,
        scope: scope.to_owned(),
        module: module.to_owned(),
        action: action.to_owned(),
    })
}

/// That somebody has a grant.
#[derive(Serialize, ToSchema)]
pub(super) struct Granted {
    /// Its id.
    pub(super) permission_id: Uuid,
    /// `granted`.
    pub(super) result: &'static str,
}

/// That somebody has a grant no more.
#[derive(Serialize, ToSchema)]
pub(super) struct Revoked {
    /// How many there were.
    pub(super) deleted: u64,
    /// `revoked`.
    pub(super) result: &'static str,
}

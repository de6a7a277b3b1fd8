//! What goes over the wire on this face, and its words for our nouns.

use std::str::FromStr;

use serde::Serialize;
use utoipa::ToSchema;

use super::error::{Error, Reading};
use crate::domain::memberships::Standing;
use crate::domain::tokens::Granted;
use crate::http::fields::{FieldError, Fields};
use crate::model::organization::{Invitation, Membership, MembershipRole, Organization};
use crate::model::text::{DisplayName, Email, InvalidText};
use crate::model::user::User;

/// What is said where there is nothing to show.
#[derive(Serialize, ToSchema)]
pub(super) struct Message {
    /// For people to read.
    pub(super) message: &'static str,
}

/// A text that must be one of these, which is said together with what else is wrong.
fn parsed<T: FromStr<Err = InvalidText>>(fields: &mut Fields, field: &'static str) -> Result<String, FieldError> {
    let text = fields.name(field)?;
    match text.parse::<T>() {
        Ok(_) => Ok(text),
        Err(why) => Err(FieldError::new(field, why.to_string())),
    }
}

/// A new account.
#[derive(ToSchema)]
pub(super) struct Register {
    /// Their address.
    pub(super) email: String,
    /// Their password.
    pub(super) password: String,
    /// For people to read.
    pub(super) name: String,
}

impl Register {
    pub(super) fn read(fields: &mut Fields) -> Result<Self, Error> {
        let mut reading = Reading::default();
        let email = reading.take(parsed::<Email>(fields, "email"));
        let password = reading.take(fields.text("password"));
        let name = reading.take(parsed::<DisplayName>(fields, "name"));
        reading.done(Self { email, password, name })
    }
}

/// An account was made, or its owner told that it is there.
#[derive(Serialize, ToSchema)]
pub(super) struct Registered {
    /// For people to read.
    pub(super) message: &'static str,
    /// A bare UUID.
    pub(super) user_id: String,
}

/// A sign-in.
#[derive(ToSchema)]
pub(super) struct Login {
    /// Their address.
    pub(super) email: String,
    /// Their password.
    pub(super) password: String,
}

impl Login {
    pub(super) fn read(fields: &mut Fields) -> Result<Self, Error> {
        let mut reading = Reading::default();
        let email = reading.take(fields.name("email"));
        let password = reading.take(fields.text("password"));
        reading.done(Self { email, password })
    }
}

/// The second factor of a sign-in.
#[derive(ToSchema)]
pub(super) struct SecondFactor {
    /// From the answer to the password.
    pub(super) mfa_token: String,
    /// Of an authenticator app, or a recovery code.
    pub(super) code: String,
}

impl SecondFactor {
    pub(super) fn read(fields: &mut Fields) -> Result<Self, Error> {
        let mut reading = Reading::default();
        let mfa_token = reading.take(fields.text("mfa_token"));
        let code = reading.take(fields.text("code"));
        reading.done(Self { mfa_token, code })
    }
}

/// A refresh token.
#[derive(ToSchema)]
pub(super) struct Refresh {
    /// From the answer to a sign-in, or to the refresh before.
    pub(super) refresh_token: String,
}

impl Refresh {
    pub(super) fn read(fields: &mut Fields) -> Result<Self, Error> {
        Ok(Self { refresh_token: fields.text("refresh_token")? })
    }
}

/// Tokens.
#[derive(Serialize, ToSchema)]
pub(super) struct Tokens {
    /// For `Authorization: Bearer`.
    access_token: String,
    /// For `POST /api/auth/refresh`, once.
    refresh_token: String,
}

impl Tokens {
    pub(super) fn new(granted: &Granted) -> Self {
        let refresh = granted.refresh.as_ref().map(|token| token.expose().clone());
        Self { access_token: granted.access.token.clone(), refresh_token: refresh.unwrap_or_default() }
    }
}

/// Somebody signed in.
#[derive(Serialize, ToSchema)]
pub(super) struct SignedIn {
    /// Their tokens.
    #[serde(flatten)]
    pub(super) tokens: Tokens,
    /// Who.
    pub(super) user: Account,
}

/// An account.
#[derive(Serialize, ToSchema)]
pub(super) struct Account {
    /// A bare UUID.
    id: String,
    /// As it was given.
    email: Option<String>,
    /// For people to read.
    name: Option<String>,
    /// `super_admin`, `admin` or `user`: the highest that they hold.
    role: &'static str,
}

impl Account {
    /// A user with the highest role that they hold.
    pub(super) fn new(user: User, role: &'static str) -> Self {
        Self { id: user.id.uuid().to_string(), email: user.email, name: user.name, role }
    }
}

/// One's own account.
#[derive(Serialize, ToSchema)]
pub(super) struct Me {
    /// Who.
    #[serde(flatten)]
    pub(super) account: Account,
    /// The workspaces that they belong to, by name.
    pub(super) workspaces: Vec<OwnWorkspace>,
}

/// A workspace that somebody belongs to.
#[derive(Serialize, ToSchema)]
pub(in crate::http::faces) struct OwnWorkspace {
    /// A bare UUID.
    id: String,
    /// For people to read.
    name: String,
    /// Its short name.
    slug: String,
    /// `owner`, `admin` or `member`: what they are there.
    role: &'static str,
}

impl From<Standing> for OwnWorkspace {
    fn from(Standing { organization, membership }: Standing) -> Self {
        let Organization { id, name, slug, .. } = organization;
        Self { id: id.uuid().to_string(), name, slug, role: membership.role.as_str() }
    }
}

/// One's own workspaces.
#[derive(Serialize, ToSchema)]
pub(super) struct OwnWorkspaces {
    /// By name.
    pub(super) workspaces: Vec<OwnWorkspace>,
}

/// A new workspace.
#[derive(ToSchema)]
pub(super) struct CreateWorkspace {
    /// For people to read.
    pub(super) name: String,
    /// Its short name: lower-case letters, digits, and hyphens between them; made from the name where none
    /// is given.
    pub(super) slug: Option<String>,
}

impl CreateWorkspace {
    pub(super) fn read(fields: &mut Fields) -> Result<Self, Error> {
        let mut reading = Reading::default();
        let name = reading.take(parsed::<DisplayName>(fields, "name"));
        let slug = reading.take(fields.optional_text("slug"));
        reading.done(Self { name, slug })
    }
}

/// What is to change about a workspace.
#[derive(ToSchema)]
pub(super) struct ChangeWorkspace {
    /// For people to read.
    pub(super) name: String,
}

impl ChangeWorkspace {
    pub(super) fn read(fields: &mut Fields) -> Result<Self, Error> {
        Ok(Self { name: fields.name("name")? })
    }
}

/// A workspace.
#[derive(Serialize, ToSchema)]
pub(super) struct Workspace {
    /// A bare UUID.
    id: String,
    /// For people to read.
    name: String,
    /// Its short name.
    slug: String,
    /// What it has subscribed to.
    plan: String,
    /// Whether its members can sign in by their own identity provider.
    sso_enabled: bool,
}

impl Workspace {
    pub(super) fn new(organization: Organization, sso_enabled: bool) -> Self {
        let Organization { id, name, slug, plan, .. } = organization;
        Self { id: id.uuid().to_string(), name, slug, plan, sso_enabled }
    }
}

/// The members of a workspace.
#[derive(Serialize, ToSchema)]
pub(super) struct MemberList {
    /// Who came first first.
    pub(super) members: Vec<Member>,
    /// Where to go on, while there are more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) next_cursor: Option<String>,
}

/// A member of a workspace.
#[derive(Serialize, ToSchema)]
pub(super) struct Member {
    /// The membership's, a bare UUID.
    id: String,
    /// Who.
    user: MemberUser,
    /// `owner`, `admin` or `member`.
    role: &'static str,
    /// RFC 3339.
    created_at: String,
}

/// Who a member is.
#[derive(Serialize, ToSchema)]
struct MemberUser {
    /// A bare UUID.
    id: String,
    /// As it was given.
    email: Option<String>,
    /// For people to read.
    name: Option<String>,
}

impl From<(Membership, User)> for Member {
    fn from((membership, user): (Membership, User)) -> Self {
        Self {
            id: membership.id.uuid().to_string(),
            user: MemberUser { id: user.id.uuid().to_string(), email: user.email, name: user.name },
            role: membership.role.as_str(),
            created_at: membership.created_at.rfc3339(),
        }
    }
}

/// What somebody is to be in a workspace.
fn role(fields: &mut Fields) -> Result<Option<MembershipRole>, FieldError> {
    let role = fields.text("role")?;
    let known = role.parse().map_err(|_| FieldError::new("role", "must be owner, admin or member"));
    known.map(Some)
}

/// An invitation that is to go out.
#[derive(ToSchema)]
pub(super) struct Invite {
    /// To this address.
    pub(super) email: String,
    /// `owner`, `admin` or `member`.
    #[schema(value_type = String)]
    pub(super) role: MembershipRole,
}

impl Invite {
    pub(super) fn read(fields: &mut Fields) -> Result<Self, Error> {
        let mut reading = Reading::default();
        let email = reading.take(parsed::<Email>(fields, "email"));
        let role = reading.take(role(fields)).unwrap_or(MembershipRole::Member);
        reading.done(Self { email, role })
    }
}

/// An invitation goes out.
#[derive(Serialize, ToSchema)]
pub(super) struct Invited {
    /// For people to read.
    pub(super) message: &'static str,
    /// A bare UUID.
    pub(super) invite_id: String,
}

/// What is to change about a member.
#[derive(ToSchema)]
pub(super) struct ChangeMember {
    /// `owner`, `admin` or `member`.
    #[schema(value_type = String)]
    pub(super) role: MembershipRole,
}

impl ChangeMember {
    pub(super) fn read(fields: &mut Fields) -> Result<Self, Error> {
        let mut reading = Reading::default();
        let role = reading.take(role(fields)).unwrap_or(MembershipRole::Member);
        reading.done(Self { role })
    }
}

/// The invitations of a workspace.
#[derive(Serialize, ToSchema)]
pub(super) struct InvitationList {
    /// Those that can still be followed, the oldest first.
    pub(super) invitations: Vec<ShownInvitation>,
}

/// An invitation that can still be followed.
#[derive(Serialize, ToSchema)]
pub(super) struct ShownInvitation {
    /// A bare UUID.
    id: String,
    /// To this address.
    email: String,
    /// `owner`, `admin` or `member`.
    role: &'static str,
    /// RFC 3339.
    created_at: String,
    /// RFC 3339.
    expires_at: String,
}

impl From<Invitation> for ShownInvitation {
    fn from(invitation: Invitation) -> Self {
        Self {
            id: invitation.id.uuid().to_string(),
            email: invitation.email,
            role: invitation.role.as_str(),
            created_at: invitation.created_at.rfc3339(),
            expires_at: invitation.expires_at.rfc3339(),
        }
    }
}

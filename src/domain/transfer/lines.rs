//! The lines of the file, one noun each. `{"kind":"user",…}`; a member that a line does not know is an
//! error, so that a slip of the pen is found.
//!
//! The header comes first. A `tenant` line says whose all lines after it are; what a line names must
//! stand before it.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::values::{At, Bytes, SecretBytes, Sha256};
use crate::model::client::{AccessTokenFormat, AuthMethod, GrantType};
use crate::model::client_settings::ClientSettings;
use crate::model::connection::{ConnectionSettings, Provider};
use crate::model::ids::{
    ApiClientId, AssignmentId, ClientId, ConnectionId, KeyId, MembershipId, ModuleId, OrganizationId, PermissionId,
    RoleId, ScopedGrantId, SiteId, SystemId, TenantId, UserId,
};
use crate::model::organization::MembershipRole;
use crate::model::role::RoleScope;
use crate::model::scope::OAuthScope;
use crate::model::scoped_grant::GrantScope;
use crate::model::signing_key::{KeyState, SigningAlg};
use crate::model::tenant::{TenantKeyKind, TenantSettings};

/// The only version there is.
pub(super) const VERSION: u32 = 1;

/// What the first line of a file says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    pub(super) gatehouse: Export,
    pub(super) version: u32,
    /// Whether it holds a whole installation: every tenant, the default one first.
    #[serde(default)]
    pub(super) installation: bool,
    /// Whether secrets are in it that are sealed in the database.
    #[serde(default)]
    pub(super) secrets: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Export {
    Export,
}

impl Header {
    pub(super) const fn new(installation: bool, secrets: bool) -> Self {
        Self { gatehouse: Export::Export, version: VERSION, installation, secrets }
    }

    /// Whether what follows is enough to make an installation of.
    #[must_use]
    pub const fn makes_installation(&self) -> bool {
        self.installation
    }
}

/// One line after the first.
#[derive(Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(super) enum Line {
    Tenant(TenantLine),
    SigningKey(SigningKeyLine),
    Permission(PermissionLine),
    Role(RoleLine),
    Client(Box<ClientLine>),
    User(Box<UserLine>),
    RoleAssignment(RoleAssignmentLine),
    Passkey(PasskeyLine),
    Totp(TotpLine),
    RecoveryCode(RecoveryCodeLine),
    Organization(OrganizationLine),
    Membership(MembershipLine),
    SamlKey(SamlKeyLine),
    Connection(Box<ConnectionLine>),
    Identity(IdentityLine),
    System(SystemLine),
    Module(ModuleLine),
    Site(SiteLine),
    ApiClient(ApiClientLine),
    ScopedGrant(ScopedGrantLine),
}

impl Line {
    /// What it is of.
    pub(super) const fn kind(&self) -> &'static str {
        match self {
            Self::Tenant(_) => "tenant",
            Self::SigningKey(_) => "signing_key",
            Self::Permission(_) => "permission",
            Self::Role(_) => "role",
            Self::Client(_) => "client",
            Self::User(_) => "user",
            Self::RoleAssignment(_) => "role_assignment",
            Self::Passkey(_) => "passkey",
            Self::Totp(_) => "totp",
            Self::RecoveryCode(_) => "recovery_code",
            Self::Organization(_) => "organization",
            Self::Membership(_) => "membership",
            Self::SamlKey(_) => "saml_key",
            Self::Connection(_) => "connection",
            Self::Identity(_) => "identity",
            Self::System(_) => "system",
            Self::Module(_) => "module",
            Self::Site(_) => "site",
            Self::ApiClient(_) => "api_client",
            Self::ScopedGrant(_) => "scoped_grant",
        }
    }
}

const fn yes() -> bool {
    true
}

const fn is_false(flag: &bool) -> bool {
    !*flag
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TenantLine {
    pub(super) id: TenantId,
    pub(super) name: String,
    #[serde(default)]
    pub(super) is_default: bool,
    #[serde(default = "yes")]
    pub(super) enabled: bool,
    #[serde(default)]
    pub(super) settings: TenantSettings,
    pub(super) created_at: At,
    #[serde(default)]
    pub(super) keys: Vec<TenantKeyLine>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TenantKeyLine {
    pub(super) kind: TenantKeyKind,
    pub(super) digest: Sha256,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) public_text: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) expires_at: Option<At>,
    pub(super) created_at: At,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SigningKeyLine {
    pub(super) kid: KeyId,
    pub(super) alg: SigningAlg,
    pub(super) state: KeyState,
    /// PKCS#8; none of a removed key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) private: Option<SecretBytes>,
    pub(super) public_jwk: Value,
    pub(super) created_at: At,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) activated_at: Option<At>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) retired_at: Option<At>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PermissionLine {
    pub(super) id: PermissionId,
    pub(super) code: String,
    pub(super) name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) description: Option<String>,
    #[serde(default, skip_serializing_if = "is_false")]
    pub(super) is_system: bool,
    pub(super) created_at: At,
    pub(super) updated_at: At,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RoleLine {
    pub(super) id: RoleId,
    pub(super) code: String,
    pub(super) name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) description: Option<String>,
    pub(super) scope: RoleScope,
    #[serde(default, skip_serializing_if = "is_false")]
    pub(super) is_system: bool,
    #[serde(default = "yes")]
    pub(super) is_active: bool,
    /// Ids, sorted.
    #[serde(default)]
    pub(super) permissions: Vec<PermissionId>,
    pub(super) created_at: At,
    pub(super) updated_at: At,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ClientLine {
    pub(super) id: ClientId,
    pub(super) name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) description: Option<String>,
    #[serde(default = "yes")]
    pub(super) enabled: bool,
    pub(super) auth_method: AuthMethod,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) secret_digest: Option<Sha256>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) previous_secret: Option<(Sha256, At)>,
    /// The secret itself, of clients that sign with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) secret: Option<SecretBytes>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) jwks: Option<String>,
    pub(super) grant_types: Vec<GrantType>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) redirect_uris: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) post_logout_redirect_uris: Vec<String>,
    #[serde(default)]
    pub(super) scope: OAuthScope,
    #[serde(default)]
    pub(super) permissions: OAuthScope,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) default_audience: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) audiences: Vec<String>,
    pub(super) access_token_format: AccessTokenFormat,
    pub(super) signing_alg: SigningAlg,
    /// Seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) access_token_ttl: Option<u64>,
    /// Seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) refresh_token_ttl: Option<u64>,
    #[serde(default)]
    pub(super) settings: ClientSettings,
    pub(super) created_at: At,
}

/// Of a person from another system an address or username is enough; the rest has defaults.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct UserLine {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) id: Option<UserId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) external_sub: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) email: Option<String>,
    #[serde(default)]
    pub(super) email_verified: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) username: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) name: Option<String>,
    /// Argon2, scrypt or PBKDF2 in PHC form, or bcrypt in modular form.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) password_hash: Option<String>,
    #[serde(default = "nothing")]
    pub(super) profile: Value,
    #[serde(default = "yes")]
    pub(super) enabled: bool,
    #[serde(default, skip_serializing_if = "is_false")]
    pub(super) has_second_factor: bool,
    #[serde(default, skip_serializing_if = "is_false")]
    pub(super) verification_due: bool,
    #[serde(default)]
    pub(super) token_epoch: i32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) created_at: Option<At>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) updated_at: Option<At>,
}

fn nothing() -> Value {
    json!({})
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RoleAssignmentLine {
    pub(super) id: AssignmentId,
    pub(super) user: UserId,
    pub(super) role: RoleId,
    pub(super) granted_by: String,
    pub(super) granted_at: At,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) expires_at: Option<At>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PasskeyLine {
    pub(super) credential_id: Bytes,
    pub(super) user: UserId,
    pub(super) name: String,
    /// The public key, the signature counter and what else is checked.
    pub(super) credential: String,
    pub(super) created_at: At,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) last_used_at: Option<At>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TotpLine {
    pub(super) user: UserId,
    pub(super) secret: SecretBytes,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) last_step: Option<i64>,
    pub(super) created_at: At,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) confirmed_at: Option<At>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RecoveryCodeLine {
    pub(super) user: UserId,
    pub(super) digest: Sha256,
    pub(super) created_at: At,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) used_at: Option<At>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OrganizationLine {
    pub(super) id: OrganizationId,
    pub(super) key: String,
    pub(super) slug: String,
    pub(super) name: String,
    pub(super) plan: String,
    #[serde(default = "yes")]
    pub(super) enabled: bool,
    pub(super) created_at: At,
    pub(super) updated_at: At,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct MembershipLine {
    pub(super) id: MembershipId,
    pub(super) organization: OrganizationId,
    pub(super) user: UserId,
    pub(super) role: MembershipRole,
    pub(super) created_at: At,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SamlKeyLine {
    /// PKCS#8.
    pub(super) private: SecretBytes,
    /// DER in base64.
    pub(super) certificate: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ConnectionLine {
    pub(super) id: ConnectionId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) organization: Option<OrganizationId>,
    pub(super) name: String,
    #[serde(default = "yes")]
    pub(super) enabled: bool,
    pub(super) provider: Provider,
    #[serde(default)]
    pub(super) settings: ConnectionSettings,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) domains: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) secret: Option<SecretBytes>,
    pub(super) created_at: At,
    pub(super) updated_at: At,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct IdentityLine {
    pub(super) connection: ConnectionId,
    /// Who they are there.
    pub(super) subject: String,
    pub(super) user: UserId,
    pub(super) created_at: At,
    pub(super) used_at: At,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SystemLine {
    pub(super) id: SystemId,
    pub(super) key: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) code: Option<String>,
    pub(super) name: String,
    #[serde(default = "yes")]
    pub(super) enabled: bool,
    pub(super) created_at: At,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ModuleLine {
    pub(super) id: ModuleId,
    pub(super) key: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) code: Option<String>,
    pub(super) system: SystemId,
    pub(super) name: String,
    #[serde(default = "yes")]
    pub(super) enabled: bool,
    pub(super) created_at: At,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SiteLine {
    pub(super) id: SiteId,
    pub(super) key: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) code: Option<String>,
    pub(super) organization: OrganizationId,
    pub(super) name: String,
    #[serde(default = "yes")]
    pub(super) enabled: bool,
    pub(super) created_at: At,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ApiClientLine {
    pub(super) id: ApiClientId,
    pub(super) name: String,
    pub(super) client_key: String,
    pub(super) secret_digest: Sha256,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) previous_secret: Option<(Sha256, At)>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) expires_at: Option<At>,
    #[serde(default = "yes")]
    pub(super) enabled: bool,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) origins: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) networks: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) paths: Vec<String>,
    pub(super) created_at: At,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ScopedGrantLine {
    pub(super) id: ScopedGrantId,
    pub(super) user: UserId,
    pub(super) scope_type: GrantScope,
    pub(super) scope: String,
    pub(super) module: String,
    pub(super) action: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) organization: Option<OrganizationId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) site: Option<SiteId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) module_id: Option<ModuleId>,
    pub(super) granted_by: String,
    pub(super) granted_at: At,
}

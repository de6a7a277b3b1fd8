//! Lines → nouns, by the rules that hold for whoever makes such a noun.

use std::time::Duration;

use super::lines::{
    ClientLine, ConnectionLine, Line, ScopedGrantLine, SigningKeyLine, TenantKeyLine, TenantLine, UserLine,
};
use super::values::{At, SecretBytes};
use crate::crypto::certificate::{CertifiedKey, inspect};
use crate::crypto::jwk::PrivateKey;
use crate::crypto::password_hash::HashScheme;
use crate::domain::api_clients::AllowLists;
use crate::domain::factors::{passkeys, totp};
use crate::domain::{
    Core, DomainError, Invalid, clients, connections, keys, organizations, saml_keys, scoped_grants, users,
};
use crate::model::api_client::ApiClient;
use crate::model::catalogue::{self, Module, Site, System};
use crate::model::client::{Client, ClientSecrets};
use crate::model::connection::{Connection, Identity};
use crate::model::factors::{Passkey, RecoveryCode, TotpFactor};
use crate::model::ids::{PermissionId, TenantId, UserId};
use crate::model::organization::{Membership, Organization, Slug};
use crate::model::permission::{Permission, PermissionCode};
use crate::model::role::{Role, RoleAssignment};
use crate::model::scoped_grant::{GrantTarget, ScopedGrant};
use crate::model::signing_key::{KeyState, SigningKey};
use crate::model::tenant::{Tenant, TenantKey};
use crate::model::text::{DisplayName, Email, Username};
use crate::model::time::Timestamp;
use crate::model::user::{ExternalSub, User};

/// What a line says, checked.
pub(super) enum Row {
    SigningKey(SigningKey),
    Permission(Permission),
    Role(Role, Vec<PermissionId>),
    Client(Box<Client>),
    User(Box<Person>),
    RoleAssignment(RoleAssignment),
    Passkey(Passkey),
    Totp(TotpFactor),
    RecoveryCode(RecoveryCode),
    Organization(Organization),
    Membership(Membership),
    SamlKey { sealed: Vec<u8>, certificate: String },
    Connection(Box<Connection>),
    Identity(Identity),
    System(System),
    Module(Module),
    Site(Site),
    ApiClient(ApiClient),
    ScopedGrant(ScopedGrant),
}

/// A user and the names by which they sign in, in canonical form.
pub(super) struct Person {
    pub(super) user: User,
    pub(super) names: Vec<String>,
    /// Whether the file says which user it is; else they are known by their names.
    pub(super) has_id: bool,
}

/// A text of a type, as it was given.
fn text<T: std::str::FromStr<Err: std::fmt::Display>>(field: &'static str, text: &str) -> Result<T, Invalid> {
    text.parse().map_err(|why: T::Err| Invalid::new(field, why.to_string()))
}

fn name(given: &str) -> Result<String, Invalid> {
    text::<DisplayName>("name", given).map(|name| name.as_str().to_owned())
}

/// A text for which there is no type: so many characters at most, none of them a control character.
fn plain(field: &'static str, text: String, longest: usize) -> Result<String, Invalid> {
    let fits = !text.is_empty() && text.chars().count() <= longest && !text.contains(char::is_control);
    if fits { Ok(text) } else { Err(Invalid::new(field, format!("must be 1 to {longest} printable characters"))) }
}

fn description(given: Option<String>) -> Result<Option<String>, Invalid> {
    given.map(|text| plain("description", text, 1000)).transpose()
}

fn key(given: String) -> Result<String, Invalid> {
    match catalogue::number_of(&given) {
        Some(_) => Ok(given),
        None => Err(Invalid::new("key", "is not a catalogue key, as in ST20260331X0007")),
    }
}

fn code(given: Option<String>) -> Result<Option<String>, DomainError> {
    given.as_deref().map(crate::domain::catalogue::code).transpose()
}

fn moment(at: Option<At>) -> Option<Timestamp> {
    at.map(|At(moment)| moment)
}

impl TenantLine {
    /// The tenant and its keys.
    pub(super) fn read(self) -> Result<(Tenant, Vec<TenantKey>), Invalid> {
        let key = |key: TenantKeyLine| TenantKey {
            kind: key.kind,
            digest: key.digest.0,
            public_text: key.public_text,
            expires_at: moment(key.expires_at),
            created_at: key.created_at.0,
        };
        let tenant = Tenant {
            id: self.id,
            name: name(&self.name)?,
            is_default: self.is_default,
            enabled: self.enabled,
            settings: self.settings,
            created_at: self.created_at.0,
        };
        Ok((tenant, self.keys.into_iter().map(key).collect()))
    }
}

impl Line {
    /// What it says of this tenant; nothing for the line of a tenant itself.
    pub(super) fn read(self, core: &Core, tenant: TenantId) -> Result<Option<Row>, DomainError> {
        Ok(Some(match self {
            Self::Tenant(_) => return Ok(None),
            Self::SigningKey(line) => Row::SigningKey(line.read(core, tenant)?),
            Self::Permission(line) => Row::Permission(Permission {
                id: line.id,
                name: plain("name", line.name, 200)?,
                code: text::<PermissionCode>("code", &line.code)?,
                description: description(line.description)?,
                is_system: line.is_system,
                created_at: line.created_at.0,
                updated_at: line.updated_at.0,
            }),
            Self::Role(line) => Row::Role(
                Role {
                    id: line.id,
                    code: plain("code", line.code, 64)?,
                    name: plain("name", line.name, 200)?,
                    description: description(line.description)?,
                    scope: line.scope,
                    is_system: line.is_system,
                    is_active: line.is_active,
                    created_at: line.created_at.0,
                    updated_at: line.updated_at.0,
                },
                line.permissions,
            ),
            Self::Client(line) => Row::Client(Box::new(line.read(core, tenant)?)),
            Self::User(line) => Row::User(Box::new(line.read(core, tenant)?)),
            Self::RoleAssignment(line) => Row::RoleAssignment(RoleAssignment {
                id: line.id,
                user: line.user,
                role: line.role,
                granted_by: plain("granted_by", line.granted_by, 300)?,
                granted_at: line.granted_at.0,
                expires_at: moment(line.expires_at),
            }),
            Self::Passkey(line) => {
                passkeys::check_stored(&line.credential_id.0, &line.credential)?;
                Row::Passkey(Passkey {
                    credential_id: line.credential_id.0,
                    user: line.user,
                    name: plain("name", line.name, 200)?,
                    credential: line.credential,
                    created_at: line.created_at.0,
                    last_used_at: moment(line.last_used_at),
                })
            }
            Self::Totp(line) => Row::Totp(TotpFactor {
                user: line.user,
                sealed_secret: totp::seal(core, tenant, line.user, &line.secret.0)?,
                last_step: line.last_step,
                created_at: line.created_at.0,
                confirmed_at: moment(line.confirmed_at),
            }),
            Self::RecoveryCode(line) => Row::RecoveryCode(RecoveryCode {
                user: line.user,
                digest: line.digest.0,
                created_at: line.created_at.0,
                used_at: moment(line.used_at),
            }),
            Self::Organization(line) => Row::Organization(Organization {
                tenant,
                id: line.id,
                key: key(line.key)?,
                slug: text::<Slug>("slug", &line.slug)?.as_str().to_owned(),
                name: name(&line.name)?,
                plan: organizations::plan(&line.plan)?,
                enabled: line.enabled,
                created_at: line.created_at.0,
                updated_at: line.updated_at.0,
            }),
            Self::Membership(line) => Row::Membership(Membership {
                id: line.id,
                organization: line.organization,
                user: line.user,
                role: line.role,
                created_at: line.created_at.0,
            }),
            Self::SamlKey(line) => {
                let sealed = core.sealer.seal(saml_keys::context(tenant), line.private.0.expose(), &*core.entropy)?;
                let key = CertifiedKey::from_stored(line.private.0, line.certificate)?;
                if inspect(key.certificate()).is_none() {
                    return Err(Invalid::new("certificate", "is none").into());
                }
                Row::SamlKey { sealed, certificate: key.certificate().to_owned() }
            }
            Self::Connection(line) => Row::Connection(Box::new(line.read(core, tenant)?)),
            Self::Identity(line) => Row::Identity(Identity {
                connection: line.connection,
                subject: plain("subject", line.subject, 1024)?,
                user: line.user,
                created_at: line.created_at.0,
                used_at: line.used_at.0,
            }),
            Self::System(line) => Row::System(System {
                id: line.id,
                key: key(line.key)?,
                code: code(line.code)?,
                name: name(&line.name)?,
                enabled: line.enabled,
                created_at: line.created_at.0,
            }),
            Self::Module(line) => Row::Module(Module {
                id: line.id,
                key: key(line.key)?,
                code: code(line.code)?,
                system: line.system,
                name: name(&line.name)?,
                enabled: line.enabled,
                created_at: line.created_at.0,
            }),
            Self::Site(line) => Row::Site(Site {
                id: line.id,
                key: key(line.key)?,
                code: code(line.code)?,
                organization: line.organization,
                name: name(&line.name)?,
                enabled: line.enabled,
                created_at: line.created_at.0,
            }),
            Self::ApiClient(line) => {
                let lists = AllowLists { origins: line.origins, networks: line.networks, paths: line.paths };
                let allowed = lists.read()?;
                Row::ApiClient(ApiClient {
                    tenant,
                    id: line.id,
                    name: name(&line.name)?,
                    client_key: plain("client_key", line.client_key, 200)?,
                    secret: line.secret_digest.0,
                    previous_secret: line.previous_secret.map(|(digest, until)| (digest.0, until.0)),
                    expires_at: moment(line.expires_at),
                    enabled: line.enabled,
                    origins: allowed.origins,
                    networks: allowed.networks,
                    paths: allowed.paths,
                    created_at: line.created_at.0,
                })
            }
            Self::ScopedGrant(line) => {
                let ScopedGrantLine { scope_type, scope, module, action, .. } = line;
                let target = GrantTarget { scope_type, scope, module, action };
                scoped_grants::check(&target)?;
                Row::ScopedGrant(ScopedGrant {
                    id: line.id,
                    user: line.user,
                    target,
                    organization: line.organization,
                    site: line.site,
                    module: line.module_id,
                    granted_by: plain("granted_by", line.granted_by, 300)?,
                    granted_at: line.granted_at.0,
                })
            }
        }))
    }
}

impl SigningKeyLine {
    fn read(self, core: &Core, tenant: TenantId) -> Result<SigningKey, DomainError> {
        let sealed_private = match (&self.private, self.state) {
            (None, KeyState::Removed) => Vec::new(),
            (None, _) => return Err(Invalid::new("private", "is required of a key that is not removed").into()),
            (Some(SecretBytes(der)), _) => {
                let public = PrivateKey::from_pkcs8(self.alg, der.expose())?.public_jwk()?;
                if public.kid.as_deref() != Some(self.kid.as_str()) {
                    return Err(Invalid::new("kid", "is not that of the private key").into());
                }
                core.sealer.seal(keys::seal_context(tenant, &self.kid), der.expose(), &*core.entropy)?
            }
        };
        Ok(SigningKey {
            tenant,
            kid: self.kid,
            alg: self.alg,
            state: self.state,
            public_jwk: self.public_jwk.to_string(),
            sealed_private,
            created_at: self.created_at.0,
            activated_at: moment(self.activated_at),
            retired_at: moment(self.retired_at),
        })
    }
}

impl ClientLine {
    fn read(self, core: &Core, tenant: TenantId) -> Result<Client, DomainError> {
        let seal = |SecretBytes(secret): &SecretBytes| {
            core.sealer.seal(clients::seal_context(tenant, &self.id), secret.expose(), &*core.entropy)
        };
        let sealed = self.secret.as_ref().map(seal).transpose()?;
        let client = Client {
            tenant,
            secrets: self.secret_digest.map(|current| ClientSecrets {
                current: current.0,
                previous: self.previous_secret.map(|(digest, until)| (digest.0, until.0)),
                sealed,
            }),
            id: self.id,
            name: self.name,
            description: self.description,
            enabled: self.enabled,
            auth_method: self.auth_method,
            jwks: self.jwks,
            grant_types: self.grant_types,
            redirect_uris: self.redirect_uris,
            post_logout_redirect_uris: self.post_logout_redirect_uris,
            scope: self.scope,
            permissions: self.permissions,
            default_audience: self.default_audience,
            audiences: self.audiences,
            access_token_format: self.access_token_format,
            signing_alg: self.signing_alg,
            access_token_ttl: self.access_token_ttl.map(Duration::from_secs),
            refresh_token_ttl: self.refresh_token_ttl.map(Duration::from_secs),
            settings: self.settings,
            created_at: self.created_at.0,
        };
        clients::check_whole(&client)?;
        Ok(client)
    }
}

impl ConnectionLine {
    fn read(self, core: &Core, tenant: TenantId) -> Result<Connection, DomainError> {
        let name = self.id.to_string();
        let context = connections::seal_context(tenant, &name);
        let seal = |SecretBytes(secret): SecretBytes| core.sealer.seal(context, secret.expose(), &*core.entropy);
        connections::checked(Connection {
            tenant,
            id: self.id,
            organization: self.organization,
            name: self.name,
            enabled: self.enabled,
            provider: self.provider,
            settings: self.settings,
            domains: self.domains,
            sealed_secret: self.secret.map(seal).transpose()?,
            created_at: self.created_at.0,
            updated_at: self.updated_at.0,
        })
    }
}

impl UserLine {
    fn read(self, core: &Core, tenant: TenantId) -> Result<Person, DomainError> {
        let email: Option<Email> = self.email.as_deref().map(|given| text("email", given)).transpose()?;
        let username: Option<Username> = self.username.as_deref().map(|given| text("username", given)).transpose()?;
        let names: Vec<String> = email
            .as_ref()
            .map(Email::canonical)
            .into_iter()
            .chain(username.as_ref().map(Username::canonical))
            .collect();
        if names.is_empty() && self.external_sub.is_none() {
            return Err(Invalid::new("email", "or username is required").into());
        }
        users::check_profile(&self.profile)?;
        if let Some(hash) = &self.password_hash {
            HashScheme::recognise(hash).map_err(|why| Invalid::new("password_hash", why.to_string()))?;
        }
        let external_sub: Option<ExternalSub> =
            self.external_sub.as_deref().map(|given| text("external_sub", given)).transpose()?;
        let now = core.clock.now();
        let created_at = moment(self.created_at).unwrap_or(now);
        let user = User {
            tenant,
            id: self.id.unwrap_or_else(|| UserId::from_uuid(core.entropy.uuid_v7(now))),
            external_sub: external_sub.map(|sub| sub.as_str().to_owned()),
            email: email.map(|email| email.as_str().to_owned()),
            email_verified: self.email_verified,
            verification_due: self.verification_due,
            username: username.map(|name| name.as_str().to_owned()),
            name: self.name.as_deref().map(name).transpose()?,
            password_hash: self.password_hash,
            profile: self.profile,
            enabled: self.enabled,
            has_second_factor: self.has_second_factor,
            token_epoch: self.token_epoch.max(0),
            created_at,
            updated_at: moment(self.updated_at).unwrap_or(created_at),
        };
        Ok(Person { user, names, has_id: self.id.is_some() })
    }
}

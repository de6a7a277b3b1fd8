//! Connections on the wire.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use utoipa::ToSchema;

use crate::domain::connections::{ConnectionChange, NewConnection};
use crate::http::faces::admin::members::body;
use crate::http::fields::FieldError;
use crate::model::connection::{Connection, ConnectionKind, ConnectionSettings, Provider, SamlProvider};
use crate::model::ids::OrganizationId;
use crate::model::secret::Secret;
use crate::protocol::saml::provider;
use crate::protocol::upstream::Finding;

/// A connection; its secret is never shown.
#[derive(Serialize, ToSchema)]
#[schema(as = Connection)]
pub(super) struct ConnectionShown {
    /// `con_…`.
    id: String,
    /// `oidc`, `oauth2` or `saml`.
    kind: &'static str,
    /// What people know it by: the text of its button.
    name: String,
    /// Whether it lets anybody in.
    enabled: bool,
    /// `org_…`: whose members sign in by it; everybody where it is `null`.
    organization_id: Option<String>,
    /// How it is reached.
    #[schema(value_type = Object)]
    provider: Provider,
    /// What is made of who comes from there.
    #[schema(value_type = Object)]
    settings: ConnectionSettings,
    /// The domains of addresses that lead there.
    domains: Vec<String>,
    /// Whether we have a secret there.
    has_secret: bool,
    /// Where the provider must send people back to; SAML providers are told by metadata.
    redirect_uri: Option<String>,
    /// RFC 3339.
    created_at: String,
    /// RFC 3339.
    updated_at: String,
}

impl ConnectionShown {
    /// With where the provider sends people back to.
    pub(super) fn new(connection: Connection, redirect_uri: String) -> Self {
        let kind = connection.provider.kind();
        Self {
            id: connection.id.to_string(),
            kind: kind.as_str(),
            name: connection.name,
            enabled: connection.enabled,
            organization_id: connection.organization.map(|id| id.to_string()),
            provider: connection.provider,
            settings: connection.settings,
            domains: connection.domains,
            has_secret: connection.sealed_secret.is_some(),
            redirect_uri: Some(redirect_uri).filter(|_| kind != ConnectionKind::Saml),
            created_at: connection.created_at.rfc3339(),
            updated_at: connection.updated_at.rfc3339(),
        }
    }
}

body! {
    /// A connection that is to be made.
    NewConnectionBody as NewConnection {
        /// What people know it by.
        name: String = text,
        /// `org_…`: whose members sign in by it; SAML needs one.
        #[schema(value_type = Option<String>)]
        organization_id: Option<OrganizationId> = name,
        /// `kind` is `oidc` (with `issuer`, `client_id`, `scopes`, `userinfo`), `oauth2` (with
        /// `authorization_endpoint`, `token_endpoint`, `userinfo_endpoint`, `client_id`, `scopes`, `pkce`) or
        /// `saml` (with `metadata`, `return_to`, `idp_initiated`).
        #[schema(value_type = Object)]
        provider: Option<Value> = object,
        /// `just_in_time`, `trusts_email`, `trusts_second_factor`, `mapping`.
        #[schema(value_type = Option<Object>)]
        settings: Option<Value> = object,
        /// The domains of addresses that lead there.
        domains: Option<Vec<String>> = texts,
        /// Our secret there.
        client_secret: Option<String> = optional,
    }
}

body! {
    /// What becomes of a connection: what is absent stays.
    ConnectionChangeBody as ConnectionChange {
        /// What people know it by.
        name: Option<String> = replacement,
        /// Whether it lets anybody in.
        enabled: Option<bool> = flag,
        /// How it is reached, all of it, of the same kind.
        #[schema(value_type = Option<Object>)]
        provider: Option<Value> = object,
        /// What is made of who comes from there, all of it.
        #[schema(value_type = Option<Object>)]
        settings: Option<Value> = object,
        /// The domains of addresses that lead there.
        domains: Option<Vec<String>> = texts,
        /// Our secret there.
        client_secret: Option<String> = replacement,
    }
}

impl NewConnectionBody {
    /// What is wished for.
    pub(super) fn wish(self) -> Result<NewConnection, FieldError> {
        let provider = self.provider.ok_or_else(|| FieldError::new("provider", "is required"))?;
        Ok(NewConnection {
            organization: self.organization_id,
            name: self.name,
            provider: provider_of(provider)?,
            settings: self.settings.map(settings_of).transpose()?.unwrap_or_default(),
            domains: self.domains.unwrap_or_default(),
            secret: self.client_secret.map(Secret::new),
        })
    }
}

impl ConnectionChangeBody {
    /// What is wished for.
    pub(super) fn wish(self) -> Result<ConnectionChange, FieldError> {
        Ok(ConnectionChange {
            name: self.name,
            enabled: self.enabled,
            provider: self.provider.map(provider_of).transpose()?,
            settings: self.settings.map(settings_of).transpose()?,
            domains: self.domains,
            secret: self.client_secret.map(Secret::new),
        })
    }
}

/// A SAML provider's name is what its metadata say.
fn provider_of(mut value: Value) -> Result<Provider, FieldError> {
    if let Some(members) = value.as_object_mut()
        && members.get("kind").is_some_and(|kind| kind == ConnectionKind::Saml.as_str())
    {
        members.entry("entity_id").or_insert_with(|| Value::String(String::new()));
    }
    let read = parsed("provider", value)?;
    let Provider::Saml(saml) = read else { return Ok(read) };
    let described = provider::read(&saml.metadata).map_err(|why| FieldError::new("provider", why.to_string()))?;
    Ok(Provider::Saml(SamlProvider { entity_id: described.entity_id, ..saml }))
}

fn settings_of(value: Value) -> Result<ConnectionSettings, FieldError> {
    parsed("settings", value)
}

fn parsed<T: DeserializeOwned + Serialize>(field: &'static str, value: Value) -> Result<T, FieldError> {
    // PostgreSQL can't store it, and no name has one.
    if value.to_string().contains("\\u0000") {
        return Err(FieldError::new(field, "must not contain a NUL character"));
    }
    let unread = |why: serde_json::Error| FieldError::new(field, format!("can't be read: {why}"));
    let read: T = serde_json::from_value(value.clone()).map_err(unread)?;
    if is_part(&value, &serde_json::to_value(&read).map_err(unread)?) {
        return Ok(read);
    }
    Err(FieldError::new(field, "has a member that is not known here"))
}

/// Whether every member that was given was read.
fn is_part(given: &Value, read: &Value) -> bool {
    match (given, read) {
        (Value::Object(given), Value::Object(read)) => {
            given.iter().all(|(name, value)| read.get(name).is_some_and(|read| is_part(value, read)))
        }
        _ => true,
    }
}

/// What was looked at.
#[derive(Serialize, ToSchema)]
#[schema(as = ConnectionTest)]
pub(super) struct TrialShown {
    /// Whether nothing stands in the way.
    fine: bool,
    /// What was found.
    findings: Vec<FindingShown>,
}

/// One thing that was looked at.
#[derive(Serialize, ToSchema)]
#[schema(as = ConnectionFinding)]
struct FindingShown {
    /// What.
    what: &'static str,
    /// Whether it is as it must be.
    fine: bool,
    /// What was found, in plain words.
    detail: String,
}

impl From<Vec<Finding>> for TrialShown {
    fn from(findings: Vec<Finding>) -> Self {
        let shown = |found: Finding| FindingShown { what: found.what, fine: found.fine, detail: found.detail };
        Self { fine: findings.iter().all(|found| found.fine), findings: findings.into_iter().map(shown).collect() }
    }
}

//! Clients on the wire.

use std::time::Duration;

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::settings;
use crate::domain::clients::{ClientChange, NewClient, Registered};
use crate::http::faces::admin::members::body;
use crate::http::fields::FieldError;
use crate::model::client::{AccessTokenFormat, AuthMethod, Client, GrantType};
use crate::model::client_settings::ClientSettings;
use crate::model::scope::OAuthScope;
use crate::model::signing_key::SigningAlg;

/// A client.
#[derive(Serialize, ToSchema)]
#[schema(as = Client)]
pub(super) struct ClientShown {
    /// Its public name.
    id: String,
    /// For people to read.
    name: String,
    /// For people to read.
    description: Option<String>,
    /// Whether it may act at all.
    enabled: bool,
    /// How it authenticates.
    auth_method: &'static str,
    /// Whether it has a secret.
    has_secret: bool,
    /// How it may obtain tokens.
    grant_types: Vec<&'static str>,
    /// Where a person may be sent back to.
    redirect_uris: Vec<String>,
    /// Where a person may be sent after sign-out.
    post_logout_redirect_uris: Vec<String>,
    /// What it may ask people for and, for a service, what it is granted: names separated by spaces.
    scope: String,
    /// What a service is granted: codes.
    permissions: Vec<String>,
    /// Its public keys, a JWK set.
    #[schema(value_type = Option<Object>)]
    jwks: Option<Value>,
    /// Audience of its tokens where a request names none.
    default_audience: Option<String>,
    /// Audiences that it may name.
    audiences: Vec<String>,
    /// `jwt` or `opaque`.
    access_token_format: &'static str,
    /// What its access tokens are signed with.
    signing_alg: &'static str,
    /// Life of its access tokens in seconds, where it differs from the tenant's.
    access_token_ttl: Option<u64>,
    /// Life of its refresh tokens in seconds, where it differs from the tenant's.
    refresh_token_ttl: Option<u64>,
    /// What OpenID Connect and registration say about it, by registered names.
    #[schema(value_type = Object)]
    settings: Value,
    /// RFC 3339.
    created_at: String,
}

impl From<Client> for ClientShown {
    fn from(client: Client) -> Self {
        Self {
            id: client.id.to_string(),
            auth_method: client.auth_method.as_str(),
            has_secret: client.secrets.is_some(),
            grant_types: client.grant_types.iter().map(|grant| grant.as_str()).collect(),
            scope: client.scope.union(&client.permissions).to_string(),
            permissions: client.permissions.iter().map(str::to_owned).collect(),
            jwks: client.jwks.as_deref().and_then(|jwks| serde_json::from_str(jwks).ok()),
            access_token_format: client.access_token_format.as_str(),
            signing_alg: client.signing_alg.as_str(),
            access_token_ttl: client.access_token_ttl.as_ref().map(Duration::as_secs),
            refresh_token_ttl: client.refresh_token_ttl.as_ref().map(Duration::as_secs),
            settings: settings::shown(&client.settings),
            created_at: client.created_at.rfc3339(),
            name: client.name,
            description: client.description,
            enabled: client.enabled,
            redirect_uris: client.redirect_uris,
            post_logout_redirect_uris: client.post_logout_redirect_uris,
            default_audience: client.default_audience,
            audiences: client.audiences,
        }
    }
}

/// A client, with its secret where it was just made.
#[derive(Serialize, ToSchema)]
#[schema(as = ClientWithSecret)]
pub(super) struct WithSecret {
    /// The client.
    #[serde(flatten)]
    #[schema(inline)]
    client: ClientShown,
    /// Shown once; absent where none was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    client_secret: Option<String>,
}

impl WithSecret {
    /// What a verb made.
    pub(super) fn new(made: Registered) -> Self {
        let client_secret = made.secret.map(|secret| secret.expose().clone());
        Self { client: made.client.into(), client_secret }
    }
}

body! {
    /// A client that is to be made: a service that authenticates with a secret, unless said otherwise.
    NewClientBody as NewClient {
        /// Made up where none is wished for.
        id: Option<String> = optional,
        /// For people to read.
        name: String = text,
        /// For people to read.
        description: Option<String> = optional,
        /// `client_secret_basic` unless said otherwise.
        #[schema(value_type = Option<String>)]
        auth_method: Option<AuthMethod> = name,
        /// Where there are redirect URIs, `authorization_code` and `refresh_token`, else `client_credentials`.
        #[schema(value_type = Option<Vec<String>>)]
        grant_types: Option<Vec<GrantType>> = names,
        /// Where a person may be sent back to.
        redirect_uris: Option<Vec<String>> = texts,
        /// Where a person may be sent after sign-out.
        post_logout_redirect_uris: Option<Vec<String>> = texts,
        /// What it may ask people for and, for a service, the permissions that it is granted.
        #[schema(value_type = Option<String>)]
        scope: Option<OAuthScope> = scope,
        /// Its public keys, a JWK set.
        #[schema(value_type = Option<Object>)]
        jwks: Option<Value> = object,
        /// Audience of its tokens where a request names none.
        default_audience: Option<String> = optional,
        /// Audiences that it may name.
        audiences: Option<Vec<String>> = texts,
        /// `jwt` or `opaque`.
        #[schema(value_type = Option<String>)]
        access_token_format: Option<AccessTokenFormat> = name,
        /// What its access tokens are signed with: `ES256` unless said otherwise.
        #[schema(value_type = Option<String>)]
        signing_alg: Option<SigningAlg> = name,
        /// Life of its access tokens, in seconds.
        #[schema(value_type = Option<u32>)]
        access_token_ttl: Option<Option<Duration>> = seconds_change,
        /// Life of its refresh tokens, in seconds.
        #[schema(value_type = Option<u32>)]
        refresh_token_ttl: Option<Option<Duration>> = seconds_change,
        /// What OpenID Connect and registration say about it, by registered names.
        #[schema(value_type = Option<Object>)]
        settings: Option<Value> = object,
    }
}

impl NewClientBody {
    /// The client, for the verb.
    pub(super) fn client(self) -> Result<NewClient, FieldError> {
        let service = NewClient::service(&self.name);
        let redirects = self.redirect_uris.as_ref().is_some_and(|uris| !uris.is_empty());
        let grants = || {
            if redirects { vec![GrantType::AuthorizationCode, GrantType::RefreshToken] } else { service.grant_types }
        };
        Ok(NewClient {
            id: self.id,
            description: self.description,
            auth_method: self.auth_method.unwrap_or(service.auth_method),
            jwks: self.jwks.map(|jwks| jwks.to_string()),
            grant_types: self.grant_types.unwrap_or_else(grants),
            redirect_uris: self.redirect_uris.unwrap_or_default(),
            post_logout_redirect_uris: self.post_logout_redirect_uris.unwrap_or_default(),
            scope: self.scope.unwrap_or(service.scope),
            default_audience: self.default_audience,
            audiences: self.audiences.unwrap_or_default(),
            access_token_format: self.access_token_format.unwrap_or(service.access_token_format),
            signing_alg: self.signing_alg.unwrap_or(service.signing_alg),
            access_token_ttl: self.access_token_ttl.flatten(),
            refresh_token_ttl: self.refresh_token_ttl.flatten(),
            settings: settings::merged(&service.settings, self.settings.unwrap_or(Value::Null))?,
            name: service.name,
        })
    }
}

body! {
    /// What becomes of a client: what is absent stays, what is `null` is taken away.
    ClientChangeBody as ClientChange {
        /// For people to read.
        name: Option<String> = replacement,
        /// For people to read.
        #[schema(value_type = Option<String>)]
        description: Option<Option<String>> = change,
        /// Whether it may act at all; `false` ends what it holds.
        enabled: Option<bool> = flag,
        /// A way that needs a secret which it does not have gives it a new one.
        #[schema(value_type = Option<String>)]
        auth_method: Option<AuthMethod> = name,
        /// How it may obtain tokens.
        #[schema(value_type = Option<Vec<String>>)]
        grant_types: Option<Vec<GrantType>> = names,
        /// Where a person may be sent back to.
        redirect_uris: Option<Vec<String>> = texts,
        /// Where a person may be sent after sign-out.
        post_logout_redirect_uris: Option<Vec<String>> = texts,
        /// What it may ask people for and, for a service, the permissions that it is granted: the whole of it.
        #[schema(value_type = Option<String>)]
        scope: Option<OAuthScope> = scope,
        /// Its public keys, a JWK set.
        #[schema(value_type = Option<Object>)]
        jwks: Option<Option<Value>> = object_change,
        /// Audience of its tokens where a request names none.
        #[schema(value_type = Option<String>)]
        default_audience: Option<Option<String>> = change,
        /// Audiences that it may name.
        audiences: Option<Vec<String>> = texts,
        /// `jwt` or `opaque`.
        #[schema(value_type = Option<String>)]
        access_token_format: Option<AccessTokenFormat> = name,
        /// What its access tokens are signed with.
        #[schema(value_type = Option<String>)]
        signing_alg: Option<SigningAlg> = name,
        /// Life of its access tokens, in seconds.
        #[schema(value_type = Option<u32>)]
        access_token_ttl: Option<Option<Duration>> = seconds_change,
        /// Life of its refresh tokens, in seconds.
        #[schema(value_type = Option<u32>)]
        refresh_token_ttl: Option<Option<Duration>> = seconds_change,
        /// What OpenID Connect and registration say about it: merged name by name.
        #[schema(value_type = Option<Object>)]
        settings: Option<Value> = object,
    }
}

impl ClientChangeBody {
    /// The change of a client that has these settings, for the verb.
    pub(super) fn change(self, held: ClientSettings) -> Result<ClientChange, FieldError> {
        Ok(ClientChange {
            name: self.name,
            description: self.description,
            enabled: self.enabled,
            auth_method: self.auth_method,
            grant_types: self.grant_types,
            redirect_uris: self.redirect_uris,
            post_logout_redirect_uris: self.post_logout_redirect_uris,
            scope: self.scope,
            jwks: self.jwks.map(|jwks| jwks.map(|jwks| jwks.to_string())),
            default_audience: self.default_audience,
            audiences: self.audiences,
            access_token_format: self.access_token_format,
            signing_alg: self.signing_alg,
            access_token_ttl: self.access_token_ttl,
            refresh_token_ttl: self.refresh_token_ttl,
            settings: self.settings.map(|change| settings::merged(&held, change)).transpose()?,
            held_registration_token: None,
        })
    }
}

/// A secret that was just made.
#[derive(Serialize, ToSchema)]
#[schema(as = ClientSecret)]
pub(super) struct NewSecret {
    /// Whose.
    pub(super) id: String,
    /// Shown once.
    pub(super) client_secret: String,
    /// Until when the one before counts, RFC 3339.
    pub(super) previous_works_until: String,
}

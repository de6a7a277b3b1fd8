//! The members of a registration, read strictly and written in full (RFC 7591 §2, OpenID Connect
//! Registration §2 and the documents that add to them). Members that nobody here knows are ignored.

use std::str::FromStr;

use serde_json::{Map, Value, json};

use super::{Information, digest, invalid};
use crate::domain::Ctx;
use crate::model::authorization::ResponseType;
use crate::model::client::{AuthMethod, Client, GrantType};
use crate::model::client_settings::{ApplicationType, ClientSettings, SubjectType};
use crate::model::scope::OAuthScope;
use crate::model::secret::Secret;
use crate::model::signing_key::SigningAlg;
use crate::protocol::oauth::OAuthError;
use crate::protocol::oauth::claims;

/// The grant types that a client may give itself. What acts without a person is the operator's to
/// give.
const OPEN_GRANTS: &[GrantType] =
    &[GrantType::AuthorizationCode, GrantType::RefreshToken, GrantType::Implicit, GrantType::DeviceCode];

/// What a client asks to be registered as.
pub(super) struct Metadata {
    client_name: Option<String>,
    pub(super) auth_method: AuthMethod,
    grants: Vec<GrantType>,
    pub(super) redirect_uris: Vec<String>,
    pub(super) post_logout_redirect_uris: Vec<String>,
    pub(super) jwks: Option<String>,
    scope: Option<OAuthScope>,
    /// All but what the operator alone decides.
    settings: ClientSettings,
}

impl Metadata {
    /// Reads the members.
    ///
    /// # Errors
    /// `invalid_client_metadata` for one of a wrong type, or of a value that is not known.
    pub(super) fn read(members: Map<String, Value>) -> Result<Self, OAuthError> {
        let mut m = Members(members);
        for encrypted in ["id_token_encrypted_response_alg", "userinfo_encrypted_response_alg"] {
            if m.text(encrypted)?.is_some() {
                // Who asks for secrecy must not get plain text instead.
                return Err(invalid(format!("{encrypted} is not supported")));
            }
        }
        let plain = ClientSettings::default();
        let settings = ClientSettings {
            application_type: m.parsed("application_type")?.unwrap_or(ApplicationType::Web),
            id_token_signed_response_alg: m.parsed("id_token_signed_response_alg")?.unwrap_or(SigningAlg::Rs256),
            userinfo_signed_response_alg: m.parsed("userinfo_signed_response_alg")?,
            request_object_signing_alg: m.text("request_object_signing_alg")?,
            token_endpoint_auth_signing_alg: m.text("token_endpoint_auth_signing_alg")?,
            require_signed_request_object: m.flag("require_signed_request_object")?,
            require_pushed_authorization_requests: m.flag("require_pushed_authorization_requests")?,
            response_types: m.all_parsed("response_types")?.unwrap_or_else(|| vec![ResponseType::CODE]),
            subject_type: m.parsed("subject_type")?.unwrap_or(SubjectType::Public),
            sector_identifier_uri: m.text("sector_identifier_uri")?,
            jwks_uri: m.text("jwks_uri")?,
            request_uris: m.texts("request_uris")?,
            logo_uri: m.text("logo_uri")?,
            client_uri: m.text("client_uri")?,
            policy_uri: m.text("policy_uri")?,
            tos_uri: m.text("tos_uri")?,
            contacts: m.texts("contacts")?,
            initiate_login_uri: m.text("initiate_login_uri")?,
            backchannel_logout_uri: m.text("backchannel_logout_uri")?,
            backchannel_logout_session_required: m.flag("backchannel_logout_session_required")?,
            frontchannel_logout_uri: m.text("frontchannel_logout_uri")?,
            frontchannel_logout_session_required: m.flag("frontchannel_logout_session_required")?,
            default_max_age: m.seconds("default_max_age")?,
            require_auth_time: m.flag("require_auth_time")?,
            default_acr_values: m.texts("default_acr_values")?,
            ..plain
        };
        // RFC 7591 §2: `software_id` and its kin say nothing that counts here, but have a type.
        m.text("software_id")?;
        m.text("software_version")?;
        Ok(Self {
            client_name: m.text("client_name")?,
            auth_method: m.parsed("token_endpoint_auth_method")?.unwrap_or(AuthMethod::ClientSecretBasic),
            grants: m.all_parsed("grant_types")?.unwrap_or_else(|| vec![GrantType::AuthorizationCode]),
            redirect_uris: m.texts("redirect_uris")?,
            post_logout_redirect_uris: m.texts("post_logout_redirect_uris")?,
            jwks: m.object("jwks")?,
            scope: m.parsed("scope")?,
            settings,
        })
    }

    /// Its name, or, where it has none, where it sends people.
    pub(super) fn name(&self) -> String {
        let host = || Some(url::Url::parse(self.redirect_uris.first()?).ok()?.host_str()?.to_owned());
        self.client_name.clone().or_else(host).unwrap_or_else(|| "an app".to_owned())
    }

    /// How it may obtain tokens; what the operator gave it already it may keep.
    pub(super) fn grant_types(&self, held: &[GrantType]) -> Result<Vec<GrantType>, OAuthError> {
        match self.grants.iter().find(|grant| !OPEN_GRANTS.contains(grant) && !held.contains(grant)) {
            Some(grant) => Err(invalid(format!("the grant type {grant} can't be registered; the operator gives it"))),
            None => Ok(self.grants.clone()),
        }
    }

    /// What it may ask people for: what everybody knows, and what the operator allowed it. Never a
    /// permission.
    pub(super) fn scope(&self, held: Option<&OAuthScope>) -> Result<OAuthScope, OAuthError> {
        let usual = OAuthScope::from_tokens(claims::scopes());
        Ok(match (&self.scope, held) {
            (Some(wish), held) => wish.intersection(&held.map_or_else(|| usual.clone(), |held| usual.union(held))),
            (None, Some(held)) => held.clone(),
            (None, None) => usual,
        })
    }

    /// Its settings under a new registration token; what only the operator decides is as it was.
    pub(super) fn settings(
        &self,
        ctx: &Ctx<'_>,
        was: &ClientSettings,
        token: &Secret<String>,
    ) -> Result<ClientSettings, OAuthError> {
        let legacy = was.legacy_response_types || ctx.tenant.tenant.settings.registration_legacy;
        let front = self.settings.response_types.iter().find(|wanted| wanted.is_front_channel());
        if let (Some(wanted), false) = (front, legacy) {
            return Err(invalid(format!("the response type \"{wanted}\" is not open to registration here")));
        }
        let is_new = was.registration_token.is_none();
        Ok(ClientSettings {
            legacy_response_types: was.legacy_response_types || front.is_some(),
            // Who can keep a secret need not use PKCE, which OpenID Connect clients may not know of.
            require_pkce: self.auth_method == AuthMethod::None || (!is_new && was.require_pkce),
            first_party: was.first_party,
            registration_token: Some(digest(token)),
            ..self.settings.clone()
        })
    }
}

/// All that is registered about a client, and by what it manages that.
pub(super) fn information(ctx: &Ctx<'_>, client: &Client, secret: Option<&Secret<String>>, token: &str) -> Information {
    let texts = |uris: &[String]| Value::from(uris.to_vec());
    let grants: Vec<&str> = client.grant_types.iter().map(|grant| grant.as_str()).collect();
    // The settings have the names of the registry already, and leave out what is unset.
    let mut all = serde_json::to_value(&client.settings).ok().and_then(|value| match value {
        Value::Object(members) => Some(members),
        _ => None,
    });
    let mut all = all.take().unwrap_or_default();
    for ours in ["registration_token", "legacy_response_types", "first_party", "require_pkce"] {
        all.remove(ours);
    }
    let mut say = |name: &str, value: Value| all.insert(name.to_owned(), value);
    say("client_id", json!(client.id.as_str()));
    say("client_id_issued_at", json!(client.created_at.seconds()));
    say("client_name", json!(client.name));
    say("token_endpoint_auth_method", json!(client.auth_method));
    say("grant_types", json!(grants));
    say("redirect_uris", texts(&client.redirect_uris));
    say("post_logout_redirect_uris", texts(&client.post_logout_redirect_uris));
    say("scope", json!(client.scope.to_string()));
    if let Some(jwks) = client.jwks.as_deref().and_then(|jwks| serde_json::from_str::<Value>(jwks).ok()) {
        say("jwks", jwks);
    }
    if let Some(secret) = secret {
        say("client_secret", json!(secret.expose()));
    }
    if client.secrets.is_some() {
        // RFC 7591 §3.2.1: zero is never.
        say("client_secret_expires_at", json!(0));
    }
    say("registration_access_token", json!(token));
    say("registration_client_uri", json!(format!("{}/oauth/register/{}", ctx.tenant.issuer, client.id)));
    all
}

/// Members that are taken out one by one. `null` is what is not there.
struct Members(Map<String, Value>);

impl Members {
    fn take(&mut self, name: &str) -> Option<Value> {
        self.0.remove(name).filter(|value| !value.is_null())
    }

    fn text(&mut self, name: &str) -> Result<Option<String>, OAuthError> {
        self.take(name).map(|value| text(name, value)).transpose()
    }

    fn texts(&mut self, name: &str) -> Result<Vec<String>, OAuthError> {
        match self.take(name) {
            None => Ok(Vec::new()),
            Some(Value::Array(items)) => items.into_iter().map(|item| text(name, item)).collect(),
            Some(_) => Err(invalid(format!("{name} must be a list of strings"))),
        }
    }

    fn flag(&mut self, name: &str) -> Result<bool, OAuthError> {
        match self.take(name) {
            None => Ok(false),
            Some(Value::Bool(flag)) => Ok(flag),
            Some(_) => Err(invalid(format!("{name} must be true or false"))),
        }
    }

    fn seconds(&mut self, name: &str) -> Result<Option<u64>, OAuthError> {
        let refuse = || invalid(format!("{name} must be a number of seconds"));
        self.take(name).map(|value| value.as_u64().ok_or_else(refuse)).transpose()
    }

    /// An object, as JSON text.
    fn object(&mut self, name: &str) -> Result<Option<String>, OAuthError> {
        match self.take(name) {
            None => Ok(None),
            Some(object @ Value::Object(_)) => Ok(Some(object.to_string())),
            Some(_) => Err(invalid(format!("{name} must be an object"))),
        }
    }

    fn parsed<T: FromStr>(&mut self, name: &str) -> Result<Option<T>, OAuthError> {
        self.text(name)?.map(|text| parse(name, &text)).transpose()
    }

    fn all_parsed<T: FromStr>(&mut self, name: &str) -> Result<Option<Vec<T>>, OAuthError> {
        if self.0.get(name).is_none_or(Value::is_null) {
            return Ok(None);
        }
        self.texts(name)?.iter().map(|text| parse(name, text)).collect::<Result<_, _>>().map(Some)
    }
}

fn text(name: &str, value: Value) -> Result<String, OAuthError> {
    match value {
        // A database can't store it, and no name or address has one.
        Value::String(text) if text.contains('\0') => Err(invalid(format!("{name} must not contain a NUL character"))),
        Value::String(text) => Ok(text),
        _ => Err(invalid(format!("{name} must be a string, or a list of strings where it is one"))),
    }
}

fn parse<T: FromStr>(name: &str, text: &str) -> Result<T, OAuthError> {
    // What was sent is not said back.
    text.parse().map_err(|_| invalid(format!("{name} has a value that is not known here")))
}

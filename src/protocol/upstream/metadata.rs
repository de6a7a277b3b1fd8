//! What an OpenID provider says of itself (OpenID Connect Discovery §3), and its keys.

use bytes::Bytes;
use openidconnect::core::{
    CoreAuthDisplay, CoreClaimName, CoreClaimType, CoreClientAuthMethod, CoreGrantType, CoreJsonWebKey,
    CoreJsonWebKeySet, CoreJweContentEncryptionAlgorithm, CoreJweKeyManagementAlgorithm, CoreJwsSigningAlgorithm,
    CoreResponseMode, CoreResponseType, CoreSubjectIdentifierType,
};
use openidconnect::{AdditionalProviderMetadata, JsonWebKey as _, JsonWebKeyUse, ProviderMetadata};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::{Endpoints, Refused};
use crate::domain::Core;
use crate::model::connection::OidcProvider;
use crate::outbound::documents::DocumentError;

/// Members that the library does not know.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Further {
    /// Whether every answer says whose it is (RFC 9207 §3).
    #[serde(default)]
    pub(super) authorization_response_iss_parameter_supported: bool,
}

impl AdditionalProviderMetadata for Further {}

/// A provider's metadata.
pub(super) type Metadata = ProviderMetadata<
    Further,
    CoreAuthDisplay,
    CoreClientAuthMethod,
    CoreClaimName,
    CoreClaimType,
    CoreGrantType,
    CoreJweContentEncryptionAlgorithm,
    CoreJweKeyManagementAlgorithm,
    CoreJsonWebKey,
    CoreResponseMode,
    CoreResponseType,
    CoreSubjectIdentifierType,
>;

/// Where a provider's metadata are (OpenID Connect Discovery §4).
pub(super) fn address(issuer: &str) -> String {
    format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'))
}

/// The metadata of an issuer.
///
/// # Errors
/// What stands against them, in words.
pub(super) async fn find(core: &Core, issuer: &str) -> Result<Metadata, String> {
    read(core.documents.get(&address(issuer), check).await, issuer)
}

/// The same as they are at this moment.
///
/// # Errors
/// As [`find`].
pub(super) async fn find_now(core: &Core, issuer: &str) -> Result<Metadata, String> {
    read(core.documents.now(&address(issuer), check).await, issuer)
}

fn read(document: Result<Bytes, DocumentError>, issuer: &str) -> Result<Metadata, String> {
    let metadata: Metadata = parsed(&document.map_err(|why| why.to_string())?)?;
    // Discovery §4.3: byte for byte, or anybody could speak for anybody.
    if metadata.issuer().as_str() != issuer {
        return Err(format!("it calls itself {}, which must be the issuer to the letter", metadata.issuer().as_str()));
    }
    Ok(metadata)
}

fn parsed<T: DeserializeOwned>(document: &[u8]) -> Result<T, String> {
    let unread = |why: serde_json::Error| if why.is_data() { why.to_string() } else { "it is no JSON".to_owned() };
    serde_json::from_slice(document).map_err(unread)
}

fn check(document: &[u8]) -> Result<(), String> {
    parsed::<Metadata>(document).map(|_| ())
}

/// The keys that sign a provider's ID tokens; those at hand, or what is there now.
///
/// # Errors
/// Why there are none.
pub(super) async fn keys(core: &Core, metadata: &Metadata, anew: bool) -> Result<CoreJsonWebKeySet, String> {
    let url = metadata.jwks_uri().as_str();
    let found =
        if anew { core.documents.anew(url, is_key_set).await } else { core.documents.get(url, is_key_set).await };
    parsed(&found.map_err(|why| why.to_string())?)
}

/// The same as they are at this moment.
///
/// # Errors
/// Why there are none.
pub(super) async fn keys_now(core: &Core, metadata: &Metadata) -> Result<CoreJsonWebKeySet, String> {
    let found = core.documents.now(metadata.jwks_uri().as_str(), is_key_set).await;
    parsed(&found.map_err(|why| why.to_string())?)
}

fn is_key_set(document: &[u8]) -> Result<(), String> {
    let keys: CoreJsonWebKeySet = parsed(document)?;
    let signs = |key: &CoreJsonWebKey| key.key_use().is_none_or(JsonWebKeyUse::allows_signature);
    if keys.keys().iter().any(signs) { Ok(()) } else { Err("it holds no key for signatures".to_owned()) }
}

/// How the provider is reached.
///
/// # Errors
/// It has no endpoint that people can be sent to, or none that redeems codes for the likes of us.
pub(super) fn endpoints(metadata: &Metadata, oidc: &OidcProvider) -> Result<Endpoints, Refused> {
    let authorization = metadata.authorization_endpoint();
    if !matches!(authorization.url().scheme(), "https" | "http") {
        return Err(Refused::Unreachable("its authorization endpoint is no web address".to_owned()));
    }
    let token = metadata.token_endpoint();
    let token = token.ok_or_else(|| Refused::Unreachable("it has no token endpoint".to_owned()))?;
    let methods = metadata.token_endpoint_auth_methods_supported();
    let takes = |method| methods.is_some_and(|all| all.contains(&method));
    let asked = ["openid"].into_iter().chain(oidc.scopes.iter().map(String::as_str).filter(|s| *s != "openid"));
    Ok(Endpoints {
        authorization: authorization.as_str().to_owned(),
        token: token.as_str().to_owned(),
        client_id: oidc.client_id.clone(),
        scope: asked.collect::<Vec<_>>().join(" "),
        // Without a word about it, it is HTTP Basic (Discovery §3).
        secret_in_body: !takes(CoreClientAuthMethod::ClientSecretBasic)
            && takes(CoreClientAuthMethod::ClientSecretPost),
        pkce: true,
        openid: true,
    })
}

/// What it says itself that it does not do, and a sign-in here needs (Discovery §3); in words.
pub(super) fn shortcomings(metadata: &Metadata, oidc: &OidcProvider, with_secret: bool) -> Vec<&'static str> {
    use CoreClientAuthMethod::{ClientSecretBasic, ClientSecretPost};
    let mut lacking = Vec::new();
    if !metadata.response_types_supported().iter().any(|all| all.iter().eq([&CoreResponseType::Code])) {
        lacking.push("it gives no codes (response_types_supported)");
    }
    let methods = metadata.token_endpoint_auth_methods_supported();
    let usable = |all: &Vec<_>| all.contains(&ClientSecretBasic) || all.contains(&ClientSecretPost);
    if with_secret && !methods.is_none_or(usable) {
        lacking.push("it takes our secret in no way that we know (token_endpoint_auth_methods_supported)");
    }
    if algorithms(metadata).is_empty() {
        lacking.push("it signs ID tokens with nothing that has a public key (id_token_signing_alg_values_supported)");
    }
    if oidc.userinfo && metadata.userinfo_endpoint().is_none() {
        lacking.push("it has no userinfo endpoint, which the connection asks for");
    }
    lacking
}

/// What its ID tokens may be signed with: of what it says, only what has a public half (RFC 8725 §3.2).
pub(super) fn algorithms(metadata: &Metadata) -> Vec<CoreJwsSigningAlgorithm> {
    use CoreJwsSigningAlgorithm::{HmacSha256, HmacSha384, HmacSha512, None};
    let said = metadata.id_token_signing_alg_values_supported().iter();
    said.filter(|alg| !matches!(alg, None | HmacSha256 | HmacSha384 | HmacSha512)).cloned().collect()
}

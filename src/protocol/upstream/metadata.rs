//! What an OpenID provider says of itself (OpenID Connect Discovery §3), and its keys.

use openidconnect::core::{
    CoreAuthDisplay, CoreClaimName, CoreClaimType, CoreClientAuthMethod, CoreGrantType, CoreJsonWebKey,
    CoreJsonWebKeySet, CoreJweContentEncryptionAlgorithm, CoreJweKeyManagementAlgorithm, CoreJwsSigningAlgorithm,
    CoreResponseMode, CoreResponseType, CoreSubjectIdentifierType,
};
use openidconnect::{AdditionalProviderMetadata, ProviderMetadata};
use serde::{Deserialize, Serialize};

use super::{Endpoints, Refused};
use crate::domain::Core;

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
    let document = core.documents.get(&address(issuer), check).await.map_err(|why| why.to_string())?;
    let metadata: Metadata = serde_json::from_slice(&document).map_err(|why| why.to_string())?;
    // Discovery §4.3: byte for byte, or anybody could speak for anybody.
    if metadata.issuer().as_str() != issuer {
        return Err(format!("it calls itself {}", metadata.issuer().as_str()));
    }
    Ok(metadata)
}

fn check(document: &[u8]) -> Result<(), String> {
    serde_json::from_slice::<Metadata>(document).map(|_| ()).map_err(|why| why.to_string())
}

/// The keys that sign a provider's ID tokens; those at hand, or what is there now.
///
/// # Errors
/// Why there are none.
pub(super) async fn keys(core: &Core, metadata: &Metadata, anew: bool) -> Result<CoreJsonWebKeySet, String> {
    let url = metadata.jwks_uri().as_str();
    let found =
        if anew { core.documents.anew(url, is_key_set).await } else { core.documents.get(url, is_key_set).await };
    serde_json::from_slice(&found.map_err(|why| why.to_string())?).map_err(|why| why.to_string())
}

fn is_key_set(document: &[u8]) -> Result<(), String> {
    let keys: CoreJsonWebKeySet = serde_json::from_slice(document).map_err(|why| why.to_string())?;
    if keys.keys().is_empty() { Err("it holds no key".to_owned()) } else { Ok(()) }
}

/// How the provider is reached.
///
/// # Errors
/// It has no endpoint that people can be sent to, or none that redeems codes.
pub(super) fn endpoints(metadata: &Metadata) -> Result<Endpoints, Refused> {
    let authorization = metadata.authorization_endpoint();
    if !matches!(authorization.url().scheme(), "https" | "http") {
        return Err(Refused::Unreachable("its authorization endpoint is no web address".to_owned()));
    }
    let token = metadata.token_endpoint();
    let token = token.ok_or_else(|| Refused::Unreachable("it has no token endpoint".to_owned()))?;
    let methods = metadata.token_endpoint_auth_methods_supported();
    let takes = |method| methods.is_some_and(|all| all.contains(&method));
    Ok(Endpoints {
        authorization: authorization.as_str().to_owned(),
        token: token.as_str().to_owned(),
        // Without a word about it, it is HTTP Basic (Discovery §3).
        secret_in_body: !takes(CoreClientAuthMethod::ClientSecretBasic)
            && takes(CoreClientAuthMethod::ClientSecretPost),
        pkce: true,
    })
}

/// What its ID tokens may be signed with: of what it says, only what has a public half (RFC 8725 §3.2).
pub(super) fn algorithms(metadata: &Metadata) -> Vec<CoreJwsSigningAlgorithm> {
    use CoreJwsSigningAlgorithm::{HmacSha256, HmacSha384, HmacSha512, None};
    let said = metadata.id_token_signing_alg_values_supported().iter();
    said.filter(|alg| !matches!(alg, None | HmacSha256 | HmacSha384 | HmacSha512)).cloned().collect()
}

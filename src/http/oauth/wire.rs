//! What the endpoints answer, member by member.

use serde::Serialize;
use utoipa::ToSchema;

/// RFC 6749 §5.1.
#[derive(Serialize, ToSchema)]
pub(super) struct TokenAnswer<'a> {
    /// The access token.
    pub(super) access_token: &'a str,
    /// `Bearer`.
    pub(super) token_type: &'static str,
    /// Its life in seconds.
    pub(super) expires_in: u64,
    /// The refresh token, if one goes with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) refresh_token: Option<&'a str>,
    /// The ID token, where a person signed in with `openid`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) id_token: Option<&'a str>,
    /// What kind of token it is (RFC 8693 §2.2.1).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) issued_token_type: Option<&'static str>,
    /// What was granted.
    pub(super) scope: &'a str,
}

/// RFC 6749 §5.2.
#[derive(Serialize, ToSchema)]
#[allow(dead_code)] // describes, in the document, what `error.rs` writes
pub(super) struct ErrorAnswer {
    /// The code that clients decide by.
    error: String,
    /// What was wrong, for people.
    error_description: String,
}

/// The form of a token request; which members a grant needs is in its standard.
#[derive(ToSchema)]
#[allow(dead_code)] // describes, in the document, what `protocol/oauth` reads
pub(super) struct TokenForm {
    /// How the tokens are obtained.
    grant_type: String,
    /// With `authorization_code`.
    code: Option<String>,
    /// With `authorization_code`: as it was in the request.
    redirect_uri: Option<String>,
    /// With `authorization_code` (RFC 7636).
    code_verifier: Option<String>,
    /// With `urn:ietf:params:oauth:grant-type:device_code`.
    device_code: Option<String>,
    /// With token exchange (RFC 8693).
    subject_token: Option<String>,
    /// With token exchange (RFC 8693).
    subject_token_type: Option<String>,
    /// Scope names, separated by spaces.
    scope: Option<String>,
    /// For whom the token shall be (RFC 8707).
    resource: Option<String>,
    /// With `refresh_token`.
    refresh_token: Option<String>,
    /// With `password`.
    username: Option<String>,
    /// With `password`.
    password: Option<String>,
    /// The client, where it does not use HTTP Basic.
    client_id: Option<String>,
    /// With `client_secret_post`.
    client_secret: Option<String>,
    /// With `private_key_jwt` and `client_secret_jwt` (RFC 7523).
    client_assertion_type: Option<String>,
    /// With `private_key_jwt` and `client_secret_jwt` (RFC 7523).
    client_assertion: Option<String>,
}

/// An authorization request as a form; every parameter of the authorization endpoint may be in it.
#[derive(ToSchema)]
#[allow(dead_code)] // describes, in the document, what `protocol/oauth` reads
pub(super) struct AuthorizationForm {
    /// `code`.
    response_type: String,
    /// A registered one, byte for byte.
    redirect_uri: String,
    /// What for.
    scope: Option<String>,
    /// Comes back as it is.
    state: Option<String>,
    /// RFC 7636, with `code_challenge_method`.
    code_challenge: Option<String>,
    /// `S256`.
    code_challenge_method: Option<String>,
    /// The client, where it does not use HTTP Basic.
    client_id: Option<String>,
    /// With `client_secret_post`.
    client_secret: Option<String>,
}

/// The form of a device's request.
#[derive(ToSchema)]
#[allow(dead_code)] // describes, in the document, what `protocol/oauth` reads
pub(super) struct DeviceForm {
    /// What for.
    scope: Option<String>,
    /// For whom the tokens shall be (RFC 8707).
    resource: Option<String>,
    /// The client, where it does not use HTTP Basic.
    client_id: Option<String>,
    /// With `client_secret_post`.
    client_secret: Option<String>,
}

/// The form of an introspection or revocation request.
#[derive(ToSchema)]
#[allow(dead_code)] // describes, in the document, what `protocol/oauth` reads
pub(super) struct TokenReference {
    /// The token.
    token: String,
    /// `access_token` or `refresh_token`; not needed.
    token_type_hint: Option<String>,
    /// The client, where it does not use HTTP Basic.
    client_id: Option<String>,
    /// With `client_secret_post`.
    client_secret: Option<String>,
}

/// RFC 7662 §2.2; of a token that does not count, `active` alone.
#[derive(Serialize, ToSchema, Default)]
pub(super) struct IntrospectionAnswer<'a> {
    /// Whether it counts.
    pub(super) active: bool,
    /// What it may be used for at this moment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) scope: Option<String>,
    /// To whom it was issued.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) client_id: Option<&'a str>,
    /// `Bearer`, of an access token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) token_type: Option<&'static str>,
    /// When it expires, in seconds since the Unix epoch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) exp: Option<i64>,
    /// When it was issued, in seconds since the Unix epoch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) iat: Option<i64>,
    /// Whom it speaks for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) sub: Option<&'a str>,
    /// For whom it is: a text, or several in a list.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<String>>)]
    pub(super) aud: Option<&'a crate::domain::tokens::claims::Audience>,
    /// Who issued it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) iss: Option<&'a str>,
    /// Its own name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) jti: Option<&'a str>,
    /// The tenant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) tenant_id: Option<&'a str>,
    /// Codes of the user's roles at this moment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) roles: Option<&'a [String]>,
    /// Codes of what those permit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) permissions: Option<&'a [String]>,
    /// The organization that the token names, while the user belongs to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) organization_id: Option<&'a str>,
    /// Who acts for the subject (RFC 8693 §4.1).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub(super) act: Option<&'a crate::domain::tokens::claims::Act>,
}

//! A relying party of our own, for what real ones do not do: every parameter as the test wants it.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use gatehouse::domain::clients::NewClient;
use gatehouse::model::client::{AuthMethod, GrantType};

use super::{Answer, Browser, Client, Page, TenantKeys, TestApp, register};

/// Where relying parties of tests get their answers.
pub const CALLBACK: &str = "https://rp.example/callback";
/// A verifier (RFC 7636 §4.1).
pub const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
/// The password of people whom relying parties sign in.
pub const PASSWORD: &str = "a quiet harbour at dawn";

/// The S256 challenge of a verifier.
pub fn challenge(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, verifier.as_bytes()))
}

/// An app that signs people in with codes, and may refresh.
pub fn code_app() -> NewClient {
    NewClient {
        auth_method: AuthMethod::ClientSecretBasic,
        grant_types: vec![GrantType::AuthorizationCode, GrantType::RefreshToken],
        redirect_uris: vec![CALLBACK.to_owned()],
        scope: "openid profile email address phone offline_access".parse().unwrap(),
        ..NewClient::service("A relying party")
    }
}

/// A client that signs people in.
#[derive(Clone)]
pub struct RelyingParty {
    pub app: TestApp,
    pub client: Client,
    /// Before every path of its issuer.
    pub prefix: String,
    pub redirect_uri: String,
}

impl RelyingParty {
    /// One of the default tenant.
    pub async fn new(app: &TestApp, new: NewClient) -> Self {
        let redirect_uri = new.redirect_uris.first().cloned().unwrap_or_default();
        let client = app.client(new).await;
        Self { app: app.clone(), client, prefix: String::new(), redirect_uri }
    }

    /// One of another tenant.
    pub async fn of(app: &TestApp, tenant: &TenantKeys, new: NewClient) -> Self {
        let redirect_uri = new.redirect_uris.first().cloned().unwrap_or_default();
        let client = register(&app.ctx_of(tenant).await, new).await;
        Self { app: app.clone(), client, prefix: format!("/t/{}", tenant.id), redirect_uri }
    }

    /// The address of an authorization request: the usual parameters, and these; an empty value takes
    /// one away.
    pub fn request(&self, more: &[(&str, &str)]) -> String {
        let challenge = challenge(VERIFIER);
        let mut parameters = vec![
            ("client_id", self.client.id.as_str()),
            ("redirect_uri", self.redirect_uri.as_str()),
            ("response_type", "code"),
            ("scope", "openid"),
            ("state", "a state"),
            ("nonce", "a nonce"),
            ("code_challenge", challenge.as_str()),
            ("code_challenge_method", "S256"),
        ];
        for (name, value) in more {
            parameters.retain(|(known, _)| known != name);
            if !value.is_empty() {
                parameters.push((name, value));
            }
        }
        let query: String = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish();
        format!("{}/oauth/authorize?{query}", self.prefix)
    }

    /// Signs a person in who knows their password, and allows what is asked for; ends where the
    /// browser leaves us, or where it can't go on.
    pub async fn sign_in_with(&self, browser: &Browser, email: &str, more: &[(&str, &str)]) -> Page {
        let mut page = browser.open(&self.request(more)).await;
        if page.path().ends_with("/login") {
            page = browser.submit(&page, "/login", &[("identifier", email), ("password", PASSWORD)]).await;
        }
        if page.path().ends_with("/consent") {
            page = browser.submit(&page, "/consent", &[("action", "allow")]).await;
        }
        page
    }

    /// Redeems a code.
    pub async fn redeem(&self, code: &str, more: &[(&str, &str)]) -> Answer {
        let mut fields = vec![
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", self.redirect_uri.as_str()),
            ("code_verifier", VERIFIER),
        ];
        for (name, value) in more {
            fields.retain(|(known, _)| known != name);
            if !value.is_empty() {
                fields.push((name, value));
            }
        }
        self.token(&fields).await
    }

    /// A request to the token endpoint, authenticated.
    pub async fn token(&self, fields: &[(&str, &str)]) -> Answer {
        let path = format!("{}/oauth/token", self.prefix);
        if self.client.secret.is_empty() {
            let mut fields = fields.to_vec();
            fields.push(("client_id", &self.client.id));
            return self.app.form(&path, &fields).await;
        }
        self.app.basic(&path, &self.client.id, &self.client.secret, fields).await
    }

    /// The whole way: from nothing to tokens.
    pub async fn tokens(&self, browser: &Browser, email: &str, more: &[(&str, &str)]) -> Answer {
        let page = self.sign_in_with(browser, email, more).await;
        self.redeem(page.answer().code(), &[]).await.expect(200)
    }

    /// What userinfo says.
    pub async fn userinfo(&self, token: &str) -> Answer {
        self.app.get_as(token, &format!("{}/oauth/userinfo", self.prefix)).await
    }
}

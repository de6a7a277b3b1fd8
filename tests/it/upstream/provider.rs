//! The hand-made provider: metadata, keys, and tokens as the test wants them.

use gatehouse::domain::access::Powers;
use gatehouse::domain::connections::{self, NewConnection};
use gatehouse::domain::organizations::{self, NewOrganization};
use gatehouse::model::connection::{Connection, ConnectionSettings, OidcProvider, Provider as By};
use gatehouse::model::ids::OrganizationId;
use gatehouse::model::secret::Secret;
use gatehouse::model::signing_key::SigningAlg;
use serde_json::{Value, json};

use crate::support::{Browser, Callback, Page, Receiver, Setup, Signer, TestApp};

pub const ALICE: &str = "alice@example.org";
pub const PASSWORD: &str = "a quiet harbour at dawn";
pub const SECRET: &str = "our secret there";

/// An application that may ask providers on this machine.
pub async fn start(setup: &Setup) -> TestApp {
    setup
        .start_with(|config| {
            config.outbound.allow_networks = vec!["127.0.0.0/8".parse().unwrap()];
            config.outbound.timeout = std::time::Duration::from_millis(700);
        })
        .await
}

pub struct Provider {
    pub receiver: Receiver,
    pub key: Signer,
}

/// Somebody who is at the provider.
pub struct Journey {
    pub connection: String,
    /// What we asked for.
    pub asked: Callback,
}

impl Journey {
    pub fn state(&self) -> &str {
        self.asked.get("state").unwrap()
    }

    /// Where the provider sends them back to.
    pub fn callback(&self, more: &[(&str, &str)]) -> String {
        let mut pairs = vec![("state", self.state()), ("code", "a-code")];
        for (name, value) in more {
            pairs.retain(|(known, _)| known != name);
            if !value.is_empty() {
                pairs.push((name, value));
            }
        }
        let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
        format!("{}?{query}", self.asked.get("redirect_uri").unwrap())
    }
}

impl Provider {
    pub async fn start() -> Self {
        let provider = Self { receiver: Receiver::start().await, key: Signer::new(SigningAlg::Es256) };
        provider.describes(&json!({}));
        provider.receiver.shows("/jwks", provider.key.jwks());
        provider
    }

    pub fn issuer(&self) -> String {
        self.receiver.uri("")
    }

    /// Its metadata, with these members beside or instead of the usual ones.
    pub fn describes(&self, more: &Value) {
        let mut metadata = json!({
            "issuer": self.issuer(),
            "authorization_endpoint": self.receiver.uri("/authorize"),
            "token_endpoint": self.receiver.uri("/token"),
            "userinfo_endpoint": self.receiver.uri("/userinfo"),
            "jwks_uri": self.receiver.uri("/jwks"),
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["ES256", "RS256", "HS256", "none"],
        });
        merge(&mut metadata, more);
        self.receiver.shows("/.well-known/openid-configuration", metadata);
    }

    /// A connection of the default tenant to it.
    pub async fn connection(&self, app: &TestApp, settings: ConnectionSettings) -> Connection {
        self.connection_of(app, settings, None, &[]).await
    }

    pub async fn connection_of(
        &self,
        app: &TestApp,
        settings: ConnectionSettings,
        organization: Option<OrganizationId>,
        domains: &[&str],
    ) -> Connection {
        let provider = OidcProvider {
            issuer: self.issuer(),
            client_id: "gatehouse".to_owned(),
            scopes: vec!["email".to_owned()],
            userinfo: false,
        };
        let new = NewConnection {
            organization,
            name: "Example & Sons".to_owned(),
            provider: By::Oidc(provider),
            settings,
            domains: domains.iter().map(|&domain| domain.to_owned()).collect(),
            secret: Some(Secret::new(SECRET.to_owned())),
        };
        connections::create(&app.ctx().await, &Powers::operator(), new).await.unwrap()
    }

    /// What an honest ID token says.
    pub fn claims(&self, app: &TestApp, journey: &Journey) -> Value {
        let now = app.now().seconds();
        json!({
            "iss": self.issuer(), "sub": "248289761001", "aud": "gatehouse", "iat": now, "exp": now + 300,
            "nonce": journey.asked.get("nonce").unwrap(),
            "email": ALICE, "email_verified": true, "name": "Alice Adams",
        })
    }

    /// Gives this ID token for any code.
    pub fn gives(&self, id_token: &str) {
        let tokens = json!({ "access_token": "an-access-token", "token_type": "Bearer", "id_token": id_token });
        self.receiver.shows("/token", tokens);
    }

    /// The whole way there and back, with these claims beside or instead of the honest ones.
    pub async fn sign_in(&self, app: &TestApp, browser: &Browser, of: &Connection, more: &Value) -> Page {
        let journey = set_out(browser, &format!("/login/with/{}", of.id)).await;
        self.come_back(app, browser, &journey, more).await
    }

    /// The way back.
    pub async fn come_back(&self, app: &TestApp, browser: &Browser, journey: &Journey, more: &Value) -> Page {
        let mut claims = self.claims(app, journey);
        merge(&mut claims, more);
        self.gives(&self.key.sign(&claims));
        browser.open(&journey.callback(&[])).await
    }
}

/// Members that are `null` are taken away.
pub fn merge(into: &mut Value, more: &Value) {
    let into = into.as_object_mut().unwrap();
    for (name, value) in more.as_object().unwrap() {
        if value.is_null() {
            into.remove(name)
        } else {
            into.insert(name.clone(), value.clone())
        };
    }
}

/// Sets out to a provider.
pub async fn set_out(browser: &Browser, path: &str) -> Journey {
    let page = browser.open(path).await;
    arrived_at_provider(&page)
}

/// Whoever left our pages for a provider.
#[track_caller]
pub fn arrived_at_provider(page: &Page) -> Journey {
    let asked = page.answer();
    let callback = asked.get("redirect_uri").unwrap();
    let connection = callback.rsplit('/').nth(1).unwrap().to_owned();
    Journey { connection, asked }
}

/// An organization.
pub async fn organization(app: &TestApp, name: &str) -> OrganizationId {
    let new = NewOrganization { name, slug: None, plan: None };
    organizations::create(&app.ctx().await, &new).await.unwrap().id
}

/// Why nobody came in, as the audit log has it; the last one.
pub async fn reason(app: &TestApp) -> String {
    let query =
        "SELECT detail FROM audit_log WHERE action = 'user.sign_in' AND outcome = 'failure' ORDER BY id DESC LIMIT 1";
    app.sql().await.texts(query).await.pop().unwrap_or_default()
}

/// How many sessions there ever were.
pub async fn sessions(app: &TestApp) -> i64 {
    app.sql().await.number("SELECT count(*) FROM sessions").await
}

//! The Dynamic plan from end to end: a client that registers itself as the suite does, signs somebody
//! in and goes (C1–C10; registration itself is held by `oauth/rfc7591_registration.rs`).

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256};
use gatehouse::crypto::digest::base64url;
use gatehouse::domain::tenants;
use gatehouse::model::tenant::{RegistrationPolicy, Tenant};
use reqwest::Method;
use serde_json::{Value, json};

use super::suite::{ALICE, Plan, Suite, all, person};
use crate::support::{Answer, Browser, CALLBACK, Client, Page, RelyingParty, TestApp, both_engines, unsigned};

both_engines!(
    oidcc_server_registered_dynamically,
    oidcc_registration_logo_uri,
    oidcc_registration_policy_uri,
    oidcc_registration_tos_uri,
);

/// Opens registration as the plan wants it, and registers.
async fn registered(app: &TestApp, wish: Value) -> Value {
    let open = |tenant: &mut Tenant| {
        tenant.settings.registration = RegistrationPolicy::Open;
        tenant.settings.registration_legacy = true;
    };
    tenants::update(&app.ctx().await, open).await.unwrap();
    app.post("", "/oauth/register", &wish).await.body(201)
}

fn wish(plan: Plan) -> Value {
    let mut grants = vec!["authorization_code", "refresh_token", "implicit"];
    if !plan.gives("code") {
        grants = vec!["implicit"];
    } else if !plan.is_legacy() {
        grants.pop();
    }
    json!({
        "client_name": "A client, of a suite & \"others\"", "grant_types": grants, "contacts": ["certification@rp.example"],
        "response_types": [plan.response_type], "redirect_uris": [CALLBACK],
    })
}

/// The suite of a client that registered itself.
fn suite(app: &TestApp, plan: Plan, client: &Value) -> Suite {
    let client = Client { id: client["client_id"].as_str().unwrap().to_owned(), secret: String::new() };
    let redirect_uri = CALLBACK.to_owned();
    let rp = RelyingParty { app: app.clone(), client, prefix: String::new(), redirect_uri };
    Suite { app: app.clone(), plan, rp, browser: Browser::new(app) }
}

/// A key without a name, and assertions that name none, as the suite makes them.
struct Nameless(KeyPair);

impl Nameless {
    fn new() -> Self {
        Self(KeyPair::generate(KeySize::Rsa2048).unwrap())
    }

    fn jwks(&self) -> Value {
        let public = self.0.public_key();
        let (n, e) = (public.modulus(), public.exponent());
        json!({ "keys": [{
            "kty": "RSA", "use": "sig", "alg": "RS256", "n": base64url(n.big_endian_without_leading_zero()),
            "e": base64url(e.big_endian_without_leading_zero()),
        }] })
    }

    fn sign(&self, claims: &Value) -> String {
        let signed = unsigned(&json!({ "alg": "RS256" }), claims);
        let mut signature = vec![0; self.0.public_modulus_len()];
        self.0.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature).unwrap();
        format!("{signed}.{}", base64url(&signature))
    }
}

/// A request to the token endpoint under `private_key_jwt`.
async fn token(suite: &Suite, signer: &Nameless, jti: &str, fields: &[(&str, &str)]) -> Answer {
    let (app, id, now) = (&suite.app, &suite.rp.client.id, suite.app.now().seconds());
    let audience = format!("{}/oauth/token", app.base);
    let claims = json!({ "iss": id, "sub": id, "aud": audience, "jti": jti, "iat": now, "exp": now + 60 });
    let assertion = signer.sign(&claims);
    let proof = [
        ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
        ("client_assertion", &*assertion),
    ];
    app.form("/oauth/token", &[fields, &proof].concat()).await
}

async fn oidcc_server_registered_dynamically(app: TestApp) {
    person(&app, ALICE).await;
    let signer = Nameless::new();
    for plan in all().filter(|plan| plan.response_mode.is_empty()) {
        let mut wish = wish(plan);
        wish["token_endpoint_auth_method"] = json!("private_key_jwt");
        wish["jwks"] = signer.jwks();
        let client = registered(&app, wish).await;
        assert_eq!(client["response_types"], json!([plan.response_type]));
        let suite = suite(&app, plan, &client);
        let callback = suite.answer(&suite.page(&[]).await);
        if let Some(front) = callback.get("id_token") {
            suite.id_token(front, Some("a nonce")).await;
        }
        if plan.gives("code") {
            let fields = [("grant_type", "authorization_code"), ("code", callback.code()), ("redirect_uri", CALLBACK)];
            let tokens = token(&suite, &signer, "1", &fields).await.expect(200);
            suite.id_token(&tokens.str("id_token"), Some("a nonce")).await;
            suite.userinfo(&tokens.str("access_token")).await;
            let fields = [("grant_type", "refresh_token"), ("refresh_token", &*tokens.str("refresh_token"))];
            let renewed = token(&suite, &signer, "2", &fields).await.expect(200);
            suite.id_token(&renewed.str("id_token"), None).await;
        }
        // C3: it goes, and nobody can sign in to it any more.
        let address = client["registration_client_uri"].as_str().unwrap();
        let access = client["registration_access_token"].as_str().unwrap();
        app.send(app.request(Method::DELETE, address).bearer_auth(access)).await.expect(204);
        super::suite::is_error_page(&suite.open(&[("prompt", "none")]).await);
    }
}

/// The sign-in of a client that says this about itself, in every plan: the suite looks at the first page.
async fn login_page(app: &TestApp, member: &str, value: &str) -> Vec<Page> {
    let mut pages = Vec::new();
    for plan in all() {
        let mut wish = wish(plan);
        wish[member] = json!(value);
        let client = registered(app, wish).await;
        pages.push(suite(app, plan, &client).open(&[]).await.expect(200, "/login"));
    }
    pages
}

async fn oidcc_registration_logo_uri(app: TestApp) {
    for page in login_page(&app, "logo_uri", "https://rp.example/images/logo.png").await {
        assert!(page.text.contains(r#"src="https://rp.example/images/logo.png""#), "{}", page.text);
        // It is a picture of somebody else's site, which the policy allows.
        let policy = page.headers["content-security-policy"].to_str().unwrap();
        let rule = policy.split(';').map(str::trim).find(|rule| rule.starts_with("img-src")).unwrap();
        assert!(rule.contains(" https:"), "{rule}");
    }
}

async fn oidcc_registration_policy_uri(app: TestApp) {
    for page in login_page(&app, "policy_uri", "https://rp.example/privacy").await {
        assert!(page.text.contains(r#"href="https://rp.example/privacy""#), "{}", page.text);
    }
}

async fn oidcc_registration_tos_uri(app: TestApp) {
    for page in login_page(&app, "tos_uri", "https://rp.example/terms").await {
        assert!(page.text.contains(r#"href="https://rp.example/terms""#), "{}", page.text);
        // What it is called stays text.
        assert!(!page.text.contains(r#"& "others""#), "{}", page.text);
        page.form("/login");
    }
}

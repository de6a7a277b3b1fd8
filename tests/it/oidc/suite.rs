//! What the certification suite does around each of its modules: a relying party for each response
//! type and mode, answers whose place is checked, tokens of which every claim is.

use std::collections::BTreeSet;

use gatehouse::crypto::digest::from_base64url;
use gatehouse::domain::clients::NewClient;
use gatehouse::domain::users::{self, NewPassword, NewUser};
use gatehouse::model::client::GrantType;
use gatehouse::model::user::User;
use openidconnect::JsonWebKey as _;
use openidconnect::core::{CoreJsonWebKey, CoreJwsSigningAlgorithm};
use serde_json::{Value, json};

use crate::support::{
    Answer, Browser, CALLBACK, Callback, Page, RelyingParty, TestApp, claims_of, code_app, header_of,
};

pub const ALICE: &str = "alice@example.org";
pub const BOB: &str = "bob@example.org";
pub const PASSWORD: &str = "a quiet harbour at dawn";
/// Every scope that stands for claims.
pub const EVERYTHING: &str = "openid profile email address phone";

/// What a certification plan fixes: the response type, and how the answer travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    pub response_type: &'static str,
    /// `form_post`, or nothing for the type's own mode.
    pub response_mode: &'static str,
}

const fn plan(response_type: &'static str, response_mode: &'static str) -> Plan {
    Plan { response_type, response_mode }
}

/// The code flow.
pub const CODE: Plan = plan("code", "");
/// Basic, and Form Post Basic.
pub const BASIC: [Plan; 2] = [CODE, plan("code", "form_post")];
/// Implicit, and Form Post Implicit.
pub const IMPLICIT: [Plan; 4] = [
    plan("id_token", ""),
    plan("id_token token", ""),
    plan("id_token", "form_post"),
    plan("id_token token", "form_post"),
];
/// Hybrid, and Form Post Hybrid.
pub const HYBRID: [Plan; 6] = [
    plan("code id_token", ""),
    plan("code token", ""),
    plan("code id_token token", ""),
    plan("code id_token", "form_post"),
    plan("code token", "form_post"),
    plan("code id_token token", "form_post"),
];

/// Every plan.
pub fn all() -> impl Iterator<Item = Plan> {
    BASIC.into_iter().chain(IMPLICIT).chain(HYBRID)
}

/// The plans in which a code is answered.
pub fn with_code() -> impl Iterator<Item = Plan> {
    BASIC.into_iter().chain(HYBRID)
}

/// The plans in which an access token comes of it, by whichever way.
pub fn with_access_token() -> impl Iterator<Item = Plan> {
    all().filter(|plan| plan.gives("code") || plan.gives("token"))
}

impl Plan {
    /// Whether the answer carries this.
    pub fn gives(self, part: &str) -> bool {
        self.response_type.split(' ').any(|word| word == part)
    }

    /// Whether it is one of those that stand behind the legacy setting.
    pub fn is_legacy(self) -> bool {
        self.response_type != "code"
    }

    fn posts(self) -> bool {
        self.response_mode == "form_post"
    }
}

/// A person who has said everything about themselves.
pub async fn person(app: &TestApp, email: &str) -> User {
    let profile = json!({
        "given_name": "Alice", "family_name": "Liddell", "middle_name": "Pleasance", "nickname": "Al",
        "profile": "https://people.example/alice", "picture": "https://people.example/alice.png",
        "website": "https://alice.example", "gender": "female", "birthdate": "1852-05-04",
        "zoneinfo": "Europe/London", "locale": "en-GB", "phone_number": "+44 20 7946 0000",
        "phone_number_verified": true,
        "address": { "street_address": "Christ Church", "locality": "Oxford", "country": "United Kingdom" },
    });
    let username = email.split('@').next();
    let password = NewPassword::Plain(PASSWORD, 6);
    let name = Some("Alice Liddell");
    let new = NewUser { email: Some(email), email_verified: true, username, name, password, profile, roles: &[] };
    users::create(&app.ctx().await, new).await.unwrap()
}

/// A client as the suite registers it for a plan.
pub fn client_of(plan: Plan) -> NewClient {
    let mut new = code_app();
    new.settings.require_pkce = false;
    new.settings.response_types = vec![plan.response_type.parse().unwrap()];
    if plan.is_legacy() {
        new.settings.legacy_response_types = true;
        new.grant_types.push(GrantType::Implicit);
    }
    if !plan.gives("code") {
        new.grant_types.retain(|grant| *grant == GrantType::Implicit);
    }
    new
}

/// One module under one plan: a relying party of its own, and a fresh browser.
pub struct Suite {
    pub app: TestApp,
    pub plan: Plan,
    pub rp: RelyingParty,
    pub browser: Browser,
}

/// What came of a sign-in, checked.
#[derive(Debug)]
pub struct Tokens {
    /// What the authorization endpoint answered.
    pub callback: Callback,
    /// The claims of the ID token that came through the browser.
    pub front: Option<Value>,
    /// The answer of the token endpoint.
    pub answer: Option<Value>,
    /// The claims of the ID token that came from there.
    pub back: Option<Value>,
}

impl Tokens {
    /// The claims of an ID token, wherever it came from.
    pub fn id(&self) -> &Value {
        self.back.as_ref().or(self.front.as_ref()).expect("an ID token")
    }

    /// The ID token itself.
    pub fn id_token(&self) -> &str {
        let answer = self.answer.as_ref().and_then(|answer| answer["id_token"].as_str());
        answer.or_else(|| self.callback.get("id_token")).expect("an ID token")
    }

    /// An access token, wherever it came from.
    pub fn access(&self) -> &str {
        let answer = self.answer.as_ref().and_then(|answer| answer["access_token"].as_str());
        answer.or_else(|| self.callback.get("access_token")).expect("an access token")
    }

    pub fn refresh(&self) -> &str {
        self.answer.as_ref().unwrap()["refresh_token"].as_str().expect("a refresh token")
    }
}

impl Suite {
    pub async fn new(app: &TestApp, plan: Plan) -> Self {
        Self::with(app, plan, |_| {}).await
    }

    /// With a client that differs.
    pub async fn with(app: &TestApp, plan: Plan, change: impl FnOnce(&mut NewClient)) -> Self {
        let mut new = client_of(plan);
        change(&mut new);
        let rp = RelyingParty::new(app, new).await;
        Self { app: app.clone(), plan, rp, browser: Browser::new(app) }
    }

    /// The parameters of a request, and these: an empty value takes one away.
    fn parameters<'p>(&self, more: &[(&'p str, &'p str)]) -> Vec<(&'p str, &'p str)> {
        let mut parameters = vec![("response_type", self.plan.response_type), ("code_challenge", "")];
        parameters.push(("code_challenge_method", ""));
        parameters.push(("response_mode", self.plan.response_mode));
        for (name, value) in more {
            parameters.retain(|(known, _)| known != name);
            parameters.push((name, value));
        }
        parameters
    }

    /// The address of a request.
    pub fn request(&self, more: &[(&str, &str)]) -> String {
        self.rp.request(&self.parameters(more))
    }

    /// Opens a request: nothing is typed.
    pub async fn open(&self, more: &[(&str, &str)]) -> Page {
        self.browser.open(&self.request(more)).await
    }

    /// Signs Alice in where that is asked for, and allows what is asked for.
    pub async fn page(&self, more: &[(&str, &str)]) -> Page {
        self.page_as(ALICE, more).await
    }

    pub async fn page_as(&self, email: &str, more: &[(&str, &str)]) -> Page {
        self.rp.sign_in_with(&self.browser, email, &self.parameters(more)).await
    }

    /// The answer that a page is or leads to, from the place where this plan wants it (AR1, AR4).
    #[track_caller]
    pub fn answer(&self, page: &Page) -> Callback {
        let callback = if self.plan.posts() {
            posted(page)
        } else {
            let callback = page.answer();
            assert_eq!(callback.in_fragment, self.plan.is_legacy(), "{callback:?}");
            callback
        };
        assert!(self.rp.redirect_uri.starts_with(&callback.address), "{callback:?}");
        assert_eq!(callback.get("iss"), Some(self.app.config.http.issuer.as_str()), "{callback:?}");
        let names: BTreeSet<&String> = callback.parameters.iter().map(|(name, _)| name).collect();
        assert_eq!(names.len(), callback.parameters.len(), "each once: {callback:?}");
        callback
    }

    /// The error that is answered, in its place and with nothing beside it (AR3).
    #[track_caller]
    pub fn error(&self, page: &Page) -> Callback {
        let callback = self.answer(page);
        let known = ["error", "error_description", "error_uri", "state", "session_state", "iss"];
        let own: Vec<(String, String)> = Callback::parse(&self.rp.redirect_uri).parameters;
        for (name, value) in &callback.parameters {
            let is_own = own.iter().any(|(known, _)| known == name);
            assert!(known.contains(&name.as_str()) || is_own, "{callback:?}");
            let fine = |b: u8| matches!(b, 0x20 | 0x21 | 0x23..=0x5b | 0x5d..=0x7e);
            assert!(name != "error_description" || value.bytes().all(fine), "{callback:?}");
        }
        assert!(callback.get("error").is_some(), "{callback:?}");
        callback
    }

    /// The same, with this code.
    #[track_caller]
    pub fn refused(&self, page: &Page, code: &str) {
        let callback = self.error(page);
        assert_eq!(callback.get("error"), Some(code), "{callback:?}");
    }

    /// The whole way, everything that comes checked.
    pub async fn sign_in(&self, more: &[(&str, &str)]) -> Tokens {
        self.sign_in_as(ALICE, more).await
    }

    pub async fn sign_in_as(&self, email: &str, more: &[(&str, &str)]) -> Tokens {
        let page = self.page_as(email, more).await;
        let parameter = |name: &str, usual: &'static str| {
            let asked = more.iter().find(|(known, _)| *known == name).map_or(usual, |(_, value)| *value);
            Some(asked.to_owned()).filter(|value| !value.is_empty())
        };
        let (state, nonce) = (parameter("state", "a state"), parameter("nonce", "a nonce"));
        let callback = self.answer(&page);
        assert_eq!(callback.get("state"), state.as_deref(), "{callback:?}");
        self.finish(callback, nonce.as_deref()).await
    }

    /// Takes an answer apart: exactly what the response type says is there, and what it is is right.
    pub async fn finish(&self, callback: Callback, nonce: Option<&str>) -> Tokens {
        let has = |name: &str| callback.get(name).is_some();
        assert!(!has("error"), "{callback:?}");
        for (name, part) in
            [("code", "code"), ("id_token", "id_token"), ("access_token", "token"), ("token_type", "token")]
        {
            assert_eq!(has(name), self.plan.gives(part), "{name}: {callback:?}");
        }
        if let Some(life) = callback.get("expires_in") {
            assert!((1..=31_536_000).contains(&life.parse::<u32>().unwrap()), "{callback:?}");
        }
        let (code, token) = (callback.get("code"), callback.get("access_token"));
        for secret in code.into_iter().chain(token) {
            assert!(entropy(secret) > 96.0, "{secret}");
        }
        let mut tokens = Tokens { callback: callback.clone(), front: None, answer: None, back: None };
        if let Some(id_token) = callback.get("id_token") {
            let claims = self.id_token(id_token, nonce).await;
            assert_eq!(claims.get("at_hash").is_some(), token.is_some(), "{claims}");
            assert_eq!(claims.get("c_hash").is_some(), code.is_some(), "{claims}");
            same_hash(&claims, "at_hash", token, &header_of(id_token)["alg"]);
            same_hash(&claims, "c_hash", code, &header_of(id_token)["alg"]);
            tokens.front = Some(claims);
        }
        if let Some(code) = code {
            let answer = self.redeem(code).await.expect(200);
            assert_eq!(answer.header("cache-control"), Some("no-store"));
            assert_eq!(answer.header("content-type"), Some("application/json"));
            let body = answer.json();
            assert_eq!(body["token_type"], "Bearer");
            assert!((1..=31_536_000).contains(&body["expires_in"].as_u64().unwrap()), "{body}");
            let id_token = answer.str("id_token");
            let claims = self.id_token(&id_token, nonce).await;
            same_hash(&claims, "at_hash", body["access_token"].as_str(), &header_of(&id_token)["alg"]);
            for claim in ["iss", "sub", "auth_time"] {
                assert!(tokens.front.as_ref().is_none_or(|front| front[claim] == claims[claim]), "{claims}");
            }
            tokens.back = Some(claims);
            tokens.answer = Some(body);
        }
        if token.is_some() || code.is_some() {
            let said = self.userinfo(tokens.access()).await;
            assert!(tokens.front.iter().chain(&tokens.back).all(|claims| claims["sub"] == said["sub"]), "{said}");
        }
        tokens
    }

    /// Redeems a code: without verifier, as the suite does.
    pub async fn redeem(&self, code: &str) -> Answer {
        self.rp.redeem(code, &[("code_verifier", "")]).await
    }

    /// What userinfo says, every claim with its type.
    pub async fn userinfo(&self, token: &str) -> Value {
        let said = self.rp.userinfo(token).await.expect(200);
        assert_eq!(said.header("content-type"), Some("application/json"));
        let said = said.json();
        typed(&said);
        said
    }

    /// The claims of an ID token that is what it must be (J1, J2, J7, J8).
    pub async fn id_token(&self, token: &str, nonce: Option<&str>) -> Value {
        verified(&self.app, token).await;
        let claims = claims_of(token);
        let now = self.app.now().seconds();
        let number = |name: &str| claims[name].as_i64().unwrap_or_else(|| panic!("{name}: {claims}"));
        assert_eq!(claims["iss"], self.app.config.http.issuer.as_str());
        assert_eq!(claims["aud"], self.rp.client.id.as_str());
        assert_eq!(claims.get("azp").unwrap_or(&claims["aud"]), &claims["aud"]);
        assert!(number("exp") > now && number("exp") < now + 86_401, "{claims}");
        assert!((now - 300..=now).contains(&number("iat")), "{claims}");
        assert!(number("auth_time") <= now, "{claims}");
        assert_eq!(claims.get("nonce").and_then(Value::as_str), nonce, "{claims}");
        let sub = claims["sub"].as_str().unwrap();
        assert!(!sub.is_empty() && sub.len() <= 255 && sub.bytes().all(|b| b.is_ascii_graphic()), "{claims}");
        typed(&claims);
        claims
    }
}

/// Claims of an ID token that nobody has to ask for (J7).
pub const UNASKED: [&str; 17] = [
    "iss",
    "sub",
    "aud",
    "exp",
    "iat",
    "auth_time",
    "nonce",
    "acr",
    "amr",
    "azp",
    "at_hash",
    "c_hash",
    "nbf",
    "jti",
    "sid",
    "s_hash",
    "txn",
];

/// What of these claims is about the person.
pub fn about_the_person(claims: &Value) -> BTreeSet<String> {
    let names = claims.as_object().unwrap().keys().filter(|name| !UNASKED.contains(&name.as_str()));
    names.cloned().collect()
}

/// The answer that a page posts on: in an action without any of it, as a form of the usual type.
#[track_caller]
fn posted(page: &Page) -> Callback {
    assert_eq!((page.status, &page.left_for), (200, &None), "{page:?}");
    let form = page.forms().into_iter().next().unwrap_or_else(|| panic!("no form: {page:?}"));
    assert!(!form.action.contains("code=") && !form.action.contains("error="), "{form:?}");
    assert!(form.html.contains(r#"method="post""#) && !form.html.contains("enctype"), "{form:?}");
    Callback { in_fragment: false, parameters: form.hidden, ..Callback::parse(&form.action) }
}

/// A signature by a published key that allows its algorithm (J2, A7), checked by a library that is not
/// ours.
pub async fn verified(app: &TestApp, token: &str) {
    let header = header_of(token);
    let set = app.get("/.well-known/jwks.json").await.body(200);
    let key = set["keys"].as_array().unwrap().iter().find(|key| key["kid"] == header["kid"]);
    let key = key.unwrap_or_else(|| panic!("no published key {header}"));
    assert_eq!((&key["alg"], &key["use"]), (&header["alg"], &json!("sig")));
    let key: CoreJsonWebKey = serde_json::from_value(key.clone()).unwrap();
    let alg = match header["alg"].as_str().unwrap() {
        "RS256" => CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
        "ES256" => CoreJwsSigningAlgorithm::EcdsaP256Sha256,
        "EdDSA" => CoreJwsSigningAlgorithm::EdDsa,
        other => panic!("{other}"),
    };
    let (signed, signature) = token.rsplit_once('.').unwrap();
    key.verify_signature(&alg, signed.as_bytes(), &from_base64url(signature).unwrap()).expect("its signature");
}

/// Where there is a hash, it is the left half of the digest that goes with the algorithm (J4).
#[track_caller]
fn same_hash(claims: &Value, name: &str, text: Option<&str>, alg: &Value) {
    use aws_lc_rs::digest::{SHA256, SHA512, digest};
    let Some(hash) = claims.get(name) else { return };
    let digest = digest(if alg == "EdDSA" { &SHA512 } else { &SHA256 }, text.expect("what was hashed").as_bytes());
    let half = &digest.as_ref()[..digest.as_ref().len() / 2];
    assert_eq!(hash, &json!(gatehouse::crypto::digest::base64url(half)), "{name}");
}

/// Every claim has the type that the standard gives it (J8).
#[track_caller]
fn typed(claims: &Value) {
    for (name, value) in claims.as_object().unwrap() {
        let fine = match name.as_str() {
            "email_verified" | "phone_number_verified" => value.is_boolean(),
            "updated_at" | "exp" | "iat" | "auth_time" => value.is_i64(),
            "amr" => value.as_array().is_some_and(|values| values.iter().all(Value::is_string)),
            "address" => {
                value.as_object().is_some_and(|parts| !parts.is_empty() && parts.values().all(Value::is_string))
            }
            _ => value.as_str().is_some_and(|text| !text.trim().is_empty() && text != "null"),
        };
        assert!(fine, "{name}: {value}");
    }
}

/// Shannon entropy of a text, in bits, as the suite measures it (AR6).
pub fn entropy(text: &str) -> f64 {
    let length = f64::from(u32::try_from(text.len()).unwrap());
    let letters: BTreeSet<u8> = text.bytes().collect();
    let each = letters.into_iter().map(|letter| {
        let share = f64::from(u32::try_from(text.bytes().filter(|b| *b == letter).count()).unwrap()) / length;
        -share * share.log2()
    });
    each.sum::<f64>() * length
}

/// A page of ours that says what is wrong; the client hears nothing.
#[track_caller]
pub fn is_error_page(page: &Page) {
    assert_eq!(page.left_for, None, "{page:?}");
    assert!((400..500).contains(&page.status), "{page:?}");
    assert!(page.headers["content-type"].to_str().unwrap().starts_with("text/html"), "{page:?}");
    assert!(!page.text.contains(CALLBACK), "{page:?}");
}

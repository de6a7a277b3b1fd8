//! How a client proves who it is (RFC 6749 §2.3, RFC 7523, OpenID Connect Core §9).

use std::time::Duration;

use gatehouse::crypto::digest;
use gatehouse::domain::clients::{self, NewClient};
use gatehouse::model::client::{AuthMethod, GrantType};
use gatehouse::model::signing_key::SigningAlg;
use serde_json::{Value, json};

use crate::support::{Answer, Client, Signer, TestApp, both_engines, mac, unsigned};

both_engines!(
    basic_and_post_stand_for_each_other,
    basic_halves_are_form_decoded,
    broken_basic_is_refused_as_basic,
    one_method_at_a_time,
    an_unknown_client_says_so,
    a_public_client_only_names_itself,
    private_key_jwt_in_every_algorithm,
    client_secret_jwt,
    an_assertion_must_be_exactly_right,
    an_assertion_counts_once,
    a_clients_key_can_be_rolled_over,
    a_secret_can_be_rolled_over,
);

const BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

async fn by_key(app: &TestApp, signer: &Signer) -> Client {
    let new = NewClient {
        auth_method: AuthMethod::PrivateKeyJwt,
        jwks: Some(signer.jwks()),
        scope: "user:read".parse().unwrap(),
        ..NewClient::service("by key")
    };
    app.client(new).await
}

fn claims(app: &TestApp, client: &Client, jti: &str) -> Value {
    let now = app.now().seconds();
    let aud = format!("{}/oauth/token", app.base);
    json!({ "iss": client.id, "sub": client.id, "aud": aud, "jti": jti, "iat": now, "exp": now + 60 })
}

async fn assert_with(app: &TestApp, assertion: &str) -> Answer {
    let fields =
        [("grant_type", "client_credentials"), ("client_assertion_type", BEARER), ("client_assertion", assertion)];
    app.form("/oauth/token", &fields).await
}

async fn basic_and_post_stand_for_each_other(app: TestApp) {
    for method in [AuthMethod::ClientSecretBasic, AuthMethod::ClientSecretPost] {
        let client = app.client(NewClient { auth_method: method, ..NewClient::service("a service") }).await;
        app.credentials(&client).await.expect(200);
        let post =
            [("grant_type", "client_credentials"), ("client_id", &*client.id), ("client_secret", &*client.secret)];
        app.form("/oauth/token", &post).await.expect(200);
        // The id may stand in the body too, if it is the same.
        let fields = [("grant_type", "client_credentials"), ("client_id", &*client.id)];
        app.basic("/oauth/token", &client.id, &client.secret, &fields).await.expect(200);
        let other = [("grant_type", "client_credentials"), ("client_id", "svc_other")];
        app.basic("/oauth/token", &client.id, &client.secret, &other).await.is_oauth_error(400, "invalid_request");
    }
}

async fn basic_halves_are_form_decoded(app: TestApp) {
    // Whatever stands in an id is encoded by the form rules before the base64 (RFC 6749 §2.3.1).
    let id = "odd+id%&=/~";
    let client = app.client(NewClient { id: Some(id.to_owned()), ..NewClient::service("odd") }).await;
    let encoded = "odd%2Bid%25%26%3D%2F%7E";
    app.basic("/oauth/token", encoded, &client.secret, &[("grant_type", "client_credentials")]).await.expect(200);
    let secret: String = client.secret.bytes().map(|byte| format!("%{byte:02x}")).collect();
    app.basic("/oauth/token", encoded, &secret, &[("grant_type", "client_credentials")]).await.expect(200);
}

async fn broken_basic_is_refused_as_basic(app: TestApp) {
    let service = app.service("").await;
    let encode = |text: &str| {
        use base64::Engine as _;
        base64::engine::general_purpose::STANDARD.encode(text)
    };
    let body = "grant_type=client_credentials";
    let good = encode(&format!("{}:{}", service.id, service.secret));
    app.raw_form("/oauth/token", Some(&format!("basic {good}")), body).await.expect(200);
    for header in [
        format!("Basic {}", encode(&format!("{}:wrong", service.id))),
        format!("Basic {}", encode(&service.id)),
        format!("Basic {}", encode(":")),
        "Basic ???".to_owned(),
        "Basic".to_owned(),
        "Basic ".to_owned(),
        format!("Bearer {good}"),
        "Negotiate x".to_owned(),
    ] {
        let answer = app.raw_form("/oauth/token", Some(&header), body).await;
        answer.is_oauth_error(401, "invalid_client");
        assert!(answer.header("www-authenticate").is_some_and(|c| c.starts_with("Basic realm=")), "{answer:?}");
    }
    // Without the header there is no challenge and no 401 (RFC 6749 §5.2).
    let post = [("grant_type", "client_credentials"), ("client_id", &*service.id), ("client_secret", "wrong")];
    let answer = app.form("/oauth/token", &post).await;
    answer.is_oauth_error(400, "invalid_client");
    assert_eq!(answer.header("www-authenticate"), None);
}

async fn one_method_at_a_time(app: TestApp) {
    let service = app.service("").await;
    let signer = Signer::new(SigningAlg::Es256);
    let keyed = by_key(&app, &signer).await;
    let assertion = signer.sign(&claims(&app, &keyed, "1"));
    let secret = ("client_secret", &*service.secret);
    let id = ("client_id", &*service.id);
    let grant = ("grant_type", "client_credentials");
    let proof = [("client_assertion_type", BEARER), ("client_assertion", &*assertion)];
    app.basic("/oauth/token", &service.id, &service.secret, &[grant, id, secret])
        .await
        .is_oauth_error(400, "invalid_request");
    let basic_and_assertion = [grant, proof[0], proof[1]];
    app.basic("/oauth/token", &service.id, &service.secret, &basic_and_assertion)
        .await
        .is_oauth_error(400, "invalid_request");
    app.form("/oauth/token", &[grant, id, secret, proof[0], proof[1]]).await.is_oauth_error(400, "invalid_request");
    // An assertion of a type that nobody knows, or of none.
    app.form("/oauth/token", &[grant, proof[1]]).await.is_oauth_error(400, "invalid_request");
    let other = ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:saml2-bearer");
    app.form("/oauth/token", &[grant, other, proof[1]]).await.is_oauth_error(400, "invalid_request");
    // None of these has used the assertion up.
    assert_with(&app, &assertion).await.expect(200);
}

async fn an_unknown_client_says_so(app: TestApp) {
    let unknown = app.basic("/oauth/token", "svc_unknown", "x", &[("grant_type", "client_credentials")]).await;
    unknown.is_oauth_error(401, "invalid_client");
    let expected = json!({ "error": "invalid_client", "error_description": "Client not found" });
    assert_eq!(unknown.json(), expected);
    let service = app.service("").await;
    let wrong = app.basic("/oauth/token", &service.id, "x", &[("grant_type", "client_credentials")]).await;
    wrong.is_oauth_error(401, "invalid_client");
    assert_eq!(wrong.str("error_description"), "Invalid client credentials");
    for id in ["", "a b", "\u{0}", "ü", &"x".repeat(5000)] {
        let answer = app.basic("/oauth/token", id, "x", &[("grant_type", "client_credentials")]).await;
        answer.is_oauth_error(401, "invalid_client");
    }
    app.form("/oauth/token", &[("grant_type", "client_credentials")]).await.is_oauth_error(400, "invalid_client");
}

async fn a_public_client_only_names_itself(app: TestApp) {
    app.user("alice@example.org", "open sesame").await;
    let new = NewClient {
        auth_method: AuthMethod::None,
        grant_types: vec![GrantType::Password, GrantType::RefreshToken],
        scope: "openid".parse().unwrap(),
        ..NewClient::service("public")
    };
    let public = app.client(new).await;
    assert_eq!(public.secret, "");
    let fields = [
        ("grant_type", "password"),
        ("username", "alice@example.org"),
        ("password", "open sesame"),
        ("client_id", &*public.id),
    ];
    let answer = app.form("/oauth/token", &fields).await.expect(200);
    let refresh = answer.str("refresh_token");
    let fields = [("grant_type", "refresh_token"), ("refresh_token", &*refresh), ("client_id", &*public.id)];
    app.form("/oauth/token", &fields).await.expect(200);
    // A secret that nobody has registered proves nothing, and a confidential client needs one.
    let fields = [fields[0], fields[1], fields[2], ("client_secret", "anything")];
    app.form("/oauth/token", &fields).await.is_oauth_error(400, "invalid_client");
    let service = app.service("").await;
    let fields = [("grant_type", "client_credentials"), ("client_id", &*service.id)];
    app.form("/oauth/token", &fields).await.is_oauth_error(400, "invalid_client");
}

async fn private_key_jwt_in_every_algorithm(app: TestApp) {
    for alg in [SigningAlg::Rs256, SigningAlg::Es256, SigningAlg::EdDsa] {
        let signer = Signer::new(alg);
        let client = by_key(&app, &signer).await;
        let answer = assert_with(&app, &signer.sign(&claims(&app, &client, "1"))).await.expect(200);
        assert_eq!(answer.str("scope"), "user:read");
        // With the id beside it, which must then be the same.
        let assertion = signer.sign(&claims(&app, &client, "2"));
        let fields = [
            ("grant_type", "client_credentials"),
            ("client_id", &*client.id),
            ("client_assertion_type", BEARER),
            ("client_assertion", &*assertion),
        ];
        app.form("/oauth/token", &fields).await.expect(200);
        let assertion = signer.sign(&claims(&app, &client, "3"));
        let other = app.service("").await;
        let fields = [fields[0], ("client_id", &*other.id), fields[2], ("client_assertion", &*assertion)];
        let answer = app.form("/oauth/token", &fields).await;
        assert_eq!(answer.status, 400, "another client's id beside the assertion: {answer:?}");
    }
}

async fn client_secret_jwt(app: TestApp) {
    let new = NewClient { auth_method: AuthMethod::ClientSecretJwt, ..NewClient::service("by mac") };
    let client = app.client(new).await;
    let header = json!({ "alg": "HS256", "typ": "JWT" });
    let good = mac(client.secret.as_bytes(), &header, &claims(&app, &client, "1"));
    assert_with(&app, &good).await.expect(200);
    assert_with(&app, &good).await.is_oauth_error(400, "invalid_client");
    let wrong = mac(b"another secret of more than thirty-two bytes", &header, &claims(&app, &client, "2"));
    assert_with(&app, &wrong).await.is_oauth_error(400, "invalid_client");
    // A secret that only signs must not travel.
    app.credentials(&client).await.is_oauth_error(401, "invalid_client");
    let post = [("grant_type", "client_credentials"), ("client_id", &*client.id), ("client_secret", &*client.secret)];
    app.form("/oauth/token", &post).await.is_oauth_error(400, "invalid_client");
    // And a client of another method can't switch to it.
    let service = app.service("").await;
    let switched = mac(service.secret.as_bytes(), &header, &claims(&app, &service, "1"));
    assert_with(&app, &switched).await.is_oauth_error(400, "invalid_client");
}

async fn an_assertion_must_be_exactly_right(app: TestApp) {
    let signer = Signer::new(SigningAlg::Rs256);
    let client = by_key(&app, &signer).await;
    let other = by_key(&app, &Signer::new(SigningAlg::Rs256)).await;
    let now = app.now().seconds();
    let mut number = 0;
    let mut changed = |member: &str, value: Value| {
        number += 1;
        let mut claims = claims(&app, &client, &format!("{member} {number}"));
        if value.is_null() {
            claims.as_object_mut().unwrap().remove(member)
        } else {
            claims.as_object_mut().unwrap().insert(member.to_owned(), value)
        };
        claims
    };
    let good = [
        changed("aud", json!(app.base)),
        changed("aud", json!([format!("{}/oauth/token", app.base)])),
        changed("aud", json!(["https://elsewhere.example", app.base])),
        changed("nbf", json!(now)),
        changed("iat", Value::Null),
        // A clock that is 30 s off.
        changed("iat", json!(now + 29)),
        changed("exp", json!(now - 29)),
        changed("exp", json!(now + 3600)),
        // RFC 7519 §2: a time may have a fraction.
        changed("exp", json!(f64::from(u32::try_from(now).unwrap()) + 59.5)),
        changed("iat", json!(f64::from(u32::try_from(now).unwrap()) - 0.25)),
    ];
    for claims in good {
        let answer = assert_with(&app, &signer.sign(&claims)).await;
        assert_eq!(answer.status, 200, "{claims}: {}", answer.text);
    }
    let bad = [
        changed("aud", json!("https://elsewhere.example")),
        changed("aud", json!(format!("{}/oauth/token/", app.base))),
        changed("aud", json!(format!("{}/", app.base))),
        changed("aud", json!([])),
        changed("aud", Value::Null),
        changed("iss", json!(other.id)),
        changed("iss", Value::Null),
        changed("sub", json!(other.id)),
        changed("sub", json!("svc_nobody")),
        changed("sub", Value::Null),
        changed("exp", Value::Null),
        changed("exp", json!("soon")),
        changed("exp", json!(now - 31)),
        changed("exp", json!(now + 3600 + 60)),
        changed("exp", json!(i64::MAX)),
        changed("exp", json!(1e300)),
        changed("exp", json!(-1)),
        changed("nbf", json!(now + 60)),
        changed("iat", json!(now + 60)),
        changed("jti", Value::Null),
        changed("jti", json!("")),
        changed("jti", json!("x".repeat(600))),
    ];
    for claims in bad {
        let answer = assert_with(&app, &signer.sign(&claims)).await;
        assert_eq!((answer.status, answer.json()["error"].as_str()), (400, Some("invalid_client")), "{claims}");
        assert!(answer.header("www-authenticate").is_none());
    }
    // The signature: of another key, of none, and algorithm confusion with the public key.
    let right = claims(&app, &client, "forged");
    let public = serde_json::to_value(signer.jwk()).unwrap();
    let n = digest::from_base64url(public["n"].as_str().unwrap()).unwrap();
    let hs256 = json!({ "alg": "HS256", "typ": "JWT" });
    let signed = signer.sign(&right);
    let (_, signature) = signed.rsplit_once('.').unwrap();
    let forged = [
        Signer::new(SigningAlg::Rs256).sign(&right),
        format!("{}.", unsigned(&json!({ "alg": "none" }), &right)),
        format!("{}.", unsigned(&json!({ "alg": "None", "typ": "JWT" }), &right)),
        mac(&n, &hs256, &right),
        mac(public.to_string().as_bytes(), &hs256, &right),
        mac(signer.jwks().as_bytes(), &hs256, &right),
        mac(b"", &hs256, &right),
        format!("{}.{signature}", unsigned(&json!({ "alg": "RS256", "jwk": public }), &right)),
        format!("{}.{signature}", unsigned(&json!({ "alg": "PS256" }), &right)),
        "not.a.jwt".to_owned(),
        "x".repeat(60_000),
    ];
    for assertion in forged {
        assert_with(&app, &assertion).await.is_oauth_error(400, "invalid_client");
    }
    assert_with(&app, &signed).await.expect(200);
}

async fn an_assertion_counts_once(app: TestApp) {
    let signer = Signer::new(SigningAlg::EdDsa);
    let (client, other) = (by_key(&app, &signer).await, by_key(&app, &signer).await);
    let assertion = signer.sign(&claims(&app, &client, "the same"));
    assert_with(&app, &assertion).await.expect(200);
    assert_with(&app, &assertion).await.is_oauth_error(400, "invalid_client");
    // Another client may use the same name for its own.
    assert_with(&app, &signer.sign(&claims(&app, &other, "the same"))).await.expect(200);
    // It is remembered for as long as it would count: also just before the end of the leeway.
    app.advance(Duration::from_secs(89));
    gatehouse::domain::upkeep::clean(&app.core).await.unwrap();
    assert_with(&app, &assertion).await.is_oauth_error(400, "invalid_client");
    // Introspection and revocation share the memory.
    let assertion = signer.sign(&claims(&app, &client, "once more"));
    let fields = [("token", "x"), ("client_assertion_type", BEARER), ("client_assertion", &*assertion)];
    app.form("/oauth/introspect", &fields).await.expect(200);
    assert_with(&app, &assertion).await.is_oauth_error(400, "invalid_client");
}

async fn a_clients_key_can_be_rolled_over(app: TestApp) {
    let (old, new) = (Signer::new(SigningAlg::Es256), Signer::new(SigningAlg::Es256));
    let client = by_key(&app, &old).await;
    let both = json!({ "keys": [old.jwk(), new.jwk()] }).to_string();
    let id = client.id.parse().unwrap();
    let change = |jwks| clients::ClientChange { jwks: Some(Some(jwks)), ..clients::ClientChange::default() };
    clients::update(&app.ctx().await, &id, change(both)).await.unwrap();
    assert_with(&app, &old.sign(&claims(&app, &client, "1"))).await.expect(200);
    assert_with(&app, &new.sign(&claims(&app, &client, "2"))).await.expect(200);
    clients::update(&app.ctx().await, &id, change(new.jwks())).await.unwrap();
    assert_with(&app, &old.sign(&claims(&app, &client, "3"))).await.is_oauth_error(400, "invalid_client");
    assert_with(&app, &new.sign(&claims(&app, &client, "4"))).await.expect(200);
}

async fn a_secret_can_be_rolled_over(app: TestApp) {
    let service = app.service("").await;
    let id = service.id.parse().unwrap();
    let overlap = Duration::from_secs(3600);
    let secret = clients::rotate_secret(&app.ctx().await, &id, overlap).await.unwrap().expose().clone();
    let new = Client { id: service.id.clone(), secret };
    app.credentials(&service).await.expect(200);
    app.credentials(&new).await.expect(200);
    app.advance(overlap);
    app.credentials(&service).await.is_oauth_error(401, "invalid_client");
    app.credentials(&new).await.expect(200);
}

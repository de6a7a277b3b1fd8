//! What a client may be set to, whoever sets it; and its keys by reference (conformance C9, L2).

use std::time::Duration;

use gatehouse::domain::clients::{self, ClientChange, NewClient};
use gatehouse::domain::{DomainError, Invalid};
use gatehouse::model::client::{AuthMethod, GrantType};
use gatehouse::model::client_settings::{ApplicationType, ClientSettings, SubjectType};
use gatehouse::model::signing_key::SigningAlg;
use serde_json::json;

use crate::support::{Answer, Client, Receiver, Reply, Setup, Signer, TestApp, both_engines};

both_engines!(
    rules_hold_for_new_clients,
    rules_hold_for_changes_but_switching_off_always_works,
    a_change_of_method_gives_a_secret_once,
    oidcc_registration_jwks_uri,
    oidcc_refresh_token_rp_key_rotation,
    keys_that_can_not_be_fetched_hold_up_nobody_else,
    an_assertion_is_signed_as_registered,
);

fn app_with(settings: ClientSettings) -> NewClient {
    NewClient {
        grant_types: vec![GrantType::AuthorizationCode, GrantType::RefreshToken],
        redirect_uris: vec!["https://app.example/callback".to_owned()],
        scope: "openid".parse().unwrap(),
        settings,
        ..NewClient::service("an app")
    }
}

fn plain() -> ClientSettings {
    ClientSettings::default()
}

async fn refusal(app: &TestApp, new: NewClient) -> Option<&'static str> {
    match clients::create(&app.ctx().await, new).await {
        Ok(_) => None,
        Err(DomainError::Invalid(Invalid { field, .. })) => Some(field),
        Err(other) => panic!("{other}"),
    }
}

async fn rules_hold_for_new_clients(app: TestApp) {
    let text = |text: &str| Some(text.to_owned());
    let types = |names: &[&str]| names.iter().map(|name| name.parse().unwrap()).collect::<Vec<_>>();
    let legacy = || ClientSettings { legacy_response_types: true, ..plain() };
    let hybrid = |settings| NewClient {
        grant_types: vec![GrantType::AuthorizationCode, GrantType::Implicit],
        ..app_with(settings)
    };
    let good = [
        app_with(plain()),
        app_with(ClientSettings { require_pkce: false, ..plain() }),
        app_with(ClientSettings { logo_uri: text("https://app.example/logo.png"), ..plain() }),
        app_with(ClientSettings { frontchannel_logout_uri: text("https://app.example/out?a=b"), ..plain() }),
        app_with(ClientSettings { subject_type: SubjectType::Pairwise, ..plain() }),
        app_with(ClientSettings { default_acr_values: vec!["phr".to_owned()], ..plain() }),
        hybrid(ClientSettings { response_types: types(&["code", "id_token code"]), ..legacy() }),
        NewClient {
            redirect_uris: vec!["com.example.app:/callback".to_owned(), "http://127.0.0.1/callback".to_owned()],
            auth_method: AuthMethod::None,
            ..app_with(ClientSettings { application_type: ApplicationType::Native, ..plain() })
        },
        // A device has no browser to be sent back with.
        NewClient { grant_types: vec![GrantType::DeviceCode], redirect_uris: Vec::new(), ..app_with(plain()) },
    ];
    for (n, new) in good.into_iter().enumerate() {
        assert_eq!(refusal(&app, new).await, None, "{n}");
    }

    let two_hosts = vec!["https://a.example/cb".to_owned(), "https://b.example/cb".to_owned()];
    let bad = [
        ("redirect_uri", NewClient { redirect_uris: Vec::new(), ..app_with(plain()) }),
        ("redirect_uri", NewClient { redirect_uris: vec!["https://a.example/#x".to_owned()], ..app_with(plain()) }),
        ("redirect_uri", NewClient { redirect_uris: vec!["http://a.example/".to_owned()], ..app_with(plain()) }),
        ("redirect_uri", NewClient { redirect_uris: vec!["https://u@a.example/".to_owned()], ..app_with(plain()) }),
        ("redirect_uri", NewClient { redirect_uris: vec!["com.example.app:/cb".to_owned()], ..app_with(plain()) }),
        ("redirect_uri", NewClient { redirect_uris: vec!["javascript:alert(1)".to_owned()], ..app_with(plain()) }),
        (
            "post_logout_redirect_uri",
            NewClient { post_logout_redirect_uris: vec!["http://a.example/".to_owned()], ..app_with(plain()) },
        ),
        ("response_types", hybrid(ClientSettings { response_types: types(&["code id_token"]), ..plain() })),
        ("response_types", app_with(ClientSettings { response_types: types(&["code id_token"]), ..legacy() })),
        ("response_types", NewClient { grant_types: vec![GrantType::Implicit], ..app_with(legacy()) }),
        (
            "require_pkce",
            NewClient { auth_method: AuthMethod::None, ..app_with(ClientSettings { require_pkce: false, ..plain() }) },
        ),
        ("jwks", NewClient { auth_method: AuthMethod::PrivateKeyJwt, ..app_with(plain()) }),
        ("jwks", app_with(ClientSettings { require_signed_request_object: true, ..plain() })),
        (
            "jwks_uri",
            NewClient {
                jwks: Some(Signer::new(SigningAlg::Es256).jwks()),
                ..app_with(ClientSettings { jwks_uri: text("https://app.example/jwks"), ..plain() })
            },
        ),
        ("jwks_uri", app_with(ClientSettings { jwks_uri: text("http://app.example/jwks"), ..plain() })),
        ("logo_uri", app_with(ClientSettings { logo_uri: text("javascript:alert(1)"), ..plain() })),
        ("policy_uri", app_with(ClientSettings { policy_uri: text("data:text/html,x"), ..plain() })),
        ("tos_uri", app_with(ClientSettings { tos_uri: text("/terms"), ..plain() })),
        ("initiate_login_uri", app_with(ClientSettings { initiate_login_uri: text("http://localhost/"), ..plain() })),
        (
            "backchannel_logout_uri",
            app_with(ClientSettings { backchannel_logout_uri: text("https://a.example/#f"), ..plain() }),
        ),
        (
            "frontchannel_logout_uri",
            app_with(ClientSettings { frontchannel_logout_uri: text("https://b.example/"), ..plain() }),
        ),
        (
            "sector_identifier_uri",
            NewClient {
                redirect_uris: two_hosts,
                ..app_with(ClientSettings { subject_type: SubjectType::Pairwise, ..plain() })
            },
        ),
        ("default_acr_values", app_with(ClientSettings { default_acr_values: vec!["gold".to_owned()], ..plain() })),
        (
            "request_object_signing_alg",
            app_with(ClientSettings { request_object_signing_alg: text("none"), ..plain() }),
        ),
        (
            "request_uris",
            app_with(ClientSettings {
                request_uris: vec![format!("https://a.example/{}", "x".repeat(512))],
                ..plain()
            }),
        ),
        ("access_token_ttl", NewClient { access_token_ttl: Some(Duration::ZERO), ..app_with(plain()) }),
        ("auth_method", NewClient { auth_method: AuthMethod::None, ..NewClient::service("public service") }),
    ];
    for (n, (field, new)) in bad.into_iter().enumerate() {
        assert_eq!(refusal(&app, new).await, Some(field), "{n}");
    }
}

async fn rules_hold_for_changes_but_switching_off_always_works(app: TestApp) {
    let client = app.client(app_with(plain())).await;
    let id = client.id.parse().unwrap();
    let change = |settings| ClientChange { settings: Some(settings), ..ClientChange::default() };
    let bad = ClientSettings { logo_uri: Some("ftp://a.example/".to_owned()), ..plain() };
    let refused = clients::update(&app.ctx().await, &id, change(bad)).await;
    assert!(matches!(refused, Err(DomainError::Invalid(Invalid { field: "logo_uri", .. }))));
    let none = ClientChange { redirect_uris: Some(Vec::new()), ..ClientChange::default() };
    assert!(clients::update(&app.ctx().await, &id, none).await.is_err());

    // A client from before a rule.
    let sql = app.sql().await;
    sql.run(&format!("UPDATE clients SET redirect_uris = '[]' WHERE id = '{}'", client.id)).await;
    sql.close().await;
    let off = ClientChange { enabled: Some(false), name: Some("gone".to_owned()), ..ClientChange::default() };
    assert!(!clients::update(&app.ctx().await, &id, off).await.unwrap().client.enabled);
}

async fn a_change_of_method_gives_a_secret_once(app: TestApp) {
    let signer = Signer::new(SigningAlg::Es256);
    let new = NewClient {
        auth_method: AuthMethod::PrivateKeyJwt,
        jwks: Some(signer.jwks()),
        ..NewClient::service("a service")
    };
    let client = app.client(new).await;
    let id = client.id.parse().unwrap();
    let by = |method| ClientChange { auth_method: Some(method), ..ClientChange::default() };
    let changed = clients::update(&app.ctx().await, &id, by(AuthMethod::ClientSecretPost)).await.unwrap();
    let client = Client { secret: changed.secret.expect("a secret").expose().clone(), ..client };
    app.credentials(&client).await.expect(200);
    // The secret serves the other way as well, but a MAC needs one that is kept.
    assert!(clients::update(&app.ctx().await, &id, by(AuthMethod::ClientSecretBasic)).await.unwrap().secret.is_none());
    app.credentials(&client).await.expect(200);
    assert!(clients::update(&app.ctx().await, &id, by(AuthMethod::ClientSecretJwt)).await.unwrap().secret.is_some());
    app.credentials(&client).await.is_oauth_error(401, "invalid_client");
}

async fn reaching_loopback(setup: &Setup) -> TestApp {
    setup
        .start_with(|config| {
            config.outbound.allow_networks = vec!["127.0.0.0/8".parse().unwrap()];
            config.outbound.timeout = Duration::from_millis(400);
        })
        .await
}

async fn by_reference(app: &TestApp, uri: &str) -> Client {
    let new = NewClient {
        auth_method: AuthMethod::PrivateKeyJwt,
        settings: ClientSettings { jwks_uri: Some(uri.to_owned()), ..plain() },
        ..NewClient::service("by reference")
    };
    app.client(new).await
}

async fn assert_with(app: &TestApp, client: &Client, signer: &Signer, jti: &str) -> Answer {
    let now = app.now().seconds();
    let claims =
        json!({ "iss": client.id, "sub": client.id, "aud": app.base, "iat": now, "exp": now + 60, "jti": jti });
    let assertion = signer.sign(&claims);
    let fields = [
        ("grant_type", "client_credentials"),
        ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
        ("client_assertion", &*assertion),
    ];
    app.form("/oauth/token", &fields).await
}

async fn oidcc_registration_jwks_uri(setup: Setup) {
    let (app, receiver) = (reaching_loopback(&setup).await, Receiver::start().await);
    let signer = Signer::new(SigningAlg::Rs256);
    let uri = receiver.shows("/jwks", signer.jwks());
    let client = by_reference(&app, &uri).await;
    assert!(receiver.received("/jwks").is_empty(), "fetched when it is needed");
    for jti in ["1", "2", "3"] {
        assert_with(&app, &client, &signer, jti).await.expect(200);
    }
    assert_eq!(receiver.received("/jwks").len(), 1, "believed for a minute");
    app.advance(Duration::from_secs(61));
    assert_with(&app, &client, &signer, "4").await.expect(200);
    assert_eq!(receiver.received("/jwks").len(), 2);
}

async fn oidcc_refresh_token_rp_key_rotation(setup: Setup) {
    let (app, receiver) = (reaching_loopback(&setup).await, Receiver::start().await);
    let (old, new, stranger) =
        (Signer::new(SigningAlg::Rs256), Signer::new(SigningAlg::Rs256), Signer::new(SigningAlg::Rs256));
    let uri = receiver.shows("/jwks", old.jwks());
    let client = by_reference(&app, &uri).await;
    assert_with(&app, &client, &old, "1").await.expect(200);
    receiver.shows("/jwks", new.jwks());
    app.advance(Duration::from_secs(6));
    // An unknown key has the set fetched at once, long before the minute is over.
    assert_with(&app, &client, &new, "2").await.expect(200);
    assert_with(&app, &client, &old, "3").await.is_oauth_error(400, "invalid_client");
    // Whatever strangers send, the client is asked once in a while and no more.
    for n in 0..10 {
        assert_with(&app, &client, &stranger, &format!("s{n}")).await.is_oauth_error(400, "invalid_client");
    }
    assert_eq!(receiver.received("/jwks").len(), 2);
    app.advance(Duration::from_secs(6));
    for n in 0..10 {
        assert_with(&app, &client, &stranger, &format!("t{n}")).await.is_oauth_error(400, "invalid_client");
    }
    assert_eq!(receiver.received("/jwks").len(), 3);
    assert_with(&app, &client, &new, "4").await.expect(200);
    // A set that can't be had now takes nothing away before its time.
    receiver.at("/jwks", Reply::Says(500, String::new()));
    app.advance(Duration::from_secs(6));
    assert_with(&app, &client, &stranger, "5").await.is_oauth_error(400, "invalid_client");
    assert_with(&app, &client, &new, "6").await.expect(200);
    app.advance(Duration::from_secs(60));
    assert_with(&app, &client, &new, "7").await.is_oauth_error(400, "invalid_client");
}

async fn keys_that_can_not_be_fetched_hold_up_nobody_else(setup: Setup) {
    let (app, receiver) = (reaching_loopback(&setup).await, Receiver::start().await);
    let signer = Signer::new(SigningAlg::Es256);
    let slow = by_reference(&app, &receiver.at("/slow", Reply::Hangs)).await;
    let fast = by_reference(&app, &receiver.shows("/fast", signer.jwks())).await;
    let waiting: Vec<_> = (0..20)
        .map(|n| {
            let (app, slow, key) = (app.clone(), slow.clone(), Signer::new(SigningAlg::Es256));
            tokio::spawn(async move { assert_with(&app, &slow, &key, &format!("w{n}")).await })
        })
        .collect();
    receiver.wait_for("/slow", 1).await;
    assert_with(&app, &fast, &signer, "1").await.expect(200);
    app.credentials(&app.service("").await).await.expect(200);
    for task in waiting {
        task.await.unwrap().is_oauth_error(400, "invalid_client");
    }
    assert_eq!(receiver.received("/slow").len(), 1, "those who waited did not ask again");
    // What is not a set, or does not answer with one, is none.
    for (path, reply) in [
        ("/empty", Reply::Says(200, "{}".to_owned())),
        ("/secret", Reply::Says(200, r#"{"keys":[{"kty":"oct","k":"AAAA"}]}"#.to_owned())),
        ("/leads", Reply::Leads(receiver.uri("/fast"))),
        ("/floods", Reply::Floods),
    ] {
        let client = by_reference(&app, &receiver.at(path, reply)).await;
        assert_with(&app, &client, &signer, path).await.is_oauth_error(400, "invalid_client");
    }
}

async fn an_assertion_is_signed_as_registered(app: TestApp) {
    let signer = Signer::new(SigningAlg::Rs256);
    let registered = |alg: &str| NewClient {
        auth_method: AuthMethod::PrivateKeyJwt,
        jwks: Some(signer.jwks()),
        settings: ClientSettings { token_endpoint_auth_signing_alg: Some(alg.to_owned()), ..plain() },
        ..NewClient::service("by one algorithm")
    };
    let (right, wrong) = (app.client(registered("RS256")).await, app.client(registered("PS256")).await);
    assert_with(&app, &right, &signer, "1").await.expect(200);
    assert_with(&app, &wrong, &signer, "2").await.is_oauth_error(400, "invalid_client");
}

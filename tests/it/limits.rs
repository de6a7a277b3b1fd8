//! How much one address may ask for: beyond it 429 in the face's shape with a time to come back, and
//! nobody else is the worse for it.

use gatehouse::config::{LimitConfig, Rate};
use serde_json::json;

use crate::support::routes::{PASSWORD, World};
use crate::support::{Answer, Engine, Setup, TestApp, drive};

/// Two at once, and then one a while.
const TWO: Rate = Rate::per_hour(2, 2);

/// An application where this is limited, which believes what comes from this machine about
/// addresses, and a world that was made before.
async fn limited(setup: &Setup, change: impl FnOnce(&mut LimitConfig)) -> (TestApp, World) {
    let world = {
        let app = setup.start().await;
        let world = World::default(&app).await;
        app.stop().await;
        world
    };
    let app = setup
        .start_with(|config| {
            change(&mut config.limits);
            config.http.trusted_proxies = vec!["127.0.0.1/32".parse().unwrap()];
            config.http.issuer = crate::support::claims_of(&world.user_token)["iss"].as_str().unwrap().parse().unwrap();
        })
        .await;
    (app, world)
}

fn shape(answer: &Answer) -> Vec<String> {
    let body = answer.json();
    body.as_object().unwrap().keys().cloned().collect()
}

#[track_caller]
fn is_too_many(answer: &Answer, members: &[&str]) {
    assert_eq!(answer.status, 429, "{answer:?}");
    assert_eq!(shape(answer), members, "{answer:?}");
    let wait: u64 = answer.header("retry-after").expect("a time to come back").parse().unwrap();
    assert!((1..=3600).contains(&wait), "{wait}");
}

async fn from(app: &TestApp, address: &str, request: reqwest::RequestBuilder) -> Answer {
    app.send(request.header("x-forwarded-for", address)).await
}

fn post(app: &TestApp, bearer: &str, path: &str, body: &serde_json::Value) -> reqwest::RequestBuilder {
    let request = app.request(reqwest::Method::POST, path).json(body);
    if bearer.is_empty() { request } else { request.bearer_auth(bearer) }
}

#[test]
fn new_tenants_and_services_are_limited_together() {
    drive(Engine::Sqlite, async |setup: Setup| {
        let (app, world) = limited(&setup, |limits| limits.registration = TWO).await;
        let tenant = || post(&app, "", "/v1/tenants", &json!({ "name": "a" }));
        let service = || post(&app, "", "/v1/internal/services/register", &json!({ "service_name": "a" }));
        from(&app, "198.51.100.1", tenant()).await.expect(201);
        from(&app, "198.51.100.1", service()).await.expect(201);
        let count = async || {
            let sql = app.sql().await;
            let rows =
                sql.number("SELECT count(*) FROM tenants").await + sql.number("SELECT count(*) FROM clients").await;
            sql.close().await;
            rows
        };
        let before = count().await;
        is_too_many(&from(&app, "198.51.100.1", tenant()).await, &["error"]);
        is_too_many(&from(&app, "198.51.100.1", service()).await, &["error"]);
        assert_eq!(count().await, before);
        // Another address has a count of its own; of IPv6 a whole network counts as one.
        from(&app, "198.51.100.2", tenant()).await.expect(201);
        for host in ["1", "2"] {
            from(&app, &format!("2001:db8::{host}"), tenant()).await.expect(201);
        }
        is_too_many(&from(&app, "2001:db8::3", tenant()).await, &["error"]);
        from(&app, "2001:db8:0:1::3", tenant()).await.expect(201);
        // What was said of nothing else is not limited.
        from(
            &app,
            "198.51.100.1",
            post(&app, &world.public_key, "/v1/auth/login", &json!({ "email": world.email, "password": PASSWORD })),
        )
        .await
        .expect(200);
        let metrics = app.get("/metrics").await.expect(200).text;
        assert!(metrics.lines().any(|line| line.contains("registration") && line.ends_with(" 3")), "{metrics}");
    });
}

#[test]
fn sign_ups_and_sign_ins_are_limited() {
    drive(Engine::Sqlite, async |setup: Setup| {
        let (app, world) = limited(&setup, |limits| {
            limits.sign_up = TWO;
            limits.login = TWO;
        })
        .await;
        let sign_up = |n: u32| {
            let body = json!({ "email": format!("new{n}@example.org"), "password": PASSWORD });
            post(&app, &world.public_key, "/v1/auth/register", &body)
        };
        for n in 0..2 {
            from(&app, "198.51.100.1", sign_up(n)).await.expect(201);
        }
        is_too_many(&from(&app, "198.51.100.1", sign_up(3)).await, &["error"]);
        from(&app, "198.51.100.2", sign_up(3)).await.expect(201);
        let login = |password: &str| {
            post(&app, &world.public_key, "/v1/auth/login", &json!({ "email": world.email, "password": password }))
        };
        from(&app, "198.51.100.1", login(PASSWORD)).await.expect(200);
        from(&app, "198.51.100.1", login("wrong")).await.is_error(401, "invalid email or password");
        is_too_many(&from(&app, "198.51.100.1", login(PASSWORD)).await, &["error"]);
        from(&app, "198.51.100.2", login(PASSWORD)).await.expect(200);
    });
}

#[test]
fn failures_are_limited_and_successes_never() {
    drive(Engine::Sqlite, async |setup: Setup| {
        let (app, world) = limited(&setup, |limits| {
            limits.token_failures = TWO;
            limits.key_failures = TWO;
        })
        .await;
        let token = |secret: &str| {
            let request =
                app.request(reqwest::Method::POST, "/oauth/token").basic_auth(&world.service.id, Some(secret));
            request.form(&[("grant_type", "client_credentials")])
        };
        for _ in 0..20 {
            from(&app, "198.51.100.1", token(&world.service.secret)).await.expect(200);
        }
        for _ in 0..2 {
            from(&app, "198.51.100.1", token("wrong")).await.is_oauth_error(401, "invalid_client");
        }
        is_too_many(&from(&app, "198.51.100.1", token("wrong")).await, &["error", "error_description"]);
        let authenticate = json!({ "client_id": world.service.id, "client_secret": "wrong" });
        let authenticate = post(&app, "", "/v1/internal/services/authenticate", &authenticate);
        is_too_many(&from(&app, "198.51.100.1", authenticate).await, &["error"]);
        // Whoever knows the secret goes on, from there and from anywhere.
        from(&app, "198.51.100.1", token(&world.service.secret)).await.expect(200);
        from(&app, "198.51.100.2", token("wrong")).await.is_oauth_error(401, "invalid_client");

        let users = |key: &str| app.request(reqwest::Method::GET, "/v1/users").bearer_auth(key);
        let wrong = "sec_0123456789abcdef";
        for _ in 0..20 {
            from(&app, "198.51.100.1", users(&world.secret_key)).await.expect(200);
        }
        for _ in 0..2 {
            from(&app, "198.51.100.1", users(wrong)).await.is_error(401, "tenant not found");
        }
        is_too_many(&from(&app, "198.51.100.1", users(wrong)).await, &["error"]);
        let internal = app.request(reqwest::Method::GET, "/api/internal/users").bearer_auth("a.b.c");
        is_too_many(&from(&app, "198.51.100.1", internal).await, &["detail", "error_code", "status_code"]);
        from(&app, "198.51.100.1", users(&world.secret_key)).await.expect(200);
    });
}

#[test]
fn nobody_gets_a_new_count_by_writing_a_header() {
    drive(Engine::Sqlite, async |setup: Setup| {
        let app = setup.start_with(|config| config.limits.registration = TWO).await;
        let tenant = || post(&app, "", "/v1/tenants", &json!({ "name": "a" }));
        for n in 0..2 {
            from(&app, &format!("198.51.100.{n}"), tenant()).await.expect(201);
        }
        for header in ["x-forwarded-for", "forwarded", "x-real-ip", "cf-connecting-ip", "true-client-ip", "x-client-ip"]
        {
            for value in ["198.51.100.9", "for=198.51.100.9", "127.0.0.2"] {
                is_too_many(&app.send(tenant().header(header, value)).await, &["error"]);
            }
        }
    });
}

#[test]
fn what_anybody_may_begin_is_limited() {
    drive(Engine::Sqlite, async |setup: Setup| {
        let (app, world) = limited(&setup, |limits| limits.begun = TWO).await;
        let rows = async || {
            let sql = app.sql().await;
            let requests = sql.number("SELECT count(*) FROM authorization_requests").await;
            let devices = sql.number("SELECT count(*) FROM device_codes").await;
            let audited = sql.number("SELECT count(*) FROM audit_log").await;
            sql.close().await;
            (requests, devices, audited)
        };
        let sign_in = |client: &str| {
            let query = [("client_id", client), ("response_type", "code"), ("scope", "openid")];
            app.request(reqwest::Method::GET, "/oauth/authorize").query(&query)
        };
        // What is wrong with a request makes no difference.
        assert!(from(&app, "198.51.100.1", sign_in("nobody")).await.status < 429);
        assert!(from(&app, "198.51.100.1", sign_in(&world.app.id)).await.status < 429);
        let before = rows().await;
        for client in ["nobody", &world.app.id] {
            let answer = from(&app, "198.51.100.1", sign_in(client)).await;
            assert_eq!(answer.status, 429, "{answer:?}");
            assert!(answer.header("retry-after").is_some() && answer.text.contains("<html"), "{answer:?}");
        }
        let device = app.request(reqwest::Method::POST, "/oauth/device_authorization").form(&[("client_id", "x")]);
        is_too_many(&from(&app, "198.51.100.1", device).await, &["error", "error_description"]);
        // Whoever names a public client proves nothing; who proves to be a client is not limited.
        let push = app.request(reqwest::Method::POST, "/oauth/par");
        let named = push.try_clone().unwrap().form(&[("client_id", "x")]);
        is_too_many(&from(&app, "198.51.100.1", named).await, &["error", "error_description"]);
        assert_eq!(rows().await, before);
        let proved = push.basic_auth(&world.service.id, Some(&world.service.secret)).form(&[("scope", "openid")]);
        from(&app, "198.51.100.1", proved).await.is_oauth_error(400, "invalid_request");
        // Nor does signing out leave more rows than that.
        let sign_out = app.request(reqwest::Method::GET, "/oauth/logout?client_id=nobody");
        assert_eq!(from(&app, "198.51.100.1", sign_out).await.status, 429);
        assert!(from(&app, "198.51.100.2", sign_in(&world.app.id)).await.status < 429);
    });
}

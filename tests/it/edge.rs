//! What every answer has in common: identifiers, headers, methods, origins, slow callers, drain.

use std::time::Duration;

use gatehouse::domain::clients::NewClient;
use gatehouse::http::mount::{Cors, routes};
use reqwest::Method;

use crate::support::routes::{Caller, World, known};
use crate::support::{Answer, Engine, Setup, TestApp, drive, within};

fn method(text: &str) -> Method {
    text.parse().unwrap()
}

#[test]
fn every_answer_has_an_id_of_its_own() {
    drive(Engine::Sqlite, async |app: TestApp| {
        let world = World::default(&app).await;
        let mut seen = std::collections::HashSet::new();
        for endpoint in routes() {
            for path in [known(&endpoint, &world).path, "/nowhere".to_owned(), "/a%2fb".to_owned()] {
                let request = app.request(method(endpoint.method.as_str()), &path);
                // Nobody but a proxy of ours may choose it.
                let answer = app.send(request.header("x-request-id", "chosen")).await;
                let id = answer.header("x-request-id").unwrap_or_else(|| panic!("{path}: {answer:?}")).to_owned();
                assert!(id != "chosen" && id.len() >= 16, "{path}: {id}");
                assert!(seen.insert(id), "{path}: twice the same id");
            }
        }
    });
}

#[test]
fn a_proxy_of_ours_may_choose_a_sane_id() {
    drive(Engine::Sqlite, async |setup: Setup| {
        let trust = |config: &mut gatehouse::config::Config| {
            config.http.trusted_proxies = vec!["127.0.0.1/32".parse().unwrap()]
        };
        let app = setup.start_with(trust).await;
        let id_for = async |id: &str| {
            let answer = app.send(app.request(Method::GET, "/health").header("x-request-id", id)).await;
            answer.header("x-request-id").unwrap().to_owned()
        };
        for sane in ["a", "0b6cd3f1-7c1e-4d0a-9f39-2f6a4f7e1a11", "Root=1-67891233-abcdef012345678912345678"] {
            assert_eq!(id_for(sane).await, sane);
        }
        let long = "a".repeat(1000);
        for odd in ["", "a b", "<script>", "a\tb", "\"a\"", "a;b", "a,b", &long] {
            assert_ne!(id_for(odd).await, odd);
        }
    });
}

#[test]
fn headers_fit_what_is_answered() {
    drive(Engine::Sqlite, async |app: TestApp| {
        let world = World::default(&app).await.furnished(&app).await;
        for endpoint in routes()
            .iter()
            .filter(|endpoint| endpoint.method.as_str() == "GET" && !endpoint.path.contains("{tenant_id}"))
        {
            let known = known(endpoint, &world);
            if known.caller.is_apart() {
                continue;
            }
            let request = |wanted: Method| {
                let request = app.request(wanted, &known.path);
                match known.authorization(&world) {
                    Some(value) => request.header("authorization", value),
                    None => request,
                }
            };
            let answer = app.send(request(Method::GET)).await.expect(200);
            let path = &endpoint.path;
            let kind = answer.header("content-type").unwrap().to_owned();
            assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{path}");
            assert!(answer.header("server").is_none() && answer.header("x-powered-by").is_none(), "{path}");
            assert!(answer.header("strict-transport-security").is_none(), "{path}: it is not https");
            assert!(answer.header("set-cookie").is_none(), "{path}");
            if kind.starts_with("text/html") {
                let policy = answer.header("content-security-policy").unwrap();
                assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"), "{policy}");
                assert!(!policy.contains("unsafe"), "{policy}");
                assert_eq!(answer.header("referrer-policy"), Some("no-referrer"));
                assert_eq!(answer.header("x-frame-options"), Some("DENY"));
                assert!(!answer.text.contains("<script") && !answer.text.contains(" style="), "{path}");
            }
            // What a token or key opened is nobody's to keep.
            if known.authorization(&world).is_some() {
                assert_eq!(answer.header("cache-control"), Some("no-store"), "{path}");
            }
            // HEAD says what GET says, without saying it (RFC 9110 §9.3.2).
            let head = app.send(request(Method::HEAD)).await.expect(200);
            assert!(head.text.is_empty(), "{path}");
            assert_eq!(head.header("content-type"), Some(kind.as_str()), "{path}");
            if !["/metrics", "/api/internal/system/health"].contains(&path.as_str())
                && !path.contains("/logs")
                && !path.contains("/statistics")
            {
                assert_eq!(head.header("content-length"), answer.header("content-length"), "{path}");
            }
        }
    });
}

#[test]
fn over_https_browsers_are_told_to_stay_there() {
    drive(Engine::Sqlite, async |setup: Setup| {
        let app = setup.start_with(|config| config.http.issuer = "https://id.example.org".parse().unwrap()).await;
        for path in ["/", "/health", "/oauth/token", "/nowhere", "/v1/users", "/.well-known/jwks.json"] {
            let answer = app.get(path).await;
            assert_eq!(answer.header("strict-transport-security"), Some("max-age=63072000"), "{path}");
        }
        let metadata = app.get("/.well-known/openid-configuration").await.body(200);
        assert_eq!(metadata["issuer"], "https://id.example.org");
        assert!(metadata["token_endpoint"].as_str().unwrap().starts_with("https://id.example.org/"));
    });
}

const APP: &str = "https://app.example.org";

#[test]
fn other_origins_read_what_is_public_and_registered_ones_get_tokens() {
    drive(Engine::Sqlite, async |app: TestApp| {
        let world = World::new(&app, "a tenant").await;
        let redirect =
            NewClient { redirect_uris: vec![format!("{APP}/callback")], ..crate::support::password_app("openid") };
        app.client(redirect).await;
        let from = async |wanted: &str, path: &str, origin: &str, preflight: bool| -> Answer {
            let mut request = app.request(method(wanted), path).header("origin", origin);
            if preflight {
                request = request
                    .header("access-control-request-method", "POST")
                    .header("access-control-request-headers", "authorization");
            }
            app.send(request).await
        };
        let allowed = |answer: &Answer| answer.header("access-control-allow-origin").map(str::to_owned);
        for endpoint in routes() {
            let path = known(&endpoint, &world).path;
            for origin in [
                APP,
                "https://other.example.org",
                "http://app.example.org",
                "https://app.example.org:8443",
                "https://app.example.org.evil.example",
                "null",
            ] {
                let expected = match endpoint.cors {
                    Cors::Anybody => Some("*".to_owned()),
                    Cors::Registered(_) if origin == APP => Some(APP.to_owned()),
                    _ => None,
                };
                let answer = from(endpoint.method.as_str(), &path, origin, false).await;
                assert_eq!(allowed(&answer), expected, "{} {path} from {origin}", endpoint.method);
                let preflight = from("OPTIONS", &path, origin, true).await;
                assert_eq!(allowed(&preflight), expected, "OPTIONS {path} from {origin}");
                for answer in [&answer, &preflight] {
                    assert!(answer.header("access-control-allow-credentials").is_none(), "{path}");
                    if matches!(endpoint.cors, Cors::Registered(_)) {
                        assert!(
                            answer.headers.get_all("vary").iter().any(|vary| vary
                                .to_str()
                                .unwrap()
                                .to_lowercase()
                                .contains("origin")),
                            "{path}"
                        );
                    }
                }
                let status = if matches!(endpoint.cors, Cors::Nobody) { 405 } else { 204 };
                // Who comes with a key pair proves it before anything else is said (`handoff.md`).
                let proves_first = known(&endpoint, &world).caller == Caller::KeyPair;
                assert!(preflight.status == status || proves_first, "OPTIONS {path}: {preflight:?}");
                if status == 204 {
                    assert!(
                        preflight.header("access-control-allow-methods").unwrap().contains(endpoint.method.as_str()),
                        "{path}"
                    );
                }
            }
        }
        // An origin is registered with the tenant that the path names.
        let elsewhere = from("POST", &format!("{}/oauth/token", world.prefix), APP, false).await;
        assert_eq!(allowed(&elsewhere), None);
        // Which endpoints these are.
        let open: Vec<String> =
            routes().iter().filter(|e| matches!(e.cors, Cors::Registered(_))).map(|e| e.path.clone()).collect();
        let by_clients = ["token", "revoke", "userinfo", "userinfo", "par", "device_authorization"];
        assert_eq!(open, by_clients.map(|name| format!("/oauth/{name}")));
        assert!(routes().iter().all(|e| !matches!(e.cors, Cors::Anybody) || e.path.starts_with("/.well-known/")));
    });
}

#[test]
fn a_body_that_does_not_come_is_not_waited_for() {
    drive(Engine::Sqlite, async |setup: Setup| {
        let app = setup
            .start_with(|config| {
                config.http.body_start_timeout = Duration::from_millis(300);
                config.http.body_timeout = Duration::from_millis(900);
                config.http.head_timeout = Duration::from_millis(500);
            })
            .await;
        let world = World::default(&app).await;
        for (path, kind) in [
            ("/v1/auth/login", "application/json"),
            ("/oauth/token", "application/x-www-form-urlencoded"),
            ("/api/internal/users", "application/json"),
        ] {
            let bearer = if path.starts_with("/api") { &world.service_token } else { &world.secret_key };
            let head = format!(
                "POST {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {bearer}\r\nContent-Type: {kind}\r\nContent-Length: 1000\r\n\r\n"
            );
            for beginning in ["", "{"] {
                let began = std::time::Instant::now();
                let mut wire = app.wire().await;
                wire.write(&head).await;
                wire.write(beginning).await;
                let answer = wire.answer().await.expect("an answer").expect(408);
                assert!(answer.json().get("error").is_some() || answer.json().get("detail").is_some(), "{answer:?}");
                assert!(began.elapsed() < Duration::from_secs(10));
                // What would still come could be taken for another request.
                assert!(wire.answer().await.is_none(), "the connection stays open");
            }
        }
        // A head that does not come ends the connection, too.
        let mut wire = app.wire().await;
        wire.write("GET /health HTTP/1.1\r\nHost: loc").await;
        assert!(wire.answer().await.is_none_or(|answer| answer.status == 408));
        app.get("/health").await.expect(200);
    });
}

/// F24: from the moment that it is told to stop it is not ready, and what is under way is finished.
#[test]
fn a_server_that_is_told_to_stop_says_so_and_finishes() {
    drive(Engine::Sqlite, async |setup: Setup| {
        let app = setup
            .start_with(|config| {
                config.http.drain_delay = Duration::from_millis(1_500);
                config.http.drain_timeout = Duration::from_secs(10);
            })
            .await;
        let world = World::default(&app).await;
        let (path, beside) = ("/v1/auth/login", app.clone());
        let body = format!("{{\"email\":\"{}\",\"password\":\"{}\"}}", world.email, crate::support::routes::PASSWORD);
        let mut slow = app.wire().await;
        let (length, key) = (body.len(), &world.public_key);
        slow.write(format!("POST {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {key}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{{")).await;
        app.get("/readyz").await.expect(200);
        let stopping = tokio::spawn(app.stop());
        within(Duration::from_secs(1), "it says that it is not ready", async || {
            beside.get("/readyz").await.status == 503
        })
        .await;
        // Still answered, and the connection ends with it.
        let answer = beside.get("/readyz").await.expect(503);
        assert!(answer.json()["reasons"].to_string().contains("told to stop"), "{answer:?}");
        let answer = beside.send(beside.request(Method::GET, "/health")).await.expect(200);
        assert_eq!(answer.header("connection"), Some("close"));
        beside.credentials(&world.service).await.expect(200);
        // Then nobody new is taken, and who was there is finished.
        within(Duration::from_secs(10), "nobody new is taken", async || {
            beside.http.get(format!("{}/health", beside.base)).send().await.is_err()
        })
        .await;
        slow.write(&body[1..]).await;
        let answer = slow.answer().await.expect("it is finished").expect(200);
        assert!(answer.json()["token"].is_string());
        stopping.await.unwrap();
    });
}

#[test]
fn metrics_count_what_happens() {
    drive(Engine::Sqlite, async |app: TestApp| {
        let world = World::default(&app).await;
        app.credentials(&world.service).await.expect(200);
        app.sign_in(&world.app, &world.email, "wrong").await.expect(400);
        app.get("/nowhere").await.expect(404);
        let answer = app.get("/metrics").await.expect(200);
        assert!(answer.header("content-type").unwrap().starts_with("text/plain; version=0.0.4"), "{answer:?}");
        let mut types = 0;
        for line in answer.text.lines() {
            if let Some(rest) = line.strip_prefix("# TYPE ") {
                types += 1;
                let (name, kind) = rest.split_once(' ').unwrap();
                assert!(["counter", "gauge", "histogram"].contains(&kind), "{line}");
                assert!(kind != "counter" || name.ends_with("_total"), "{line}");
            } else if !line.starts_with('#') && !line.is_empty() {
                let value = line.rsplit(' ').next().unwrap();
                assert!(value.parse::<f64>().is_ok(), "{line}");
            }
        }
        assert!(types > 10, "{}", answer.text);
        let has = |words: &[&str]| {
            answer.text.lines().any(|line| {
                !line.starts_with('#') && !line.ends_with(" 0") && words.iter().all(|word| line.contains(word))
            })
        };
        for words in [
            &["requests_total", "surface=\"oauth\"", "method=\"POST\""] as &[&str],
            &["bucket", "surface=\"oauth\""],
            &["tokens"],
            &["invalid_grant"],
            &["sign_ins_total", "failure"],
        ] {
            assert!(has(words), "{words:?} in {}", answer.text);
        }
        for words in ["hash", "pool", "job", "access_log", "panics"] {
            assert!(answer.text.contains(words), "{words} in {}", answer.text);
        }
        // What runs beside the requests says that it does.
        within(Duration::from_secs(20), "a success of every job that never ends", async || {
            let text = app.get("/metrics").await.expect(200).text;
            ["change_feed", "mail", "logout_delivery"].iter().all(|job| {
                let name = format!("gatehouse_job_last_success_timestamp{{job=\"{job}\"}} ");
                text.lines().any(|line| line.strip_prefix(&name).is_some_and(|at| at != "0"))
            })
        })
        .await;
        // Nobody is named.
        for name in [&world.email, &world.user_id, &world.service.id, &world.tenant_id] {
            assert!(!answer.text.contains(name.as_str()), "{name}");
        }
    });
}

#[test]
fn metrics_may_have_an_address_of_their_own() {
    drive(Engine::Sqlite, async |setup: Setup| {
        let bind = setup.config().http.bind;
        let app = setup.start_with(|config| config.http.metrics_bind = Some(bind)).await;
        app.get("/metrics").await.expect(404);
        let metrics = app.get(&format!("http://{bind}/metrics")).await.expect(200);
        assert!(metrics.text.contains("# TYPE"));
        app.get(&format!("http://{bind}/v1/users")).await.expect(404);
        app.get(&format!("http://{bind}/oauth/token")).await.expect(404);
    });
}

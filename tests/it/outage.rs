//! The database goes away and comes back: whatever needs it says so within a second, with a time to
//! come back; what is public stays; and nobody has to start anything again.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use gatehouse::http::mount::routes;
use gatehouse::telemetry::Surface;
use reqwest::header::AUTHORIZATION;
use serde_json::Value;

use crate::support::routes::{Caller, Input, World, known};
use crate::support::{Answer, Setup, TestApp, postgres, within};

/// Nobody is left hanging. The pool waits a second; the rest is what a machine adds that runs the other
/// tests too. How long it really takes is measured in `benches/`, not here.
const AT_ONCE: Duration = Duration::from_secs(20);
/// How long something may take that happens by itself.
const SOON: Duration = Duration::from_secs(30);

/// How the database goes away.
#[derive(Clone, Copy, Debug)]
enum Loss {
    /// Its processes are gone: connections are refused.
    Ended,
    /// They stand still: connections are taken, and nobody says a word.
    Frozen,
}

/// Sends what is right to every route at once: the route's name, its surface, its answer, its time.
async fn everything(app: &TestApp, world: &World) -> Vec<(String, Surface, Answer, Duration)> {
    let without_tenant = routes().into_iter().filter(|endpoint| !endpoint.path.contains("{tenant_id}"));
    let all = without_tenant
        .map(|endpoint| (known(&endpoint, world), endpoint))
        .filter(|(known, _)| !known.caller.is_apart())
        .map(|(known, endpoint)| async move {
            let mut request = app.request(endpoint.method.as_str().parse().unwrap(), &known.path);
            if let Some(value) = known.authorization(world) {
                request = request.header(AUTHORIZATION, value);
            }
            let request = match (&known.input, known.caller) {
                (Input::Forms(forms), Caller::Client) => request.form(&forms[0]),
                (Input::Json(body), _) => request.json(body),
                _ => request,
            };
            let began = Instant::now();
            let answer = app.send(request).await;
            (format!("{} {}", endpoint.method, endpoint.path), endpoint.surface, answer, began.elapsed())
        });
    join_all(all).await
}

/// What answers without a database: nothing that decides anything.
fn is_public(name: &str, surface: Surface) -> bool {
    name.contains("/.well-known/")
        || surface == Surface::Pages
        // Nobody is signed in who brings no token.
        || name.ends_with("/api/v1/auth/user-info")
        || (surface == Surface::Operator && !name.ends_with("/readyz"))
        || name.ends_with("/healthz")
}

#[test]
fn a_database_that_goes_away_is_told_and_comes_back_by_itself() {
    let Some(cluster) = postgres::Cluster::start("-c fsync=off") else { return };
    let setup = Setup::on_cluster(&cluster);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let app = setup
            .start_with(|config| {
                let default = gatehouse::config::DatabaseConfig::default();
                // More than in production, for a machine that is busy: that the database is lost is
                // noticed by the change feed long before.
                config.database.acquire_timeout = Duration::from_secs(5);
                config.database.statement_timeout = default.statement_timeout;
                config.database.lock_timeout = default.lock_timeout;
            })
            .await;
        let world = World::default(&app).await.furnished(&app).await;
        // While the database is there, what one request ends would be missed by another; so nothing here
        // depends on which comes first. Some may be shed on a machine that is busy.
        for (name, _, answer, _) in everything(&app, &world).await {
            assert!(answer.status < 300 || matches!(answer.status, 401 | 404 | 503), "{name}: {answer:?}");
        }
        let world = World::default(&app).await.furnished(&app).await;

        for loss in [Loss::Ended, Loss::Frozen, Loss::Ended] {
            // What was written just now reaches the caches within a second; then they hold what is
            // asked for all the time.
            for _ in 0..12 {
                app.credentials(&world.service).await;
                for document in ["jwks.json", "openid-configuration"] {
                    app.get(&format!("/.well-known/{document}")).await.expect(200);
                }
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            let frozen = match loss {
                Loss::Ended => {
                    cluster.crash();
                    None
                }
                Loss::Frozen => Some(cluster.freeze()),
            };
            // What was known a moment ago may be believed for a second.
            within(SOON, "nothing is believed any more", async || app.get("/readyz").await.status == 503).await;
            for (name, surface, answer, took) in everything(&app, &world).await {
                assert!(took < AT_ONCE, "{name} took {took:?} ({loss:?})");
                if is_public(&name, surface) {
                    assert_eq!(answer.status, 200, "{name}: {answer:?}");
                    continue;
                }
                assert_eq!(answer.status, 503, "{name}: {answer:?}");
                let body: Value = answer.json();
                if name.ends_with("/readyz") {
                    assert!(body["reasons"].as_array().is_some_and(|reasons| !reasons.is_empty()), "{body}");
                    continue;
                }
                let wait = answer.header("retry-after").unwrap_or_else(|| panic!("{name} says no time: {answer:?}"));
                assert!(wait.parse::<u32>().unwrap() >= 1, "{name}: {wait}");
                let shape = match surface {
                    _ if name.ends_with("/system/health") => body["status"] == "degraded",
                    Surface::OAuth => {
                        body["error"] == "temporarily_unavailable" && body["error_description"].is_string()
                    }
                    Surface::Control | Surface::Workspace => {
                        body["error_code"] == "SERVICE_UNAVAILABLE" && body["status_code"] == 503
                    }
                    Surface::Rbac | Surface::Admin | Surface::Member | Surface::Handoff => body["detail"].is_string(),
                    _ => body["error"].is_string(),
                };
                assert!(shape, "{name}: {body}");
                // Nothing of the database's own words.
                for word in ["sqlx", "postgres", "connection", "127.0.0.1", "pool"] {
                    assert!(!answer.text.to_lowercase().contains(word), "{name}: {answer:?}");
                }
            }

            match loss {
                Loss::Ended => cluster.revive(),
                Loss::Frozen => drop(frozen),
            }
            within(SOON, "it works again", async || {
                let login = app.sign_in(&world.app, &world.email, crate::support::routes::PASSWORD).await.status;
                login == 200
                    && app.get("/readyz").await.status == 200
                    && app.credentials(&world.service).await.status == 200
            })
            .await;
            within(SOON, "what was issued before goes on", async || {
                app.get_as(&world.user_token, "/v1/users/me").await.status == 200
            })
            .await;
        }
        within(SOON, "the refresh token goes on", async || {
            app.refresh(&world.app, &world.refresh_token).await.status == 200
        })
        .await;
        let panics = app.core.metrics.render();
        let panics = panics.lines().find(|line| !line.starts_with('#') && line.contains("panics")).unwrap().to_owned();
        assert!(panics.ends_with(" 0"), "{panics}");
        app.stop().await;
    });
    runtime.shutdown_timeout(Duration::from_secs(2));
}

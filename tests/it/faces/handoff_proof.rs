//! Key pairs (`handoff.md`, `member.md`): every check, and the order in which they come.

use std::time::Duration;

use gatehouse::config::Rate;
use gatehouse::domain::api_clients::{self, AllowLists, ApiClientChange, NewApiClient};
use reqwest::Method;
use serde_json::json;

use crate::support::{Answer, KeyPair, Setup, TestApp, both_engines, within};

both_engines!(
    without_any_client_nothing_is_configured,
    the_first_check_that_fails_answers,
    the_pair_comes_before_everything_else,
    a_header_that_is_there_twice_is_none,
    an_expired_client_is_out,
    an_old_secret_counts_for_its_overlap,
    origins_are_compared_whole,
    networks_are_those_of_the_caller,
    a_trusted_proxy_says_who_calls,
    paths_cover_whole_segments,
    guesses_are_limited,
    every_copy_knows_within_a_second,
);

const LIST: &str = "/internal/systems";

fn new() -> NewApiClient {
    NewApiClient { name: "a system".to_owned(), ..NewApiClient::default() }
}

fn texts(list: &[&str]) -> Vec<String> {
    list.iter().map(|text| (*text).to_owned()).collect()
}

async fn ask(app: &TestApp, path: &str, headers: &[(&str, &str)]) -> Answer {
    let request = app.request(Method::GET, path);
    app.send(headers.iter().fold(request, |request, (name, value)| request.header(*name, *value))).await
}

async fn by(app: &TestApp, pair: &KeyPair, headers: &[(&str, &str)]) -> Answer {
    let own = [("X-Client-Key", pair.client_key.as_str()), ("X-API-Key", pair.api_key.as_str())];
    ask(app, LIST, &[&own[..], headers].concat()).await
}

async fn without_any_client_nothing_is_configured(app: TestApp) {
    for path in [LIST, "/internal/nothing", "/admin/permissions/grant"] {
        ask(&app, path, &[]).await.is_detail(503, "internal_secret_not_configured");
        ask(&app, path, &[("X-Client-Key", "gck_x")]).await.is_detail(503, "internal_secret_not_configured");
    }
    let pair = app.api_client().await;
    ask(&app, LIST, &[]).await.is_detail(401, "invalid_client");
    let off = ApiClientChange { enabled: Some(false), ..ApiClientChange::default() };
    api_clients::update(&app.ctx().await, &pair.client_key, off).await.unwrap();
    // There is one, if a disabled one.
    ask(&app, LIST, &[]).await.is_detail(401, "invalid_client");
}

/// Each row breaks one thing more than the one after it.
async fn the_first_check_that_fails_answers(app: TestApp) {
    let other = app.api_client().await;
    let soon = app.now() + Duration::from_secs(60);
    let allowed = AllowLists {
        origins: texts(&["https://app.example.org"]),
        networks: texts(&["192.0.2.0/24"]),
        paths: texts(&["/internal/users"]),
    };
    let pair = app.api_client_as(NewApiClient { expires_at: Some(soon), allowed, ..new() }).await;
    app.advance(Duration::from_secs(61));
    let ctx = app.ctx().await;
    let change = async |change: ApiClientChange| {
        api_clients::update(&ctx, &pair.client_key, change).await.unwrap();
    };
    let foreign = ("Origin", "https://evil.example.org");
    let wrong = KeyPair { api_key: other.api_key.clone(), ..pair.clone() };
    change(ApiClientChange { enabled: Some(false), ..ApiClientChange::default() }).await;
    by(&app, &wrong, &[foreign]).await.is_detail(401, "invalid_client");
    change(ApiClientChange { enabled: Some(true), ..ApiClientChange::default() }).await;
    let unknown = KeyPair { client_key: other.api_key.clone(), ..pair.clone() };
    by(&app, &unknown, &[foreign]).await.is_detail(401, "invalid_client");
    ask(&app, LIST, &[("X-API-Key", &pair.api_key), foreign]).await.is_detail(401, "invalid_client");
    ask(&app, LIST, &[("X-Client-Key", &pair.client_key), foreign]).await.is_detail(401, "invalid_api_key");
    by(&app, &wrong, &[foreign]).await.is_detail(401, "invalid_api_key");
    by(&app, &pair, &[foreign]).await.is_detail(401, "client_expired");
    change(ApiClientChange { expires_at: Some(None), ..ApiClientChange::default() }).await;
    by(&app, &pair, &[foreign]).await.is_detail(403, "origin_not_allowed");
    by(&app, &pair, &[]).await.is_detail(403, "ip_not_allowed");
    change(ApiClientChange { networks: Some(texts(&["127.0.0.0/8"])), ..ApiClientChange::default() }).await;
    by(&app, &pair, &[("Origin", "https://app.example.org")]).await.is_detail(403, "path_not_allowed");
    change(ApiClientChange { paths: Some(Vec::new()), ..ApiClientChange::default() }).await;
    by(&app, &pair, &[("Origin", "https://app.example.org")]).await.expect(200);
    by(&app, &pair, &[]).await.expect(200);
    // Who fails is asked for proof.
    let refused = ask(&app, LIST, &[]).await;
    assert_eq!(refused.header("www-authenticate"), Some(r#"ApiKey realm="gatehouse""#));
}

async fn the_pair_comes_before_everything_else(app: TestApp) {
    app.api_client().await;
    let large = "x".repeat(app.config.http.max_body as usize + 1);
    for path in [
        "/internal/users/upsert-by-sub",
        "/internal/idp/users/ensure",
        "/admin/permissions/grant",
        "/admin/permissions/revoke",
    ] {
        for body in ["{", "{}", &large] {
            let request = app.request(Method::POST, path).header("content-type", "text/plain").body(body.to_owned());
            app.send(request).await.is_detail(401, "invalid_client");
        }
        app.get(path).await.is_detail(401, "invalid_client");
    }
    for path in ["/internal/systems?limit=0", "/internal/permissions/nobody/snapshot", "/internal/x", "/admin/x"] {
        app.get(path).await.is_detail(401, "invalid_client");
    }
}

async fn a_header_that_is_there_twice_is_none(app: TestApp) {
    let pair = app.api_client().await;
    by(&app, &pair, &[]).await.expect(200);
    by(&app, &pair, &[("X-Client-Key", &pair.client_key)]).await.is_detail(401, "invalid_client");
    by(&app, &pair, &[("X-API-Key", &pair.api_key)]).await.is_detail(401, "invalid_api_key");
    let allowed = AllowLists { origins: texts(&["https://app.example.org"]), ..AllowLists::default() };
    let pair = app.api_client_as(NewApiClient { allowed, ..new() }).await;
    let origin = ("Origin", "https://app.example.org");
    by(&app, &pair, &[origin]).await.expect(200);
    by(&app, &pair, &[origin, origin]).await.is_detail(403, "origin_not_allowed");
}

async fn an_expired_client_is_out(app: TestApp) {
    let end = app.now() + Duration::from_secs(3600);
    let pair = app.api_client_as(NewApiClient { expires_at: Some(end), ..new() }).await;
    app.advance(Duration::from_secs(3599));
    by(&app, &pair, &[]).await.expect(200);
    app.advance(Duration::from_secs(1));
    by(&app, &pair, &[]).await.is_detail(401, "client_expired");
}

async fn an_old_secret_counts_for_its_overlap(app: TestApp) {
    let old = app.api_client().await;
    let ctx = app.ctx().await;
    let rotate = async |overlap| {
        let rotated = api_clients::rotate(&ctx, &old.client_key, overlap).await.unwrap();
        KeyPair { api_key: rotated.secret.expose().clone(), ..old.clone() }
    };
    let new = rotate(Duration::from_secs(60)).await;
    for pair in [&old, &new] {
        by(&app, pair, &[]).await.expect(200);
    }
    app.advance(Duration::from_secs(60));
    by(&app, &old, &[]).await.is_detail(401, "invalid_api_key");
    by(&app, &new, &[]).await.expect(200);
    let newest = rotate(Duration::ZERO).await;
    by(&app, &new, &[]).await.is_detail(401, "invalid_api_key");
    by(&app, &newest, &[]).await.expect(200);
    // Nothing in the database is a secret that works.
    let sql = app.sql().await;
    let rows = sql.dump(&[]).await.concat();
    sql.close().await;
    for pair in [&old, &new, &newest] {
        assert!(!rows.contains(&pair.api_key) && rows.contains(&pair.client_key));
    }
}

async fn origins_are_compared_whole(app: TestApp) {
    let allowed =
        AllowLists { origins: texts(&["https://App.example.org", "http://localhost:3000"]), ..AllowLists::default() };
    let pair = app.api_client_as(NewApiClient { allowed, ..new() }).await;
    for good in ["https://app.example.org", "http://localhost:3000"] {
        by(&app, &pair, &[("Origin", good)]).await.expect(200);
    }
    for bad in [
        "",
        "null",
        "http://app.example.org",
        "https://app.example.org:8443",
        "https://app.example.org.evil.org",
        "https://evil.org/https://app.example.org",
        "https://app.example.org/",
        "https://a.app.example.org",
        "http://localhost",
    ] {
        by(&app, &pair, &[("Origin", bad)]).await.is_detail(403, "origin_not_allowed");
    }
    by(&app, &pair, &[]).await.expect(200);
}

async fn networks_are_those_of_the_caller(app: TestApp) {
    for (networks, allowed) in [
        (&["127.0.0.1"] as &[_], true),
        (&["::ffff:127.0.0.0/104"], true),
        (&["10.0.0.0/8", "127.0.0.0/31"], true),
        (&["10.0.0.0/8", "::1", "::/0"], false),
        (&["127.0.0.2/32"], false),
    ] {
        let lists = AllowLists { networks: texts(networks), ..AllowLists::default() };
        let pair = app.api_client_as(NewApiClient { allowed: lists, ..new() }).await;
        // What a stranger writes there says nothing.
        for headers in [&[] as &[_], &[("X-Forwarded-For", "127.0.0.2")], &[("Forwarded", "for=10.0.0.1")]] {
            let answer = by(&app, &pair, headers).await;
            if allowed { drop(answer.expect(200)) } else { answer.is_detail(403, "ip_not_allowed") }
        }
    }
}

async fn a_trusted_proxy_says_who_calls(setup: Setup) {
    let app = setup.start_with(|config| config.http.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()]).await;
    let allowed = AllowLists { networks: texts(&["192.0.2.0/24", "2001:db8::/32"]), ..AllowLists::default() };
    let pair = app.api_client_as(NewApiClient { allowed, ..new() }).await;
    for good in ["192.0.2.7", "198.51.100.1, 192.0.2.7", "2001:db8::7", "::ffff:192.0.2.7"] {
        by(&app, &pair, &[("X-Forwarded-For", good)]).await.expect(200);
    }
    for bad in ["198.51.100.1", "192.0.2.7, 198.51.100.1", "nonsense"] {
        by(&app, &pair, &[("X-Forwarded-For", bad)]).await.is_detail(403, "ip_not_allowed");
    }
    by(&app, &pair, &[]).await.is_detail(403, "ip_not_allowed");
}

async fn paths_cover_whole_segments(app: TestApp) {
    let lists = |paths: &[&str]| AllowLists { paths: texts(paths), ..AllowLists::default() };
    let pair =
        app.api_client_as(NewApiClient { allowed: lists(&["/internal/permissions/a b", "/internal/sys"]), ..new() });
    let pair = pair.await;
    app.get_by(&pair, LIST).await.is_detail(403, "path_not_allowed");
    app.get_by(&pair, "/internal/sys").await.is_detail(404, "not_found");
    app.get_by(&pair, "/internal/permissions/a%20b/snapshot").await.is_detail(404, "user_not_found");
    app.get_by(&pair, "/internal/permissions/a/snapshot").await.is_detail(403, "path_not_allowed");
    app.post_by(&pair, "/admin/permissions/grant", &json!({})).await.is_detail(403, "path_not_allowed");
    for paths in [&["/internal/"] as &[_], &["/"], &["/nowhere", "/internal/systems"]] {
        let pair = app.api_client_as(NewApiClient { allowed: lists(paths), ..new() }).await;
        app.get_by(&pair, &format!("{LIST}?limit=5")).await.expect(200);
    }
    // A path with two readings is none.
    for odd in ["/internal/users/../systems", "/internal/./systems", "/internal//systems", "/internal/%2e%2e/x"] {
        let url = format!("{}{odd}", app.base);
        let raw = reqwest::Url::parse(&url).unwrap();
        assert!(raw.path() == "/internal/systems" || app.get_by(&pair, odd).await.status >= 400, "{odd}");
    }
}

async fn guesses_are_limited(setup: Setup) {
    let app = setup.start_with(|config| config.limits.key_failures = Rate::per_hour(1, 3)).await;
    let pair = app.api_client().await;
    for _ in 0..3 {
        ask(&app, LIST, &[]).await.is_detail(401, "invalid_client");
    }
    let limited = ask(&app, LIST, &[("X-Client-Key", &pair.client_key)]).await;
    limited.is_detail(429, "rate_limited");
    assert!(limited.header("retry-after").unwrap().parse::<u64>().unwrap() >= 1);
    by(&app, &pair, &[]).await.expect(200);
}

async fn every_copy_knows_within_a_second(app: TestApp) {
    let [there, here] = app.copies().await;
    let pair = here.api_client().await;
    by(&there, &pair, &[]).await.expect(200);
    let off = |enabled| ApiClientChange { enabled: Some(enabled), ..ApiClientChange::default() };
    let soon = Duration::from_millis(1200);
    for (enabled, status) in [(false, 401), (true, 200)] {
        api_clients::update(&here.ctx().await, &pair.client_key, off(enabled)).await.unwrap();
        assert_eq!(by(&here, &pair, &[]).await.status, status);
        within(soon, "a disabled client", async || by(&there, &pair, &[]).await.status == status).await;
    }
    api_clients::rotate(&here.ctx().await, &pair.client_key, Duration::ZERO).await.unwrap();
    within(soon, "a replaced secret", async || by(&there, &pair, &[]).await.status == 401).await;
}

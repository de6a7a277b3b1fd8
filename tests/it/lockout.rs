//! Guessing one account's password: counted exactly, over all copies and all ways to sign in, and
//! never at the cost of those who know it.

use std::time::Duration;

use futures_util::future::join_all;
use gatehouse::domain::users;
use serde_json::json;

use crate::support::{Client, Setup, TestApp, both_engines};

both_engines!(
    the_account_is_locked_after_exactly_so_many,
    parallel_guesses_over_copies_are_counted_exactly,
    honest_sign_ins_at_once_lock_nobody,
    a_right_password_starts_the_count_anew,
    the_window_and_the_lock_end,
    an_administrator_unlocks,
    all_names_and_faces_share_one_count,
    accounts_that_do_not_exist_look_the_same,
    no_lockout_where_none_is_wished_for,
);

const PASSWORD: &str = "open sesame";
const ALICE: &str = "alice@example.org";

async fn people(app: &TestApp) -> Client {
    app.user(ALICE, PASSWORD).await;
    app.password_app("openid").await
}

async fn fits(app: &TestApp, client: &Client, password: &str) -> bool {
    let answer = app.sign_in(client, ALICE, password).await;
    assert!(matches!(answer.status, 200 | 400), "{answer:?}");
    answer.status == 200
}

async fn the_account_is_locked_after_exactly_so_many(app: TestApp) {
    let client = people(&app).await;
    for _ in 0..9 {
        assert!(!fits(&app, &client, "wrong").await);
    }
    assert!(fits(&app, &client, PASSWORD).await, "nine wrong ones are fewer than ten");
    for _ in 0..10 {
        assert!(!fits(&app, &client, "wrong").await);
    }
    assert!(!fits(&app, &client, PASSWORD).await, "ten are not");
}

async fn parallel_guesses_over_copies_are_counted_exactly(app: TestApp) {
    let client = people(&app).await;
    let copies = app.copies().await;
    // The right password stands among a hundred wrong ones, in no order that anybody knows: what is
    // looked at are ten guesses at most.
    let guesses = (0..60).map(|n| {
        let (app, client) = (&copies[n % 2], &client);
        async move { app.sign_in(client, ALICE, &format!("guess {n}")).await.status }
    });
    assert!(join_all(guesses).await.into_iter().all(|status| matches!(status, 400 | 503)));
    let looked_at = "SELECT count(*) FROM audit_log WHERE action = 'user.sign_in' AND detail = 'wrong password'";
    assert_eq!(copies[0].sql().await.number(looked_at).await, 10);
    for app in &copies {
        assert!(!fits(app, &client, PASSWORD).await, "locked on every copy");
    }
}

async fn honest_sign_ins_at_once_lock_nobody(app: TestApp) {
    let client = people(&app).await;
    let copies = app.copies().await;
    let sign_ins = (0..40).map(|n| {
        let (app, client) = (&copies[n % 2], &client);
        async move { app.sign_in(client, ALICE, PASSWORD).await }
    });
    for answer in join_all(sign_ins).await {
        assert_eq!(answer.status, 200, "{answer:?}");
    }
    assert!(fits(&copies[0], &client, PASSWORD).await);
}

async fn a_right_password_starts_the_count_anew(app: TestApp) {
    let client = people(&app).await;
    for _ in 0..3 {
        for _ in 0..9 {
            assert!(!fits(&app, &client, "wrong").await);
        }
        assert!(fits(&app, &client, PASSWORD).await);
    }
}

async fn the_window_and_the_lock_end(app: TestApp) {
    let client = people(&app).await;
    for _ in 0..9 {
        assert!(!fits(&app, &client, "wrong").await);
    }
    app.advance(Duration::from_secs(901));
    for _ in 0..9 {
        assert!(!fits(&app, &client, "wrong").await);
    }
    assert!(fits(&app, &client, PASSWORD).await, "they did not fall into one window");
    for _ in 0..11 {
        assert!(!fits(&app, &client, "wrong").await);
    }
    app.advance(Duration::from_secs(899));
    assert!(!fits(&app, &client, PASSWORD).await, "locked for a quarter of an hour");
    app.advance(Duration::from_secs(2));
    assert!(fits(&app, &client, PASSWORD).await);
}

async fn an_administrator_unlocks(app: TestApp) {
    let client = people(&app).await;
    for _ in 0..12 {
        assert!(!fits(&app, &client, "wrong").await);
    }
    assert!(!fits(&app, &client, PASSWORD).await);
    let ctx = app.ctx().await;
    let alice = users::find_by_identifier(&ctx, ALICE).await.unwrap();
    users::unlock(&ctx, alice.id).await.unwrap();
    assert!(fits(&app, &client, PASSWORD).await);
}

async fn all_names_and_faces_share_one_count(app: TestApp) {
    let tenant = app.tenant("Acme").await;
    app.tenant_user(&tenant, ALICE, PASSWORD).await;
    let client = crate::support::register(&app.ctx_of(&tenant).await, crate::support::password_app("openid")).await;
    let path = format!("/t/{}/oauth/token", tenant.id);
    for n in 0..10 {
        let name = if n % 4 < 2 { "ALICE@example.org" } else { " alice@EXAMPLE.org " };
        if n % 2 == 0 {
            let body = json!({ "email": name, "password": "wrong" });
            app.post(&tenant.public, "/v1/auth/login", &body).await.expect(401);
        } else {
            let fields = [("grant_type", "password"), ("username", name), ("password", "wrong")];
            app.basic(&path, &client.id, &client.secret, &fields).await.is_oauth_error(400, "invalid_grant");
        }
    }
    let body = json!({ "email": ALICE, "password": PASSWORD });
    app.post(&tenant.public, "/v1/auth/login", &body).await.is_error(401, "invalid email or password");
    let fields = [("grant_type", "password"), ("username", ALICE), ("password", PASSWORD)];
    app.basic(&path, &client.id, &client.secret, &fields).await.is_oauth_error(400, "invalid_grant");
    // The same address in another tenant is another account.
    let other = app.tenant("Other").await;
    app.tenant_user(&other, ALICE, PASSWORD).await;
}

async fn accounts_that_do_not_exist_look_the_same(app: TestApp) {
    let client = people(&app).await;
    let mut answers = Vec::new();
    for name in ["alice@example.org", "nobody@example.org"] {
        for _ in 0..13 {
            answers.push(app.sign_in(&client, name, "wrong").await.text);
        }
    }
    answers.dedup();
    assert_eq!(answers.len(), 1, "neither existence nor the lock shows: {answers:?}");
    // And no guessed name is written down.
    let rows = app.sql().await.dump(&["user_identifiers", "users"]).await.join("\n");
    assert!(!rows.contains("nobody@example.org"), "{rows}");
}

async fn no_lockout_where_none_is_wished_for(setup: Setup) {
    let app = setup.start_with(|config| config.lockout.failures = 0).await;
    let client = people(&app).await;
    for _ in 0..15 {
        assert!(!fits(&app, &client, "wrong").await);
    }
    assert!(fits(&app, &client, PASSWORD).await);
}

//! What may happen once, asked for a hundred times at once: over two copies on one PostgreSQL, and
//! over the one process that serves an SQLite file.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::time::Duration;

use futures_util::future::join_all;
use gatehouse::domain::clients::NewClient;
use gatehouse::domain::tenants;
use gatehouse::model::client::AuthMethod;
use gatehouse::model::signing_key::SigningAlg;
use gatehouse::model::tenant::TenantKeyKind;
use serde_json::json;

use crate::support::{Answer, Setup, Signer, TestApp, both_engines};

both_engines!(
    a_refresh_token_in_grace_has_one_successor,
    a_refresh_token_without_grace_has_one_winner,
    a_client_assertion_counts_once,
    an_address_is_registered_once,
    a_client_id_is_taken_once,
    a_scope_is_granted_once,
    a_tenants_key_is_rolled_over_to_keys_that_count,
    a_key_rotation_leaves_one_active_key,
    revocation_and_refresh_leave_nothing_alive,
);

/// How many at once.
const MANY: usize = 100;

/// Asks for the same thing many times at once, of both copies in turn.
async fn at_once<F: Future<Output = Answer>>(copies: &[TestApp; 2], ask: impl Fn(TestApp, usize) -> F) -> Vec<Answer> {
    join_all((0..MANY).map(|n| ask(copies[n % 2].clone(), n))).await
}

/// How often each status was answered.
fn statuses(answers: &[Answer]) -> BTreeMap<u16, usize> {
    let mut found = BTreeMap::new();
    for answer in answers {
        *found.entry(answer.status).or_default() += 1;
    }
    found
}

#[track_caller]
fn exactly_one(answers: &[Answer], won: u16, lost: u16) {
    assert_eq!(
        statuses(answers),
        BTreeMap::from([(won, 1), (lost, MANY - 1)]),
        "{:?}",
        answers.iter().find(|a| a.status != lost)
    );
}

async fn a_refresh_token_in_grace_has_one_successor(app: TestApp) {
    app.user("alice@example.org", "open sesame").await;
    let people = app.password_app("openid").await;
    let mut token = app.sign_in(&people, "alice@example.org", "open sesame").await.expect(200).str("refresh_token");
    let copies = app.copies().await;
    for _ in 0..3 {
        let answers = at_once(&copies, async |app, _| app.refresh(&people, &token).await).await;
        assert_eq!(statuses(&answers), BTreeMap::from([(200, MANY)]), "two tabs sign nobody out");
        let successors: BTreeSet<String> = answers.iter().map(|answer| answer.str("refresh_token")).collect();
        assert_eq!(successors.len(), 1, "all get the same one");
        token = successors.into_iter().next().unwrap();
    }
    copies[0].refresh(&people, &token).await.expect(200);
}

async fn a_refresh_token_without_grace_has_one_winner(setup: Setup) {
    let app = setup.start_with(|config| config.tokens.refresh_grace = Duration::ZERO).await;
    app.user("alice@example.org", "open sesame").await;
    let people = app.password_app("openid").await;
    let first = app.sign_in(&people, "alice@example.org", "open sesame").await.expect(200).str("refresh_token");
    let copies = app.copies().await;
    let answers = at_once(&copies, async |app, _| app.refresh(&people, &first).await).await;
    exactly_one(&answers, 200, 400);
    // The losers were replays, so nothing of the family is alive.
    let winner = answers.iter().find(|answer| answer.status == 200).unwrap();
    copies[0].refresh(&people, &winner.str("refresh_token")).await.is_oauth_error(400, "invalid_grant");
    assert!(!copies[0].is_active(&winner.str("access_token")).await);
}

async fn a_client_assertion_counts_once(app: TestApp) {
    let signer = Signer::new(SigningAlg::Es256);
    let new =
        NewClient { auth_method: AuthMethod::PrivateKeyJwt, jwks: Some(signer.jwks()), ..NewClient::service("by key") };
    let client = app.client(new).await;
    let copies = app.copies().await;
    let now = copies[0].now().seconds();
    for round in 0..3 {
        let claims = json!({
            "iss": client.id, "sub": client.id, "aud": copies[1].config.http.issuer.as_str(), "jti": round, "exp": now + 60,
        });
        let mut claims = claims;
        claims["jti"] = json!(round.to_string());
        let assertion = signer.sign(&claims);
        let answers = at_once(&copies, async |app, _| {
            let fields = [
                ("grant_type", "client_credentials"),
                ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
                ("client_assertion", &*assertion),
            ];
            app.form("/oauth/token", &fields).await
        })
        .await;
        exactly_one(&answers, 200, 400);
    }
}

async fn an_address_is_registered_once(app: TestApp) {
    let tenant = app.tenant("Acme").await;
    let copies = app.copies().await;
    let answers = at_once(&copies, async |app, n| {
        // The same address in as many spellings as there are callers.
        let email: String = "alice@example.org"
            .chars()
            .enumerate()
            .map(|(at, c)| if n >> (at % 7) & 1 == 1 { c.to_ascii_uppercase() } else { c })
            .collect();
        app.post(&tenant.public, "/v1/auth/register", &json!({ "email": email, "password": "123456" })).await
    })
    .await;
    exactly_one(&answers, 201, 409);
    assert!(
        answers
            .iter()
            .filter(|answer| answer.status == 409)
            .all(|answer| answer.json() == json!({ "error": "email already registered" }))
    );
    let listed = copies[0].get_as(&tenant.secret, "/v1/users").await.body(200);
    assert_eq!(listed["users"].as_array().unwrap().len(), 1);
    assert_eq!(copies[0].sql().await.number("SELECT count(*) FROM users").await, 2, "nobody is left without a name");
}

async fn a_client_id_is_taken_once(app: TestApp) {
    let copies = app.copies().await;
    let made = join_all((0..20).map(|n| {
        let app = copies[n % 2].clone();
        async move {
            let new = NewClient { id: Some("svc_chosen".to_owned()), ..NewClient::service("a service") };
            gatehouse::domain::clients::create(&app.ctx().await, new).await.is_ok()
        }
    }))
    .await;
    assert_eq!(made.into_iter().filter(|made| *made).count(), 1);
}

async fn a_scope_is_granted_once(app: TestApp) {
    let admin = app.service_token("internal:admin").await;
    let service = app.service("").await;
    let copies = app.copies().await;
    for (verb, left) in [("grant-scope", 1), ("revoke-scope", 0)] {
        let wish = json!({ "client_id": service.id, "scope_name": "user:read" });
        let answers =
            at_once(&copies, async |app, _| app.post(&admin, &format!("/v1/internal/services/{verb}"), &wish).await)
                .await;
        assert_eq!(statuses(&answers), BTreeMap::from([(200, MANY)]), "doing it twice is doing it once");
        let sql = copies[0].sql().await;
        let held = format!("SELECT count(*) FROM client_permissions WHERE client_id = '{}'", service.id);
        assert_eq!(sql.number(&held).await, left);
        let action = format!("SELECT count(*) FROM audit_log WHERE action = 'service.{}'", verb.replace('-', "_"));
        assert_eq!(sql.number(&action).await, 1, "one change, one row");
    }
}

async fn a_tenants_key_is_rolled_over_to_keys_that_count(app: TestApp) {
    let tenant = app.tenant("Acme").await;
    let copies = app.copies().await;
    let keys = join_all((0..10).map(|n| {
        let (app, tenant) = (copies[n % 2].clone(), tenant.clone());
        async move {
            let ctx = app.ctx_of(&tenant).await;
            tenants::rotate_key(&ctx, TenantKeyKind::Secret, Duration::from_secs(60)).await.unwrap().expose().clone()
        }
    }))
    .await;
    // Whoever was told a key can use it now; after the overlap one is left at least, the newest.
    for key in &keys {
        copies[0].get_as(key, "/v1/users").await.expect(200);
    }
    copies[0].advance(Duration::from_secs(60));
    let mut left = 0;
    for key in &keys {
        left += usize::from(copies[1].get_as(key, "/v1/users").await.status == 200);
    }
    assert!(left >= 1, "the tenant has locked itself out");
    copies[0].get_as(&tenant.secret, "/v1/users").await.is_error(401, "tenant not found");
}

async fn a_key_rotation_leaves_one_active_key(app: TestApp) {
    let service = app.service("user:read").await;
    let copies = app.copies().await;
    let before = copies[0].token_of(&service).await;
    let turns = (0..8).map(|n| {
        let app = copies[n % 2].clone();
        async move {
            let ctx = app.ctx().await;
            if n % 4 < 2 {
                gatehouse::domain::keys::rotate(&ctx, SigningAlg::Es256, true).await.map(|_| ())
            } else {
                gatehouse::domain::upkeep::advance_keys(&app.core).await
            }
        }
    });
    for turn in join_all(turns).await {
        turn.unwrap();
    }
    let states = copies[0]
        .sql()
        .await
        .texts("SELECT alg || ' ' || state FROM signing_keys WHERE state IN ('active', 'next')")
        .await;
    for alg in ["ES256", "EdDSA", "RS256"] {
        let count = |state: &str| states.iter().filter(|row| **row == format!("{alg} {state}")).count();
        assert_eq!(count("active"), 1, "{states:?}");
        assert!(count("next") <= 1, "{states:?}");
    }
    for app in &copies {
        app.get_as(&before, "/api/internal/users").await.expect(200);
        let after = app.token_of(&service).await;
        copies[0].get_as(&after, "/api/internal/users").await.expect(200);
        copies[1].get_as(&after, "/api/internal/users").await.expect(200);
    }
}

async fn revocation_and_refresh_leave_nothing_alive(app: TestApp) {
    app.user("alice@example.org", "open sesame").await;
    let people = app.password_app("openid").await;
    let copies = app.copies().await;
    for _ in 0..5 {
        let first =
            copies[0].sign_in(&people, "alice@example.org", "open sesame").await.expect(200).str("refresh_token");
        let answers = join_all((0..10).map(|n| {
            let (app, people, first) = (copies[n % 2].clone(), people.clone(), first.clone());
            async move {
                if n == 5 {
                    app.basic("/oauth/revoke", &people.id, &people.secret, &[("token", &first)]).await
                } else {
                    app.refresh(&people, &first).await
                }
            }
        }))
        .await;
        assert_eq!(answers[5].status, 200, "{:?}", answers[5]);
        // Whatever was renewed before the revocation ended with it.
        for answer in
            answers.iter().enumerate().filter(|(n, answer)| *n != 5 && answer.status == 200).map(|(_, answer)| answer)
        {
            copies[0].refresh(&people, &answer.str("refresh_token")).await.is_oauth_error(400, "invalid_grant");
        }
    }
}

//! The schema on both engines: made from nothing, indexed, read and written, and opened by many at
//! once.

use std::sync::Arc;

use gatehouse::app::{self, StartError};
use gatehouse::config::Config;
use gatehouse::crypto::sealing::MasterKey;
use gatehouse::domain::clients::NewClient;
use gatehouse::domain::upkeep;
use gatehouse::domain::users::NewPassword;
use gatehouse::model::client::{AccessTokenFormat, AuthMethod, GrantType};
use gatehouse::model::signing_key::SigningAlg;

use reqwest::Method;

use crate::support::relying_party::PASSWORD;
use crate::support::{
    ADMIN_EMAIL, ADMIN_PASSWORD, Browser, Engine, RelyingParty, Setup, Signer, TestApp, both_engines, code_app, drive,
    make_user,
};

both_engines!(
    every_foreign_key_has_an_index,
    every_table_takes_a_row,
    many_first_starts_make_one_installation,
    another_master_key_is_refused,
    a_newer_schema_is_refused,
    migrating_again_changes_nothing,
    the_first_start_leaves_something_to_try,
);

/// A configuration over an empty database of the test's own.
async fn empty(setup: &Setup) -> Config {
    let mut config = setup.config();
    match setup.engine() {
        Engine::Sqlite => {
            let file = setup.folder().join("empty.db");
            config.database.url = format!("sqlite://{}", file.display()).parse().unwrap();
        }
        Engine::Postgres => setup.sql().await.run("DROP SCHEMA public CASCADE; CREATE SCHEMA public").await,
    }
    config
}

async fn every_foreign_key_has_an_index(setup: Setup) {
    let sql = setup.sql().await;
    // Each foreign key's columns must be the first ones of some index, in the same order.
    let query = match setup.engine() {
        Engine::Sqlite => {
            "WITH keys AS (
               SELECT m.name AS tbl, f.id, group_concat(f.\"from\", ',' ORDER BY f.seq) AS cols
               FROM sqlite_master m, pragma_foreign_key_list(m.name) f WHERE m.type = 'table' GROUP BY m.name, f.id),
             indexes AS (
               SELECT m.name AS tbl, l.name, group_concat(i.name, ',' ORDER BY i.seqno) AS cols
               FROM sqlite_master m, pragma_index_list(m.name) l, pragma_index_info(l.name) i
               WHERE m.type = 'table' GROUP BY m.name, l.name
               UNION ALL SELECT m.name, 'rowid', t.name FROM sqlite_master m, pragma_table_info(m.name) t
               WHERE m.type = 'table' AND t.pk = 1 AND t.type = 'INTEGER')
             SELECT keys.tbl || '(' || keys.cols || ')' FROM keys WHERE NOT EXISTS (
               SELECT 1 FROM indexes WHERE indexes.tbl = keys.tbl AND indexes.cols || ',' LIKE keys.cols || ',%')"
        }
        Engine::Postgres => {
            "SELECT c.conrelid::regclass || ' ' || c.conname FROM pg_constraint c
             WHERE c.contype = 'f' AND NOT EXISTS (
               SELECT 1 FROM pg_index i WHERE i.indrelid = c.conrelid AND i.indpred IS NULL
               AND (i.indkey::int2[])[0:array_length(c.conkey, 1) - 1] = c.conkey)"
        }
    };
    assert_eq!(sql.texts(query).await, Vec::<String>::new());
    let keys = match setup.engine() {
        Engine::Sqlite => "SELECT count(*) FROM sqlite_master m, pragma_foreign_key_list(m.name) f",
        Engine::Postgres => "SELECT count(*) FROM pg_constraint WHERE contype = 'f'",
    };
    assert!(sql.number(keys).await > 10, "the query finds no foreign keys at all");
}

/// One row at least in every table, written by the verbs that write there and read back by others.
/// Leaves a row wherever a sign-in does: a request, a code, a consent, a session with its client, who
/// is told of its end, and a device that waits.
async fn sign_somebody_in(app: &TestApp) {
    app.user("reader@example.org", PASSWORD).await;
    let mut new = code_app();
    new.grant_types.push(GrantType::DeviceCode);
    new.settings.backchannel_logout_uri = Some("https://192.0.2.1/out".to_owned());
    let rp = RelyingParty::new(app, new).await;
    let browser = Browser::new(app);
    rp.tokens(&browser, "reader@example.org", &[]).await;
    let form = [("client_id", rp.client.id.as_str()), ("client_secret", &rp.client.secret)];
    app.form("/oauth/device_authorization", &form).await.expect(200);
    let page = browser.open("/logout").await;
    browser.submit(&page, "/logout", &[("action", "sign-out")]).await;
}

/// Leaves a row wherever people work together: a member by a provider elsewhere, an invitation, a sign-in
/// that waits for a second factor, a request that is answered once.
async fn work_together(app: &TestApp) {
    crate::support::saml::Sso::new(app).await.sign_in().await;
    let careful = make_user(&app.ctx().await, "careful@example.org", NewPassword::Plain(PASSWORD, 6), &[]).await;
    crate::factors::with_app(app, &careful).await;
    let login = |email: &str| serde_json::json!({ "email": email, "password": PASSWORD });
    app.post("", "/api/auth/login", &login("careful@example.org")).await.expect(403);
    app.user("owner@example.org", PASSWORD).await;
    let token = app.post("", "/api/auth/login", &login("owner@example.org")).await.expect(200).str("access_token");
    let name = serde_json::json!({ "name": "Acme" });
    app.post(&token, "/api/external/workspaces", &name).await.expect(201);
    let invited = serde_json::json!({ "email": "invited@example.org", "role": "member" });
    app.post(&token, "/api/external/workspace/members", &invited).await.expect(201);
    let service = app.service("user:read user:write").await;
    let token = app.token_of(&service).await;
    let once = app.request(Method::POST, "/api/admin/v1/users").bearer_auth(&token).header("idempotency-key", "1");
    app.send(once.json(&serde_json::json!({ "email": "once@example.org" }))).await.expect(201);
}

async fn every_table_takes_a_row(app: TestApp) {
    let tenant = app.tenant("Ünïcode GmbH").await;
    app.user("somebody@example.org", "long enough").await;
    let people = app.password_app("openid profile").await;
    let wrong = app.sign_in(&people, "somebody@example.org", "not this one").await;
    assert_eq!(wrong.status, 400, "a row in lockouts");
    let tokens = app.sign_in(&people, ADMIN_EMAIL, ADMIN_PASSWORD).await.expect(200);
    let service = app.service("user:read internal:admin").await;
    let token = app.token_of(&service).await;
    app.get_as(&token, "/v1/internal/services").await.expect(200);
    app.core.access_log.flush().await;
    let opaque = NewClient { access_token_format: AccessTokenFormat::Opaque, ..NewClient::service("opaque") };
    let opaque = app.client(opaque).await;
    app.credentials(&opaque).await.expect(200);
    let revoked = [("token", &*tokens.str("access_token"))];
    app.basic("/oauth/revoke", &people.id, &people.secret, &revoked).await.expect(200);
    let signer = Signer::new(SigningAlg::Es256);
    let by_key =
        NewClient { auth_method: AuthMethod::PrivateKeyJwt, jwks: Some(signer.jwks()), ..NewClient::service("by key") };
    let by_key = app.client(by_key).await;
    let now = app.now().seconds();
    let claims =
        serde_json::json!({ "iss": by_key.id, "sub": by_key.id, "aud": app.base, "jti": "1", "exp": now + 60 });
    let fields = [
        ("grant_type", "client_credentials"),
        ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
        ("client_assertion", &signer.sign(&claims)),
    ];
    app.form("/oauth/token", &fields).await.expect(200);
    assert!(upkeep::lease(&app.core, "a job", "me".into(), std::time::Duration::from_secs(9)).await.unwrap());
    let app = crate::factors::leave_rows(app).await;
    let app = crate::mail::leave_rows(app).await;
    sign_somebody_in(&app).await;
    crate::faces::handoff::leave_rows(&app).await;
    crate::upstream::leave_rows(&app).await;
    work_together(&app).await;

    let sql = app.sql().await;
    let mut empty = Vec::new();
    for table in sql.tables().await {
        if sql.rows(&table).await.is_empty() {
            empty.push(table);
        }
    }
    assert_eq!(empty, Vec::<String>::new(), "nothing wrote a row there");
    let found = app.get(&format!("/v1/tenants/{}", tenant.id)).await.expect(200);
    assert_eq!(found.str("name"), "Ünïcode GmbH");
}

async fn many_first_starts_make_one_installation(setup: Setup) {
    let copies = match setup.engine() {
        Engine::Sqlite => 2,
        Engine::Postgres => 5,
    };
    let config = Arc::new(empty(&setup).await);
    let opened: Vec<_> = (0..copies).map(|_| tokio::spawn(app::open(Arc::clone(&config), setup.seams()))).collect();
    let mut shown = 0;
    let mut cores = Vec::new();
    for copy in opened {
        let copy = copy.await.unwrap().unwrap_or_else(|why| panic!("{why}"));
        shown += usize::from(copy.first_start.is_some());
        cores.push(copy.core);
    }
    assert_eq!(shown, 1, "one copy made it, and only that one may show its secrets");
    let sql = crate::support::Sql::connect(config.database.url.expose()).await;
    for (query, wanted) in [
        ("SELECT count(*) FROM installation", 1),
        ("SELECT count(*) FROM tenants", 1),
        ("SELECT count(*) FROM users", 1),
        // The first service, and the one by which workspaces sign people in.
        ("SELECT count(*) FROM clients", 2),
        ("SELECT count(*) FROM signing_keys WHERE state = 'active'", 3),
        ("SELECT count(*) FROM signing_keys", 3),
        ("SELECT count(*) FROM tenant_keys", 2),
        ("SELECT count(*) FROM roles", 3),
        ("SELECT count(*) FROM permissions", 9),
    ] {
        assert_eq!(sql.number(query).await, wanted, "{query}");
    }
    sql.close().await;
    for core in cores {
        core.db.clone().close().await;
    }
}

async fn another_master_key_is_refused(setup: Setup) {
    let before = setup.sql().await.dump(&[]).await;
    let mut config = setup.config();
    config.secrets.master_key = Some(MasterKey::parse(&"11".repeat(32)).unwrap());
    let refused = app::open(Arc::new(config), setup.seams()).await.err().expect("it must not start");
    assert!(refused.to_string().contains("made with another master key"), "{refused}");
    assert!(refused.to_string().contains("master_key_file"), "the remedy is named: {refused}");
    assert!(!refused.is_temporary(), "waiting does not help");
    assert_eq!(setup.sql().await.dump(&[]).await, before, "nothing changed");
}

async fn a_newer_schema_is_refused(setup: Setup) {
    let sql = setup.sql().await;
    sql.run("INSERT INTO seaql_migrations (version, applied_at) VALUES ('m9999_from_the_future', 1)").await;
    let before = sql.dump(&[]).await;
    let refused = app::open(Arc::new(setup.config()), setup.seams()).await.err().expect("it must not start");
    assert!(matches!(refused, StartError::Storage(_)), "{refused}");
    assert!(refused.to_string().contains("newer than this program"), "{refused}");
    assert_eq!(sql.dump(&[]).await, before, "nothing changed");
}

async fn migrating_again_changes_nothing(setup: Setup) {
    let sql = setup.sql().await;
    let before = sql.dump(&[]).await;
    let opened = app::open(Arc::new(setup.config()), setup.seams()).await.unwrap();
    assert!(opened.first_start.is_none(), "a second start shows no secret");
    opened.core.db.clone().close().await;
    assert_eq!(sql.dump(&[]).await, before);
}

/// One process may serve an SQLite file: the second one says so and changes nothing.
#[test]
fn a_second_server_on_one_file_is_refused() {
    drive(Engine::Sqlite, |setup: Setup| async move {
        let first = setup.start().await;
        let refused = app::start(Arc::new(setup.config()), setup.seams()).await.err().expect("it must not start");
        assert!(matches!(refused, StartError::AlreadyServed(_)), "{refused}");
        assert!(refused.to_string().contains("another gatehouse serves"), "{refused}");
        first.get("/health").await.expect(200);
        first.stop().await;
        setup.start().await.get("/health").await.expect(200);
    });
}

async fn the_first_start_leaves_something_to_try(app: TestApp) {
    let (id, secret) = app.first_client();
    let answer = app.basic("/oauth/token", id, secret, &[("grant_type", "client_credentials")]).await.expect(200);
    assert_eq!(answer.str("scope"), "", "it may do nothing but try");
    let people = app.password_app("openid").await;
    app.sign_in(&people, ADMIN_EMAIL, ADMIN_PASSWORD).await.expect(200);
}

//! What trusted systems do at the same moment (`handoff.md`, `member.md`): over two copies on one PostgreSQL,
//! and over the one process that serves an SQLite file.

use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::future::{join, join_all};
use gatehouse::domain::catalogue::{self, EntryChange, NewEntry};
use gatehouse::domain::organizations::{self, NewOrganization};
use gatehouse::model::catalogue::Module;
use serde_json::{Value, json};

use crate::support::{KeyPair, TestApp, both_engines};

both_engines!(
    one_sub_is_one_account,
    one_address_is_one_account_s,
    identical_grants_are_one,
    no_key_is_drawn_twice_and_none_is_left_out,
    a_grant_meets_the_making_of_its_entry,
    a_grant_by_key_meets_a_new_code,
    a_revocation_meets_the_making_of_its_entry,
);

const UPSERT: &str = "/internal/users/upsert-by-sub";
const GRANT: &str = "/admin/permissions/grant";
const REVOKE: &str = "/admin/permissions/revoke";
/// How many at once.
const MANY: usize = 100;

fn entry<'a>(name: &'a str, code: &'a str) -> NewEntry<'a> {
    NewEntry { name, code: Some(code) }
}

fn wish(n: usize, module: &str, action: &str) -> Value {
    json!({ "authentik_sub": format!("u{n}"), "scope_type": "site", "scope_id": "tw-main", "module": module, "action": action })
}

/// Asks of both copies in turn, all at once; what was answered, with its status.
async fn at_once(
    copies: &[TestApp; 2],
    pair: &KeyPair,
    path: &str,
    body: impl Fn(usize) -> Value,
    many: usize,
) -> Vec<(u16, Value)> {
    let ask = async |n: usize| {
        let answer = copies[n % 2].post_by(pair, path, &body(n)).await;
        (answer.status, answer.json())
    };
    join_all((0..many).map(ask)).await
}

async fn number(app: &TestApp, sql: &str) -> i64 {
    let database = app.sql().await;
    let found = database.number(sql).await;
    database.close().await;
    found
}

async fn one_sub_is_one_account(app: TestApp) {
    let pair = app.api_client().await;
    let copies = app.copies().await;
    let body = json!({ "user_sub": "hr-1", "email": "ann@example.org", "username": "ann", "display_name": "Ann" });
    let answers = at_once(&copies, &pair, UPSERT, |_| body.clone(), MANY).await;
    assert!(answers.iter().all(|answer| *answer == answers[0] && answer.0 == 200), "{answers:?}");
    assert_eq!(number(&copies[0], "SELECT COUNT(*) FROM users WHERE external_sub = 'hr-1'").await, 1);
    let made = "SELECT COUNT(*) FROM audit_log WHERE detail = 'provisioned'";
    assert_eq!(number(&copies[0], made).await, 1, "made once, and never changed");
}

async fn one_address_is_one_account_s(app: TestApp) {
    let pair = app.api_client().await;
    let copies = app.copies().await;
    let body = |n: usize| json!({ "user_sub": format!("hr-{n}"), "email": "ann@example.org" });
    let answers = at_once(&copies, &pair, UPSERT, body, MANY).await;
    let refused = (409, json!({ "detail": "user_conflict" }));
    assert_eq!(answers.iter().filter(|answer| answer.0 == 200).count(), 1);
    assert_eq!(answers.iter().filter(|answer| **answer == refused).count(), MANY - 1, "{answers:?}");
    assert_eq!(number(&copies[0], "SELECT COUNT(*) FROM users WHERE external_sub LIKE 'hr-%'").await, 1);
}

async fn identical_grants_are_one(app: TestApp) {
    let pair = app.api_client().await;
    let copies = app.copies().await;
    let answers = at_once(&copies, &pair, GRANT, |_| wish(0, "campaign", "view"), MANY).await;
    assert!(answers.iter().all(|answer| *answer == answers[0] && answer.0 == 200), "{answers:?}");
    assert_eq!(number(&copies[0], "SELECT COUNT(*) FROM scoped_grants").await, 1);
    assert_eq!(number(&copies[0], "SELECT COUNT(*) FROM users WHERE external_sub = 'u0'").await, 1);
    assert_eq!(number(&copies[0], "SELECT COUNT(*) FROM audit_log WHERE action = 'scoped_grant.grant'").await, 1);
}

async fn no_key_is_drawn_twice_and_none_is_left_out(app: TestApp) {
    let copies = app.copies().await;
    let ctxs = [copies[0].ctx().await, copies[1].ctx().await];
    let acme = organizations::create(&ctxs[0], &NewOrganization { name: "Acme", ..NewOrganization::default() }).await;
    let acme = acme.unwrap().id;
    // Systems and sites share their letters.
    let add = async |n: usize| {
        let (ctx, new) = (&ctxs[n % 2], NewEntry { name: "one of many", code: None });
        if n % 4 < 2 {
            catalogue::add_system(ctx, new).await.unwrap().key
        } else {
            catalogue::add_site(ctx, acme, new).await.unwrap().key
        }
    };
    let keys: BTreeSet<String> = join_all((0..MANY).map(add)).await.into_iter().collect();
    let day = keys.first().unwrap().split_once('X').unwrap().0;
    assert_eq!(keys, (0..MANY).map(|n| format!("{day}X{n:04}")).collect());
}

/// What becomes of grants by code while the entry of that code is made: each is linked to it.
async fn a_grant_meets_the_making_of_its_entry(app: TestApp) {
    let pair = app.api_client().await;
    let copies = app.copies().await;
    let ctx = copies[1].ctx().await;
    let system = catalogue::add_system(&ctx, NewEntry { name: "Sales", code: None }).await.unwrap().id;
    for round in 0..5 {
        let code = format!("module-{round}");
        let given = at_once(&copies, &pair, GRANT, |n| wish(n, &code, "view"), MANY);
        let made = async {
            // Some have it by now, and some are about to.
            copies[0].post_by(&pair, GRANT, &wish(MANY, &code, "view")).await.expect(200);
            catalogue::add_module(&ctx, system, entry("A module", &code)).await
        };
        let (given, made) = join(given, made).await;
        assert!(given.iter().all(|answer| answer.0 == 200), "{given:?}");
        let key = made.unwrap().key;
        let linked = format!("SELECT COUNT(*) FROM scoped_grants WHERE module = '{key}' AND module_id IS NOT NULL");
        assert_eq!(number(&copies[0], &linked).await, MANY as i64 + 1, "round {round}");
    }
    assert_eq!(number(&copies[0], "SELECT COUNT(*) FROM scoped_grants WHERE module_id IS NULL").await, 0);
}

/// Who has a grant by a code gets the same by key at the moment in which that becomes the key's code: they have it
/// once.
async fn a_grant_by_key_meets_a_new_code(app: TestApp) {
    let pair = app.api_client().await;
    let copies = app.copies().await;
    let ctx = copies[1].ctx().await;
    let system = catalogue::add_system(&ctx, NewEntry { name: "Sales", code: None }).await.unwrap().id;
    let module = catalogue::add_module(&ctx, system, NewEntry { name: "A module", code: None }).await.unwrap();
    for round in 0..5 {
        let code = format!("module-{round}");
        let by_code = at_once(&copies, &pair, GRANT, |n| wish(n, &code, &code), 4).await;
        assert!(by_code.iter().all(|answer| answer.0 == 200), "{by_code:?}");
        let change = EntryChange { code: Some(Some(code.clone())), ..EntryChange::default() };
        let by_key = at_once(&copies, &pair, GRANT, |n| wish(n, &module.key, &code), 4);
        let (by_key, changed) = join(by_key, catalogue::change::<Module>(&ctx, module.id, &change)).await;
        assert!(by_key.iter().all(|answer| answer.0 == 200), "{by_key:?}");
        changed.unwrap();
        let had = format!("SELECT COUNT(*) FROM scoped_grants WHERE action = '{code}'");
        assert_eq!(number(&copies[0], &had).await, 4, "round {round}");
    }
    assert_eq!(number(&copies[0], "SELECT COUNT(*) FROM scoped_grants WHERE module_id IS NULL").await, 0);
}

/// A grant by code is taken at the moment in which its entry is made: it is gone.
async fn a_revocation_meets_the_making_of_its_entry(app: TestApp) {
    let pair = app.api_client().await;
    let copies = app.copies().await;
    let ctx = copies[1].ctx().await;
    let system = catalogue::add_system(&ctx, NewEntry { name: "Sales", code: None }).await.unwrap().id;
    for round in 0..5 {
        let code = format!("module-{round}");
        at_once(&copies, &pair, GRANT, |n| wish(n, &code, "view"), 40).await;
        copies[0].advance(Duration::from_secs(1));
        let taken = at_once(&copies, &pair, REVOKE, |n| wish(n, &code, "view"), 40);
        let (taken, made) = join(taken, catalogue::add_module(&ctx, system, entry("A module", &code))).await;
        made.unwrap();
        let done = (200, json!({ "deleted": 1, "result": "revoked" }));
        assert!(taken.iter().all(|answer| *answer == done), "round {round}: {taken:?}");
    }
    assert_eq!(number(&copies[0], "SELECT COUNT(*) FROM scoped_grants").await, 0);
}

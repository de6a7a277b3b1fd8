//! A workspace that has members has an owner (`workspace.md`), whatever becomes of whom.

use gatehouse::domain::memberships::{self, Keeper};
use gatehouse::domain::{account, users};
use gatehouse::model::audit::Actor;
use gatehouse::model::organization::MembershipRole;
use reqwest::Method;
use serde_json::json;

use super::workspace_accounts::refused;
use super::workspace_members::{Acme, Person, acme, call, person, uuid};
use crate::support::routes::PASSWORD;
use crate::support::{Browser, TestApp, both_engines};

both_engines!(
    the_last_owner_stays,
    the_last_owner_s_account_stays,
    who_is_alone_may_delete_their_account,
    two_owners_who_leave_at_once_leave_one,
    two_owners_who_delete_their_accounts_at_once_leave_one,
);

/// Another owner.
async fn second(app: &TestApp, acme: &Acme) -> Person {
    let second = person(app, "second@example.org").await;
    let (ctx, by) = (app.ctx().await, Keeper::Administrator);
    memberships::add(&ctx, by, acme.id, second.user.id, MembershipRole::Owner).await.unwrap();
    second
}

async fn the_last_owner_stays(app: TestApp) {
    let acme = acme(&app).await;
    let own = format!("workspace/members/{}", uuid(&acme.owner.user));
    let refused_all = async |token: &str| {
        let lower = Some(json!({ "role": "admin" }));
        refused(&call(&app, Method::POST, token, "workspace/leave", None).await, 409, "CONFLICT");
        refused(&call(&app, Method::DELETE, token, &own, None).await, 409, "CONFLICT");
        refused(&call(&app, Method::PUT, token, &own, lower).await, 409, "CONFLICT");
    };
    refused_all(&acme.owner.token).await;
    // An owner who can't sign in is none to rely on.
    let (second, ctx) = (second(&app, &acme).await, app.ctx().await);
    users::set_enabled(&ctx, second.user.id, false).await.unwrap();
    refused_all(&acme.owner.token).await;
    users::set_enabled(&ctx, second.user.id, true).await.unwrap();
    call(&app, Method::POST, &acme.owner.token, "workspace/leave", None).await.expect(200);
}

async fn the_last_owner_s_account_stays(app: TestApp) {
    let acme = acme(&app).await;
    let (owner, ctx) = (acme.owner.user.id, app.ctx().await);
    // By their own hand, on the page that deletes it.
    let browser = Browser::new(&app);
    let page = browser.open("/login").await;
    browser.submit(&page, "/login", &[("identifier", "owner@example.org"), ("password", PASSWORD)]).await;
    let page = browser.open("/account/delete").await.expect(200, "/account/delete");
    let confirm = [("confirm", "owner@example.org")];
    let refused = browser.submit(&page, "/account/delete", &confirm).await.expect(409, "/account/delete");
    assert!(refused.text.contains("last owner of a workspace"), "{refused:?}");
    // By an administrator's.
    assert!(account::delete(&ctx, owner).await.is_err());
    users::set_enabled(&ctx, owner, false).await.unwrap();
    assert!(account::delete(&ctx, owner).await.is_err(), "nor in two steps");
    users::set_enabled(&ctx, owner, true).await.unwrap();
    app.get_as(&acme.member.token, "/api/external/workspace").await.expect(200);
    let second = second(&app, &acme).await;
    account::delete(&ctx, owner).await.unwrap();
    let listed = call(&app, Method::GET, &second.token, "workspace/members", None).await.body(200);
    assert_eq!(listed["members"].as_array().unwrap().len(), 3);
}

async fn who_is_alone_may_delete_their_account(app: TestApp) {
    let alone = person(&app, "alone@example.org").await;
    app.post(&alone.token, "/api/external/workspaces", &json!({ "name": "Mine" })).await.expect(201);
    account::delete(&app.ctx().await.by(Actor::User(alone.user.id)), alone.user.id).await.unwrap();
    assert_eq!(app.sql().await.number("SELECT count(*) FROM memberships").await, 0);
}

async fn two_owners_who_leave_at_once_leave_one(app: TestApp) {
    let acme = acme(&app).await;
    let second = second(&app, &acme).await;
    let [here, there] = app.copies().await;
    let leave = |app: TestApp, token: String| async move {
        call(&app, Method::POST, &token, "workspace/leave", None).await.status
    };
    let lower = |app: TestApp, token: String, id: String| async move {
        let body = Some(json!({ "role": "member" }));
        call(&app, Method::PUT, &token, &format!("workspace/members/{id}"), body).await.status
    };
    let both = futures_util::future::join4(
        leave(here.clone(), acme.owner.token.clone()),
        leave(there.clone(), second.token.clone()),
        lower(here.clone(), acme.owner.token.clone(), uuid(&second.user)),
        lower(there.clone(), second.token.clone(), uuid(&acme.owner.user)),
    )
    .await;
    let owners = "SELECT count(*) FROM memberships WHERE role = 'owner'";
    assert_eq!(here.sql().await.number(owners).await, 1, "{both:?}");
    for status in [both.0, both.1, both.2, both.3] {
        assert!([200, 400, 403, 404, 409].contains(&status), "{both:?}");
    }
}

async fn two_owners_who_delete_their_accounts_at_once_leave_one(app: TestApp) {
    let acme = acme(&app).await;
    let second = second(&app, &acme).await;
    let [here, there] = app.copies().await;
    let (here_ctx, there_ctx) = (here.ctx().await, there.ctx().await);
    let both = futures_util::future::join(
        account::delete(&here_ctx, acme.owner.user.id),
        account::delete(&there_ctx, second.user.id),
    )
    .await;
    assert!(both.0.is_ok() != both.1.is_ok(), "{both:?}");
    let owners = "SELECT count(*) FROM memberships WHERE role = 'owner'";
    assert_eq!(here.sql().await.number(owners).await, 1);
}

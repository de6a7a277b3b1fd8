//! `/api/v1/users/{user_id}/roles` (`rbac.md`): who holds which role, until when, and by whose hand.

use std::time::Duration;

use futures_util::future::join_all;
use gatehouse::domain::access::Powers;
use gatehouse::domain::users::NewPassword;
use gatehouse::domain::{account, roles, users};
use reqwest::Method;
use serde_json::{Value, json};

use super::rbac::{is_detail, make_role, send, somebody};
use crate::support::{ADMIN_EMAIL, Answer, TestApp, both_engines, claims_of, make_user, within};

both_engines!(
    roles_are_given_and_taken,
    all_of_them_or_nothing,
    a_role_that_has_run_out_counts_for_nothing,
    who_may_read,
    users_of_other_tenants_are_administered,
    nobody_gives_what_they_lack,
    nobody_gives_for_longer_than_they_hold,
    the_last_super_administrator_stays,
    two_super_administrators_can_t_remove_each_other,
    a_deleted_role_is_taken_from_everybody,
    another_copy_knows_within_a_second,
);

fn path(user: &str) -> String {
    format!("/api/v1/users/{user}/roles")
}

async fn assign(app: &TestApp, token: &str, user: &str, ids: &[&str]) -> Answer {
    app.post(token, &path(user), &json!({ "role_ids": ids })).await
}

async fn unassign(app: &TestApp, token: &str, user: &str, role: &str) -> Answer {
    send(app, token, Method::DELETE, &format!("{}/{role}", path(user)), Value::Null).await
}

/// The first administrator's id.
async fn first(app: &TestApp) -> String {
    users::find_by_identifier(&app.ctx().await, ADMIN_EMAIL).await.unwrap().id.to_string()
}

fn codes(assignments: &Value) -> Vec<&str> {
    assignments.as_array().unwrap().iter().map(|one| one["role_code"].as_str().unwrap()).collect()
}

async fn roles_are_given_and_taken(app: TestApp) {
    let (admin, boss) = (app.admin_token().await, first(&app).await);
    let (user, token) = somebody(&app, "alice@example.org", &[]).await;
    assert_eq!(app.get_as(&admin, &path(&user)).await.body(200), json!([]));
    let editor = make_role(&app, &admin, "EDITOR", &["PERM_ROLE_READ", "PERM_USER_READ"]).await;
    let given = assign(&app, &admin, &user, &[&editor]).await.body(201);
    let id = given[0]["id"].as_str().unwrap();
    assert!(id.starts_with("UR_") && id.len() == 35, "{id}");
    let at = app.now().rfc3339();
    assert_eq!(
        given,
        json!([{ "id": id, "user_id": user, "user_type": "TENANT", "role_id": editor, "role_name": "Role EDITOR",
            "role_code": "EDITOR", "granted_by": boss, "granted_at": at, "expires_at": null, "is_active": true }])
    );
    assert_eq!(app.get_as(&admin, &path(&user)).await.body(200), given);
    // A bare UUID names the same user.
    let bare = uuid::Uuid::parse_str(user.trim_start_matches("usr_")).unwrap().to_string();
    assert_eq!(app.get_as(&admin, &path(&bare)).await.body(200), given);
    let may = app.get_as(&admin, &format!("/api/v1/users/{user}/permissions")).await.body(200);
    assert_eq!(
        may,
        json!({ "user_id": user, "user_type": "TENANT", "permissions": ["role:read", "user:read"], "roles": ["EDITOR"] })
    );
    // It counts at once, for a token issued before, and stands in the next one.
    app.get_as(&token, &path(&user)).await.expect(200);
    let people = app.password_app("openid").await;
    let next = app.sign_in(&people, "alice@example.org", "open sesame").await.expect(200).str("access_token");
    assert_eq!(claims_of(&next)["roles"], json!(["EDITOR"]));
    assert_eq!(claims_of(&next)["permissions"], json!(["role:read", "user:read"]));

    // A second one stands after the first; given again, only the end changes.
    app.advance(Duration::from_secs(5));
    let body = json!({ "role_ids": ["ROLE_ADMIN"], "expires_at": "2099-01-01T00:00:00+08:00" });
    let both = app.post(&admin, &path(&user), &body).await.body(201);
    assert_eq!(codes(&both), ["EDITOR", "admin"]);
    assert_eq!((&both[1]["expires_at"], &both[1]["user_type"]), (&json!("2098-12-31T16:00:00Z"), &json!("ADMIN")));
    let again = assign(&app, &admin, &user, &["ROLE_ADMIN"]).await.body(201);
    assert_eq!((&again[1]["id"], &again[1]["expires_at"]), (&both[1]["id"], &Value::Null));

    let gone = unassign(&app, &admin, &user, &editor).await.body(200);
    assert_eq!(gone, json!({ "message": "用户角色移除成功" }));
    is_detail(&unassign(&app, &admin, &user, &editor).await, 404, "角色不存在");
    assert_eq!(codes(&app.get_as(&admin, &path(&user)).await.body(200)), ["admin"]);
    app.advance(Duration::from_secs(5));
    let service = app.service("user:write").await;
    let service_token = app.token_of(&service).await;
    let by_service = assign(&app, &service_token, &user, &["ROLE_USER"]).await.body(201);
    assert_eq!(by_service[1]["granted_by"], service.id.as_str());
}

async fn all_of_them_or_nothing(app: TestApp) {
    let admin = app.admin_token().await;
    let (user, _) = somebody(&app, "alice@example.org", &[]).await;
    is_detail(&assign(&app, &admin, &user, &["ROLE_USER", "ROLE_NOBODY"]).await, 404, "角色不存在");
    is_detail(&assign(&app, &admin, &user, &["ROLE_USER", "no id"]).await, 404, "角色不存在");
    for body in [
        json!({}),
        json!({ "role_ids": [] }),
        json!({ "role_ids": "ROLE_USER" }),
        json!({ "role_ids": [1] }),
        json!({ "role_ids": ["ROLE_USER"], "expires_at": "tomorrow" }),
        json!({ "role_ids": ["ROLE_USER"], "expires_at": 4_102_444_800_u64 }),
    ] {
        app.post(&admin, &path(&user), &body).await.expect(400);
    }
    let past = json!({ "role_ids": ["ROLE_USER"], "expires_at": app.now().rfc3339() });
    is_detail(&app.post(&admin, &path(&user), &past).await, 400, "「expires_at」必须是将来的时间");
    let many: Vec<String> = (0..501).map(|n| format!("ROLE_{n}")).collect();
    app.post(&admin, &path(&user), &json!({ "role_ids": many })).await.expect(400);
    assert_eq!(app.get_as(&admin, &path(&user)).await.body(200), json!([]));
    // Twice the same is once.
    let given = assign(&app, &admin, &user, &["ROLE_USER", "ROLE_USER"]).await.body(201);
    assert_eq!(codes(&given), ["user"]);
    for nobody in ["usr_00000000000000000000000000000000", "x", "00000000-0000-0000-0000-000000000000"] {
        is_detail(&assign(&app, &admin, nobody, &["ROLE_USER"]).await, 404, "用户不存在");
        is_detail(&unassign(&app, &admin, nobody, "ROLE_USER").await, 404, "用户不存在");
        is_detail(&app.get_as(&admin, &path(nobody)).await, 404, "用户不存在");
        is_detail(&app.get_as(&admin, &format!("/api/v1/users/{nobody}/permissions")).await, 404, "用户不存在");
    }
}

async fn a_role_that_has_run_out_counts_for_nothing(app: TestApp) {
    let admin = app.admin_token().await;
    let (user, token) = somebody(&app, "alice@example.org", &[]).await;
    let end = (app.now() + Duration::from_secs(60)).rfc3339();
    let body = json!({ "role_ids": ["ROLE_ADMIN"], "expires_at": end });
    app.post(&admin, &path(&user), &body).await.expect(201);
    app.get_as(&token, "/api/v1/roles").await.expect(200);
    app.advance(Duration::from_secs(59));
    app.get_as(&token, "/api/v1/roles").await.expect(200);
    app.advance(Duration::from_secs(1));
    is_detail(&app.get_as(&token, "/api/v1/roles").await, 403, "权限不足");
    let left = app.get_as(&admin, &path(&user)).await.body(200);
    assert_eq!(
        (&left[0]["is_active"], &left[0]["user_type"], &left[0]["expires_at"]),
        (&json!(false), &json!("TENANT"), &json!(end))
    );
    let may = app.get_as(&admin, &format!("/api/v1/users/{user}/permissions")).await.body(200);
    assert_eq!((&may["permissions"], &may["roles"]), (&json!([]), &json!([])));
    let people = app.password_app("openid").await;
    let next = app.sign_in(&people, "alice@example.org", "open sesame").await.expect(200).str("access_token");
    assert!(claims_of(&next).get("roles").is_none_or(|roles| *roles == json!([])));
}

async fn who_may_read(app: TestApp) {
    let admin = app.admin_token().await;
    make_role(&app, &admin, "READER", &["PERM_USER_READ"]).await;
    let (user, plain) = somebody(&app, "plain@example.org", &[]).await;
    let (_, reader) = somebody(&app, "reader@example.org", &["READER"]).await;
    let tenant = app.tenant("Acme").await;
    let ctx = app.ctx_of(&tenant).await;
    let (foreign, _) = app.tenant_user(&tenant, "far@example.org", "open sesame").await;
    let roles = ["super_admin".to_owned()];
    make_user(&ctx, "boss@example.org", NewPassword::Plain("open sesame", 6), &roles).await;
    let login = json!({ "email": "boss@example.org", "password": "open sesame" });
    let boss = app.post(&tenant.public, "/v1/auth/login", &login).await.expect(200).str("token");
    for end in ["roles", "permissions"] {
        let of = |user: &str| format!("/api/v1/users/{user}/{end}");
        // Within their own tenant, with the permission; not even of oneself without.
        app.get_as(&reader, &of(&user)).await.expect(200);
        is_detail(&app.get_as(&plain, &of(&user)).await, 403, "权限不足");
        app.get_as(&boss, &of(&foreign)).await.expect(200);
        // Users elsewhere do not exist.
        is_detail(&app.get_as(&reader, &of(&foreign)).await, 404, "用户不存在");
        is_detail(&app.get_as(&boss, &of(&user)).await, 404, "用户不存在");
        // Administrators reach all tenants.
        let told = app.get_as(&admin, &of(&foreign)).await.body(200);
        assert!(end == "roles" || told["user_type"] == "TENANT", "{told}");
        is_detail(&app.get(&of(&user)).await, 401, "无效的访问令牌");
    }
    // Whoever administers another tenant is no ADMIN.
    let boss_id = claims_of(&boss)["sub"].as_str().unwrap().to_owned();
    let told = app.get_as(&boss, &path(&boss_id)).await.body(200);
    assert_eq!((&told[0]["role_code"], &told[0]["user_type"]), (&json!("super_admin"), &json!("TENANT")));
    let own = app.get_as(&admin, &path(&first(&app).await)).await.body(200);
    assert_eq!((&own[0]["role_code"], &own[0]["user_type"]), (&json!("super_admin"), &json!("ADMIN")));
}

async fn users_of_other_tenants_are_administered(app: TestApp) {
    let admin = app.admin_token().await;
    let tenant = app.tenant("Acme").await;
    let (user, token) = app.tenant_user(&tenant, "alice@example.org", "open sesame").await;
    // Roles are those of the user's tenant: the default tenant's own is none there.
    make_role(&app, &admin, "OURS", &[]).await;
    is_detail(&assign(&app, &admin, &user, &["ROLE_OURS"]).await, 404, "角色不存在");
    let given = assign(&app, &admin, &user, &["ROLE_ADMIN"]).await.body(201);
    assert_eq!((codes(&given), &given[0]["user_type"]), (vec!["admin"], &json!("TENANT")));
    app.get_as(&token, &path(&user)).await.expect(200);
    unassign(&app, &admin, &user, "ROLE_ADMIN").await.expect(200);
    is_detail(&app.get_as(&token, &path(&user)).await, 403, "权限不足");
}

async fn nobody_gives_what_they_lack(app: TestApp) {
    let admin = app.admin_token().await;
    let (user, _) = somebody(&app, "alice@example.org", &[]).await;
    let (lesser_id, lesser) = somebody(&app, "lesser@example.org", &["admin"]).await;
    let refused = |answer: &Answer| is_detail(answer, 403, "权限不足");
    // Not a role that reaches further, nor to themselves, nor beside one that does not.
    for target in [&user, &lesser_id] {
        refused(&assign(&app, &lesser, target, &["ROLE_SUPER_ADMIN"]).await);
        refused(&assign(&app, &lesser, target, &["ROLE_USER", "ROLE_SUPER_ADMIN"]).await);
    }
    let strong = make_role(&app, &admin, "STRONG", &["PERM_INTERNAL_ADMIN"]).await;
    refused(&assign(&app, &lesser, &lesser_id, &[&strong]).await);
    let body = json!({ "role_name": "x", "role_code": "WIDE", "scope": "SYSTEM" });
    app.post(&admin, "/api/v1/roles", &body).await.expect(201);
    refused(&assign(&app, &lesser, &lesser_id, &["ROLE_WIDE"]).await);
    // Nor is it taken from, or given an end by, who could not give it.
    let boss = first(&app).await;
    let second = somebody(&app, "second@example.org", &["super_admin"]).await.0;
    refused(&unassign(&app, &lesser, &second, "ROLE_SUPER_ADMIN").await);
    let end = (app.now() + Duration::from_secs(60)).rfc3339();
    let body = json!({ "role_ids": ["ROLE_SUPER_ADMIN"], "expires_at": end });
    refused(&app.post(&lesser, &path(&boss), &body).await);
    // A service gives what its scopes name.
    let service = app.service_token("user:write user:read").await;
    refused(&assign(&app, &service, &user, &["ROLE_ADMIN"]).await);
    let reader = make_role(&app, &admin, "READER", &["PERM_USER_READ"]).await;
    assign(&app, &service, &user, &[&reader]).await.expect(201);
    // Their own, they give.
    app.advance(Duration::from_secs(5));
    assign(&app, &lesser, &user, &["ROLE_ADMIN"]).await.expect(201);
    let held = app.get_as(&admin, &path(&user)).await.body(200);
    assert_eq!(codes(&held), ["READER", "admin"]);
}

async fn nobody_gives_for_longer_than_they_hold(app: TestApp) {
    let admin = app.admin_token().await;
    let (user, _) = somebody(&app, "alice@example.org", &[]).await;
    let (own, token) = somebody(&app, "friday@example.org", &[]).await;
    let until = |seconds| (app.now() + Duration::from_secs(seconds)).rfc3339();
    let give = async |by: &str, to: &str, role: &str, end: Option<String>| {
        app.post(by, &path(to), &json!({ "role_ids": [role], "expires_at": end })).await
    };
    let refused = |answer: &Answer| is_detail(answer, 403, "权限不足");
    for role in ["ROLE_ADMIN", "ROLE_SUPER_ADMIN"] {
        give(&admin, &own, role, Some(until(60))).await.expect(201);
        for to in [&user, &own] {
            refused(&give(&token, to, role, None).await);
            refused(&give(&token, to, role, Some(until(61))).await);
        }
        give(&token, &user, role, Some(until(60))).await.expect(201);
        give(&token, &user, "ROLE_USER", None).await.expect(201);
    }
    // A role of the whole installation that permits nothing is no way around, nor is one that others hold.
    let body = json!({ "role_name": "x", "role_code": "WIDE", "scope": "SYSTEM" });
    app.post(&token, "/api/v1/roles", &body).await.expect(201);
    refused(&give(&token, &own, "ROLE_WIDE", None).await);
    give(&token, &own, "ROLE_WIDE", Some(until(60))).await.expect(201);
    let reader = make_role(&app, &admin, "READER", &[]).await;
    let of_role = format!("/api/v1/roles/{reader}/permissions");
    refused(&app.post(&token, &of_role, &json!({ "permission_ids": ["PERM_USER_READ"] })).await);
    let made = json!({ "username": "monday", "roles": ["admin"] });
    app.post(&token, "/api/admin/v1/users", &made).await.expect(403);
    // Of what they hold by two roles, the later end counts.
    give(&admin, &own, "ROLE_ADMIN", None).await.expect(201);
    app.post(&token, &of_role, &json!({ "permission_ids": ["PERM_USER_READ"] })).await.expect(200);
    give(&token, &user, "ROLE_ADMIN", None).await.expect(201);
    refused(&give(&token, &user, "ROLE_SUPER_ADMIN", None).await);
}

async fn the_last_super_administrator_stays(app: TestApp) {
    const TEXT: &str = "不能移除最后一个超级管理员";
    let (admin, boss) = (app.admin_token().await, first(&app).await);
    is_detail(&unassign(&app, &admin, &boss, "ROLE_SUPER_ADMIN").await, 403, TEXT);
    let end = (app.now() + Duration::from_secs(60)).rfc3339();
    let ends = json!({ "role_ids": ["ROLE_SUPER_ADMIN"], "expires_at": end });
    is_detail(&app.post(&admin, &path(&boss), &ends).await, 403, TEXT);
    let ctx = app.ctx().await;
    assert!(users::set_enabled(&ctx, boss.parse().unwrap(), false).await.is_err());
    assert!(account::delete(&ctx, boss.parse().unwrap()).await.is_err());
    let id = "ROLE_SUPER_ADMIN".parse().unwrap();
    assert!(roles::unassign(&ctx, &Powers::operator(), boss.parse().unwrap(), &id).await.is_err());
    // One whose time is limited, or who is disabled, does not stand in.
    let (second, _) = somebody(&app, "second@example.org", &[]).await;
    app.post(&admin, &path(&second), &ends).await.expect(201);
    is_detail(&unassign(&app, &admin, &boss, "ROLE_SUPER_ADMIN").await, 403, TEXT);
    assign(&app, &admin, &second, &["ROLE_SUPER_ADMIN"]).await.expect(201);
    users::set_enabled(&ctx, second.parse().unwrap(), false).await.unwrap();
    is_detail(&unassign(&app, &admin, &boss, "ROLE_SUPER_ADMIN").await, 403, TEXT);
    users::set_enabled(&ctx, second.parse().unwrap(), true).await.unwrap();
    unassign(&app, &admin, &boss, "ROLE_SUPER_ADMIN").await.expect(200);
    // It counts at once, also for the token that did it.
    is_detail(&app.get_as(&admin, "/api/v1/roles").await, 403, "权限不足");
}

async fn two_super_administrators_can_t_remove_each_other(app: TestApp) {
    let copies = app.copies().await;
    for turn in 0..5 {
        let app = &copies[0];
        let holders = "SELECT count(*) FROM role_assignments WHERE role_id = 'ROLE_SUPER_ADMIN'";
        let (one, one_token) = somebody(app, &format!("one{turn}@example.org"), &["super_admin"]).await;
        let (two, two_token) = somebody(app, &format!("two{turn}@example.org"), &["super_admin"]).await;
        // These two are the only ones.
        app.sql()
            .await
            .run(&format!(
                "DELETE FROM role_assignments WHERE role_id = 'ROLE_SUPER_ADMIN' AND user_id NOT IN \
                 (SELECT user_id FROM user_identifiers WHERE canonical IN ('one{turn}@example.org', 'two{turn}@example.org'))"
            ))
            .await;
        let both = join_all(
            [(&copies[0], &one_token, &two), (&copies[1], &two_token, &one)]
                .map(|(app, token, other)| async move { unassign(app, token, other, "ROLE_SUPER_ADMIN").await.status }),
        )
        .await;
        assert_eq!(app.sql().await.number(holders).await, 1, "{both:?}");
        assert_eq!(both.iter().filter(|status| **status == 200).count(), 1, "{both:?}");
        assert!(both.iter().all(|status| matches!(status, 200 | 403)), "{both:?}");
    }
}

async fn a_deleted_role_is_taken_from_everybody(app: TestApp) {
    let admin = app.admin_token().await;
    let role = make_role(&app, &admin, "EDITOR", &["PERM_USER_READ"]).await;
    let (user, token) = somebody(&app, "alice@example.org", &["EDITOR"]).await;
    app.get_as(&token, &path(&user)).await.expect(200);
    // Asleep it counts for nothing; taken apart it permits less; gone it is held by nobody.
    let of_role = format!("/api/v1/roles/{role}");
    send(&app, &admin, Method::PUT, &of_role, json!({ "is_active": false })).await.expect(200);
    is_detail(&app.get_as(&token, &path(&user)).await, 403, "权限不足");
    assert_eq!(app.get_as(&admin, &path(&user)).await.body(200)[0]["is_active"], false);
    send(&app, &admin, Method::PUT, &of_role, json!({ "is_active": true })).await.expect(200);
    app.get_as(&token, &path(&user)).await.expect(200);
    let permission = format!("{of_role}/permissions/PERM_USER_READ");
    send(&app, &admin, Method::DELETE, &permission, Value::Null).await.expect(200);
    is_detail(&app.get_as(&token, &path(&user)).await, 403, "权限不足");
    send(&app, &admin, Method::DELETE, &of_role, Value::Null).await.expect(200);
    assert_eq!(app.get_as(&admin, &path(&user)).await.body(200), json!([]));
}

async fn another_copy_knows_within_a_second(app: TestApp) {
    const SOON: Duration = Duration::from_millis(1200);
    let [there, here] = app.copies().await;
    let admin = here.admin_token().await;
    let (user, token) = somebody(&here, "alice@example.org", &[]).await;
    let role = make_role(&here, &admin, "READER", &["PERM_USER_READ"]).await;
    there.get_as(&token, &path(&user)).await.expect(403);
    let is = async |status: u16, what: &str| {
        within(SOON, what, async || there.get_as(&token, &path(&user)).await.status == status).await;
    };
    assign(&here, &admin, &user, &[&role]).await.expect(201);
    is(200, "a role that was given").await;
    send(&here, &admin, Method::PUT, &format!("/api/v1/roles/{role}"), json!({ "is_active": false })).await.expect(200);
    is(403, "a role that was put to sleep").await;
    send(&here, &admin, Method::PUT, &format!("/api/v1/roles/{role}"), json!({ "is_active": true })).await.expect(200);
    is(200, "a role that was woken").await;
    unassign(&here, &admin, &user, &role).await.expect(200);
    is(403, "a role that was taken").await;
}

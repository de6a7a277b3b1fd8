//! `/api/v1/roles` and `/api/v1/permissions` (`rbac.md`): each endpoint, literal, status and order, in both
//! languages.

use std::time::Duration;

use gatehouse::domain::users::NewPassword;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Answer, TestApp, both_engines, make_user};

both_engines!(
    what_is_seeded,
    a_role_is_made_shown_changed_and_deleted,
    roles_are_listed,
    roles_are_counted,
    what_a_role_permits,
    a_permission_is_made_shown_changed_and_deleted,
    permissions_are_listed_and_counted,
    ids_stay_apart,
    refusals_are_said_in_the_callers_language,
    who_may_call,
    an_empty_text_changes_something,
);

/// Sends JSON; nothing where the body is `null`.
pub async fn send(app: &TestApp, token: &str, method: Method, path: &str, body: Value) -> Answer {
    let request = app.request(method, path).bearer_auth(token);
    app.send(if body.is_null() { request } else { request.json(&body) }).await
}

/// A refusal in the shape of the contract.
#[track_caller]
pub fn is_detail(answer: &Answer, status: u16, detail: &str) {
    assert_eq!((answer.status, answer.json()), (status, json!({ "detail": detail })), "{answer:?}");
}

/// Somebody of the default tenant with these roles, and a token that carries all that they may do.
pub async fn somebody(app: &TestApp, email: &str, roles: &[&str]) -> (String, String) {
    let roles: Vec<String> = roles.iter().map(ToString::to_string).collect();
    let user = make_user(&app.ctx().await, email, NewPassword::Plain("open sesame", 6), &roles).await;
    let people = app.password_app("openid").await;
    let token = app.sign_in(&people, email, "open sesame").await.expect(200).str("access_token");
    (user.id.to_string(), token)
}

/// Makes a role with these permissions; its id.
pub async fn make_role(app: &TestApp, token: &str, code: &str, permissions: &[&str]) -> String {
    let body = json!({ "role_name": format!("Role {code}"), "role_code": code, "scope": "TENANT" });
    let id = app.post(token, "/api/v1/roles", &body).await.expect(201).str("id");
    if !permissions.is_empty() {
        let body = json!({ "permission_ids": permissions });
        app.post(token, &format!("/api/v1/roles/{id}/permissions"), &body).await.expect(200);
    }
    id
}

fn keys(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

pub fn texts<'a>(list: &'a Value, member: &str) -> Vec<&'a str> {
    list.as_array().unwrap().iter().map(|item| item[member].as_str().unwrap()).collect()
}

const ROLE: [&str; 9] =
    ["created_at", "description", "id", "is_active", "is_system_role", "role_code", "role_name", "scope", "updated_at"];

async fn what_is_seeded(app: TestApp) {
    let admin = app.admin_token().await;
    let answer = app.get_as(&admin, "/api/v1/roles").await.expect(200);
    assert_eq!(answer.header("x-total-count"), Some("3"));
    let roles = answer.json();
    assert_eq!(texts(&roles, "id"), ["ROLE_ADMIN", "ROLE_SUPER_ADMIN", "ROLE_USER"]);
    assert_eq!(texts(&roles, "role_code"), ["admin", "super_admin", "user"]);
    assert_eq!(texts(&roles, "scope"), ["GLOBAL", "SYSTEM", "GLOBAL"]);
    for role in roles.as_array().unwrap() {
        assert_eq!(keys(role), ROLE);
        assert_eq!((&role["is_system_role"], &role["is_active"]), (&json!(true), &json!(true)));
    }
    let all = app.get_as(&admin, "/api/v1/permissions?limit=1000").await.body(200);
    let everything = app.get_as(&admin, "/api/v1/roles/ROLE_SUPER_ADMIN").await.body(200);
    assert_eq!(texts(&everything["permissions"], "id"), texts(&all, "id"));
    let read = app.get_as(&admin, "/api/v1/permissions/PERM_USER_READ").await.body(200);
    assert_eq!(
        (&read["permission_code"], &read["resource"], &read["action"], &read["is_system_permission"]),
        (&json!("user:read"), &json!("user"), &json!("read"), &json!(true))
    );
}

async fn a_role_is_made_shown_changed_and_deleted(app: TestApp) {
    let admin = app.admin_token().await;
    let body =
        json!({ "role_name": "Editors", "role_code": "EDITOR_2", "description": "They edit", "scope": "GLOBAL" });
    let made = app.post(&admin, "/api/v1/roles", &body).await.body(201);
    let at = app.now().rfc3339();
    let expected = json!({ "id": "ROLE_EDITOR_2", "role_name": "Editors", "role_code": "EDITOR_2",
        "description": "They edit", "scope": "GLOBAL", "is_system_role": false, "is_active": true,
        "created_at": at, "updated_at": at });
    assert_eq!(made, expected);
    let again = app.post(&admin, "/api/v1/roles", &body).await;
    is_detail(&again, 409, "角色编码已存在");
    let path = "/api/v1/roles/ROLE_EDITOR_2";
    let mut shown = app.get_as(&admin, path).await.body(200);
    assert_eq!(shown.as_object_mut().unwrap().remove("permissions"), Some(json!([])));
    assert_eq!(shown, expected);

    app.advance(Duration::from_secs(5));
    let change = json!({ "role_name": "Writers", "is_active": false });
    let changed = send(&app, &admin, Method::PUT, path, change).await.body(200);
    let mut expected = expected;
    expected["role_name"] = json!("Writers");
    expected["is_active"] = json!(false);
    expected["updated_at"] = json!(app.now().rfc3339());
    assert_eq!(changed, expected);
    // What was sent back whole changes nothing, and what can't change does not.
    assert_eq!(send(&app, &admin, Method::PUT, path, changed.clone()).await.body(200), changed);
    for (member, value) in [("role_code", "OTHER"), ("scope", "TENANT")] {
        let refused = send(&app, &admin, Method::PUT, path, json!({ member: value })).await;
        is_detail(&refused, 400, &format!("「{member}」不能修改"));
    }
    for value in ["", "lower", "WITH-DASH", "WITH SPACE", "Ä", "A:B"] {
        let body = json!({ "role_name": "x", "role_code": value, "scope": "GLOBAL" });
        is_detail(&app.post(&admin, "/api/v1/roles", &body).await, 400, "角色编码必须为大写字母、数字和下划线组合");
    }
    let long = json!({ "role_name": "x", "role_code": "A".repeat(51), "scope": "GLOBAL" });
    is_detail(&app.post(&admin, "/api/v1/roles", &long).await, 400, "「role_code」最多 50 个字符");
    let wrong = json!({ "role_name": "x", "role_code": "A", "scope": "PLANET" });
    is_detail(&app.post(&admin, "/api/v1/roles", &wrong).await, 400, "「scope」必须为 GLOBAL、TENANT 或 SYSTEM");
    for missing in ["role_name", "scope"] {
        let mut body = json!({ "role_name": "x", "role_code": "A", "scope": "GLOBAL" });
        body.as_object_mut().unwrap().remove(missing);
        let answer = app.post(&admin, "/api/v1/roles", &body).await;
        is_detail(&answer, 400, &format!("「{missing}」为必填项"));
    }

    let gone = send(&app, &admin, Method::DELETE, path, Value::Null).await.body(200);
    assert_eq!(gone, json!({ "message": "角色删除成功" }));
    for method in [Method::GET, Method::DELETE] {
        is_detail(&send(&app, &admin, method, path, Value::Null).await, 404, "角色不存在");
    }
    is_detail(&send(&app, &admin, Method::PUT, path, json!({ "role_name": "x" })).await, 404, "角色不存在");
    is_detail(&app.get_as(&admin, "/api/v1/roles/not-an-id").await, 404, "角色不存在");
}

async fn roles_are_listed(app: TestApp) {
    let admin = app.admin_token().await;
    for n in 0..5 {
        app.advance(Duration::from_secs(1));
        make_role(&app, &admin, &format!("R{n}"), &[]).await;
    }
    let percent = json!({ "role_name": "100%_sure", "role_code": "SURE", "scope": "TENANT" });
    app.advance(Duration::from_secs(1));
    app.post(&admin, "/api/v1/roles", &percent).await.expect(201);
    send(&app, &admin, Method::PUT, "/api/v1/roles/ROLE_R4", json!({ "is_active": false })).await.expect(200);
    let list = async |query: &str| {
        let answer = app.get_as(&admin, &format!("/api/v1/roles?{query}")).await.expect(200);
        let total: usize = answer.header("x-total-count").unwrap().parse().unwrap();
        let codes: Vec<String> = texts(&answer.json(), "role_code").into_iter().map(str::to_owned).collect();
        (total, codes)
    };
    let (total, all) = list("").await;
    assert_eq!((total, all.join(" ").as_str()), (9, "admin super_admin user R0 R1 R2 R3 R4 SURE"));
    for (query, total, codes) in [
        ("limit=2", 9, "admin super_admin"),
        ("limit=2&offset=7", 9, "R4 SURE"),
        ("limit=1000&offset=100", 9, ""),
        ("role_name=role%20r", 5, "R0 R1 R2 R3 R4"),
        ("role_name=%25_", 1, "SURE"),
        ("role_name=%25", 1, "SURE"),
        ("role_code=R1", 1, "R1"),
        ("role_code=r1", 0, ""),
        ("scope=SYSTEM", 1, "super_admin"),
        ("scope=TENANT&limit=1", 6, "R0"),
        ("is_system_role=true", 3, "admin super_admin user"),
        ("is_system_role=false&offset=5", 6, "SURE"),
        ("is_active=false", 1, "R4"),
        ("is_active=true&role_name=Role&limit=1", 4, "R0"),
    ] {
        let (found, names) = list(query).await;
        assert_eq!((found, names.join(" ").as_str()), (total, codes), "{query}");
    }
    for bad in ["limit=0", "limit=1001", "limit=x", "offset=-1", "scope=global", "is_active=maybe", "limit=1&limit=2"] {
        let answer = app.get_as(&admin, &format!("/api/v1/roles?{bad}")).await;
        assert_eq!(answer.status, 400, "{bad}: {answer:?}");
    }
    is_detail(&app.get_as(&admin, "/api/v1/roles?limit=1001").await, 400, "「limit」必须在 1 到 1000 之间");
}

async fn roles_are_counted(app: TestApp) {
    let admin = app.admin_token().await;
    make_role(&app, &admin, "ONE", &[]).await;
    make_role(&app, &admin, "TWO", &[]).await;
    send(&app, &admin, Method::PUT, "/api/v1/roles/ROLE_TWO", json!({ "is_active": false })).await.expect(200);
    let stats = app.get_as(&admin, "/api/v1/roles/stats").await.body(200);
    assert_eq!(
        stats,
        json!({ "total_roles": 5, "system_roles": 3, "custom_roles": 2,
            "by_scope": { "GLOBAL": 2, "TENANT": 2, "SYSTEM": 1 }, "active_roles": 4, "inactive_roles": 1 })
    );
}

async fn what_a_role_permits(app: TestApp) {
    let admin = app.admin_token().await;
    let id = make_role(&app, &admin, "EDITOR", &[]).await;
    let path = format!("/api/v1/roles/{id}/permissions");
    assert_eq!(app.get_as(&admin, &path).await.body(200), json!([]));
    let add = async |ids: Value| app.post(&admin, &path, &json!({ "permission_ids": ids })).await;
    let now = add(json!(["PERM_USER_READ", "PERM_ROLE_READ", "PERM_USER_READ"])).await.body(200);
    assert_eq!(texts(&now, "permission_code"), ["role:read", "user:read"]);
    assert_eq!(
        now[1],
        json!({ "id": "PERM_USER_READ", "permission_name": "Read users", "permission_code": "user:read",
            "resource": "user", "action": "read", "description": null })
    );
    assert_eq!(app.get_as(&admin, &path).await.body(200), now);
    assert_eq!(app.get_as(&admin, &format!("/api/v1/roles/{id}")).await.body(200)["permissions"], now);
    // One that is unknown, and nothing changes.
    is_detail(&add(json!(["PERM_TENANT_READ", "PERM_NOTHING"])).await, 404, "权限不存在");
    is_detail(&add(json!(["PERM_TENANT_READ", "not an id"])).await, 404, "权限不存在");
    assert_eq!(app.get_as(&admin, &path).await.body(200), now);
    for bad in [json!([]), json!("PERM_USER_READ"), json!([1]), Value::Null] {
        assert_eq!(add(bad.clone()).await.status, 400, "{bad}");
    }
    let remove = async |id: &str| send(&app, &admin, Method::DELETE, &format!("{path}/{id}"), Value::Null).await;
    assert_eq!(remove("PERM_USER_READ").await.body(200), json!({ "message": "角色权限移除成功" }));
    is_detail(&remove("PERM_USER_READ").await, 404, "权限不存在");
    is_detail(&remove("x-y").await, 404, "权限不存在");
    assert_eq!(texts(&app.get_as(&admin, &path).await.body(200), "id"), ["PERM_ROLE_READ"]);
    let unknown = "/api/v1/roles/ROLE_NOBODY/permissions";
    is_detail(&app.get_as(&admin, unknown).await, 404, "角色不存在");
    let body = json!({ "permission_ids": ["PERM_USER_READ"] });
    is_detail(&app.post(&admin, unknown, &body).await, 404, "角色不存在");
}

async fn a_permission_is_made_shown_changed_and_deleted(app: TestApp) {
    let admin = app.admin_token().await;
    let body = json!({ "permission_name": "Print invoices", "permission_code": "invoice:print",
        "resource": "invoice", "action": "print", "description": "on paper" });
    let made = app.post(&admin, "/api/v1/permissions", &body).await.body(201);
    let at = app.now().rfc3339();
    let expected = json!({ "id": "PERM_INVOICE_PRINT", "permission_name": "Print invoices",
        "permission_code": "invoice:print", "resource": "invoice", "action": "print", "description": "on paper",
        "is_system_permission": false, "created_at": at, "updated_at": at });
    assert_eq!(made, expected);
    is_detail(&app.post(&admin, "/api/v1/permissions", &body).await, 409, "权限编码已存在");
    let path = "/api/v1/permissions/PERM_INVOICE_PRINT";
    assert_eq!(app.get_as(&admin, path).await.body(200), expected);
    // Who holds everything holds it from now on, and can hand it on; a service can be granted it as a scope.
    let id = make_role(&app, &admin, "PRINTER", &["PERM_INVOICE_PRINT"]).await;
    app.service_token("invoice:print").await;
    for (code, resource, action) in [
        ("invoice:print", "invoice", "shred"),
        ("invoice", "invoice", ""),
        ("a b:c", "a b", "c"),
        ("a:b:c", "a", "b:c"),
    ] {
        let body = json!({ "permission_name": "x", "permission_code": code, "resource": resource, "action": action });
        assert_eq!(app.post(&admin, "/api/v1/permissions", &body).await.status, 400, "{code}");
    }
    app.advance(Duration::from_secs(5));
    let changed = send(&app, &admin, Method::PUT, path, json!({ "permission_name": "Print" })).await.body(200);
    let mut expected = expected;
    expected["permission_name"] = json!("Print");
    expected["updated_at"] = json!(app.now().rfc3339());
    assert_eq!(changed, expected);
    let gone = send(&app, &admin, Method::DELETE, path, Value::Null).await.body(200);
    assert_eq!(gone, json!({ "message": "权限删除成功" }));
    assert_eq!(app.get_as(&admin, &format!("/api/v1/roles/{id}/permissions")).await.body(200), json!([]));
    for method in [Method::GET, Method::DELETE] {
        is_detail(&send(&app, &admin, method, path, Value::Null).await, 404, "权限不存在");
    }
    is_detail(&send(&app, &admin, Method::PUT, path, json!({})).await, 404, "权限不存在");
    let own = "/api/v1/permissions/PERM_USER_READ";
    is_detail(&send(&app, &admin, Method::DELETE, own, Value::Null).await, 403, "权限不足");
}

async fn permissions_are_listed_and_counted(app: TestApp) {
    let admin = app.admin_token().await;
    for (code, name) in [("invoice:read", "Look"), ("invoice:print", "Print_it"), ("shoe:print", "Footprint")] {
        let (resource, action) = code.split_once(':').unwrap();
        let body = json!({ "permission_name": name, "permission_code": code, "resource": resource, "action": action });
        app.advance(Duration::from_secs(1));
        app.post(&admin, "/api/v1/permissions", &body).await.expect(201);
    }
    let seeded = gatehouse::model::permission::SEEDED.len();
    for (query, total, codes) in [
        ("resource=invoice", 2, "invoice:read invoice:print"),
        ("resource=invoic", 0, ""),
        ("resource=in%25", 0, ""),
        ("action=print", 2, "invoice:print shoe:print"),
        ("action=rint", 0, ""),
        ("resource=invoice&action=print", 1, "invoice:print"),
        ("permission_name=PRINT", 2, "invoice:print shoe:print"),
        ("permission_name=_", 1, "invoice:print"),
        ("is_system_permission=false", 3, "invoice:read invoice:print shoe:print"),
        ("is_system_permission=false&limit=1&offset=1", 3, "invoice:print"),
        ("is_system_permission=true&limit=0001", seeded, "auth:token"),
    ] {
        let answer = app.get_as(&admin, &format!("/api/v1/permissions?{query}")).await.expect(200);
        assert_eq!(answer.header("x-total-count").unwrap(), total.to_string(), "{query}");
        assert_eq!(texts(&answer.json(), "permission_code").join(" "), codes, "{query}");
    }
    for bad in ["limit=0", "limit=1001", "offset=x", "is_system_permission=2"] {
        app.get_as(&admin, &format!("/api/v1/permissions?{bad}")).await.expect(400);
    }
    let stats = app.get_as(&admin, "/api/v1/permissions/stats").await.body(200);
    assert_eq!(
        keys(&stats),
        ["by_action", "by_resource", "custom_permissions", "system_permissions", "total_permissions"]
    );
    assert_eq!(
        (&stats["total_permissions"], &stats["system_permissions"], &stats["custom_permissions"]),
        (&json!(seeded + 3), &json!(seeded), &json!(3))
    );
    assert_eq!((&stats["by_resource"]["invoice"], &stats["by_resource"]["user"]), (&json!(2), &json!(2)));
    assert_eq!((&stats["by_action"]["print"], &stats["by_action"]["read"]), (&json!(2), &json!(4)));
}

async fn ids_stay_apart(app: TestApp) {
    let admin = app.admin_token().await;
    // A seeded role has the id that this code would get.
    let id = make_role(&app, &admin, "SUPER_ADMIN", &[]).await;
    assert!(id.starts_with("ROLE_SUPER_ADMIN_") && id.len() == 25, "{id}");
    let seeded = app.get_as(&admin, "/api/v1/roles/ROLE_SUPER_ADMIN").await.body(200);
    assert_eq!(seeded["role_code"], "super_admin");
    let mut ids = Vec::new();
    let long = format!("{}:read", "x".repeat(90));
    for code in ["user.x:read", "user_x:read", "user-x:read", long.as_str()] {
        let (resource, action) = code.split_once(':').unwrap();
        let body = json!({ "permission_name": "x", "permission_code": code, "resource": resource, "action": action });
        ids.push(app.post(&admin, "/api/v1/permissions", &body).await.expect(201).str("id"));
    }
    assert_eq!(ids[0], "PERM_USER_X_READ");
    assert!(ids.iter().all(|id| id.starts_with("PERM_") && id.len() <= 64), "{ids:?}");
    ids.dedup();
    assert_eq!(ids.len(), 4);
    app.get_as(&admin, &format!("/api/v1/permissions/{}", ids[3])).await.expect(200);
}

async fn refusals_are_said_in_the_callers_language(app: TestApp) {
    let admin = app.admin_token().await;
    let ask = async |language: Option<&str>, token: &str, method: Method, path: &str| {
        let mut request = app.request(method, path);
        if let Some(language) = language {
            request = request.header("accept-language", language);
        }
        app.send(if token.is_empty() { request } else { request.bearer_auth(token) }).await
    };
    let get = Method::GET;
    for (token, method, path, status, zh, en) in [
        ("", &get, "/api/v1/roles", 401, "无效的访问令牌", "invalid access token"),
        ("x.y.z", &get, "/api/v1/permissions", 401, "无效的访问令牌", "invalid access token"),
        (&*admin, &get, "/api/v1/roles/ROLE_X", 404, "角色不存在", "role not found"),
        (&*admin, &get, "/api/v1/permissions/PERM_X", 404, "权限不存在", "permission not found"),
        (&*admin, &get, "/api/v1/users/x/roles", 404, "用户不存在", "user not found"),
        (&*admin, &Method::DELETE, "/api/v1/roles/ROLE_USER", 403, "权限不足", "insufficient permission"),
        (&*admin, &get, "/api/v1/nothing", 404, "路径不存在", "not found"),
        (&*admin, &Method::PATCH, "/api/v1/roles", 405, "不支持该请求方法", "method not allowed"),
        (
            &*admin,
            &get,
            "/api/v1/roles?limit=0",
            400,
            "「limit」必须在 1 到 1000 之间",
            "\"limit\" must be from 1 to 1000",
        ),
    ] {
        for (language, expected, tag) in [
            (None, zh, "zh"),
            (Some("zh-CN,zh;q=0.9,en;q=0.8"), zh, "zh"),
            (Some("fr"), zh, "zh"),
            (Some("en-GB,en;q=0.9"), en, "en"),
            (Some("zh;q=0.1, en;q=0.5"), en, "en"),
        ] {
            let answer = ask(language, token, method.clone(), path).await;
            is_detail(&answer, status, expected);
            assert_eq!(answer.header("content-language"), Some(tag), "{answer:?}");
        }
    }
    let answer = ask(None, &admin, Method::PATCH, "/api/v1/roles").await;
    assert_eq!(answer.header("allow"), Some("GET, POST, HEAD"), "{answer:?}");
    make_role(&app, &admin, "GONE", &[]).await;
    let gone = ask(Some("en"), &admin, Method::DELETE, "/api/v1/roles/ROLE_GONE").await;
    assert_eq!(gone.body(200), json!({ "message": "role deleted" }));
    // The challenge says what would help.
    let none = ask(None, "", get.clone(), "/api/v1/roles").await;
    assert_eq!(none.header("www-authenticate"), Some("Bearer realm=\"gatehouse\""));
}

/// Every endpoint that only administrators may call, with a body where it takes one.
fn for_administrators(user: &str) -> Vec<(Method, String, Value)> {
    let permission = json!({ "permission_name": "x", "permission_code": "a:b", "resource": "a", "action": "b" });
    [
        (Method::GET, "/roles", Value::Null),
        (Method::POST, "/roles", json!({ "role_name": "x", "role_code": "X", "scope": "TENANT" })),
        (Method::GET, "/roles/stats", Value::Null),
        (Method::GET, "/roles/ROLE_USER", Value::Null),
        (Method::PUT, "/roles/ROLE_USER", json!({ "description": "x" })),
        (Method::DELETE, "/roles/ROLE_USER", Value::Null),
        (Method::GET, "/roles/ROLE_USER/permissions", Value::Null),
        (Method::POST, "/roles/ROLE_USER/permissions", json!({ "permission_ids": ["PERM_USER_READ"] })),
        (Method::DELETE, "/roles/ROLE_USER/permissions/PERM_USER_READ", Value::Null),
        (Method::GET, "/permissions", Value::Null),
        (Method::POST, "/permissions", permission),
        (Method::GET, "/permissions/stats", Value::Null),
        (Method::GET, "/permissions/PERM_USER_READ", Value::Null),
        (Method::PUT, "/permissions/PERM_USER_READ", json!({ "description": "x" })),
        (Method::DELETE, "/permissions/PERM_USER_READ", Value::Null),
        (Method::POST, &format!("/users/{user}/roles"), json!({ "role_ids": ["ROLE_USER"] })),
        (Method::DELETE, &format!("/users/{user}/roles/ROLE_USER"), Value::Null),
    ]
    .into_iter()
    .map(|(method, path, body)| (method, format!("/api/v1{path}"), body))
    .collect()
}

async fn who_may_call(app: TestApp) {
    let admin = app.admin_token().await;
    let (plain, plain_token) = somebody(&app, "plain@example.org", &["user"]).await;
    app.advance(Duration::from_secs(1));
    // All permissions, but no administrative role.
    let everything = app.get_as(&admin, "/api/v1/permissions?limit=1000").await.body(200);
    make_role(&app, &admin, "EVERYTHING", &texts(&everything, "id")).await;
    let (_, powerful_token) = somebody(&app, "powerful@example.org", &["EVERYTHING"]).await;
    // An administrator of another tenant, and its service.
    let tenant = app.tenant("Acme").await;
    let ctx = app.ctx_of(&tenant).await;
    make_user(&ctx, "boss@example.org", NewPassword::Plain("open sesame", 6), &["super_admin".to_owned()]).await;
    let login = json!({ "email": "boss@example.org", "password": "open sesame" });
    let boss_token = app.post(&tenant.public, "/v1/auth/login", &login).await.expect(200).str("token");
    let scopes = crate::support::routes::EVERY_SCOPE;
    let foreign = app.service_of(&tenant, scopes).await;
    let grant = [("grant_type", "client_credentials")];
    let foreign = app.basic(&format!("/t/{}/oauth/token", tenant.id), &foreign.id, &foreign.secret, &grant).await;
    let foreign_token = foreign.expect(200).str("access_token");
    let reader_token = app.service_token("role:read user:read").await;
    for (method, path, body) in for_administrators(&plain) {
        for token in [&plain_token, &powerful_token, &boss_token, &foreign_token] {
            is_detail(&send(&app, token, method.clone(), &path, body.clone()).await, 403, "权限不足");
        }
        is_detail(&send(&app, "nonsense", method.clone(), &path, body.clone()).await, 401, "无效的访问令牌");
        let answer = send(&app, &reader_token, method.clone(), &path, body.clone()).await;
        if method == Method::GET {
            answer.expect(200);
        } else {
            is_detail(&answer, 403, "权限不足");
        }
    }
    let roles = app.get_as(&admin, "/api/v1/roles").await.body(200);
    assert_eq!(texts(&roles, "role_code"), ["admin", "super_admin", "user", "EVERYTHING"], "nothing was changed");
}

async fn an_empty_text_changes_something(app: TestApp) {
    let admin = app.admin_token().await;
    let role = make_role(&app, &admin, "EDITOR", &[]).await;
    let body = json!({ "permission_name": "Print", "permission_code": "invoice:print", "resource": "invoice",
        "action": "print" });
    let permission = app.post(&admin, "/api/v1/permissions", &body).await.expect(201).str("id");
    for (path, name) in [
        (format!("/api/v1/roles/{role}"), "role_name"),
        (format!("/api/v1/permissions/{permission}"), "permission_name"),
    ] {
        let put = async |body: Value| send(&app, &admin, Method::PUT, &path, body).await;
        let described = put(json!({ "description": "They edit" })).await.body(200);
        assert_eq!(described["description"], "They edit");
        assert_eq!(put(json!({ "description": null })).await.body(200), described, "null is as good as missing");
        is_detail(&put(json!({ name: "" })).await, 400, &format!("「{name}」为必填项"));
        let emptied = put(json!({ "description": "" })).await.body(200);
        assert_eq!((&emptied["description"], &emptied[name]), (&Value::Null, &described[name]));
    }
    // The end of a role is none of nothing.
    let (user, _) = somebody(&app, "alice@example.org", &[]).await;
    let path = format!("/api/v1/users/{user}/roles");
    let refused = app.post(&admin, &path, &json!({ "role_ids": [role], "expires_at": "" })).await;
    is_detail(&refused, 400, "「expires_at」必须是 RFC 3339 时间，例如 2030-01-31T18:00:00Z");
    assert_eq!(app.get_as(&admin, &path).await.body(200), json!([]));
}

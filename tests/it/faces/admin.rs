//! `/api/admin/v1/*`: each resource from its making to its end, what a page holds, and what goes wrong.

use std::time::Duration;

use gatehouse::domain::users;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Answer, TestApp, both_engines};

both_engines!(
    users_are_made_shown_changed_and_deleted,
    users_are_listed_and_narrowed,
    sessions_are_listed_and_ended,
    tenants_are_made_changed_and_switched_off,
    clients_are_made_shown_changed_and_deleted,
    settings_of_a_client_are_merged,
    api_clients_are_made_changed_and_rotated,
    the_catalogue_is_kept,
    organizations_have_members,
    keys_are_rotated_and_retired,
    what_was_done_is_read,
    settings_are_shown_and_changed,
    what_is_wrong_is_a_problem,
);

pub const EVERYTHING: &str =
    "user:read user:write tenant:read tenant:write role:read role:write auth:token internal:admin system:admin";

/// One call under `/api/admin/v1`.
pub async fn call(app: &TestApp, token: &str, method: Method, path: &str, body: Option<&Value>) -> Answer {
    let request = app.request(method, &format!("/api/admin/v1{path}")).bearer_auth(token);
    app.send(match body {
        Some(body) => request.json(body),
        None => request,
    })
    .await
}

pub async fn get(app: &TestApp, token: &str, path: &str) -> Answer {
    call(app, token, Method::GET, path, None).await
}

pub async fn post(app: &TestApp, token: &str, path: &str, body: Value) -> Answer {
    call(app, token, Method::POST, path, Some(&body)).await
}

pub async fn patch(app: &TestApp, token: &str, path: &str, body: Value) -> Answer {
    call(app, token, Method::PATCH, path, Some(&body)).await
}

pub async fn delete(app: &TestApp, token: &str, path: &str) -> Answer {
    call(app, token, Method::DELETE, path, None).await
}

/// A problem with this status, and what it says is wrong.
#[track_caller]
pub fn problem(answer: &Answer, status: u16) -> String {
    assert_eq!(answer.status, status, "{answer:?}");
    assert_eq!(answer.header("content-type"), Some("application/problem+json"), "{answer:?}");
    let body = answer.json();
    assert_eq!((&body["type"], &body["status"]), (&json!("about:blank"), &json!(status)), "{body}");
    assert_eq!(body["request_id"].as_str(), answer.header("x-request-id"), "{body}");
    body["detail"].as_str().expect("words").to_owned()
}

fn keys(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

/// One member of each item of a page.
fn each<'a>(page: &'a Value, member: &str) -> Vec<&'a str> {
    page["items"].as_array().unwrap().iter().map(|item| item[member].as_str().unwrap()).collect()
}

async fn users_are_made_shown_changed_and_deleted(app: TestApp) {
    let token = app.service_token(EVERYTHING).await;
    let wish = json!({ "email": "ann@example.org", "email_verified": true, "username": "ann", "name": "Ann",
        "password": "a quiet harbour", "roles": ["user"], "profile": { "shoe": 42 } });
    let made = post(&app, &token, "/users", wish).await.body(201);
    let id = made["id"].as_str().unwrap();
    let at = app.now().rfc3339();
    let expected = json!({ "id": id, "email": "ann@example.org", "email_verified": true, "username": "ann",
        "name": "Ann", "external_sub": null, "is_active": true, "has_password": true, "has_second_factor": false,
        "locked_until": null, "roles": ["user"], "profile": { "shoe": 42 }, "created_at": at, "updated_at": at });
    assert_eq!(made, expected);
    let path = format!("/users/{id}");
    assert_eq!(get(&app, &token, &path).await.body(200), expected);
    // What is absent stays, what is null is taken away; a new address is not proved.
    app.advance(Duration::from_secs(5));
    let changed = patch(&app, &token, &path, json!({ "email": "eve@example.org", "name": null })).await.body(200);
    let mut expected = expected;
    expected["email"] = json!("eve@example.org");
    expected["email_verified"] = json!(false);
    expected["name"] = Value::Null;
    expected["updated_at"] = json!(app.now().rfc3339());
    assert_eq!(changed, expected);
    let client = app.password_app("openid").await;
    app.sign_in(&client, "ann@example.org", "a quiet harbour").await.is_oauth_error(400, "invalid_grant");
    let issued = app.sign_in(&client, "eve@example.org", "a quiet harbour").await.expect(200);
    // A password ends what was issued, and so does switching off.
    post(&app, &token, &format!("{path}/password"), json!({ "password": "another harbour" })).await.expect(204);
    assert!(!app.is_active(&issued.str("access_token")).await);
    let issued = app.sign_in(&client, "ann", "another harbour").await.expect(200);
    let off = patch(&app, &token, &path, json!({ "is_active": false })).await.body(200);
    assert_eq!(off["is_active"], false);
    assert!(!app.is_active(&issued.str("access_token")).await);
    app.sign_in(&client, "ann", "another harbour").await.is_oauth_error(400, "invalid_grant");
    patch(&app, &token, &path, json!({ "is_active": true })).await.expect(200);
    post(&app, &token, &format!("{path}/unlock"), json!({})).await.expect(204);
    app.sign_in(&client, "ann", "another harbour").await.expect(200);
    post(&app, &token, &format!("{path}/end-sessions"), json!({})).await.expect(204);
    // Somebody must be able to sign in by some name, and names are one's own.
    let nameless = patch(&app, &token, &path, json!({ "email": null, "username": "" })).await;
    assert_eq!(problem(&nameless, 400), "\"username\" is required");
    let taken = post(&app, &token, "/users", json!({ "username": "ANN" })).await;
    assert_eq!(problem(&taken, 409), "e-mail address or username already taken");
    delete(&app, &token, &path).await.expect(204);
    assert_eq!(problem(&get(&app, &token, &path).await, 404), "no such user");
    assert_eq!(problem(&delete(&app, &token, &path).await, 404), "no such user");
}

async fn users_are_listed_and_narrowed(app: TestApp) {
    let token = app.service_token(EVERYTHING).await;
    for n in 0..5 {
        let email = format!("{n}@example.org");
        post(&app, &token, "/users", json!({ "email": email })).await.expect(201);
        app.advance(Duration::from_millis(3));
    }
    let all = get(&app, &token, "/users").await.body(200);
    assert_eq!((keys(&all), &all["next_cursor"]), (vec!["items", "next_cursor"], &Value::Null));
    assert_eq!(each(&all, "email").len(), 6);
    // The pages are the list, each one once.
    let (mut seen, mut path) = (Vec::new(), "/users?limit=2".to_owned());
    loop {
        let page = get(&app, &token, &path).await.body(200);
        seen.extend(page["items"].as_array().unwrap().clone());
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        path = format!("/users?limit=2&cursor={cursor}");
    }
    assert_eq!(json!(seen), all["items"]);
    let off = all["items"][3]["id"].as_str().unwrap();
    patch(&app, &token, &format!("/users/{off}"), json!({ "is_active": false })).await.expect(200);
    for (narrowed, found) in [
        ("search=3%40EXAMPLE", vec!["3@example.org"]),
        ("role=super_admin", vec!["admin@example.org"]),
        ("is_active=false", vec!["2@example.org"]),
        ("search=%25", vec![]),
    ] {
        let page = get(&app, &token, &format!("/users?{narrowed}")).await.body(200);
        assert_eq!(each(&page, "email"), found, "{narrowed}");
    }
    let organization = post(&app, &token, "/organizations", json!({ "name": "Acme" })).await.expect(201).str("id");
    let member = json!({ "user_id": off, "role": "owner" });
    post(&app, &token, &format!("/organizations/{organization}/members"), member).await.expect(201);
    let page = get(&app, &token, &format!("/users?organization={organization}")).await.body(200);
    assert_eq!(each(&page, "email"), ["2@example.org"]);
}

async fn sessions_are_listed_and_ended(app: TestApp) {
    let token = app.service_token(EVERYTHING).await;
    let ann = app.user("ann@example.org", "a quiet harbour").await;
    let path = format!("/users/{}/sessions", ann.id);
    assert_eq!(get(&app, &token, &path).await.body(200), json!({ "items": [], "next_cursor": null }));
    let browser = crate::support::Browser::new(&app);
    let page = browser.open("/login").await;
    let form = [("identifier", "ann@example.org"), ("password", "a quiet harbour")];
    browser.submit(&page, "/login", &form).await.expect(200, "/account");
    let page = get(&app, &token, &path).await.body(200);
    let session = &page["items"][0];
    assert_eq!(
        keys(session),
        ["address", "amr", "created_at", "ends_at", "expires_at", "id", "seen_at", "user_agent", "user_id"]
    );
    assert_eq!((&session["amr"], &session["user_id"]), (&json!(["pwd"]), &json!(ann.id.to_string())));
    let id = session["id"].as_str().unwrap();
    delete(&app, &token, &format!("/sessions/{id}")).await.expect(204);
    assert_eq!(get(&app, &token, &path).await.body(200)["items"], json!([]));
    assert_eq!(problem(&delete(&app, &token, &format!("/sessions/{id}")).await, 404), "no such session");
}

async fn tenants_are_made_changed_and_switched_off(app: TestApp) {
    let token = app.service_token(EVERYTHING).await;
    let made = post(&app, &token, "/tenants", json!({ "name": "Acme" })).await.body(201);
    let (id, public) = (made["id"].as_str().unwrap(), made["public_key"].as_str().unwrap());
    let secret = made["secret_key"].as_str().unwrap();
    let path = format!("/tenants/{id}");
    let settings = json!({ "password_min_length": null, "access_token_ttl": null, "refresh_token_ttl": null,
        "self_registration": null, "color": null, "logo": null, "registration": "off", "registration_legacy": false });
    let shown = get(&app, &token, &path).await.body(200);
    let expected = json!({ "id": id, "name": "Acme", "is_default": false, "enabled": true, "settings": settings,
        "created_at": app.now().rfc3339() });
    assert_eq!(shown, expected);
    app.get_as(secret, "/v1/users").await.expect(200);
    let own = format!("/settings/tenant?tenant_id={id}");
    let wish = json!({ "password_min_length": 12, "color": "#0A7F5A", "registration": "open" });
    patch(&app, &token, &own, wish).await.expect(200);
    let changed = patch(&app, &token, &path, json!({ "name": "Acme Ltd" })).await.body(200);
    assert_eq!((&changed["name"], &changed["settings"]["password_min_length"]), (&json!("Acme Ltd"), &json!(12)));
    assert_eq!(changed["settings"]["registration"], "open");
    let back = patch(&app, &token, &own, json!({ "password_min_length": null, "color": null })).await.body(200);
    assert_eq!((&back["password_min_length"], &back["color"]), (&Value::Null, &Value::Null));
    // A key goes on counting for as long as is wished.
    let wish = json!({ "kind": "secret", "overlap": 60 });
    let rotated = post(&app, &token, &format!("{path}/rotate-key"), wish).await.body(200);
    for key in [secret, rotated["key"].as_str().unwrap()] {
        app.get_as(key, "/v1/users").await.expect(200);
    }
    app.advance(Duration::from_secs(61));
    app.get_as(secret, "/v1/users").await.expect(401);
    // Switched off, it answers nothing, and can be switched on again.
    patch(&app, &token, &path, json!({ "enabled": false })).await.expect(200);
    app.get_as(rotated["key"].as_str().unwrap(), "/v1/users").await.expect(401);
    assert_eq!(app.get(&format!("/t/{id}/oauth/jwks.json")).await.status, 404);
    assert!(each(&get(&app, &token, "/tenants").await.body(200), "id").contains(&id));
    patch(&app, &token, &path, json!({ "enabled": true })).await.expect(200);
    let body = json!({ "email": "ann@example.org", "password": "123456" });
    app.post(public, "/v1/auth/register", &body).await.expect(201);
    let tenants = get(&app, &token, "/tenants").await.body(200);
    let default = tenants["items"].as_array().unwrap().iter().find(|tenant| tenant["is_default"] == true).unwrap();
    let path = format!("/tenants/{}", default["id"].as_str().unwrap());
    let refused = patch(&app, &token, &path, json!({ "enabled": false })).await;
    assert!(problem(&refused, 400).contains("enabled"));
}

async fn clients_are_made_shown_changed_and_deleted(app: TestApp) {
    let token = app.service_token(EVERYTHING).await;
    let wish = json!({ "name": "a service", "scope": "user:read user:write" });
    let made = post(&app, &token, "/clients", wish).await.body(201);
    let id = made["id"].as_str().unwrap();
    assert_eq!(made["permissions"], json!(["user:read", "user:write"]));
    assert_eq!((&made["grant_types"], &made["has_secret"]), (&json!(["client_credentials"]), &json!(true)));
    let service =
        crate::support::Client { id: id.to_owned(), secret: made["client_secret"].as_str().unwrap().to_owned() };
    assert_eq!(app.credentials(&service).await.body(200)["scope"], "user:read user:write");
    let path = format!("/clients/{id}");
    let shown = get(&app, &token, &path).await.body(200);
    assert!(shown.get("client_secret").is_none() && shown["settings"]["require_pkce"] == true, "{shown}");
    // A permission more, a permission less: at once.
    let permission = |code: &str| format!("{path}/permissions/{code}");
    for _ in 0..2 {
        call(&app, &token, Method::PUT, &permission("tenant:read"), None).await.expect(204);
        delete(&app, &token, &permission("user:write")).await.expect(204);
    }
    assert_eq!(app.credentials(&service).await.body(200)["scope"], "tenant:read user:read");
    let unknown = call(&app, &token, Method::PUT, &permission("no:thing"), None).await;
    assert_eq!(problem(&unknown, 404), "no such permission");
    let changed = patch(&app, &token, &path, json!({ "description": "does things", "scope": "" })).await.body(200);
    assert_eq!((&changed["description"], &changed["permissions"]), (&json!("does things"), &json!([])));
    assert!(changed.get("client_secret").is_none(), "{changed}");
    let rotated = post(&app, &token, &format!("{path}/rotate-secret"), json!({})).await.expect(200);
    app.credentials(&service).await.expect(401);
    let service = crate::support::Client { secret: rotated.str("client_secret"), ..service };
    app.credentials(&service).await.expect(200);
    patch(&app, &token, &path, json!({ "enabled": false })).await.expect(200);
    app.credentials(&service).await.expect(401);
    delete(&app, &token, &path).await.expect(204);
    assert_eq!(problem(&get(&app, &token, &path).await, 404), "no such client");
    // An app of people: what its redirect URI asks for.
    let wish = json!({ "id": "app-one", "name": "an app", "redirect_uris": ["https://app.example.org/cb"],
        "auth_method": "none", "scope": "openid" });
    let made = post(&app, &token, "/clients", wish.clone()).await.body(201);
    assert_eq!(made["grant_types"], json!(["authorization_code", "refresh_token"]));
    assert_eq!((&made["id"], &made["has_secret"]), (&json!("app-one"), &json!(false)));
    assert_eq!(problem(&post(&app, &token, "/clients", wish).await, 409), "client already taken");
    let page = get(&app, &token, "/clients").await.body(200);
    assert!(each(&page, "id").contains(&"app-one") && page["next_cursor"].is_null(), "{page}");
}

async fn settings_of_a_client_are_merged(app: TestApp) {
    let token = app.service_token(EVERYTHING).await;
    let wish = json!({ "name": "an app", "redirect_uris": ["https://app.example.org/cb"],
        "settings": { "first_party": true, "contacts": ["ops@example.org"] } });
    let made = post(&app, &token, "/clients", wish).await.body(201);
    let path = format!("/clients/{}", made["id"].as_str().unwrap());
    assert_eq!(made["settings"]["first_party"], true);
    let wish = json!({ "settings": { "logo_uri": "https://app.example.org/logo.png", "contacts": null } });
    let changed = patch(&app, &token, &path, wish).await.body(200);
    let settings = &changed["settings"];
    assert_eq!((&settings["first_party"], &settings["contacts"]), (&json!(true), &json!([])));
    assert_eq!(settings["logo_uri"], "https://app.example.org/logo.png");
    for (wrong, field) in [
        (json!({ "first_party": "yes" }), "first_party"),
        (json!({ "unknown": 1 }), "settings"),
        (json!({ "registration_token": "x" }), "settings"),
        (json!({ "logo_uri": "javascript:alert(1)" }), "logo_uri"),
    ] {
        let refused = patch(&app, &token, &path, json!({ "settings": wrong })).await;
        problem(&refused, 400);
        assert_eq!(refused.json()["errors"][0]["field"], field);
    }
    assert_eq!(get(&app, &token, &path).await.body(200)["settings"], *settings);
}

async fn api_clients_are_made_changed_and_rotated(app: TestApp) {
    let token = app.service_token(EVERYTHING).await;
    let wish = json!({ "name": "a system", "networks": ["192.0.2.0/24"], "expires_at": "2099-01-01T00:00:00Z" });
    let made = post(&app, &token, "/api-clients", wish).await.body(201);
    let (key, secret) = (made["client_key"].as_str().unwrap(), made["api_key"].as_str().unwrap());
    assert_eq!(
        keys(&made),
        ["api_key", "client_key", "created_at", "enabled", "expires_at", "name", "networks", "origins", "paths"]
    );
    let path = format!("/api-clients/{key}");
    let shown = get(&app, &token, &path).await.body(200);
    assert!(shown.get("api_key").is_none() && shown["networks"] == json!(["192.0.2.0/24"]), "{shown}");
    let wish = json!({ "name": "another", "networks": [], "expires_at": null });
    let changed = patch(&app, &token, &path, wish).await.body(200);
    assert_eq!(
        (&changed["name"], &changed["networks"], &changed["expires_at"]),
        (&json!("another"), &json!([]), &Value::Null)
    );
    let calls = async |secret: &str| {
        let request = app.request(Method::GET, "/internal/systems").header("X-Client-Key", key);
        app.send(request.header("X-API-Key", secret)).await.status
    };
    assert_eq!(calls(secret).await, 200);
    let rotated = post(&app, &token, &format!("{path}/rotate"), json!({ "overlap": 60 })).await.expect(200);
    assert_eq!((calls(secret).await, calls(&rotated.str("api_key")).await), (200, 200));
    app.advance(Duration::from_secs(61));
    assert_eq!((calls(secret).await, calls(&rotated.str("api_key")).await), (401, 200));
    patch(&app, &token, &path, json!({ "enabled": false })).await.expect(200);
    assert_eq!(calls(&rotated.str("api_key")).await, 401);
    assert_eq!(each(&get(&app, &token, "/api-clients").await.body(200), "client_key"), [key]);
    let refused = post(&app, &token, "/api-clients", json!({ "name": "x", "networks": ["nowhere"] })).await;
    assert!(problem(&refused, 400).contains("network"));
    // It makes users and switches them off: whoever lets one in must be able to do that too.
    let lesser = app.service_token("internal:admin").await;
    problem(&post(&app, &lesser, "/api-clients", json!({ "name": "x" })).await, 403);
}

async fn the_catalogue_is_kept(app: TestApp) {
    let token = app.service_token(EVERYTHING).await;
    let organization = post(&app, &token, "/organizations", json!({ "name": "Acme" })).await.expect(201).str("id");
    let system = post(&app, &token, "/systems", json!({ "name": "CRM", "code": "CRM" })).await.body(201);
    assert_eq!(keys(&system), ["code", "created_at", "enabled", "id", "key", "name"]);
    let id = system["id"].as_str().unwrap();
    let module = post(&app, &token, "/modules", json!({ "system_id": id, "name": "Leads" })).await.body(201);
    assert_eq!((&module["system_id"], &module["code"]), (&json!(id), &Value::Null));
    let site =
        post(&app, &token, "/sites", json!({ "organization_id": organization, "name": "Berlin" })).await.body(201);
    for (plural, entry) in [("systems", &system), ("modules", &module), ("sites", &site)] {
        let path = format!("/{plural}/{}", entry["id"].as_str().unwrap());
        assert_eq!(get(&app, &token, &path).await.body(200), *entry);
        assert_eq!(get(&app, &token, &format!("/{plural}")).await.body(200)["items"], json!([entry]));
        let wish = json!({ "name": "Renamed", "code": format!("NEW_{}", plural.to_uppercase()), "enabled": false });
        let changed = patch(&app, &token, &path, wish.clone()).await.body(200);
        for member in ["name", "code", "enabled"] {
            assert_eq!(changed[member], wish[member], "{plural}");
        }
        assert_eq!(changed["key"], entry["key"], "a key is stable for life");
        let bare = patch(&app, &token, &path, json!({ "code": null })).await.body(200);
        assert_eq!((&bare["code"], &bare["name"]), (&Value::Null, &json!("Renamed")));
    }
    let unknown = json!({ "system_id": "sys_00000000000000000000000000000000", "name": "x" });
    assert_eq!(problem(&post(&app, &token, "/modules", unknown).await, 404), "no such system");
}

async fn organizations_have_members(app: TestApp) {
    let token = app.service_token(EVERYTHING).await;
    let (ann, bob) = (app.user("ann@example.org", "123456").await, app.user("bob@example.org", "123456").await);
    let made = post(&app, &token, "/organizations", json!({ "name": "Acme", "slug": "acme" })).await.body(201);
    let path = format!("/organizations/{}", made["id"].as_str().unwrap());
    assert_eq!(keys(&made), ["created_at", "enabled", "id", "key", "name", "plan", "slug", "updated_at"]);
    assert_eq!(get(&app, &token, &path).await.body(200), made);
    let taken = post(&app, &token, "/organizations", json!({ "name": "Other", "slug": "acme" })).await;
    assert_eq!(problem(&taken, 409), "slug already taken");
    let changed = patch(&app, &token, &path, json!({ "name": "Acme Ltd", "plan": "pro" })).await.body(200);
    assert_eq!(
        (&changed["name"], &changed["plan"], &changed["slug"]),
        (&json!("Acme Ltd"), &json!("pro"), &json!("acme"))
    );
    let second = post(&app, &token, "/organizations", json!({ "name": "Beta" })).await.body(201);
    for (text, found) in [("BET", &second), (made["key"].as_str().unwrap(), &made)] {
        let page = get(&app, &token, &format!("/organizations?search={text}")).await.body(200);
        assert_eq!(each(&page, "id"), [found["id"].as_str().unwrap()]);
    }
    let members = format!("{path}/members");
    let member =
        |user: &gatehouse::model::user::User, role: &str| json!({ "user_id": user.id.to_string(), "role": role });
    let first = post(&app, &token, &members, member(&ann, "owner")).await.body(201);
    assert_eq!(keys(&first), ["created_at", "email", "id", "name", "role", "user_id"]);
    post(&app, &token, &members, member(&bob, "member")).await.expect(201);
    problem(&post(&app, &token, &members, member(&bob, "admin")).await, 409);
    let raised = patch(&app, &token, &format!("{members}/{}", bob.id), json!({ "role": "admin" })).await.body(200);
    assert_eq!((&raised["role"], &raised["email"]), (&json!("admin"), &json!("bob@example.org")));
    // The last owner stays one.
    problem(&patch(&app, &token, &format!("{members}/{}", ann.id), json!({ "role": "member" })).await, 409);
    problem(&delete(&app, &token, &format!("{members}/{}", ann.id)).await, 409);
    delete(&app, &token, &format!("{members}/{}", bob.id)).await.expect(204);
    let page = get(&app, &token, &members).await.body(200);
    assert_eq!(each(&page, "user_id"), [ann.id.to_string()]);
    problem(&patch(&app, &token, &format!("{members}/{}", bob.id), json!({ "role": "member" })).await, 404);
}

async fn keys_are_rotated_and_retired(app: TestApp) {
    let token = app.service_token(EVERYTHING).await;
    let before = get(&app, &token, "/keys").await.body(200);
    assert_eq!(keys(&before["items"][0]), ["activated_at", "alg", "created_at", "kid", "retired_at", "state"]);
    let active =
        before["items"].as_array().unwrap().iter().find(|key| key["alg"] == "RS256" && key["state"] == "active");
    let kid = active.unwrap()["kid"].as_str().unwrap();
    let wish = json!({ "alg": "RS256", "now": true });
    let rotated = post(&app, &token, "/keys/rotate", wish).await.body(200);
    assert_eq!((&rotated["items"][0]["alg"], &rotated["items"][0]["state"]), (&json!("RS256"), &json!("active")));
    call(&app, &token, Method::POST, &format!("/keys/{kid}/retire"), None).await.expect(204);
    let refused = call(&app, &token, Method::POST, &format!("/keys/{kid}/retire"), None).await;
    assert_eq!(problem(&refused, 404), "no such key");
    let after = get(&app, &token, "/keys").await.body(200);
    let old = after["items"].as_array().unwrap().iter().find(|key| key["kid"] == kid).unwrap().clone();
    assert_eq!(old["state"], "removed");
    // Every key once, page by page.
    let first = get(&app, &token, "/keys?limit=1").await.body(200);
    let cursor = first["next_cursor"].as_str().unwrap();
    let second = get(&app, &token, &format!("/keys?limit=1&cursor={cursor}")).await.body(200);
    assert_eq!(json!([first["items"][0], second["items"][0]]), json!(after["items"].as_array().unwrap()[..2]));
}

async fn what_was_done_is_read(app: TestApp) {
    let service = app.service(EVERYTHING).await;
    let token = app.token_of(&service).await;
    let id = post(&app, &token, "/users", json!({ "username": "ann" })).await.expect(201).str("id");
    app.advance(Duration::from_secs(60));
    let later = app.now().rfc3339();
    delete(&app, &token, &format!("/users/{id}")).await.expect(204);
    let by = format!("actor=client:{}", service.id);
    let page = get(&app, &token, &format!("/audit?{by}")).await.body(200);
    assert_eq!(each(&page, "action"), ["user.delete", "user.create"], "newest first");
    let entry = &page["items"][0];
    assert_eq!(keys(entry), ["action", "actor", "address", "at", "detail", "id", "outcome", "request_id", "target"]);
    assert_eq!((&entry["target"], &entry["outcome"]), (&json!(format!("user:{id}")), &json!("success")));
    for (narrowed, found) in [
        (format!("{by}&action=user.create"), vec!["user.create"]),
        (format!("target=user:{id}"), vec!["user.delete", "user.create"]),
        (format!("{by}&since={later}"), vec!["user.delete"]),
        (format!("{by}&until={later}"), vec!["user.create"]),
        (format!("{by}&limit=1"), vec!["user.delete"]),
        (format!("{by}&outcome=success&limit=1"), vec!["user.delete"]),
        (format!("{by}&outcome=failure"), vec![]),
        ("actor=nobody".to_owned(), vec![]),
    ] {
        let page = get(&app, &token, &format!("/audit?{narrowed}")).await.body(200);
        assert_eq!(each(&page, "action"), found, "{narrowed}");
    }
    // What somebody reads out from a page that failed leads to why it did.
    let failed = app.send(app.request(Method::GET, "/oauth/authorize?client_id=nobody")).await;
    let code = failed.header("x-request-id").unwrap().to_owned();
    assert!(failed.text.contains(&format!("<code>{code}</code>")), "{}", failed.text);
    let page = get(&app, &token, &format!("/audit?request_id={code}")).await.body(200);
    assert_eq!(each(&page, "outcome"), ["failure"]);
    assert!(page["items"][0]["detail"].as_str().unwrap().contains("client"), "{page}");
}

async fn settings_are_shown_and_changed(app: TestApp) {
    let token = app.service_token(EVERYTHING).await;
    let shown = get(&app, &token, "/settings").await.body(200);
    let value = |key: &str| {
        let items = shown["items"].as_array().unwrap();
        items.iter().find(|item| item["key"] == key).unwrap_or_else(|| panic!("no {key}"))["value"].clone()
    };
    assert_eq!(value("issuer"), json!(app.base));
    assert_eq!((value("master_key"), value("admin.password")), (json!("***"), json!("***")));
    assert!(!shown.to_string().contains("AAECAwQF"), "{shown}");
    let wish = json!({ "access_token_ttl": 120, "self_registration": false });
    let changed = patch(&app, &token, "/settings/tenant", wish).await.body(200);
    assert_eq!((&changed["access_token_ttl"], &changed["self_registration"]), (&json!(120), &json!(false)));
    assert_eq!(get(&app, &token, "/settings/tenant").await.body(200), changed);
    let refused = patch(&app, &token, "/settings/tenant", json!({ "access_token_ttl": 86_401 })).await;
    assert!(problem(&refused, 400).contains("access_token_ttl"));
    problem(&patch(&app, &token, "/settings/tenant", json!({ "enabled": false })).await, 400);
}

async fn what_is_wrong_is_a_problem(app: TestApp) {
    let token = app.service_token(EVERYTHING).await;
    for (path, body, field, why) in [
        ("/users", json!({ "email": 1 }), "email", "must be a string"),
        ("/users", json!({ "email": "x" }), "email", "is not a valid email"),
        (
            "/users",
            json!({ "email": "a@example.org", "is_admin": true }),
            "body",
            "has a member that is not known here: \"is_admin\"",
        ),
        ("/users", json!({ "email": "a@example.org", "roles": ["nobody"] }), "roles", "names a role that there is not"),
        ("/users", json!({ "email": "a@example.org", "roles": "admin" }), "roles", "must be an array of strings"),
        ("/users", json!({ "name": "Ann" }), "email", "is required"),
        ("/tenants", json!({}), "name", "is required"),
        ("/clients", json!({ "name": "x", "auth_method": "magic" }), "auth_method", "is not one of those known"),
        ("/clients", json!({ "name": "x", "scope": "no:thing" }), "scope", "names a permission that there is not"),
        (
            "/clients",
            json!({ "name": "x", "access_token_ttl": 0 }),
            "access_token_ttl",
            "must be a positive whole number",
        ),
    ] {
        let refused = post(&app, &token, path, body.clone()).await;
        assert_eq!(problem(&refused, 400), format!("\"{field}\" {why}"), "{body}");
        assert_eq!(refused.json()["errors"], json!([{ "field": field, "detail": why }]), "{body}");
    }
    for (method, path, status) in [
        (Method::GET, "/nothing", 404),
        (Method::DELETE, "/users", 405),
        (Method::GET, "//users", 400),
        (Method::GET, "/users/usr_1", 404),
    ] {
        let refused = call(&app, &token, method, path, None).await;
        problem(&refused, status);
    }
    let nobody = app.get("/api/admin/v1/users").await;
    problem(&nobody, 401);
    assert_eq!(nobody.header("www-authenticate"), Some(r#"Bearer realm="gatehouse""#));
    let lesser = app.service_token("user:write").await;
    let refused = get(&app, &lesser, "/users").await;
    assert_eq!(problem(&refused, 403), "the permission user:read is missing");
    assert!(refused.header("www-authenticate").unwrap().contains(r#"error="insufficient_scope", scope="user:read""#));
    assert!(users::find_by_identifier(&app.ctx().await, "a@example.org").await.is_err(), "nothing was made");
}

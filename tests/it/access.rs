//! What tokens say about what their person may do, and how much of that they carry themselves
//! (`docs/decisions/0011-what-a-token-may-do.md`).

use std::time::Duration;

use futures_util::future::join;
use gatehouse::domain::Ctx;
use gatehouse::domain::access::Powers;
use gatehouse::domain::memberships::{self, Keeper};
use gatehouse::domain::organizations::{self, NewOrganization};
use gatehouse::domain::permissions::{self, NewPermission};
use gatehouse::domain::roles::{self, NewRole};
use gatehouse::domain::users::{self, NewPassword};
use gatehouse::model::ids::UserId;
use gatehouse::model::organization::MembershipRole;
use gatehouse::model::role::{Role, RoleScope};
use reqwest::Method;
use serde_json::{Value, json};

use crate::cli::Place;
use crate::faces::rbac::{send, somebody};
use crate::support::relying_party::{PASSWORD, RelyingParty, code_app};
use crate::support::{
    ADMIN_EMAIL, ADMIN_PASSWORD, Browser, Client, TestApp, both_engines, claims_of, make_user, password_app, register,
};

both_engines!(
    a_token_says_what_its_person_may_do,
    introspection_says_what_counts_now,
    a_person_with_many_permissions_gets_a_short_token,
    an_app_of_somebody_else_carries_what_was_allowed,
    an_app_of_ours_carries_everything,
    who_acts_for_somebody_carries_what_was_asked_for,
    an_app_of_ours_is_made_by_who_administers_everything,
    the_last_super_administrator_stays_whatever_is_tried,
    no_two_ways_at_once_take_both_super_administrators,
);

const DAY: Duration = Duration::from_secs(86_400);

/// A role that permits these, made by the operator.
async fn role(ctx: &Ctx<'_>, code: &str, codes: &[String]) -> Role {
    let by = Powers::operator();
    let mut ids = Vec::new();
    for code in codes {
        let (resource, action) = code.split_once(':').unwrap();
        let new = NewPermission {
            name: code.clone(),
            code: code.clone(),
            resource: resource.to_owned(),
            action: action.to_owned(),
            description: None,
            is_system: false,
        };
        ids.push(permissions::create(ctx, &by, &new).await.unwrap().id);
    }
    let new = NewRole {
        name: code.to_owned(),
        code: code.parse().unwrap(),
        description: None,
        scope: RoleScope::Global,
        is_system: false,
    };
    let role = roles::create(ctx, &by, new).await.unwrap();
    roles::add_permissions(ctx, &by, &role.id, ids).await.unwrap();
    role
}

/// A person with these roles.
async fn person(app: &TestApp, email: &str, held: &[&str]) -> UserId {
    let held: Vec<String> = held.iter().map(ToString::to_string).collect();
    make_user(&app.ctx().await, email, NewPassword::Plain(PASSWORD, 6), &held).await.id
}

/// A token of the password grant, and the client that got it.
async fn token(app: &TestApp, email: &str) -> (String, Client) {
    let client = register(&app.ctx().await, password_app("openid")).await;
    let grant = [("grant_type", "password"), ("username", email), ("password", PASSWORD)];
    let issued = app.basic("/oauth/token", &client.id, &client.secret, &grant).await.expect(200);
    (issued.str("access_token"), client)
}

async fn introspected(app: &TestApp, client: &Client, token: &str) -> Value {
    app.basic("/oauth/introspect", &client.id, &client.secret, &[("token", token)]).await.expect(200).json()
}

async fn a_token_says_what_its_person_may_do(app: TestApp) {
    let ctx = app.ctx().await;
    role(&ctx, "CLERK", &["report:read".to_owned(), "report:write".to_owned()]).await;
    let user = person(&app, "clerk@example.org", &["CLERK", "user"]).await;
    let claims = claims_of(&token(&app, "clerk@example.org").await.0);
    assert_eq!(claims["roles"], json!(["CLERK", "user"]));
    assert_eq!(claims["permissions"], json!(["report:read", "report:write"]));
    assert_eq!(claims["tenant_id"], json!(ctx.tenant_id().to_string()));
    assert!(claims.get("organization_id").is_none() && claims.get("omitted").is_none(), "{claims}");

    let acme = organizations::create(&ctx, &NewOrganization { name: "Acme", ..Default::default() }).await.unwrap();
    memberships::add(&ctx, Keeper::Administrator, acme.id, user, MembershipRole::Member).await.unwrap();
    let (issued, client) = token(&app, "clerk@example.org").await;
    assert_eq!(claims_of(&issued)["organization_id"], json!(acme.id.uuid().to_string()));
    assert_eq!(introspected(&app, &client, &issued).await["organization_id"], json!(acme.id.uuid().to_string()));
    // Of two, it is for whoever uses the token to say which.
    let other = organizations::create(&ctx, &NewOrganization { name: "Other", ..Default::default() }).await.unwrap();
    memberships::add(&ctx, Keeper::Administrator, other.id, user, MembershipRole::Owner).await.unwrap();
    assert!(claims_of(&token(&app, "clerk@example.org").await.0).get("organization_id").is_none());
}

async fn introspection_says_what_counts_now(app: TestApp) {
    let ctx = app.ctx().await;
    let clerk = role(&ctx, "CLERK", &["report:read".to_owned()]).await;
    let user = person(&app, "clerk@example.org", &["CLERK"]).await;
    let (issued, client) = token(&app, "clerk@example.org").await;
    let answer = introspected(&app, &client, &issued).await;
    assert_eq!((&answer["roles"], &answer["permissions"]), (&json!(["CLERK"]), &json!(["report:read"])));
    roles::unassign(&ctx, &Powers::operator(), user, &clerk.id).await.unwrap();
    let answer = introspected(&app, &client, &issued).await;
    assert_eq!(answer["active"], json!(true));
    assert!(answer.get("roles").is_none() && answer.get("permissions").is_none(), "{answer}");
}

async fn a_person_with_many_permissions_gets_a_short_token(app: TestApp) {
    let codes: Vec<String> = (0..500).map(|n| format!("resource-{n:03}:administer")).collect();
    role(&app.ctx().await, "EVERYTHING", &codes).await;
    person(&app, "all@example.org", &["EVERYTHING"]).await;
    let (issued, client) = token(&app, "all@example.org").await;
    assert!(issued.len() < 8 * 1024, "{} bytes", issued.len());
    let claims = claims_of(&issued);
    assert_eq!(claims["roles"], json!(["EVERYTHING"]));
    assert_eq!(claims["omitted"], json!(["permissions"]));
    assert!(claims.get("permissions").is_none());
    let answer = introspected(&app, &client, &issued).await;
    assert_eq!(answer["permissions"].as_array().unwrap().len(), 500);
}

/// A token that a relying party got with a consent for these scopes.
async fn allowed(app: &TestApp, first_party: bool, scope: &str) -> String {
    let mut new = code_app();
    new.scope = "openid profile email role:read".parse().unwrap();
    new.settings.first_party = first_party;
    let party = RelyingParty::new(app, new).await;
    party.tokens(&Browser::new(app), "admin@example.net", &[("scope", scope)]).await.str("access_token")
}

async fn an_app_of_somebody_else_carries_what_was_allowed(app: TestApp) {
    person(&app, "admin@example.net", &["super_admin"]).await;
    let modest = allowed(&app, false, "openid profile").await;
    // The app may know what its person is; it does not become that.
    assert_eq!(claims_of(&modest)["roles"], json!(["super_admin"]));
    app.get_as(&modest, "/api/v1/roles").await.expect(403);
    app.get_as(&modest, "/api/internal/users").await.expect(403);
    let reading = allowed(&app, false, "openid role:read").await;
    app.get_as(&reading, "/api/v1/roles").await.expect(200);
    let new = json!({ "role_name": "x", "role_code": "X", "scope": "GLOBAL" });
    app.post(&reading, "/api/v1/roles", &new).await.expect(403);
    app.get_as(&reading, "/api/admin/v1/users").await.expect(403);
    // The account is shown to who may see profile and address.
    for (scope, status) in [("openid", 403), ("openid profile", 403), ("openid profile email", 200)] {
        let token = allowed(&app, false, scope).await;
        for path in ["/v1/users/me", "/api/auth/me", "/me", "/me/permissions/snapshot"] {
            assert_eq!(app.get_as(&token, path).await.status, status, "{scope} {path}");
        }
    }
}

async fn an_app_of_ours_carries_everything(app: TestApp) {
    person(&app, "admin@example.net", &["super_admin"]).await;
    let token = allowed(&app, true, "openid").await;
    app.get_as(&token, "/api/v1/roles").await.expect(200);
    app.get_as(&token, "/api/internal/users").await.expect(200);
    app.get_as(&token, "/api/admin/v1/users").await.expect(200);
    app.get_as(&token, "/v1/users/me").await.expect(200);
    // So does the sign-in of a face.
    let body = json!({ "username": "admin@example.net", "password": PASSWORD });
    let face = app.post("", "/auth/login", &body).await.expect(200).str("access_token");
    app.get_as(&face, "/api/v1/roles").await.expect(200);
}

async fn who_acts_for_somebody_carries_what_was_asked_for(app: TestApp) {
    let user = person(&app, "admin@example.net", &["super_admin"]).await;
    let service = app.service("auth:token").await;
    let own = app.token_of(&service).await;
    let ask = json!({ "user_id": user.to_string(), "scope": "role:read" });
    let issued = app.post(&own, "/api/internal/auth/token", &ask).await.expect(200).str("access_token");
    // Nobody hands on what they lack, and what is not named is not carried.
    app.get_as(&issued, "/api/v1/roles").await.expect(403);
    let service = app.service("auth:token role:read").await;
    let own = app.token_of(&service).await;
    let issued = app.post(&own, "/api/internal/auth/token", &ask).await.expect(200).str("access_token");
    app.get_as(&issued, "/api/v1/roles").await.expect(200);
    app.get_as(&issued, "/api/internal/users").await.expect(403);
}

async fn an_app_of_ours_is_made_by_who_administers_everything(app: TestApp) {
    let clients = "/api/admin/v1/clients";
    let modest = app.service_token("internal:admin user:read").await;
    let chief = app.service_token("internal:admin system:admin").await;
    let ours = [
        json!({ "name": "ours", "redirect_uris": ["https://a.example/cb"], "settings": { "first_party": true } }),
        json!({ "name": "ours", "grant_types": ["password"] }),
    ];
    for wish in &ours {
        app.post(&modest, clients, wish).await.expect(403);
        let made = app.post(&chief, clients, wish).await.expect(201).str("id");
        // Nor are its answers sent elsewhere, or its secret read, by who may do less than its people.
        let path = format!("{clients}/{made}");
        let elsewhere = json!({ "redirect_uris": ["https://b.example/cb"] });
        send(&app, &modest, Method::PATCH, &path, elsewhere).await.expect(403);
        app.post(&modest, &format!("{path}/rotate-secret"), &json!({})).await.expect(403);
        send(&app, &modest, Method::DELETE, &path, Value::Null).await.expect(403);
    }
    let theirs = json!({ "name": "theirs", "redirect_uris": ["https://c.example/cb"] });
    let made = app.post(&modest, clients, &theirs).await.expect(201).str("id");
    let path = format!("{clients}/{made}");
    send(&app, &modest, Method::PATCH, &path, json!({ "settings": { "first_party": true } })).await.expect(403);
    send(&app, &modest, Method::DELETE, &path, Value::Null).await.expect(204);
}

async fn the_last_super_administrator_stays_whatever_is_tried(app: TestApp) {
    let chief = users::find_by_identifier(&app.ctx().await, ADMIN_EMAIL).await.unwrap().id.to_string();
    let token = app.admin_token().await;
    let (of_user, roles) = (format!("/api/admin/v1/users/{chief}"), format!("/api/v1/users/{chief}/roles"));
    let end = json!({ "role_ids": ["ROLE_SUPER_ADMIN"], "expires_at": (app.now() + DAY).rfc3339() });
    for (method, path, body) in [
        (Method::DELETE, format!("{roles}/ROLE_SUPER_ADMIN"), Value::Null),
        (Method::POST, roles.clone(), end),
        (Method::PATCH, of_user.clone(), json!({ "is_active": false })),
        (Method::DELETE, of_user, Value::Null),
        (Method::PUT, "/api/v1/roles/ROLE_SUPER_ADMIN".to_owned(), json!({ "is_active": false })),
        (Method::DELETE, "/api/v1/roles/ROLE_SUPER_ADMIN".to_owned(), Value::Null),
        (Method::DELETE, "/api/v1/roles/ROLE_SUPER_ADMIN/permissions/PERM_ROLE_WRITE".to_owned(), Value::Null),
    ] {
        assert_eq!(send(&app, &token, method.clone(), &path, body).await.status, 403, "{method} {path}");
    }
    let pair = app.api_client().await;
    let out = json!({ "user_sub": chief, "is_active": false });
    app.post_by(&pair, "/internal/users/upsert-by-sub", &out).await.is_detail(403, "not_allowed");
    // Nor do they go by themselves.
    let browser = Browser::new(&app);
    let page = browser.open("/login").await;
    let page = browser.submit(&page, "/login", &[("identifier", ADMIN_EMAIL), ("password", ADMIN_PASSWORD)]).await;
    assert_eq!(page.path(), "/account");
    let page = browser.open("/account/delete").await.expect(200, "/account/delete");
    browser.submit(&page, "/account/delete", &[("confirm", ADMIN_EMAIL)]).await.expect(403, "/account/delete");
    browser.open("/account").await.expect(200, "/account");
    // Nor does whoever has the command line send them away.
    let place = Place::of(&app.setup);
    let tomorrow = (app.now() + DAY).rfc3339();
    for command in [
        &["user", "disable", ADMIN_EMAIL] as &[&str],
        &["user", "revoke-role", ADMIN_EMAIL, "super_admin"],
        &["user", "grant-role", ADMIN_EMAIL, "super_admin", "--expires-at", &tomorrow],
    ] {
        let done = place.run(command);
        assert!(done.code != 0 && done.err.contains("last super administrator"), "{command:?} {done:?}");
    }
    app.get_as(&token, "/api/v1/roles").await.expect(200);
    let may = app.get_as(&token, &format!("/api/v1/users/{chief}/permissions")).await.body(200);
    assert_eq!((&may["user_type"], &may["roles"]), (&json!("ADMIN"), &json!(["super_admin"])));
}

/// How one super administrator may make another one none.
async fn remove(app: &TestApp, way: usize, by: &str, other: &str) -> u16 {
    let (roles, user) = (format!("/api/v1/users/{other}/roles"), format!("/api/admin/v1/users/{other}"));
    let end = json!({ "role_ids": ["ROLE_SUPER_ADMIN"], "expires_at": (app.now() + DAY).rfc3339() });
    let (method, path, body) = match way % 4 {
        0 => (Method::DELETE, format!("{roles}/ROLE_SUPER_ADMIN"), Value::Null),
        1 => (Method::POST, roles, end),
        2 => (Method::PATCH, user, json!({ "is_active": false })),
        _ => (Method::DELETE, user, Value::Null),
    };
    send(app, by, method, &path, body).await.status
}

async fn no_two_ways_at_once_take_both_super_administrators(app: TestApp) {
    let [here, there] = app.copies().await;
    let lasting = "SELECT count(*) FROM role_assignments held JOIN users ON users.id = held.user_id \
        WHERE held.role_id = 'ROLE_SUPER_ADMIN' AND held.expires_at IS NULL AND users.enabled";
    for (one_way, other_way) in (0..4).flat_map(|way| [(way, way), (way, way + 1)]) {
        let name = |who: &str| format!("{who}{one_way}{other_way}@example.org");
        let (one, by_one) = somebody(&here, &name("one"), &["super_admin"]).await;
        let (other, by_other) = somebody(&here, &name("other"), &["super_admin"]).await;
        here.sql()
            .await
            .run(&format!(
                "DELETE FROM role_assignments WHERE role_id = 'ROLE_SUPER_ADMIN' AND user_id NOT IN \
                 (SELECT user_id FROM user_identifiers WHERE canonical IN ('{}', '{}'))",
                name("one"),
                name("other"),
            ))
            .await;
        let both = join(remove(&here, one_way, &by_one, &other), remove(&there, other_way, &by_other, &one)).await;
        assert_eq!(here.sql().await.number(lasting).await, 1, "{one_way} {other_way} {both:?}");
        let statuses = [both.0, both.1];
        assert_eq!(statuses.iter().filter(|status| **status < 300).count(), 1, "{one_way} {other_way} {both:?}");
        assert!(statuses.iter().all(|status| *status < 300 || [401, 403].contains(status)), "{both:?}");
    }
}

//! What tokens say about what their person may do, and how much of that they carry themselves
//! (`docs/decisions/0011-what-a-token-may-do.md`).

use gatehouse::domain::Ctx;
use gatehouse::domain::access::Powers;
use gatehouse::domain::memberships::{self, Keeper};
use gatehouse::domain::organizations::{self, NewOrganization};
use gatehouse::domain::permissions::{self, NewPermission};
use gatehouse::domain::roles::{self, NewRole};
use gatehouse::domain::users::NewPassword;
use gatehouse::model::ids::UserId;
use gatehouse::model::organization::MembershipRole;
use gatehouse::model::role::{Role, RoleScope};
use serde_json::{Value, json};

use crate::support::relying_party::{PASSWORD, RelyingParty, code_app};
use crate::support::{Browser, Client, TestApp, both_engines, claims_of, make_user, password_app, register};

both_engines!(
    a_token_says_what_its_person_may_do,
    introspection_says_what_counts_now,
    a_person_with_many_permissions_gets_a_short_token,
    an_app_of_somebody_else_carries_what_was_allowed,
    an_app_of_ours_carries_everything,
    who_acts_for_somebody_carries_what_was_asked_for,
);

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
    new.scope = "openid profile role:read".parse().unwrap();
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
}

async fn an_app_of_ours_carries_everything(app: TestApp) {
    person(&app, "admin@example.net", &["super_admin"]).await;
    let token = allowed(&app, true, "openid").await;
    app.get_as(&token, "/api/v1/roles").await.expect(200);
    app.get_as(&token, "/api/internal/users").await.expect(200);
    app.get_as(&token, "/api/admin/v1/users").await.expect(200);
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

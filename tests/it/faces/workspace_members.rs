//! `/api/external/*` (`workspace.md`): workspaces, their members, who is asked in.

use std::time::Duration;

use gatehouse::domain::Ctx;
use gatehouse::domain::memberships::{self, Keeper};
use gatehouse::domain::organizations::{self, OrganizationChange};
use gatehouse::domain::users::NewPassword;
use gatehouse::model::ids::OrganizationId;
use gatehouse::model::organization::MembershipRole;
use gatehouse::model::user::User;
use reqwest::Method;
use serde_json::{Value, json};

use super::workspace_accounts::{is_uuid, refused};
use crate::support::routes::PASSWORD;
use crate::support::{Answer, Engine, TestApp, both_engines, claims_of, make_user, within};

both_engines!(
    a_workspace_is_made_by_its_owner,
    which_workspace_it_is_about,
    a_workspace_is_shown_and_renamed,
    members_are_listed_in_their_order,
    members_are_listed_by_page,
    somebody_is_asked_in,
    nobody_hands_out_a_role_above_their_own,
    an_open_invitation_is_replaced,
    so_many_are_open_at_once,
    invitations_are_listed_and_withdrawn,
    a_member_becomes_something_else,
    a_member_is_taken_out,
    who_is_taken_out_is_out_on_every_copy,
    another_tenant_s_workspaces_do_not_exist,
    a_disabled_workspace_counts_for_nothing,
);

/// A person with a token that carries all that they may do.
pub struct Person {
    pub user: User,
    pub token: String,
}

pub async fn person(app: &TestApp, email: &str) -> Person {
    let user = make_user(&app.ctx().await, email, NewPassword::Plain(PASSWORD, 6), &[]).await;
    Person { token: token(app, email).await, user }
}

async fn token(app: &TestApp, email: &str) -> String {
    let body = json!({ "email": email, "password": PASSWORD });
    app.post("", "/api/auth/login", &body).await.expect(200).str("access_token")
}

/// A workspace with an owner, an admin and a member.
pub struct Acme {
    pub id: OrganizationId,
    pub owner: Person,
    pub admin: Person,
    pub member: Person,
}

pub async fn acme(app: &TestApp) -> Acme {
    let owner = person(app, "owner@example.org").await;
    let made = app.post(&owner.token, "/api/external/workspaces", &json!({ "name": "Acme" })).await.body(201);
    let id = OrganizationId::from_uuid(made["id"].as_str().unwrap().parse().unwrap());
    let mut others = Vec::new();
    for (email, role) in
        [("admin@acme.example", MembershipRole::Admin), ("member@acme.example", MembershipRole::Member)]
    {
        app.advance(Duration::from_millis(5));
        let person = person(app, email).await;
        memberships::add(&app.ctx().await, Keeper::Administrator, id, person.user.id, role).await.unwrap();
        others.push(person);
    }
    let [admin, member] = others.try_into().unwrap_or_else(|_| panic!());
    Acme { id, owner, admin, member }
}

pub async fn call(app: &TestApp, method: Method, token: &str, path: &str, body: Option<Value>) -> Answer {
    let request = app.request(method, &format!("/api/external/{path}")).bearer_auth(token);
    app.send(match body {
        Some(body) => request.json(&body),
        None => request,
    })
    .await
}

async fn get(app: &TestApp, token: &str, path: &str) -> Answer {
    call(app, Method::GET, token, path, None).await
}

async fn invite(app: &TestApp, token: &str, email: &str, role: &str) -> Answer {
    let body = json!({ "email": email, "role": role });
    call(app, Method::POST, token, "workspace/members", Some(body)).await
}

async fn members(app: &TestApp, token: &str) -> Vec<Value> {
    get(app, token, "workspace/members").await.body(200)["members"].as_array().unwrap().clone()
}

pub fn uuid(user: &User) -> String {
    user.id.uuid().to_string()
}

async fn a_workspace_is_made_by_its_owner(app: TestApp) {
    let alice = person(&app, "alice@example.org").await;
    let make = async |body: Value| call(&app, Method::POST, &alice.token, "workspaces", Some(body)).await;
    let made = make(json!({ "name": "Acme & Sons, Ltd." })).await.body(201);
    is_uuid(&made["id"]);
    let expected = json!({ "id": made["id"], "name": "Acme & Sons, Ltd.", "slug": "acme-sons-ltd", "plan": "free",
        "sso_enabled": false });
    assert_eq!(made, expected);
    let me = app.get_as(&alice.token, "/api/auth/me").await.body(200);
    assert_eq!((&me["workspaces"][0]["role"], &me["workspaces"][0]["id"]), (&json!("owner"), &made["id"]));
    assert_eq!(make(json!({ "name": "Other", "slug": "other" })).await.body(201)["slug"], "other");
    refused(&make(json!({ "name": "Other", "slug": "other" })).await, 409, "CONFLICT");
    assert_ne!(make(json!({ "name": "Other" })).await.body(201)["slug"], "other", "a free one is found");
    for (body, field) in [
        (json!({}), "name"),
        (json!({ "name": "x".repeat(1000) }), "name"),
        (json!({ "name": "A", "slug": "Not A Slug" }), "slug"),
        (json!({ "name": "A", "slug": "x".repeat(100) }), "slug"),
        (json!({ "name": "A", "slug": 1 }), "slug"),
    ] {
        let answer = make(body).await;
        refused(&answer, 422, "VALIDATION_ERROR");
        assert_eq!(answer.json()["errors"][0]["field"], field);
    }
    let own = get(&app, &alice.token, "workspaces").await.body(200);
    assert_eq!(own["workspaces"].as_array().unwrap().len(), 3);
    for path in ["workspaces", "workspace", "workspace/members", "workspace/invitations"] {
        refused(&app.get(&format!("/api/external/{path}")).await, 401, "UNAUTHORIZED");
    }
}

async fn which_workspace_it_is_about(app: TestApp) {
    let alice = person(&app, "alice@example.org").await;
    refused(&get(&app, &alice.token, "workspace").await, 400, "WORKSPACE_REQUIRED");
    let make = async |name: &str| {
        let body = Some(json!({ "name": name }));
        call(&app, Method::POST, &alice.token, "workspaces", body).await.expect(201).str("id")
    };
    let first = make("First").await;
    let shown = async |token: &str, named: Option<&str>| {
        let request = app.request(Method::GET, "/api/external/workspace").bearer_auth(token);
        app.send(match named {
            Some(name) => request.header("x-workspace-id", name),
            None => request,
        })
        .await
    };
    // The only one.
    assert_eq!(shown(&alice.token, None).await.str("id"), first);
    // The one that the token names, though there are more by now.
    let claiming = token(&app, "alice@example.org").await;
    assert_eq!(claims_of(&claiming)["organization_id"], json!(first));
    let second = make("Second").await;
    assert_eq!(shown(&claiming, None).await.str("id"), first);
    refused(&shown(&alice.token, None).await, 400, "WORKSPACE_REQUIRED");
    // The one that the header names, by id or slug, whatever the token says.
    for token in [&alice.token, &claiming] {
        assert_eq!(shown(token, Some(&second)).await.str("id"), second);
        assert_eq!(shown(token, Some("second")).await.str("id"), second);
    }
    // Somebody else's and nobody's are one.
    let other = acme(&app).await.id.uuid().to_string();
    for named in [&other, "acme", "00000000-0000-0000-0000-000000000000", "x", &"x".repeat(500)] {
        refused(&shown(&claiming, Some(named)).await, 400, "WORKSPACE_REQUIRED");
    }
    // Who left the one that the token names has one again.
    let leave = app.request(Method::POST, "/api/external/workspace/leave").bearer_auth(&claiming);
    refused(&app.send(leave).await, 409, "CONFLICT");
    let bob = person(&app, "bob@example.org").await;
    let first_id = OrganizationId::from_uuid(first.parse().unwrap());
    memberships::add(&app.ctx().await, Keeper::Administrator, first_id, bob.user.id, MembershipRole::Owner)
        .await
        .unwrap();
    call(&app, Method::POST, &claiming, "workspace/leave", None).await.expect(200);
    assert_eq!(shown(&claiming, None).await.str("id"), second);
}

async fn a_workspace_is_shown_and_renamed(app: TestApp) {
    let acme = acme(&app).await;
    let expected = json!({ "id": acme.id.uuid().to_string(), "name": "Acme", "slug": "acme", "plan": "free",
        "sso_enabled": false });
    assert_eq!(get(&app, &acme.member.token, "workspace").await.body(200), expected);
    for (method, name, token) in
        [(Method::PUT, "Acme 2", &acme.owner.token), (Method::PATCH, "Acme 3", &acme.admin.token)]
    {
        let changed = call(&app, method, token, "workspace", Some(json!({ "name": name }))).await.body(200);
        assert_eq!((&changed["name"], &changed["slug"]), (&json!(name), &json!("acme")), "a slug stays");
    }
    let body = Some(json!({ "name": "Mine" }));
    refused(&call(&app, Method::PUT, &acme.member.token, "workspace", body).await, 403, "FORBIDDEN");
    refused(&call(&app, Method::PUT, &acme.owner.token, "workspace", Some(json!({}))).await, 422, "VALIDATION_ERROR");
}

async fn members_are_listed_in_their_order(app: TestApp) {
    let acme = acme(&app).await;
    let listed = members(&app, &acme.member.token).await;
    let roles: Vec<&str> = listed.iter().map(|member| member["role"].as_str().unwrap()).collect();
    assert_eq!(roles, ["owner", "admin", "member"]);
    let first = &listed[0];
    is_uuid(&first["id"]);
    let user = json!({ "id": uuid(&acme.owner.user), "email": "owner@example.org", "name": "Someone" });
    assert_eq!((&first["user"], first.as_object().unwrap().len()), (&user, 4));
    assert!(first["created_at"].as_str().unwrap().ends_with('Z'));
}

async fn members_are_listed_by_page(app: TestApp) {
    let acme = acme(&app).await;
    let whole = get(&app, &acme.member.token, "workspace/members").await.body(200);
    assert_eq!(whole.as_object().unwrap().len(), 1, "nothing is said of pages where there are none: {whole}");
    let (mut seen, mut path) = (Vec::new(), "workspace/members?limit=2".to_owned());
    for last in [false, true] {
        let page = get(&app, &acme.member.token, &path).await.body(200);
        seen.extend(page["members"].as_array().unwrap().clone());
        assert_eq!(page.get("next_cursor").is_none(), last, "{page}");
        if let Some(cursor) = page["next_cursor"].as_str() {
            path = format!("workspace/members?limit=2&cursor={cursor}");
        }
    }
    assert_eq!(json!(seen), whole["members"]);
    for bad in ["limit=0", "limit=x", "limit=-1", "cursor=x", "cursor=1&cursor=2"] {
        let answer = get(&app, &acme.member.token, &format!("workspace/members?{bad}")).await;
        refused(&answer, 422, "VALIDATION_ERROR");
    }
}

async fn somebody_is_asked_in(app: TestApp) {
    let acme = acme(&app).await;
    let made = invite(&app, &acme.owner.token, "new@example.org", "member").await.body(201);
    is_uuid(&made["invite_id"]);
    assert_eq!(made, json!({ "message": "Invitation sent", "invite_id": made["invite_id"] }));
    let mail = app.mail_to("new@example.org", "You are invited to join").await;
    let issuer = &app.config.http.issuer;
    assert!(mail.link.as_ref().unwrap().starts_with(&format!("{issuer}/invitation?token=ghi_")), "{mail:?}");
    assert!(mail.text.contains("Acme") && mail.text.contains("7 days"), "{mail:?}");
    assert!(!mail.text.contains("127.0.0.1 "), "nothing of who asked: {mail:?}");
    // Only a digest of the secret is kept, and none before the mail is sent.
    let rows = app.sql().await.dump(&[]).await;
    assert!(!rows.iter().any(|row| row.contains(&mail.token())));
    refused(&invite(&app, &acme.member.token, "x@example.org", "member").await, 403, "FORBIDDEN");
    refused(&invite(&app, &acme.owner.token, "MEMBER@acme.example", "member").await, 409, "CONFLICT");
    for (body, field) in [
        (json!({ "email": "x@example.org" }), "role"),
        (json!({ "email": "x@example.org", "role": "boss" }), "role"),
        (json!({ "email": "x", "role": "member" }), "email"),
        (json!({ "role": "member" }), "email"),
    ] {
        let answer = call(&app, Method::POST, &acme.owner.token, "workspace/members", Some(body)).await;
        refused(&answer, 422, "VALIDATION_ERROR");
        assert_eq!(answer.json()["errors"][0]["field"], field);
    }
}

async fn nobody_hands_out_a_role_above_their_own(app: TestApp) {
    let acme = acme(&app).await;
    refused(&invite(&app, &acme.admin.token, "x@example.org", "owner").await, 403, "FORBIDDEN");
    for role in ["admin", "member"] {
        invite(&app, &acme.admin.token, "x@example.org", role).await.expect(201);
    }
    let asked = invite(&app, &acme.owner.token, "x@example.org", "owner").await.str_of("invite_id");
    // Nor in place of it, nor takes it back.
    refused(&invite(&app, &acme.admin.token, "x@example.org", "member").await, 403, "FORBIDDEN");
    let path = format!("workspace/invitations/{asked}");
    refused(&call(&app, Method::DELETE, &acme.admin.token, &path, None).await, 403, "FORBIDDEN");
    let open = get(&app, &acme.admin.token, "workspace/invitations").await.body(200);
    assert_eq!(open["invitations"][0]["id"], asked, "{open}");
    // Nor takes one that somebody has.
    let owner = format!("workspace/members/{}", uuid(&acme.owner.user));
    let lower = Some(json!({ "role": "member" }));
    refused(&call(&app, Method::PUT, &acme.admin.token, &owner, lower).await, 403, "FORBIDDEN");
    refused(&call(&app, Method::DELETE, &acme.admin.token, &owner, None).await, 403, "FORBIDDEN");
    let own = format!("workspace/members/{}", uuid(&acme.admin.user));
    let higher = Some(json!({ "role": "owner" }));
    refused(&call(&app, Method::PUT, &acme.admin.token, &own, higher).await, 403, "FORBIDDEN");
}

async fn an_open_invitation_is_replaced(app: TestApp) {
    let acme = acme(&app).await;
    let first = invite(&app, &acme.owner.token, "new@example.org", "member").await.str_of("invite_id");
    let second = invite(&app, &acme.owner.token, "NEW@example.org", "admin").await.str_of("invite_id");
    let open = get(&app, &acme.owner.token, "workspace/invitations").await.body(200);
    let open = open["invitations"].as_array().unwrap();
    assert_eq!((open.len(), &open[0]["id"], &open[0]["role"]), (1, &json!(second), &json!("admin")));
    let gone = format!("workspace/invitations/{first}");
    refused(&call(&app, Method::DELETE, &acme.owner.token, &gone, None).await, 404, "NOT_FOUND");
}

async fn so_many_are_open_at_once(app: TestApp) {
    let acme = acme(&app).await;
    let first = invite(&app, &acme.owner.token, "first@example.org", "member").await.str_of("invite_id");
    let id = match app.setup.engine() {
        Engine::Sqlite => "randomblob(16)",
        Engine::Postgres => "gen_random_uuid()",
    };
    let many = format!(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 999)
         INSERT INTO invitations (tenant_id, id, organization_id, email, canonical_email, role, invited_by,
             created_at, expires_at)
         SELECT tenant_id, {id}, organization_id, email || i, canonical_email || i, role, invited_by,
             created_at, expires_at FROM invitations, n"
    );
    app.sql().await.run(&many).await;
    refused(&invite(&app, &acme.owner.token, "last@example.org", "member").await, 409, "CONFLICT");
    // In place of one that is open there is always room.
    invite(&app, &acme.owner.token, "first@example.org", "admin").await.expect(201);
    let open = get(&app, &acme.owner.token, "workspace/invitations").await.body(200);
    let open = open["invitations"].as_array().unwrap();
    assert_eq!((open.len(), open.iter().any(|one| one["id"] == first)), (1000, false));
}

trait StrOf {
    fn str_of(&self, member: &str) -> String;
}

impl StrOf for Answer {
    fn str_of(&self, member: &str) -> String {
        assert_eq!(self.status, 201, "{self:?}");
        self.str(member)
    }
}

async fn invitations_are_listed_and_withdrawn(app: TestApp) {
    let acme = acme(&app).await;
    let id = invite(&app, &acme.admin.token, "new@example.org", "member").await.str_of("invite_id");
    let listed = get(&app, &acme.admin.token, "workspace/invitations").await.body(200);
    let shown = &listed["invitations"][0];
    let members: Vec<&str> = shown.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(members, ["created_at", "email", "expires_at", "id", "role"]);
    assert_eq!((&shown["id"], &shown["email"]), (&json!(id), &json!("new@example.org")));
    let path = format!("workspace/invitations/{id}");
    refused(&get(&app, &acme.member.token, "workspace/invitations").await, 403, "FORBIDDEN");
    refused(&call(&app, Method::DELETE, &acme.member.token, &path, None).await, 403, "FORBIDDEN");
    call(&app, Method::DELETE, &acme.owner.token, &path, None).await.expect(200);
    for gone in [path.as_str(), "workspace/invitations/x"] {
        refused(&call(&app, Method::DELETE, &acme.owner.token, gone, None).await, 404, "NOT_FOUND");
    }
    // One that has run out is no longer listed.
    invite(&app, &acme.admin.token, "new@example.org", "member").await.expect(201);
    app.advance(app.config.tokens.invitation_link);
    let owner = token(&app, "owner@example.org").await;
    assert_eq!(get(&app, &owner, "workspace/invitations").await.body(200), json!({ "invitations": [] }));
}

async fn a_member_becomes_something_else(app: TestApp) {
    let acme = acme(&app).await;
    let listed = members(&app, &acme.owner.token).await;
    let by_membership = format!("workspace/members/{}", listed[2]["id"].as_str().unwrap());
    let by_user = format!("workspace/members/{}", uuid(&acme.member.user));
    for (method, path, role) in [(Method::PUT, &by_membership, "admin"), (Method::PATCH, &by_user, "owner")] {
        let changed = call(&app, method, &acme.owner.token, path, Some(json!({ "role": role }))).await.body(200);
        assert_eq!((&changed["id"], &changed["role"]), (&listed[2]["id"], &json!(role)));
    }
    let body = Some(json!({ "role": "boss" }));
    refused(&call(&app, Method::PUT, &acme.owner.token, &by_user, body).await, 422, "VALIDATION_ERROR");
    for nobody in ["00000000-0000-0000-0000-000000000000", "x"] {
        let (path, body) = (format!("workspace/members/{nobody}"), Some(json!({ "role": "member" })));
        refused(&call(&app, Method::PUT, &acme.owner.token, &path, body).await, 404, "NOT_FOUND");
    }
    // Who is lowered has asked nobody in: what they sent out is taken back.
    invite(&app, &acme.admin.token, "friend@example.org", "admin").await.expect(201);
    let (path, body) = (format!("workspace/members/{}", uuid(&acme.admin.user)), Some(json!({ "role": "member" })));
    call(&app, Method::PUT, &acme.owner.token, &path, body).await.expect(200);
    let open = get(&app, &acme.owner.token, "workspace/invitations").await.body(200);
    assert_eq!(open, json!({ "invitations": [] }));
}

async fn a_member_is_taken_out(app: TestApp) {
    let acme = acme(&app).await;
    let path = format!("workspace/members/{}", uuid(&acme.member.user));
    let other = format!("workspace/members/{}", uuid(&acme.admin.user));
    refused(&call(&app, Method::DELETE, &acme.member.token, &other, None).await, 403, "FORBIDDEN");
    let out = call(&app, Method::DELETE, &acme.admin.token, &path, None).await.body(200);
    assert_eq!(out, json!({ "message": "Member removed" }));
    refused(&call(&app, Method::DELETE, &acme.admin.token, &path, None).await, 404, "NOT_FOUND");
    refused(&get(&app, &acme.member.token, "workspace").await, 400, "WORKSPACE_REQUIRED");
    // An admin leaves.
    call(&app, Method::POST, &acme.admin.token, "workspace/leave", None).await.expect(200);
    assert_eq!(members(&app, &acme.owner.token).await.len(), 1);
}

async fn who_is_taken_out_is_out_on_every_copy(app: TestApp) {
    let acme = acme(&app).await;
    let [here, there] = app.copies().await;
    get(&there, &acme.member.token, "workspace").await.expect(200);
    let path = format!("workspace/members/{}", uuid(&acme.member.user));
    call(&here, Method::DELETE, &acme.owner.token, &path, None).await.expect(200);
    let out = async || get(&there, &acme.member.token, "workspace").await.status == 400;
    within(Duration::from_millis(1200), "a membership that ended", out).await;
}

async fn another_tenant_s_workspaces_do_not_exist(app: TestApp) {
    let acme = acme(&app).await;
    let tenant = app.tenant("Other").await;
    let (_, token) = app.tenant_user(&tenant, "theirs@example.org", PASSWORD).await;
    let made = call(&app, Method::POST, &token, "workspaces", Some(json!({ "name": "Acme" }))).await.body(201);
    assert_eq!(made["slug"], "acme", "each tenant has slugs of its own");
    for named in [acme.id.uuid().to_string(), uuid::Uuid::nil().to_string()] {
        let request = app.request(Method::GET, "/api/external/workspace").bearer_auth(&token);
        refused(&app.send(request.header("x-workspace-id", named)).await, 400, "WORKSPACE_REQUIRED");
    }
    let listed = members(&app, &acme.owner.token).await;
    let invited = invite(&app, &acme.owner.token, "new@example.org", "member").await.str_of("invite_id");
    let ids = [listed[2]["id"].as_str().unwrap(), &uuid(&acme.member.user)];
    for id in ids {
        let path = format!("workspace/members/{id}");
        refused(&call(&app, Method::DELETE, &token, &path, None).await, 404, "NOT_FOUND");
        let body = Some(json!({ "role": "member" }));
        refused(&call(&app, Method::PUT, &token, &path, body).await, 404, "NOT_FOUND");
    }
    let path = format!("workspace/invitations/{invited}");
    refused(&call(&app, Method::DELETE, &token, &path, None).await, 404, "NOT_FOUND");
    assert_eq!(members(&app, &acme.owner.token).await.len(), 3);
}

async fn a_disabled_workspace_counts_for_nothing(app: TestApp) {
    let acme = acme(&app).await;
    let ctx: Ctx<'_> = app.ctx().await;
    let change = OrganizationChange { enabled: Some(false), ..OrganizationChange::default() };
    organizations::update(&ctx, acme.id, &change).await.unwrap();
    refused(&get(&app, &acme.owner.token, "workspace").await, 400, "WORKSPACE_REQUIRED");
    assert_eq!(get(&app, &acme.owner.token, "workspaces").await.body(200), json!({ "workspaces": [] }));
    assert!(claims_of(&token(&app, "owner@example.org").await).get("organization_id").is_none());
}

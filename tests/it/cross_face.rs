//! One model behind six faces: what is done through one is seen through every other, and on every copy.

use std::time::Duration;

use gatehouse::domain::api_clients::{self, NewApiClient};
use gatehouse::domain::memberships::{self, Keeper};
use gatehouse::domain::{organizations, tenants, users};
use gatehouse::model::organization::MembershipRole;
use gatehouse::model::tenant::TenantKeyKind;
use reqwest::Method;
use serde_json::{Value, json};

use crate::cli::Place;
use crate::support::{Answer, Browser, Client, TestApp, both_engines, claims_of, within};

both_engines!(
    a_provisioned_person_sets_a_password_and_signs_in_on_every_face,
    a_role_given_on_one_face_is_in_the_token_of_another,
    a_company_made_on_the_command_line_is_a_workspace,
    a_grant_is_merged_on_one_face_and_single_on_another,
    a_disabled_account_is_closed_on_every_face_of_every_copy,
);

const SUB: &str = "hr-0017";
const EMAIL: &str = "ann@example.org";
const PASSWORD: &str = "seven lanterns on the pier";
/// What was decided here is seen there.
const SOON: Duration = Duration::from_millis(1200);

/// Whoever calls on each face: a key pair, a tenant's public key, an app.
struct Callers {
    pair: (String, String),
    public_key: String,
    app: Client,
}

impl Callers {
    async fn new(app: &TestApp) -> Self {
        let ctx = app.ctx().await;
        let made =
            api_clients::create(&ctx, NewApiClient { name: "HR".to_owned(), ..Default::default() }).await.unwrap();
        let key = tenants::rotate_key(&ctx, TenantKeyKind::Public, Duration::ZERO).await.unwrap();
        Self {
            pair: (made.client.client_key, made.secret.expose().clone()),
            public_key: key.expose().clone(),
            app: app.password_app("openid profile email").await,
        }
    }

    async fn send(&self, app: &TestApp, method: Method, path: &str, body: Value) -> Answer {
        let request = app.request(method, path);
        let request = request.header("x-client-key", &self.pair.0).header("x-api-key", &self.pair.1);
        app.send(if body.is_null() { request } else { request.json(&body) }).await
    }

    async fn provision(&self, app: &TestApp) {
        let body = json!({ "user_sub": SUB, "email": EMAIL, "display_name": "Ann" });
        let made = self.send(app, Method::POST, "/internal/users/upsert-by-sub", body).await.body(200);
        assert_eq!((&made["user_sub"], &made["is_active"]), (&json!(SUB), &json!(true)));
    }

    /// How each face signs this person in: the status, and the token.
    async fn sign_in(&self, app: &TestApp) -> Vec<(&'static str, u16, Option<String>)> {
        let by_name = json!({ "username": EMAIL, "password": PASSWORD });
        let by_email = json!({ "email": EMAIL, "password": PASSWORD });
        let answers = [
            ("oauth", app.sign_in(&self.app, EMAIL, PASSWORD).await, "access_token"),
            ("idaas", app.post(&self.public_key, "/v1/auth/login", &by_email).await, "token"),
            ("workspace", app.post("", "/api/auth/login", &by_email).await, "access_token"),
            ("member", app.post("", "/auth/login", &by_name).await, "access_token"),
        ];
        let read = |(face, answer, member): (_, Answer, &str)| {
            let token = (answer.status == 200).then(|| answer.str(member));
            (face, answer.status, token)
        };
        answers.map(read).into()
    }

    async fn tokens(&self, app: &TestApp) -> Vec<String> {
        let all = self.sign_in(app).await;
        assert!(all.iter().all(|(_, status, _)| *status == 200), "{all:?}");
        all.into_iter().filter_map(|(_, _, token)| token).collect()
    }
}

/// What a token opens on each face that takes a bearer: path and status.
async fn opened(app: &TestApp, token: &str) -> Vec<(&'static str, u16)> {
    let mut all = Vec::new();
    for path in ["/api/auth/me", "/me", "/me/permissions/snapshot"] {
        all.push((path, app.get_as(token, path).await.status));
    }
    all
}

/// Has them choose a password on the hosted page.
async fn choose_a_password(app: &TestApp) -> Browser {
    let browser = Browser::new(app);
    let page = browser.open("/forgot-password").await.expect(200, "/forgot-password");
    browser.submit(&page, "/forgot-password", &[("email", EMAIL)]).await.expect(200, "/forgot-password");
    let link = app.mail_to(EMAIL, "Set a new password").await.link.unwrap();
    let page = browser.open(&link).await.expect(200, "/reset-password");
    browser.submit(&page, "/reset-password", &[("password", PASSWORD)]).await.expect(200, "/reset-password");
    browser
}

async fn sign_in_by_page(browser: &Browser) -> String {
    let page = browser.open("/login").await.expect(200, "/login");
    browser.submit(&page, "/login", &[("identifier", EMAIL), ("password", PASSWORD)]).await.path().to_owned()
}

async fn a_provisioned_person_sets_a_password_and_signs_in_on_every_face(app: TestApp) {
    let [there, here] = app.copies().await;
    let callers = Callers::new(&here).await;
    callers.provision(&here).await;
    for (face, status, _) in callers.sign_in(&here).await {
        assert!([400, 401].contains(&status), "{face} without a password: {status}");
    }
    let browser = choose_a_password(&here).await;
    assert_eq!(sign_in_by_page(&browser).await, "/account");
    let id = users::find_by_identifier(&here.ctx().await, EMAIL).await.unwrap().id.to_string();
    let tokens = callers.tokens(&there).await;
    assert_eq!(here.get_as(&tokens[0], "/oauth/userinfo").await.str("email"), EMAIL);
    assert_eq!(here.get_as(&tokens[1], "/v1/users/me").await.str("email"), EMAIL);
    for token in tokens {
        assert!(
            opened(&there, &token).await.iter().all(|(_, status)| *status == 200),
            "{:?}",
            opened(&there, &token).await
        );
        assert_eq!(here.get_as(&token, "/me").await.str("sub"), SUB);
        let info = here.get_as(&token, "/api/v1/auth/user-info").await.body(200);
        assert_eq!((&info["authenticated"], &info["user"]["user_id"]), (&json!(true), &json!(id)));
    }
}

async fn a_role_given_on_one_face_is_in_the_token_of_another(app: TestApp) {
    let [there, here] = app.copies().await;
    let callers = Callers::new(&here).await;
    let id = here.user(EMAIL, PASSWORD).await.id.to_string();
    let before = here.sign_in(&callers.app, EMAIL, PASSWORD).await.expect(200).str("access_token");
    there.get_as(&before, "/api/internal/users").await.expect(403);

    let admin = here.admin_token().await;
    let path = format!("/api/v1/users/{id}/roles");
    here.post(&admin, &path, &json!({ "role_ids": ["ROLE_ADMIN"] })).await.expect(201);
    let open = async |token: &str| there.get_as(token, "/api/internal/users").await.status;
    within(SOON, "a token from before", async || open(&before).await == 200).await;
    let token = there.sign_in(&callers.app, EMAIL, PASSWORD).await.expect(200).str("access_token");
    assert_eq!(claims_of(&token)["roles"], json!(["admin"]));
    assert_eq!(there.get_as(&token, "/api/auth/me").await.str("role"), "admin");

    let gone = here.send(here.request(Method::DELETE, &format!("{path}/ROLE_ADMIN")).bearer_auth(&admin)).await;
    gone.expect(200);
    within(SOON, "a role that was taken", async || open(&token).await == 403).await;
}

async fn a_company_made_on_the_command_line_is_a_workspace(app: TestApp) {
    let [there, here] = app.copies().await;
    let mut place = Place::of(&here.setup);
    place.at(&here.base);
    let company = place.json(&["catalog", "add-company", "--name", "Acme Ltd", "--slug", "acme"]);
    let key = company["company_key"].as_str().expect("a key").to_owned();

    let callers = Callers::new(&here).await;
    let listed = callers.send(&there, Method::GET, "/internal/companies?keyword=acme", Value::Null).await.body(200);
    assert_eq!((&listed["total"], &listed["items"][0]["company_key"]), (&json!(1), &json!(key)));

    let ctx = here.ctx().await;
    let organization = organizations::find_by_key(&ctx, &key).await.unwrap();
    let user = here.user(EMAIL, PASSWORD).await;
    memberships::add(&ctx, Keeper::Administrator, organization.id, user.id, MembershipRole::Owner).await.unwrap();
    let token = there.sign_in(&callers.app, EMAIL, PASSWORD).await.expect(200).str("access_token");
    let me = there.get_as(&token, "/api/auth/me").await.body(200);
    let workspace = json!({ "id": listed["items"][0]["id"], "name": "Acme Ltd", "slug": "acme", "role": "owner" });
    assert_eq!(me["workspaces"], json!([workspace]));
    let shown = there.get_as(&token, "/api/external/workspace").await.body(200);
    assert_eq!((&shown["id"], &shown["plan"]), (&workspace["id"], &json!("free")));
}

async fn a_grant_is_merged_on_one_face_and_single_on_another(app: TestApp) {
    let [there, here] = app.copies().await;
    let callers = Callers::new(&here).await;
    let grant = |action: &str| {
        json!({ "authentik_sub": SUB, "email": EMAIL, "display_name": "Ann", "scope_type": "site",
            "scope_id": "tw-main", "module": "campaign", "action": action })
    };
    for action in ["view", "edit"] {
        let given = callers.send(&here, Method::POST, "/admin/permissions/grant", grant(action)).await;
        assert_eq!(given.body(200)["result"], "granted");
        here.advance(Duration::from_secs(1));
    }
    choose_a_password(&here).await;
    let token = there.post("", "/auth/login", &json!({ "username": EMAIL, "password": PASSWORD })).await.body(200);
    let token = token["access_token"].as_str().unwrap();

    let path = format!("/internal/permissions/{SUB}/snapshot");
    let merged = callers.send(&there, Method::GET, &path, Value::Null).await.body(200);
    let row = json!({ "scope_type": "site", "scope_id": "tw-main", "system": null, "module": "campaign",
        "actions": ["view", "edit"] });
    assert_eq!(merged, json!({ "user_sub": SUB, "permissions": [row] }));
    let single = there.get_as(token, "/me/permissions/snapshot").await.body(200);
    let one = |action| json!({ "scope_type": "site", "scope_id": "tw-main", "module": "campaign", "action": action });
    assert_eq!(single, json!({ "authentik_sub": SUB, "permissions": [one("view"), one("edit")] }));

    let body = json!({ "authentik_sub": SUB, "scope_type": "site", "scope_id": "tw-main", "module": "campaign",
        "action": "edit" });
    callers.send(&here, Method::POST, "/admin/permissions/revoke", body).await.expect(200);
    let left = there.get_as(token, "/me/permissions/snapshot").await.body(200);
    assert_eq!(left["permissions"], json!([one("view")]));
}

async fn a_disabled_account_is_closed_on_every_face_of_every_copy(app: TestApp) {
    let [there, here] = app.copies().await;
    let callers = Callers::new(&here).await;
    callers.provision(&here).await;
    let browser = choose_a_password(&here).await;
    sign_in_by_page(&browser).await;
    let elsewhere = browser.at(&there);
    assert_eq!(elsewhere.open("/account").await.path(), "/account");
    let tokens = callers.tokens(&there).await;
    let refreshing =
        there.post("", "/api/auth/login", &json!({ "email": EMAIL, "password": PASSWORD })).await.body(200);

    let body = json!({ "user_sub": SUB, "is_active": false });
    callers.send(&here, Method::POST, "/internal/users/upsert-by-sub", body).await.expect(200);
    within(SOON, "every token of every face", async || {
        for token in &tokens {
            if opened(&there, token).await.iter().any(|(_, status)| *status != 401) {
                return false;
            }
        }
        true
    })
    .await;
    there.get_as(&tokens[0], "/oauth/userinfo").await.expect(401);
    there.get_as(&tokens[1], "/v1/users/me").await.expect(401);
    assert_eq!(elsewhere.open("/account").await.path(), "/login");
    for (face, status, _) in callers.sign_in(&there).await {
        assert!([400, 401].contains(&status), "{face}: {status}");
    }
    let old = json!({ "refresh_token": refreshing["refresh_token"] });
    there.post("", "/api/auth/refresh", &old).await.expect(401);
    let path = format!("/internal/permissions/{SUB}/snapshot");
    let snapshot = callers.send(&there, Method::GET, &path, Value::Null).await.body(200);
    assert_eq!(snapshot["permissions"], json!([]));
    let listed = callers.send(&there, Method::GET, "/internal/members?keyword=ANN%40", Value::Null).await.body(200);
    assert_eq!(listed["items"][0]["is_active"], json!(false));
}

//! One model behind six faces: what is done through one is seen through every other, and on every copy.

use std::time::Duration;

use gatehouse::domain::memberships::{self, Keeper};
use gatehouse::domain::organizations::{self, NewOrganization};
use gatehouse::domain::{tenants, users};
use gatehouse::model::organization::MembershipRole;
use gatehouse::model::tenant::TenantKeyKind;
use reqwest::Method;
use serde_json::{Value, json};

use crate::cli::Place;
use crate::support::relying_party::PASSWORD;
use crate::support::{
    Answer, Browser, Client, KeyPair, RelyingParty, TestApp, both_engines, claims_of, code_app, within,
};

both_engines!(
    a_provisioned_person_sets_a_password_and_signs_in_on_every_face,
    a_role_given_on_one_face_is_in_the_token_of_another,
    a_company_made_on_the_command_line_is_a_workspace,
    a_grant_is_merged_on_one_face_and_single_on_another,
    a_disabled_account_is_closed_on_every_face_of_every_copy,
);

const SUB: &str = "hr-0017";
const EMAIL: &str = "ann@example.org";
/// What was decided here is seen there.
const SOON: Duration = Duration::from_millis(1200);

/// Whoever calls on each face: a key pair, a tenant's public key, an app that asks for passwords and one that
/// sends people to us.
struct Callers {
    pair: KeyPair,
    public_key: String,
    app: Client,
    party: RelyingParty,
}

impl Callers {
    async fn new(app: &TestApp) -> Self {
        let ctx = app.ctx().await;
        let key = tenants::rotate_key(&ctx, TenantKeyKind::Public, Duration::ZERO).await.unwrap();
        let mut ours = code_app();
        ours.settings.first_party = true;
        Self {
            pair: app.api_client().await,
            public_key: key.expose().clone(),
            app: app.password_app("openid profile email").await,
            party: RelyingParty::new(app, ours).await,
        }
    }

    async fn provision(&self, app: &TestApp) {
        let body = json!({ "user_sub": SUB, "email": EMAIL, "display_name": "Ann" });
        let made = app.post_by(&self.pair, "/internal/users/upsert-by-sub", &body).await.body(200);
        assert_eq!((&made["user_sub"], &made["is_active"]), (&json!(SUB), &json!(true)));
    }

    /// How each way in that a face has lets this person in: the status, and what it hands out.
    async fn sign_in(&self, app: &TestApp) -> [(&'static str, u16, Value); 5] {
        let by_name = json!({ "username": EMAIL, "password": PASSWORD });
        let by_email = json!({ "email": EMAIL, "password": PASSWORD });
        let party = RelyingParty { app: app.clone(), ..self.party.clone() };
        let page = party.sign_in_with(&Browser::new(app), EMAIL, &[]).await;
        let by_page = match page.left_for {
            Some(_) => {
                let redeemed = party.redeem(page.answer().code(), &[]).await;
                (redeemed.status, redeemed.json())
            }
            None => (page.status, Value::Null),
        };
        let done = |face, answer: Answer| (face, answer.status, answer.json());
        [
            ("hosted page", by_page.0, by_page.1),
            done("oauth", app.sign_in(&self.app, EMAIL, PASSWORD).await),
            done("idaas", app.post(&self.public_key, "/v1/auth/login", &by_email).await),
            done("workspace", app.post("", "/api/auth/login", &by_email).await),
            done("member", app.post("", "/auth/login", &by_name).await),
        ]
    }

    /// That none of them does.
    async fn nobody_gets_in(&self, app: &TestApp) {
        let refused = self.sign_in(app).await.map(|(face, status, _)| (face, status));
        let expected = [("hosted page", 422), ("oauth", 400), ("idaas", 401), ("workspace", 401), ("member", 401)];
        assert_eq!(refused, expected);
    }

    /// The access token of each of them.
    async fn tokens(&self, app: &TestApp) -> [(&'static str, String); 5] {
        self.sign_in(app).await.map(|(face, status, body)| {
            assert_eq!(status, 200, "{face} {body}");
            let token = body.get("access_token").or(body.get("token")).and_then(Value::as_str);
            (face, token.expect("a token").to_owned())
        })
    }
}

/// What shows a person themselves, on each face that does.
const THEIR_OWN: [&str; 5] =
    ["/v1/users/me", "/api/auth/me", "/me", "/me/permissions/snapshot", "/api/external/workspace"];
/// What an administrator may read, on each face that lets people administer.
const ADMINISTRATION: [&str; 3] = ["/api/v1/roles", "/api/internal/users", "/api/admin/v1/users"];

/// Which of these some token is answered otherwise than with this status.
async fn not_answered(app: &TestApp, tokens: &[(&str, String)], paths: &[&str], status: u16) -> Vec<String> {
    let mut all = Vec::new();
    for (face, token) in tokens {
        for path in paths {
            let answer = app.get_as(token, path).await;
            if answer.status != status {
                all.push(format!("{path} by a token of {face}: {}", answer.status));
            }
        }
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
    callers.nobody_gets_in(&here).await;
    let browser = choose_a_password(&here).await;
    assert_eq!(sign_in_by_page(&browser).await, "/account");
    let ctx = here.ctx().await;
    let user = users::find_by_identifier(&ctx, EMAIL).await.unwrap().id;
    let company = organizations::create(&ctx, &NewOrganization { name: "Acme", ..Default::default() }).await.unwrap();
    memberships::add(&ctx, Keeper::Administrator, company.id, user, MembershipRole::Member).await.unwrap();

    // Whichever face signed them in, every face knows them by that.
    let tokens = callers.tokens(&there).await;
    let none: [String; 0] = [];
    assert_eq!(not_answered(&here, &tokens, &THEIR_OWN, 200).await, none);
    assert_eq!(not_answered(&here, &tokens, &ADMINISTRATION, 403).await, none);
    for (face, token) in &tokens {
        assert_eq!(here.get_as(token, "/v1/users/me").await.str("email"), EMAIL, "{face}");
        assert_eq!(here.get_as(token, "/api/auth/me").await.str("email"), EMAIL, "{face}");
        assert_eq!(here.get_as(token, "/me").await.str("sub"), SUB, "{face}");
        let info = here.get_as(token, "/api/v1/auth/user-info").await.body(200);
        assert_eq!((&info["authenticated"], &info["user"]["user_id"]), (&json!(true), &json!(user)), "{face}");
    }
    // OpenID Connect Core §5.3: userinfo answers a token that may be used for `openid`.
    for ((face, token), status) in tokens.iter().zip([200, 200, 403, 403, 200]) {
        let info = here.get_as(token, "/oauth/userinfo").await;
        assert_eq!(info.status, status, "{face}");
        assert!(status != 200 || info.str("sub") == user.to_string(), "{face}");
    }

    // What they may do, they may do by each of them.
    let admin = here.admin_token().await;
    let given = json!({ "role_ids": ["ROLE_ADMIN"] });
    here.post(&admin, &format!("/api/v1/users/{user}/roles"), &given).await.expect(201);
    let open = async || not_answered(&there, &tokens, &ADMINISTRATION, 200).await.is_empty();
    within(SOON, "what an administrator may read", open).await;
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
    let listed = there.get_by(&callers.pair, "/internal/companies?keyword=acme").await.body(200);
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
        let given = here.post_by(&callers.pair, "/admin/permissions/grant", &grant(action)).await.body(200);
        assert_eq!(given["result"], "granted");
        here.advance(Duration::from_secs(1));
    }
    choose_a_password(&here).await;
    let token = there.post("", "/auth/login", &json!({ "username": EMAIL, "password": PASSWORD })).await.body(200);
    let token = token["access_token"].as_str().unwrap();

    let path = format!("/internal/permissions/{SUB}/snapshot");
    let merged = there.get_by(&callers.pair, &path).await.body(200);
    let row = json!({ "scope_type": "site", "scope_id": "tw-main", "system": null, "module": "campaign",
        "actions": ["view", "edit"] });
    assert_eq!(merged, json!({ "user_sub": SUB, "permissions": [row] }));
    let single = there.get_as(token, "/me/permissions/snapshot").await.body(200);
    let one = |action| json!({ "scope_type": "site", "scope_id": "tw-main", "module": "campaign", "action": action });
    assert_eq!(single, json!({ "authentik_sub": SUB, "permissions": [one("view"), one("edit")] }));

    let body = json!({ "authentik_sub": SUB, "scope_type": "site", "scope_id": "tw-main", "module": "campaign",
        "action": "edit" });
    here.post_by(&callers.pair, "/admin/permissions/revoke", &body).await.expect(200);
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
    let by_app = there.sign_in(&callers.app, EMAIL, PASSWORD).await.expect(200).str("refresh_token");

    let body = json!({ "user_sub": SUB, "is_active": false });
    here.post_by(&callers.pair, "/internal/users/upsert-by-sub", &body).await.expect(200);
    let closed = async || not_answered(&there, &tokens, &THEIR_OWN, 401).await.is_empty();
    within(SOON, "every token of every face", closed).await;
    for (face, token) in &tokens {
        there.get_as(token, "/oauth/userinfo").await.expect(401);
        assert!(!there.is_active(token).await, "{face}");
        let info = there.get_as(token, "/api/v1/auth/user-info").await.body(200);
        assert_eq!(info, json!({ "authenticated": false, "user": null }), "{face}");
    }
    assert_eq!(elsewhere.open("/account").await.path(), "/login");
    callers.nobody_gets_in(&there).await;
    let old = json!({ "refresh_token": refreshing["refresh_token"] });
    for path in ["/api/auth/refresh", "/api/v1/auth/refresh-token"] {
        there.post("", path, &old).await.expect(401);
    }
    there.refresh(&callers.app, &by_app).await.is_oauth_error(400, "invalid_grant");
    let path = format!("/internal/permissions/{SUB}/snapshot");
    assert_eq!(there.get_by(&callers.pair, &path).await.body(200)["permissions"], json!([]));
    let listed = there.get_by(&callers.pair, "/internal/members?keyword=ANN%40").await.body(200);
    assert_eq!(listed["items"][0]["is_active"], json!(false));
}

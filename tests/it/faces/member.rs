//! `/auth/login`, `/me`, `/admin/permissions` (`member.md`).

use std::io::Cursor;
use std::time::Duration;

use gatehouse::config::Rate;
use gatehouse::domain::catalogue::{self, EntryChange, NewEntry};
use gatehouse::domain::organizations::{self, NewOrganization, OrganizationChange};
use gatehouse::domain::transfer::{self, Wish};
use gatehouse::domain::{scoped_grants, users};
use gatehouse::model::catalogue::Module;
use gatehouse::model::scoped_grant::{GrantScope, GrantTarget};
use gatehouse::model::transfer::OnConflict;
use serde_json::{Value, json};

use crate::support::{
    Browser, KeyPair, RelyingParty, Setup, TestApp, both_engines, claims_of, code_app, relying_party, within,
};

both_engines!(
    a_member_signs_in,
    every_wrong_sign_in_is_one,
    a_second_factor_is_not_passed_by,
    too_many_sign_ins_are_limited,
    who_am_i,
    a_token_that_does_not_count,
    an_app_sees_what_it_was_allowed,
    a_grant_is_given_once_and_taken_once,
    a_code_is_linked_to_what_the_catalogue_knows,
    a_code_is_linked_once_the_catalogue_knows_it,
    a_code_is_linked_however_the_catalogue_comes_to_know_it,
    a_strict_catalogue_refuses_what_it_does_not_know,
    bad_grants_are_named,
    a_grant_makes_its_user,
    a_grant_makes_nobody_where_accounts_are_made_elsewhere,
    a_company_covers_its_sites,
    a_revoked_grant_is_gone_on_every_copy,
    odd_requests_are_refused_in_shape,
);

const GRANT: &str = "/admin/permissions/grant";
const REVOKE: &str = "/admin/permissions/revoke";
const EMAIL: &str = "ann@example.org";
const PASSWORD: &str = "open sesame";

async fn login(app: &TestApp, name: &str, password: &str) -> crate::support::Answer {
    app.post("", "/auth/login", &json!({ "username": name, "password": password })).await
}

fn wish(sub: &str, scope: (&str, &str), module: &str, action: &str) -> Value {
    json!({ "authentik_sub": sub, "scope_type": scope.0, "scope_id": scope.1, "module": module, "action": action })
}

async fn a_member_signs_in(app: TestApp) {
    let user = app.user(EMAIL, PASSWORD).await;
    let pair = app.api_client().await;
    let named = json!({ "user_sub": user.id.to_string(), "username": "ann" });
    app.post_by(&pair, "/internal/users/upsert-by-sub", &named).await.expect(200);
    for name in [EMAIL, "ANN@example.org", "ann"] {
        let told = login(&app, name, PASSWORD).await.body(200);
        let token = told["access_token"].as_str().unwrap();
        let expected = json!({ "access_token": token, "token_type": "Bearer", "expires_in": 3600,
            "scope": "openid profile email" });
        assert_eq!(told, expected);
        let claims = claims_of(token);
        assert_eq!((&claims["sub"], &claims["scope"]), (&json!(user.id.to_string()), &expected["scope"]));
        app.get_as(token, "/me").await.expect(200);
    }
}

async fn every_wrong_sign_in_is_one(app: TestApp) {
    let user = app.user(EMAIL, PASSWORD).await;
    let text = "invalid_username_or_password";
    login(&app, EMAIL, "wrong").await.is_detail(401, text);
    login(&app, "nobody@example.org", PASSWORD).await.is_detail(401, text);
    let long = "p".repeat(5000);
    login(&app, EMAIL, &long).await.is_detail(401, text);
    users::set_enabled(&app.ctx().await, user.id, false).await.unwrap();
    let refused = login(&app, EMAIL, PASSWORD).await;
    refused.is_detail(401, text);
    assert!(refused.header("www-authenticate").is_some());
    // A person of another tenant is nobody here.
    let tenant = app.tenant("Acme").await;
    app.tenant_user(&tenant, "theirs@example.org", PASSWORD).await;
    login(&app, "theirs@example.org", PASSWORD).await.is_detail(401, text);
    // What is missing is named.
    for (body, field) in [
        (json!({}), "username"),
        (json!({ "username": "a" }), "password"),
        (json!({ "username": " ", "password": "a" }), "username"),
        (json!({ "username": 1, "password": "a" }), "username"),
        (json!({ "username": "a", "password": ["a"] }), "password"),
    ] {
        app.post("", "/auth/login", &body).await.is_invalid(field);
    }
    let form = app.form("/auth/login", &[("username", EMAIL), ("password", PASSWORD)]).await;
    form.is_detail(415, "unsupported_media_type");
}

async fn a_second_factor_is_not_passed_by(app: TestApp) {
    let user = app.user(EMAIL, PASSWORD).await;
    let sql = app.sql().await;
    sql.run("UPDATE users SET has_second_factor = TRUE WHERE email = 'ann@example.org'").await;
    sql.close().await;
    login(&app, EMAIL, PASSWORD).await.is_detail(403, "mfa_required");
    login(&app, EMAIL, "wrong").await.is_detail(401, "invalid_username_or_password");
    assert!(users::find(&app.ctx().await, user.id).await.unwrap().has_second_factor);
}

async fn too_many_sign_ins_are_limited(setup: Setup) {
    let app = setup.start_with(|config| config.limits.login = Rate::per_hour(1, 2)).await;
    for _ in 0..2 {
        login(&app, EMAIL, "wrong").await.is_detail(401, "invalid_username_or_password");
    }
    let limited = login(&app, EMAIL, "wrong").await;
    limited.is_detail(429, "rate_limited");
    assert!(limited.header("retry-after").is_some());
}

async fn who_am_i(app: TestApp) {
    let user = app.user(EMAIL, PASSWORD).await;
    let token = login(&app, EMAIL, PASSWORD).await.expect(200).str("access_token");
    let expected = json!({ "sub": user.id.to_string(), "email": EMAIL, "display_name": "Someone" });
    assert_eq!(app.get_as(&token, "/me").await.body(200), expected);
    let nothing = json!({ "authentik_sub": user.id.to_string(), "permissions": [] });
    assert_eq!(app.get_as(&token, "/me/permissions/snapshot").await.body(200), nothing);
    let pair = app.api_client().await;
    for action in ["view", "edit"] {
        let body = wish(&user.id.to_string(), ("site", "tw-main"), "campaign", action);
        app.post_by(&pair, GRANT, &body).await.expect(200);
        app.advance(Duration::from_secs(1));
    }
    let row = |action| json!({ "scope_type": "site", "scope_id": "tw-main", "module": "campaign", "action": action });
    let told = app.get_as(&token, "/me/permissions/snapshot").await.body(200);
    assert_eq!(told["permissions"], json!([row("view"), row("edit")]), "one row an action");
}

async fn a_token_that_does_not_count(app: TestApp) {
    let user = app.user(EMAIL, PASSWORD).await;
    let token = login(&app, EMAIL, PASSWORD).await.expect(200).str("access_token");
    let service = app.service_token("user:read").await;
    let tenant = app.tenant("Acme").await;
    let (_, theirs) = app.tenant_user(&tenant, "theirs@example.org", PASSWORD).await;
    for path in ["/me", "/me/permissions/snapshot"] {
        let missing = app.get(path).await;
        missing.is_detail(401, "missing_bearer_token");
        assert_eq!(missing.header("www-authenticate"), Some(r#"Bearer realm="gatehouse""#));
        let basic = app.send(app.request(reqwest::Method::GET, path).basic_auth("a", Some("b"))).await;
        basic.is_detail(401, "missing_bearer_token");
        let mut forged = token.clone();
        forged.replace_range(token.len() - 4.., "AAAA");
        for bad in ["nonsense", &forged, &service, &theirs, "a b"] {
            let refused = app.get_as(bad, path).await;
            refused.is_detail(401, "invalid_bearer_token");
            let challenge = refused.header("www-authenticate").unwrap();
            assert_eq!(challenge, r#"Bearer realm="gatehouse", error="invalid_token""#);
        }
        app.get_as(&token, path).await.expect(200);
    }
    users::set_enabled(&app.ctx().await, user.id, false).await.unwrap();
    app.get_as(&token, "/me").await.is_detail(401, "invalid_bearer_token");
    users::set_enabled(&app.ctx().await, user.id, true).await.unwrap();
    let token = login(&app, EMAIL, PASSWORD).await.expect(200).str("access_token");
    app.advance(Duration::from_secs(3600));
    app.get_as(&token, "/me").await.is_detail(401, "invalid_bearer_token");
}

async fn an_app_sees_what_it_was_allowed(app: TestApp) {
    app.user(EMAIL, relying_party::PASSWORD).await;
    let app_of_others = RelyingParty::new(&app, code_app()).await;
    for (scope, status) in [("openid profile email", 200), ("openid email", 403)] {
        let told = app_of_others.tokens(&Browser::new(&app), EMAIL, &[("scope", scope)]).await;
        for path in ["/me", "/me/permissions/snapshot"] {
            let answer = app.get_as(&told.str("access_token"), path).await;
            assert_eq!(answer.status, status, "{answer:?}");
            if status == 403 {
                answer.is_detail(403, "insufficient_scope");
                assert!(answer.header("www-authenticate").unwrap().contains("insufficient_scope"));
            }
        }
    }
}

async fn a_grant_is_given_once_and_taken_once(app: TestApp) {
    let pair = app.api_client().await;
    let body = json!({ "authentik_sub": "ak-1", "email": EMAIL, "display_name": "Ann", "scope_type": "site",
        "scope_id": "tw-main", "module": "campaign", "action": "view" });
    let granted = app.post_by(&pair, GRANT, &body).await.body(200);
    let id = granted["permission_id"].as_str().unwrap();
    assert!(uuid::Uuid::parse_str(id).is_ok() && id.len() == 36);
    assert_eq!(granted, json!({ "permission_id": id, "result": "granted" }));
    app.advance(Duration::from_secs(5));
    assert_eq!(app.post_by(&pair, GRANT, &body).await.body(200), granted);
    let taken = wish("ak-1", ("site", "tw-main"), "campaign", "view");
    for deleted in [1, 0] {
        let told = app.post_by(&pair, REVOKE, &taken).await.body(200);
        assert_eq!(told, json!({ "deleted": deleted, "result": "revoked" }));
    }
    let again = app.post_by(&pair, GRANT, &body).await.body(200);
    assert_ne!(again["permission_id"], granted["permission_id"], "another grant");
    let other = wish("ak-1", ("company", "tw-main"), "campaign", "view");
    assert_eq!(app.post_by(&pair, REVOKE, &other).await.body(200)["deleted"], 0);
    app.post_by(&pair, REVOKE, &wish("nobody", ("site", "a"), "b", "c")).await.is_detail(404, "user_not_found");
}

/// A system with a module `campaign`, and a company `acme` with a site `tw-main`: the keys of the last three.
async fn shop(app: &TestApp) -> [String; 3] {
    let ctx = app.ctx().await;
    let entry = |name, code| NewEntry { name, code };
    let system = catalogue::add_system(&ctx, entry("Sales", None)).await.unwrap();
    let module = catalogue::add_module(&ctx, system.id, entry("Campaigns", Some("campaign"))).await.unwrap();
    let acme = NewOrganization { name: "Acme", slug: Some("acme"), plan: None };
    let acme = organizations::create(&ctx, &acme).await.unwrap();
    let site = catalogue::add_site(&ctx, acme.id, entry("Taipei", Some("tw-main"))).await.unwrap();
    [module.key, acme.key, site.key]
}

async fn rows(app: &TestApp, pair: &KeyPair, sub: &str) -> Vec<(String, String, bool)> {
    let body = app.get_by(pair, &format!("/internal/permissions/{sub}/snapshot")).await.body(200);
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let rows = body["permissions"].as_array().unwrap().iter();
    rows.map(|row| (text(&row["scope_id"]), text(&row["module"]), row["system"].is_string())).collect()
}

async fn a_code_is_linked_to_what_the_catalogue_knows(app: TestApp) {
    let pair = app.api_client().await;
    let [module, company, site] = shop(&app).await;
    let id = async |body: Value| app.post_by(&pair, GRANT, &body).await.body(200)["permission_id"].clone();
    let by_code = id(wish("ann", ("site", "tw-main"), "campaign", "view")).await;
    assert_eq!(id(wish("ann", ("site", &site), &module, "view")).await, by_code, "one grant by either name");
    app.advance(Duration::from_secs(1));
    id(wish("ann", ("company", "acme"), "campaign", "view")).await;
    app.advance(Duration::from_secs(1));
    // A site's code is no company's.
    id(wish("ann", ("company", "tw-main"), "other", "view")).await;
    let expected = [
        (site.clone(), module.clone(), true),
        (company.clone(), module.clone(), true),
        ("tw-main".to_owned(), "other".to_owned(), false),
    ];
    assert_eq!(rows(&app, &pair, "ann").await, expected);
    for body in
        [wish("ann", ("site", &site), "campaign", "view"), wish("ann", ("company", &company), "campaign", "view")]
    {
        assert_eq!(app.post_by(&pair, REVOKE, &body).await.body(200)["deleted"], 1);
    }
    assert_eq!(rows(&app, &pair, "ann").await.len(), 1);
}

async fn a_code_is_linked_once_the_catalogue_knows_it(app: TestApp) {
    let pair = app.api_client().await;
    let text = wish("ann", ("site", "tw-main"), "campaign", "view");
    let id = app.post_by(&pair, GRANT, &text).await.body(200)["permission_id"].clone();
    app.post_by(&pair, GRANT, &wish("bob", ("company", "acme"), "campaign", "view")).await.expect(200);
    assert_eq!(rows(&app, &pair, "ann").await, [("tw-main".to_owned(), "campaign".to_owned(), false)]);
    let [module, company, site] = shop(&app).await;
    assert_eq!(rows(&app, &pair, "ann").await, [(site.clone(), module.clone(), true)]);
    assert_eq!(rows(&app, &pair, "bob").await, [(company, module, true)]);
    assert_eq!(app.post_by(&pair, GRANT, &text).await.body(200)["permission_id"], id, "it is the same one");
    assert_eq!(app.post_by(&pair, REVOKE, &text).await.body(200)["deleted"], 1);
}

/// An entry gets its code later, a company another slug, and a file brings the rest.
async fn a_code_is_linked_however_the_catalogue_comes_to_know_it(app: TestApp) {
    let (pair, ctx) = (app.api_client().await, app.ctx().await);
    let entry = |name| NewEntry { name, code: None };
    let system = catalogue::add_system(&ctx, entry("Sales")).await.unwrap();
    let module = catalogue::add_module(&ctx, system.id, entry("Campaigns")).await.unwrap();
    let acme = NewOrganization { name: "Acme", ..NewOrganization::default() };
    let acme = organizations::create(&ctx, &acme).await.unwrap();
    app.post_by(&pair, GRANT, &wish("ann", ("company", "acme-ltd"), "campaign", "view")).await.expect(200);
    app.post_by(&pair, GRANT, &wish("bob", ("site", "tw-main"), "lead", "view")).await.expect(200);
    let code = EntryChange { code: Some(Some("campaign".to_owned())), ..EntryChange::default() };
    catalogue::change::<Module>(&ctx, module.id, &code).await.unwrap();
    let slug = OrganizationChange { slug: Some("acme-ltd".to_owned()), ..OrganizationChange::default() };
    organizations::update(&ctx, acme.id, &slug).await.unwrap();
    assert_eq!(rows(&app, &pair, "ann").await, [(acme.key, module.key.clone(), true)]);

    let made = "2026-03-31T00:00:00Z";
    let file = [
        json!({ "gatehouse": "export", "version": 1 }),
        json!({ "kind": "module", "id": format!("mod_{}", "1".repeat(32)), "key": "MD20260331X5678", "code": "lead",
            "system": system.id.to_string(), "name": "Leads", "created_at": made }),
        json!({ "kind": "site", "id": format!("sit_{}", "1".repeat(32)), "key": "ST20260331X1111", "code": "tw-main",
            "organization": acme.id.to_string(), "name": "Taipei", "created_at": made }),
        json!({ "kind": "scoped_grant", "id": format!("gra_{}", "1".repeat(32)), "user": user_id(&app, "bob").await,
            "scope_type": "site", "scope": "tw-main", "module": "campaign", "action": "edit", "granted_by": "operator",
            "granted_at": "2099-01-01T00:00:00Z" }),
    ];
    let file = file.map(|line| line.to_string()).join("\n");
    let wish = Wish { into: None, on_conflict: OnConflict::Fail, rehearse: false };
    transfer::import(&app.core, &mut Cursor::new(file), wish).await.unwrap();
    let site = || "ST20260331X1111".to_owned();
    let linked = [(site(), "MD20260331X5678".to_owned(), true), (site(), module.key, true)];
    assert_eq!(rows(&app, &pair, "bob").await, linked);
}

async fn user_id(app: &TestApp, sub: &str) -> String {
    gatehouse::domain::provisioning::find_by_sub(&app.ctx().await, sub).await.unwrap().id.to_string()
}

async fn a_strict_catalogue_refuses_what_it_does_not_know(setup: Setup) {
    let app = setup.start_with(|config| config.provisioning.strict_catalogue = true).await;
    let pair = app.api_client().await;
    let [module, company, site] = shop(&app).await;
    for (scope, code) in [(("site", "nowhere"), "scope_not_found"), (("company", &*site), "scope_not_found")] {
        app.post_by(&pair, GRANT, &wish("ann", scope, "campaign", "view")).await.is_detail(404, code);
    }
    let unknown = wish("ann", ("site", "tw-main"), "nothing", "view");
    app.post_by(&pair, GRANT, &unknown).await.is_detail(404, "module_not_found");
    app.get_by(&pair, "/internal/permissions/ann/snapshot").await.is_detail(404, "user_not_found");
    for scope in [("site", "tw-main"), ("site", &*site), ("company", "acme"), ("company", &*company)] {
        app.post_by(&pair, GRANT, &wish("ann", scope, &module, "view")).await.expect(200);
    }
    // There is nothing of that name to take.
    assert_eq!(app.post_by(&pair, REVOKE, &wish("ann", ("site", "x"), "y", "z")).await.body(200)["deleted"], 0);
}

async fn bad_grants_are_named(app: TestApp) {
    let pair = app.api_client().await;
    let right = wish("ann", ("site", "tw-main"), "campaign", "view");
    app.post_by(&pair, GRANT, &right).await.expect(200);
    for path in [GRANT, REVOKE] {
        for member in ["authentik_sub", "scope_type", "scope_id", "module", "action"] {
            for wrong in [json!(null), json!(""), json!(1), json!(["a"]), json!({}), json!(true), json!("a\0")] {
                let mut body = right.clone();
                body[member] = wrong;
                app.post_by(&pair, path, &body).await.is_invalid(member);
            }
        }
        for member in ["scope_id", "module", "action"] {
            for wrong in ["a b", "a/b", "ü", "<script>", &"a".repeat(101)] {
                let mut body = right.clone();
                body[member] = json!(wrong);
                app.post_by(&pair, path, &body).await.is_invalid(member);
            }
        }
        for wrong in ["SITE", "tenant", "site "] {
            let mut body = right.clone();
            body["scope_type"] = json!(wrong);
            app.post_by(&pair, path, &body).await.is_invalid("scope_type");
        }
    }
    for (member, wrong) in [("email", "nobody"), ("display_name", "a\nb"), ("authentik_sub", "a/b")] {
        let mut body = wish("new", ("site", "a"), "b", "c");
        body[member] = json!(wrong);
        app.post_by(&pair, GRANT, &body).await.is_invalid(member);
    }
    let request = pair.dress(app.request(reqwest::Method::POST, GRANT)).header("content-type", "application/json");
    app.send(request.body("{")).await.is_invalid("body");
    assert_eq!(rows(&app, &pair, "ann").await.len(), 1);
}

async fn a_grant_makes_its_user(app: TestApp) {
    let pair = app.api_client().await;
    app.user("taken@example.org", PASSWORD).await;
    let mut body = wish("ak-9", ("site", "tw-main"), "campaign", "view");
    body["email"] = json!("taken@example.org");
    app.post_by(&pair, GRANT, &body).await.is_detail(409, "user_conflict");
    body["email"] = json!("new@example.org");
    body["display_name"] = json!("New");
    app.post_by(&pair, GRANT, &body).await.expect(200);
    let user = users::find_by_identifier(&app.ctx().await, "new@example.org").await.unwrap();
    assert_eq!((user.external_sub.as_deref(), user.name.as_deref()), (Some("ak-9"), Some("New")));
    assert!(user.enabled && !user.email_verified && user.password_hash.is_none());
    // Who is there keeps what they have.
    body["email"] = json!("other@example.org");
    body["action"] = json!("edit");
    app.post_by(&pair, GRANT, &body).await.expect(200);
    assert!(users::find_by_identifier(&app.ctx().await, "other@example.org").await.is_err());
    let nobody = "usr_00000000000000000000000000000000";
    app.post_by(&pair, GRANT, &wish(nobody, ("site", "a"), "b", "c")).await.is_detail(404, "user_not_found");
}

async fn a_grant_makes_nobody_where_accounts_are_made_elsewhere(setup: Setup) {
    let app = setup.start_with(|config| config.provisioning.ensure_users = false).await;
    let pair = app.api_client().await;
    let new = wish("ak-9", ("site", "tw-main"), "campaign", "view");
    app.post_by(&pair, GRANT, &new).await.is_detail(503, "authentik_admin_not_configured");
    app.get_by(&pair, "/internal/permissions/ak-9/snapshot").await.is_detail(404, "user_not_found");
    // Who is there can be given something, and loses it again.
    app.post_by(&pair, "/internal/users/upsert-by-sub", &json!({ "user_sub": "ak-9" })).await.expect(200);
    app.post_by(&pair, GRANT, &new).await.expect(200);
    assert_eq!(app.post_by(&pair, REVOKE, &new).await.body(200)["deleted"], 1);
}

async fn a_company_covers_its_sites(app: TestApp) {
    let pair = app.api_client().await;
    let [module, company, site] = shop(&app).await;
    app.post_by(&pair, GRANT, &wish("boss", ("company", "acme"), "campaign", "view")).await.expect(200);
    app.post_by(&pair, GRANT, &wish("clerk", ("site", "tw-main"), "campaign", "view")).await.expect(200);
    app.post_by(&pair, GRANT, &wish("clerk", ("site", "loose"), "thing", "view")).await.expect(200);
    let ctx = app.ctx().await;
    let may = async |sub: &str, scope_type: GrantScope, scope: &str, module: &str, action: &str| {
        let rows = app.core.db.read().of(ctx.tenant_id());
        let user = gatehouse::domain::provisioning::find_by_sub(&ctx, sub).await.unwrap().id;
        let (scope, module, action) = (scope.to_owned(), module.to_owned(), action.to_owned());
        scoped_grants::allows(&rows, user, &GrantTarget { scope_type, scope, module, action }).await.unwrap()
    };
    use GrantScope::{Company, Site};
    for (sub, scope_type, scope, expected) in [
        ("boss", Company, "acme", true),
        ("boss", Company, company.as_str(), true),
        ("boss", Site, "tw-main", true),
        ("boss", Site, site.as_str(), true),
        ("boss", Site, "elsewhere", false),
        ("clerk", Site, "tw-main", true),
        ("clerk", Site, site.as_str(), true),
        ("clerk", Company, "acme", false),
    ] {
        for module in ["campaign", module.as_str()] {
            assert_eq!(
                may(sub, scope_type, scope, module, "view").await,
                expected,
                "{sub} {scope_type} {scope} {module}"
            );
            assert!(!may(sub, scope_type, scope, module, "edit").await, "{sub} {scope}");
        }
        assert!(!may(sub, scope_type, scope, "other", "view").await, "{sub} {scope}");
    }
    assert!(may("clerk", Site, "loose", "thing", "view").await);
    // What is inactive reaches nothing.
    let acme = organizations::find_by_key(&ctx, &company).await.unwrap();
    let off = organizations::OrganizationChange { enabled: Some(false), ..Default::default() };
    organizations::update(&ctx, acme.id, &off).await.unwrap();
    for (sub, scope_type, scope) in [("boss", Company, "acme"), ("boss", Site, "tw-main"), ("clerk", Site, "tw-main")] {
        assert!(!may(sub, scope_type, scope, "campaign", "view").await, "{sub} {scope}");
    }
    assert!(may("clerk", Site, "loose", "thing", "view").await);
}

async fn a_revoked_grant_is_gone_on_every_copy(app: TestApp) {
    let user = app.user(EMAIL, PASSWORD).await;
    let pair = app.api_client().await;
    let token = login(&app, EMAIL, PASSWORD).await.expect(200).str("access_token");
    let [there, here] = app.copies().await;
    let body = wish(&user.id.to_string(), ("site", "tw-main"), "campaign", "view");
    for n in [1, 0] {
        let path = if n == 1 { GRANT } else { REVOKE };
        here.post_by(&pair, path, &body).await.expect(200);
        let told = there.get_as(&token, "/me/permissions/snapshot").await.body(200);
        assert_eq!(told["permissions"].as_array().unwrap().len(), n);
    }
    // Disabling the account closes its snapshots too.
    here.post_by(&pair, GRANT, &body).await.expect(200);
    let off = json!({ "user_sub": user.id.to_string(), "is_active": false });
    here.post_by(&pair, "/internal/users/upsert-by-sub", &off).await.expect(200);
    assert!(rows(&there, &pair, &user.id.to_string()).await.is_empty());
    within(Duration::from_millis(1200), "a disabled user", async || {
        there.get_as(&token, "/me/permissions/snapshot").await.status == 401
    })
    .await;
}

async fn odd_requests_are_refused_in_shape(app: TestApp) {
    assert_eq!(app.get("/healthz").await.body(200), json!({ "status": "ok" }));
    app.post("", "/healthz", &json!({})).await.is_detail(405, "method_not_allowed");
    app.get("/auth/nothing").await.is_detail(404, "not_found");
    app.get("/me/nothing").await.is_detail(404, "not_found");
    let wrong = app.get("/auth/login").await;
    wrong.is_detail(405, "method_not_allowed");
    assert_eq!(wrong.header("allow"), Some("POST"));
    let pair = app.api_client().await;
    app.get_by(&pair, "/admin/nothing").await.is_detail(404, "not_found");
    app.get_by(&pair, GRANT).await.is_detail(405, "method_not_allowed");
}

//! `/internal/*` (`handoff.md`): lists, accounts by sub, snapshots. How they are written is in `handoff_golden.rs`.

use std::time::Duration;

use gatehouse::domain::catalogue::{self, EntryChange, NewEntry};
use gatehouse::domain::organizations::{self, NewOrganization, OrganizationChange};
use gatehouse::domain::users;
use gatehouse::model::catalogue::{Module, Site, System};
use gatehouse::model::organization::Organization;
use serde_json::{Value, json};

use crate::support::{ADMIN_EMAIL, KeyPair, TestApp, both_engines, within};

both_engines!(
    systems_are_listed,
    modules_are_listed_with_their_system,
    companies_are_listed_and_searched,
    sites_are_listed_with_their_company,
    members_are_listed_and_searched,
    a_page_is_what_was_asked_for,
    keys_are_a_day_s_own,
    a_user_is_made_and_brought_up_to_date,
    a_sub_alone_is_an_account,
    what_another_account_has_is_a_conflict,
    bad_input_is_named,
    our_own_ids_are_subs,
    a_disabled_user_is_out_at_once,
    an_administrator_s_names_are_not_a_system_s_to_change,
    ensure_tells_what_became_of_it,
    a_snapshot_merges_actions,
    what_is_inactive_contributes_nothing,
    odd_requests_are_refused_in_shape,
);

fn members(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

fn entry(name: &str) -> NewEntry<'_> {
    NewEntry { name, code: None }
}

async fn system(app: &TestApp, name: &str) -> System {
    catalogue::add_system(&app.ctx().await, entry(name)).await.unwrap()
}

async fn company(app: &TestApp, name: &str) -> Organization {
    organizations::create(&app.ctx().await, &NewOrganization { name, ..NewOrganization::default() }).await.unwrap()
}

async fn site(app: &TestApp, company: &Organization, name: &str) -> Site {
    catalogue::add_site(&app.ctx().await, company.id, entry(name)).await.unwrap()
}

async fn module(app: &TestApp, system: &System, name: &str) -> Module {
    catalogue::add_module(&app.ctx().await, system.id, entry(name)).await.unwrap()
}

fn names(page: &Value) -> Vec<&str> {
    page["items"].as_array().unwrap().iter().map(|item| item["name"].as_str().unwrap()).collect()
}

#[track_caller]
fn is_key(key: &str, letters: &str) {
    let (day, number) = key.strip_prefix(letters).and_then(|rest| rest.split_once('X')).expect(key);
    assert!(day.len() == 8 && number.len() == 4 && (day.to_owned() + number).bytes().all(|b| b.is_ascii_digit()));
}

/// A row in every table of the catalogue, an API client, and a grant.
pub async fn leave_rows(app: &TestApp) {
    let pair = app.api_client().await;
    let system = system(app, "Sales").await;
    module(app, &system, "Campaigns").await;
    let acme = company(app, "Acme").await;
    let site = site(app, &acme, "Taipei").await;
    grant(app, &pair, "somebody", ("site", &site.key), "campaign", "view").await;
}

async fn systems_are_listed(app: TestApp) {
    let pair = app.api_client().await;
    let none = app.get_by(&pair, "/internal/systems").await.body(200);
    assert_eq!(none, json!({ "items": [], "total": 0, "limit": 200, "offset": 0 }));
    for name in ["Sales", "Billing"] {
        system(&app, name).await;
        app.advance(Duration::from_secs(1));
    }
    let page = app.get_by(&pair, "/internal/systems").await.body(200);
    assert_eq!((members(&page), names(&page)), (vec!["items", "limit", "offset", "total"], vec!["Sales", "Billing"]));
    let first = &page["items"][0];
    is_key(first["system_key"].as_str().unwrap(), "ST");
    assert_eq!(first["status"], "active");
    assert!(uuid::Uuid::parse_str(first["id"].as_str().unwrap()).is_ok() && first["id"].to_string().len() == 38);
}

async fn modules_are_listed_with_their_system(app: TestApp) {
    let pair = app.api_client().await;
    let (sales, billing) = (system(&app, "Sales").await, system(&app, "Billing").await);
    for (of, name) in [(&sales, "Campaigns"), (&billing, "Invoices"), (&sales, "Leads")] {
        module(&app, of, name).await;
        app.advance(Duration::from_secs(1));
    }
    let page = app.get_by(&pair, "/internal/modules").await.body(200);
    assert_eq!((&page["limit"], names(&page)), (&json!(500), vec!["Campaigns", "Invoices", "Leads"]));
    let first = &page["items"][0];
    is_key(first["module_key"].as_str().unwrap(), "MD");
    assert_eq!(first["system_key"], sales.key);
    let own = app.get_by(&pair, &format!("/internal/modules?system_key={}", sales.key)).await.body(200);
    assert_eq!((&own["total"], names(&own)), (&json!(2), vec!["Campaigns", "Leads"]));
    let unknown = app.get_by(&pair, "/internal/modules?system_key=ST20200101X0000").await.body(200);
    assert_eq!((&unknown["total"], &unknown["items"]), (&json!(0), &json!([])));
}

async fn companies_are_listed_and_searched(app: TestApp) {
    let pair = app.api_client().await;
    for name in ["Acme 100%", "Über_uns", "Nothing"] {
        company(&app, name).await;
        app.advance(Duration::from_secs(1));
    }
    let page = app.get_by(&pair, "/internal/companies").await.body(200);
    assert_eq!((&page["limit"], names(&page)), (&json!(500), vec!["Acme 100%", "Über_uns", "Nothing"]));
    let first = &page["items"][0];
    let key = first["company_key"].as_str().unwrap().to_owned();
    is_key(&key, "CP");
    for (keyword, found) in [
        ("ACME", vec!["Acme 100%"]),
        ("%C3%9CBER", vec!["Über_uns"]),
        ("%25", vec!["Acme 100%"]),
        ("_", vec!["Über_uns"]),
        ("100_", vec![]),
        (&key, vec!["Acme 100%"]),
        (&key.to_lowercase(), vec!["Acme 100%"]),
        ("", vec!["Acme 100%", "Über_uns", "Nothing"]),
    ] {
        let page = app.get_by(&pair, &format!("/internal/companies?keyword={keyword}")).await.body(200);
        assert_eq!((names(&page), &page["total"]), (found.clone(), &json!(found.len())), "{keyword}");
    }
}

async fn sites_are_listed_with_their_company(app: TestApp) {
    let pair = app.api_client().await;
    let (acme, other) = (company(&app, "Acme").await, company(&app, "Other").await);
    for (of, name) in [(&acme, "Taipei"), (&other, "Oslo"), (&acme, "Lima")] {
        site(&app, of, name).await;
        app.advance(Duration::from_secs(1));
    }
    let page = app.get_by(&pair, "/internal/sites").await.body(200);
    assert_eq!((&page["limit"], names(&page)), (&json!(500), vec!["Taipei", "Oslo", "Lima"]));
    let first = &page["items"][0];
    is_key(first["site_key"].as_str().unwrap(), "ST");
    assert_eq!(first["company_key"], acme.key);
    let own = app.get_by(&pair, &format!("/internal/sites?company_key={}", acme.key)).await.body(200);
    assert_eq!(names(&own), ["Taipei", "Lima"]);
    assert_eq!(app.get_by(&pair, "/internal/sites?company_key=x").await.body(200)["items"], json!([]));
    let lima = own["items"][1]["id"].as_str().unwrap().parse().unwrap();
    let off = EntryChange { enabled: Some(false), ..EntryChange::default() };
    let id = gatehouse::model::ids::SiteId::from_uuid(lima);
    catalogue::change::<Site>(&app.ctx().await, id, &off).await.unwrap();
    let own = app.get_by(&pair, &format!("/internal/sites?company_key={}", acme.key)).await.body(200);
    assert_eq!(own["items"][1]["status"], "inactive");
}

async fn members_are_listed_and_searched(app: TestApp) {
    let pair = app.api_client().await;
    for (sub, email, name) in [("s-1", "Ann@example.org", "Ann 100%"), ("s-2", "bo_b@example.org", "Bob")] {
        app.advance(Duration::from_secs(1));
        let body = json!({ "user_sub": sub, "email": email, "display_name": name, "username": format!("name-{sub}") });
        app.post_by(&pair, "/internal/users/upsert-by-sub", &body).await.expect(200);
    }
    let page = app.get_by(&pair, "/internal/members").await.body(200);
    assert_eq!((&page["total"], &page["limit"]), (&json!(3), &json!(500)));
    let ann = &page["items"][1];
    assert_eq!((&ann["user_sub"], &ann["is_active"]), (&json!("s-1"), &json!(true)));
    let admin = &page["items"][0];
    assert!(admin["email"] == ADMIN_EMAIL && admin["user_sub"].as_str().unwrap().starts_with("usr_"), "{admin}");
    for (keyword, found) in [
        ("ANN@EXAMPLE", vec!["s-1"]),
        ("%25", vec!["s-1"]),
        ("_", vec!["s-2"]),
        ("name-s-2", vec!["s-2"]),
        ("bob", vec!["s-2"]),
        ("nobody at all", vec![]),
    ] {
        let page = app.get_by(&pair, &format!("/internal/members?keyword={keyword}")).await.body(200);
        let subs: Vec<&str> =
            page["items"].as_array().unwrap().iter().map(|item| item["user_sub"].as_str().unwrap()).collect();
        assert_eq!((subs, &page["total"]), (found.clone(), &json!(found.len())), "{keyword}");
    }
}

async fn a_page_is_what_was_asked_for(app: TestApp) {
    let pair = app.api_client().await;
    let all = ["a", "b", "c", "d", "e"];
    for name in all {
        system(&app, name).await;
    }
    let whole = app.get_by(&pair, "/internal/systems").await.body(200);
    let mut seen = Vec::new();
    for offset in [0, 2, 4, 6] {
        let page = app.get_by(&pair, &format!("/internal/systems?limit=2&offset={offset}")).await.body(200);
        assert_eq!((&page["total"], &page["limit"], &page["offset"]), (&json!(5), &json!(2), &json!(offset)));
        seen.extend(page["items"].as_array().unwrap().clone());
    }
    assert_eq!(json!(seen), whole["items"], "the pages are the list, also of what was made in one moment");
    app.get_by(&pair, "/internal/systems?limit=1000").await.expect(200);
    for list in ["systems", "modules", "companies", "sites", "members"] {
        for limit in ["0", "1001", "-1", "x", "1.5", "99999999999999999999", "1&limit=2"] {
            app.get_by(&pair, &format!("/internal/{list}?limit={limit}")).await.is_invalid("limit");
        }
        for offset in ["-1", "x", "1.5", "99999999999999999999"] {
            app.get_by(&pair, &format!("/internal/{list}?offset={offset}")).await.is_invalid("offset");
        }
    }
    for list in ["companies", "members"] {
        let long = "k".repeat(501);
        app.get_by(&pair, &format!("/internal/{list}?keyword={long}")).await.is_invalid("keyword");
        app.get_by(&pair, &format!("/internal/{list}?keyword=%00")).await.is_invalid("keyword");
    }
}

async fn keys_are_a_day_s_own(app: TestApp) {
    let first = system(&app, "first").await;
    let acme = company(&app, "Acme").await;
    let beside = site(&app, &acme, "beside").await;
    assert_eq!(first.key[..10], beside.key[..10]);
    assert_ne!(first.key, beside.key, "systems and sites share letters and no key");
    // On the 10,001st of a day the number grows.
    let sql = app.sql().await;
    sql.run(&format!("UPDATE catalogue_numbers SET next = 9999 WHERE prefix = '{}'", &first.key[..10])).await;
    sql.close().await;
    app.advance(Duration::from_secs(1));
    let last = system(&app, "last").await;
    app.advance(Duration::from_secs(1));
    let grown = system(&app, "grown").await;
    assert_eq!((&last.key[10..], &grown.key[10..]), ("X9999", "X10000"));
    app.advance(Duration::from_secs(86_400));
    let next_day = system(&app, "next day").await;
    assert!(next_day.key > first.key && next_day.key.ends_with("X0000"), "{}", next_day.key);
    let pair = app.api_client().await;
    let listed = app.get_by(&pair, "/internal/systems?limit=1&offset=2").await.body(200);
    assert_eq!(listed["items"][0]["system_key"], grown.key);
}

const UPSERT: &str = "/internal/users/upsert-by-sub";

async fn a_user_is_made_and_brought_up_to_date(app: TestApp) {
    let pair = app.api_client().await;
    let body = json!({ "user_sub": "hr-7", "username": "ann", "email": "Ann@example.org", "display_name": "Ann" });
    let made = app.post_by(&pair, UPSERT, &body).await.body(200);
    assert_eq!(
        (&made["id"], &made["is_active"], &made["user_sub"]),
        (&made["idp_user_id"], &json!(true), &json!("hr-7"))
    );
    for member in ["username", "email", "display_name"] {
        assert_eq!(made[member], body[member]);
    }
    // Again changes nothing, also not what is said about it.
    let sql = app.sql().await;
    let before = sql.dump(&["changes", "leases", "signing_keys"]).await;
    app.advance(Duration::from_secs(5));
    assert_eq!(app.post_by(&pair, UPSERT, &body).await.body(200), made);
    assert_eq!(app.post_by(&pair, UPSERT, &json!({ "user_sub": "hr-7", "email": null })).await.body(200), made);
    let after = sql.dump(&["changes", "leases", "signing_keys"]).await;
    assert_eq!(before, after);
    sql.close().await;
    // What is not there stays.
    let mut renamed = made.clone();
    renamed["display_name"] = json!("Ann B.");
    let body = json!({ "user_sub": "hr-7", "display_name": "Ann B." });
    assert_eq!(app.post_by(&pair, UPSERT, &body).await.body(200), renamed);
    let moved = json!({ "user_sub": "hr-7", "email": "ann@example.com", "username": "annb" });
    let moved = app.post_by(&pair, UPSERT, &moved).await.body(200);
    assert_eq!((&moved["email"], &moved["username"]), (&json!("ann@example.com"), &json!("annb")));
    // What she left is free.
    let other = json!({ "user_sub": "hr-8", "email": "Ann@example.org", "username": "ann" });
    app.post_by(&pair, UPSERT, &other).await.expect(200);
    // An account made this way is not proved, and has no password.
    let user = users::find_by_identifier(&app.ctx().await, "ann@example.com").await.unwrap();
    assert!(!user.email_verified && user.password_hash.is_none());
    assert_eq!(json!(user.id.uuid().to_string()), made["id"]);
}

async fn a_sub_alone_is_an_account(app: TestApp) {
    let pair = app.api_client().await;
    let made = app.post_by(&pair, UPSERT, &json!({ "user_sub": "8f14e45f-ceea-467f-9575-1e0b1a3f2f3c" })).await;
    let made = made.body(200);
    let expected = json!({ "id": made["id"], "user_sub": "8f14e45f-ceea-467f-9575-1e0b1a3f2f3c", "idp_user_id": made["id"],
        "username": null, "email": null, "display_name": null, "is_active": true });
    assert_eq!(made, expected);
    let body = json!({ "user_sub": "out", "is_active": false });
    assert_eq!(app.post_by(&pair, UPSERT, &body).await.body(200)["is_active"], false);
    // A later call gives it a name.
    let named = json!({ "user_sub": "out", "username": "later" });
    assert_eq!(app.post_by(&pair, UPSERT, &named).await.body(200)["username"], "later");
}

async fn what_another_account_has_is_a_conflict(app: TestApp) {
    let pair = app.api_client().await;
    app.user("taken@example.org", "open sesame").await;
    app.post_by(&pair, UPSERT, &json!({ "user_sub": "a", "username": "ann" })).await.expect(200);
    app.post_by(&pair, UPSERT, &json!({ "user_sub": "b", "display_name": "B" })).await.expect(200);
    let sql = app.sql().await;
    let before = sql.dump(&["audit_log", "changes", "leases", "signing_keys"]).await;
    for sub in ["b", "new"] {
        for body in [json!({ "email": "TAKEN@example.org" }), json!({ "username": "ANN", "display_name": "C" })] {
            let mut body = body;
            body["user_sub"] = json!(sub);
            app.post_by(&pair, UPSERT, &body).await.is_detail(409, "user_conflict");
        }
    }
    assert_eq!(before, sql.dump(&["audit_log", "changes", "leases", "signing_keys"]).await, "nothing of it was done");
    sql.close().await;
}

async fn bad_input_is_named(app: TestApp) {
    let pair = app.api_client().await;
    for path in [UPSERT, "/internal/idp/users/ensure", "/internal/authentik/users/ensure"] {
        app.post_by(&pair, path, &json!({})).await.is_invalid("user_sub");
        for sub in ["a/b", "a\\b", "a;b", "a%b", "a?b", "a#b", "a b", "ü", ".", "..", "usr_1", &"s".repeat(256)] {
            app.post_by(&pair, path, &json!({ "user_sub": sub })).await.is_invalid("user_sub");
        }
        for (member, value) in [
            ("user_sub", json!(1)),
            ("user_sub", json!(null)),
            ("user_sub", json!("a\0")),
            ("email", json!("nobody")),
            ("email", json!(["a@example.org"])),
            ("username", json!("a@b")),
            ("username", json!("n".repeat(65))),
            ("display_name", json!("a\nb")),
            ("display_name", json!("n".repeat(201))),
            ("is_active", json!("true")),
            ("is_active", json!(1)),
        ] {
            let mut body = json!({ "user_sub": "hr-1" });
            body[member] = value;
            app.post_by(&pair, path, &body).await.is_invalid(member);
        }
        let raw = async |kind: &str, body: &str| {
            let request = pair.dress(app.request(reqwest::Method::POST, path)).header("content-type", kind);
            app.send(request.body(body.to_owned())).await
        };
        for body in
            ["{", "[]", "null", "\"a\"", r#"{"user_sub":"a","user_sub":"b"}"#, "{'a':1}", r#"{"user_sub":"\ud800"}"#]
        {
            raw("application/json", body).await.is_invalid("body");
        }
        raw("text/plain", "{}").await.is_detail(415, "unsupported_media_type");
        let large = format!("{{\"user_sub\":\"{}\"}}", "a".repeat(app.config.http.max_body as usize));
        raw("application/json", &large).await.is_detail(413, "payload_too_large");
    }
    assert_eq!(app.get_by(&pair, "/internal/members").await.body(200)["total"], 1, "nobody was made");
}

async fn our_own_ids_are_subs(app: TestApp) {
    let pair = app.api_client().await;
    let user = app.user("ann@example.org", "open sesame").await;
    let body = json!({ "user_sub": user.id.to_string(), "display_name": "Ann" });
    let told = app.post_by(&pair, UPSERT, &body).await.body(200);
    assert_eq!((&told["id"], &told["user_sub"]), (&json!(user.id.uuid().to_string()), &json!(user.id.to_string())));
    app.get_by(&pair, &format!("/internal/permissions/{}/snapshot", user.id)).await.expect(200);
    let nobody = "usr_00000000000000000000000000000000";
    app.post_by(&pair, UPSERT, &json!({ "user_sub": nobody })).await.is_detail(404, "user_not_found");
    app.get_by(&pair, &format!("/internal/permissions/{nobody}/snapshot")).await.is_detail(404, "user_not_found");
}

async fn a_disabled_user_is_out_at_once(app: TestApp) {
    let pair = app.api_client().await;
    app.user("ann@example.org", "open sesame").await;
    let people = app.password_app("openid profile email").await;
    let granted = app.sign_in(&people, "ann@example.org", "open sesame").await.expect(200);
    let [there, here] = app.copies().await;
    let sub = there.get_as(&granted.str("access_token"), "/me").await.expect(200).str("sub");
    let off = json!({ "user_sub": sub, "is_active": false });
    assert_eq!(here.post_by(&pair, UPSERT, &off).await.body(200)["is_active"], false);
    within(Duration::from_millis(1200), "a disabled user", async || {
        there.get_as(&granted.str("access_token"), "/me").await.status == 401
    })
    .await;
    there.refresh(&people, &granted.str("refresh_token")).await.is_oauth_error(400, "invalid_grant");
    here.sign_in(&people, "ann@example.org", "open sesame").await.is_oauth_error(400, "invalid_grant");
    here.post_by(&pair, UPSERT, &json!({ "user_sub": sub, "is_active": true })).await.expect(200);
    there.refresh(&people, &granted.str("refresh_token")).await.is_oauth_error(400, "invalid_grant");
    here.sign_in(&people, "ann@example.org", "open sesame").await.expect(200);
}

async fn an_administrator_s_names_are_not_a_system_s_to_change(app: TestApp) {
    let pair = app.api_client().await;
    let admin = users::find_by_identifier(&app.ctx().await, ADMIN_EMAIL).await.unwrap();
    let sub = admin.id.to_string();
    let taken_over = json!({ "user_sub": sub, "email": "mallory@example.org" });
    app.post_by(&pair, UPSERT, &taken_over).await.is_detail(403, "not_allowed");
    let last = json!({ "user_sub": sub, "is_active": false });
    app.post_by(&pair, UPSERT, &last).await.is_detail(403, "not_allowed");
    app.post_by(&pair, UPSERT, &json!({ "user_sub": sub, "display_name": "The admin" })).await.expect(200);
    app.admin_token().await;
}

async fn ensure_tells_what_became_of_it(app: TestApp) {
    let pair = app.api_client().await;
    for (path, sub) in [("/internal/idp/users/ensure", "a"), ("/internal/authentik/users/ensure", "b")] {
        let body = json!({ "user_sub": sub, "username": format!("name-{sub}") });
        let made = app.post_by(&pair, path, &body).await.body(200);
        let id = app.post_by(&pair, UPSERT, &json!({ "user_sub": sub })).await.body(200)["id"].clone();
        assert_eq!(made, json!({ "idp_user_id": id, "action": "created" }));
        assert_eq!(app.post_by(&pair, path, &body).await.body(200), json!({ "idp_user_id": id, "action": "updated" }));
    }
    let app = app.restart_with(|config| config.provisioning.ensure_users = false).await;
    for path in ["/internal/idp/users/ensure", "/internal/authentik/users/ensure"] {
        let answer = app.post_by(&pair, path, &json!({ "user_sub": "c" })).await;
        answer.is_detail(503, "authentik_admin_not_configured");
    }
}

async fn grant(app: &TestApp, pair: &KeyPair, sub: &str, scope: (&str, &str), module: &str, action: &str) {
    let body = json!({ "authentik_sub": sub, "scope_type": scope.0, "scope_id": scope.1, "module": module,
        "action": action });
    app.post_by(pair, "/admin/permissions/grant", &body).await.expect(200);
    app.advance(Duration::from_secs(1));
}

async fn snapshot(app: &TestApp, pair: &KeyPair, sub: &str) -> Value {
    let body = app.get_by(pair, &format!("/internal/permissions/{sub}/snapshot")).await.body(200);
    assert_eq!((members(&body), &body["user_sub"]), (vec!["permissions", "user_sub"], &json!(sub)));
    body["permissions"].clone()
}

async fn a_snapshot_merges_actions(app: TestApp) {
    let pair = app.api_client().await;
    let sales = system(&app, "Sales").await;
    let (campaigns, acme) = (module(&app, &sales, "Campaigns").await, company(&app, "Acme").await);
    let taipei = site(&app, &acme, "Taipei").await;
    app.get_by(&pair, "/internal/permissions/ann/snapshot").await.is_detail(404, "user_not_found");
    app.post_by(&pair, UPSERT, &json!({ "user_sub": "ann" })).await.expect(200);
    assert_eq!(snapshot(&app, &pair, "ann").await, json!([]));
    grant(&app, &pair, "ann", ("site", &taipei.key), &campaigns.key, "view").await;
    grant(&app, &pair, "ann", ("company", &acme.key), &campaigns.key, "approve").await;
    grant(&app, &pair, "ann", ("site", "nowhere"), "thing", "view").await;
    grant(&app, &pair, "ann", ("site", &taipei.key), &campaigns.key, "edit").await;
    let expected = json!([
        { "scope_type": "site", "scope_id": taipei.key, "system": sales.key, "module": campaigns.key,
          "actions": ["view", "edit"] },
        { "scope_type": "company", "scope_id": acme.key, "system": sales.key, "module": campaigns.key,
          "actions": ["approve"] },
        { "scope_type": "site", "scope_id": "nowhere", "system": null, "module": "thing", "actions": ["view"] },
    ]);
    assert_eq!(snapshot(&app, &pair, "ann").await, expected);
}

async fn what_is_inactive_contributes_nothing(app: TestApp) {
    let pair = app.api_client().await;
    let sales = system(&app, "Sales").await;
    let (campaigns, acme) = (module(&app, &sales, "Campaigns").await, company(&app, "Acme").await);
    let taipei = site(&app, &acme, "Taipei").await;
    grant(&app, &pair, "ann", ("site", &taipei.key), &campaigns.key, "view").await;
    grant(&app, &pair, "ann", ("company", &acme.key), "thing", "view").await;
    let whole = snapshot(&app, &pair, "ann").await;
    assert_eq!(whole.as_array().unwrap().len(), 2);
    let ctx = app.ctx().await;
    let set = |enabled| EntryChange { enabled: Some(enabled), ..EntryChange::default() };
    let set_company = |enabled| OrganizationChange { enabled: Some(enabled), ..OrganizationChange::default() };
    let left = async |n: usize, what: &str| {
        let rows = snapshot(&app, &pair, "ann").await;
        assert_eq!(rows.as_array().unwrap().len(), n, "{what}: {rows}");
    };
    for (enabled, others) in [(false, 1), (true, 2)] {
        catalogue::change::<System>(&ctx, sales.id, &set(enabled)).await.unwrap();
        left(others, "system").await;
    }
    for (enabled, others) in [(false, 1), (true, 2)] {
        catalogue::change::<Module>(&ctx, campaigns.id, &set(enabled)).await.unwrap();
        left(others, "module").await;
    }
    for (enabled, others) in [(false, 1), (true, 2)] {
        catalogue::change::<Site>(&ctx, taipei.id, &set(enabled)).await.unwrap();
        left(others, "site").await;
    }
    for (enabled, others) in [(false, 0), (true, 2)] {
        organizations::update(&ctx, acme.id, &set_company(enabled)).await.unwrap();
        left(others, "company, and with it its site").await;
    }
    for (enabled, others) in [(false, 0), (true, 2)] {
        app.post_by(&pair, UPSERT, &json!({ "user_sub": "ann", "is_active": enabled })).await.expect(200);
        left(others, "user").await;
    }
    assert_eq!(snapshot(&app, &pair, "ann").await, whole);
}

async fn odd_requests_are_refused_in_shape(app: TestApp) {
    let pair = app.api_client().await;
    app.get_by(&pair, "/internal/nothing").await.is_detail(404, "not_found");
    app.get_by(&pair, "/internal").await.is_detail(404, "not_found");
    let wrong = app.get_by(&pair, UPSERT).await;
    wrong.is_detail(405, "method_not_allowed");
    assert_eq!(wrong.header("allow"), Some("POST"));
    assert_eq!(app.get("/internal/a//b").await.status, 400);
    // Who has no key pair learns nothing of what there is.
    for path in ["/internal/nothing", UPSERT, "/internal/systems"] {
        app.get(path).await.is_detail(401, "invalid_client");
    }
}

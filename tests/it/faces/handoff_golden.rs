//! What `handoff.md` and `member.md` write, letter by letter: every answer's members, in their order.

use gatehouse::domain::catalogue::{self, NewEntry};
use gatehouse::domain::organizations::{self, NewOrganization};
use serde_json::{Value, json};

use crate::support::{KeyPair, TestApp, both_engines};

both_engines!(
    the_catalogue_is_written_like_this,
    people_are_written_like_this,
    permissions_are_written_like_this,
    refusals_are_written_like_this,
);

async fn post(app: &TestApp, pair: &KeyPair, path: &str, body: &Value) -> String {
    app.post_by(pair, path, body).await.expect(200).text
}

async fn get(app: &TestApp, pair: &KeyPair, path: &str) -> String {
    app.get_by(pair, path).await.expect(200).text
}

/// A list that holds one item whole.
fn only(item: &str, limit: u64) -> String {
    format!(r#"{{"items":[{item}],"total":1,"limit":{limit},"offset":0}}"#)
}

async fn the_catalogue_is_written_like_this(app: TestApp) {
    let (pair, ctx) = (app.api_client().await, app.ctx().await);
    let entry = |name| NewEntry { name, code: None };
    let system = catalogue::add_system(&ctx, entry("Sales")).await.unwrap();
    let module = catalogue::add_module(&ctx, system.id, entry("Campaigns")).await.unwrap();
    let company = NewOrganization { name: "Acme", ..NewOrganization::default() };
    let company = organizations::create(&ctx, &company).await.unwrap();
    let site = catalogue::add_site(&ctx, company.id, entry("Taipei")).await.unwrap();
    let (ours, theirs) = (&system.key, &company.key);
    for (list, limit, id, keys, name) in [
        ("systems", 200, system.id.uuid(), format!(r#""system_key":"{ours}""#), "Sales"),
        (
            "modules",
            500,
            module.id.uuid(),
            format!(r#""module_key":"{}","system_key":"{ours}""#, module.key),
            "Campaigns",
        ),
        ("companies", 500, company.id.uuid(), format!(r#""company_key":"{theirs}""#), "Acme"),
        ("sites", 500, site.id.uuid(), format!(r#""site_key":"{}","company_key":"{theirs}""#, site.key), "Taipei"),
    ] {
        let item = format!(r#"{{"id":"{id}",{keys},"name":"{name}","status":"active"}}"#);
        assert_eq!(get(&app, &pair, &format!("/internal/{list}")).await, only(&item, limit));
    }
}

async fn people_are_written_like_this(app: TestApp) {
    let pair = app.api_client().await;
    let body = json!({ "user_sub": "hr-1", "username": "ann", "email": "Ann@example.org", "display_name": "Ann" });
    let made = post(&app, &pair, "/internal/users/upsert-by-sub", &body).await;
    let id = made.get(7..43).unwrap();
    let rest = r#""username":"ann","email":"Ann@example.org","display_name":"Ann","is_active":true}"#;
    assert_eq!(made, format!(r#"{{"id":"{id}","user_sub":"hr-1","idp_user_id":"{id}",{rest}"#));
    let listed = get(&app, &pair, "/internal/members?keyword=ann@").await;
    assert_eq!(listed, only(&format!(r#"{{"id":"{id}","user_sub":"hr-1",{rest}"#), 500));
    for path in ["/internal/idp/users/ensure", "/internal/authentik/users/ensure"] {
        let ensured = post(&app, &pair, path, &body).await;
        assert_eq!(ensured, format!(r#"{{"idp_user_id":"{id}","action":"updated"}}"#));
    }
    let user = app.user("bob@example.org", "open sesame").await;
    let signed_in = json!({ "username": "bob@example.org", "password": "open sesame" });
    let answer = app.post("", "/auth/login", &signed_in).await.expect(200);
    let token = answer.str("access_token");
    let rest = r#""token_type":"Bearer","expires_in":3600,"scope":"openid profile email"}"#;
    assert_eq!(answer.text, format!(r#"{{"access_token":"{token}",{rest}"#));
    let me = format!(r#"{{"sub":"{}","email":"bob@example.org","display_name":"Someone"}}"#, user.id);
    assert_eq!(app.get_as(&token, "/me").await.expect(200).text, me);
    assert_eq!(app.get("/healthz").await.expect(200).text, r#"{"status":"ok"}"#);
}

async fn permissions_are_written_like_this(app: TestApp) {
    let pair = app.api_client().await;
    let user = app.user("bob@example.org", "open sesame").await.id;
    let wish = json!({ "authentik_sub": user.to_string(), "email": "bob@example.org", "display_name": "Bob",
        "scope_type": "site", "scope_id": "tw-main", "module": "campaign", "action": "view" });
    let granted = post(&app, &pair, "/admin/permissions/grant", &wish).await;
    let id = granted.get(18..54).unwrap();
    assert_eq!(granted, format!(r#"{{"permission_id":"{id}","result":"granted"}}"#));
    let place = r#""scope_type":"site","scope_id":"tw-main""#;
    let merged = format!(
        r#"{{"user_sub":"{user}","permissions":[{{{place},"system":null,"module":"campaign","actions":["view"]}}]}}"#
    );
    assert_eq!(get(&app, &pair, &format!("/internal/permissions/{user}/snapshot")).await, merged);
    let signed_in = json!({ "username": "bob@example.org", "password": "open sesame" });
    let token = app.post("", "/auth/login", &signed_in).await.expect(200).str("access_token");
    let single =
        format!(r#"{{"authentik_sub":"{user}","permissions":[{{{place},"module":"campaign","action":"view"}}]}}"#);
    assert_eq!(app.get_as(&token, "/me/permissions/snapshot").await.expect(200).text, single);
    for deleted in [1, 0] {
        let revoked = post(&app, &pair, "/admin/permissions/revoke", &wish).await;
        assert_eq!(revoked, format!(r#"{{"deleted":{deleted},"result":"revoked"}}"#));
    }
}

async fn refusals_are_written_like_this(app: TestApp) {
    let none = app.get("/internal/systems").await;
    assert_eq!((none.status, &*none.text), (503, r#"{"detail":"internal_secret_not_configured"}"#));
    let pair = app.api_client().await;
    let unknown = app.get("/internal/systems").await;
    assert_eq!((unknown.status, &*unknown.text), (401, r#"{"detail":"invalid_client"}"#));
    let bad = app.get_by(&pair, "/internal/systems?limit=0").await;
    let why = r#"{"detail":"validation_error","fields":{"limit":"must be a whole number from 1 to 1000"}}"#;
    assert_eq!((bad.status, &*bad.text), (422, why));
    let token = app.get("/me").await;
    assert_eq!((token.status, &*token.text), (401, r#"{"detail":"missing_bearer_token"}"#));
}

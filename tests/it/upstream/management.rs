//! Connections over the management API: made, shown without their secret, tried out, changed by whom it
//! behoves.

use gatehouse::domain::access::Powers;
use gatehouse::domain::identities::{self, Claimed};
use gatehouse::domain::roles::{self, NewRole};
use gatehouse::domain::users;
use gatehouse::model::role::RoleScope;
use reqwest::Method;
use serde_json::{Value, json};

use super::provider::{Provider, SECRET, start};
use crate::support::{ADMIN_EMAIL, Answer, Browser, Setup, TestApp, both_engines};

both_engines!(
    a_connection_lives_from_its_making_to_its_end,
    whom_a_connection_believes_changes_who_is_above_those_who_come_by_it,
    nobody_gives_by_a_connection_what_they_lack,
);

const CONNECTIONS: &str = "/api/admin/v1/connections";

async fn send(app: &TestApp, token: &str, method: Method, path: &str, body: &Value) -> Answer {
    app.send(app.request(method, path).bearer_auth(token).json(body)).await
}

fn oidc(provider: &Provider) -> Value {
    json!({ "kind": "oidc", "issuer": provider.issuer(), "client_id": "gatehouse" })
}

async fn a_connection_lives_from_its_making_to_its_end(setup: Setup) {
    let (app, provider) = (start(&setup).await, Provider::start().await);
    let token = app.service_token("tenant:read tenant:write").await;
    let new = json!({
        "name": "Example", "provider": oidc(&provider), "client_secret": SECRET, "domains": ["Example.ORG"],
        "settings": { "mapping": { "role": "groups" } },
    });
    let made = app.post(&token, CONNECTIONS, &new).await.body(201);
    assert_eq!((&made["kind"], &made["has_secret"]), (&json!("oidc"), &json!(true)));
    assert_eq!((&made["domains"], &made["settings"]["just_in_time"]), (&json!(["example.org"]), &json!(true)));
    assert!(!made.to_string().contains(SECRET));
    let id = made["id"].as_str().unwrap();
    let callback = format!("{}/login/with/{id}/callback", app.base);
    assert_eq!(made["redirect_uri"], callback.as_str());
    let path = format!("{CONNECTIONS}/{id}");
    assert_eq!(app.get_as(&token, &path).await.body(200), made);
    assert_eq!(app.get_as(&token, CONNECTIONS).await.body(200)["items"], json!([made]));
    assert_eq!(app.post(&token, CONNECTIONS, &new).await.status, 409, "the domain leads elsewhere");

    let off = send(&app, &token, Method::PATCH, &path, &json!({ "enabled": false })).await.body(200);
    assert_eq!(off["enabled"], false);
    assert_eq!(Browser::new(&app).open(&format!("/login/with/{id}")).await.status, 404);
    let wrong: &[Value] = &[
        json!({ "provider": { "kind": "oauth2" } }),
        json!({ "provider": { "kind": "saml", "metadata": "<x/>" } }),
        json!({ "provider": { "kind": "oidc", "issuer": "nothing", "client_id": "x" } }),
        json!({ "settings": { "just_in_time": "yes" } }),
        json!({ "settings": { "mapping": { "subject": "a\u{0}" } } }),
        json!({ "domains": ["not a domain"] }),
        json!({ "name": null }),
        json!({ "nothing": 1 }),
    ];
    for body in wrong {
        let answer = send(&app, &token, Method::PATCH, &path, body).await;
        assert_eq!(answer.status, 400, "{body}: {}", answer.text);
    }
    send(&app, &token, Method::DELETE, &path, &json!({})).await.expect(204);
    assert_eq!(app.get_as(&token, &path).await.status, 404);
    let reads = app.service_token("tenant:read").await;
    assert_eq!(app.post(&reads, CONNECTIONS, &new).await.status, 403);
}

async fn whom_a_connection_believes_changes_who_is_above_those_who_come_by_it(setup: Setup) {
    let (app, provider) = (start(&setup).await, Provider::start().await);
    let connection = provider.connection(&app, gatehouse::model::connection::ConnectionSettings::default()).await;
    let ctx = app.ctx().await;
    let admin = users::find_by_identifier(&ctx, ADMIN_EMAIL).await.unwrap();
    let claimed = Claimed { subject: "the boss".to_owned(), ..Claimed::default() };
    identities::link(&ctx, admin.id, &connection, &claimed).await.unwrap();
    let path = format!("{CONNECTIONS}/{}", connection.id);
    let token = app.service_token("tenant:read tenant:write").await;
    let evil = json!({ "provider": { "kind": "oidc", "issuer": "https://evil.example", "client_id": "gatehouse" } });
    let mapping = json!({ "settings": { "mapping": { "subject": "nickname" } } });
    let factor = json!({ "settings": { "trusts_second_factor": true } });
    for body in [evil, mapping, factor] {
        assert_eq!(send(&app, &token, Method::PATCH, &path, &body).await.status, 403, "{body}");
    }
    send(&app, &token, Method::PATCH, &path, &json!({ "name": "Another name" })).await.expect(200);
}

async fn nobody_gives_by_a_connection_what_they_lack(setup: Setup) {
    let (app, provider) = (start(&setup).await, Provider::start().await);
    let (ctx, operator) = (app.ctx().await, Powers::operator());
    let reader = NewRole {
        code: "READER".parse().unwrap(),
        name: "Reader".to_owned(),
        description: None,
        scope: RoleScope::Tenant,
        is_system: false,
    };
    let reader = roles::create(&ctx, &operator, reader).await.unwrap();
    roles::add_permissions(&ctx, &operator, &reader.id, vec!["PERM_USER_READ".parse().unwrap()]).await.unwrap();
    let lesser = app.service_token("tenant:read tenant:write").await;
    let fitting = app.service_token("tenant:read tenant:write user:read").await;
    let giving = |code: &str| json!({ "mapping": { "role": "groups", "roles": { "staff": code } } });
    let new = |code: &str| json!({ "name": "Example", "provider": oidc(&provider), "settings": giving(code) });
    for (token, code, status) in
        [(&lesser, "READER", 403), (&fitting, "super_admin", 403), (&fitting, "admin", 403), (&fitting, "NOBODY", 404)]
    {
        assert_eq!(app.post(token, CONNECTIONS, &new(code)).await.status, status, "{code}");
    }
    let made = app.post(&fitting, CONNECTIONS, &new("READER")).await.body(201);
    let path = format!("{CONNECTIONS}/{}", made["id"].as_str().unwrap());
    let plain =
        app.post(&lesser, CONNECTIONS, &json!({ "name": "Plain", "provider": oidc(&provider) })).await.body(201);
    let other = format!("{CONNECTIONS}/{}", plain["id"].as_str().unwrap());
    let change =
        async |token: &str, path: &str, body: Value| send(&app, token, Method::PATCH, path, &body).await.status;
    assert_eq!(change(&lesser, &other, json!({ "settings": giving("READER") })).await, 403);
    // Whoever could remove it may switch it off and name it, but not on.
    assert_eq!(change(&lesser, &path, json!({ "name": "Other", "enabled": false })).await, 200);
    assert_eq!(change(&lesser, &path, json!({ "enabled": true })).await, 403);
    assert_eq!(change(&fitting, &path, json!({ "enabled": true })).await, 200);
}

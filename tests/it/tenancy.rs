//! One tenant cannot see, change or learn of anything of another's: what belongs to somebody else
//! answers byte for byte like what never existed.

use std::collections::BTreeSet;

use gatehouse::http::mount::{Endpoint, routes};
use gatehouse::telemetry::Surface;
use reqwest::header::AUTHORIZATION;
use serde_json::{Value, json};

use crate::support::routes::{Caller, Input, Known, LookedAfter, PASSWORD, World, known};
use crate::support::{Answer, TestApp, both_engines, claims_of, header_of};

both_engines!(
    what_is_another_s_does_not_exist,
    lists_hold_what_is_one_s_own,
    clients_and_tokens_count_at_their_own_issuer,
    keys_are_each_tenant_s_own,
    one_address_is_an_account_in_each_tenant,
    the_default_tenant_has_one_name,
);

/// The same world with objects that never existed.
fn ghost_of(world: &World) -> World {
    let mut ghost = world.clone();
    let id = |prefix: &str| format!("{prefix}_{}", "0123456789abcdef".repeat(2));
    ghost.tenant_id = id("tnt");
    ghost.user_id = id("usr");
    ghost.service.id = id("svc");
    ghost.other_service.id = id("svc");
    ghost.email = "nobody@example.org".to_owned();
    ghost.access_token = "eyJhbGciOiJFUzI1NiJ9.e30.AAAA".to_owned();
    ghost.service_token.clone_from(&ghost.access_token);
    ghost.user_token.clone_from(&ghost.access_token);
    ghost.refresh_token = "gh_rt_nothing".to_owned();
    ghost.public_refresh_tokens.fill(ghost.refresh_token.clone());
    ghost.role_id = "ROLE_NOBODY".to_owned();
    ghost.idle_role_id.clone_from(&ghost.role_id);
    ghost.permission_id = "PERM_NOTHING".to_owned();
    ghost.idle_permission_id.clone_from(&ghost.permission_id);
    ghost.looked_after = LookedAfter::default();
    ghost
}

/// A request of one world's caller about another world's objects.
async fn ask(app: &TestApp, endpoint: &Endpoint, caller: &World, objects: &World) -> Answer {
    let Known { input, path, caller: kind, .. } = known(endpoint, objects);
    let prefix = if endpoint.per_tenant { caller.prefix.as_str() } else { "" };
    // Where the path names no object, the query names the tenant.
    let names_tenant = endpoint.surface == Surface::Admin && path == endpoint.path;
    let query = if names_tenant { format!("?tenant_id={}", objects.tenant_id) } else { String::new() };
    let mut request = app.request(endpoint.method.as_str().parse().unwrap(), &format!("{prefix}{path}{query}"));
    let own = known(endpoint, caller).authorization(caller);
    // Whoever may call without anything is asked as a service: it is told no more for that.
    let as_service = || Some(format!("Bearer {}", caller.service_token));
    if let Some(value) = own.or_else(|| (kind == Caller::Anybody).then(as_service).flatten()) {
        request = request.header(AUTHORIZATION, value);
    }
    let request = match input {
        Input::Nothing => request,
        Input::Json(body) => request.json(&body),
        Input::Forms(forms) => request.form(forms.last().unwrap()),
    };
    app.send(request).await
}

/// Everything of an answer but what differs from one to the next.
fn told(answer: &Answer) -> (u16, Vec<String>, String) {
    let mut headers: Vec<String> = answer
        .headers
        .iter()
        // A connection whose request was not read to its end is closed, read or not.
        .filter(|(name, _)| !["date", "x-request-id", "connection"].contains(&name.as_str()))
        .map(|(name, value)| format!("{name}: {value:?}"))
        .collect();
    headers.sort();
    let own = answer.header("x-request-id").unwrap_or_default();
    (answer.status, headers, answer.text.replace(own, ""))
}

/// Every row that belongs to a tenant, but those of its keys, which a job makes ahead.
async fn rows_of(app: &TestApp, tenant: &str) -> BTreeSet<String> {
    let plain = tenant.trim_start_matches("tnt_").to_owned();
    let dashed = uuid::Uuid::parse_str(&plain).unwrap().to_string();
    let sql = app.sql().await;
    let rows = sql.dump(&["signing_keys", "changes", "leases"]).await;
    sql.close().await;
    let own =
        |row: &String| (row.to_lowercase().contains(&plain) || row.contains(&dashed)) && !row.contains("key.publish");
    rows.into_iter().filter(own).collect()
}

async fn what_is_another_s_does_not_exist(app: TestApp) {
    let (a, b) = (World::new(&app, "A").await, World::new(&app, "B").await.furnished(&app).await);
    let ghost = ghost_of(&b);
    let before = rows_of(&app, &b.tenant_id).await;
    assert!(before.len() > 5, "{before:?}");
    let mut asked = 0;
    for endpoint in routes() {
        // What everybody may know of a tenant, and what is made anew.
        let open = [
            "tenants.show",
            "tenants.create",
            "workspaces.create",
            "auth.register",
            "services.register",
            "users.register",
            "par.par",
            "device.device_authorization",
            // A token's holder is told what it is worth, whosever it is.
            "tokens.validate_token",
        ];
        let public = endpoint.path.starts_with("/.well-known/");
        if public || open.contains(&endpoint.name) || ["operator", "pages"].contains(&endpoint.surface.as_str()) {
            continue;
        }
        if known(&endpoint, &a).caller.is_apart() {
            continue;
        }
        asked += 1;
        let what = format!("{} {}", endpoint.method, endpoint.path);
        let (of_another, of_nobody) = (ask(&app, &endpoint, &a, &b).await, ask(&app, &endpoint, &a, &ghost).await);
        assert_eq!(told(&of_another), told(&of_nobody), "{what}");
        // RFC 7009 §2.2 and RFC 7662 §2.2 answer 200 to a token that is none; lists have no object.
        let no_object =
            known(&endpoint, &a).path == endpoint.path && matches!(known(&endpoint, &a).input, Input::Nothing);
        let verdict = ["introspect.introspect", "revoke.revoke", "services.validate_token"].contains(&endpoint.name);
        match of_another.status {
            200 if no_object => {}
            200 if verdict => assert!(!of_another.text.contains("true"), "{what}: {of_another:?}"),
            200 => panic!("{what}: {of_another:?}"),
            status => assert!((400..500).contains(&status), "{what}: {of_another:?}"),
        }
        for secret in [&b.user_id, &b.email, &b.tenant_id, &b.service.id, &b.other_service.id, &b.app.id] {
            assert!(!of_another.text.contains(secret.as_str()), "{what} told of {secret}: {of_another:?}");
        }
    }
    assert!(asked > 15, "{asked} routes");
    let after = rows_of(&app, &b.tenant_id).await;
    let changed: Vec<&String> = before.symmetric_difference(&after).collect();
    assert!(changed.is_empty(), "{changed:#?}");
    // Nothing of it was lost either.
    app.get_as(&b.user_token, "/v1/users/me").await.expect(200);
    app.get_as(&b.service_token, "/v1/internal/services").await.expect(200);
    let refresh = [("grant_type", "refresh_token"), ("refresh_token", b.refresh_token.as_str())];
    app.basic(&format!("{}/oauth/token", b.prefix), &b.app.id, &b.app.secret, &refresh).await.expect(200);
}

fn texts(list: &Value, member: &str) -> BTreeSet<String> {
    list.as_array().unwrap().iter().map(|item| item[member].as_str().unwrap().to_owned()).collect()
}

async fn lists_hold_what_is_one_s_own(app: TestApp) {
    let (a, b) = (World::new(&app, "A").await, World::new(&app, "B").await);
    let set = |ids: &[&String]| ids.iter().map(|id| (*id).clone()).collect::<BTreeSet<String>>();
    for (own, other) in [(&a, &b), (&b, &a)] {
        let users = app.get_as(&own.secret_key, "/v1/users").await.body(200);
        assert_eq!(texts(&users["users"], "id"), set(&[&own.user_id]));
        let users = app.get_as(&own.service_token, "/api/internal/users?per_page=100").await.body(200);
        assert_eq!(texts(&users["users"], "id"), set(&[&own.user_id]));
        assert_eq!(users["total"], 1);
        let tenants = app.get_as(&own.service_token, "/api/internal/tenants").await.body(200);
        assert_eq!((texts(&tenants["tenants"], "id"), &tenants["total"]), (set(&[&own.tenant_id]), &json!(1)));
        for path in ["/v1/internal/services", "/api/internal/admin/services"] {
            let services = app.get_as(&own.service_token, path).await.body(200);
            assert_eq!(texts(&services["services"], "client_id"), set(&[&own.service.id, &own.other_service.id]));
        }
        // Narrowed to itself, to another, to nobody; looked for by the other's address.
        let narrowed = |id: &str| format!("/api/internal/users?tenant_id={id}");
        app.get_as(&own.service_token, &narrowed(&own.tenant_id)).await.expect(200);
        let of_another = app.get_as(&own.service_token, &narrowed(&other.tenant_id)).await;
        let of_nobody = app.get_as(&own.service_token, &narrowed(&ghost_of(other).tenant_id)).await;
        assert_eq!(told(&of_another), told(&of_nobody));
        of_another.is_error(404, "tenant not found");
        let found =
            app.get_as(&own.service_token, &format!("/api/internal/users?search={}", other.email)).await.body(200);
        assert_eq!((&found["total"], found["users"].as_array().unwrap().len()), (&json!(0), 0));
    }
    // A list goes on after what it showed, wherever the cursor was made.
    let cursor = gatehouse::crypto::digest::base64url(
        uuid::Uuid::parse_str(b.user_id.trim_start_matches("usr_")).unwrap().as_bytes(),
    );
    let page = app.get_as(&a.secret_key, &format!("/v1/users?cursor={cursor}")).await;
    assert!(!page.text.contains(&b.user_id), "{page:?}");
    // The control plane sees all, and narrows.
    let control = World::default(&app).await;
    let all = app.get_as(&control.service_token, "/api/internal/users?per_page=100").await.body(200);
    assert!(texts(&all["users"], "id").is_superset(&set(&[&a.user_id, &b.user_id])), "{all}");
    let path = format!("/api/internal/users?tenant_id={}", a.tenant_id);
    let narrowed = app.get_as(&control.service_token, &path).await.body(200);
    assert_eq!(texts(&narrowed["users"], "id"), set(&[&a.user_id]));
}

async fn clients_and_tokens_count_at_their_own_issuer(app: TestApp) {
    let (a, b, default) = (World::new(&app, "A").await, World::new(&app, "B").await, World::default(&app).await);
    let worlds = [&a, &b, &default];
    for (here, own) in worlds.iter().enumerate() {
        for (there, other) in worlds.iter().enumerate() {
            let path = |end: &str| format!("{}/oauth/{end}", other.prefix);
            let grant = [("grant_type", "client_credentials")];
            let answer = app.basic(&path("token"), &own.service.id, &own.service.secret, &grant).await;
            if here == there {
                answer.expect(200);
                continue;
            }
            answer.is_oauth_error(401, "invalid_client");
            assert_eq!(answer.json()["error_description"], "Client not found");
            for end in ["introspect", "revoke"] {
                let fields = [("token", own.access_token.as_str())];
                app.basic(&path(end), &own.app.id, &own.app.secret, &fields)
                    .await
                    .is_oauth_error(401, "invalid_client");
                // Also one that may see every token of its tenant sees none of another's.
                let answer = app.basic(&path(end), &other.service.id, &other.service.secret, &fields).await.expect(200);
                assert!(end == "revoke" || answer.json() == json!({ "active": false }), "{answer:?}");
            }
            let refresh = [("grant_type", "refresh_token"), ("refresh_token", own.refresh_token.as_str())];
            app.basic(&path("token"), &other.app.id, &other.app.secret, &refresh)
                .await
                .is_oauth_error(400, "invalid_grant");
            let password = [("grant_type", "password"), ("username", own.email.as_str()), ("password", PASSWORD)];
            app.basic(&path("token"), &other.app.id, &other.app.secret, &password)
                .await
                .is_oauth_error(400, "invalid_grant");
            // A service that looks at a token sees it as none.
            let body = json!({ "token": own.service_token });
            let verdict = app.post(&other.service_token, "/v1/internal/services/validate-token", &body).await;
            assert_eq!(verdict.body(200), json!({ "valid": false }));
        }
    }
    // All of that ended nothing.
    for world in worlds {
        let path = format!("{}/oauth/introspect", world.prefix);
        for token in [&world.access_token, &world.refresh_token] {
            let fields = [("token", token.as_str())];
            let seen = app.basic(&path, &world.app.id, &world.app.secret, &fields).await.body(200);
            assert_eq!(seen["active"], true, "{seen}");
        }
    }
}

async fn keys_are_each_tenant_s_own(app: TestApp) {
    let (a, b, default) = (World::new(&app, "A").await, World::new(&app, "B").await, World::default(&app).await);
    let mut seen: BTreeSet<String> = BTreeSet::new();
    for world in [&a, &b, &default] {
        let metadata = app.get(&format!("{}/.well-known/openid-configuration", world.prefix)).await.body(200);
        let issuer = format!("{}{}", app.base, world.prefix);
        assert_eq!(metadata["issuer"], issuer.as_str());
        let jwks = app.get(&format!("{}/.well-known/jwks.json", world.prefix)).await.body(200);
        let kids = texts(&jwks["keys"], "kid");
        assert!(!kids.is_empty() && kids.is_disjoint(&seen), "{kids:?}");
        for token in [&world.access_token, &world.service_token, &world.user_token] {
            assert!(kids.contains(header_of(token)["kid"].as_str().unwrap()));
            assert_eq!(claims_of(token)["iss"], issuer.as_str());
            assert_eq!(claims_of(token)["tenant_id"], world.tenant_id.as_str());
        }
        seen.extend(kids);
    }
}

async fn one_address_is_an_account_in_each_tenant(app: TestApp) {
    let (a, b) = (app.tenant("A").await, app.tenant("B").await);
    let email = "twice@example.org";
    let (id_a, _) = app.tenant_user(&a, email, "the password of A").await;
    let (id_b, _) = app.tenant_user(&b, email, "the password of B").await;
    assert_ne!(id_a, id_b);
    let login = async |key: &str, password: &str| {
        app.post(key, "/v1/auth/login", &json!({ "email": email, "password": password })).await
    };
    login(&a.public, "the password of B").await.is_error(401, "invalid email or password");
    login(&b.public, "the password of A").await.is_error(401, "invalid email or password");
    // One is locked out, the other is not.
    for _ in 0..app.config.lockout.failures {
        login(&a.public, "wrong").await.is_error(401, "invalid email or password");
    }
    login(&a.public, "the password of A").await.is_error(401, "invalid email or password");
    login(&b.public, "the password of B").await.expect(200);
}

async fn the_default_tenant_has_one_name(app: TestApp) {
    let default = World::default(&app).await;
    let ghost = ghost_of(&default);
    for endpoint in routes().iter().filter(|endpoint| endpoint.per_tenant) {
        let at = async |tenant: &str| {
            let path = format!("/t/{tenant}{}", endpoint.path);
            let mut request = app.request(endpoint.method.as_str().parse().unwrap(), &path);
            if endpoint.method.as_str() == "POST" {
                request = request.basic_auth(&default.service.id, Some(&default.service.secret));
                request = request.form(&[("grant_type", "client_credentials"), ("token", "x")]);
            }
            app.send(request).await
        };
        let answer = at(&default.tenant_id).await;
        assert_eq!(answer.status, 404, "{}: {answer:?}", endpoint.path);
        assert_eq!(told(&answer), told(&at(&ghost.tenant_id).await), "{}", endpoint.path);
    }
}

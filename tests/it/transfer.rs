//! Export and import: what goes along, from which engine to which, and what a file can't do.

use std::io::Cursor;
use std::sync::Arc;

use gatehouse::app;
use gatehouse::crypto::sealing::MasterKey;
use gatehouse::domain::access::Powers;
use gatehouse::domain::api_clients::{self, NewApiClient};
use gatehouse::domain::catalogue::{self, NewEntry};
use gatehouse::domain::clients::NewClient;
use gatehouse::domain::connections::{self, NewConnection};
use gatehouse::domain::factors::{passkeys, totp};
use gatehouse::domain::organizations::{self, NewOrganization};
use gatehouse::domain::provisioning::Account;
use gatehouse::domain::transfer::{self, Imported, Wish};
use gatehouse::domain::users::{self, NewPassword};
use gatehouse::domain::{Core, Ctx, Origin, bootstrap, memberships, saml_keys, scoped_grants, tenants};
use gatehouse::model::audit::Actor;
use gatehouse::model::client::AuthMethod;
use gatehouse::model::connection::{ConnectionSettings, Identity, OidcProvider, Provider};
use gatehouse::model::entropy::SeededEntropy;
use gatehouse::model::ids::{OrganizationId, UserId};
use gatehouse::model::organization::MembershipRole;
use gatehouse::model::scoped_grant::{GrantScope, GrantTarget};
use gatehouse::model::secret::Secret;
use gatehouse::model::transfer::OnConflict;
use gatehouse::storage::identities;
use serde_json::{Value, json};

use crate::factors::{with_app, with_passkey};
use crate::support::{Engine, Setup, TestApp, both_engines, by_name, make_user, postgres, register, totp_code};

both_engines!(
    an_installation_is_made_again,
    secrets_stay_behind_unless_asked_for,
    people_from_another_system_sign_in,
    a_refused_file_changes_nothing,
    what_is_there_stays_or_becomes_what_the_file_says,
    a_tenant_goes_into_another_one,
    a_file_reaches_no_other_tenant,
);

const PLAIN: Wish = Wish { into: None, on_conflict: OnConflict::Fail, rehearse: false };
const HEADER: &str = r#"{"gatehouse":"export","version":1}"#;

async fn export(core: &Core, secrets: bool) -> String {
    let mut file = Vec::new();
    transfer::export(core, None, secrets, &mut file).await.unwrap();
    String::from_utf8(file).unwrap()
}

async fn import(core: &Core, file: &str, wish: Wish) -> Result<Imported, String> {
    transfer::import(core, &mut Cursor::new(file.as_bytes()), wish).await.map_err(|why| why.to_string())
}

/// A file of these lines.
fn file(lines: &[Value]) -> String {
    lines.iter().fold(HEADER.to_owned(), |file, line| format!("{file}\n{line}"))
}

/// A database that nobody has set up, under another master key.
async fn empty(setup: &Setup, engine: Engine) -> Arc<Core> {
    static NEXT: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
    let number = NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    let mut config = setup.config();
    config.secrets.master_key = Some(MasterKey::generate(&SeededEntropy::new(7)));
    let url = match engine {
        Engine::Sqlite => format!("sqlite://{}/empty-{number}.db", setup.folder().display()),
        Engine::Postgres => {
            let cluster = postgres::shared().expect("PostgreSQL");
            cluster.administer(&format!("CREATE DATABASE empty{number}"));
            cluster.url(&format!("empty{number}"))
        }
    };
    config.database.url = url.parse().unwrap();
    app::prepare(Arc::new(config), setup.seams()).await.unwrap()
}

async fn ctx(core: &Core) -> Ctx<'_> {
    Ctx::new(core, tenants::default(core).await.unwrap(), Actor::Operator, Origin::default())
}

/// Something of every kind.
async fn furnish(app: &TestApp) -> (String, String) {
    let ctx = app.ctx().await;
    let ann = make_user(&ctx, "Ann@Example.org", NewPassword::Plain("a good password", 8), &["admin".to_owned()]).await;
    let ben = make_user(&ctx, "ben@example.org", NewPassword::Plain("another password", 8), &[]).await;
    let (secret, codes) = with_app(app, &ann).await;
    with_passkey(&ctx, &ben).await;
    register(&ctx, NewClient::service("plain")).await;
    register(&ctx, NewClient { auth_method: AuthMethod::ClientSecretJwt, ..NewClient::service("signs") }).await;
    let company = organizations::create(&ctx, &NewOrganization { name: "Acme", ..Default::default() }).await.unwrap();
    memberships::found(&ctx, ann.id, &NewOrganization { name: "Beta", ..Default::default() }).await.unwrap();
    let entry = |name| NewEntry { name, code: Some(name) };
    let system = catalogue::add_system(&ctx, entry("crm")).await.unwrap();
    catalogue::add_module(&ctx, system.id, entry("orders")).await.unwrap();
    catalogue::add_site(&ctx, company.id, entry("north")).await.unwrap();
    api_clients::create(&ctx, NewApiClient { name: "Portal".to_owned(), ..Default::default() }).await.unwrap();
    elsewhere(&ctx, company.id, ann.id).await;
    let target = |scope: &str, action: &str| GrantTarget {
        scope_type: GrantScope::Site,
        scope: scope.to_owned(),
        module: "orders".to_owned(),
        action: action.to_owned(),
    };
    let sub = ann.id.to_string();
    for (scope, action) in [("north", "read"), ("north", "write"), ("elsewhere", "read")] {
        let to = Account { sub: &sub, ..Account::default() };
        scoped_grants::grant(&ctx, to, target(scope, action)).await.unwrap();
    }
    let tenant = app.tenant("Other").await;
    app.tenant_user(&tenant, "ann@example.org", "123456").await;
    assert_eq!(MembershipRole::ALL.len(), 3);
    (secret, codes[0].clone())
}

/// A provider elsewhere that knows a secret and a person of ours, and one that knows our key.
async fn elsewhere(ctx: &Ctx<'_>, company: OrganizationId, user: UserId) {
    let oidc = OidcProvider {
        issuer: "https://id.example.org".to_owned(),
        client_id: "gatehouse".to_owned(),
        scopes: vec!["email".to_owned()],
        userinfo: false,
    };
    let new = NewConnection {
        organization: Some(company),
        name: "Elsewhere".to_owned(),
        provider: Provider::Oidc(oidc),
        settings: ConnectionSettings::default(),
        domains: vec!["example.org".to_owned()],
        secret: Some(Secret::new("known to both".to_owned())),
    };
    let connection = connections::create(ctx, &Powers::operator(), new).await.unwrap().id;
    let (tenant, at) = (ctx.tenant_id(), ctx.now());
    let identity = Identity { connection, subject: "ann|1".to_owned(), user, created_at: at, used_at: at };
    let written = ctx.core.db.write((tenant, identity), |tx, (tenant, identity)| {
        Box::pin(async move { identities::insert(&tx.of(*tenant), identity).await })
    });
    assert!(written.await.unwrap());
    saml_keys::key(ctx).await.unwrap();
}

async fn an_installation_is_made_again(setup: Setup) {
    let app = setup.start_with(by_name).await;
    let (secret, _) = furnish(&app).await;
    let first = export(&app.core, true).await;
    for kind in KINDS {
        assert!(first.contains(&format!("\n{{\"kind\":\"{kind}\"")), "{kind}");
    }
    let other = if setup.engine() == Engine::Sqlite { Engine::Postgres } else { Engine::Sqlite };
    for engine in [other, setup.engine()] {
        if engine == Engine::Postgres && postgres::shared().is_none() {
            continue;
        }
        let core = empty(&setup, engine).await;
        import(&core, &first, PLAIN).await.unwrap();
        assert_eq!(export(&core, true).await, first, "{engine:?}");
        // Sealed anew under the key there, and it works.
        let there = ctx(&core).await;
        let ann = users::find_by_identifier(&there, "ann@example.org").await.unwrap();
        assert!(totp::check(&there, ann.id, &totp_code(&secret, app.now())).await.unwrap());
        assert_eq!(
            passkeys::list(&there, users::find_by_identifier(&there, "ben@example.org").await.unwrap().id)
                .await
                .unwrap()
                .len(),
            1
        );
        let connection = connections::list(&there).await.unwrap().pop().expect("the connection");
        let secret = connections::secret(&core, &connection).unwrap().expect("its secret");
        assert_eq!(secret.expose(), b"known to both");
        let own = app.ctx().await;
        let keys = [saml_keys::key(&there).await.unwrap(), saml_keys::key(&own).await.unwrap()];
        assert_eq!(keys[0].pkcs8().expose(), keys[1].pkcs8().expose());
        // Nothing gets a key that came with the file.
        let name = NewEntry { name: "erp", code: None };
        assert!(!first.contains(&catalogue::add_system(&there, name).await.unwrap().key));
        core.db.clone().close().await;
    }
}

const KINDS: [&str; 20] = [
    "tenant",
    "signing_key",
    "permission",
    "role",
    "client",
    "user",
    "role_assignment",
    "passkey",
    "totp",
    "recovery_code",
    "organization",
    "membership",
    "saml_key",
    "connection",
    "identity",
    "system",
    "module",
    "site",
    "api_client",
    "scoped_grant",
];

async fn secrets_stay_behind_unless_asked_for(setup: Setup) {
    let app = setup.start_with(by_name).await;
    let (secret, code) = furnish(&app).await;
    let mut lines = Vec::new();
    let left = transfer::export(&app.core, None, false, &mut lines).await.unwrap();
    assert_eq!((left.totp, left.client_secrets, left.connection_secrets, left.saml_keys), (1, 1, 1, 1));
    assert!(left.signing_keys >= 6, "{left:?}");
    let text = String::from_utf8(lines).unwrap();
    assert!(!text.contains("\"private\"") && !text.contains("\"kind\":\"totp\"") && !text.contains(&secret));
    assert!(!text.contains("\"secret\":\"") && !text.contains("saml_key"));

    let core = empty(&setup, Engine::Sqlite).await;
    import(&core, &text, PLAIN).await.unwrap();
    let there = ctx(&core).await;
    let ann = users::find_by_identifier(&there, "ann@example.org").await.unwrap();
    assert!(ann.has_second_factor, "who had a second factor still needs one");
    assert!(gatehouse::domain::factors::recovery_codes::check_and_use(&there, ann.id, &code).await.unwrap());
    // It signs with keys of its own.
    assert_eq!(gatehouse::domain::keys::list(&there).await.unwrap().len(), 3);
    core.db.clone().close().await;
}

async fn people_from_another_system_sign_in(app: TestApp) {
    let bcrypt = "$2b$04$CCCCCCCCCCCCCCCCCCCCC.ug0A3dTXhy5U.dFjx/qguZ8I4CB77BC";
    let lines = [
        json!({ "kind": "user", "email": "ada@example.org", "password_hash": bcrypt, "email_verified": true }),
        json!({ "kind": "user", "username": "bob", "name": "Bob" }),
    ];
    let done = import(&app.core, &file(&lines), PLAIN).await.unwrap();
    assert_eq!(done.written["user"], 2);
    let client = app.password_app("openid").await;
    app.sign_in(&client, "ada@example.org", &"x".repeat(72)).await.expect(200);
    let ada = users::find_by_identifier(&app.ctx().await, "ada@example.org").await.unwrap();
    assert!(ada.password_hash.unwrap().starts_with("$argon2id$"), "hashed anew at the sign-in");
    app.sign_in(&client, "bob", "").await.is_oauth_error(400, "invalid_request");
}

async fn a_refused_file_changes_nothing(app: TestApp) {
    let user = |email: &str| json!({ "kind": "user", "email": email });
    let id = format!("usr_{}", "0".repeat(32));
    let broken = [
        (json!({ "kind": "user", "email": "no address" }), "line 3: email is not a valid email"),
        (json!({ "kind": "user" }), "line 3: email or username is required"),
        (json!({ "kind": "user", "email": "a@b.example", "passwort": "x" }), "line 3: unknown field `passwort`"),
        (json!({ "kind": "user", "email": "a@b.example", "password_hash": "plain" }), "line 3: password_hash"),
        (json!({ "kind": "user", "email": "a@b.example", "enabled": "yes" }), "line 3: invalid type"),
        (json!({ "kind": "unknown" }), "line 3: unknown variant `unknown`"),
        (user("NEW@example.org"), "line 3: user already taken"),
        (
            json!({ "kind": "role_assignment", "id": format!("UR_{}", "1".repeat(32)), "user": id, "role": "ROLE_ADMIN",
                "granted_by": "operator", "granted_at": "2026-01-01T00:00:00Z" }),
            "line 3: not allowed: what this line refers to is not there",
        ),
        (
            json!({ "kind": "system", "id": format!("sys_{}", "1".repeat(32)), "key": "crm", "name": "CRM",
                "created_at": "2026-01-01T00:00:00Z" }),
            "line 3: key is not a catalogue key",
        ),
    ];
    let before = written(&app).await;
    for (line, why) in broken {
        let refused = import(&app.core, &file(&[user("new@example.org"), line]), PLAIN).await.unwrap_err();
        assert!(refused.starts_with(why), "{refused:?} instead of {why:?}");
    }
    for (line, why) in [
        (&b"\xff"[..], "line 2: "),
        (b"{\"kind\":\"user\",\"email\":\"", "line 2: EOF while parsing a string at column 24"),
    ] {
        let damaged = [HEADER.as_bytes(), b"\n", line].concat();
        let refused = transfer::import(&app.core, &mut Cursor::new(damaged), PLAIN).await.unwrap_err().to_string();
        assert!(refused.starts_with(why), "{refused:?} instead of {why:?}");
    }
    for (first, why) in [("", "line 1:"), ("[]", "line 1:"), (r#"{"gatehouse":"export","version":2}"#, "version 2")] {
        let refused = import(&app.core, &format!("{first}\n"), PLAIN).await.unwrap_err();
        assert!(refused.contains(why), "{refused:?}");
    }
    let wish = Wish { rehearse: true, ..PLAIN };
    let rehearsed = import(&app.core, &file(&[user("new@example.org")]), wish).await.unwrap();
    assert_eq!(rehearsed.written["user"], 1);
    assert_eq!(written(&app).await, before);
}

/// What these files would write, beside what jobs write meanwhile.
async fn written(app: &TestApp) -> Vec<String> {
    let sql = app.sql().await;
    let mut rows = Vec::new();
    for table in ["users", "user_identifiers", "role_assignments", "systems", "catalogue_numbers"] {
        rows.extend(sql.rows(table).await);
    }
    rows
}

async fn what_is_there_stays_or_becomes_what_the_file_says(app: TestApp) {
    let (here, client) = (app.ctx().await, app.password_app("openid").await);
    let user = make_user(&here, "ann@example.org", NewPassword::Plain("a good password", 8), &[]).await;
    let tokens = app.sign_in(&client, "ann@example.org", "a good password").await;
    let line = |enabled| {
        file(&[json!({ "kind": "user", "id": user.id, "email": "Ann@example.com", "enabled": enabled, "name": "Ann" })])
    };
    let refused = import(&app.core, &line(true), PLAIN).await.unwrap_err();
    assert_eq!(refused, "line 2: user already taken");
    let skip = Wish { on_conflict: OnConflict::Skip, ..PLAIN };
    let done = import(&app.core, &line(true), skip).await.unwrap();
    assert_eq!((done.passed_over["user"], done.written.len()), (1, 0));
    assert_eq!(users::find(&here, user.id).await.unwrap().name, user.name);

    let update = Wish { on_conflict: OnConflict::Update, ..PLAIN };
    import(&app.core, &line(true), update).await.unwrap();
    let changed = users::find(&here, user.id).await.unwrap();
    assert_eq!((changed.email.as_deref(), changed.name.as_deref()), (Some("Ann@example.com"), Some("Ann")));
    app.sign_in(&client, "ann@example.com", "a good password").await.expect(200);
    app.sign_in(&client, "ann@example.org", "a good password").await.is_oauth_error(400, "invalid_grant");
    assert!(app.is_active(&tokens.str("access_token")).await);
    import(&app.core, &line(false), update).await.unwrap();
    assert!(!app.is_active(&tokens.str("access_token")).await, "a disabled account ends what was issued");
    app.refresh(&client, &tokens.str("refresh_token")).await.is_oauth_error(400, "invalid_grant");

    // Not even a file takes the last super administrator away.
    let admin = users::find_by_identifier(&here, crate::support::ADMIN_EMAIL).await.unwrap();
    let gone = file(&[json!({ "kind": "user", "id": admin.id, "email": admin.email, "enabled": false })]);
    let refused = import(&app.core, &gone, update).await.unwrap_err();
    assert!(refused.contains("last super administrator"), "{refused}");
    assert!(users::find(&here, admin.id).await.unwrap().enabled);
}

async fn a_tenant_goes_into_another_one(app: TestApp) {
    let from = app.tenant("From").await;
    let (id, _) = app.tenant_user(&from, "ann@example.org", "123456").await;
    let mut lines = Vec::new();
    transfer::export(&app.core, Some(from.id.parse().unwrap()), false, &mut lines).await.unwrap();
    let text = String::from_utf8(lines).unwrap();
    assert!(text.contains(&id) && !text.contains(crate::support::ADMIN_EMAIL));
    // Its users are there already, and an id is of one tenant only.
    let into = app.tenant("Into").await;
    let wish = Wish { into: Some(into.id.parse().unwrap()), ..PLAIN };
    assert!(import(&app.core, &text, wish).await.unwrap_err().ends_with("user already taken"));
    let without = text.replace(&format!("\"id\":\"{id}\","), "");
    let lines: Vec<&str> = without.lines().filter(|line| !line.contains("role_assignment")).collect();
    import(&app.core, &lines.join("\n"), wish).await.unwrap();
    let found = users::find_by_identifier(&app.ctx_of(&into).await, "ann@example.org").await.unwrap();
    assert_ne!(found.id.to_string(), id);
}

async fn a_file_reaches_no_other_tenant(app: TestApp) {
    let [mine, theirs] = [app.tenant("Mine").await, app.tenant("Theirs").await];
    let (victim, _) = app.tenant_user(&theirs, "victim@example.org", "123456").await;
    let before = users::find(&app.ctx_of(&theirs).await, victim.parse().unwrap()).await.unwrap().updated_at;
    let into = Some(mine.id.parse().unwrap());
    for on_conflict in [OnConflict::Fail, OnConflict::Skip, OnConflict::Update] {
        let wish = Wish { into, on_conflict, rehearse: false };
        let user = file(&[json!({ "kind": "user", "id": victim, "email": "thief@example.org" })]);
        assert_eq!(import(&app.core, &user, wish).await.unwrap_err(), "line 2: user already taken");
        let role = file(&[json!({ "kind": "role_assignment", "id": format!("UR_{}", "2".repeat(32)), "user": victim,
            "role": "ROLE_ADMIN", "granted_by": "operator", "granted_at": "2026-01-01T00:00:00Z" })]);
        assert!(import(&app.core, &role, wish).await.unwrap_err().contains("is not there"));
    }
    assert_eq!(users::find(&app.ctx_of(&theirs).await, victim.parse().unwrap()).await.unwrap().updated_at, before);
    // No database without an installation takes the lines of a tenant.
    let core = empty(&app.setup, Engine::Sqlite).await;
    assert!(import(&core, &file(&[]), PLAIN).await.is_err());
    assert!(bootstrap::ensure(&core).await.unwrap().is_some(), "it is still empty");
    core.db.clone().close().await;
}

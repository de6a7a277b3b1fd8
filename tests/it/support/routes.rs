//! What each route of the route table takes: who may call it, and a body that it accepts. The tests
//! that go through the whole table stand on this; a route that is mounted and not named here fails
//! them.

use gatehouse::domain::clients::NewClient;
use gatehouse::domain::users::NewPassword;
use gatehouse::domain::{Ctx, tenants};
use gatehouse::http::mount::Endpoint;
use gatehouse::model::client::GrantType;
use gatehouse::model::tenant::TenantKeyKind;
use serde_json::{Value, json};

use super::database::next_number;
use super::{CALLBACK, Client, TenantKeys, TestApp, VERIFIER, challenge, make_user, password_app, register};

/// Every scope that a route of a service asks for.
pub const EVERY_SCOPE: &str =
    "user:read user:write tenant:read tenant:write role:read role:write auth:token internal:admin system:admin";
/// The password of everybody in a world.
pub const PASSWORD: &str = "a quiet harbour at dawn";

/// A tenant with one of everything in it.
#[derive(Clone)]
pub struct World {
    pub tenant_id: String,
    /// Before every path of its issuer: nothing for the default tenant.
    pub prefix: String,
    pub public_key: String,
    pub secret_key: String,
    pub user_id: String,
    pub email: String,
    /// The person's token, as `/v1/auth/login` gives it.
    pub user_token: String,
    /// A service that holds every scope, and its token.
    pub service: Client,
    pub service_token: String,
    /// Another service, which holds none.
    pub other_service: Client,
    /// An app that may use a password and refresh, and what it got for the person.
    pub app: Client,
    pub access_token: String,
    pub refresh_token: String,
    /// The same again, which nothing ends on the way.
    pub lasting_token: String,
}

impl World {
    /// In the default tenant.
    pub async fn default(app: &TestApp) -> Self {
        Self::within(app, &app.ctx().await, String::new()).await
    }

    /// In a tenant that is made for it.
    pub async fn new(app: &TestApp, name: &str) -> Self {
        let tenant = app.tenant(name).await;
        Self::of(app, &tenant).await
    }

    pub async fn of(app: &TestApp, tenant: &TenantKeys) -> Self {
        Self::within(app, &app.ctx_of(tenant).await, format!("/t/{}", tenant.id)).await
    }

    async fn within(app: &TestApp, ctx: &Ctx<'_>, prefix: String) -> Self {
        let overlap = std::time::Duration::from_secs(3600);
        let public_key = tenants::rotate_key(ctx, TenantKeyKind::Public, overlap).await.unwrap().expose().clone();
        let secret_key = tenants::rotate_key(ctx, TenantKeyKind::Secret, overlap).await.unwrap().expose().clone();
        let email = format!("person{}@example.org", next_number());
        let user = make_user(ctx, &email, NewPassword::Plain(PASSWORD, 6), &[]).await;
        let service = NewClient { scope: EVERY_SCOPE.parse().unwrap(), ..NewClient::service("holds everything") };
        let service = register(ctx, service).await;
        let other_service = register(ctx, NewClient::service("holds nothing")).await;
        let client = register(ctx, app_of_every_kind()).await;

        let token = format!("{prefix}/oauth/token");
        let grant = [("grant_type", "client_credentials")];
        let service_token =
            app.basic(&token, &service.id, &service.secret, &grant).await.expect(200).str("access_token");
        let grant = [("grant_type", "password"), ("username", &email), ("password", PASSWORD)];
        let granted = app.basic(&token, &client.id, &client.secret, &grant).await.expect(200);
        let lasting = app.basic(&token, &client.id, &client.secret, &grant).await.expect(200);
        let body = json!({ "email": email, "password": PASSWORD });
        let user_token = app.post(&public_key, "/v1/auth/login", &body).await.expect(200).str("token");
        Self {
            tenant_id: ctx.tenant_id().to_string(),
            prefix,
            public_key,
            secret_key,
            user_id: user.id.to_string(),
            email,
            user_token,
            service,
            service_token,
            other_service,
            app: client,
            access_token: granted.str("access_token"),
            lasting_token: lasting.str("access_token"),
            refresh_token: granted.str("refresh_token"),
        }
    }
}

/// An app that signs people in in every way there is.
fn app_of_every_kind() -> NewClient {
    let mut app = password_app("openid profile email");
    app.grant_types.extend([GrantType::AuthorizationCode, GrantType::DeviceCode]);
    app.redirect_uris = vec![CALLBACK.to_owned()];
    app
}

/// Who may call a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Caller {
    Anybody,
    /// A tenant's secret key.
    TenantKey,
    /// A person's token.
    Person,
    /// A service's token with the scope.
    Service,
    /// A client under HTTP Basic.
    Client,
    /// An app with a person's token.
    App,
    /// A person in a browser, with its cookies and the tokens of its forms: `pages.rs` tries these.
    Browser,
    /// A client that registers itself, and then shows its registration token: `oauth/rfc7591_registration.rs`
    /// and `oauth/rfc7592_management.rs` try these.
    Registrant,
}

impl Caller {
    /// Whether the tests that go through the whole table leave it to tests of its own.
    pub fn is_apart(self) -> bool {
        matches!(self, Self::Browser | Self::Registrant)
    }
}

/// What a route reads.
#[derive(Clone, Debug)]
pub enum Input {
    Nothing,
    /// JSON with every member that it knows.
    Json(Value),
    /// Forms that it accepts.
    Forms(Vec<Vec<(&'static str, String)>>),
}

/// What is known of a route.
pub struct Known {
    pub caller: Caller,
    pub input: Input,
    /// The status of what succeeds.
    pub success: u16,
    /// The path, with ids of this world in it.
    pub path: String,
}

impl Known {
    fn new(caller: Caller, input: Input) -> Self {
        Self { caller, input, success: 200, path: String::new() }
    }

    const fn creates(mut self) -> Self {
        self.success = 201;
        self
    }

    /// The value of `Authorization` in this world; nothing where anybody may call.
    pub fn authorization(&self, world: &World) -> Option<String> {
        match self.caller {
            Caller::Anybody | Caller::Browser | Caller::Registrant => None,
            Caller::TenantKey => Some(format!("Bearer {}", world.secret_key)),
            Caller::Person => Some(format!("Bearer {}", world.user_token)),
            Caller::Service => Some(format!("Bearer {}", world.service_token)),
            Caller::Client => Some(basic(&world.app)),
            Caller::App => Some(format!("Bearer {}", world.lasting_token)),
        }
    }
}

/// A client's id and secret as HTTP Basic writes them.
pub fn basic(client: &Client) -> String {
    let credentials = base64(format!("{}:{}", client.id, client.secret).as_bytes());
    format!("Basic {credentials}")
}

/// Base64 with padding (RFC 4648 §4).
pub fn base64(bytes: &[u8]) -> String {
    let url_safe = gatehouse::crypto::digest::base64url(bytes).replace('-', "+").replace('_', "/");
    let padding = (4 - url_safe.len() % 4) % 4;
    format!("{url_safe}{}", "=".repeat(padding))
}

/// What is known of this route, with the objects of this world.
#[track_caller]
pub fn known(endpoint: &Endpoint, world: &World) -> Known {
    use Caller::{Anybody, Client, Person, Service, TenantKey};
    use Input::{Forms, Json, Nothing};

    let fresh = format!("somebody{}@example.org", next_number());
    let service_scope = json!({ "client_id": world.other_service.id, "scope_name": "user:read" });
    let name = format!("{}.{}", endpoint.surface.as_str(), endpoint.name);
    let known = match name.as_str() {
        "oauth.metadata.openid_configuration"
        | "oauth.metadata.oauth_authorization_server"
        | "oauth.metadata.openid_configuration_inserted"
        | "oauth.metadata.oauth_authorization_server_inserted"
        | "oauth.jwks.jwks"
        | "operator.probes.health"
        | "operator.probes.healthz"
        | "operator.probes.readyz"
        | "operator.probes.openapi"
        | "operator.metrics.metrics"
        | "pages.landing.landing"
        | "pages.docs.docs"
        | "pages.files.style"
        | "pages.files.passkey"
        | "pages.files.form_post"
        | "idaas.tenants.show" => Known::new(Anybody, Nothing),
        "oauth.token.token" => {
            let password = vec![
                ("grant_type", "password".to_owned()),
                ("username", world.email.clone()),
                ("password", PASSWORD.to_owned()),
                ("scope", "openid".to_owned()),
            ];
            let refresh =
                vec![("grant_type", "refresh_token".to_owned()), ("refresh_token", world.refresh_token.clone())];
            Known::new(Client, Forms(vec![password, refresh]))
        }
        "oauth.introspect.introspect" | "oauth.revoke.revoke" => {
            let form = vec![("token", world.access_token.clone()), ("token_type_hint", "access_token".to_owned())];
            Known::new(Client, Forms(vec![form]))
        }
        "oauth.userinfo.userinfo" => Known::new(Caller::App, Nothing),
        "oauth.par.par" => {
            let form = vec![
                ("response_type", "code".to_owned()),
                ("redirect_uri", CALLBACK.to_owned()),
                ("scope", "openid".to_owned()),
                ("code_challenge", challenge(VERIFIER)),
                ("code_challenge_method", "S256".to_owned()),
            ];
            Known::new(Client, Forms(vec![form])).creates()
        }
        "oauth.device.device_authorization" => Known::new(Client, Forms(vec![vec![("scope", "openid".to_owned())]])),
        "oauth.authorize.authorize" | "oauth.logout.end_session" | "oauth.change_password.change_password" => {
            Known::new(Caller::Browser, Nothing)
        }
        "oauth.register.register" | "oauth.register.read" | "oauth.register.replace" | "oauth.register.delete" => {
            Known::new(Caller::Registrant, Nothing)
        }
        "idaas.users.register" => {
            let body = json!({ "email": fresh, "password": PASSWORD, "profile": { "shoe": 42 } });
            Known::new(TenantKey, Json(body)).creates()
        }
        "idaas.users.login" => Known::new(TenantKey, Json(json!({ "email": world.email, "password": PASSWORD }))),
        "idaas.users.me" => Known::new(Person, Nothing),
        "idaas.users.list" | "idaas.users.show" => Known::new(TenantKey, Nothing),
        "idaas.tenants.create" => Known::new(Anybody, Json(json!({ "name": "a tenant" }))).creates(),
        "idaas.services.authenticate" => {
            let body = json!({ "client_id": world.service.id, "client_secret": world.service.secret });
            Known::new(Anybody, Json(body))
        }
        "idaas.services.validate_token" => Known::new(Anybody, Json(json!({ "token": world.service_token }))),
        "idaas.services.register" => {
            let body = json!({ "service_name": "a service", "description": "does things" });
            Known::new(Anybody, Json(body)).creates()
        }
        "idaas.services.check_permission"
        | "idaas.administration.grant_scope"
        | "idaas.administration.revoke_scope" => Known::new(Service, Json(service_scope)),
        "idaas.administration.cleanup_tokens"
        | "idaas.administration.list"
        | "idaas.administration.logs"
        | "idaas.administration.statistics"
        | "control.users.list"
        | "control.users.show"
        | "control.tenants.list"
        | "control.tenants.services"
        | "control.system.health" => Known::new(Service, Nothing),
        "control.users.create" => {
            let body = json!({ "email": fresh, "password": PASSWORD, "name": "Somebody", "tenant_id": world.tenant_id,
                "profile": { "shoe": 42 } });
            Known::new(Service, Json(body)).creates()
        }
        "control.tokens.on_behalf" => {
            let body = json!({ "user_id": world.user_id, "scope": "user:read", "expires_in": 60 });
            Known::new(Service, Json(body))
        }
        page if page.starts_with("pages.") => Known::new(Caller::Browser, Nothing),
        other => panic!(
            "{} {} ({other}) is mounted, and tests/it/support/routes.rs does not say who may call it and with what",
            endpoint.method, endpoint.path
        ),
    };
    Known { path: path(endpoint, world), ..known }
}

/// The path of a route with this world's ids in it.
#[track_caller]
fn path(endpoint: &Endpoint, world: &World) -> String {
    let mut path = String::new();
    let mut rest = endpoint.path.as_str();
    while let Some((before, after)) = rest.split_once('{') {
        let (name, after) = after.split_once('}').unwrap();
        let before_all = format!("{path}{before}");
        let id = match (before_all.as_str(), name) {
            (_, "tenant_id") | ("/v1/tenants/", "id") => &world.tenant_id,
            ("/v1/users/" | "/api/internal/users/", "id") => &world.user_id,
            (_, "client_id") => &world.other_service.id,
            other => panic!("tests/it/support/routes.rs knows no id for {other:?} in {}", endpoint.path),
        };
        path = format!("{before_all}{id}");
        rest = after;
    }
    path + rest
}

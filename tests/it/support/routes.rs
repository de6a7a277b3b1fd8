//! What each route of the route table takes: who may call it, and a body that it accepts. The tests
//! that go through the whole table stand on this; a route that is mounted and not named here fails
//! them.

use gatehouse::domain::access::Powers;
use gatehouse::domain::api_clients::{self, AllowLists, NewApiClient};
use gatehouse::domain::catalogue::{self, NewEntry};
use gatehouse::domain::clients::NewClient;
use gatehouse::domain::connections::{self, NewConnection};
use gatehouse::domain::memberships::{self, Keeper};
use gatehouse::domain::organizations::NewOrganization;
use gatehouse::domain::permissions::NewPermission;
use gatehouse::domain::roles::NewRole;
use gatehouse::domain::users::NewPassword;
use gatehouse::domain::{Ctx, Origin, invitations, permissions, roles, tenants};
use gatehouse::http::mount::Endpoint;
use gatehouse::model::audit::Actor;
use gatehouse::model::client::{AuthMethod, GrantType};
use gatehouse::model::connection::ConnectionSettings;
use gatehouse::model::ids::{RoleId, UserId};
use gatehouse::model::organization::MembershipRole;
use gatehouse::model::role::RoleScope;
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
    /// A role that the person holds and its code, and one that nobody does.
    pub role_id: String,
    pub role_code: String,
    pub idle_role_id: String,
    /// A permission, and another one.
    pub permission_id: String,
    pub idle_permission_id: String,
    /// What an app without a secret may refresh with, one for each face that does it without grace.
    pub public_refresh_tokens: [String; 2],
    /// What administrators look after.
    pub looked_after: LookedAfter,
}

/// What administrators look after: nothing of it is there unless [`World::furnished`] makes it.
#[derive(Clone)]
pub struct LookedAfter {
    /// A user who is a member of the organization, one who is to be deleted, one who is to be a member.
    pub member_id: String,
    pub gone_id: String,
    pub newcomer_id: String,
    /// A client that becomes another, and one that is to be deleted.
    pub changed_client: String,
    pub gone_client: String,
    pub api_client_key: String,
    pub organization_id: String,
    pub system_id: String,
    pub module_id: String,
    pub site_id: String,
    /// A connection, and one that is to be removed.
    pub connection_id: String,
    pub gone_connection: String,
    /// Memberships of the person's workspace: one that is changed, one that ends; and an invitation.
    pub membership_id: String,
    pub gone_membership_id: String,
    pub invitation_id: String,
    pub asked_id: String,
}

impl Default for LookedAfter {
    fn default() -> Self {
        let id = |prefix: &str| format!("{prefix}_{}", "0123456789abcdef".repeat(2));
        Self {
            member_id: id("usr"),
            gone_id: id("usr"),
            newcomer_id: id("usr"),
            changed_client: id("svc"),
            gone_client: id("svc"),
            api_client_key: "gh_ak_nothing".to_owned(),
            organization_id: id("org"),
            system_id: id("sys"),
            module_id: id("mod"),
            site_id: id("sit"),
            connection_id: id("con"),
            gone_connection: id("con"),
            membership_id: uuid::Uuid::from_u128(1).to_string(),
            gone_membership_id: uuid::Uuid::from_u128(1).to_string(),
            invitation_id: uuid::Uuid::from_u128(1).to_string(),
            asked_id: id("inv"),
        }
    }
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
        let (role_id, role_code) = role(ctx).await;
        let (idle_role_id, _) = role(ctx).await;
        let read_users = vec!["PERM_USER_READ".parse().unwrap()];
        let operator = Powers::operator();
        roles::add_permissions(ctx, &operator, &role_id, read_users).await.unwrap();
        roles::assign(ctx, &operator, user.id, vec![role_id.clone()], None).await.unwrap();
        let public = NewClient { auth_method: AuthMethod::None, ..app_of_every_kind() };
        let public = register(ctx, public).await;
        let grant = [grant[0], grant[1], grant[2], ("client_id", &*public.id)];
        let refresh_token = async || app.form(&token, &grant).await.expect(200).str("refresh_token");
        let public_refresh_tokens = [refresh_token().await, refresh_token().await];
        Self {
            tenant_id: ctx.tenant_id().to_string(),
            role_id: role_id.to_string(),
            role_code,
            idle_role_id: idle_role_id.to_string(),
            permission_id: permission(ctx).await,
            idle_permission_id: permission(ctx).await,
            public_refresh_tokens,
            looked_after: LookedAfter::default(),
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

impl World {
    /// The same with everything in it that administrators look after.
    pub async fn furnished(mut self, app: &TestApp) -> Self {
        let live = tenants::live(&app.core, self.tenant_id.parse().unwrap()).await.unwrap();
        let ctx = &Ctx::new(&app.core, live, Actor::Operator, Origin::default());
        let user =
            async || make_user(ctx, &format!("user{}@example.org", next_number()), NewPassword::None, &[]).await.id;
        let person: UserId = self.user_id.parse().unwrap();
        let workspace = NewOrganization { name: "A workspace", ..NewOrganization::default() };
        let workspace = memberships::found(ctx, person, &workspace).await.unwrap().organization.id;
        let by = Keeper::Member(person);
        let join = async |user| {
            memberships::add(ctx, by, workspace, user, MembershipRole::Member).await.unwrap().id.uuid().to_string()
        };
        let asked = format!("asked{}@example.org", next_number());
        let invitation = invitations::invite(ctx, by, workspace, &asked, MembershipRole::Member).await.unwrap();
        // A token that names the workspace.
        let body = json!({ "email": self.email, "password": PASSWORD });
        self.user_token = app.post(&self.public_key, "/v1/auth/login", &body).await.expect(200).str("token");
        let (member, gone, newcomer) = (user().await, user().await, user().await);
        let new = NewOrganization { name: "Acme", slug: None, plan: None };
        let organization = memberships::found(ctx, person, &new).await.unwrap().organization.id;
        let role = MembershipRole::Member;
        memberships::add(ctx, Keeper::Administrator, organization, member, role).await.unwrap();
        let asked = invitations::invite(ctx, Keeper::Administrator, organization, &asked, role).await.unwrap();
        // Whoever looks at the rows afterwards finds them at rest.
        app.all_mail_sent().await;
        let entry = |name| NewEntry { name, code: None };
        let system = catalogue::add_system(ctx, entry("a system")).await.unwrap().id;
        let new = NewApiClient { name: "a system".to_owned(), expires_at: None, allowed: AllowLists::default() };
        self.looked_after = LookedAfter {
            membership_id: join(user().await).await,
            gone_membership_id: join(user().await).await,
            invitation_id: invitation.uuid().to_string(),
            asked_id: asked.to_string(),
            member_id: member.to_string(),
            gone_id: gone.to_string(),
            newcomer_id: newcomer.to_string(),
            changed_client: register(ctx, NewClient::service("changes")).await.id,
            gone_client: register(ctx, NewClient::service("goes")).await.id,
            api_client_key: api_clients::create(ctx, new).await.unwrap().client.client_key,
            organization_id: organization.to_string(),
            system_id: system.to_string(),
            module_id: catalogue::add_module(ctx, system, entry("a module")).await.unwrap().id.to_string(),
            site_id: catalogue::add_site(ctx, organization, entry("a site")).await.unwrap().id.to_string(),
            connection_id: connection(ctx, "stays").await,
            gone_connection: connection(ctx, "goes").await,
        };
        self
    }
}

/// A role that permits nothing: id and code.
async fn role(ctx: &Ctx<'_>) -> (RoleId, String) {
    let code = format!("ROLE{}", next_number());
    let (name, scope) = ("A role".to_owned(), RoleScope::Global);
    let new = NewRole { name, code: code.parse().unwrap(), description: None, scope, is_system: false };
    (roles::create(ctx, &Powers::operator(), new).await.unwrap().id, code)
}

/// A permission's id.
async fn permission(ctx: &Ctx<'_>) -> String {
    let resource = format!("thing{}", next_number());
    let (name, action, code) = ("Read things".to_owned(), "read".to_owned(), format!("{resource}:read"));
    let new = NewPermission { name, code, resource, action, description: None, is_system: false };
    permissions::create(ctx, &Powers::operator(), &new).await.unwrap().id.to_string()
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
    /// A trusted system with a key pair: `bad_input.rs`, `faces/handoff.rs` and `faces/member.rs` try these.
    KeyPair,
    /// A person who leaves, or is on the way in: `faces/workspace_accounts.rs` and
    /// `faces/workspace_members.rs` try these.
    Passenger,
}

impl Caller {
    /// Whether the tests that go through the whole table leave it to tests of its own.
    pub fn is_apart(self) -> bool {
        matches!(self, Self::Browser | Self::Registrant | Self::KeyPair | Self::Passenger)
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
            Caller::Anybody | Caller::Browser | Caller::Registrant | Caller::KeyPair | Caller::Passenger => None,
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
        | "member.probes.healthz"
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
        | "control.tenants.services" => Known::new(Service, Nothing),
        "control.system.health" => Known::new(Anybody, Nothing),
        "workspace.auth.register" => {
            Known::new(Anybody, Json(json!({ "email": fresh, "password": PASSWORD, "name": "Somebody" }))).creates()
        }
        "workspace.auth.login" => Known::new(Anybody, Json(json!({ "email": world.email, "password": PASSWORD }))),
        "workspace.auth.refresh" => {
            Known::new(Anybody, Json(json!({ "refresh_token": world.public_refresh_tokens[0] })))
        }
        "workspace.auth.mfa" | "workspace.auth.logout" | "workspace.workspaces.leave" => {
            Known::new(Caller::Passenger, Nothing)
        }
        "workspace.auth.me"
        | "workspace.workspaces.list"
        | "workspace.workspaces.show"
        | "workspace.members.list"
        | "workspace.members.remove"
        | "workspace.invitations.list"
        | "workspace.invitations.withdraw" => Known::new(Person, Nothing),
        "workspace.workspaces.create" => {
            let slug = format!("slug{}", next_number());
            Known::new(Person, Json(json!({ "name": "Another workspace", "slug": slug }))).creates()
        }
        "workspace.workspaces.change" => Known::new(Person, Json(json!({ "name": "Another name" }))),
        "workspace.members.invite" => Known::new(Person, Json(json!({ "email": fresh, "role": "member" }))).creates(),
        "workspace.members.change" => Known::new(Person, Json(json!({ "role": "admin" }))),
        "control.users.create" => {
            let body = json!({ "email": fresh, "password": PASSWORD, "name": "Somebody", "tenant_id": world.tenant_id,
                "profile": { "shoe": 42 } });
            Known::new(Service, Json(body)).creates()
        }
        "control.tokens.on_behalf" => {
            let body = json!({ "user_id": world.user_id, "scope": "user:read", "expires_in": 60 });
            Known::new(Service, Json(body))
        }
        "rbac.roles.list"
        | "rbac.roles.statistics"
        | "rbac.roles.show"
        | "rbac.roles.delete"
        | "rbac.roles.permissions"
        | "rbac.roles.remove_permission"
        | "rbac.permissions.list"
        | "rbac.permissions.statistics"
        | "rbac.permissions.show"
        | "rbac.permissions.delete"
        | "rbac.users.roles"
        | "rbac.users.unassign"
        | "rbac.users.permissions" => Known::new(Service, Nothing),
        "rbac.roles.create" => {
            let body = json!({ "role_name": "A role", "role_code": format!("NEW{}", next_number()),
                "description": "of somebody", "scope": "TENANT", "is_system_role": false });
            Known::new(Service, Json(body)).creates()
        }
        "rbac.roles.update" => {
            let body = json!({ "role_name": "Another name", "description": "of nobody", "is_active": true,
                "role_code": world.role_code, "scope": "GLOBAL" });
            Known::new(Service, Json(body))
        }
        "rbac.roles.add_permissions" => Known::new(Service, Json(json!({ "permission_ids": ["PERM_USER_READ"] }))),
        "rbac.permissions.create" => {
            let resource = format!("thing{}", next_number());
            let body = json!({ "permission_name": "Write things", "permission_code": format!("{resource}:write"),
                "resource": resource, "action": "write", "description": "many", "is_system_permission": false });
            Known::new(Service, Json(body)).creates()
        }
        "rbac.permissions.update" => {
            Known::new(Service, Json(json!({ "permission_name": "Another name", "description": "few" })))
        }
        "rbac.users.assign" => {
            let body = json!({ "role_ids": [world.role_id], "expires_at": "2099-01-01T00:00:00Z" });
            Known::new(Service, Json(body)).creates()
        }
        "rbac.tokens.user_info" => Known::new(Anybody, Nothing),
        "rbac.tokens.validate_token" => Known::new(Anybody, Json(json!({ "token": world.user_token }))),
        "rbac.tokens.refresh_token" => {
            Known::new(Anybody, Json(json!({ "refresh_token": world.public_refresh_tokens[1] })))
        }
        // What has to be there first takes more than this: `faces/admin.rs` tries these.
        "admin.sessions.end" | "admin.keys.retire" => Known::new(Caller::Registrant, Nothing),
        // And a provider elsewhere: `saml/` tries these.
        name if name.starts_with("workspace.saml.") => Known::new(Caller::Registrant, Nothing),
        name if name.starts_with("admin.") => administered(endpoint.name, world, &fresh),
        "member.sign_in.login" => Known::new(Anybody, Json(json!({ "username": world.email, "password": PASSWORD }))),
        "member.me.show" | "member.me.snapshot" => Known::new(Person, Nothing),
        "member.grants.grant" => {
            let body = json!({ "authentik_sub": world.user_id, "email": fresh, "display_name": "Somebody",
                "scope_type": "site", "scope_id": "tw-main", "module": "campaign", "action": "view" });
            Known::new(Caller::KeyPair, Json(body))
        }
        "member.grants.revoke" => {
            let body = json!({ "authentik_sub": world.user_id, "scope_type": "site", "scope_id": "tw-main",
                "module": "campaign", "action": "view" });
            Known::new(Caller::KeyPair, Json(body))
        }
        "handoff.users.upsert_by_sub" | "handoff.users.ensure" | "handoff.users.ensure_by_its_older_name" => {
            let number = next_number();
            let body = json!({ "user_sub": format!("sub-{number}"), "username": format!("somebody{number}"),
                "email": fresh, "display_name": "Somebody", "is_active": true });
            Known::new(Caller::KeyPair, Json(body))
        }
        pair if pair.starts_with("handoff.") => Known::new(Caller::KeyPair, Nothing),
        page if page.starts_with("pages.") => Known::new(Caller::Browser, Nothing),
        other => panic!(
            "{} {} ({other}) is mounted, and tests/it/support/routes.rs does not say who may call it and with what",
            endpoint.method, endpoint.path
        ),
    };
    Known { path: path(endpoint, world), ..known }
}

/// RFC 7517 Appendix A.1.
const KEY_OF_RFC_7517: &str = r#"{ "kty": "EC", "crv": "P-256", "x": "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",
    "y": "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM" }"#;

/// The same of `/api/admin/v1`.
fn administered(name: &str, world: &World, fresh: &str) -> Known {
    use Input::{Json, Nothing};
    let of = &world.looked_after;
    let code = format!("CODE{}", next_number());
    let body = |body: Value| Known::new(Caller::Service, Json(body));
    let settings = json!({ "password_min_length": 8, "access_token_ttl": 600,
        "refresh_token_ttl": 6000, "self_registration": true, "color": "#0a7f5a",
        "logo": "https://example.org/logo.png", "registration": "off", "registration_legacy": false });
    let client = json!({ "name": "an app", "description": "for people", "auth_method": "client_secret_post",
        "grant_types": ["authorization_code"], "redirect_uris": [CALLBACK], "post_logout_redirect_uris": [CALLBACK],
        "scope": "openid", "default_audience": "api", "audiences": ["api"], "access_token_format": "jwt",
        "signing_alg": "ES256", "access_token_ttl": 60, "refresh_token_ttl": 600,
        "jwks": { "keys": [KEY_OF_RFC_7517.parse::<Value>().unwrap()] }, "settings": { "first_party": true } });
    let lists = json!({ "name": "a system", "expires_at": "2099-01-01T00:00:00Z", "origins": ["https://example.org"],
        "networks": ["192.0.2.0/24"], "paths": ["/internal"] });
    let with = |mut body: Value, member: &str, value: Value| {
        body[member] = value;
        body
    };
    match name {
        "tenants.create" => body(json!({ "name": "a tenant" })).creates(),
        "tenants.update" => body(json!({ "name": "Renamed", "enabled": true })),
        "tenants.update_settings" => body(settings),
        "tenants.rotate_key" => body(json!({ "kind": "public", "overlap": 3600 })),
        "users.create" => body(json!({ "email": fresh, "email_verified": true, "username": code, "name": "Somebody",
            "password": PASSWORD, "roles": ["user"], "profile": { "shoe": 42 } }))
        .creates(),
        "users.update" => body(json!({ "email": fresh, "email_verified": false, "username": code, "name": "Somebody",
            "is_active": true, "profile": { "shoe": 43 } })),
        "users.set_password" => Known { success: 204, ..body(json!({ "password": PASSWORD })) },
        "users.mail" => Known { success: 202, ..body(json!({ "kind": "reset_password" })) },
        "clients.create" => body(with(client, "id", json!(format!("app-{code}")))).creates(),
        "clients.update" => body(with(client, "enabled", json!(true))),
        "clients.rotate_secret" | "api_clients.rotate" => body(json!({ "overlap": 60 })),
        "api_clients.create" => body(lists).creates(),
        "api_clients.update" => body(with(lists, "enabled", json!(true))),
        "catalogue.add_system" => body(json!({ "name": "a system", "code": code })).creates(),
        "catalogue.add_module" => {
            body(json!({ "name": "a module", "code": code, "system_id": of.system_id })).creates()
        }
        "catalogue.add_site" => {
            body(json!({ "name": "a site", "code": code, "organization_id": of.organization_id })).creates()
        }
        "catalogue.change_system" | "catalogue.change_module" | "catalogue.change_site" => {
            body(json!({ "name": "renamed", "code": code, "enabled": true }))
        }
        "organizations.create" => {
            body(json!({ "name": "Acme", "slug": code.to_lowercase(), "plan": "free" })).creates()
        }
        "organizations.update" => {
            body(json!({ "name": "Acme", "slug": code.to_lowercase(), "plan": "free", "enabled": true }))
        }
        "organizations.add_member" => body(json!({ "user_id": of.newcomer_id, "role": "member" })).creates(),
        "invitations.create" => body(json!({ "email": fresh, "role": "member" })).creates(),
        "organizations.update_member" => body(json!({ "role": "admin" })),
        "connections.create" => body(json!({
            "name": "Elsewhere", "organization_id": of.organization_id, "provider": provider(), "settings": {},
            "domains": [format!("d{}.example", next_number())], "client_secret": "hush",
        }))
        .creates(),
        "connections.update" => body(json!({
            "name": "Elsewhere", "enabled": true, "provider": provider(), "settings": {}, "domains": [],
            "client_secret": "hush",
        })),
        "connections.delete" => Known { success: 204, ..Known::new(Caller::Service, Nothing) },
        "keys.rotate" => body(json!({ "alg": "ES256", "now": false })),
        "users.delete"
        | "users.unlock"
        | "users.end_sessions"
        | "clients.delete"
        | "clients.grant"
        | "clients.revoke"
        | "factors.remove"
        | "invitations.withdraw"
        | "organizations.remove_member" => Known { success: 204, ..Known::new(Caller::Service, Nothing) },
        _ => Known::new(Caller::Service, Nothing),
    }
}

/// A provider that nobody may ask.
fn provider() -> Value {
    json!({ "kind": "oidc", "issuer": "http://127.0.0.1:9", "client_id": "gatehouse" })
}

/// A connection to it.
async fn connection(ctx: &Ctx<'_>, name: &str) -> String {
    let new = NewConnection {
        organization: None,
        name: name.to_owned(),
        provider: serde_json::from_value(provider()).unwrap(),
        settings: ConnectionSettings::default(),
        domains: Vec::new(),
        secret: None,
    };
    connections::create(ctx, &Powers::operator(), new).await.unwrap().id.to_string()
}

/// The path of a route with this world's ids in it.
#[track_caller]
fn path(endpoint: &Endpoint, world: &World) -> String {
    let mut path = String::new();
    let mut rest = endpoint.path.as_str();
    while let Some((before, after)) = rest.split_once('{') {
        let (name, after) = after.split_once('}').unwrap();
        let before_all = format!("{path}{before}");
        let id: &str = match (before_all.as_str(), name) {
            ("/api/admin/v1/users/", "user_id") => match endpoint.name {
                "users.delete" => &world.looked_after.gone_id,
                "users.show" | "sessions.list" => &world.user_id,
                _ => &world.looked_after.member_id,
            },
            (_, "user_id") if endpoint.path.contains("/members/") => &world.looked_after.member_id,
            ("/api/admin/v1/clients/", "client_id") if endpoint.name == "clients.delete" => {
                &world.looked_after.gone_client
            }
            ("/api/admin/v1/clients/", "client_id") if endpoint.name == "clients.update" => {
                &world.looked_after.changed_client
            }
            (_, "workspace_id") => "01234567-89ab-4cde-8f01-23456789abcd",
            ("/api/external/workspace/members/", "id") if endpoint.name == "members.remove" => {
                &world.looked_after.gone_membership_id
            }
            ("/api/external/workspace/members/", "id") => &world.looked_after.membership_id,
            ("/api/external/workspace/invitations/", "id") => &world.looked_after.invitation_id,
            (_, "permission") => "user:read",
            (_, "client_key") => &world.looked_after.api_client_key,
            (_, "organization_id") => &world.looked_after.organization_id,
            (_, "system_id") => &world.looked_after.system_id,
            (_, "invitation_id") => &world.looked_after.asked_id,
            (_, "module_id") => &world.looked_after.module_id,
            (_, "site_id") => &world.looked_after.site_id,
            (_, "session_id" | "kid") => "nothing",
            (_, "connection_id") if endpoint.name == "connections.delete" => &world.looked_after.gone_connection,
            (_, "connection_id") => &world.looked_after.connection_id,
            (_, "connection") => "con_0123456789abcdef0123456789abcdef",
            (_, "tenant_id") | ("/v1/tenants/" | "/api/admin/v1/tenants/", "id") => &world.tenant_id,
            ("/v1/users/" | "/api/internal/users/", "id") => &world.user_id,
            (_, "client_id") => &world.other_service.id,
            (_, "user_sub") => &world.user_id,
            ("/api/v1/users/", "user_id") => &world.user_id,
            (_, "role_id") if endpoint.name == "roles.delete" => &world.idle_role_id,
            (_, "role_id") => &world.role_id,
            (_, "permission_id") if endpoint.name == "roles.remove_permission" => "PERM_USER_READ",
            (_, "permission_id") if endpoint.name == "permissions.delete" => &world.idle_permission_id,
            (_, "permission_id") => &world.permission_id,
            other => panic!("tests/it/support/routes.rs knows no id for {other:?} in {}", endpoint.path),
        };
        path = format!("{before_all}{id}");
        rest = after;
    }
    path + rest
}

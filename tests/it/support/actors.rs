//! Who uses the application: tenants, services, apps, people, administrators.

use gatehouse::domain::clients::{self, NewClient};
use gatehouse::domain::users::{self, NewPassword, NewUser};
use gatehouse::domain::{Ctx, Origin, tenants};
use gatehouse::model::audit::Actor;
use gatehouse::model::client::{AuthMethod, GrantType};
use gatehouse::model::user::User;
use serde_json::json;

use super::{ADMIN_EMAIL, ADMIN_PASSWORD, Answer, TestApp};

/// A registered client and its secret.
#[derive(Clone, Debug)]
pub struct Client {
    pub id: String,
    pub secret: String,
}

/// A tenant and its keys.
#[derive(Clone, Debug)]
pub struct TenantKeys {
    pub id: String,
    pub issuer: String,
    pub public: String,
    pub secret: String,
}

impl TestApp {
    /// A tenant beside the default one.
    pub async fn tenant(&self, name: &str) -> TenantKeys {
        let made = tenants::create(&self.core, Actor::Operator, Origin::default(), name).await.unwrap();
        let id = made.tenant.id.to_string();
        let issuer = format!("{}/t/{id}", self.config.http.issuer);
        TenantKeys { id, issuer, public: made.public_key, secret: made.secret_key.expose().clone() }
    }

    /// A call of a verb on this tenant.
    pub async fn ctx_of(&self, tenant: &TenantKeys) -> Ctx<'_> {
        let live = tenants::live(&self.core, tenant.id.parse().unwrap()).await.unwrap();
        Ctx::new(&self.core, live, Actor::Operator, Origin::default())
    }

    /// A client as it is wished for.
    pub async fn client(&self, new: NewClient) -> Client {
        register(&self.ctx().await, new).await
    }

    /// A service that holds these scopes.
    pub async fn service(&self, scopes: &str) -> Client {
        self.client(NewClient { scope: scopes.parse().unwrap(), ..NewClient::service("a service") }).await
    }

    /// A service of another tenant.
    pub async fn service_of(&self, tenant: &TenantKeys, scopes: &str) -> Client {
        let new = NewClient { scope: scopes.parse().unwrap(), ..NewClient::service("a service") };
        register(&self.ctx_of(tenant).await, new).await
    }

    /// An app that may ask for these scopes with a person's password, and may refresh.
    pub async fn password_app(&self, scopes: &str) -> Client {
        self.client(password_app(scopes)).await
    }

    /// An answer of the token endpoint to `client_credentials`.
    pub async fn credentials(&self, client: &Client) -> Answer {
        self.basic("/oauth/token", &client.id, &client.secret, &[("grant_type", "client_credentials")]).await
    }

    /// A token of a fresh service that holds these scopes.
    pub async fn service_token(&self, scopes: &str) -> String {
        let service = self.service(scopes).await;
        self.token_of(&service).await
    }

    /// A token of this service.
    pub async fn token_of(&self, client: &Client) -> String {
        self.credentials(client).await.expect(200).str("access_token")
    }

    /// A person of the default tenant.
    pub async fn user(&self, email: &str, password: &str) -> User {
        make_user(&self.ctx().await, email, NewPassword::Plain(password, 6), &[]).await
    }

    /// An answer of the token endpoint to `password`.
    pub async fn sign_in(&self, client: &Client, username: &str, password: &str) -> Answer {
        let fields = [("grant_type", "password"), ("username", username), ("password", password)];
        self.basic("/oauth/token", &client.id, &client.secret, &fields).await
    }

    /// An answer of the token endpoint to `refresh_token`.
    pub async fn refresh(&self, client: &Client, token: &str) -> Answer {
        let fields = [("grant_type", "refresh_token"), ("refresh_token", token)];
        self.basic("/oauth/token", &client.id, &client.secret, &fields).await
    }

    /// What introspection says of a token to a client that may see every token.
    pub async fn is_active(&self, token: &str) -> bool {
        let (admin, fields) = (self.service("internal:admin").await, [("token", token)]);
        let answer = self.basic("/oauth/introspect", &admin.id, &admin.secret, &fields).await.body(200);
        answer["active"].as_bool().unwrap()
    }

    /// A token of the first administrator.
    pub async fn admin_token(&self) -> String {
        let app = self.password_app("openid").await;
        self.sign_in(&app, ADMIN_EMAIL, ADMIN_PASSWORD).await.expect(200).str("access_token")
    }

    /// A person who registered with a tenant's public key, and their token.
    pub async fn tenant_user(&self, tenant: &TenantKeys, email: &str, password: &str) -> (String, String) {
        let body = json!({ "email": email, "password": password });
        let id = self.post(&tenant.public, "/v1/auth/register", &body).await.expect(201).str("id");
        let token = self.post(&tenant.public, "/v1/auth/login", &body).await.expect(200).str("token");
        (id, token)
    }
}

/// An app that may ask for these scopes with a person's password, and may refresh.
pub fn password_app(scopes: &str) -> NewClient {
    NewClient {
        auth_method: AuthMethod::ClientSecretBasic,
        grant_types: vec![GrantType::Password, GrantType::RefreshToken],
        scope: scopes.parse().unwrap(),
        ..NewClient::service("an app")
    }
}

/// Registers a client.
pub async fn register(ctx: &Ctx<'_>, new: NewClient) -> Client {
    let made = clients::create(ctx, new).await.unwrap();
    Client { id: made.client.id.to_string(), secret: made.secret.map(|s| s.expose().clone()).unwrap_or_default() }
}

/// Makes a user.
pub async fn make_user(ctx: &Ctx<'_>, email: &str, password: NewPassword<'_>, roles: &[String]) -> User {
    let new = NewUser {
        email: Some(email),
        email_verified: true,
        username: None,
        name: Some("Someone"),
        password,
        profile: json!({}),
        roles,
    };
    users::create(ctx, new).await.unwrap()
}

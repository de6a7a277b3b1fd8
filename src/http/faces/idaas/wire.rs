//! What goes over the wire on this face, and its words for our nouns.

use crate::http::fields::{Body, FieldError, Fields};
use crate::model::access_log::AccessLogEntry;
use crate::model::client::Client;
use crate::model::tenant::Tenant;
use crate::model::user::User;
use serde::Serialize;
use utoipa::ToSchema;

/// A new tenant.
#[derive(ToSchema)]
pub(super) struct CreateTenant {
    /// For people to read.
    pub(super) name: String,
}

impl Body for CreateTenant {
    fn read(fields: &mut Fields) -> Result<Self, FieldError> {
        Ok(Self { name: fields.name("name")? })
    }
}

/// A tenant that was just made, with its keys for the one time.
#[derive(Serialize, ToSchema)]
pub(super) struct CreatedTenant<'a> {
    /// `tnt_…`.
    pub(super) id: String,
    /// For people to read.
    pub(super) name: &'a str,
    /// `pub_…`, for client-side calls.
    pub(super) public_key: &'a str,
    /// `sec_…`, for management calls; not shown again.
    pub(super) secret_key: &'a str,
    /// RFC 3339.
    pub(super) created_at: String,
}

/// A tenant as everybody may see it.
#[derive(Serialize, ToSchema)]
pub(super) struct ShownTenant<'a> {
    /// `tnt_…`.
    pub(super) id: String,
    /// For people to read.
    pub(super) name: &'a str,
    /// A fingerprint for comparing keys by eye; good for nothing else.
    pub(super) api_secret_key_hash: &'a str,
    /// `pub_…`.
    pub(super) api_public_key: &'a str,
    /// RFC 3339.
    pub(super) created_at: String,
}

/// A tenant in a list.
#[derive(Serialize, ToSchema)]
pub(in crate::http::faces) struct ListedTenant {
    /// `tnt_…`.
    id: String,
    /// For people to read.
    name: String,
    /// `pub_…`.
    api_public_key: String,
    /// RFC 3339.
    created_at: String,
}

impl ListedTenant {
    /// A tenant with its newest public key.
    pub(in crate::http::faces) fn new(tenant: &Tenant, public_key: Option<String>) -> Self {
        Self {
            id: tenant.id.to_string(),
            name: tenant.name.clone(),
            api_public_key: public_key.unwrap_or_default(),
            created_at: tenant.created_at.rfc3339(),
        }
    }
}

/// A new account.
#[derive(ToSchema)]
pub(super) struct Register {
    /// Their address.
    pub(super) email: String,
    /// Their password.
    pub(super) password: String,
    /// Any JSON object.
    #[schema(value_type = Option<Object>)]
    pub(super) profile: serde_json::Value,
}

impl Body for Register {
    fn read(fields: &mut Fields) -> Result<Self, FieldError> {
        Ok(Self {
            email: fields.name("email")?,
            password: fields.text("password")?,
            profile: fields.optional_object("profile")?.unwrap_or_else(empty_profile),
        })
    }
}

/// What a profile is that nobody gave.
pub(in crate::http::faces) fn empty_profile() -> serde_json::Value {
    serde_json::Value::Object(serde_json::Map::new())
}

/// A sign-in.
#[derive(ToSchema)]
pub(super) struct Login {
    /// Their address.
    pub(super) email: String,
    /// Their password.
    pub(super) password: String,
}

impl Body for Login {
    fn read(fields: &mut Fields) -> Result<Self, FieldError> {
        Ok(Self { email: fields.name("email")?, password: fields.text("password")? })
    }
}

/// A user.
#[derive(Serialize, ToSchema)]
pub(super) struct UserBody {
    /// `usr_…`.
    id: String,
    /// As it was given.
    email: Option<String>,
    /// As it was given.
    #[schema(value_type = Object)]
    profile: serde_json::Value,
    /// RFC 3339.
    created_at: String,
}

impl From<User> for UserBody {
    fn from(user: User) -> Self {
        Self {
            id: user.id.to_string(),
            email: user.email,
            profile: user.profile,
            created_at: user.created_at.rfc3339(),
        }
    }
}

/// Somebody who signed in.
#[derive(Serialize, ToSchema)]
pub(super) struct SignedIn {
    /// Who.
    pub(super) user: UserBody,
    /// Their token.
    pub(super) token: String,
}

/// Some users of a tenant.
#[derive(Serialize, ToSchema)]
pub(super) struct UserList {
    /// The users, in the order in which they were made.
    pub(super) users: Vec<UserBody>,
    /// Where to go on, while there are more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) next_cursor: Option<String>,
}

/// A new service.
#[derive(ToSchema)]
pub(super) struct RegisterService {
    /// For people to read.
    pub(super) service_name: String,
    /// For people to read.
    pub(super) description: Option<String>,
}

impl Body for RegisterService {
    fn read(fields: &mut Fields) -> Result<Self, FieldError> {
        Ok(Self {
            service_name: fields.name("service_name")?,
            description: fields.optional_text_up_to("description", 1000)?,
        })
    }
}

/// A service that was just registered, with its secret for the one time.
#[derive(Serialize, ToSchema)]
pub(super) struct RegisteredService<'a> {
    /// `svc_…`.
    pub(super) client_id: &'a str,
    /// Not shown again.
    pub(super) client_secret: &'a str,
    /// For people to read.
    pub(super) service_name: &'a str,
    /// For people to read.
    pub(super) description: &'a str,
    /// RFC 3339.
    pub(super) created_at: String,
    /// That it went well.
    pub(super) message: &'static str,
    /// That the secret is not shown again.
    pub(super) warning: &'static str,
}

/// A service's id and secret.
#[derive(ToSchema)]
pub(super) struct Authenticate {
    /// `svc_…`.
    pub(super) client_id: String,
    /// Its secret.
    pub(super) client_secret: String,
}

impl Body for Authenticate {
    fn read(fields: &mut Fields) -> Result<Self, FieldError> {
        Ok(Self { client_id: fields.text("client_id")?, client_secret: fields.text("client_secret")? })
    }
}

/// A service's token.
#[derive(Serialize, ToSchema)]
pub(super) struct ServiceToken<'a> {
    /// The token.
    pub(super) access_token: &'a str,
    /// `Bearer`.
    pub(super) token_type: &'static str,
    /// In seconds.
    pub(super) expires_in: u64,
    /// What it may be used for.
    pub(super) scopes: Vec<&'a str>,
}

/// A token to be looked at.
#[derive(ToSchema)]
pub(super) struct ValidateToken {
    /// The token.
    pub(super) token: String,
}

impl Body for ValidateToken {
    fn read(fields: &mut Fields) -> Result<Self, FieldError> {
        Ok(Self { token: fields.text("token")? })
    }
}

/// What a token is.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
pub(super) enum TokenVerdict {
    /// One that counts.
    Valid {
        /// `true`.
        valid: bool,
        /// Whose.
        client_id: String,
        /// What it may be used for at this moment.
        scopes: Vec<String>,
        /// Until when, in seconds since 1970.
        exp: i64,
    },
    /// Anything else.
    Invalid {
        /// `false`.
        valid: bool,
    },
}

/// A service and a scope.
#[derive(ToSchema)]
pub(super) struct ServiceScope {
    /// `svc_…`.
    pub(super) client_id: String,
    /// `resource:action`.
    pub(super) scope_name: String,
}

impl Body for ServiceScope {
    fn read(fields: &mut Fields) -> Result<Self, FieldError> {
        Ok(Self { client_id: fields.text("client_id")?, scope_name: fields.text("scope_name")? })
    }
}

/// That it went well.
#[derive(Serialize, ToSchema)]
pub(super) struct Message {
    /// In words.
    pub(super) message: &'static str,
}

/// Whether a service holds a scope.
#[derive(Serialize, ToSchema)]
pub(super) struct HasPermission {
    /// Whether it does.
    pub(super) has_permission: bool,
}

/// All services of a tenant.
#[derive(Serialize, ToSchema)]
pub(in crate::http::faces) struct ServiceList {
    /// The services.
    services: Vec<ListedService>,
}

impl From<Vec<Client>> for ServiceList {
    fn from(services: Vec<Client>) -> Self {
        Self { services: services.into_iter().map(ListedService::from).collect() }
    }
}

/// A service in a list.
#[derive(Serialize, ToSchema)]
pub(in crate::http::faces) struct ListedService {
    /// `svc_…`.
    client_id: String,
    /// For people to read.
    service_name: String,
    /// For people to read.
    description: String,
    /// RFC 3339.
    created_at: String,
}

impl From<Client> for ListedService {
    fn from(client: Client) -> Self {
        Self {
            client_id: client.id.to_string(),
            service_name: client.name,
            description: client.description.unwrap_or_default(),
            created_at: client.created_at.rfc3339(),
        }
    }
}

/// One request that a service made.
#[derive(Serialize, ToSchema)]
pub(super) struct LogLine {
    /// Rises with time.
    id: i64,
    /// Which service.
    client_id: String,
    /// The path.
    endpoint: String,
    /// GET, POST and so on.
    method: String,
    /// The answer's status.
    status_code: u16,
    /// Milliseconds.
    response_time_ms: i64,
    /// From where.
    ip_address: Option<String>,
    /// What the caller called itself.
    user_agent: Option<String>,
    /// RFC 3339.
    created_at: String,
}

impl From<AccessLogEntry> for LogLine {
    fn from(entry: AccessLogEntry) -> Self {
        Self {
            id: entry.id,
            client_id: entry.client.to_string(),
            endpoint: entry.endpoint,
            method: entry.method,
            status_code: entry.status,
            response_time_ms: entry.response_time_ms,
            ip_address: entry.address,
            user_agent: entry.user_agent,
            created_at: entry.at.rfc3339(),
        }
    }
}

/// What a service did since a moment, in numbers.
#[derive(Serialize, ToSchema)]
pub(super) struct Statistics {
    /// `svc_…`.
    pub(super) client_id: String,
    /// RFC 3339.
    pub(super) since: String,
    /// All requests.
    pub(super) total_requests: i64,
    /// Milliseconds.
    pub(super) avg_response_time: f64,
    /// Those answered with 400 or above.
    pub(super) error_count: i64,
    /// Percent, 0 to 100; 100 where there was no request that could fail.
    pub(super) success_rate: f64,
}

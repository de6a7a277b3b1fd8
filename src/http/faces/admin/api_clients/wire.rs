//! API clients on the wire.

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::api_clients::{AllowLists, ApiClientChange, NewApiClient, WithSecret};
use crate::http::faces::admin::members::body;
use crate::model::api_client::ApiClient;
use crate::model::time::Timestamp;

/// An API client.
#[derive(Serialize, ToSchema)]
#[schema(as = ApiClient)]
pub(super) struct ApiClientShown {
    /// What `X-Client-Key` holds.
    client_key: String,
    /// For people to read.
    name: String,
    /// Whether it counts.
    enabled: bool,
    /// From when on it counts no longer, RFC 3339.
    expires_at: Option<String>,
    /// Which `Origin` headers may stand on its requests; empty is any.
    origins: Vec<String>,
    /// From which networks it may call; empty is any.
    networks: Vec<String>,
    /// Which paths it may call, and what is below them; empty is any.
    paths: Vec<String>,
    /// RFC 3339.
    created_at: String,
}

impl From<ApiClient> for ApiClientShown {
    fn from(client: ApiClient) -> Self {
        Self {
            client_key: client.client_key,
            name: client.name,
            enabled: client.enabled,
            expires_at: client.expires_at.map(Timestamp::rfc3339),
            origins: client.origins,
            networks: client.networks.iter().map(ToString::to_string).collect(),
            paths: client.paths,
            created_at: client.created_at.rfc3339(),
        }
    }
}

/// An API client with its secret.
#[derive(Serialize, ToSchema)]
#[schema(as = ApiClientWithSecret)]
pub(super) struct ApiClientWithSecret {
    /// The API client.
    #[serde(flatten)]
    #[schema(inline)]
    client: ApiClientShown,
    /// What `X-API-Key` has to hold; shown once.
    api_key: String,
}

impl From<WithSecret> for ApiClientWithSecret {
    fn from(made: WithSecret) -> Self {
        Self { client: made.client.into(), api_key: made.secret.expose().clone() }
    }
}

body! {
    /// An API client that is to be made.
    NewApiClientBody as NewApiClient {
        /// For people to read.
        name: String = text,
        /// From when on it counts no longer, RFC 3339.
        #[schema(value_type = Option<String>)]
        expires_at: Option<Option<Timestamp>> = moment_change,
        /// Which `Origin` headers may stand on its requests; empty is any.
        origins: Option<Vec<String>> = texts,
        /// From which networks it may call; empty is any.
        networks: Option<Vec<String>> = texts,
        /// Which paths it may call, and what is below them; empty is any.
        paths: Option<Vec<String>> = texts,
    }
}

impl NewApiClientBody {
    /// The API client, for the verb.
    pub(super) fn client(self) -> NewApiClient {
        let allowed = AllowLists {
            origins: self.origins.unwrap_or_default(),
            networks: self.networks.unwrap_or_default(),
            paths: self.paths.unwrap_or_default(),
        };
        NewApiClient { name: self.name, expires_at: self.expires_at.flatten(), allowed }
    }
}

body! {
    /// What becomes of an API client: what is absent stays.
    ApiClientChangeBody as ApiClientChange {
        /// For people to read.
        name: Option<String> = replacement,
        /// Whether it counts.
        enabled: Option<bool> = flag,
        /// From when on it counts no longer, RFC 3339; null for never.
        #[schema(value_type = Option<String>)]
        expires_at: Option<Option<Timestamp>> = moment_change,
        /// Which `Origin` headers may stand on its requests; empty is any.
        origins: Option<Vec<String>> = texts,
        /// From which networks it may call; empty is any.
        networks: Option<Vec<String>> = texts,
        /// Which paths it may call, and what is below them; empty is any.
        paths: Option<Vec<String>> = texts,
    }
}

impl ApiClientChangeBody {
    /// The change, for the verb.
    pub(super) fn change(self) -> ApiClientChange {
        let Self { name, enabled, expires_at, origins, networks, paths } = self;
        ApiClientChange { name, expires_at, enabled, origins, networks, paths }
    }
}

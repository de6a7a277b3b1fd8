//! The OpenAPI 3.1 document, made from the mount list.

use utoipa::openapi::security::{ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityScheme};
use utoipa::openapi::{Components, InfoBuilder, OpenApi, OpenApiBuilder, Paths};

use super::mount::{Endpoint, routes};

/// What the document says about itself.
const ABOUT: &str = "An identity provider: OAuth 2 and OpenID Connect, and REST interfaces over the same users, \
services and tenants. The paths of the standards surface exist under every issuer: at the root for the default \
tenant, and below `/t/{tenant_id}` for any other.";

/// The document as JSON text.
#[must_use]
pub fn openapi() -> String {
    document().to_pretty_json().unwrap_or_default()
}

/// The document.
pub(super) fn document() -> OpenApi {
    let endpoints: Vec<Endpoint> = routes().into_iter().filter(|endpoint| endpoint.documented).collect();
    let mut paths = Paths::new();
    let mut schemas = Vec::new();
    for endpoint in &endpoints {
        (endpoint.schemas)(&mut schemas);
        let mut operation = (endpoint.operation)();
        operation.operation_id = Some(operation_id(endpoint, &endpoints));
        operation.tags = Some(vec![endpoint.surface.as_str().to_owned()]);
        paths.add_path_operation(&endpoint.path, vec![endpoint.http_method.clone()], operation);
    }
    let mut components = Components::new();
    components.schemas.extend(schemas);
    for (name, scheme) in security_schemes() {
        components.add_security_scheme(name, scheme);
    }
    let info =
        InfoBuilder::new().title("gatehouse").version(env!("CARGO_PKG_VERSION")).description(Some(ABOUT)).build();
    OpenApiBuilder::new().info(info).paths(paths).components(Some(components)).build()
}

/// `idaas.users.register`; with the method where a handler has several.
fn operation_id(endpoint: &Endpoint, all: &[Endpoint]) -> String {
    let base = format!("{}.{}", endpoint.surface.as_str(), endpoint.name);
    let shared = all.iter().filter(|other| other.surface == endpoint.surface && other.name == endpoint.name).count();
    if shared > 1 { format!("{base}.{}", endpoint.method.as_str().to_ascii_lowercase()) } else { base }
}

/// How callers prove who they are; operations refer to these names.
fn security_schemes() -> Vec<(&'static str, SecurityScheme)> {
    let http = |scheme: HttpAuthScheme, about: &str| {
        let mut http = Http::new(scheme);
        http.description = Some(about.to_owned());
        SecurityScheme::Http(http)
    };
    let header = |name: &str, about: &str| {
        SecurityScheme::ApiKey(ApiKey::Header(ApiKeyValue::with_description(name, about)))
    };
    vec![
        ("client_key", header("X-Client-Key", "An API client's client key.")),
        ("api_key", header("X-API-Key", "An API client's secret; it goes with the client key.")),
        ("tenant_key", http(HttpAuthScheme::Bearer, "A tenant's key: `pub_…` or `sec_…`.")),
        ("user_token", http(HttpAuthScheme::Bearer, "A person's access token.")),
        ("service_token", http(HttpAuthScheme::Bearer, "A service's access token.")),
        ("client_basic", http(HttpAuthScheme::Basic, "A client's id and secret (RFC 6749 §2.3.1).")),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_has_a_name_of_its_own_and_every_reference_an_end() {
        let text = openapi();
        let document: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(document["openapi"], "3.1.0");
        let mut names = std::collections::HashSet::new();
        for operations in document["paths"].as_object().unwrap().values() {
            for operation in operations.as_object().unwrap().values() {
                let name = operation["operationId"].as_str().unwrap();
                assert!(names.insert(name.to_owned()), "{name} twice");
            }
        }
        for reference in text.split("\"#/").skip(1).filter_map(|rest| rest.split('"').next()) {
            let found = document.pointer(&format!("/{reference}"));
            assert!(found.is_some(), "{reference} leads nowhere");
        }
    }
}

//! The OpenAPI 3.1 document, made from the mount list.

#![allow(clippy::indexing_slicing)] // of JSON objects that are made here

use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityScheme};

use super::mount::{Endpoint, routes};
use super::shape;
use crate::telemetry::Surface;

/// What the document says about itself.
const ABOUT: &str = "An identity provider: OAuth 2 and OpenID Connect, and REST interfaces over the same users, \
services and tenants. The paths of the standards surface exist under every issuer: at the root for the default \
tenant, and below `/t/{tenant_id}` for any other.";

/// What each surface is for, in a line.
const fn about(surface: Surface) -> &'static str {
    match surface {
        Surface::OAuth => "OAuth 2 and OpenID Connect: apps, browsers and services.",
        Surface::Idaas => "Tenants, their users, and services with scopes: tenants' back ends and internal services.",
        Surface::Control => "Users and tenants: services with a scope, and administrators.",
        Surface::Admin => "Management: everything that an operator needs every day.",
        Surface::Rbac => "Roles and permissions, and who holds which. Chinese, or English by `Accept-Language`.",
        Surface::Workspace => "Accounts, workspaces with their members, and sign-in by a workspace's SAML provider.",
        Surface::Member => "A member portal: sign-in, who I am and what I may do; grants.",
        Surface::Handoff => "Trusted systems with a key pair: the catalogue, members, and permission snapshots.",
        Surface::Operator => "Whether it is well.",
        Surface::Pages | Surface::Console | Surface::Other => "",
    }
}

/// The document as JSON text.
#[must_use]
pub fn openapi() -> String {
    let mut text = serde_json::to_string_pretty(&document()).unwrap_or_default();
    text.push('\n');
    text
}

/// The document. Each surface has schemas of its own: `idaas.UserBody`.
pub(super) fn document() -> Value {
    let endpoints: Vec<Endpoint> = routes().into_iter().filter(|endpoint| endpoint.documented).collect();
    let (mut paths, mut schemas, mut responses) = (Map::new(), Map::new(), Map::new());
    for endpoint in &endpoints {
        let surface = endpoint.surface.as_str();
        let mut own = Vec::new();
        (endpoint.schemas)(&mut own);
        own.push((REFUSAL.to_owned(), shape::schema(endpoint.surface)));
        own.extend(shape::parts(endpoint.surface));
        schemas.extend(own.into_iter().map(|(name, schema)| (format!("{surface}.{name}"), named(&schema, surface))));
        let mut operation = named(&(endpoint.operation)(), surface);
        operation["operationId"] = operation_id(endpoint, &endpoints).into();
        operation["tags"] = json!([surface]);
        never_null(&mut operation);
        answer_what_any_can(endpoint, &mut operation, &mut responses);
        let methods = paths.entry(endpoint.path.as_str()).or_insert_with(|| json!({}));
        methods[endpoint.method.as_str().to_ascii_lowercase()] = operation;
    }
    name_items(&mut schemas);
    let mut surfaces: Vec<Surface> = endpoints.iter().map(|endpoint| endpoint.surface).collect();
    surfaces.dedup();
    let tag = |surface: &Surface| json!({ "name": surface.as_str(), "description": about(*surface) });
    let schemes: Map<String, Value> =
        security_schemes().into_iter().map(|(name, scheme)| (name.to_owned(), json!(scheme))).collect();
    json!({
        "openapi": "3.1.0",
        "info": { "title": "gatehouse", "version": env!("CARGO_PKG_VERSION"), "description": ABOUT },
        "servers": [{ "url": "/", "description": "Where this document was found" }],
        "tags": surfaces.iter().map(tag).collect::<Vec<_>>(),
        "security": [],
        "paths": paths,
        "components": { "schemas": schemas, "responses": responses, "securitySchemes": schemes },
    })
}

/// What every surface calls the schema of its refusals.
const REFUSAL: &str = "Refusal";
/// Where people come in a browser: what is refused there is a page.
const FOR_PEOPLE: [&str; 2] = ["authorize.authorize", "logout.end_session"];
/// Where schemas are.
const SCHEMAS: &str = "#/components/schemas/";

/// The same as JSON, with references to the schemas of a surface.
fn named(part: &impl Serialize, surface: &str) -> Value {
    fn name(value: &mut Value, surface: &str) {
        match value {
            Value::Object(members) => {
                if let Some(Value::String(reference)) = members.get_mut("$ref")
                    && let Some(schema) = reference.strip_prefix(SCHEMAS)
                {
                    *reference = format!("{SCHEMAS}{surface}.{schema}");
                }
                members.values_mut().for_each(|value| name(value, surface));
            }
            Value::Array(items) => items.iter_mut().for_each(|value| name(value, surface)),
            _ => {}
        }
    }
    let mut value = json!(part);
    name(&mut value, surface);
    value
}

/// Refers to what a page holds by its name; what stands for a type parameter is written out otherwise.
fn name_items(schemas: &mut Map<String, Value>) {
    for (page, schema) in schemas.iter_mut().filter(|(name, _)| name.contains(".Page_")) {
        let item = page.replacen("Page_", "", 1);
        schema["properties"]["items"]["items"] = json!({ "$ref": format!("{SCHEMAS}{item}") });
    }
}

/// A parameter that is not given is not there; it is never null.
fn never_null(operation: &mut Value) {
    let parameters = operation.get_mut("parameters").and_then(Value::as_array_mut);
    for parameter in parameters.into_iter().flatten() {
        if let Some([kind, _]) = parameter["schema"]["type"].as_array().map(Vec::as_slice) {
            parameter["schema"]["type"] = kind.clone();
        }
    }
}

/// Adds what any operation of its kind can be answered, where the handler does not say it better; and
/// refusals that say nothing of their body have that of their surface. What is said often is said once, in
/// `responses`.
fn answer_what_any_can(endpoint: &Endpoint, operation: &mut Value, responses: &mut Map<String, Value>) {
    let surface = endpoint.surface;
    let refuses_nobody = endpoint.name == "probes.healthz";
    if refuses_nobody || [Surface::Operator, Surface::Pages, Surface::Console, Surface::Other].contains(&surface) {
        return;
    }
    let given = |name: &str| operation[name].as_array().is_some_and(|list| !list.is_empty());
    let for_people = FOR_PEOPLE.contains(&endpoint.name);
    let secured = given("security") && !for_people;
    let (parameters, body) = (given("parameters"), operation.get("requestBody").is_some());
    let of_admin = surface == Surface::Admin;
    let may_come = [
        (400, "What is wrong with the input", true),
        (401, "No credentials that count", secured),
        (403, "A permission is missing", secured),
        (404, "There is no such thing for this caller", parameters),
        (408, "The body did not arrive in time", body),
        (413, "The body is too large", body),
        (415, "The body is of another type", body),
        (422, "The `Idempotency-Key` came with another request", of_admin && has_key(operation)),
        (409, "The same request is being done", of_admin && has_key(operation)),
        (429, "Too many from this address", true),
        (503, "Not now; `Retry-After` says when", true),
    ];
    let Some(answers) = operation["responses"].as_object_mut() else { return };
    let refusal = json!({ "schema": { "$ref": format!("{SCHEMAS}{}.{REFUSAL}", surface.as_str()) } });
    let mut content = json!({ shape::media_type(surface): refusal });
    let mut place = surface.as_str().to_owned();
    if for_people {
        content["text/html"] = json!({});
        place.push_str(".pages");
    }
    for (status, about, _) in may_come.into_iter().filter(|(.., may)| *may) {
        answers.entry(status.to_string()).or_insert_with(|| {
            let name = format!("{place}.{status}");
            let reference = json!({ "$ref": format!("#/components/responses/{name}") });
            responses.entry(name).or_insert_with(|| json!({ "description": about, "content": content }));
            reference
        });
    }
    let refusals = answers.iter_mut().filter(|(status, _)| status.starts_with(['4', '5']));
    for (_, answer) in refusals.filter(|(_, answer)| answer.get("content").or(answer.get("$ref")).is_none()) {
        answer["content"] = content.clone();
    }
}

fn has_key(operation: &Value) -> bool {
    let parameters = operation["parameters"].as_array().into_iter().flatten();
    parameters.into_iter().any(|parameter| parameter["name"] == "Idempotency-Key")
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
    let header =
        |name: &str, about: &str| SecurityScheme::ApiKey(ApiKey::Header(ApiKeyValue::with_description(name, about)));
    vec![
        ("client_key", header("X-Client-Key", "An API client's client key.")),
        ("api_key", header("X-API-Key", "An API client's secret; it goes with the client key.")),
        ("tenant_key", http(HttpAuthScheme::Bearer, "A tenant's key: `pub_…` or `sec_…`.")),
        ("access_token", http(HttpAuthScheme::Bearer, "An access token of a person or a service.")),
        ("bearer", http(HttpAuthScheme::Bearer, "An access token of a person or a service.")),
        ("user_token", http(HttpAuthScheme::Bearer, "A person's access token.")),
        ("service_token", http(HttpAuthScheme::Bearer, "A service's access token.")),
        (
            "session",
            SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::with_description(
                "gatehouse_session",
                "A browser in which somebody signed in; over https the name begins with `__Host-`.",
            ))),
        ),
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
        let schemes = document["components"]["securitySchemes"].as_object().unwrap();
        let operations = document["paths"].as_object().unwrap().values().flat_map(|path| path.as_object().unwrap());
        for (_, operation) in operations {
            let name = &operation["operationId"];
            assert!(operation.get("parameters").is_none_or(Value::is_array), "{name} has no list of parameters");
            assert!(operation["summary"].as_str().is_some_and(|summary| !summary.is_empty()), "{name} says nothing");
            let wanted = operation["security"].as_array().into_iter().flatten();
            for scheme in wanted.flat_map(|one| one.as_object().unwrap().keys()) {
                assert!(schemes.contains_key(scheme), "{scheme} is no scheme");
            }
            for (status, answer) in operation["responses"].as_object().unwrap() {
                let says = answer["description"].as_str().is_some_and(|about| !about.is_empty());
                assert!(says || answer.get("$ref").is_some(), "{name} does not say what {status} means");
            }
        }
        for tag in document["tags"].as_array().unwrap() {
            assert_ne!(tag["description"], "", "{tag}");
        }
        for reference in text.split("\"#/").skip(1).filter_map(|rest| rest.split('"').next()) {
            let found = document.pointer(&format!("/{reference}"));
            assert!(found.is_some(), "{reference} leads nowhere");
        }
    }
}

//! `/docs`: the OpenAPI document for reading, without script.

#![allow(clippy::indexing_slicing)] // of JSON, where what is not there is null

use std::collections::{BTreeMap, btree_map};

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use serde_json::Value;

use super::page;
use super::views::Frame;
use super::views::docs::{Chapter, Docs, Entry, Member, Prose, Reference};
use crate::http::call::Call;
use crate::http::mount;

/// The documentation of every operation.
#[utoipa::path(get, path = "/docs", responses((status = 200)))]
pub(super) async fn docs(call: Call) -> HttpResponse {
    let reference = call.state().documents.reference();
    page(StatusCode::OK, &Docs { frame: Frame::of_nobody(&call), reference })
}

/// What the document says.
pub(in crate::http) fn reference(document: &Value) -> Reference {
    let chapters = chapters(document);
    let named = chapters.iter().flat_map(|chapter| &chapter.operations).flat_map(|operation| {
        let of_body = operation.body.iter().flat_map(|(_, members)| members);
        of_body.chain(operation.answers.iter().flat_map(|(.., members)| members))
    });
    let mut wanted: Vec<String> = named.filter_map(|member| member.schema.clone()).collect();
    let mut schemas = BTreeMap::new();
    while let Some(name) = wanted.pop() {
        if let btree_map::Entry::Vacant(place) = schemas.entry(name) {
            let members = members(document, &document["components"]["schemas"][place.key()]);
            wanted.extend(members.iter().filter_map(|member| member.schema.clone()));
            place.insert(members);
        }
    }
    Reference { chapters, schemas: schemas.into_iter().collect() }
}

/// What can be done, surface by surface, in the order of the mount list.
fn chapters(document: &Value) -> Vec<Chapter> {
    let mut chapters: Vec<Chapter> = Vec::new();
    for endpoint in mount::routes().into_iter().filter(|endpoint| endpoint.documented) {
        let title = endpoint.surface.as_str();
        let operation = &document["paths"][&endpoint.path][endpoint.method.as_str().to_ascii_lowercase()];
        let entry = entry(document, endpoint.method.to_string(), endpoint.path, operation);
        match chapters.iter_mut().find(|chapter| chapter.title == title) {
            Some(chapter) => chapter.operations.push(entry),
            None => {
                let tag = list(&document["tags"]).find(|tag| tag["name"] == title);
                let about = tag.map(|tag| prose(&tag["description"])).unwrap_or_default();
                chapters.push(Chapter { title, about, operations: vec![entry] });
            }
        }
    }
    chapters
}

fn entry(document: &Value, method: String, path: String, operation: &Value) -> Entry {
    let content = operation["requestBody"]["content"].as_object();
    let body = content.and_then(|content| content.iter().next());
    let answers = operation["responses"].as_object().into_iter().flatten();
    Entry {
        method,
        path,
        summary: prose(&operation["summary"]),
        description: prose(&operation["description"]),
        security: list(&operation["security"]).filter_map(Value::as_object).map(security).collect(),
        parameters: list(&operation["parameters"])
            .map(|parameter| Member {
                name: text(&parameter["name"]),
                kind: format!("{}, {}", text(&parameter["in"]), kind(&parameter["schema"])),
                schema: None,
                required: parameter["required"] == true,
                about: prose(&parameter["description"]),
            })
            .collect(),
        body: body.map(|(media_type, body)| (media_type.clone(), members(document, &body["schema"]))),
        answers: answers
            .map(|(status, answer)| {
                let answer = resolved(document, answer);
                let content = answer["content"].as_object().and_then(|content| content.values().next());
                let shown = content.filter(|_| status.starts_with('2'));
                let members = shown.map(|content| members(document, &content["schema"])).unwrap_or_default();
                (status.clone(), prose(&answer["description"]), members)
            })
            .collect(),
    }
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn prose(value: &Value) -> Prose {
    text(value).into()
}

/// `access_token (user:read)`; several together are all needed.
fn security(together: &serde_json::Map<String, Value>) -> String {
    let scheme = |(name, scopes): (&String, &Value)| {
        let scopes: Vec<&str> = list(scopes).filter_map(Value::as_str).collect();
        if scopes.is_empty() { name.clone() } else { format!("{name} ({})", scopes.join(" ")) }
    };
    together.iter().map(scheme).collect::<Vec<_>>().join(" + ")
}

/// The schema that a reference leads to, or the schema itself.
fn resolved<'a>(document: &'a Value, schema: &'a Value) -> &'a Value {
    let found = schema["$ref"].as_str().and_then(|reference| document.pointer(reference.trim_start_matches('#')));
    found.unwrap_or(schema)
}

/// The members of an object, or of the objects in an array; those of its parts where it has several. Of a text
/// out of a list, what it may be.
fn members(document: &Value, schema: &Value) -> Vec<Member> {
    let schema = resolved(document, schema);
    if let Some(parts) = schema["allOf"].as_array() {
        return parts.iter().flat_map(|part| members(document, part)).collect();
    }
    if schema["type"] == "array" {
        return members(document, &schema["items"]);
    }
    let required = |name: &str| list(&schema["required"]).any(|required| required == name);
    let properties = schema["properties"].as_object().into_iter().flatten();
    let members = properties.map(|(name, property)| Member {
        name: name.clone(),
        kind: kind(property),
        schema: schema_of(property).map(str::to_owned),
        required: required(name),
        about: prose(&property["description"]),
    });
    members.chain(list(&schema["enum"]).map(|value| Member { name: text(value), ..Member::default() })).collect()
}

/// The name of the schema that a value, or an item of a list, or one of several is.
fn schema_of(schema: &Value) -> Option<&str> {
    let parts = [schema, &schema["items"]].into_iter().chain(list(&schema["oneOf"]));
    parts.into_iter().find_map(|part| part["$ref"].as_str()?.rsplit('/').next())
}

/// What a value is, in a word or two.
fn kind(schema: &Value) -> String {
    let names: Vec<&str> = match &schema["type"] {
        Value::String(name) => vec![name],
        Value::Array(names) => names.iter().filter_map(Value::as_str).collect(),
        _ => schema_of(schema).and_then(|name| name.rsplit('.').next()).into_iter().collect(),
    };
    match names.as_slice() {
        ["array", ..] => format!("{}[]", kind(&schema["items"])),
        names => names.join(" | "),
    }
}

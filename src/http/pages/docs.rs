//! `/docs`: the OpenAPI document for reading, without script.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use utoipa::openapi::RefOr;
use utoipa::openapi::path::Operation;

use super::page;
use super::views::Frame;
use super::views::docs::{Chapter, Docs, Entry, Prose};
use crate::http::call::Call;
use crate::http::mount;

/// The documentation of every operation.
#[utoipa::path(get, path = "/docs", responses((status = 200)))]
pub(super) async fn docs(call: Call) -> HttpResponse {
    page(StatusCode::OK, &Docs { frame: Frame::of_nobody(&call), chapters: chapters() })
}

fn chapters() -> Vec<Chapter> {
    let mut chapters: Vec<Chapter> = Vec::new();
    for endpoint in mount::routes().into_iter().filter(|endpoint| endpoint.documented) {
        let title = endpoint.surface.as_str();
        let entry = entry(endpoint.method.to_string(), endpoint.path, (endpoint.operation)());
        match chapters.iter_mut().find(|chapter| chapter.title == title) {
            Some(chapter) => chapter.operations.push(entry),
            None => chapters.push(Chapter { title, operations: vec![entry] }),
        }
    }
    chapters
}

fn entry(method: String, path: String, operation: Operation) -> Entry {
    let parameters = operation.parameters.unwrap_or_default();
    Entry {
        method,
        path,
        summary: operation.summary.unwrap_or_default().into(),
        description: operation.description.unwrap_or_default().into(),
        parameters: parameters
            .into_iter()
            .filter_map(|parameter| match parameter {
                RefOr::T(parameter) => Some((parameter.name, parameter.description.unwrap_or_default().into())),
                RefOr::Ref(_) => None,
            })
            .collect(),
        answers: operation
            .responses
            .responses
            .into_iter()
            .map(|(status, answer)| match answer {
                RefOr::T(answer) => (status, answer.description.into()),
                RefOr::Ref(_) => (status, Prose::default()),
            })
            .collect(),
    }
}

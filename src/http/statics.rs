//! Files that are part of the program: the style sheet.

use std::sync::LazyLock;

use crate::telemetry::Surface;

use super::documents::Document;
use super::mount::{Endpoint, endpoints};

/// The style sheet of every page.
static STYLE: LazyLock<Document> =
    LazyLock::new(|| Document::new(bytes::Bytes::from_static(include_bytes!("../../static/style.css"))));

/// Where pages find it: the address changes with its content, so it may be kept for ever.
pub(super) static STYLE_ADDRESS: LazyLock<String> =
    LazyLock::new(|| format!("/static/style.css?v={}", STYLE.version()));

mod files {
    use actix_web::{HttpRequest, HttpResponse};

    /// The style sheet of every page.
    #[utoipa::path(get, path = "/static/style.css", responses((status = 200)))]
    pub(in crate::http) async fn style(request: HttpRequest) -> HttpResponse {
        super::STYLE.answer(request.headers(), "text/css; charset=utf-8", "public, max-age=31536000, immutable")
    }
}

/// What it serves.
pub(super) fn endpoints() -> Vec<Endpoint> {
    endpoints![Surface::Pages; files::style].into_iter().map(Endpoint::undocumented).collect()
}

//! Files that are part of the program: the style sheet and the scripts.

use std::sync::LazyLock;

use crate::telemetry::Surface;

use super::documents::Document;
use super::mount::{Endpoint, endpoints};

/// Their addresses change with their content, so they may be kept for ever.
const FOR_EVER: &str = "public, max-age=31536000, immutable";

macro_rules! files {
    ($($(#[doc = $doc:literal])+ $file:ident, $address:ident = $name:literal;)+) => {$(
        static $file: LazyLock<Document> =
            LazyLock::new(|| Document::new(bytes::Bytes::from_static(include_bytes!(concat!("../../static/", $name)))));

        $(#[doc = $doc])+
        pub(super) static $address: LazyLock<String> =
            LazyLock::new(|| format!(concat!("/static/", $name, "?v={}"), $file.version()));
    )+};
}

files! {
    /// Where pages find their style sheet.
    STYLE, STYLE_ADDRESS = "style.css";
    /// Where they find what speaks to the browser's passkeys.
    PASSKEY_SCRIPT, PASSKEY_SCRIPT_ADDRESS = "passkey.js";
    /// Where one page finds what sends its form.
    FORM_POST_SCRIPT, FORM_POST_SCRIPT_ADDRESS = "form-post.js";
}

mod files {
    use actix_web::{HttpRequest, HttpResponse};

    use super::{FOR_EVER, FORM_POST_SCRIPT, PASSKEY_SCRIPT, STYLE};

    const SCRIPT: &str = "text/javascript; charset=utf-8";

    /// The style sheet of every page.
    #[utoipa::path(get, path = "/static/style.css", responses((status = 200)))]
    pub(in crate::http) async fn style(request: HttpRequest) -> HttpResponse {
        STYLE.answer(request.headers(), "text/css; charset=utf-8", FOR_EVER)
    }

    /// The script that speaks to the browser's passkeys.
    #[utoipa::path(get, path = "/static/passkey.js", responses((status = 200)))]
    pub(in crate::http) async fn passkey(request: HttpRequest) -> HttpResponse {
        PASSKEY_SCRIPT.answer(request.headers(), SCRIPT, FOR_EVER)
    }

    /// The script that sends the form of an answer to a client.
    #[utoipa::path(get, path = "/static/form-post.js", responses((status = 200)))]
    pub(in crate::http) async fn form_post(request: HttpRequest) -> HttpResponse {
        FORM_POST_SCRIPT.answer(request.headers(), SCRIPT, FOR_EVER)
    }
}

/// What it serves.
pub(super) fn endpoints() -> Vec<Endpoint> {
    endpoints![Surface::Pages; files::style, files::passkey, files::form_post]
        .into_iter()
        .map(Endpoint::undocumented)
        .collect()
}

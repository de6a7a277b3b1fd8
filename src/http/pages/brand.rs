//! `/brand.css`: a tenant's own colour, made readable on our papers.

use actix_web::HttpResponse;
use actix_web::http::header;

use super::error::Problem;
use crate::http::call::Call;
use crate::http::oauth::metadata::tenant as published_tenant;
use crate::model::color::Color;

/// What text needs to be read (WCAG 2.2, 1.4.3).
const TEXT: f64 = 4.5;
/// The lightest and darkest of what links and buttons stand on, as `static/style.css` has them.
const PAPERS: [Color; 2] = [Color::new(0xf4, 0xf5, 0xf7), Color::new(0x20, 0x24, 0x2c)];

/// The colour of a tenant's buttons and links.
#[utoipa::path(get, path = "/brand.css", responses((status = 200)))]
pub(super) async fn brand(call: Call) -> HttpResponse {
    match published_tenant(&call).await {
        // The address names the colour, so that the answer may be kept.
        Ok(tenant) => HttpResponse::Ok()
            .content_type("text/css; charset=utf-8")
            .insert_header((header::CACHE_CONTROL, "public, max-age=86400"))
            .body(tenant.tenant.settings.color.map(sheet).unwrap_or_default()),
        Err(error) => Problem::from(error).answer(&call).await,
    }
}

fn sheet(color: Color) -> String {
    let [light, dark] = PAPERS;
    let link = color.toward(Color::BLACK, light, TEXT);
    let bright = color.toward(Color::WHITE, dark, TEXT);
    let (on_color, on_bright) = (color.ink(), bright.ink());
    format!(
        ":root{{--accent:{color};--on-accent:{on_color};--link:{link}}}\
         @media(prefers-color-scheme:dark){{:root{{--accent:{bright};--on-accent:{on_bright};--link:{bright}}}}}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_colour_is_darkened_for_light_paper_and_lightened_for_dark() {
        let yellow = sheet("#ffd400".parse().unwrap());
        assert!(yellow.starts_with(":root{--accent:#ffd400;--on-accent:#000000;--link:#"), "{yellow}");
        assert!(!yellow.contains("--link:#ffd400}@"), "{yellow}");
        let navy = sheet("#0a1f44".parse().unwrap());
        assert!(navy.contains("--accent:#0a1f44;--on-accent:#ffffff;--link:#0a1f44}"), "{navy}");
        assert!(!navy.contains("dark){:root{--accent:#0a1f44"), "{navy}");
    }
}

//! A text as a QR code (ISO/IEC 18004), as an `svg` element for a page.

use std::fmt::Write as _;

use qrcode::{Color, QrCode};

/// Light squares around the code, by which readers find it.
const MARGIN: usize = 4;

/// The picture: dark squares in a path on white, for readers want it so in the dark too. Nothing for a
/// text that is too long, of about two thousand letters.
pub(super) fn svg(text: &str) -> Option<String> {
    let code = QrCode::new(text).ok()?;
    let width = code.width();
    let colors = code.to_colors();
    let mut path = String::new();
    for (y, row) in colors.chunks(width).enumerate() {
        let mut x = 0;
        for run in row.chunk_by(|a, b| a == b) {
            if run.first() == Some(&Color::Dark) {
                let _ = write!(path, "M{} {}h{n}v1h-{n}z", x + MARGIN, y + MARGIN, n = run.len());
            }
            x += run.len();
        }
    }
    let side = width + 2 * MARGIN;
    Some(format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {side} {side}\" shape-rendering=\"crispEdges\" \
         aria-hidden=\"true\"><path fill=\"#fff\" d=\"M0 0h{side}v{side}H0z\"/><path d=\"{path}\"/></svg>"
    ))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use super::*;

    #[test]
    fn the_dark_squares_are_those_of_the_code() {
        let text =
            "otpauth://totp/gatehouse:alice%40example.org?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=gatehouse";
        let picture = svg(text).unwrap();
        let code = QrCode::new(text).unwrap();
        let dark = code.to_colors().iter().filter(|color| **color == Color::Dark).count();
        let drawn: usize =
            picture.split('h').skip(1).filter_map(|part| part.split_once("v1")?.0.parse::<usize>().ok()).sum();
        assert_eq!(drawn, dark);
        assert!(picture.len() < 16_000, "{}", picture.len());
        assert!(!picture.contains("style"), "the content security policy forbids it");
        assert_eq!(svg(&"x".repeat(4000)), None);
    }
}

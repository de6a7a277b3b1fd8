//! Paths that two readers could take for different ones are refused before anything is routed
//! (a proxy's rule and our router must agree on what a path is).

use super::shape::Refusal;
use actix_web::http::StatusCode;

/// The longest path that is read, in bytes.
const LONGEST: usize = 2048;

/// Whether a path, as it was sent, has only one reading.
pub(super) fn check(path: &str) -> Result<(), Refusal> {
    let refuse = |why| Err(Refusal { status: StatusCode::BAD_REQUEST, text: why });
    if path.len() > LONGEST {
        return refuse("the path is too long");
    }
    if !path.starts_with('/') {
        return refuse("the path must begin with a slash");
    }
    let bytes = path.as_bytes();
    let mut segment_start = 0;
    for (at, byte) in bytes.iter().enumerate() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => {}
            b'/' => {
                if at > 0 && at == segment_start {
                    return refuse("the path has an empty segment");
                }
                if is_dots(bytes.get(segment_start..at)) {
                    return refuse("the path has a dot segment");
                }
                segment_start = at + 1;
            }
            b'%' => {
                if let Some(why) = escape(bytes.get(at + 1..at + 3)) {
                    return refuse(why);
                }
            }
            b';' | b'\\' => return refuse("the path has a semicolon or backslash"),
            0..=0x1f | 0x7f.. => return refuse("the path has a character that must be escaped"),
            _ => {}
        }
    }
    if is_dots(bytes.get(segment_start..)) {
        return refuse("the path has a dot segment");
    }
    Ok(())
}

fn is_dots(segment: Option<&[u8]>) -> bool {
    matches!(segment, Some(b"." | b".."))
}

/// What is wrong with an escape: not one, or of a character that a second decoding would take for
/// another structure of the path.
fn escape(digits: Option<&[u8]>) -> Option<&'static str> {
    let byte = digits.and_then(|digits| std::str::from_utf8(digits).ok()).and_then(|text| {
        let hex = text.bytes().all(|b| b.is_ascii_hexdigit());
        if hex { u8::from_str_radix(text, 16).ok() } else { None }
    });
    match byte {
        None => Some("the path has an incomplete escape"),
        Some(b'/' | b'\\' | b'.' | b';' | b'%') => {
            Some("the path has an escaped slash, backslash, dot, semicolon or percent sign")
        }
        Some(0..=0x1f | 0x7f) => Some("the path has an escaped control character"),
        // RFC 3986 §2.3: the same path, written so that a rule may overlook it.
        Some(b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'~') => {
            Some("the path has an escaped character that needs no escape")
        }
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_paths_pass() {
        for path in [
            "/",
            "/v1/users/usr_1",
            "/t/tnt_1/.well-known/jwks.json",
            "/a/",
            "/a%20b",
            "/%E4%B8%AD",
            "/a.b..c",
            "/a:b@c,d",
        ] {
            assert!(check(path).is_ok(), "{path}");
        }
    }

    #[test]
    fn ambiguous_paths_do_not() {
        let long = format!("/{}", "a".repeat(2048));
        for path in [
            "",
            "*",
            "//",
            "//a",
            "/a//b",
            "/a//",
            "/.",
            "/..",
            "/a/../b",
            "/a/./b",
            "/a/..",
            "/a;b",
            "/a\\b",
            "/a%2fb",
            "/a%2Fb",
            "/a%5cb",
            "/%2e%2e/b",
            "/a%00",
            "/a%0d%0ab",
            "/a%",
            "/a%2",
            "/a%zz",
            "/a%+1",
            "/a%252f",
            "/a%3bb",
            "/v1/intern%61l",
            "/%76%31",
            "/a%5Fb",
            "/a\u{1}",
            "/a\u{7f}",
            "/\u{e4}",
            &long,
        ] {
            assert!(check(path).is_err(), "{path}");
        }
    }
}

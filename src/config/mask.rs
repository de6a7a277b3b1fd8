//! Hiding what must not be printed.

/// What stands for a secret.
pub(super) const HIDDEN: &str = "***";

/// A URL with the password in it hidden. It works on the text alone, so that a URL which does not
/// parse is covered as well, and hides too much rather than too little: from the first colon of the
/// user part up to the last `@`; the values of query parameters that are named like a password; and
/// everything from there on where an `@` behind a `?` leaves open which of the two it is.
pub(super) fn mask_url(text: &str) -> String {
    let Some((scheme, rest)) = text.split_once("://") else {
        let plain = !text.contains(['@', '=']) && !text.contains(char::is_whitespace);
        return if plain { text.to_owned() } else { HIDDEN.to_owned() };
    };
    match rest.rsplit_once('@') {
        _ if rest.contains(char::is_whitespace) => format!("{scheme}://{HIDDEN}"),
        None => format!("{scheme}://{}", mask_query(rest)),
        Some((user, _)) if user.contains('?') => {
            let shown = user.split([':', '?']).next().unwrap_or_default();
            format!("{scheme}://{shown}{HIDDEN}")
        }
        Some((user, host)) => match user.split_once(':') {
            Some((user, _)) => format!("{scheme}://{user}:{HIDDEN}@{}", mask_query(host)),
            None => format!("{scheme}://{user}@{}", mask_query(host)),
        },
    }
}

/// What follows the user part, the values of parameters that are named like a password hidden.
fn mask_query(text: &str) -> String {
    let Some((path, query)) = text.split_once('?') else {
        return text.to_owned();
    };
    let pairs: Vec<_> = query
        .split('&')
        .map(|pair| match pair.split_once('=') {
            Some((name, _)) if name.to_ascii_lowercase().contains("pass") => format!("{name}={HIDDEN}"),
            _ => pair.to_owned(),
        })
        .collect();
    format!("{path}?{}", pairs.join("&"))
}

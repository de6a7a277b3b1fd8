//! What reviewers would otherwise have to look for: the arrows between layers, sizes, names, and
//! that the map still fits the land.

use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() { walk(&path, found) } else { found.push(path) }
    }
}

/// Files with this ending under these folders: path from the root, and text.
fn files(folders: &[&str], ending: &str) -> Vec<(String, String)> {
    let mut paths = Vec::new();
    for folder in folders.iter().map(|folder| root().join(folder)).filter(|folder| folder.is_dir()) {
        walk(&folder, &mut paths);
    }
    let wanted = paths.into_iter().filter(|path| path.to_string_lossy().ends_with(ending));
    wanted
        .map(|path| {
            let name = path.strip_prefix(root()).unwrap().to_string_lossy().into_owned();
            (name, std::fs::read_to_string(&path).unwrap_or_default())
        })
        .collect()
}

fn sources() -> Vec<(String, String)> {
    let found = files(&["src"], ".rs");
    assert!(found.len() > 50, "the sources were not found");
    found
}

/// What git knows, or would if it were added now.
fn tracked() -> Vec<String> {
    let args = ["ls-files", "--cached", "--others", "--exclude-standard"];
    let output = Command::new("git").args(args).current_dir(root()).output();
    let Ok(output) = output.as_ref().map(|output| String::from_utf8_lossy(&output.stdout).into_owned()) else {
        return Vec::new(); // an unpacked archive has no history
    };
    output.lines().map(str::to_owned).collect()
}

/// What stands above a file's own tests.
fn before_tests(text: &str) -> &str {
    let tests = text.find("\nmod tests {").and_then(|at| text[..at].rfind("#[cfg(test)]"));
    tests.map_or(text, |at| &text[..at])
}

/// The code of a file: without comments, and without what follows `mod tests`.
fn code(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let lines = before_tests(text).lines().enumerate().map(|(number, line)| (number + 1, line));
    lines.filter(|(_, line)| !line.trim_start().starts_with("//"))
}

/// Every place under `from` (by path prefix, but `except`) whose code has one of these words.
fn uses(from: &[&str], except: &[&str], words: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for (name, text) in sources() {
        let starts = |prefixes: &[&str]| prefixes.iter().any(|prefix| name.starts_with(prefix));
        if !starts(from) || starts(except) {
            continue;
        }
        for (number, line) in code(&text) {
            found.extend(
                words.iter().filter(|word| mentions(line, word)).map(|word| format!("{name}:{number}: {word}")),
            );
        }
    }
    found
}

/// Whether the word stands there as one: not as the beginning or the end of a longer one.
fn mentions(line: &str, word: &str) -> bool {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(word).any(|(at, _)| {
        !line[..at].chars().next_back().is_some_and(part) && !line[at + word.len()..].chars().next().is_some_and(part)
    })
}

#[track_caller]
fn none(found: &[String], rule: &str) {
    assert!(found.is_empty(), "{rule}:\n{}", found.join("\n"));
}

#[test]
fn words_are_found_as_words() {
    assert!(mentions("use crate::http::mount;", "crate::http"));
    assert!(!mentions("use crate::https;", "crate::http"));
    assert!(!mentions("let my_sea_orm = 1;", "sea_orm"));
    let text = "// actix_web\nlet a = 1;\n#[cfg(test)]\n#[allow(x)]\nmod tests {\n actix_web }";
    assert!(code(text).all(|(_, line)| !line.contains("actix_web")));
}

#[test]
fn actix_stays_in_http() {
    let found = uses(&["src/"], &["src/http", "src/app.rs", "src/main.rs", "src/cli"], &["actix_web", "actix_http"]);
    none(&found, "only http and the composition name actix");
}

#[test]
fn sql_stays_in_storage() {
    none(&uses(&["src/"], &["src/storage"], &["sea_orm", "sqlx"]), "only storage names SeaORM");
    let public = uses(&["src/domain", "src/http", "src/protocol", "src/jobs"], &[], &["migration"]);
    none(&public, "only storage runs migrations");
}

#[test]
fn rows_are_reached_through_verbs() {
    let callers = ["src/http", "src/protocol", "src/jobs", "src/cli"];
    none(&uses(&callers, &["src/cli/migrate.rs"], &["crate::storage"]), "callers use verbs, not storage");
}

#[test]
fn nothing_below_knows_what_stands_above() {
    let below_http = [
        "src/protocol",
        "src/domain",
        "src/storage",
        "src/model",
        "src/crypto",
        "src/outbound",
        "src/jobs",
        "src/config",
        "src/telemetry",
    ];
    none(&uses(&below_http, &[], &["crate::http", "crate::app", "crate::cli"]), "http, app and cli stand on top");
    let below_protocol = ["src/domain", "src/storage", "src/model", "src/crypto", "src/config", "src/telemetry"];
    none(&uses(&below_protocol, &[], &["crate::protocol", "crate::jobs"]), "the domain knows no standards' rules");
    let below_domain = ["src/storage", "src/model", "src/crypto", "src/config", "src/telemetry"];
    none(&uses(&below_domain, &[], &["crate::domain"]), "storage knows no verbs");
}

/// What each floor may name of ours; everything else is above it or beside it.
#[test]
fn the_floor_names_little_of_ours() {
    let allowed: &[(&str, &[&str])] = &[
        ("src/model", &["crate::model"]),
        ("src/crypto", &["crate::crypto", "crate::model"]),
        ("src/outbound", &["crate::outbound", "crate::model", "crate::config::OutboundConfig"]),
        ("src/storage", &["crate::storage", "crate::model", "crate::config::DatabaseConfig"]),
    ];
    let mut found = Vec::new();
    for (layer, allowed) in allowed {
        for (name, text) in sources().iter().filter(|(name, _)| name.starts_with(layer) && !name.ends_with("tests.rs"))
        {
            for (number, line) in code(text) {
                let named = line.match_indices("crate::").map(|(at, _)| &line[at..]);
                let foreign = named.filter(|path| !allowed.iter().any(|allowed| path.starts_with(allowed)));
                found.extend(foreign.map(|path| format!("{name}:{number}: {path}")));
            }
        }
    }
    none(&found, "model names nothing of ours, crypto and outbound only model, storage only model");
}

#[test]
fn oxide_auth_has_one_file() {
    none(&uses(&["src/"], &["src/protocol/oauth/oxide.rs"], &["oxide_auth"]), "oxide.rs is the one file that names it");
}

#[test]
fn saml_and_certificates_have_one_file_each() {
    none(&uses(&["src/"], &["src/protocol/saml/answer.rs"], &["saml_rs"]), "answer.rs is the one file that names it");
    let words = ["rcgen", "x509_parser"];
    none(&uses(&["src/"], &["src/crypto/certificate.rs"], &words), "certificate.rs is the one file that names them");
}

#[test]
fn providers_elsewhere_are_spoken_to_in_one_place() {
    none(&uses(&["src/"], &["src/protocol/upstream"], &["openidconnect"]), "only protocol/upstream names it");
}

#[test]
fn http_clients_have_one_home() {
    // The export of the log goes to a collector that the operator named, over a client of its own.
    let except = ["src/outbound", "src/telemetry/otlp.rs"];
    none(&uses(&["src/"], &except, &["reqwest", "hyper"]), "outbound is the one that makes requests");
}

#[test]
fn the_domain_knows_no_status_codes() {
    let words = ["StatusCode", "HttpResponse"];
    // SAML has an element of that name.
    let except = ["src/protocol/saml/request.rs"];
    none(
        &uses(&["src/domain", "src/storage", "src/model", "src/protocol", "src/crypto"], &except, &words),
        "a status is http's",
    );
}

#[test]
fn files_are_short() {
    let mut long = Vec::new();
    for (name, text) in sources().into_iter().chain(files(&["migration/src"], ".rs")) {
        // Tests stand below the code that they are about and are not counted with it.
        let length = before_tests(&text).lines().count();
        if length > 500 && !name.ends_with("tests.rs") {
            long.push(format!("{name}: {length} lines"));
        }
    }
    none(&long, "at most 500 lines of code a file");
}

#[test]
fn files_say_what_they_are() {
    let (mut silent, mut vague) = (Vec::new(), Vec::new());
    for (name, text) in sources().into_iter().chain(files(&["migration/src", "tests/it", "benches"], ".rs")) {
        if !text.starts_with("//!") {
            silent.push(name.clone());
        }
        let stem = Path::new(&name).file_stem().unwrap().to_string_lossy().into_owned();
        let words = ["util", "utils", "helper", "helpers", "manager", "managers", "common", "misc"];
        if words.iter().any(|word| stem == *word || stem.ends_with(&format!("_{word}"))) {
            vague.push(name);
        }
    }
    none(&silent, "every file begins with what it is (`//!`)");
    none(&vague, "a name says what is in it");
}

#[test]
fn the_map_names_only_what_exists() {
    let map = std::fs::read_to_string(root().join("ARCHITECTURE.md")).expect("ARCHITECTURE.md");
    let places = ["src/", "migration/", "templates/", "static/", "tests/", "benches/", "docs/", "fuzz/"];
    let named: Vec<&str> = map
        .split('`')
        .skip(1)
        .step_by(2)
        .filter(|span| places.iter().any(|place| span.starts_with(place)) && !span.contains(['*', '…', ' ', '{', '<']))
        .collect();
    assert!(named.len() > 5, "the map names hardly anything: {named:?}");
    let missing: Vec<String> =
        named.iter().filter(|path| !root().join(path).exists()).map(ToString::to_string).collect();
    none(&missing, "ARCHITECTURE.md names what is not there");
}

#[test]
fn nothing_tells_of_the_machine_it_was_written_on() {
    let hosts =
        ["index.crates.io", "static.crates.io", "registry.npmjs.org", "files.pythonhosted.org", "proxy.golang.org"];
    let mut found = Vec::new();
    for name in tracked() {
        // A lock file names the public registry, as every lock file does.
        if name == "tests/it/tidy.rs" {
            continue;
        }
        let Ok(text) = std::fs::read_to_string(root().join(&name)) else { continue };
        for (number, line) in text.lines().enumerate() {
            let path = line.contains("/work/") || line.contains("/root/") || line.contains("/home/");
            let scratch = name.ends_with(".md") && line.contains("/tmp/");
            let registry = hosts.iter().any(|host| line.contains(host));
            if path || scratch || registry {
                found.push(format!("{name}:{}: {}", number + 1, line.trim()));
            }
        }
    }
    none(&found, "no machine's paths and no registry's hosts in what is kept");
}

#[test]
fn templates_belong_to_a_page() {
    // Those that are named are compiled with the program; one that nobody names is never looked at.
    let code: String = sources().into_iter().map(|(_, text)| text).collect();
    let templates = files(&["templates"], "");
    let others: String = templates.iter().map(|(_, text)| text.as_str()).collect();
    let orphans: Vec<String> = templates
        .iter()
        .map(|(name, _)| name.trim_start_matches("templates/").to_owned())
        .filter(|name| !code.contains(&format!("\"{name}\"")) && !others.contains(&format!("\"{name}\"")))
        .collect();
    none(&orphans, "templates that nothing names");
}

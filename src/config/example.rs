//! Writes the example file from the sections.

use std::cell::RefCell;
use std::fmt::Write as _;

use super::Config;
use super::value::quoted;

const HEAD: &str = "\
# gatehouse.toml: every key, what it does and its default. Remove the # in front of what you change.
#
# Flags go over the environment, the environment over this file, this file over the defaults.
# Each key has a variable: GATEHOUSE_ and its name in capitals, with __ for the dot, so that
# admin.email is GATEHOUSE_ADMIN__EMAIL; lists have commas between their items. DATABASE_URL works
# too. Lengths of time are written \"500ms\", \"10s\", \"5m\", \"24h\", \"90d\" or as a number of seconds.
# `gatehouse config show` prints what counts in the end and where it came from.
";

/// The content of `gatehouse.toml.example`.
pub(super) fn text() -> String {
    let out = RefCell::new(HEAD.to_owned());
    Config::default().visit(
        &mut |title, about| {
            // Writing to a String does not fail.
            let _ = write!(out.borrow_mut(), "\n\n# ==== {title} ====\n{}", comment(about));
        },
        &mut |key, setting| {
            let mut out = out.borrow_mut();
            let _ = write!(out, "\n{}", comment(key.doc));
            if let Some(range) = setting.range() {
                let _ = writeln!(out, "# {range}.");
            }
            let _ = match setting.toml() {
                Some(value) => writeln!(out, "# {} = {value}", key.name),
                None => writeln!(
                    out,
                    "# Unset by default; it would look like this:\n# {} = {}",
                    key.name,
                    quoted(key.sample.unwrap_or_default())
                ),
            };
        },
    );
    out.into_inner()
}

/// Documentation as comment lines.
fn comment(doc: &str) -> String {
    doc.lines().map(|line| format!("#{line}\n")).collect()
}

//! The example file, the sources and their order, the messages, and that no secret is printed.

use super::*;

/// Rewrites the example file when asked to, else compares it.
#[test]
fn the_example_file_says_what_the_sections_say() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/gatehouse.toml.example");
    let kept = std::fs::read_to_string(path).unwrap_or_default();
    if kept != Config::example() {
        let fresh = std::env::temp_dir().join("gatehouse.toml.example");
        std::fs::write(&fresh, Config::example()).unwrap();
        panic!("gatehouse.toml.example is out of date; copy {} over it", fresh.display());
    }
}

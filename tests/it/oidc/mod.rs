//! What the OpenID Foundation's conformance suite asks of a provider, and what a reviewer asks beyond
//! it: one test for each module, named after it, for each response type and mode that it is for. Which
//! test holds which statement is listed in `docs/conformance.md`.

mod authorization_requests;
mod authorization_responses;
mod backchannel_logout;
mod code_and_tokens;
mod consent;
mod device;
mod discovery;
mod dynamic_registration;
mod form_post;
mod frontchannel_logout;
mod id_tokens;
mod implicit_and_hybrid;
mod key_rotation;
mod openidconnect_crate;
mod pairwise;
mod par;
mod prompts_and_ages;
mod refresh;
mod request_objects;
mod rp_initiated_logout;
mod step_up;
mod suite;
mod token_exchange;
mod transactions;
mod userinfo;

/// `docs/conformance.md` names tests that are there: `file::test`, `folder::file::test`, or a whole file.
#[test]
fn every_test_that_the_document_names_is_there() {
    let tests = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it");
    let document = std::fs::read_to_string(tests.join("../../docs/conformance.md")).unwrap();
    let mut before = String::new();
    let mut count = 0;
    for name in document.split('`').skip(1).step_by(2) {
        let name = match name.strip_prefix("…::") {
            Some(test) => format!("{}::{test}", before.rsplit_once("::").unwrap().0),
            None => name.to_owned(),
        };
        let parts: Vec<&str> = name.split("::").collect();
        if parts.len() < 2
            || parts.iter().any(|part| !part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_'))
        {
            continue;
        }
        let file = |parts: &[&str]| std::fs::read_to_string(tests.join(parts.join("/")).with_extension("rs"));
        let (test, path) = parts.split_last().unwrap();
        let is_there = file(&parts).is_ok() || file(path).is_ok_and(|text| text.contains(&format!("fn {test}(")));
        assert!(is_there, "{name}");
        count += 1;
        before = name;
    }
    assert!(count > 80, "{count}");
}

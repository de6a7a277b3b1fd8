//! `gatehouse openapi`: the OpenAPI document.

use super::failure::Failure;
use super::output;

pub(super) fn run() -> Result<(), Failure> {
    let document = crate::http::openapi();
    output::answer(&format!("{}\n", document.trim_end()))
}

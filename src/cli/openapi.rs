//! `gatehouse openapi`: the OpenAPI document.

use super::failure::Failure;
use super::output;

pub(super) fn run() -> Result<(), Failure> {
    output::answer(&crate::http::openapi())
}

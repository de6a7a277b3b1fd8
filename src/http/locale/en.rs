//! English.

use super::Texts;

pub(super) const TEXTS: Texts = Texts {
    lang: "en",
    running: "gatehouse is running",
    about: "This is an identity provider: it signs people in and hands out tokens to applications and services.",
    issuer: "Issuer",
    discovery: "Discovery document",
    keys: "Public keys",
    openapi: "OpenAPI document",
    docs: "API documentation",
    not_found: "There is nothing here",
    not_found_hint: "The address may have a typing error, or the page has moved.",
    bad_request: "This request can't be answered",
    bad_request_hint: "Go back and try again. If you came from another site, tell its owner.",
    failed: "Something went wrong on our side",
    failed_hint: "Try again in a moment.",
    home: "Start page",
    docs_title: "API documentation",
    parameters: "Parameters",
    answers: "Answers",
};

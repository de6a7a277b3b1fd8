//! What others rely on, word for word: routes, OpenAPI, discovery, the help of every command. A
//! change here is a change for callers: `cargo insta review`, or `INSTA_UPDATE=always`.

use std::fmt::Write as _;

use gatehouse::http::mount::{Cors, routes};
use serde_json::Value;

use crate::support::{Engine, TestApp, drive};

#[test]
fn the_routes() {
    let mut text = String::new();
    for endpoint in routes() {
        let tenant = if endpoint.per_tenant { "  [also below /t/{tenant_id}]" } else { "" };
        let cors = match endpoint.cors {
            Cors::Nobody => "",
            Cors::Anybody => "  [any origin]",
            Cors::Registered(_) => "  [registered origins]",
        };
        let hidden = if endpoint.documented { "" } else { "  [not in the document]" };
        let (surface, name) = (endpoint.surface.as_str(), endpoint.name);
        writeln!(text, "{:7} {}  ({surface}.{name}){tenant}{cors}{hidden}", endpoint.method.as_str(), endpoint.path)
            .unwrap();
    }
    insta::assert_snapshot!("routes", text);
}

#[test]
fn the_openapi_document() {
    let mut document: Value = serde_json::from_str(&gatehouse::http::openapi()).unwrap();
    document["info"]["version"] = "the version".into();
    insta::assert_snapshot!("openapi", serde_json::to_string_pretty(&document).unwrap());
}

#[test]
fn what_is_served_is_the_document_that_the_command_prints() {
    drive(Engine::Sqlite, async |app: TestApp| {
        let served = app.get("/openapi.json").await.expect(200);
        assert_eq!(served.text.trim(), gatehouse::http::openapi().trim());
    });
}

#[test]
fn the_discovery_documents() {
    drive(Engine::Sqlite, async |app: TestApp| {
        let tenant = app.tenant("a tenant").await;
        let own = app.get("/.well-known/openid-configuration").await.body(200);
        assert_eq!(own, app.get("/.well-known/oauth-authorization-server").await.body(200));
        let of_a_tenant = app.get(&format!("/t/{}/.well-known/openid-configuration", tenant.id)).await.body(200);
        for (name, document) in [("openid-configuration", own), ("openid-configuration-of-a-tenant", of_a_tenant)] {
            let text = serde_json::to_string_pretty(&document).unwrap();
            let text = text.replace(&app.base, "https://id.example.org").replace(&tenant.id, "tnt_1");
            insta::assert_snapshot!(name, text);
        }
    });
}

/// The help of a command and of all below it.
fn help(command: &clap::Command, before: &str, text: &mut String) {
    let name = format!("{before}{}", command.get_name());
    let long = command.clone().bin_name(&name).term_width(100).render_long_help();
    write!(text, "$ {name} --help\n{long}\n\n").unwrap();
    for sub in command.get_subcommands().filter(|sub| sub.get_name() != "help") {
        help(sub, &format!("{name} "), text);
    }
}

#[test]
fn the_help_of_every_command() {
    let mut command = gatehouse::cli::command();
    command.build();
    let mut text = String::new();
    help(&command, "", &mut text);
    let text: Vec<&str> = text.lines().map(str::trim_end).collect();
    insta::assert_snapshot!("help", text.join("\n"));
}

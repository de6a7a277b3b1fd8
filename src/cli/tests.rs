//! The definition of the command line holds together and takes what the operator's page says.

use clap::Parser as _;
use clap::error::ErrorKind;

use super::*;

fn parse(line: &[&str]) -> Result<Cli, clap::Error> {
    Cli::try_parse_from([&["gatehouse"], line].concat())
}

#[test]
fn the_definition_holds_together() {
    command().debug_assert();
}

#[test]
fn every_command_explains_itself() {
    fn visit(command: &clap::Command) {
        assert!(command.get_about().is_some(), "{} has no text", command.get_name());
        for argument in command.get_arguments().filter(|argument| !argument.is_hide_set()) {
            let text = argument.get_help().map(ToString::to_string).unwrap_or_default();
            assert!(!text.is_empty() && !text.ends_with('.'), "{} {}: {text:?}", command.get_name(), argument.get_id());
        }
        command.get_subcommands().for_each(visit);
    }
    visit(&command());
}

#[test]
fn serving_is_the_default_and_flags_may_stand_on_either_side() {
    assert!(parse(&[]).unwrap().command.is_none());
    assert_eq!(parse(&["--bind", "127.0.0.1:0"]).unwrap().serve.bind.as_deref(), Some("127.0.0.1:0"));
    for line in [["--json", "tenant", "list"], ["tenant", "--json", "list"], ["tenant", "list", "--json"]] {
        assert!(parse(&line).unwrap().global.json, "{line:?}");
    }
    assert!(matches!(parse(&["serve", "--bind", "127.0.0.1:0"]).unwrap().command, Some(Command::Serve(_))));
}

#[test]
fn a_client_is_described_in_full() {
    let line = "client create --name n --id i --public --grant password --grant refresh_token --redirect-uri https://a.example/ \
                --post-logout-redirect-uri https://a.example/out --access-token-format opaque --signing-alg EdDSA \
                --access-token-ttl 300 --refresh-token-ttl 7d --audience a --audience b --default-audience a --description d";
    let mut line: Vec<&str> = line.split_whitespace().collect();
    line.extend(["--scope", "openid user:read", "--scope", "email"]);
    assert!(parse(&line).is_ok());
    line.extend(["--auth-method", "none"]);
    assert_eq!(parse(&line).err().unwrap().kind(), ErrorKind::ArgumentConflict);
}

#[test]
fn what_is_not_one_of_the_names_is_answered_with_the_names() {
    let text = parse(&["client", "create", "--name", "n", "--grant", "magic"]).err().unwrap().to_string();
    assert!(text.contains("magic") && text.contains("client_credentials"), "{text}");
    assert!(parse(&["keys", "rotate", "--alg", "HS256"]).is_err());
    assert!(parse(&["tenant", "rotate-key", "tnt_1"]).is_err());
    assert!(parse(&["tenant", "rotate-key", "tnt_00000000000000000000000000000000", "--overlap", "soon"]).is_err());
}

#[test]
fn a_kid_may_begin_with_a_dash() {
    assert!(parse(&["keys", "retire", "-_QxZ", "--json"]).unwrap().global.json);
}

#[test]
fn wrong_usage_and_wrong_configuration_exit_with_2() {
    for line in [&["no-such-command"][..], &["tenant", "create"], &["user", "create"], &["backup"]] {
        assert_eq!(parse(line).err().unwrap().exit_code(), 2, "{line:?}");
    }
    for line in [
        &["--bind", "127.0.0.1:0", "tenant", "list"][..],
        &["config", "check", "--issuer", "http://id.example.org"],
        &["config", "check", "--config", "/no/such/file.toml"],
        &["serve", "--bind", "nowhere"],
        &["client", "update", "svc_1", "--database-url", "sqlite:///no/such/folder/file"],
        &[
            "client",
            "create",
            "--name",
            "n",
            "--jwks-file",
            "/no/such/file",
            "--database-url",
            "sqlite:///no/such/file",
        ],
    ] {
        let failure = dispatch(parse(line).unwrap(), [], Output::new(false)).err().unwrap();
        assert_eq!(failure.exit_code(), 2, "{line:?}: {failure}");
    }
}

//! Whether a connection could let somebody in, in plain words: everything that can be found out without a
//! person.

use super::{Endpoints, Refused, callback, client, metadata, oauth2};
use crate::domain::{Ctx, DomainError, connections};
use crate::model::connection::{Connection, OidcProvider, Provider};
use crate::outbound::OutboundError;
use crate::protocol::saml::provider;

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What.
    pub what: &'static str,
    /// Whether it is as it must be.
    pub fine: bool,
    /// What was found.
    pub detail: String,
}

pub(in crate::protocol) fn fine(what: &'static str, detail: impl Into<String>) -> Finding {
    Finding { what, fine: true, detail: printable(&detail.into()) }
}

pub(in crate::protocol) fn wrong(what: &'static str, detail: impl Into<String>) -> Finding {
    Finding { what, fine: false, detail: printable(&detail.into()) }
}

/// What a provider says ends up on a terminal.
fn printable(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(600).collect()
}

/// Looks at a connection, and at its provider as it is at this moment.
///
/// # Errors
/// Our secret can't be unsealed, or the database is unavailable.
pub async fn trial(ctx: &Ctx<'_>, connection: &Connection) -> Result<Vec<Finding>, DomainError> {
    let mut findings = Vec::new();
    if connection.sealed_secret.is_some() {
        findings.push(fine("secret", "set"));
    } else if !matches!(connection.provider, Provider::Saml(_)) {
        findings.push(fine("secret", "none: we are a public client there"));
    }
    match &connection.provider {
        Provider::Oidc(oidc) => discovered(ctx, connection, oidc, &mut findings).await?,
        Provider::OAuth2(plain) => {
            let endpoints = oauth2::endpoints(plain);
            reached(ctx, connection, &endpoints, &mut findings).await?;
            let (what, address) = ("userinfo endpoint", &plain.userinfo_endpoint);
            findings.push(secure(what, address));
            findings.push(match ctx.core.outbound.get(address, "application/json").await {
                Ok(answer) => fine(what, format!("reached; without a token it answers with status {}", answer.status)),
                Err(why) => wrong(what, format!("{address}: {why}")),
            });
        }
        Provider::Saml(saml) => findings.extend(provider::trial(saml, ctx.now())),
    }
    for missing in connections::missing(ctx, connection).await? {
        findings.push(wrong("settings", missing));
    }
    if !connection.enabled {
        findings.push(wrong("enabled", "no: nobody comes in by it"));
    }
    Ok(findings)
}

async fn discovered(
    ctx: &Ctx<'_>,
    connection: &Connection,
    oidc: &OidcProvider,
    findings: &mut Vec<Finding>,
) -> Result<(), DomainError> {
    findings.push(secure("issuer", &oidc.issuer));
    let metadata = match metadata::find_now(ctx.core, &oidc.issuer).await {
        Ok(metadata) => metadata,
        Err(why) => {
            findings.push(wrong("discovery", format!("{}: {why}", metadata::address(&oidc.issuer))));
            return Ok(());
        }
    };
    findings.push(fine("discovery", format!("{} answers, and is the issuer", metadata::address(&oidc.issuer))));
    for lacking in metadata::shortcomings(&metadata, oidc, connection.sealed_secret.is_some()) {
        findings.push(wrong("metadata", lacking));
    }
    findings.push(match metadata::keys_now(ctx.core, &metadata).await {
        Ok(keys) => fine("keys", format!("{} at {}", keys.keys().len(), metadata.jwks_uri().as_str())),
        Err(why) => wrong("keys", format!("{}: {why}", metadata.jwks_uri().as_str())),
    });
    match metadata::endpoints(&metadata, oidc) {
        Ok(endpoints) => reached(ctx, connection, &endpoints, findings).await,
        Err(why) => {
            findings.push(wrong("endpoints", why.to_string()));
            Ok(())
        }
    }
}

/// Whether both endpoints take us: the one as a browser would ask it, the other with a code that nobody was
/// given.
async fn reached(
    ctx: &Ctx<'_>,
    connection: &Connection,
    endpoints: &Endpoints,
    findings: &mut Vec<Finding>,
) -> Result<(), DomainError> {
    let (what, address) = ("authorization endpoint", &endpoints.authorization);
    findings.push(secure(what, address));
    let (redirect_uri, client) = (callback(ctx, connection.id), &endpoints.client_id);
    let request = endpoints.request(&redirect_uri, "test", "test", "test", false);
    findings.push(match ctx.core.outbound.get(&request, "text/html").await {
        Ok(answer) if answer.status < 400 => fine(what, format!("it takes {client} and {redirect_uri}")),
        Ok(answer) => {
            let status = answer.status;
            wrong(what, format!("it answers with status {status}; does it know {client}, with {redirect_uri}?"))
        }
        // Browsers may be in networks that we are not to reach.
        Err(why @ OutboundError::Forbidden) => fine(what, format!("not asked: {why}")),
        Err(why) => wrong(what, format!("{address}: {why}")),
    });
    findings.push(secure("token endpoint", &endpoints.token));
    findings.push(match client::knock(ctx, connection, endpoints).await {
        Ok(finding) => finding,
        Err(Refused::Domain(why)) => return Err(why),
        Err(why) => wrong("token endpoint", why.to_string()),
    });
    Ok(())
}

/// What is not https is asked within `outbound.allow_networks` alone: whether it answers is said elsewhere.
fn secure(what: &'static str, address: &str) -> Finding {
    if address.starts_with("https://") {
        fine(what, address)
    } else {
        fine(what, format!("{address} is not https, which does for a try on one machine and for nothing else"))
    }
}

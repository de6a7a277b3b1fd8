//! Whether a connection could let somebody in, in plain words: everything that can be found out without a
//! person.

use super::metadata;
use crate::domain::{Core, DomainError, connections};
use crate::model::connection::{Connection, Provider};
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
    Finding { what, fine: true, detail: detail.into() }
}

pub(in crate::protocol) fn wrong(what: &'static str, detail: impl Into<String>) -> Finding {
    Finding { what, fine: false, detail: detail.into() }
}

/// Looks at a connection.
///
/// # Errors
/// Our secret can't be unsealed.
pub async fn trial(core: &Core, connection: &Connection) -> Result<Vec<Finding>, DomainError> {
    let mut findings = Vec::new();
    if connections::secret(core, connection)?.is_some() {
        findings.push(fine("secret", "set; only a sign-in shows whether the provider takes it"));
    } else if !matches!(connection.provider, Provider::Saml(_)) {
        findings.push(fine("secret", "none: we are a public client there"));
    }
    match &connection.provider {
        Provider::Oidc(oidc) => discovered(core, &oidc.issuer, &mut findings).await,
        Provider::OAuth2(plain) => {
            for (what, address) in [
                ("authorization endpoint", &plain.authorization_endpoint),
                ("token endpoint", &plain.token_endpoint),
                ("userinfo endpoint", &plain.userinfo_endpoint),
            ] {
                findings.push(secure(what, address));
            }
            findings.push(match core.outbound.get(&plain.token_endpoint, "application/json").await {
                Ok(answer) => fine("token endpoint", format!("reached; it answers with status {}", answer.status)),
                Err(why) => wrong("token endpoint", why.to_string()),
            });
        }
        Provider::Saml(saml) => findings.extend(provider::trial(saml, core.clock.now())),
    }
    if !connection.enabled {
        findings.push(wrong("enabled", "no: nobody comes in by it"));
    }
    Ok(findings)
}

async fn discovered(core: &Core, issuer: &str, findings: &mut Vec<Finding>) {
    findings.push(secure("issuer", issuer));
    let metadata = match metadata::find(core, issuer).await {
        Ok(metadata) => metadata,
        Err(why) => {
            findings.push(wrong("discovery", format!("{}: {why}", metadata::address(issuer))));
            return;
        }
    };
    findings.push(fine("discovery", format!("{} answers, and is the issuer", metadata::address(issuer))));
    match metadata::endpoints(&metadata) {
        Ok(endpoints) => {
            findings.push(secure("authorization endpoint", &endpoints.authorization));
            findings.push(secure("token endpoint", &endpoints.token));
        }
        Err(why) => findings.push(wrong("endpoints", why.to_string())),
    }
    let usable = metadata::algorithms(&metadata);
    findings.push(if usable.is_empty() {
        wrong("signatures", "it signs ID tokens with nothing that has a public key")
    } else {
        fine("signatures", format!("{} of its algorithms can be used", usable.len()))
    });
    findings.push(match metadata::keys(core, &metadata, true).await {
        Ok(keys) => fine("keys", format!("{} at {}", keys.keys().len(), metadata.jwks_uri().as_str())),
        Err(why) => wrong("keys", format!("{}: {why}", metadata.jwks_uri().as_str())),
    });
}

/// What is not https is asked within `outbound.allow_networks` alone: whether it answers is said elsewhere.
fn secure(what: &'static str, address: &str) -> Finding {
    if address.starts_with("https://") {
        fine(what, address)
    } else {
        fine(what, format!("{address} is not https, which does for a try on one machine and for nothing else"))
    }
}

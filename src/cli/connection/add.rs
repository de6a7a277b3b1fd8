//! `gatehouse connection add-…`.

use std::path::PathBuf;

use clap::Args;

use super::{Failure, Of, Output, Session, details, named};
use crate::cli::session::read;
use crate::cli::user::read_secret;
use crate::domain::access::Powers;
use crate::domain::connections::{self, NewConnection};
use crate::domain::{Ctx, organizations};
use crate::model::connection::{ConnectionSettings, OAuth2Provider, OidcProvider, Provider, SamlProvider};
use crate::model::ids::{OrganizationId, TenantId};
use crate::model::secret::Secret;
use crate::protocol::saml::provider;

/// What every kind of connection takes.
#[derive(Args)]
pub(in crate::cli) struct CommonArgs {
    /// What people know it by: the text of its button
    #[arg(long)]
    name: String,
    #[command(flatten)]
    of: Of,
    /// The organization whose members sign in by it: its slug, key or id
    #[arg(long, value_name = "ORGANIZATION", alias = "workspace")]
    organization: Option<String>,
    /// A domain of addresses that lead there, which newcomers to an organization must have; may be given several
    /// times
    #[arg(long = "domain", value_name = "DOMAIN")]
    domains: Vec<String>,
    /// Make no account for who comes for the first time
    #[arg(long)]
    no_jit: bool,
    /// Take its addresses for proved, whatever it says about each
    #[arg(long)]
    trust_email: bool,
    /// Let a second factor that it asked for count here
    #[arg(long)]
    trust_mfa: bool,
    /// Which claim says what: subject, email, name, username or role = its name; role:VALUE = code of a role;
    /// member:VALUE = owner, admin or member; may be given several times
    #[arg(long = "map", alias = "attribute", value_name = "WHAT=NAME")]
    map: Vec<String>,
}

/// What an OAuth client is there.
#[derive(Args)]
pub(in crate::cli) struct ClientArgs {
    /// Who we are there
    #[arg(long, value_name = "ID")]
    client_id: String,
    /// Read our secret there from standard input; without it we are a public client
    #[arg(long)]
    client_secret_stdin: bool,
    /// What is asked for; may be given several times
    #[arg(long = "scope", value_name = "SCOPE")]
    scopes: Vec<String>,
}

impl ClientArgs {
    fn secret(&self, out: Output) -> Result<Option<Secret<String>>, Failure> {
        self.client_secret_stdin.then(|| read_secret("client secret", out)).transpose()
    }
}

/// What `gatehouse connection add-oidc` takes.
#[derive(Args)]
pub(in crate::cli) struct OidcArgs {
    #[command(flatten)]
    common: CommonArgs,
    /// Its issuer, byte for byte as its discovery document says it
    #[arg(long, value_name = "URL")]
    issuer_url: String,
    #[command(flatten)]
    client: ClientArgs,
    /// Ask its userinfo endpoint too
    #[arg(long)]
    userinfo: bool,
}

/// What `gatehouse connection add-oauth2` takes.
#[derive(Args)]
pub(in crate::cli) struct OAuth2Args {
    #[command(flatten)]
    common: CommonArgs,
    /// Where people go
    #[arg(long, value_name = "URL")]
    authorization_endpoint: String,
    /// Where the code is redeemed
    #[arg(long, value_name = "URL")]
    token_endpoint: String,
    /// Who somebody is, asked with their token
    #[arg(long, value_name = "URL")]
    userinfo_endpoint: String,
    #[command(flatten)]
    client: ClientArgs,
    /// It takes a code challenge (RFC 7636)
    #[arg(long)]
    pkce: bool,
}

/// What `gatehouse connection add-saml` takes.
#[derive(Args)]
pub(in crate::cli) struct SamlArgs {
    #[command(flatten)]
    common: CommonArgs,
    /// File with its metadata as XML
    #[arg(long, value_name = "FILE", alias = "metadata-file")]
    metadata: PathBuf,
    /// Where people may be sent with their tokens; the first is where they go unless they say otherwise
    #[arg(long = "return-to", value_name = "URL", required = true)]
    return_to: Vec<String>,
    /// It may send people who did not begin here
    #[arg(long, alias = "allow-idp-initiated")]
    idp_initiated: bool,
}

/// A connection that is wished for.
pub(super) struct Wish {
    tenant: Option<TenantId>,
    organization: Option<String>,
    new: NewConnection,
}

impl OidcArgs {
    pub(super) fn wish(self, out: Output) -> Result<Wish, Failure> {
        let secret = self.client.secret(out)?;
        let (issuer, client_id, scopes) = (self.issuer_url, self.client.client_id, self.client.scopes);
        let provider = OidcProvider { issuer, client_id, scopes, userinfo: self.userinfo };
        self.common.wish(Provider::Oidc(provider), secret)
    }
}

impl OAuth2Args {
    pub(super) fn wish(self, out: Output) -> Result<Wish, Failure> {
        let secret = self.client.secret(out)?;
        let provider = OAuth2Provider {
            authorization_endpoint: self.authorization_endpoint,
            token_endpoint: self.token_endpoint,
            userinfo_endpoint: self.userinfo_endpoint,
            client_id: self.client.client_id,
            scopes: self.client.scopes,
            pkce: self.pkce,
        };
        self.common.wish(Provider::OAuth2(provider), secret)
    }
}

impl SamlArgs {
    pub(super) fn wish(self) -> Result<Wish, Failure> {
        let metadata = read(&self.metadata)?;
        let described = provider::read(&metadata).map_err(|why| Failure::Usage(why.to_string()))?;
        let provider = SamlProvider {
            metadata,
            entity_id: described.entity_id,
            idp_initiated: self.idp_initiated,
            return_to: self.return_to,
        };
        self.common.wish(Provider::Saml(provider), None)
    }
}

impl CommonArgs {
    fn wish(self, provider: Provider, secret: Option<Secret<String>>) -> Result<Wish, Failure> {
        let mut settings = ConnectionSettings {
            just_in_time: !self.no_jit,
            trusts_email: self.trust_email,
            trusts_second_factor: self.trust_mfa,
            ..ConnectionSettings::default()
        };
        for pair in &self.map {
            map(&mut settings, pair)?;
        }
        let (name, domains) = (self.name, self.domains);
        let new = NewConnection { organization: None, name, provider, settings, domains, secret };
        Ok(Wish { tenant: self.of.tenant, organization: self.organization, new })
    }
}

/// Adds one `WHAT=NAME` to the mapping.
fn map(settings: &mut ConnectionSettings, pair: &str) -> Result<(), Failure> {
    let wrong = || {
        Failure::Usage(format!(
            "--map {pair}: write WHAT=NAME, where WHAT is subject, email, name, username, role, role:VALUE or member:VALUE"
        ))
    };
    let (what, name) = pair.split_once('=').ok_or_else(wrong)?;
    let (mapping, name) = (&mut settings.mapping, name.to_owned());
    match what.split_once(':') {
        Some(("role", value)) => {
            mapping.roles.insert(value.to_owned(), name);
        }
        Some(("member", value)) => {
            mapping.memberships.insert(value.to_owned(), name.parse().map_err(|_| wrong())?);
        }
        Some(_) => return Err(wrong()),
        None => {
            let place = match what {
                "subject" => &mut mapping.subject,
                "email" => &mut mapping.email,
                "name" => &mut mapping.name,
                "username" => &mut mapping.username,
                "role" => &mut mapping.role,
                _ => return Err(wrong()),
            };
            *place = Some(name);
        }
    }
    Ok(())
}

pub(super) async fn run(session: &Session, wish: Wish, out: Output) -> Result<(), Failure> {
    let ctx = session.ctx(wish.tenant).await?;
    let organization = match &wish.organization {
        Some(name) => Some(organization(&ctx, name).await?),
        None => None,
    };
    let made = connections::create(&ctx, &Powers::operator(), NewConnection { organization, ..wish.new }).await?;
    out.record(&details(&ctx, &made).await?)
}

/// The organization of this id, key or slug.
async fn organization(ctx: &Ctx<'_>, name: &str) -> Result<OrganizationId, Failure> {
    if let Ok(id) = name.parse::<OrganizationId>() {
        return Ok(organizations::find(ctx, id).await.map_err(|error| named(error, &name))?.id);
    }
    match organizations::find_by_slug(ctx, name).await {
        Ok(found) => Ok(found.id),
        Err(_) => Ok(organizations::find_by_key(ctx, name).await.map_err(|error| named(error, &name))?.id),
    }
}

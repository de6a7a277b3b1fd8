//! `gatehouse tenant update` and `gatehouse tenant initial-access-token`.

use std::time::Duration;

use clap::Args;

use super::{Failure, Output, Record, Session};
use crate::cli::names::{duration, one_of};
use crate::cli::user::Of;
use crate::domain::tenants;
use crate::model::color::Color;
use crate::model::ids::TenantId;
use crate::model::tenant::{RegistrationPolicy, Tenant};
use crate::model::time::Timestamp;

/// What `gatehouse tenant update` takes.
#[derive(Args)]
#[command(after_help = "'' takes a text away, 0 a number: then the installation's value counts.")]
pub(in crate::cli) struct UpdateArgs {
    #[command(flatten)]
    of: Of,
    /// Its name, for people to read
    #[arg(long)]
    name: Option<String>,
    /// Who may register clients (RFC 7591): nobody, who has an initial access token, or anybody
    #[arg(long, value_name = "WHO", value_parser = one_of!(RegistrationPolicy))]
    registration: Option<RegistrationPolicy>,
    /// Whether clients that register themselves may have response types that send tokens through the
    /// browser
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    registration_legacy: Option<bool>,
    /// Whether people may make an account of their own
    #[arg(long, value_name = "WHETHER", value_parser = ["on", "off", ""])]
    self_registration: Option<String>,
    /// The colour of buttons and links on its pages, #rrggbb
    #[arg(long, value_name = "COLOR")]
    brand_color: Option<String>,
    /// Address of the picture beside its name
    #[arg(long, value_name = "URI")]
    logo_uri: Option<String>,
    /// The least number of characters in a password
    #[arg(long, value_name = "N")]
    password_min_length: Option<u32>,
    /// Life of access tokens
    #[arg(long, value_name = "TIME", value_parser = duration)]
    access_token_ttl: Option<Duration>,
    /// Life of refresh tokens
    #[arg(long, value_name = "TIME", value_parser = duration)]
    refresh_token_ttl: Option<Duration>,
}

/// What `gatehouse tenant initial-access-token` takes.
#[derive(Args)]
pub(in crate::cli) struct TokenArgs {
    #[command(flatten)]
    of: Of,
    /// When it ceases to count, such as 2027-01-31T12:00:00Z [default: never]
    #[arg(long, value_name = "MOMENT", value_parser = moment)]
    expires_at: Option<Timestamp>,
    /// Have every such token cease to count instead
    #[arg(long, conflicts_with = "expires_at")]
    revoke_all: bool,
}

fn moment(text: &str) -> Result<Timestamp, String> {
    Timestamp::parse_rfc3339(text).ok_or_else(|| "is not a moment such as 2027-01-31T12:00:00Z".to_owned())
}

/// Whose settings, and what shall be different.
pub(super) fn wish(
    args: UpdateArgs,
) -> Result<(Option<TenantId>, impl Fn(&mut Tenant) + Send + Sync + 'static), Failure> {
    fn set<T: Clone>(place: &mut T, wish: &Option<T>) {
        if let Some(wish) = wish {
            place.clone_from(wish);
        }
    }
    let seconds = |life: Duration| u32::try_from(life.as_secs()).unwrap_or(u32::MAX);
    let number = |n: u32| Some(n).filter(|n| *n > 0);
    let text = |text: String| Some(text).filter(|text| !text.is_empty());
    let color = |text: String| (!text.is_empty()).then(|| text.parse()).transpose();
    let color: Option<Option<Color>> =
        args.brand_color.map(color).transpose().map_err(|why| Failure::Usage(format!("--brand-color: {why}")))?;
    let self_registration = args.self_registration.map(|text| (!text.is_empty()).then_some(text == "on"));
    let logo = args.logo_uri.map(text);
    let length = args.password_min_length.map(number);
    let access = args.access_token_ttl.map(seconds).map(number);
    let refresh = args.refresh_token_ttl.map(seconds).map(number);
    let UpdateArgs { of, name, registration, registration_legacy, .. } = args;
    Ok((of.tenant, move |tenant: &mut Tenant| {
        let settings = &mut tenant.settings;
        set(&mut tenant.name, &name);
        set(&mut settings.registration, &registration);
        set(&mut settings.registration_legacy, &registration_legacy);
        set(&mut settings.self_registration, &self_registration);
        set(&mut settings.color, &color);
        set(&mut settings.logo, &logo);
        set(&mut settings.password_min_length, &length);
        set(&mut settings.access_token_ttl, &access);
        set(&mut settings.refresh_token_ttl, &refresh);
    }))
}

pub(super) async fn run(
    session: &Session,
    tenant: Option<TenantId>,
    mend: impl Fn(&mut Tenant) + Send + Sync + 'static,
    out: Output,
) -> Result<(), Failure> {
    let tenant = tenants::update(&session.ctx(tenant).await?, mend).await?;
    let settings = &tenant.settings;
    out.record(
        &Record::default()
            .with("id", tenant.id.to_string())
            .with("name", tenant.name.as_str())
            .with("registration", settings.registration.as_str())
            .with("registration_legacy", settings.registration_legacy)
            .with("initial_access_tokens", settings.initial_access_tokens.len())
            .with("self_registration", settings.self_registration)
            .with("brand_color", settings.color.map(|color| color.to_string()))
            .with("logo_uri", settings.logo.clone())
            .with("password_min_length", settings.password_min_length)
            .with("access_token_ttl", settings.access_token_ttl)
            .with("refresh_token_ttl", settings.refresh_token_ttl),
    )
}

pub(super) async fn initial_access_token(session: &Session, args: TokenArgs, out: Output) -> Result<(), Failure> {
    let ctx = session.ctx(args.of.tenant).await?;
    let record = Record::default().with("id", ctx.tenant_id().to_string());
    if args.revoke_all {
        tenants::revoke_initial_tokens(&ctx).await?;
        return out.record(&record.with("initial_access_tokens", 0));
    }
    let token = tenants::issue_initial_token(&ctx, args.expires_at).await?;
    out.record(
        &record
            .with("initial_access_token", token.expose().as_str())
            .with("expires_at", args.expires_at.map(Timestamp::rfc3339)),
    )
}

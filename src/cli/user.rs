//! `gatehouse user`: the people of a tenant.

use std::collections::HashMap;
use std::io::{IsTerminal as _, Read as _};

use clap::{Args, Subcommand};

use super::failure::Failure;
use super::names::moment;
use super::output::Output;
use super::record::Record;
use super::session::{Session, named};
use crate::config::Loaded;
use crate::domain::access::Powers;
use crate::domain::administration;
use crate::domain::users::{self, NewPassword, NewUser};
use crate::domain::{Ctx, DomainError, Noun, account, password_policy, roles};
use crate::model::ids::{TenantId, UserId};
use crate::model::secret::Secret;
use crate::model::time::Timestamp;
use crate::model::user::User;

/// `gatehouse user …`
#[derive(Subcommand)]
pub(super) enum UserCommand {
    /// Make a user
    Create(CreateArgs),
    /// List the users of a tenant, in the order in which they were made
    List {
        #[command(flatten)]
        of: Of,
        /// At most so many
        #[arg(long, value_name = "NUMBER")]
        limit: Option<u64>,
        /// Only those made after this one, usr_…
        #[arg(long, value_name = "USER")]
        after: Option<UserId>,
    },
    /// Show a user
    Show {
        #[command(flatten)]
        who: Who,
    },
    /// Set a user's password, read from standard input; ends everything issued to them
    SetPassword {
        #[command(flatten)]
        who: Who,
        /// Read the password from standard input, which is done anyway
        #[arg(long)]
        password_stdin: bool,
    },
    /// Keep a user out, and end everything issued to them
    Disable {
        #[command(flatten)]
        who: Who,
    },
    /// Let a disabled user in again
    Enable {
        #[command(flatten)]
        who: Who,
    },
    /// Open an account that too many wrong passwords have locked
    Unlock {
        #[command(flatten)]
        who: Who,
    },
    /// Take every second factor from a user who has lost theirs; they are told by mail
    RemoveFactors {
        #[command(flatten)]
        who: Who,
    },
    /// Delete an account and all that is its own
    Delete {
        #[command(flatten)]
        who: Who,
    },
    /// Give a user a role, such as admin
    GrantRole {
        #[command(flatten)]
        who: Who,
        /// The role's code: super_admin, admin, user, or one of the tenant's own
        role: String,
        /// When the role ends, as in 2030-01-31T18:00:00Z
        #[arg(long, value_name = "TIME", value_parser = moment)]
        expires_at: Option<Timestamp>,
    },
    /// Take a role from a user
    RevokeRole {
        #[command(flatten)]
        who: Who,
        /// The role's code
        role: String,
    },
}

/// Which tenant.
#[derive(Args)]
pub(super) struct Of {
    /// The tenant, tnt_… [default: the default tenant]
    #[arg(long, value_name = "TENANT")]
    pub(super) tenant: Option<TenantId>,
}

/// Which user.
#[derive(Args)]
pub(super) struct Who {
    /// The user: usr_…, e-mail address or username
    user: String,
    #[command(flatten)]
    of: Of,
}

/// What `gatehouse user create` takes.
#[derive(Args)]
pub(super) struct CreateArgs {
    /// Their e-mail address
    #[arg(long)]
    email: String,
    /// A name to sign in with instead of the address
    #[arg(long)]
    username: Option<String>,
    /// Their name, for people to read
    #[arg(long)]
    name: Option<String>,
    #[command(flatten)]
    of: Of,
    /// A role that they start with, by code; may be given several times
    #[arg(long = "role", value_name = "ROLE")]
    roles: Vec<String>,
    /// Read the password from standard input; without it they have none and set one by a link
    #[arg(long)]
    password_stdin: bool,
    /// Take the address as proved
    #[arg(long)]
    email_verified: bool,
}

const COLUMNS: &[&str] = &["user_id", "email", "username", "name", "enabled", "created_at"];
/// How many are read at once.
const PAGE: u64 = 500;
/// The most that is read as a password.
const MAX_PASSWORD_BYTES: u64 = 64 * 1024;

pub(super) async fn run(command: UserCommand, loaded: Loaded, out: Output) -> Result<(), Failure> {
    // What is asked for on standard input is read before anything is opened.
    let password = match &command {
        UserCommand::Create(CreateArgs { password_stdin: true, .. }) | UserCommand::SetPassword { .. } => {
            Some(read_secret("password", out)?)
        }
        _ => None,
    };
    Session::with(loaded, out, async |session| act(session, command, password, out).await).await
}

async fn act(
    session: &Session,
    command: UserCommand,
    password: Option<Secret<String>>,
    out: Output,
) -> Result<(), Failure> {
    match command {
        UserCommand::Create(args) => create(session, args, password, out).await,
        UserCommand::List { of, limit, after } => list(session, &of, limit, after, out).await,
        UserCommand::SetPassword { who, .. } => {
            let (ctx, id) = find(session, &who).await?;
            if let Some(password) = &password {
                let least = password_policy::min_length_given(ctx.core, &ctx.tenant);
                users::set_password(&ctx, id, password.expose(), least).await?;
            }
            show(&ctx, id, out).await
        }
        UserCommand::Disable { who } => set_enabled(session, &who, false, out).await,
        UserCommand::Enable { who } => set_enabled(session, &who, true, out).await,
        UserCommand::Unlock { who } => {
            let (ctx, id) = find(session, &who).await?;
            users::unlock(&ctx, id).await?;
            show(&ctx, id, out).await
        }
        UserCommand::Show { who } => {
            let (ctx, id) = find(session, &who).await?;
            show(&ctx, id, out).await
        }
        UserCommand::RemoveFactors { who } => {
            let (ctx, id) = find(session, &who).await?;
            administration::users::remove_factors(&ctx, &Powers::operator(), id).await?;
            show(&ctx, id, out).await
        }
        UserCommand::Delete { who } => {
            let (ctx, id) = find(session, &who).await?;
            account::delete(&ctx, id).await?;
            out.record(&Record::default().with("user_id", id.to_string()).with("deleted", true))
        }
        UserCommand::GrantRole { who, role, expires_at } => {
            let (ctx, id) = find(session, &who).await?;
            let role = roles::find_by_code(&ctx, &role).await.map_err(|error| named(error, &role))?;
            roles::assign(&ctx, &Powers::operator(), id, vec![role.id], expires_at).await?;
            show(&ctx, id, out).await
        }
        UserCommand::RevokeRole { who, role } => {
            let (ctx, id) = find(session, &who).await?;
            let found = roles::find_by_code(&ctx, &role).await.map_err(|error| named(error, &role))?;
            let taken = roles::unassign(&ctx, &Powers::operator(), id, &found.id).await;
            taken.map_err(|error| match error {
                DomainError::NotFound(Noun::Role) => {
                    Failure::Refused(format!("{} does not hold the role {role}", who.user))
                }
                other => named(other, &who.user),
            })?;
            show(&ctx, id, out).await
        }
    }
}

async fn create(
    session: &Session,
    mut args: CreateArgs,
    password: Option<Secret<String>>,
    out: Output,
) -> Result<(), Failure> {
    let ctx = session.ctx(args.of.tenant).await?;
    args.roles.sort_unstable();
    args.roles.dedup();
    let least = password_policy::min_length_given(ctx.core, &ctx.tenant);
    let new = NewUser {
        email: Some(&args.email),
        email_verified: args.email_verified,
        username: args.username.as_deref(),
        name: args.name.as_deref(),
        password: match &password {
            Some(password) => NewPassword::Plain(password.expose(), least),
            None => NewPassword::None,
        },
        profile: serde_json::json!({}),
        roles: &args.roles,
    };
    let user = users::create(&ctx, new).await.map_err(|error| named(error, &args.roles.join(", ")))?;
    show(&ctx, user.id, out).await
}

async fn set_enabled(session: &Session, who: &Who, enabled: bool, out: Output) -> Result<(), Failure> {
    let (ctx, id) = find(session, who).await?;
    users::set_enabled(&ctx, id, enabled).await?;
    show(&ctx, id, out).await
}

async fn list(
    session: &Session,
    of: &Of,
    limit: Option<u64>,
    mut after: Option<UserId>,
    out: Output,
) -> Result<(), Failure> {
    let ctx = session.ctx(of.tenant).await?;
    let mut listing = out.listing(COLUMNS);
    let mut left = limit.unwrap_or(u64::MAX);
    while left > 0 {
        let wanted = left.min(PAGE);
        let page = users::list(&ctx, after, wanted).await?;
        let ids: Vec<UserId> = page.iter().map(|user| user.id).collect();
        let roles = roles::codes_of_users(ctx.core, &ids).await?;
        listing.page(&page.iter().map(|user| record(user, &roles)).collect::<Vec<_>>())?;
        let got = u64::try_from(page.len()).unwrap_or(wanted);
        let Some(last) = page.last().filter(|_| got == wanted) else { break };
        after = Some(last.id);
        left -= got;
    }
    listing.end()
}

/// The user whom an argument names.
async fn find<'a>(session: &'a Session, who: &Who) -> Result<(Ctx<'a>, UserId), Failure> {
    let ctx = session.ctx(who.of.tenant).await?;
    let found = match who.user.parse::<UserId>() {
        Ok(id) => users::find(&ctx, id).await,
        Err(_) => users::find_by_identifier(&ctx, &who.user).await,
    };
    let id = found.map_err(|error| named(error, &who.user))?.id;
    Ok((ctx, id))
}

async fn show(ctx: &Ctx<'_>, id: UserId, out: Output) -> Result<(), Failure> {
    let user = users::find(ctx, id).await?;
    let roles = roles::codes_of_users(ctx.core, &[id]).await?;
    out.record(&record(&user, &roles))
}

fn record(user: &User, roles: &HashMap<UserId, Vec<String>>) -> Record {
    Record::default()
        .with("user_id", user.id.to_string())
        .with_alias("id", user.id.to_string())
        .with("tenant_id", user.tenant.to_string())
        .with("email", user.email.clone())
        .with("username", user.username.clone())
        .with("name", user.name.clone())
        .with("email_verified", user.email_verified)
        .with("enabled", user.enabled)
        .with("has_password", user.password_hash.is_some())
        .with("has_second_factor", user.has_second_factor)
        .with("roles", roles.get(&user.id).cloned().unwrap_or_default())
        .with("created_at", user.created_at.rfc3339())
}

/// One line of standard input, or all of it without the newline at its end.
pub(super) fn read_secret(what: &str, out: Output) -> Result<Secret<String>, Failure> {
    let input = std::io::stdin();
    let mut text = String::new();
    if input.is_terminal() {
        out.note(&format!("The {what}, then Enter (it is visible as you type; pipe it in to avoid that):"));
        input.read_line(&mut text)?;
    } else {
        let read = input.lock().take(MAX_PASSWORD_BYTES).read_to_string(&mut text);
        read.map_err(|_| Failure::Usage(format!("the {what} on standard input is not UTF-8 text")))?;
    }
    let password = text.strip_suffix('\n').unwrap_or(&text);
    let password = password.strip_suffix('\r').unwrap_or(password);
    if password.is_empty() {
        return Err(Failure::Usage(format!("there is no {what} on standard input")));
    }
    Ok(Secret::new(password.to_owned()))
}

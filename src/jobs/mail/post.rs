//! The way out of the house: a mail server, or a folder that the operator looks into.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use lettre::message::{Mailbox, MultiPart};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Tls, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use lettre::transport::smtp::response::Category;
use lettre::{Address, AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
use tokio::io::AsyncWriteExt as _;

use super::letter::Letter;
use crate::config::{Config, SmtpTls, SmtpUrl};
use crate::domain::mail::Addressed;

/// Why a mail did not leave. `why` names no address: it goes to logs.
pub(super) struct Undelivered {
    pub(super) why: String,
    /// Whether it is of no use to try again.
    pub(super) hopeless: bool,
}

impl Undelivered {
    pub(super) fn for_now(why: impl Into<String>) -> Self {
        Self { why: why.into(), hopeless: false }
    }

    pub(super) fn for_good(why: impl Into<String>) -> Self {
        Self { why: why.into(), hopeless: true }
    }
}

/// Sends mail.
pub(super) struct Post {
    from: Option<Address>,
    host: String,
    way: Way,
}

enum Way {
    Server(Result<AsyncSmtpTransport<Tokio1Executor>, String>),
    Folder(PathBuf),
}

impl Post {
    pub(super) fn new(config: &Config) -> Self {
        let host = config.http.issuer.host().to_owned();
        let given = config.mail.from.as_ref().map(|from| from.address.as_str().to_owned());
        let candidates = [given, Some(format!("no-reply@{host}")), Some("no-reply@localhost".to_owned())];
        Self {
            from: candidates.into_iter().flatten().find_map(|address| address.parse().ok()),
            way: match &config.mail.smtp_url {
                Some(url) => Way::Server(transport(url, &host, config.mail.timeout).map_err(|why| why.to_string())),
                None => Way::Folder(config.secrets.data_dir.join("outbox")),
            },
            host,
        }
    }

    pub(super) async fn send(&self, addressed: &Addressed, letter: &Letter) -> Result<(), Undelivered> {
        let message = self.message(addressed, letter)?;
        match &self.way {
            Way::Server(Ok(server)) => server.send(message).await.map(drop).map_err(|why| refused(&why)),
            Way::Server(Err(why)) => Err(Undelivered::for_now(why)),
            Way::Folder(folder) => {
                let time = letter.written_at.rfc3339().replace([':', '-'], "");
                let file = folder.join(format!("{time}-{}.eml", addressed.mail.id));
                write(folder, &file, &message.formatted())
                    .await
                    .map_err(|why| Undelivered::for_now(format!("writing {}: {why}", file.display())))?;
                let (to, kind) = (&addressed.to, addressed.mail.kind);
                let link = addressed.link.as_ref().map_or("", |link| link.expose().as_str());
                // Only here: whoever set no mail server wants to click through.
                tracing::info!(%kind, to, link, file = %file.display(), "no mail server is set; the mail is in a file");
                Ok(())
            }
        }
    }

    /// The mail as it goes over the wire (RFC 5322).
    fn message(&self, addressed: &Addressed, letter: &Letter) -> Result<Message, Undelivered> {
        let from = self.from.clone().ok_or_else(|| Undelivered::for_now("there is no usable sender"))?;
        let to: Address = addressed.to.parse().map_err(|_| Undelivered::for_good("no address that mail can go to"))?;
        let at = Duration::from_millis(u64::try_from(letter.written_at.millis()).unwrap_or(0));
        Message::builder()
            .from(Mailbox::new(Some(addressed.sender.clone()), from))
            .to(Mailbox::new(None, to))
            .subject(&letter.subject)
            .date(SystemTime::UNIX_EPOCH + at)
            .message_id(Some(format!("<{}@{}>", addressed.mail.id, self.host)))
            .multipart(MultiPart::alternative_plain_html(letter.text.clone(), letter.html.clone()))
            .map_err(|why| Undelivered::for_good(format!("not a mail: {why}")))
    }
}

fn transport(
    url: &SmtpUrl,
    host: &str,
    timeout: Duration,
) -> Result<AsyncSmtpTransport<Tokio1Executor>, lettre::transport::smtp::Error> {
    let parameters = || TlsParameters::new(url.host.clone());
    let tls = match url.tls {
        SmtpTls::Implicit => Tls::Wrapper(parameters()?),
        SmtpTls::Required => Tls::Required(parameters()?),
        SmtpTls::Opportunistic => Tls::Opportunistic(parameters()?),
        SmtpTls::None => Tls::None,
    };
    let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&url.host)
        .port(url.port)
        .tls(tls)
        .timeout(Some(timeout))
        .hello_name(ClientId::Domain(host.to_owned()));
    if let Some((user, password)) = &url.login {
        builder = builder.credentials(Credentials::new(user.clone(), password.expose().clone()));
    }
    Ok(builder.build())
}

/// What a server's answer means. Its text may hold the address, so only its code is kept.
fn refused(why: &lettre::transport::smtp::Error) -> Undelivered {
    match why.status() {
        // x5x speaks of the mail and its recipient; others (a wrong password, say) of us.
        Some(code) => Undelivered {
            why: format!("the mail server answered {code}"),
            hopeless: why.is_permanent() && code.category == Category::MailSystem,
        },
        None => Undelivered::for_now(why.to_string()),
    }
}

/// Writes a file that is either there as a whole or not at all, for its owner alone.
async fn write(folder: &Path, file: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut builder = tokio::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    builder.mode(0o700);
    builder.create(folder).await?;
    let draft = file.with_extension("draft");
    let mut options = tokio::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    options.mode(0o600);
    let mut made = options.open(&draft).await?;
    made.write_all(bytes).await?;
    made.sync_all().await?;
    tokio::fs::rename(&draft, file).await
}

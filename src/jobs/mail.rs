//! Sends mail: takes what is due from the outbox, writes its text, and hands it to the mail server,
//! or to a folder where none is set.

mod en;
mod letter;
mod post;
mod zh;

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;

use crate::domain::{Core, DomainError, mail};
use crate::model::mail::Mail;
use letter::Letter;
use post::{Post, Undelivered};

/// How often the outbox is looked at.
const LOOK: Duration = Duration::from_millis(250);
/// The pause after the database did not answer.
const PAUSE: Duration = Duration::from_secs(1);
/// How many mails are sent at once.
const AT_ONCE: usize = 4;

/// Sends what is in the outbox, for ever.
pub(super) async fn deliver(core: Arc<Core>) {
    let metrics = core.metrics.job("mail");
    let post = Arc::new(Post::new(&core.config));
    let mut under_way = JoinSet::new();
    let mut complained = false;
    loop {
        while under_way.len() >= AT_ONCE {
            note_panic(&core, under_way.join_next().await);
        }
        match mail::take(&core, patience(&core) + Duration::from_secs(60)).await {
            Ok(Some(mail)) => {
                under_way.spawn(send(Arc::clone(&core), Arc::clone(&post), mail));
                continue;
            }
            Ok(None) => {
                complained = false;
                super::note("mail", &core, &metrics, Ok(()));
                tokio::time::sleep(LOOK).await;
            }
            Err(why) => {
                if !complained {
                    super::note("mail", &core, &metrics, Err(why));
                }
                complained = true;
                tokio::time::sleep(PAUSE).await;
            }
        }
        while let Some(done) = under_way.try_join_next() {
            note_panic(&core, Some(done));
        }
    }
}

fn note_panic(core: &Core, done: Option<Result<(), tokio::task::JoinError>>) {
    if let Some(Err(why)) = done {
        core.metrics.panics.increment(1);
        tracing::error!(%why, "sending a mail panicked; it is tried again");
    }
}

/// How long one mail may take in all.
fn patience(core: &Core) -> Duration {
    core.config.mail.timeout * 4
}

async fn send(core: Arc<Core>, post: Arc<Post>, mail: Mail) {
    if let Err(why) = attempt(&core, &post, &mail).await {
        tracing::warn!(mail = %mail.id, %why, "a mail could not be settled; it is tried again");
    }
}

async fn attempt(core: &Core, post: &Post, mail: &Mail) -> Result<(), DomainError> {
    let Some(addressed) = mail::address(core, mail).await? else { return mail::done(core, mail).await };
    let sent = match Letter::write(&addressed, core.clock.now()) {
        Ok(letter) => tokio::time::timeout(patience(core), post.send(&addressed, &letter))
            .await
            .unwrap_or_else(|_| Err(Undelivered::for_now("the mail server took too long"))),
        Err(why) => Err(Undelivered::for_good(why)),
    };
    let (id, kind, attempt) = (mail.id, mail.kind, mail.attempts);
    match sent {
        Ok(()) => {
            core.metrics.mails.count("sent");
            tracing::debug!(mail = %id, %kind, attempt, "sent");
            mail::done(core, mail).await
        }
        Err(Undelivered { why, hopeless }) => {
            let dropped = mail::failed(core, mail, &why, hopeless).await?;
            core.metrics.mails.count(if dropped { "dropped" } else { "failed" });
            tracing::warn!(mail = %id, %kind, attempt, dropped, why, "a mail was not sent");
            Ok(())
        }
    }
}

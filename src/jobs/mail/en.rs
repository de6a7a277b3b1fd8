//! What mails say in English.

use super::letter::{Unit, Words, facts, span, unlinked};
use crate::domain::mail::Addressed;
use crate::model::mail::MailKind;

pub(super) fn words(addressed: &Addressed) -> Words {
    let (mail, at) = (&addressed.mail, &addressed.sender);
    let what = unlinked(addressed.about.as_deref().unwrap_or_default());
    let (subject, about, action, after) = match mail.kind {
        MailKind::VerifyEmail => (
            format!("Confirm your e-mail address for {at}"),
            format!(
                "Somebody, probably you, made an account at {at} with this address. Please confirm that the address is yours."
            ),
            Some("Confirm address"),
            "If it was not you, ignore this mail: nobody can use the account until the address is confirmed.",
        ),
        MailKind::ResetPassword => (
            format!("Set a new password for {at}"),
            format!("Somebody, probably you, asked for a new password for your account at {at}."),
            Some("Set a new password"),
            "If it was not you, ignore this mail: your password stays as it is.",
        ),
        MailKind::AddressTaken => (
            format!("You have an account at {at} already"),
            format!(
                "Somebody, probably you, tried to make an account at {at} with this address, which has one already. You can sign in as usual. If you no longer know the password, set a new one."
            ),
            Some("Set a new password"),
            "If it was not you, there is nothing to do: whoever tried was told nothing.",
        ),
        MailKind::NewDevice => (
            format!("New sign-in to your account at {at}"),
            format!("Your account at {at} was signed in to in a browser that we had not seen before."),
            Some("Look at my account"),
            "If it was you, there is nothing to do. If not, end that session and change your password at once.",
        ),
        MailKind::PasswordChanged => (
            format!("Your password for {at} was changed"),
            format!(
                "The password of your account at {at} was changed, and everybody who was signed in elsewhere was signed out."
            ),
            Some("Set a new password"),
            "If it was you, there is nothing to do. If not, set a new password at once.",
        ),
        MailKind::PasskeyAdded => added(at, "A passkey"),
        MailKind::PasskeyRemoved => removed(at, "A passkey"),
        MailKind::TotpAdded => added(at, "An authenticator app"),
        MailKind::TotpRemoved => removed(at, "The authenticator app"),
        MailKind::FactorsRemoved => (
            format!("Signing in to {at} takes your password alone"),
            format!(
                "An administrator removed the passkeys, the authenticator app and the recovery codes of your account at {at}."
            ),
            Some("Look at my account"),
            "If you asked for it, set up a second factor again. If not, write to whoever runs this site.",
        ),
        MailKind::RecoveryCodesRenewed => (
            format!("New recovery codes for {at}"),
            format!("New recovery codes were made for your account at {at}. The codes from before no longer work."),
            Some("Look at my account"),
            NOT_ME,
        ),
        MailKind::AccountDeleted => (
            format!("Your account at {at} was deleted"),
            format!("Your account at {at} was deleted, with everything that belonged to it."),
            None,
            "If it was not you, write to whoever runs this site.",
        ),
        MailKind::Invitation => (
            format!("You are invited to join “{what}” at {at}"),
            format!(
                "Somebody asked you to join the workspace “{what}” at {at}. This invitation is for your address alone."
            ),
            Some("Look at the invitation"),
            "If you don't know what this is about, ignore this mail: nothing happens unless you accept.",
        ),
    };
    let mut afterwards = vec![after.to_owned()];
    if let Some(life) = addressed.link_life {
        afterwards.insert(0, format!("The link works once, within {}.", said(span(life))));
    }
    let told_of = addressed.link_life.is_none();
    Words {
        lang: "en",
        colon: ": ",
        subject,
        paragraphs: vec![about],
        facts: if told_of { facts(mail, ["When", "From", "Browser"]) } else { Vec::new() },
        action,
        after: afterwards,
        footer: format!("This mail was sent by {at}, {}.", addressed.issuer),
    }
}

const NOT_ME: &str =
    "If it was you, there is nothing to do. If not, change your password and look at your account at once.";

type Said = (String, String, Option<&'static str>, &'static str);

fn added(at: &str, what: &str) -> Said {
    let subject = format!("{what} was added to your account at {at}");
    (subject.clone(), format!("{subject}. It can be used to sign in."), Some("Look at my account"), NOT_ME)
}

fn removed(at: &str, what: &str) -> Said {
    let subject = format!("{what} was removed from your account at {at}");
    (subject.clone(), format!("{subject}. It can no longer be used to sign in."), Some("Look at my account"), NOT_ME)
}

fn said((n, unit): (u64, Unit)) -> String {
    let unit = match unit {
        Unit::Minutes => "minute",
        Unit::Hours => "hour",
        Unit::Days => "day",
    };
    format!("{n} {unit}{}", if n == 1 { "" } else { "s" })
}

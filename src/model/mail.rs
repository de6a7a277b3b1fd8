//! Mails: what is said to whom, and the links that some of them carry.

use uuid::Uuid;

use super::ids::{TenantId, UserId};
use super::language::Language;
use super::text_enum::text_enum;
use super::time::Timestamp;

text_enum! {
    /// What a mail is about.
    MailKind {
        /// A link that proves an address.
        VerifyEmail = "verify_email",
        /// A link that sets a new password.
        ResetPassword = "reset_password",
        /// Somebody tried to make an account with an address that has one.
        AddressTaken = "address_taken",
        /// A sign-in in a browser that was not seen before.
        NewDevice = "new_device",
        /// The password was changed.
        PasswordChanged = "password_changed",
        /// A passkey was added.
        PasskeyAdded = "passkey_added",
        /// A passkey was removed.
        PasskeyRemoved = "passkey_removed",
        /// An authenticator app was added.
        TotpAdded = "totp_added",
        /// The authenticator app was removed.
        TotpRemoved = "totp_removed",
        /// An administrator removed every second factor.
        FactorsRemoved = "factors_removed",
        /// There are new recovery codes; the ones before count no longer.
        RecoveryCodesRenewed = "recovery_codes_renewed",
        /// The account is gone.
        AccountDeleted = "account_deleted",
        /// A link that leads into an organization.
        Invitation = "invitation",
    }
}

impl MailKind {
    /// The link that it carries, if it carries one that does something.
    #[must_use]
    pub const fn purpose(self) -> Option<LinkPurpose> {
        match self {
            Self::VerifyEmail => Some(LinkPurpose::VerifyEmail),
            Self::ResetPassword => Some(LinkPurpose::ResetPassword),
            _ => None,
        }
    }
}

text_enum! {
    /// What a mailed link does.
    LinkPurpose {
        /// It proves an address.
        VerifyEmail = "verify_email",
        /// It sets a new password.
        ResetPassword = "reset_password",
    }
}

/// A mail on its way out. Its text is made when it is sent.
#[derive(Clone, Debug)]
pub struct Mail {
    /// Whose user it goes to.
    pub tenant: TenantId,
    /// Which one it is.
    pub id: Uuid,
    /// What it is about.
    pub kind: MailKind,
    /// The address it goes to; for a mail with a link what somebody typed as their name, whose
    /// owner is looked for when it is sent.
    pub recipient: String,
    /// In which language.
    pub language: Language,
    /// From where what it tells of was done.
    pub address: Option<String>,
    /// In which browser.
    pub device: Option<String>,
    /// Which thing it tells of, where the kind alone does not say: an invitation's id.
    pub about: Option<String>,
    /// How often somebody began to send it.
    pub attempts: i32,
    /// When it is dropped if it could not be sent.
    pub give_up_at: Timestamp,
    /// When what it tells of happened.
    pub created_at: Timestamp,
}

/// What a mailed link is bound to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailLink {
    /// What it does.
    pub purpose: LinkPurpose,
    /// For whom.
    pub user: UserId,
    /// The address it was mailed to, which must still be the user's.
    pub address: String,
    /// The user's token epoch when it was made, which must still be the same.
    pub epoch: i32,
    /// When it ends.
    pub expires_at: Timestamp,
}

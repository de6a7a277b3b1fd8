//! `/account` and what is below it.

use askama::Template;

use super::{Errors, Field, Frame, views};
use crate::http::locale::texts::{AccountTexts, ProfileTexts};
use crate::model::time::Timestamp;

/// A page of the account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::http) enum Section {
    /// What there is.
    Overview,
    /// The standard claims.
    Profile,
    /// The password.
    Password,
    /// Passkeys.
    Passkeys,
    /// The authenticator app.
    Totp,
    /// Recovery codes.
    Recovery,
    /// Accounts of elsewhere that one signs in with.
    SignIns,
    /// Where one is signed in.
    Sessions,
    /// What one has consented to.
    Applications,
    /// The end.
    Delete,
}

impl Section {
    const ALL: &'static [Self] = &[
        Self::Overview,
        Self::Profile,
        Self::Password,
        Self::Passkeys,
        Self::Totp,
        Self::Recovery,
        Self::SignIns,
        Self::Sessions,
        Self::Applications,
        Self::Delete,
    ];

    // Templates call these on what they hold, which is a reference.
    fn all(self) -> &'static [Self] {
        Self::ALL
    }

    fn is(self, other: &Self) -> bool {
        self == *other
    }

    fn is_overview(self) -> bool {
        self == Self::Overview
    }

    /// The one at this path.
    pub(in crate::http) fn at(path: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|section| section.path() == path)
    }

    /// Its path below the issuer's.
    pub(in crate::http) const fn path(self) -> &'static str {
        match self {
            Self::Overview => "/account",
            Self::Profile => "/account/profile",
            Self::Password => "/account/password",
            Self::Passkeys => "/account/passkeys",
            Self::Totp => "/account/totp",
            Self::Recovery => "/account/recovery-codes",
            Self::SignIns => "/account/sign-ins",
            Self::Sessions => "/account/sessions",
            Self::Applications => "/account/applications",
            Self::Delete => "/account/delete",
        }
    }
}

impl AccountTexts {
    const fn entry(&self, section: &Section) -> &'static str {
        match section {
            Section::Overview => self.overview,
            Section::Profile => self.profile,
            Section::Password => self.password,
            Section::Passkeys => self.passkeys,
            Section::Totp => self.totp,
            Section::Recovery => self.recovery,
            Section::SignIns => self.sign_ins,
            Section::Sessions => self.sessions,
            Section::Applications => self.applications,
            Section::Delete => self.delete,
        }
    }
}

/// Everything at a glance.
#[derive(Template)]
#[template(path = "pages/account/overview.html")]
pub(in crate::http) struct Overview<'a> {
    /// See [`Frame`].
    pub(in crate::http) frame: Frame,
    here: Section,
    /// Whose.
    pub(in crate::http) account: &'a str,
    groups: Vec<Vec<Row>>,
}

struct Row {
    section: Section,
    state: String,
}

/// How things stand, for [`Overview`].
pub(in crate::http) struct Standing {
    /// Whether an authenticator app is set up.
    pub(in crate::http) totp: bool,
    /// How many passkeys there are.
    pub(in crate::http) passkeys: usize,
    /// How many recovery codes are left.
    pub(in crate::http) recovery_codes: usize,
    /// How many accounts of elsewhere are linked.
    pub(in crate::http) sign_ins: usize,
    /// How many sessions there are.
    pub(in crate::http) sessions: usize,
    /// How many applications may use the account.
    pub(in crate::http) applications: usize,
    /// The e-mail address.
    pub(in crate::http) email: String,
}

impl<'a> Overview<'a> {
    /// Of an account that stands like this.
    pub(in crate::http) fn new(frame: Frame, account: &'a str, standing: Standing) -> Self {
        let t = &frame.t.account;
        let count = |count: usize| if count == 0 { t.none.to_owned() } else { (t.count)(&count) };
        let row = |section, state: String| Row { section, state };
        let groups = vec![
            vec![row(Section::Profile, standing.email)],
            vec![
                row(Section::Password, String::new()),
                row(Section::Passkeys, count(standing.passkeys)),
                row(Section::Totp, if standing.totp { t.on } else { t.off }.to_owned()),
                row(
                    Section::Recovery,
                    if standing.recovery_codes == 0 { t.none.to_owned() } else { (t.left)(&standing.recovery_codes) },
                ),
                row(Section::SignIns, count(standing.sign_ins)),
            ],
            vec![
                row(Section::Sessions, count(standing.sessions)),
                row(Section::Applications, count(standing.applications)),
                row(Section::Delete, String::new()),
            ],
        ];
        Self { frame, here: Section::Overview, account, groups }
    }
}

/// The standard claims, as a form.
#[derive(Template)]
#[template(path = "pages/account/profile.html")]
pub(in crate::http) struct Profile<'a> {
    /// See [`Frame`].
    pub(in crate::http) frame: Frame,
    here: Section,
    email: Option<(&'a str, bool)>,
    values: &'a [(&'static str, String)],
    errors: &'a Errors,
}

impl<'a> Profile<'a> {
    /// With the address and whether it was proved, and each field's value.
    pub(in crate::http) fn new(
        frame: Frame,
        email: Option<(&'a str, bool)>,
        values: &'a [(&'static str, String)],
        errors: &'a Errors,
    ) -> Self {
        Self { frame, here: Section::Profile, email, values, errors }
    }

    fn field<'f>(&'f self, name: &'f str, label: &'f str) -> Field<'f> {
        let value = self.values.iter().find(|(known, _)| *known == name).map_or("", |(_, value)| value.as_str());
        Field::text(name, label).value(value).maxlength(500).error(self.errors)
    }
}

impl ProfileTexts {
    /// The label of a field.
    pub(in crate::http) const fn text_for_invalid(&self, field: &str) -> &'static str {
        match field.as_bytes() {
            b"birthdate" => self.bad_birthdate,
            b"phone_number" => self.bad_phone,
            b"locale" => self.bad_locale,
            b"zoneinfo" => self.bad_zoneinfo,
            b"picture" | b"profile" | b"website" => self.bad_url,
            _ => self.long,
        }
    }
}

/// A new password for the old one.
#[derive(Template)]
#[template(path = "pages/account/password.html")]
pub(in crate::http) struct Password<'a> {
    /// See [`Frame`].
    pub(in crate::http) frame: Frame,
    here: Section,
    account: &'a str,
    has_password: bool,
    least: usize,
    errors: &'a Errors,
}

impl<'a> Password<'a> {
    /// Of this account; `least` characters at least.
    pub(in crate::http) fn new(
        frame: Frame,
        account: &'a str,
        has_password: bool,
        least: usize,
        errors: &'a Errors,
    ) -> Self {
        Self { frame, here: Section::Password, account, has_password, least, errors }
    }
}

/// The authenticator app.
#[derive(Template)]
#[template(path = "pages/account/totp.html")]
pub(in crate::http) struct Totp<'a> {
    /// See [`Frame`].
    pub(in crate::http) frame: Frame,
    here: Section,
    state: TotpState<'a>,
    errors: &'a Errors,
}

/// How far it is.
pub(in crate::http) enum TotpState<'a> {
    /// Not set up.
    Off,
    /// Being set up: the picture as an `svg` element of ours, and the key as text.
    Enrolling {
        /// Goes into the page as it is.
        qr: &'a str,
        /// In Base32.
        secret: &'a str,
        /// The same for an app on this device (`otpauth:`).
        uri: &'a str,
    },
    /// Set up, and when.
    On(Option<Timestamp>),
}

impl<'a> Totp<'a> {
    /// In this state.
    pub(in crate::http) fn new(frame: Frame, state: TotpState<'a>, errors: &'a Errors) -> Self {
        Self { frame, here: Section::Totp, state, errors }
    }
}

/// Passkeys.
#[derive(Template)]
#[template(path = "pages/account/passkeys.html")]
pub(in crate::http) struct Passkeys<'a> {
    /// See [`Frame`].
    pub(in crate::http) frame: Frame,
    here: Section,
    passkeys: &'a [PasskeyView],
}

/// One of them.
pub(in crate::http) struct PasskeyView {
    /// What the form names it by.
    pub(in crate::http) id: String,
    /// As its owner named it.
    pub(in crate::http) name: String,
    /// When it was added.
    pub(in crate::http) added_at: Timestamp,
    /// When it was last used.
    pub(in crate::http) used_at: Option<Timestamp>,
}

impl<'a> Passkeys<'a> {
    /// All of an account.
    pub(in crate::http) fn new(frame: Frame, passkeys: &'a [PasskeyView]) -> Self {
        Self { frame, here: Section::Passkeys, passkeys }
    }
}

/// Recovery codes.
#[derive(Template)]
#[template(path = "pages/account/recovery-codes.html")]
pub(in crate::http) struct RecoveryCodes<'a> {
    /// See [`Frame`].
    pub(in crate::http) frame: Frame,
    here: Section,
    state: RecoveryState<'a>,
}

/// What there is to see of them.
pub(in crate::http) enum RecoveryState<'a> {
    /// New ones, shown once.
    Shown(&'a [String]),
    /// So many are left.
    Left(usize),
    /// The account has no second factor that they could stand in for.
    NoFactor,
}

impl<'a> RecoveryCodes<'a> {
    /// In this state.
    pub(in crate::http) fn new(frame: Frame, state: RecoveryState<'a>) -> Self {
        Self { frame, here: Section::Recovery, state }
    }
}

/// Accounts of elsewhere that one signs in with.
#[derive(Template)]
#[template(path = "pages/account/sign-ins.html")]
pub(in crate::http) struct SignIns<'a> {
    /// See [`Frame`].
    pub(in crate::http) frame: Frame,
    here: Section,
    linked: &'a [SignInView],
    offers: &'a [OfferView],
    others: &'a [(String, String)],
}

/// One that is linked.
pub(in crate::http) struct SignInView {
    /// The connection's id.
    pub(in crate::http) connection: String,
    /// The connection's name.
    pub(in crate::http) name: String,
    /// Who they are there.
    pub(in crate::http) subject: String,
    /// Since when.
    pub(in crate::http) since: Timestamp,
    /// When it was last used.
    pub(in crate::http) used: Timestamp,
}

/// One that may be linked.
pub(in crate::http) struct OfferView {
    /// What the form names it by.
    pub(in crate::http) id: String,
    /// The connection's name.
    pub(in crate::http) name: String,
    /// What to call the account.
    pub(in crate::http) label: String,
}

impl<'a> SignIns<'a> {
    /// With what is linked, what may be, and the connections (id and name) by which there may be more.
    pub(in crate::http) fn new(
        frame: Frame,
        linked: &'a [SignInView],
        offers: &'a [OfferView],
        others: &'a [(String, String)],
    ) -> Self {
        Self { frame, here: Section::SignIns, linked, offers, others }
    }

    /// Whether only who they are there tells it from another.
    fn is_one_of_several(&self, one: &SignInView) -> bool {
        self.linked.iter().filter(|other| other.connection == one.connection).count() > 1
    }
}

/// Where one is signed in.
#[derive(Template)]
#[template(path = "pages/account/sessions.html")]
pub(in crate::http) struct Sessions<'a> {
    /// See [`Frame`].
    pub(in crate::http) frame: Frame,
    here: Section,
    sessions: &'a [SessionView],
}

/// One of them.
pub(in crate::http) struct SessionView {
    /// What the form names it by.
    pub(in crate::http) id: String,
    /// `Firefox on Linux`.
    pub(in crate::http) browser: String,
    /// Where it was last seen.
    pub(in crate::http) address: Option<String>,
    /// When it began.
    pub(in crate::http) since: Timestamp,
    /// When it was last seen.
    pub(in crate::http) seen: Timestamp,
    /// Whether it is the reader's own.
    pub(in crate::http) current: bool,
}

impl<'a> Sessions<'a> {
    /// All of an account.
    pub(in crate::http) fn new(frame: Frame, sessions: &'a [SessionView]) -> Self {
        Self { frame, here: Section::Sessions, sessions }
    }
}

/// What one has consented to.
#[derive(Template)]
#[template(path = "pages/account/applications.html")]
pub(in crate::http) struct Applications<'a> {
    /// See [`Frame`].
    pub(in crate::http) frame: Frame,
    here: Section,
    applications: &'a [ApplicationView],
}

/// One of them.
pub(in crate::http) struct ApplicationView {
    /// The client's id.
    pub(in crate::http) id: String,
    /// Its name.
    pub(in crate::http) name: String,
    /// What it may, in words.
    pub(in crate::http) may: String,
    /// Since when.
    pub(in crate::http) since: Timestamp,
    /// When it last asked.
    pub(in crate::http) used: Timestamp,
}

impl<'a> Applications<'a> {
    /// All of an account.
    pub(in crate::http) fn new(frame: Frame, applications: &'a [ApplicationView]) -> Self {
        Self { frame, here: Section::Applications, applications }
    }
}

/// The end of an account.
#[derive(Template)]
#[template(path = "pages/account/delete.html")]
pub(in crate::http) struct Delete<'a> {
    /// See [`Frame`].
    pub(in crate::http) frame: Frame,
    here: Section,
    word: &'a str,
    typed: &'a str,
    errors: &'a Errors,
}

impl<'a> Delete<'a> {
    /// Once the word has been typed.
    pub(in crate::http) fn new(frame: Frame, word: &'a str, typed: &'a str, errors: &'a Errors) -> Self {
        Self { frame, here: Section::Delete, word, typed, errors }
    }
}

views!(Overview, Profile, Password, Totp, Passkeys: Own, RecoveryCodes, SignIns, Sessions, Applications, Delete);

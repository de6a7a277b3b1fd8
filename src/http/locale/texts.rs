//! What pages say: one struct a group of pages. A text with a hole in it is a function, so that each
//! language can put its words in its own order.

use std::borrow::Cow;

use crate::domain::password_policy::Weakness;

/// A text with a hole for a name.
pub(in crate::http) type Of = fn(&str) -> String;
/// A text with a hole for a number, by reference, as templates hand on what they hold.
pub(in crate::http) type Count = fn(&usize) -> String;

/// Declares groups of texts, each a plain one unless it says its type.
macro_rules! texts {
    ($($(#[doc = $doc:literal])+ $group:ident { $($field:ident $(: $ty:ty)?),+ $(,)? })+) => {$(
        $(#[doc = $doc])+
        pub(in crate::http) struct $group {
            $(pub(in crate::http) $field: texts!(@ $($ty)?)),+
        }
    )+};
    (@) => { &'static str };
    (@ $ty:ty) => { $ty };
}

impl PasswordTexts {
    /// What is wrong with a password.
    pub(in crate::http) fn of(&self, weakness: Weakness) -> Cow<'static, str> {
        match weakness {
            Weakness::TooShort(least) => (self.short)(&least).into(),
            Weakness::TooLong(most) => (self.long)(&most).into(),
            Weakness::Common => self.common.into(),
            Weakness::Personal => self.personal.into(),
            Weakness::Guessable => self.weak.into(),
        }
    }
}

texts! {
    /// What pages say in one language; `lang` is its tag (RFC 5646).
    Texts {
        lang,
        general: GeneralTexts,
        landing: LandingTexts,
        docs: DocsTexts,
        error: ErrorTexts,
        login: LoginTexts,
        mfa: MfaTexts,
        select: SelectTexts,
        register: RegisterTexts,
        verify: VerifyTexts,
        forgot: ForgotTexts,
        password: PasswordTexts,
        invitation: InvitationTexts,
        consent: ConsentTexts,
        device: DeviceTexts,
        logout: LogoutTexts,
        hand_over: HandOverTexts,
        account: AccountTexts,
        profile: ProfileTexts,
        totp: TotpTexts,
        passkeys: PasskeyTexts,
        recovery: RecoveryTexts,
        sign_ins: SignInTexts,
        upstream: UpstreamTexts,
        sessions: SessionTexts,
        applications: ApplicationTexts,
        delete: DeleteTexts,
    }
    /// What stands on many pages.
    GeneralTexts {
        language, languages, cancel, save, remove, or, comma, required, busy, too_many, skip,
        moment: fn(&crate::http::locale::Moment) -> String,
    }
    /// `/`.
    LandingTexts { title, about, issuer, discovery, keys, openapi, docs, account }
    /// `/docs`.
    DocsTexts { title, openapi, credentials, parameters, body, required, answers, schemas }
    /// What went wrong, and what to do; `code` introduces the support code.
    ErrorTexts {
        missing, missing_hint, bad, bad_hint, failed, failed_hint, busy, busy_hint, limited, limited_hint, forged,
        forged_hint, stale, stale_hint, link, link_hint, client, client_hint, code, code_hint, home,
    }
    /// `/login`.
    LoginTexts {
        title, to_continue: Of, again, again_lead, identifier, password, remember, submit, forgot, newcomer,
        register, passkey, passkey_failed, wrong, stranger, terms, privacy,
    }
    /// `/login/mfa`.
    MfaTexts {
        title, totp_lead, totp, recovery_lead, recovery, passkey_lead, trust, submit, use_totp, use_recovery,
        use_passkey, wrong, other,
    }
    /// Which account to go on with.
    SelectTexts { title, other }
    /// `/register`.
    RegisterTexts { title, name, email, email_hint, password, submit, known, login, bad_email }
    /// `/verify-email`.
    VerifyTexts { title, lead: Of, submit, sent, sent_lead, no_mail, resend, email, resent, done, done_lead }
    /// `/forgot-password`.
    ForgotTexts { title, lead, email, submit, sent, sent_lead, no_mail, back }
    /// `/reset-password`, `/account/password`, and what is wrong with a password.
    PasswordTexts {
        reset, reset_lead: Of, current, new, submit, done, reset_done, short: Count, long: Count, common, personal,
        weak, wrong, hint: Count, others_end,
    }
    /// `/invitation`.
    InvitationTexts {
        title: Of, lead: Of, signed_in: Of, accept, other: Of, switch, login, newcomer, done, done_lead,
    }
    /// `/consent`.
    ConsentTexts {
        title: Of, account: Of, allow, deny, openid, profile, email, phone, address, offline_access, custom: Of,
        claims, known, revoke, to: Of,
    }
    /// `/device`.
    DeviceTexts {
        title, lead, code, submit, unknown, confirm: Of, confirm_lead, warning, allow, deny, allowed, allowed_lead,
        denied, denied_lead,
    }
    /// `/logout`.
    LogoutTexts { title, lead: Of, from: Of, submit, stay, done, done_lead, stayed, login, go_on: Of }
    /// The page that carries an answer back to the application by itself.
    HandOverTexts { title, lead: Of, submit }
    /// `/account`, and the way around in it.
    AccountTexts {
        title, overview, profile, password, passkeys, totp, recovery, sign_ins, sessions, applications, delete, sign_out,
        greeting: Of, saved, on, off, none, count: Count, left: Count,
    }
    /// `/account/profile`: the standard claims (OpenID Connect Core §5.1).
    ProfileTexts {
        lead, about_you, name, given_name, middle_name, family_name, nickname, preferred_username, gender, birthdate,
        birthdate_hint, contact, email, email_verified, email_unverified, phone_number, address, street_address,
        locality, region, postal_code, country, web, profile, website, picture, url_hint, place, zoneinfo,
        zoneinfo_hint, locale, locale_hint, submit, bad_username, bad_url, bad_birthdate, bad_phone, bad_locale, bad_zoneinfo, long,
        taken,
    }
    /// `/account/totp`.
    TotpTexts {
        lead, on_since: Of, begin, remove, enrol, scan, by_hand, open, confirm, code, submit, wrong, done, removed,
    }
    /// `/account/passkeys`.
    PasskeyTexts {
        lead, name, name_hint, add, added: Of, used: Of, never_used, rename, done, removed, renamed, failed,
        no_script, unsupported,
    }
    /// `/account/recovery-codes`.
    RecoveryTexts { lead, left: Count, none, no_factor, replace, replace_hint, shown, shown_lead, kept }
    /// `/account/sign-ins`.
    SignInTexts {
        lead, none, since: Of, used: Of, unlink, unlinked, last, offered, offered_lead: fn(&str, &str) -> String, link,
        linked, taken, more, add: Of,
    }
    /// `/login/with/…`, and its buttons.
    UpstreamTexts {
        with: Of, go_on, offered, offered_lead: Of, offered_next, no_account, no_account_lead: Of, declined,
        declined_lead: Of, unreachable, unreachable_lead: Of, refused, refused_lead: Of, back,
    }
    /// `/account/sessions`.
    SessionTexts {
        lead, here, since: Of, seen: Of, end, end_others, ended, others_ended, unknown, on: fn(&str, &str) -> String,
    }
    /// `/account/applications`.
    ApplicationTexts { lead, none, since: Of, used: Of, may, remove, removed }
    /// `/account/delete`.
    DeleteTexts { lead, what, confirm: Of, wrong: Of, last_owner, submit, done, done_lead }
}

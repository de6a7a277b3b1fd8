//! Every page with something on it, in every language: what all of them must hold, and files to look
//! at (`target/pages`, with the style sheet beside them).

use std::path::Path;

use askama::Template as _;

use super::account::{
    ApplicationView, Applications, Delete, OfferView, Overview, PasskeyView, Passkeys, Password, Profile,
    RecoveryCodes, RecoveryState, SessionView, Sessions, SignInView, SignIns, Standing, Totp, TotpState,
};
use super::consent::{Consent, Want};
use super::device::{Device, DeviceConfirm};
use super::done::Done;
use super::error::ErrorPage;
use super::form_post::FormPost;
use super::invitation::{Guest, Invitation};
use super::landing::Landing;
use super::login::{AccountView, Login, SelectAccount};
use super::logout::{Logout, SignedOut};
use super::mail::{CheckMail, ForgotPassword, VerifyEmail};
use super::mfa::{Choice, Method, SecondFactor};
use super::register::Register;
use super::reset_password::ResetPassword;
use super::*;
use crate::http::locale::Locale;
use crate::model::time::Timestamp;

const WHO: &str = "alexandra.longname@example.org";
const QR: &str =
    r#"<svg viewBox="0 0 29 29"><path fill="black" d="M0 0h7v7H0zM22 0h7v7h-7zM0 22h7v7H0zM10 10h9v9h-9z"/></svg>"#;
/// What nobody may ever get into a page as markup.
const MARKUP: &str = "<b>\"Photo\" & 'Album'</b>";

fn client(name: &str) -> ClientView {
    ClientView {
        name: name.to_owned(),
        logo: None,
        terms: Some("https://photos.example.org/terms".to_owned()),
        privacy: Some("https://photos.example.org/privacy".to_owned()),
    }
}

/// The sign-in with nothing in it.
fn login(frame: Frame, errors: &Errors) -> Login<'_> {
    Login {
        frame,
        client: None,
        account: None,
        identifier: "",
        remember: false,
        registration: false,
        connections: &[],
        asks_password: true,
        local: false,
        errors,
    }
}

/// Name and markup of each page.
fn pages(locale: Locale, name: &str) -> Vec<(&'static str, String)> {
    let t = locale.texts();
    let frame = || Frame::plain(locale).csrf("a-token");
    let inside = || frame().within(Some("ght_transaction"));
    let at = Timestamp::parse_rfc3339("2026-11-21T11:44:23Z").unwrap();
    let none = Errors::default();
    let wrong = Errors::one("code", t.mfa.wrong);
    let mut two = Errors::one("email", t.register.bad_email);
    two.push("password", (t.password.short)(&8));
    let wants = |known: bool| {
        let want = |scope: &str| Want::of(t, scope, known && scope == "openid");
        ["openid", "profile", "email", "offline_access", "photos:print"].map(want).into()
    };
    let all = Choice { totp: true, passkey: true, recovery: true };
    let invited =
        |guest| Invitation { frame: frame(), organization: name, address: WHO, token: "ghi_1", guest }.render();
    let sign_in = |frame: Frame, account, errors| {
        let client = Some(client(name));
        let connections = &[("/login/with/con_1".to_owned(), name.to_owned())];
        Login { client, account, registration: true, connections, ..login(frame, errors) }.render()
    };
    let factor = |method, errors| SecondFactor { frame: inside(), account: WHO, method, factors: all, errors }.render();
    let passkeys = ["my phone", name].map(|name| PasskeyView {
        id: "1".to_owned(),
        name: name.to_owned(),
        added_at: at,
        used_at: (name == "my phone").then_some(at),
    });
    let sessions = [true, false, false].map(|current| SessionView {
        id: "1".to_owned(),
        browser: if current { (t.sessions.on)("Firefox", "Linux") } else { t.sessions.unknown.to_owned() },
        address: Some("2001:db8:85a3::8a2e:370:7334".to_owned()),
        since: at,
        seen: at,
        current,
    });
    let applications = ["Calendar", name].map(|name| ApplicationView {
        id: "1".to_owned(),
        name: name.to_owned(),
        may: format!("{}, {}", t.consent.profile, t.consent.email),
        since: at,
        used: at,
    });
    let standing = Standing {
        totp: true,
        passkeys: 2,
        recovery_codes: 8,
        sign_ins: 1,
        sessions: 3,
        applications: 0,
        email: WHO.to_owned(),
    };
    let values = [("name", name.to_owned()), ("birthdate", "1990-13-41".to_owned())];
    let bad_date = Errors::one("birthdate", t.profile.bad_birthdate);
    let codes: Vec<String> = (0..10).map(|n| format!("kx7q{n}-m3p9r")).collect();
    let enrolling = TotpState::Enrolling { qr: QR, secret: "JBSWY3DPEHPK3PXP", uri: "otpauth://totp/1" };
    let fields = vec![("code", "ghc_1"), ("state", name), ("iss", "https://id.example.org")];
    [
        ("landing", Landing { frame: frame(), issuer: "https://id.example.org" }.render()),
        ("login", sign_in(inside(), None, &none)),
        ("login-wrong", {
            let frame = frame().bad(t.login.wrong);
            Login { identifier: WHO, remember: true, local: true, ..login(frame, &none) }.render()
        }),
        ("login-name", Login { asks_password: false, ..login(inside(), &none) }.render()),
        ("login-again", sign_in(inside(), Some(WHO), &none)),
        ("select-account", {
            let account = AccountView { name, detail: Some(WHO) };
            SelectAccount { frame: inside(), client: Some(client("Calendar")), account }.render()
        }),
        ("mfa-totp", factor(Method::Totp, &wrong)),
        ("mfa-recovery", factor(Method::Recovery, &none)),
        ("mfa-passkey", factor(Method::Passkey, &none)),
        ("register", {
            let client = Some(client(name));
            Register { frame: inside(), client, name, email: "alexandra@", least: 8, errors: &two }.render()
        }),
        ("check-mail", CheckMail::to_verify(frame().good(t.verify.resent), WHO, &none).render()),
        ("check-mail-recovery", CheckMail::to_recover(frame(), &none).render()),
        ("verify-email", VerifyEmail { frame: frame(), address: WHO, token: "ghm_1" }.render()),
        ("verified", {
            let next = Some((frame().href("/login"), t.login.submit));
            Done { frame: frame(), title: t.verify.done, lead: t.verify.done_lead, next }.render()
        }),
        ("invitation", invited(Guest::Welcome(WHO))),
        ("invitation-other", invited(Guest::Other("somebody.else@example.org"))),
        ("invitation-login", invited(Guest::SignedOut(frame().href("/login")))),
        ("invitation-new", invited(Guest::New { name, least: 8, errors: &two })),
        ("forgot-password", ForgotPassword { frame: frame(), email: "", errors: &none }.render()),
        ("reset-password", {
            ResetPassword { frame: frame(), account: WHO, token: "ghm_1", least: 8, errors: &none }.render()
        }),
        ("consent", {
            let claims = ["birthdate", "zoneinfo"].map(|name| super::consent::claim(t, name)).join(", ");
            let (client, wants) = (client(name), wants(true));
            Consent { frame: inside(), client, account: WHO, wants, claims, destination: "photos.example.org" }.render()
        }),
        ("device", Device { frame: frame(), user_code: "", errors: &none }.render()),
        ("device-confirm", {
            let (client, wants) = (client("Living room TV"), wants(false));
            DeviceConfirm { frame: frame(), client, account: WHO, user_code: "WDJB-MJHT", wants }.render()
        }),
        ("device-done", {
            Done { frame: frame(), title: t.device.allowed, lead: t.device.allowed_lead, next: None }.render()
        }),
        ("logout", {
            let (client, carried) = (Some(client(name)), vec![("state", name)]);
            Logout { frame: frame(), client, account: WHO, carried }.render()
        }),
        ("signed-out", {
            let next = Some(("https://photos.example.org/", name));
            SignedOut { frame: frame(), next, frames: Vec::new() }.render()
        }),
        ("form-post", {
            let action = "https://photos.example.org/callback";
            FormPost { frame: frame(), client: name, action, fields }.render()
        }),
        ("error", {
            let (title, hint) = (t.error.client, t.error.client_hint);
            let detail = Some("invalid_request: redirect_uri is not registered");
            let next = ("/account", t.account.title);
            let code = Some("0f3c9a4b7d1e2f3041526374");
            ErrorPage { frame: frame(), title, hint, detail, code, next }.render()
        }),
        ("not-found", {
            let (title, hint) = (t.error.missing, t.error.missing_hint);
            let next = ("/", t.error.home);
            ErrorPage { frame: frame(), title, hint, detail: None, code: None, next }.render()
        }),
        ("account", Overview::new(frame(), name, standing).render()),
        ("account-profile", Profile::new(frame(), Some((WHO, true)), &values, &bad_date).render()),
        ("account-password", Password::new(frame().good(t.account.saved), WHO, true, 8, &none).render()),
        ("account-passkeys", Passkeys::new(frame(), &passkeys).render()),
        ("account-totp", Totp::new(frame(), TotpState::Off, &none).render()),
        ("account-totp-enrol", Totp::new(frame(), enrolling, &wrong).render()),
        ("account-totp-on", Totp::new(frame(), TotpState::On(Some(at)), &none).render()),
        ("account-recovery", RecoveryCodes::new(frame(), RecoveryState::Left(1)).render()),
        ("account-recovery-shown", RecoveryCodes::new(frame(), RecoveryState::Shown(&codes)).render()),
        ("account-sign-ins", {
            let of = |name: &str| SignInView {
                connection: "con_1".to_owned(),
                name: name.to_owned(),
                subject: "248289761001".to_owned(),
                since: at,
                used: at,
            };
            let offer = OfferView { id: "00".to_owned(), name: name.to_owned(), label: WHO.to_owned() };
            let others = &[("con_2".to_owned(), name.to_owned())];
            SignIns::new(frame(), &["Example", name].map(of), &[offer], others).render()
        }),
        ("account-sign-ins-none", SignIns::new(frame(), &[], &[], &[]).render()),
        ("account-sessions", Sessions::new(frame(), &sessions).render()),
        ("account-applications", Applications::new(frame(), &applications).render()),
        ("account-delete", Delete::new(frame(), WHO, "alex", &Errors::one("confirm", (t.delete.wrong)(WHO))).render()),
    ]
    .map(|(page, html)| (page, html.unwrap()))
    .into()
}

fn everything(name: &str) -> impl Iterator<Item = (Locale, &'static str, String)> {
    Locale::ALL
        .iter()
        .flat_map(move |locale| pages(*locale, name).into_iter().map(|(page, html)| (*locale, page, html)))
}

#[test]
fn to_look_at() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/pages");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("style.css"), include_str!("../../../../static/style.css")).unwrap();
    for (locale, page, html) in everything("Photo Album") {
        let beside = html.replace(Frame::plain(locale).style(), "style.css");
        std::fs::write(folder.join(format!("{page}-{}.html", locale.tag())), beside).unwrap();
    }
}

#[test]
fn nothing_that_people_type_becomes_markup() {
    for (_, page, html) in everything(MARKUP) {
        assert!(!html.contains("<b>") && !html.contains("\"Photo"), "{page}: {html}");
    }
}

#[test]
fn pages_keep_to_their_policy() {
    for (_, page, html) in everything("Photo Album") {
        for forbidden in [" style=", "<style", " onclick=", " onload=", "javascript:", "http://"] {
            assert!(!html.contains(forbidden), "{page}: {forbidden}");
        }
        for script in html.match_indices("<script").map(|(at, _)| &html[at..]) {
            assert!(script.starts_with("<script src=\"/static/") && script.contains("></script>"), "{page}");
        }
        let weight = html.len() + include_str!("../../../../static/style.css").len();
        assert!(weight < 50_000, "{page}: {weight}");
    }
    assert!(include_str!("../../../../static/style.css").len() < 20_000);
}

#[test]
fn every_form_of_ours_is_sent_by_post_with_its_token() {
    for (_, page, html) in everything("Photo Album").filter(|(_, page, _)| *page != "form-post") {
        for form in html.match_indices("<form").map(|(at, _)| &html[at..]) {
            let form = &form[..form.find("</form>").unwrap()];
            assert!(form.starts_with("<form") && form.contains("method=\"post\""), "{page}: {form}");
            assert!(form.contains("name=\"csrf\" value=\"a-token\""), "{page}: {form}");
        }
    }
}

#[test]
fn labels_hints_and_errors_belong_to_their_fields() {
    for (_, page, html) in everything("Photo Album") {
        let ids: Vec<&str> = html
            .match_indices(" id=\"")
            .map(|(at, start)| html[at + start.len()..].split('"').next().unwrap())
            .collect();
        let unique: std::collections::HashSet<_> = ids.iter().collect();
        assert_eq!(ids.len(), unique.len(), "{page}: an id stands there twice");
        for attribute in [" for=\"", " aria-describedby=\""] {
            for (at, start) in html.match_indices(attribute) {
                let named = html[at + start.len()..].split('"').next().unwrap();
                assert!(named.split(' ').all(|id| ids.contains(&id)), "{page}: nothing is called {named}");
            }
        }
        assert!(html.matches(" autofocus").count() <= 1, "{page}: two places to begin");
        assert_eq!(html.matches("<h1").count(), 1, "{page}");
        assert_eq!(html.matches("<main").count(), 1, "{page}");
    }
}

#[test]
fn the_first_that_is_wrong_is_where_the_page_begins() {
    let html = &pages(Locale::En, "Ann").into_iter().find(|(page, _)| *page == "register").unwrap().1;
    let field = html.split("<input").find(|input| input.contains("id=\"email\"")).unwrap();
    let field = &field[..field.find('>').unwrap()];
    for wanted in ["autofocus", "aria-invalid=\"true\"", "aria-describedby=\"email-error email-hint\"", "alexandra@"] {
        assert!(field.contains(wanted), "{wanted}: {field}");
    }
}

#[test]
fn a_page_names_where_its_forms_may_lead() {
    let frame = || Frame::plain(Locale::En);
    assert!(!frame().policy(Scripts::None).contains("script-src"));
    assert!(frame().policy(Scripts::Own).contains("; script-src 'self'; connect-src 'self'"));
    let policy = |address: &str| frame().leading_to(address).policy(Scripts::None);
    assert!(policy("https://app.example.org/cb?x=1").contains("form-action 'self' https:;"));
    assert!(policy("http://127.0.0.1:4711/cb").contains("form-action 'self' http://127.0.0.1:4711 https:;"));
    assert!(policy("org.example.app:/cb").contains("form-action 'self' org.example.app: https:;"));
    assert!(policy("; script-src *").contains("form-action 'self' https:;"));
    let framing = frame().framing(["https://app.example.org/out?sid=1"]).policy(Scripts::None);
    assert!(framing.ends_with("; frame-src https://app.example.org"), "{framing}");
}

#[test]
fn links_take_the_language_and_the_sign_in_along() {
    let frame = Frame::plain(Locale::Zh).within(Some("ght_a b"));
    assert_eq!(frame.href("/register"), "/register?t=ght_a+b");
    assert_eq!(frame.action("/login"), "/login");
    let english = &frame.languages()[0];
    assert_eq!((english.href.as_str(), english.current), ("/?t=ght_a+b&ui_locales=en", false));
}

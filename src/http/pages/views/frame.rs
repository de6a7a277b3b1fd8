//! What every page has around its own content.

use std::borrow::Cow;

use url::form_urlencoded::Serializer;

use super::initial;
use crate::domain::tenants::LiveTenant;
use crate::http::call::Call;
use crate::http::locale::{Locale, Moment, Texts};
use crate::http::statics;
use crate::model::color::Color;
use crate::model::time::Timestamp;

/// The colour of a tenant that has none of its own, as `static/style.css` has it.
const ACCENT: Color = Color::new(0x1d, 0x5b, 0xbf);

/// Which scripts a page loads, as its content security policy says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::http) enum Scripts {
    /// None at all.
    None,
    /// Our own files, which may call our own endpoints.
    Own,
}

/// What every page has around its own content. Made by [`Frame::of`], completed by the methods that
/// take `self`.
pub(in crate::http) struct Frame {
    /// What pages say, in the reader's language.
    pub(in crate::http) t: &'static Texts,
    locale: Locale,
    /// Whether the reader chose the language, so that it must go with every link.
    chosen: bool,
    /// The tenant's name.
    pub(super) tenant: Cow<'static, str>,
    pub(super) logo: Option<String>,
    color: Option<Color>,
    /// The issuer's path: nothing, or `/t/tnt_…`.
    pub(super) base: String,
    /// The page's own path, and what of its query goes with it into its other languages.
    path: String,
    kept: Vec<(&'static str, String)>,
    pub(super) csrf: String,
    pub(super) transaction: Option<String>,
    /// Which of our own pages comes after the sign-in.
    pub(super) next: Option<String>,
    pub(super) alert: Option<Alert>,
    /// Where else its forms may lead (CSP `form-action`, which browsers check along redirects too).
    targets: Vec<String>,
    /// What it may show in frames (CSP `frame-src`).
    frames: Vec<String>,
}

/// What a page says above everything else.
pub(super) struct Alert {
    is_bad: bool,
    pub(super) text: Cow<'static, str>,
}

impl Alert {
    pub(super) const fn class(&self) -> &'static str {
        if self.is_bad { "bad" } else { "good" }
    }

    pub(super) const fn role(&self) -> &'static str {
        if self.is_bad { "alert" } else { "status" }
    }
}

/// The same page in one language.
pub(super) struct LanguageLink {
    pub(super) tag: &'static str,
    pub(super) name: &'static str,
    pub(super) href: String,
    pub(super) current: bool,
}

/// The client that somebody signs in for, as people see it.
#[derive(Clone, Debug, Default)]
pub(in crate::http) struct ClientView {
    /// Its name.
    pub(in crate::http) name: String,
    /// Address of its picture.
    pub(in crate::http) logo: Option<String>,
    /// Address of its terms of service (`tos_uri`).
    pub(in crate::http) terms: Option<String>,
    /// Address of its privacy policy (`policy_uri`).
    pub(in crate::http) privacy: Option<String>,
}

impl Frame {
    /// For a page of this tenant.
    pub(in crate::http) fn of(call: &Call, tenant: &LiveTenant) -> Self {
        let mut frame = Self::of_nobody(call);
        let issuer = call.core().config.http.issuer.as_str();
        tenant.issuer.strip_prefix(issuer).unwrap_or_default().clone_into(&mut frame.base);
        frame.tenant = Cow::Owned(tenant.tenant.title().to_owned());
        frame.color = tenant.tenant.settings.color;
        frame.logo.clone_from(&tenant.tenant.settings.logo);
        frame
    }

    /// For a page that belongs to no tenant, or to one that is not known.
    pub(in crate::http) fn of_nobody(call: &Call) -> Self {
        let chosen = Locale::chosen(call.request().query_string());
        let locale = chosen.unwrap_or_else(|| Locale::of(call.headers()));
        Self { chosen: chosen.is_some(), path: call.request().path().to_owned(), ..Self::plain(locale) }
    }

    /// Whose links to other languages lead to this path: for an address that leads to nothing, or not
    /// twice.
    pub(in crate::http) fn at(mut self, path: &str) -> Self {
        self.path = format!("{}{path}", self.base);
        self
    }

    /// In this language, with nothing that a request could add.
    pub(super) fn plain(locale: Locale) -> Self {
        Self {
            t: locale.texts(),
            locale,
            chosen: false,
            tenant: Cow::Borrowed("gatehouse"),
            logo: None,
            color: None,
            base: String::new(),
            path: "/".to_owned(),
            kept: Vec::new(),
            csrf: String::new(),
            transaction: None,
            next: None,
            alert: None,
            targets: Vec::new(),
            frames: Vec::new(),
        }
    }

    /// In what the client asked for (`ui_locales`), where the reader has not chosen otherwise.
    pub(in crate::http) fn preferring(mut self, ui_locales: Option<&str>) -> Self {
        if let Some(locale) = ui_locales.filter(|_| !self.chosen).and_then(Locale::of_list) {
            (self.t, self.locale) = (locale.texts(), locale);
        }
        self
    }

    /// With the anti-forgery token of this browser's forms.
    pub(in crate::http) fn csrf(mut self, token: impl Into<String>) -> Self {
        self.csrf = token.into();
        self
    }

    /// Within a sign-in that is under way.
    pub(in crate::http) fn within(mut self, transaction: Option<impl Into<String>>) -> Self {
        self.transaction = transaction.map(Into::into);
        self
    }

    /// On the way to one of our own pages, by its path below the issuer's.
    pub(in crate::http) fn on_the_way_to(mut self, next: Option<&str>) -> Self {
        self.next = next.map(str::to_owned);
        self
    }

    /// With a parameter that is the page's own; no other stays when the reader changes the language.
    pub(in crate::http) fn keeping(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.kept.push((name, value.into()));
        self
    }

    /// Says that something went well.
    pub(in crate::http) fn good(mut self, text: impl Into<Cow<'static, str>>) -> Self {
        self.alert = Some(Alert { is_bad: false, text: text.into() });
        self
    }

    /// Says that something is wrong.
    pub(in crate::http) fn bad(mut self, text: impl Into<Cow<'static, str>>) -> Self {
        self.alert = Some(Alert { is_bad: true, text: text.into() });
        self
    }

    /// Its forms may lead to this address in the end, and over it to others: a client that is itself a
    /// provider sends the browser on to its own clients, and browsers check the whole chain.
    pub(in crate::http) fn leading_to(mut self, address: &str) -> Self {
        self.targets.extend(source(address).filter(|source| !source.starts_with("https:")));
        self.targets.push("https:".to_owned());
        self
    }

    /// It shows these addresses in frames.
    pub(in crate::http) fn framing<'a>(mut self, addresses: impl IntoIterator<Item = &'a str>) -> Self {
        self.frames.extend(addresses.into_iter().filter_map(source));
        self
    }

    /// The content security policy of its page: nothing but what it names.
    pub(in crate::http) fn policy(&self, scripts: Scripts) -> String {
        let mut policy =
            "default-src 'none'; style-src 'self'; img-src 'self' data: https:; form-action 'self'".to_owned();
        for target in &self.targets {
            policy.push(' ');
            policy.push_str(target);
        }
        policy.push_str("; frame-ancestors 'none'; base-uri 'none'");
        if scripts == Scripts::Own {
            policy.push_str("; script-src 'self'; connect-src 'self'");
        }
        if !self.frames.is_empty() {
            policy.push_str("; frame-src ");
            policy.push_str(&self.frames.join(" "));
        }
        policy
    }

    /// A link to one of our pages, with what must go along.
    pub(in crate::http) fn href(&self, path: &str) -> String {
        self.link(path, self.along())
    }

    fn along(&self) -> impl Iterator<Item = (&str, &str)> {
        let transaction = self.transaction.iter().map(|transaction| ("t", transaction.as_str()));
        transaction.chain(self.next.iter().map(|next| ("next", next.as_str())))
    }

    /// The same with one parameter more.
    pub(in crate::http) fn href_with(&self, path: &str, name: &str, value: &str) -> String {
        self.link(path, self.along().chain([(name, value)]))
    }

    /// Where a form goes, or a redirect within the account: what else must go along is in it.
    pub(in crate::http) fn action(&self, path: &str) -> String {
        self.link(path, std::iter::empty())
    }

    fn link<'a>(&self, path: &str, parameters: impl Iterator<Item = (&'a str, &'a str)>) -> String {
        let language = self.chosen.then(|| ("ui_locales", self.locale.tag()));
        address(format!("{}{path}", self.base), parameters.chain(language))
    }

    pub(super) fn languages(&self) -> Vec<LanguageLink> {
        let link = |locale: &Locale| {
            let parameters = self.along().chain(self.kept.iter().map(|(name, value)| (*name, value.as_str())));
            LanguageLink {
                tag: locale.texts().lang,
                name: locale.texts().general.language,
                href: address(self.path.clone(), parameters.chain([("ui_locales", locale.tag())])),
                current: *locale == self.locale,
            }
        };
        Locale::ALL.iter().map(link).collect()
    }

    pub(super) fn mark(&self) -> String {
        initial(&self.tenant)
    }

    /// What stands for it among a browser's tabs: its picture, or its first letter on its colour.
    pub(super) fn icon(&self) -> String {
        let drawn = || {
            let color = self.color.unwrap_or(ACCENT);
            let [color, ink] = [color, color.ink()].map(|color| color.to_string().replace('#', "%23"));
            format!(
                "data:image/svg+xml,<svg xmlns='http:%2F%2Fwww.w3.org/2000/svg' viewBox='0 0 32 32'>\
                 <rect width='32' height='32' rx='8' fill='{color}'/>\
                 <text x='16' y='22.5' fill='{ink}' font-family='system-ui,sans-serif' font-size='18' \
                 font-weight='650' text-anchor='middle'>{}</text></svg>",
                self.mark()
            )
        };
        self.logo.clone().unwrap_or_else(drawn)
    }

    pub(super) fn style(&self) -> &'static str {
        &statics::STYLE_ADDRESS
    }

    pub(super) fn color_sheet(&self) -> Option<String> {
        let digits = self.color?.to_string();
        Some(format!("{}/brand.css?v={}", self.base, digits.trim_start_matches('#')))
    }

    pub(super) fn passkey_script(&self) -> &'static str {
        &statics::PASSKEY_SCRIPT_ADDRESS
    }

    pub(super) fn form_post_script(&self) -> &'static str {
        &statics::FORM_POST_SCRIPT_ADDRESS
    }

    /// A moment as people write it.
    pub(in crate::http) fn when(&self, at: &Timestamp) -> String {
        (self.t.general.moment)(&Moment::from(*at))
    }
}

fn address<'a>(mut path: String, parameters: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let query = Serializer::new(String::new()).extend_pairs(parameters).finish();
    if !query.is_empty() {
        path.push(if path.contains('?') { '&' } else { '?' });
        path.push_str(&query);
    }
    path
}

/// An address as a content security policy names it: its origin, or its scheme where that is an
/// application's own (RFC 8252 §7.1).
fn source(address: &str) -> Option<String> {
    let url = url::Url::parse(address).ok()?;
    Some(match url.origin() {
        origin @ url::Origin::Tuple(..) => origin.ascii_serialization(),
        url::Origin::Opaque(_) => format!("{}:", url.scheme()),
    })
}

//! A browser on our pages: its two cookies, the session behind one of them, and the token that each
//! of its forms must carry.
//!
//! The session cookie is a secret from the first page on, with a row only once somebody is signed in;
//! it changes at every sign-in and raise of assurance. The browser's own cookie stays: it binds
//! sign-ins that are under way to the browser in which they began, and tells known browsers from new
//! ones. Both are `HttpOnly`, `SameSite=Lax`, and over https `Secure` under the prefix `__Host-`
//! (RFC 6265bis §4.1.3.2); since that prefix wants the whole site, a tenant's cookies have names of
//! their own.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

use actix_web::HttpResponse;
use actix_web::cookie::time::Duration as CookieAge;
use actix_web::cookie::{Cookie, SameSite};
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderValue};

use super::body::{self, BodyError};
use super::call::Call;
use crate::crypto::opaque::{self, TokenKind};
use crate::domain::sessions::{self, Browser, Entered};
use crate::domain::tenants::LiveTenant;
use crate::domain::{Ctx, DomainError};
use crate::model::audit::Actor;
use crate::model::session::Session;

/// The largest form of a page, in bytes.
const MOST: usize = 64 * 1024;
/// How long a browser is known again: as long as browsers keep a cookie at most.
const KNOWN_FOR: CookieAge = CookieAge::days(400);

/// One request of a browser for a page of a tenant.
pub(super) struct Visit<'c> {
    /// The request.
    pub(super) call: &'c Call,
    /// A call of a verb about the tenant, by the person who is signed in, if anybody is.
    pub(super) ctx: Ctx<'c>,
    /// The session behind the cookie; it may wait for a second factor.
    session: Option<Session>,
    cookies: RefCell<Cookies>,
}

struct Cookies {
    session: Cookie<'static>,
    browser: Cookie<'static>,
    /// Whether the browser sent them.
    sent_session: bool,
    sent_browser: bool,
    /// Whether the answer must set them.
    set_session: bool,
    set_browser: bool,
}

/// What of a form's fields was sent, each once.
pub(super) struct FormFields(HashMap<String, String>);

impl FormFields {
    /// The value of a field; nothing where it is empty.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// The value of a field, or the empty text.
    pub(super) fn text(&self, name: &str) -> &str {
        self.get(name).unwrap_or_default()
    }

    /// Whether a box was ticked.
    pub(super) fn flag(&self, name: &str) -> bool {
        self.get(name).is_some()
    }
}

/// Why a form is not acted on.
#[derive(Debug)]
pub(super) enum FormError {
    /// It can't be read.
    Body(BodyError),
    /// It does not come from a page of ours that this browser was shown, or was shown too long ago.
    Forged,
}

impl From<BodyError> for FormError {
    fn from(error: BodyError) -> Self {
        Self::Body(error)
    }
}

impl<'c> Visit<'c> {
    /// Finds out who visits.
    ///
    /// # Errors
    /// No such tenant, or the database is unavailable.
    pub(super) async fn of(call: &'c Call) -> Result<Self, DomainError> {
        let tenant = call.tenant().await?;
        let ctx = call.ctx(Arc::clone(&tenant), Actor::Anonymous);
        let names = Names::of(&ctx.core.config, &tenant);
        let sent = |name: &str| call.request().cookie(name).map(|cookie| cookie.value().to_owned());
        let made = |kind| opaque::generate(kind, &*ctx.core.entropy).expose().clone();
        let known = |kind, value: Option<String>| value.filter(|value| opaque::recognise(kind, value).is_some());
        let session_cookie = known(TokenKind::Session, sent(&names.session));
        let browser_cookie = known(TokenKind::Browser, sent(&names.browser));
        let session = match &session_cookie {
            Some(cookie) => sessions::find(&ctx, cookie).await?,
            None => None,
        };
        let (sent_session, sent_browser) = (session_cookie.is_some(), browser_cookie.is_some());
        // What another site posts comes without our cookies (SameSite=Lax): blank ones in the answer
        // would take the place of those that the browser has, and sign its person out.
        let safe = call.request().method().is_safe();
        let cookies = Cookies {
            session: names.cookie(&names.session, session_cookie.unwrap_or_else(|| made(TokenKind::Session))),
            browser: names.cookie(&names.browser, browser_cookie.unwrap_or_else(|| made(TokenKind::Browser))),
            sent_session,
            sent_browser,
            set_session: safe && !sent_session,
            set_browser: safe && !sent_browser,
        };
        let ctx = match &session {
            Some(session) if !session.second_factor_due => ctx.by(Actor::User(session.user)),
            _ => ctx,
        };
        Ok(Self { call, ctx, session, cookies: RefCell::new(cookies) })
    }

    /// The session of a person who is signed in, with every factor that is due.
    pub(super) fn session(&self) -> Option<&Session> {
        self.session.as_ref().filter(|session| !session.second_factor_due)
    }

    /// The session, also where it still waits for a second factor.
    pub(super) fn any_session(&self) -> Option<&Session> {
        self.session.as_ref()
    }

    /// The browser, for the verbs.
    pub(super) fn browser(&self) -> Browser {
        let digest = *opaque::digest_of_secret(self.cookies.borrow().browser.value()).as_bytes();
        let agent = self.call.headers().get(header::USER_AGENT);
        let user_agent = agent.map(|agent| {
            String::from_utf8_lossy(agent.as_bytes()).chars().filter(|c| !c.is_control()).take(256).collect()
        });
        Browser { digest, user_agent }
    }

    /// Whether this browser was here before.
    pub(super) fn is_known_browser(&self) -> bool {
        self.cookies.borrow().sent_browser
    }

    /// The token that forms on this page carry.
    pub(super) fn csrf(&self) -> String {
        self.ctx.core.form_tokens.seal(self.ctx.tenant_id().uuid(), self.cookies.borrow().session.value())
    }

    /// Where this tenant's pages begin: what stands before `/login` in their addresses.
    pub(super) fn base(&self) -> &str {
        self.ctx.tenant.path()
    }

    /// The form that was posted, if it comes from a page that this browser was shown.
    ///
    /// # Errors
    /// See [`FormError`].
    pub(super) async fn form(&self) -> Result<FormFields, FormError> {
        body::check_type(self.call.headers(), "application/x-www-form-urlencoded")?;
        let bytes = self.call.bytes(MOST).await?;
        let mut fields = HashMap::new();
        for (name, value) in url::form_urlencoded::parse(&bytes) {
            if value.contains('\0') || fields.insert(name.into_owned(), value.into_owned()).is_some() {
                return Err(BodyError::Malformed("a field is there twice or holds a NUL").into());
            }
        }
        let fields = FormFields(fields);
        if self.is_ours(fields.text("csrf")) { Ok(fields) } else { Err(FormError::Forged) }
    }

    /// Whether a request that changes something carries the token of a page that this browser was
    /// shown, and was not sent by another site (Fetch Metadata).
    pub(super) fn is_ours(&self, token: &str) -> bool {
        let cookies = self.cookies.borrow();
        let site = self.call.headers().get("sec-fetch-site").map(HeaderValue::as_bytes);
        let from_here = matches!(site, None | Some(b"same-origin" | b"none"));
        let tenant = self.ctx.tenant_id().uuid();
        from_here && cookies.sent_session && self.ctx.core.form_tokens.is_of(tenant, cookies.session.value(), token)
    }

    /// The browser gets the cookie of a session that was begun or raised.
    pub(super) fn enter(&self, entered: &Entered) {
        let mut cookies = self.cookies.borrow_mut();
        cookies.session.set_value(entered.cookie.expose().clone());
        let life = sessions::cookie_life(&entered.session, self.ctx.now());
        cookies.session.set_max_age(life.and_then(|life| i64::try_from(life.as_secs()).ok()).map(CookieAge::seconds));
        cookies.set_session = true;
        // By which it will be known again.
        cookies.set_browser |= !cookies.sent_browser;
    }

    /// The browser gets a cookie that leads to no session.
    pub(super) fn leave(&self) {
        let mut cookies = self.cookies.borrow_mut();
        cookies.session.set_value(opaque::generate(TokenKind::Session, &*self.ctx.core.entropy).expose().clone());
        cookies.session.set_max_age(None);
        cookies.set_session = true;
    }

    /// `303 See Other` to a page of this tenant, so that a posted password is not posted on (RFC 9700
    /// §4.12).
    pub(super) fn go(&self, path: &str) -> HttpResponse {
        self.send(&format!("{}{path}", self.base()))
    }

    /// `303 See Other` to another site.
    pub(super) fn send(&self, address: &str) -> HttpResponse {
        match HeaderValue::from_str(address) {
            Ok(address) => {
                HttpResponse::build(StatusCode::SEE_OTHER).insert_header((header::LOCATION, address)).finish()
            }
            Err(why) => HttpResponse::from_error(actix_web::error::ErrorInternalServerError(why)),
        }
    }

    /// Sets the cookies that are new.
    pub(super) fn dress(&self, mut answer: HttpResponse) -> HttpResponse {
        let cookies = self.cookies.borrow();
        let both = [(cookies.set_session, &cookies.session), (cookies.set_browser, &cookies.browser)];
        for (_, cookie) in both.into_iter().filter(|(is_new, _)| *is_new) {
            // A cookie of ours has no letter that a header can't carry.
            let _ = answer.add_cookie(cookie);
        }
        answer
    }
}

/// How a tenant's cookies are called, and how they are protected.
struct Names {
    session: String,
    browser: String,
    https: bool,
}

impl Names {
    fn of(config: &crate::config::Config, tenant: &LiveTenant) -> Self {
        let https = config.http.issuer.is_https();
        let mut suffix = String::new();
        if !tenant.tenant.is_default {
            suffix = format!("_{}", tenant.tenant.id.uuid().simple().to_string().split_at(12).0);
        }
        let name = |name: &crate::config::CookieName| format!("{}{suffix}", name.on_the_wire(https));
        Self { session: name(&config.sessions.cookie), browser: name(&config.sessions.device_cookie), https }
    }

    fn cookie(&self, name: &str, value: String) -> Cookie<'static> {
        let cookie =
            Cookie::build(name.to_owned(), value).path("/").http_only(true).secure(self.https).same_site(SameSite::Lax);
        if *name == self.browser { cookie.max_age(KNOWN_FOR).finish() } else { cookie.finish() }
    }
}

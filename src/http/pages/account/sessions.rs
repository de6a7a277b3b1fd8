//! `/account/sessions`: where one is signed in, and an end to it.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;

use super::{Owner, account_frame, done};
use crate::domain::{logout, sessions};
use crate::http::call::Call;
use crate::http::locale::texts::SessionTexts;
use crate::http::pages::views::account::{Section, SessionView, Sessions};
use crate::http::pages::{page, serve};

/// Shows them.
#[utoipa::path(get, path = "/account/sessions", responses((status = 200)))]
pub(in crate::http::pages) async fn show(call: Call) -> HttpResponse {
    serve(&call, async |visit| {
        let owner = Owner::of(visit, Section::Sessions).await?;
        let frame = account_frame(
            visit,
            &[("ended", |frame| frame.t.sessions.ended), ("all-ended", |frame| frame.t.sessions.others_ended)],
        );
        let all = sessions::of_user(&visit.ctx, owner.user.id).await?;
        let mut views: Vec<SessionView> = all
            .into_iter()
            .map(|session| SessionView {
                current: session.id == owner.session.id,
                id: session.id.to_string(),
                browser: browser(&frame.t.sessions, session.user_agent.as_deref()),
                address: session.address,
                since: session.created_at,
                seen: session.seen_at,
            })
            .collect();
        views.sort_by_key(|view| !view.current);
        Ok(page(StatusCode::OK, &Sessions::new(frame, &views)))
    })
    .await
}

/// Signs out one of them, or all the others.
#[utoipa::path(post, path = "/account/sessions", responses((status = 303)))]
pub(in crate::http::pages) async fn end(call: Call) -> HttpResponse {
    serve(&call, async |visit| {
        let owner = Owner::of(visit, Section::Sessions).await?;
        let fields = visit.form().await?;
        if fields.get("action") == Some("end-others") {
            logout::sign_out_everywhere(&visit.ctx, owner.user.id, Some(owner.session.id)).await?;
            return Ok(done(visit, Section::Sessions, "all-ended"));
        }
        let all = sessions::of_user(&visit.ctx, owner.user.id).await?;
        let named = all.iter().find(|session| fields.get("session") == Some(session.id.to_string().as_str()));
        if let Some(session) = named {
            logout::sign_out(&visit.ctx, session).await?;
        }
        // One that has ended meanwhile is as it should be.
        Ok(done(visit, Section::Sessions, "ended"))
    })
    .await
}

/// What a browser is and runs on, as far as what it calls itself gives it away: the first of each list
/// that it names, since most name several.
pub(super) fn browser(t: &SessionTexts, user_agent: Option<&str>) -> String {
    const BROWSERS: [(&str, &str); 7] = [
        ("Edg", "Edge"),
        ("OPR/", "Opera"),
        ("Firefox/", "Firefox"),
        ("FxiOS/", "Firefox"),
        ("CriOS/", "Chrome"),
        ("Chrome/", "Chrome"),
        ("Safari/", "Safari"),
    ];
    const SYSTEMS: [(&str, &str); 7] = [
        ("Android", "Android"),
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Windows", "Windows"),
        ("CrOS", "ChromeOS"),
        ("Mac OS X", "macOS"),
        ("Linux", "Linux"),
    ];
    let agent = user_agent.unwrap_or_default();
    let first =
        |list: &[(&str, &'static str)]| list.iter().find(|(mark, _)| agent.contains(mark)).map(|(_, name)| *name);
    match (first(&BROWSERS), first(&SYSTEMS)) {
        (Some(browser), Some(system)) => (t.on)(browser, system),
        (Some(known), None) | (None, Some(known)) => known.to_owned(),
        (None, None) => t.unknown.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::locale::Locale;

    #[test]
    fn browsers_are_called_what_people_call_them() {
        let t = &Locale::En.texts().sessions;
        for (agent, name) in [
            ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox on Linux"),
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0 Safari/537.36 Edg/142.0",
                "Edge on Windows",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/19.0 Mobile/15E148 Safari/604.1",
                "Safari on iPhone",
            ),
            ("curl/8.0", "Unknown browser"),
        ] {
            assert_eq!(browser(t, Some(agent)), name);
        }
        assert_eq!(browser(t, None), "Unknown browser");
    }
}

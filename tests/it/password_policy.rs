//! What a password may be on the pages: long enough, not known to everybody, not easy to guess, and
//! nothing about which letters it is made of.

use gatehouse::domain::password_policy::{Owner, Weakness, check, min_length};
use gatehouse::domain::users::NewPassword;
use gatehouse::domain::{Ctx, DomainError};

use crate::support::{Setup, TestApp, both_engines, make_user};

both_engines!(a_tenant_may_ask_for_more, an_installation_sets_how_hard_to_guess, contracts_ask_for_a_length_alone);

const OWNER: Owner<'_> = Owner { email: Some("alice@example.org"), username: None, name: None };

async fn weakness(app: &TestApp, ctx: &Ctx<'_>, password: &str) -> Option<Weakness> {
    match check(&app.core, &ctx.tenant, OWNER, password).await {
        Ok(()) => None,
        Err(DomainError::Invalid(why)) => why.weakness,
        Err(why) => panic!("{why}"),
    }
}

async fn a_tenant_may_ask_for_more(app: TestApp) {
    let (more, less) = (app.tenant("More").await, app.tenant("Less").await);
    let sql = app.sql().await;
    for (name, min) in [("More", 14), ("Less", 6)] {
        let settings = format!("{{\"password_min_length\":{min}}}");
        sql.run(&format!("UPDATE tenants SET settings = '{settings}' WHERE name = '{name}'")).await;
    }
    let app = app.restart().await;
    let (default, more, less) = (app.ctx().await, app.ctx_of(&more).await, app.ctx_of(&less).await);
    assert_eq!(weakness(&app, &default, "tZ8!kf0qP").await, None);
    assert_eq!(weakness(&app, &more, "tZ8!kf0qP").await, Some(Weakness::TooShort(14)));
    assert_eq!(weakness(&app, &less, "tZ8!kf0").await, Some(Weakness::TooShort(8)), "never less than the installation");
    assert_eq!(min_length(&app.core, &more.tenant), 14);
    assert_eq!(weakness(&app, &more, "一二三天地玄黄宇宙洪荒日月盈").await, None, "characters count, not bytes");
}

async fn an_installation_sets_how_hard_to_guess(setup: Setup) {
    for (score, password, expected) in [
        (0, "alice2024x", None),
        (4, "correct horse", Some(Weakness::Guessable)),
        (4, "correct horse battery staple", None),
        (0, "password", Some(Weakness::Common)),
    ] {
        let app = setup.start_with(|config| config.passwords.min_score = score).await;
        assert_eq!(weakness(&app, &app.ctx().await, password).await, expected, "{password} at {score}");
        app.stop().await;
    }
}

/// What others have written down stays: their accounts are theirs.
async fn contracts_ask_for_a_length_alone(app: TestApp) {
    let tenant = app.tenant("Acme").await;
    app.tenant_user(&tenant, "alice@example.org", "123456").await;
    make_user(&app.ctx().await, "alice@example.org", NewPassword::Plain("password", 8), &[]).await;
}

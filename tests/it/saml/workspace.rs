//! In which workspace somebody acts who came by its provider, and in which browser they came.

use std::time::Duration;

use gatehouse::domain::memberships::{self, Keeper};
use gatehouse::domain::organizations::{self, NewOrganization, OrganizationChange};
use gatehouse::model::ids::UserId;
use gatehouse::model::organization::MembershipRole;
use serde_json::json;

use crate::support::saml::{Landed, Sso};
use crate::support::{Setup, TestApp, both_engines, claims_of, within};

both_engines!(tokens_name_the_workspace_of_the_provider, a_sign_in_ends_in_the_browser_in_which_it_began);

async fn tokens_name_the_workspace_of_the_provider(app: TestApp) {
    let sso = Sso::new(&app).await;
    let alice: UserId = claims_of(sso.sign_in().await.value("access_token"))["sub"].as_str().unwrap().parse().unwrap();
    let ctx = app.ctx().await;
    let new = NewOrganization { name: "Another", ..Default::default() };
    let another = organizations::create(&ctx, &new).await.unwrap().id;
    memberships::add(&ctx, Keeper::Administrator, another, alice, MembershipRole::Owner).await.unwrap();

    let landed = sso.sign_in().await;
    let own = sso.workspace.uuid().to_string();
    assert_eq!(claims_of(landed.value("access_token"))["organization_id"], own);
    let refresh = json!({ "refresh_token": landed.value("refresh_token") });
    let tokens = app.post("", "/api/auth/refresh", &refresh).await.body(200);
    let access = tokens["access_token"].as_str().unwrap();
    assert_eq!(claims_of(access)["organization_id"], own, "and stays there");
    let shown = async || app.get_as(access, "/api/external/workspace").await;
    assert_eq!(shown().await.body(200)["id"], own);
    let service = app.service("internal:admin").await;
    let introspected = async || {
        let form = [("token", access)];
        app.basic("/oauth/introspect", &service.id, &service.secret, &form).await.body(200)["organization_id"].clone()
    };
    assert_eq!(introspected().await, own);

    // A workspace that is disabled is nobody's for as long.
    let enabled = |enabled| OrganizationChange { enabled: Some(enabled), ..Default::default() };
    organizations::update(&ctx, sso.workspace, &enabled(false)).await.unwrap();
    within(Duration::from_secs(1), "it is nobody's", async || introspected().await.is_null()).await;
    organizations::update(&ctx, sso.workspace, &enabled(true)).await.unwrap();
    assert_eq!(introspected().await, own);
    // Who leaves it is in the other one, by the tokens that they have and by new ones.
    memberships::remove(&ctx, Keeper::Administrator, sso.workspace, alice.uuid()).await.unwrap();
    let elsewhere = async || shown().await.json()["id"] == another.uuid().to_string();
    within(Duration::from_secs(1), "they have left", elsewhere).await;
    assert!(introspected().await.is_null());
    let refresh = json!({ "refresh_token": tokens["refresh_token"] });
    let tokens = app.post("", "/api/auth/refresh", &refresh).await.body(200);
    let claims = claims_of(tokens["access_token"].as_str().unwrap());
    assert_eq!(claims["organization_id"], another.uuid().to_string());
}

async fn a_sign_in_ends_in_the_browser_in_which_it_began(setup: Setup) {
    const COOKIE: &str = "__Secure-gatehouse-saml";
    let app = setup.start_with(|config| config.http.issuer = "https://id.example.org".parse().unwrap()).await;
    let sso = Sso::new(&app).await;
    let set_out = async |cookie: Option<&str>| {
        let mut request = app.request(reqwest::Method::GET, &sso.path("login"));
        if let Some(cookie) = cookie {
            request = request.header("cookie", format!("{COOKIE}={cookie}"));
        }
        app.send(request).await.expect(302)
    };
    let arrive = async |journey: &crate::support::saml::Journey, cookie: Option<&str>| {
        let document = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, sso.says(journey).response());
        let mut request = app.request(reqwest::Method::POST, &sso.path("acs"));
        if let Some(cookie) = cookie {
            request = request.header("cookie", format!("{COOKIE}={cookie}"));
        }
        app.send(request.form(&[("SAMLResponse", document.as_str()), ("RelayState", &journey.relay_state)])).await
    };
    let answer = set_out(None).await;
    let line = answer.header("set-cookie").unwrap().to_owned();
    for part in [COOKIE, "HttpOnly", "Secure", "SameSite=None", "Path=/api/sso/saml", "Max-Age=900"] {
        assert!(line.contains(part), "{part} in {line}");
    }
    let cookie = line.split_once('=').unwrap().1.split_once(';').unwrap().0;
    let journey = crate::support::saml::Journey::at(answer.header("location").unwrap());
    // Two windows of one browser don't get into each other's way.
    let second = set_out(Some(cookie)).await;
    assert!(second.header("set-cookie").unwrap().contains(cookie));
    let second = crate::support::saml::Journey::at(second.header("location").unwrap());

    let other = set_out(None).await.header("set-cookie").unwrap().to_owned();
    let other = other.split_once('=').unwrap().1.split_once(';').unwrap().0.to_owned();
    assert_ne!(other, cookie);
    for wrong in [None, Some("x"), Some(&*other)] {
        assert_eq!(arrive(&journey, wrong).await.status, 400, "{wrong:?}");
        assert!(sso.reasons().await.last().unwrap().contains("RelayState"));
    }
    Landed::of(&arrive(&journey, Some(cookie)).await);
    Landed::of(&arrive(&second, Some(cookie)).await);
    assert_eq!(arrive(&journey, Some(cookie)).await.status, 400, "once");
}

//! Clients hear of sign-outs: OpenID Connect Back-Channel Logout, Front-Channel Logout; conformance
//! M4, M6, M7 and A12.

use std::time::Duration;

use gatehouse::config::Config;
use gatehouse::domain::clients::NewClient;
use gatehouse::domain::{logout, sessions, upkeep, users};
use gatehouse::model::client_settings::{ClientSettings, SubjectType};
use gatehouse::model::session::Session;
use gatehouse::model::user::User;
use serde_json::json;

use crate::support::{
    Browser, Receiver, RelyingParty, Reply, Setup, TestApp, both_engines, claims_of, code_app, header_of,
};

both_engines!(
    oidcc_backchannel_rp_initiated_logout,
    who_does_not_answer_is_told_again_and_one_day_no_more,
    who_refuses_is_not_told_again,
    a_slow_client_holds_up_nobody,
    only_clients_of_the_session_are_told,
    every_end_of_a_session_is_told,
    what_a_session_gave_ends_with_it,
    a_pairwise_client_is_told_its_own_subject,
    oidcc_frontchannel_rp_initiated_logout,
);

const EMAIL: &str = "person@example.org";
/// What people of relying parties know.
const PASSWORD: &str = "a quiet harbour at dawn";

fn reaching_loopback(config: &mut Config) {
    config.outbound.allow_networks = vec!["127.0.0.0/8".parse().unwrap()];
    config.outbound.timeout = Duration::from_millis(500);
}

async fn start(setup: &Setup) -> (TestApp, Receiver, User) {
    let app = setup.start_with(reaching_loopback).await;
    let person = app.user(EMAIL, PASSWORD).await;
    (app, Receiver::start().await, person)
}

fn told_at(uri: String) -> NewClient {
    NewClient {
        settings: ClientSettings { backchannel_logout_uri: Some(uri), ..ClientSettings::default() },
        ..code_app()
    }
}

async fn told(app: &TestApp, uri: String) -> RelyingParty {
    RelyingParty::new(app, told_at(uri)).await
}

async fn session_of(app: &TestApp, person: &User) -> Session {
    let mut open = sessions::of_user(&app.ctx().await, person.id).await.unwrap();
    assert_eq!(open.len(), 1);
    open.remove(0)
}

async fn sign_out(app: &TestApp, person: &User) {
    logout::sign_out(&app.ctx().await, &session_of(app, person).await).await.unwrap();
}

/// Lets whatever would still be sent come: as long as the outbox takes to be looked at, twice.
async fn settled(app: &TestApp) {
    let sql = app.sql().await;
    let now = app.now().millis();
    crate::support::within(Duration::from_secs(20), "everything due was delivered", async || {
        sql.number(&format!("SELECT count(*) FROM logout_outbox WHERE next_at <= {now}")).await == 0
    })
    .await;
    sql.close().await;
}

/// Waits until an attempt has failed and the next one is due after so long.
async fn postponed(app: &TestApp, pause: u64) {
    let sql = app.sql().await;
    let next = (app.now() + Duration::from_secs(pause)).millis();
    crate::support::within(Duration::from_secs(20), "an attempt has failed", async || {
        sql.number(&format!("SELECT count(*) FROM logout_outbox WHERE next_at = {next}")).await == 1
    })
    .await;
    sql.close().await;
}

async fn oidcc_backchannel_rp_initiated_logout(setup: Setup) {
    let (app, receiver, person) = start(&setup).await;
    let rp = told(&app, receiver.shows("/back?from=op", "")).await;
    let metadata = app.get("/.well-known/openid-configuration").await.body(200);
    assert_eq!(metadata["backchannel_logout_supported"], true);
    assert_eq!(metadata["backchannel_logout_session_supported"], true);
    let tokens = rp.tokens(&Browser::new(&app), EMAIL, &[]).await;
    let id_token = claims_of(&tokens.str("id_token"));
    assert!(id_token["sid"].is_string(), "{id_token}");

    sign_out(&app, &person).await;
    let posted = receiver.wait_for("/back?from=op", 1).await.remove(0);
    assert_eq!(posted.method, "POST");
    assert!(posted.head.to_ascii_lowercase().contains("content-type: application/x-www-form-urlencoded"));
    let fields: Vec<String> =
        url::form_urlencoded::parse(posted.body.as_bytes()).map(|(name, _)| name.into()).collect();
    assert_eq!(fields, ["logout_token"]);
    let token = posted.field("logout_token").unwrap();
    let (header, claims) = (header_of(&token), claims_of(&token));
    assert_eq!((&header["typ"], &header["alg"]), (&json!("logout+jwt"), &json!("RS256")));
    let jwks = app.get("/.well-known/jwks.json").await.body(200);
    assert!(jwks["keys"].as_array().unwrap().iter().any(|key| key["kid"] == header["kid"]), "{header}");
    assert_eq!(claims["iss"], app.base);
    assert_eq!(claims["aud"], rp.client.id);
    assert_eq!((&claims["sub"], &claims["sid"]), (&id_token["sub"], &id_token["sid"]));
    assert_eq!(claims["iat"], app.now().seconds());
    assert_eq!(claims["exp"], app.now().seconds() + 120);
    assert!(claims["jti"].as_str().is_some_and(|jti| jti.len() >= 16));
    assert_eq!(claims["events"], json!({ "http://schemas.openid.net/event/backchannel-logout": {} }));
    assert_eq!(claims.get("nonce"), None);
    // It is no ID token and no access token.
    app.get_as(&token, "/oauth/userinfo").await.expect(401);

    // Once is enough.
    settled(&app).await;
    app.advance(Duration::from_secs(7200));
    settled(&app).await;
    assert_eq!(receiver.received("/back?from=op").len(), 1);
}

async fn who_does_not_answer_is_told_again_and_one_day_no_more(setup: Setup) {
    let (app, receiver, person) = start(&setup).await;
    let rp = told(&app, receiver.at("/back", Reply::Says(503, String::new()))).await;
    rp.tokens(&Browser::new(&app), EMAIL, &[]).await;
    sign_out(&app, &person).await;
    postponed(&app, 10).await;
    app.advance(Duration::from_secs(9));
    settled(&app).await;
    assert_eq!(receiver.received("/back").len(), 1, "not before the pause is over");
    app.advance(Duration::from_secs(1));
    receiver.wait_for("/back", 2).await;
    postponed(&app, 20).await;
    receiver.shows("/back", "");
    app.advance(Duration::from_secs(20));
    let tries = receiver.wait_for("/back", 3).await;
    settled(&app).await;
    let jti = |n: usize| claims_of(&tries[n].field("logout_token").unwrap())["jti"].clone();
    assert_ne!(jti(0), jti(1), "each is a token of its own");
    app.advance(Duration::from_secs(600));
    settled(&app).await;
    assert_eq!(receiver.received("/back").len(), 3);

    // After an hour in which nothing helped there is an end to it.
    receiver.at("/back", Reply::Hangs);
    rp.tokens(&Browser::new(&app), EMAIL, &[]).await;
    sign_out(&app, &person).await;
    receiver.wait_for("/back", 4).await;
    postponed(&app, 10).await;
    app.advance(Duration::from_secs(3599));
    receiver.wait_for("/back", 5).await;
    let sql = app.sql().await;
    crate::support::within(Duration::from_secs(20), "given up", async || {
        sql.number("SELECT count(*) FROM logout_outbox").await == 0
    })
    .await;
    sql.close().await;
}

async fn who_refuses_is_not_told_again(setup: Setup) {
    let (app, receiver, person) = start(&setup).await;
    let rp = told(&app, receiver.at("/back", Reply::Says(400, r#"{"error":"invalid_request"}"#.to_owned()))).await;
    rp.tokens(&Browser::new(&app), EMAIL, &[]).await;
    sign_out(&app, &person).await;
    receiver.wait_for("/back", 1).await;
    settled(&app).await;
    app.advance(Duration::from_secs(3000));
    settled(&app).await;
    assert_eq!(receiver.received("/back").len(), 1);
}

async fn a_slow_client_holds_up_nobody(setup: Setup) {
    let (app, receiver, person) = start(&setup).await;
    let slow = told(&app, receiver.at("/slow", Reply::Hangs)).await;
    let fast = told(&app, receiver.shows("/fast", "")).await;
    for n in 1..=3 {
        let browser = Browser::new(&app);
        slow.tokens(&browser, EMAIL, &[]).await;
        fast.tokens(&browser, EMAIL, &[]).await;
        sign_out(&app, &person).await;
        receiver.wait_for("/fast", n).await;
    }
    receiver.wait_for("/slow", 1).await;
    // What is due to the slow one waits with what it did not hear.
    settled(&app).await;
    assert!(receiver.received("/slow").len() <= 3);
}

async fn only_clients_of_the_session_are_told(setup: Setup) {
    let (app, receiver, person) = start(&setup).await;
    let (there, elsewhere) =
        (told(&app, receiver.shows("/there", "")).await, told(&app, receiver.shows("/elsewhere", "")).await);
    let quiet = RelyingParty::new(&app, code_app()).await;
    // The same address in another tenant, and the same person's other browser.
    let other = app.tenant("other").await;
    let theirs = RelyingParty::of(&app, &other, told_at(receiver.uri("/theirs"))).await;
    receiver.shows("/theirs", "");
    app.tenant_user(&other, EMAIL, PASSWORD).await;
    let browser = Browser::new(&app);
    there.tokens(&browser, EMAIL, &[]).await;
    quiet.tokens(&browser, EMAIL, &[]).await;
    let first = session_of(&app, &person).await;
    let _ = theirs.sign_in_with(&Browser::new(&app), EMAIL, &[]).await;
    elsewhere.tokens(&Browser::new(&app), EMAIL, &[]).await;

    logout::sign_out(&app.ctx().await, &first).await.unwrap();
    receiver.wait_for("/there", 1).await;
    settled(&app).await;
    assert!(receiver.received("/elsewhere").is_empty() && receiver.received("/theirs").is_empty());
    // Nor is it told twice by who signs out twice.
    logout::sign_out(&app.ctx().await, &first).await.unwrap();
    settled(&app).await;
    assert_eq!(receiver.received("/there").len(), 1);
    // The other browser is still signed in.
    assert_eq!(sessions::of_user(&app.ctx().await, person.id).await.unwrap().len(), 1);
}

async fn every_end_of_a_session_is_told(setup: Setup) {
    let (app, receiver, person) = start(&setup).await;
    let rp = told(&app, receiver.shows("/back", "")).await;
    let mut count = 0;
    let mut next = async |what: &str| {
        count += 1;
        let posted = receiver.wait_for("/back", count).await;
        settled(&app).await;
        assert_eq!(posted.len(), count, "{what}");
    };
    // Time.
    rp.tokens(&Browser::new(&app), EMAIL, &[]).await;
    app.advance(app.config.sessions.idle + Duration::from_secs(1));
    upkeep::clean(&app.core).await.unwrap();
    next("its time was up").await;
    // The person, everywhere but here.
    let here = Browser::new(&app);
    rp.tokens(&here, EMAIL, &[]).await;
    let kept = session_of(&app, &person).await;
    rp.tokens(&Browser::new(&app), EMAIL, &[]).await;
    logout::sign_out_everywhere(&app.ctx().await, person.id, Some(kept.id)).await.unwrap();
    next("signed out everywhere else").await;
    assert_eq!(session_of(&app, &person).await.id, kept.id);
    // A new password.
    users::set_password(&app.ctx().await, person.id, PASSWORD, 6).await.unwrap();
    next("a new password").await;
    // The operator.
    rp.tokens(&Browser::new(&app), EMAIL, &[]).await;
    users::set_enabled(&app.ctx().await, person.id, false).await.unwrap();
    next("switched off").await;
    assert!(sessions::of_user(&app.ctx().await, person.id).await.unwrap().is_empty());
}

async fn what_a_session_gave_ends_with_it(setup: Setup) {
    let (app, _, person) = start(&setup).await;
    let rp = RelyingParty::new(&app, code_app()).await;
    let browser = Browser::new(&app);
    let with_session = rp.tokens(&browser, EMAIL, &[]).await;
    let offline = rp.tokens(&browser, EMAIL, &[("scope", "openid offline_access"), ("prompt", "consent")]).await;
    rp.userinfo(&with_session.str("access_token")).await.expect(200);
    sign_out(&app, &person).await;
    rp.userinfo(&with_session.str("access_token")).await.expect(401);
    rp.userinfo(&offline.str("access_token")).await.expect(200);
    let refresh = offline.str("refresh_token");
    rp.token(&[("grant_type", "refresh_token"), ("refresh_token", &refresh)]).await.expect(200);
    // M4: the session is gone.
    let again = browser.open(&rp.request(&[("prompt", "none")])).await;
    assert!(again.left_for.unwrap().contains("error=login_required"));
}

async fn a_pairwise_client_is_told_its_own_subject(setup: Setup) {
    let (app, receiver, person) = start(&setup).await;
    let mut new = told_at(receiver.shows("/back", ""));
    new.settings.subject_type = SubjectType::Pairwise;
    let rp = RelyingParty::new(&app, new).await;
    let id_token = claims_of(&rp.tokens(&Browser::new(&app), EMAIL, &[]).await.str("id_token"));
    assert_ne!(id_token["sub"], person.id.to_string());
    sign_out(&app, &person).await;
    let posted = receiver.wait_for("/back", 1).await.remove(0);
    assert_eq!(claims_of(&posted.field("logout_token").unwrap())["sub"], id_token["sub"]);
}

async fn oidcc_frontchannel_rp_initiated_logout(setup: Setup) {
    let (app, _, person) = start(&setup).await;
    let settings = |uri: &str, session: bool| ClientSettings {
        frontchannel_logout_uri: Some(uri.to_owned()),
        frontchannel_logout_session_required: session,
        ..ClientSettings::default()
    };
    let browser = Browser::new(&app);
    for settings in [settings("https://rp.example/front?a=b", true), settings("https://rp.example/plain", false)] {
        let rp = RelyingParty::new(&app, NewClient { settings, ..code_app() }).await;
        rp.tokens(&browser, EMAIL, &[]).await;
    }
    let session = session_of(&app, &person).await;
    let mut uris = logout::front_channel(&app.ctx().await, &session).await.unwrap();
    uris.sort_unstable();
    let issuer: String = url::form_urlencoded::byte_serialize(app.base.as_bytes()).collect();
    let framed = format!("https://rp.example/front?a=b&iss={issuer}&sid={}", session.id.sid());
    assert_eq!(uris, [framed.as_str(), "https://rp.example/plain"]);
}

//! What a sign-in may do once, asked for a hundred times at once: over two copies on one PostgreSQL,
//! and over the one process that serves an SQLite file.

use std::collections::BTreeMap;
use std::future::Future;
use std::time::Duration;

use futures_util::future::join_all;
use gatehouse::domain::clients::NewClient;
use gatehouse::domain::{consents, users};
use gatehouse::model::client::{AuthMethod, GrantType};
use reqwest::Method;

use crate::support::{Answer, Browser, Callback, RelyingParty, TestApp, VERIFIER, both_engines, code_app, within};

both_engines!(
    a_code_is_redeemed_once_and_its_replays_end_what_came_of_it,
    a_sign_in_is_answered_once,
    a_pushed_request_is_answered_once,
    a_device_is_decided_once,
    a_device_code_is_redeemed_once,
    a_sign_out_leaves_no_token_behind,
    a_consent_that_is_taken_back_leaves_no_token_behind,
);

/// How many at once.
const MANY: usize = 100;
const ALICE: &str = "alice@example.org";
const PASSWORD: &str = "a quiet harbour at dawn";

/// Does the same thing many times at once, at both copies in turn.
async fn at_once<T, F: Future<Output = T>>(copies: &[TestApp; 2], act: impl Fn(TestApp, usize) -> F) -> Vec<T> {
    join_all((0..MANY).map(|n| act(copies[n % 2].clone(), n))).await
}

/// How often each status was answered.
fn statuses(answers: &[Answer]) -> BTreeMap<u16, usize> {
    let mut found = BTreeMap::new();
    for answer in answers {
        *found.entry(answer.status).or_default() += 1;
    }
    found
}

/// The one answer that has this status, where all others have the other one.
#[track_caller]
fn only(answers: Vec<Answer>, won: u16, lost: u16) -> Answer {
    let expected = BTreeMap::from([(won, 1), (lost, MANY - 1)]);
    assert_eq!(statuses(&answers), expected, "{:?}", answers.iter().find(|answer| answer.status != lost));
    answers.into_iter().find(|answer| answer.status == won).unwrap()
}

/// An app, and a browser in which Alice has signed in to it.
async fn signed_in(app: &TestApp) -> (RelyingParty, Browser) {
    app.user(ALICE, PASSWORD).await;
    let rp = RelyingParty::new(app, code_app()).await;
    let browser = Browser::new(app);
    rp.sign_in_with(&browser, ALICE, &[]).await;
    (rp, browser)
}

async fn redeem(app: TestApp, rp: &RelyingParty, code: &str) -> Answer {
    RelyingParty { app, ..rp.clone() }.redeem(code, &[("code_verifier", VERIFIER)]).await
}

async fn a_code_is_redeemed_once_and_its_replays_end_what_came_of_it(app: TestApp) {
    let (rp, browser) = signed_in(&app).await;
    let copies = app.copies().await;
    for _ in 0..3 {
        let code = browser.open(&rp.request(&[])).await.answer().code().to_owned();
        let answers = at_once(&copies, async |app, _| redeem(app, &rp, &code).await).await;
        let tokens = only(answers, 200, 400);
        // Ninety-nine replays came: a theft, as far as anybody can tell (RFC 6749 §4.1.2).
        for app in &copies {
            within(Duration::from_millis(1200), "the end of the access token", async || {
                app.get_as(&tokens.str("access_token"), "/oauth/userinfo").await.status == 401
            })
            .await;
        }
        let fields = [("grant_type", "refresh_token"), ("refresh_token", &tokens.str("refresh_token"))];
        rp.token(&fields).await.is_oauth_error(400, "invalid_grant");
    }
}

/// Where a browser is sent that goes to an address, at each copy.
async fn go(app: &TestApp, browser: &Browser, address: &str) -> Answer {
    browser.at(app).send(Method::GET, address, None).await
}

async fn a_sign_in_is_answered_once(app: TestApp) {
    let (rp, browser) = signed_in(&app).await;
    let page = browser.open(&rp.request(&[("prompt", "consent")])).await.expect(200, "/consent");
    let t = page.hidden("t").unwrap();
    let form = page.form("/consent");
    let fields = [form.hidden, vec![("action".to_owned(), "allow".to_owned())]].concat();
    let copies = app.copies().await;
    let allowed =
        at_once(&copies, async |app, _| browser.at(&app).send(Method::POST, "/consent", Some(&fields)).await).await;
    assert_eq!(statuses(&allowed), BTreeMap::from([(303, MANY)]), "a yes is a yes, however often it is said");
    let address = format!("/oauth/authorize?t={t}");
    let answers = at_once(&copies, async |app, _| go(&app, &browser, &address).await).await;
    let answer = only(answers, 303, 400);
    assert!(answer.header("location").unwrap().contains("code="), "{answer:?}");
    let sql = copies[0].sql().await;
    assert_eq!(sql.number("SELECT count(*) FROM consents").await, 1);
}

async fn a_pushed_request_is_answered_once(app: TestApp) {
    let (rp, browser) = signed_in(&app).await;
    let request = rp.request(&[]);
    let (_, query) = request.split_once('?').unwrap();
    let fields: Vec<(String, String)> = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let pushed = app.basic("/oauth/par", &rp.client.id, &rp.client.secret, &fields).await.expect(201);
    let address = format!("/oauth/authorize?client_id={}&request_uri={}", rp.client.id, pushed.str("request_uri"));
    let copies = app.copies().await;
    let answers = at_once(&copies, async |app, _| go(&app, &browser, &address).await).await;
    // The others hear that it was used, or the person does.
    let sent = answers.iter().filter_map(|answer| answer.header("location")).map(Callback::parse);
    let codes: Vec<Callback> = sent.filter(|callback| callback.get("code").is_some()).collect();
    assert_eq!(codes.len(), 1, "{:?}", statuses(&answers));
    assert!(answers.iter().all(|answer| [303, 400].contains(&answer.status)), "{:?}", statuses(&answers));
    redeem(copies[0].clone(), &rp, codes[0].code()).await.expect(200);
}

/// A television, its code, and the form on which its owner is asked.
async fn television(app: &TestApp) -> (String, String, Browser, Vec<(String, String)>) {
    let new = NewClient {
        auth_method: AuthMethod::None,
        grant_types: vec![GrantType::DeviceCode],
        redirect_uris: Vec::new(),
        ..code_app()
    };
    let (client, (_, browser)) = (app.client(new).await, signed_in(app).await);
    let begun = app.form("/oauth/device_authorization", &[("client_id", &client.id)]).await.expect(200);
    let page = browser.open("/device").await.expect(200, "/device");
    let page = browser.submit(&page, "/device", &[("user_code", &begun.str("user_code"))]).await.expect(200, "/device");
    (client.id, begun.str("device_code"), browser, page.form("/device").hidden)
}

async fn say(app: &TestApp, browser: &Browser, fields: &[(String, String)], action: &str) -> Answer {
    let fields = [fields, &[("action".to_owned(), action.to_owned())]].concat();
    browser.at(app).send(Method::POST, "/device", Some(&fields)).await
}

async fn a_device_is_decided_once(app: TestApp) {
    let (_, _, browser, fields) = television(&app).await;
    let copies = app.copies().await;
    let answers =
        at_once(&copies, async |app, n| say(&app, &browser, &fields, if n % 3 == 0 { "deny" } else { "allow" }).await)
            .await;
    only(answers, 200, 422);
}

async fn a_device_code_is_redeemed_once(app: TestApp) {
    let (id, code, browser, fields) = television(&app).await;
    say(&app, &browser, &fields, "allow").await.expect(200);
    let copies = app.copies().await;
    let answers = at_once(&copies, async |app, _| {
        let grant = "urn:ietf:params:oauth:grant-type:device_code";
        app.form("/oauth/token", &[("grant_type", grant), ("client_id", &id), ("device_code", &code)]).await
    })
    .await;
    let tokens = only(answers, 200, 400);
    assert!(copies[1].is_active(&tokens.str("access_token")).await);
}

/// Whatever is redeemed while something is ended has ended afterwards.
async fn leaves_no_token_behind(app: TestApp, rp: RelyingParty, browser: &Browser, end: impl AsyncFnOnce(&TestApp)) {
    let mut codes = Vec::new();
    for _ in 0..20 {
        codes.push(browser.open(&rp.request(&[])).await.answer().code().to_owned());
    }
    let copies = app.copies().await;
    let redeemed = join_all(codes.iter().enumerate().map(|(n, code)| redeem(copies[n % 2].clone(), &rp, code)));
    let (answers, ()) = tokio::join!(redeemed, end(&copies[1]));
    for answer in answers.iter().filter(|answer| answer.status == 200) {
        let token = answer.str("access_token");
        for app in &copies {
            within(Duration::from_millis(1200), "the end of every token", async || {
                app.get_as(&token, "/oauth/userinfo").await.status != 200
            })
            .await;
        }
        let fields = [("grant_type", "refresh_token"), ("refresh_token", &answer.str("refresh_token"))];
        rp.token(&fields).await.is_oauth_error(400, "invalid_grant");
    }
}

async fn a_sign_out_leaves_no_token_behind(app: TestApp) {
    let (rp, browser) = signed_in(&app).await;
    let page = browser.open("/logout").await.expect(200, "/logout");
    let submit = async |_: &TestApp| {
        browser.submit(&page, "/logout", &[("action", "sign-out")]).await;
    };
    leaves_no_token_behind(app, rp, &browser, submit).await;
}

async fn a_consent_that_is_taken_back_leaves_no_token_behind(app: TestApp) {
    let (rp, browser) = signed_in(&app).await;
    let (user, client) = {
        let ctx = app.ctx().await;
        let user = users::find_by_identifier(&ctx, ALICE).await.unwrap();
        (user.id, rp.client.id.parse().unwrap())
    };
    let withdraw = async |app: &TestApp| consents::withdraw(&app.ctx().await, user, &client).await.unwrap();
    leaves_no_token_behind(app, rp, &browser, withdraw).await;
}

//! Second factors: what counts once, what counts for whom, and what follows when they change.

use std::time::Duration;

use gatehouse::domain::factors::{self, passkeys, recovery_codes, totp};
use gatehouse::domain::{Ctx, DomainError, known_browsers, upkeep, users};
use gatehouse::model::ids::UserId;
use gatehouse::model::user::User;
use serde_json::{Value, json};

use crate::support::{Device, Setup, TestApp, both_engines, by_name, make_user, totp_code};

both_engines!(
    an_app_is_set_up_and_each_code_counts_once,
    a_code_counts_one_step_to_either_side,
    an_app_that_waits_too_long_is_begun_anew,
    wrong_codes_lock_the_second_factor_alone,
    each_recovery_code_counts_once_and_for_its_owner,
    the_last_factor_takes_the_recovery_codes_with_it,
    a_browser_is_trusted_for_a_while,
    trust_ends_when_credentials_change,
    a_new_browser_is_noticed,
    a_passkey_is_added_and_signs_in,
    an_answer_counts_once_in_time_here_and_for_whom_was_asked,
    a_passkey_must_have_recognised_its_owner,
    a_passkey_that_was_copied_is_noticed,
    who_may_not_sign_in_may_not_by_passkey,
    a_passkey_is_renamed_and_removed_by_its_owner,
    passkeys_need_a_host_name,
    nothing_that_signs_in_lies_in_the_clear,
    what_is_over_is_swept,
);

const STEP: Duration = Duration::from_secs(30);
const BROWSER: [u8; 32] = [1; 32];
const ELSEWHERE: [u8; 32] = [2; 32];

/// Sets an app up for a person; its secret and the recovery codes.
pub async fn with_app(app: &TestApp, user: &User) -> (String, Vec<String>) {
    let ctx = app.ctx().await;
    let secret = totp::begin(&ctx, user).await.unwrap().secret.expose().clone();
    let enrolled = totp::confirm(&ctx, user.id, &totp_code(&secret, app.now())).await.unwrap().expect("the right code");
    app.advance(STEP);
    let codes = enrolled.recovery_codes.unwrap_or_default();
    (secret, codes.iter().map(|code| code.expose().clone()).collect())
}

/// Adds a passkey to an account.
pub async fn with_passkey(ctx: &Ctx<'_>, user: &User) -> (Device, factors::Enrolled) {
    let mut device = Device::new(ctx.core.config.http.issuer.as_str(), user.id);
    let question = passkeys::begin_registration(ctx, user, BROWSER).await.unwrap();
    let answer = device.create(&question);
    let enrolled = passkeys::finish_registration(ctx, user.id, BROWSER, "My phone", answer).await.unwrap();
    (device, enrolled)
}

async fn has_second_factor(ctx: &Ctx<'_>, user: &User) -> bool {
    let found = users::find(ctx, user.id).await.unwrap().has_second_factor;
    let all = factors::of(ctx, user.id).await.unwrap();
    assert_eq!(found, all.totp || !all.passkeys.is_empty());
    found
}

async fn sign_in(ctx: &Ctx<'_>, device: &mut Device, user: Option<UserId>) -> Result<UserId, DomainError> {
    let question = passkeys::begin_authentication(ctx, BROWSER, user).await?;
    let proof = passkeys::finish_authentication(ctx, BROWSER, user, device.get(&question)).await?;
    assert!(proof.user_verified);
    Ok(proof.user)
}

#[track_caller]
fn refused<T>(outcome: Result<T, DomainError>, cause: &str) {
    match outcome {
        Err(DomainError::NotAuthenticated(why)) => assert_eq!(why, cause),
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("let in, instead of: {cause}"),
    }
}

#[track_caller]
fn invalid<T>(outcome: Result<T, DomainError>, field: &str) {
    match outcome {
        Err(DomainError::Invalid(why)) => assert_eq!(why.field, field),
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("taken"),
    }
}

async fn an_app_is_set_up_and_each_code_counts_once(app: TestApp) {
    let user = app.user("alice@example.org", "open sesame").await;
    let ctx = app.ctx().await;
    assert!(totp::pending(&ctx, &user).await.unwrap().is_none());
    let begun = totp::begin(&ctx, &user).await.unwrap();
    assert!(begun.uri.expose().starts_with("otpauth://totp/"), "{}", begun.uri.expose());
    assert!(begun.uri.expose().contains("alice%40example.org"), "{}", begun.uri.expose());
    assert_eq!(begun.secret.expose().len(), 32, "160 bits");
    let again = totp::pending(&ctx, &user).await.unwrap().expect("it waits");
    assert_eq!(again.secret.expose(), begun.secret.expose());
    assert!(!has_second_factor(&ctx, &user).await, "not before the first code");

    let newer = totp::begin(&ctx, &user).await.unwrap();
    let (old, secret) = (begun.secret.expose(), newer.secret.expose());
    assert_ne!(old, secret);
    assert!(totp::confirm(&ctx, user.id, &totp_code(old, app.now())).await.unwrap().is_none(), "it was replaced");
    assert!(!totp::check(&ctx, user.id, &totp_code(secret, app.now())).await.unwrap(), "it was not confirmed");
    let code = totp_code(secret, app.now());
    let enrolled = totp::confirm(&ctx, user.id, &code).await.unwrap().expect("the right code");
    assert_eq!(enrolled.recovery_codes.map(|codes| codes.len()), Some(10));
    assert!(has_second_factor(&ctx, &user).await);
    assert!(totp::pending(&ctx, &user).await.unwrap().is_none());
    assert!(totp::confirm(&ctx, user.id, &code).await.unwrap().is_none(), "once");
    invalid(totp::begin(&ctx, &user).await, "totp");

    assert!(!totp::check(&ctx, user.id, &code).await.unwrap(), "it was used to confirm");
    app.advance(STEP);
    let code = totp_code(secret, app.now());
    let typed = format!(" {} {} ", &code[..3], &code[3..]);
    assert!(totp::check(&ctx, user.id, &typed).await.unwrap());
    assert!(!totp::check(&ctx, user.id, &code).await.unwrap(), "used");

    totp::remove(&ctx, user.id).await.unwrap();
    assert!(!has_second_factor(&ctx, &user).await);
    app.advance(STEP);
    assert!(!totp::check(&ctx, user.id, &totp_code(secret, app.now())).await.unwrap());
    let actions = "SELECT action FROM audit_log WHERE action LIKE 'factor.%' ORDER BY id";
    assert_eq!(app.sql().await.texts(actions).await, ["factor.totp.enrol", "factor.totp.remove"]);
    let failures = "SELECT detail FROM audit_log WHERE action = 'user.second_factor' ORDER BY id";
    let (wrong, used) = ("wrong code of the app", "code of the app was used before");
    assert_eq!(app.sql().await.texts(failures).await, [wrong, used, used, wrong]);
}

async fn a_code_counts_one_step_to_either_side(app: TestApp) {
    let user = app.user("alice@example.org", "open sesame").await;
    let (secret, _) = with_app(&app, &user).await;
    app.advance(STEP * 4);
    let ctx = app.ctx().await;
    let check = async |code: &str| totp::check(&ctx, user.id, code).await.unwrap();
    let now = app.now();
    assert!(!check(&totp_code(&secret, now - STEP * 2)).await, "two steps late");
    assert!(!check(&totp_code(&secret, now + STEP * 2)).await, "two steps early");
    assert!(check(&totp_code(&secret, now - STEP)).await, "one step late");
    assert!(check(&totp_code(&secret, now + STEP)).await, "one step early");
    assert!(!check(&totp_code(&secret, now)).await, "earlier than one that counted");
}

async fn an_app_that_waits_too_long_is_begun_anew(app: TestApp) {
    let user = app.user("alice@example.org", "open sesame").await;
    let ctx = app.ctx().await;
    let begun = totp::begin(&ctx, &user).await.unwrap();
    app.advance(Duration::from_secs(15 * 60));
    assert!(totp::pending(&ctx, &user).await.unwrap().is_none());
    let code = totp_code(begun.secret.expose(), app.now());
    assert!(totp::confirm(&ctx, user.id, &code).await.unwrap().is_none());
    with_app(&app, &user).await;
}

async fn wrong_codes_lock_the_second_factor_alone(app: TestApp) {
    let user = app.user("alice@example.org", "open sesame").await;
    let (secret, codes) = with_app(&app, &user).await;
    let ctx = app.ctx().await;
    let people = app.password_app("openid").await;
    let failures = app.config.lockout.failures;
    for n in 0..failures {
        let wrong = if n % 2 == 0 {
            totp::check(&ctx, user.id, "000000").await
        } else {
            recovery_codes::check_and_use(&ctx, user.id, "0000-0000-0000-0000").await
        };
        assert!(!wrong.unwrap());
        // The password is right all the while, and gives no new guesses at the code.
        let error = app.sign_in(&people, "alice@example.org", "open sesame").await.json();
        assert_eq!(error["error"], "invalid_grant");
    }
    assert!(!totp::check(&ctx, user.id, &totp_code(&secret, app.now())).await.unwrap(), "locked");
    assert!(!recovery_codes::check_and_use(&ctx, user.id, &codes[0]).await.unwrap(), "locked");
    assert_eq!(recovery_codes::left(&ctx, user.id).await.unwrap(), 10);
    users::unlock(&ctx, user.id).await.unwrap();
    assert!(totp::check(&ctx, user.id, &totp_code(&secret, app.now())).await.unwrap());

    for _ in 0..failures {
        assert!(!totp::check(&ctx, user.id, "000000").await.unwrap());
    }
    app.advance(app.config.lockout.duration + app.config.lockout.window + STEP);
    assert!(totp::check(&ctx, user.id, &totp_code(&secret, app.now())).await.unwrap(), "the lock is over");
}

async fn each_recovery_code_counts_once_and_for_its_owner(app: TestApp) {
    let (alice, bob) = (app.user("alice@example.org", "sesame").await, app.user("bob@example.org", "sesame").await);
    let (_, codes) = with_app(&app, &alice).await;
    with_app(&app, &bob).await;
    let ctx = app.ctx().await;
    let use_it = async |user: &User, code: &str| recovery_codes::check_and_use(&ctx, user.id, code).await.unwrap();
    assert!(!use_it(&bob, &codes[0]).await, "another's");
    let acme = app.tenant("Acme").await;
    let there = app.ctx_of(&acme).await;
    assert!(!recovery_codes::check_and_use(&there, alice.id, &codes[0]).await.unwrap(), "another tenant");
    assert!(use_it(&alice, &codes[0].to_uppercase().replace('-', " ")).await);
    assert!(!use_it(&alice, &codes[0]).await, "used");
    assert_eq!(recovery_codes::left(&ctx, alice.id).await.unwrap(), 9);

    let renewed = recovery_codes::replace(&ctx, alice.id).await.unwrap();
    assert_eq!(recovery_codes::left(&ctx, alice.id).await.unwrap(), 10);
    assert!(!use_it(&alice, &codes[1]).await, "replaced");
    assert!(use_it(&alice, renewed[9].expose()).await);
    assert!(has_second_factor(&ctx, &alice).await);
}

async fn the_last_factor_takes_the_recovery_codes_with_it(setup: Setup) {
    let app = setup.start_with(by_name).await;
    let user = app.user("alice@example.org", "open sesame").await;
    let ctx = app.ctx().await;
    invalid(recovery_codes::replace(&ctx, user.id).await, "recovery_codes");
    let (_, enrolled) = with_passkey(&ctx, &user).await;
    assert_eq!(enrolled.recovery_codes.map(|codes| codes.len()), Some(10), "the first factor");
    let (_, codes) = with_app(&app, &user).await;
    assert_eq!(codes, Vec::<String>::new(), "not the first");
    totp::remove(&ctx, user.id).await.unwrap();
    assert!(has_second_factor(&ctx, &user).await);
    assert_eq!(recovery_codes::left(&ctx, user.id).await.unwrap(), 10);
    let all = factors::of(&ctx, user.id).await.unwrap();
    passkeys::remove(&ctx, user.id, &all.passkeys[0].credential_id).await.unwrap();
    assert!(!has_second_factor(&ctx, &user).await);
    assert_eq!(recovery_codes::left(&ctx, user.id).await.unwrap(), 0);
}

/// A sign-in in a browser; whether the person should be told.
async fn seen(app: &TestApp, user: &User, browser: [u8; 32]) -> bool {
    let input = (user.tenant, user.id, browser, app.now());
    let work = app.core.db.write(input, |tx, (tenant, user, browser, now)| {
        Box::pin(async move {
            let of = tx.of(*tenant);
            known_browsers::seen(&of, *user, browser, Some("Mozilla/5.0"), Some("192.0.2.1"), *now).await
        })
    });
    work.await.unwrap()
}

async fn a_new_browser_is_noticed(app: TestApp) {
    let (alice, bob) = (app.user("alice@example.org", "sesame").await, app.user("bob@example.org", "sesame").await);
    let ctx = app.ctx().await;
    assert!(!known_browsers::is_known(&ctx, alice.id, &BROWSER).await.unwrap());
    assert!(!seen(&app, &alice, BROWSER).await, "the first of all");
    assert!(!seen(&app, &alice, BROWSER).await, "the same");
    assert!(seen(&app, &alice, ELSEWHERE).await, "another");
    assert!(!seen(&app, &alice, ELSEWHERE).await, "no longer new");
    assert!(!seen(&app, &bob, ELSEWHERE).await, "the first of another person");
    users::set_password(&ctx, alice.id, "another one", 6).await.unwrap();
    assert!(known_browsers::is_known(&ctx, alice.id, &BROWSER).await.unwrap());
    assert!(seen(&app, &alice, [3; 32]).await, "a changed password makes nobody forget");
}

async fn a_browser_is_trusted_for_a_while(app: TestApp) {
    let (alice, bob) = (app.user("alice@example.org", "sesame").await, app.user("bob@example.org", "sesame").await);
    let ctx = app.ctx().await;
    known_browsers::trust(&ctx, alice.id, &BROWSER).await.unwrap();
    let trusted = async |user: &User, browser| known_browsers::is_trusted(&ctx, user.id, browser).await.unwrap();
    assert!(!trusted(&alice, &BROWSER).await, "nobody has signed in there");
    seen(&app, &alice, BROWSER).await;
    seen(&app, &bob, BROWSER).await;
    assert!(!trusted(&alice, &BROWSER).await, "signing in is not trusting");
    known_browsers::trust(&ctx, alice.id, &BROWSER).await.unwrap();
    assert!(trusted(&alice, &BROWSER).await);
    assert!(!trusted(&alice, &ELSEWHERE).await);
    assert!(!trusted(&bob, &BROWSER).await);
    let acme = app.tenant("Acme").await;
    assert!(!known_browsers::is_trusted(&app.ctx_of(&acme).await, alice.id, &BROWSER).await.unwrap());
    app.advance(Duration::from_secs(30 * 86_400) - STEP);
    assert!(trusted(&alice, &BROWSER).await);
    app.advance(STEP);
    assert!(!trusted(&alice, &BROWSER).await, "thirty days");
}

async fn trust_ends_when_credentials_change(setup: Setup) {
    let app = setup.start_with(by_name).await;
    let user = app.user("alice@example.org", "open sesame").await;
    seen(&app, &user, BROWSER).await;
    let ctx = app.ctx().await;
    let trusted = async || known_browsers::is_trusted(&ctx, user.id, &BROWSER).await.unwrap();
    for change in 0..6 {
        known_browsers::trust(&ctx, user.id, &BROWSER).await.unwrap();
        assert!(trusted().await);
        match change {
            0 => drop(with_passkey(&ctx, &user).await),
            1 => drop(with_app(&app, &user).await),
            2 => drop(recovery_codes::replace(&ctx, user.id).await.unwrap()),
            3 => totp::remove(&ctx, user.id).await.unwrap(),
            4 => {
                let all = factors::of(&ctx, user.id).await.unwrap();
                passkeys::remove(&ctx, user.id, &all.passkeys[0].credential_id).await.unwrap();
            }
            _ => users::set_password(&ctx, user.id, "another one", 6).await.unwrap(),
        }
        assert!(!trusted().await, "change {change}");
    }
}

async fn a_passkey_is_added_and_signs_in(setup: Setup) {
    let app = setup.start_with(by_name).await;
    let user = app.user("alice@example.org", "open sesame").await;
    let ctx = app.ctx().await;
    let question = passkeys::begin_registration(&ctx, &user, BROWSER).await.unwrap();
    let options = &question["publicKey"];
    assert_eq!((&options["rp"]["id"], &options["rp"]["name"]), (&json!("localhost"), &json!("gatehouse")));
    let wanted = json!({ "residentKey": "required", "requireResidentKey": true, "userVerification": "required" });
    for (name, value) in wanted.as_object().unwrap() {
        assert_eq!(&options["authenticatorSelection"][name], value, "{name}");
    }
    assert_eq!(options["attestation"], "none");
    assert_eq!(options["user"]["name"], "alice@example.org");

    let (mut device, _) = with_passkey(&ctx, &user).await;
    let found = &factors::of(&ctx, user.id).await.unwrap().passkeys[0];
    assert_eq!((found.name.as_str(), found.last_used_at), ("My phone", None));
    assert!(has_second_factor(&ctx, &user).await);
    let question = passkeys::begin_registration(&ctx, &user, BROWSER).await.unwrap();
    assert_eq!(question["publicKey"]["excludeCredentials"].as_array().map(Vec::len), Some(1));

    for asked in [None, Some(user.id)] {
        app.advance(STEP);
        let question = passkeys::begin_authentication(&ctx, BROWSER, asked).await.unwrap();
        assert_eq!(question["publicKey"]["userVerification"], "required");
        assert_eq!(question["publicKey"]["rpId"], "localhost");
        let named = question["publicKey"]["allowCredentials"].as_array().map_or(0, Vec::len);
        assert_eq!(named, usize::from(asked.is_some()));
        assert_eq!(sign_in(&ctx, &mut device, asked).await.unwrap(), user.id);
        let found = &factors::of(&ctx, user.id).await.unwrap().passkeys[0];
        assert_eq!(found.last_used_at, Some(app.now()));
    }
    let other = app.user("bob@example.org", "open sesame").await;
    let none = passkeys::begin_authentication(&ctx, BROWSER, Some(other.id)).await;
    assert!(matches!(none, Err(DomainError::NotFound(_))));
}

async fn an_answer_counts_once_in_time_here_and_for_whom_was_asked(setup: Setup) {
    let app = setup.start_with(by_name).await;
    let (alice, bob) = (app.user("alice@example.org", "sesame").await, app.user("bob@example.org", "sesame").await);
    let acme = app.tenant("Acme").await;
    let (ctx, there) = (app.ctx().await, app.ctx_of(&acme).await);

    // Adding one.
    let question = passkeys::begin_registration(&ctx, &alice, BROWSER).await.unwrap();
    let mut device = Device::new(app.config.http.issuer.as_str(), alice.id);
    let answer = device.create(&question);
    let finish = async |ctx: &Ctx<'_>, user: &User, browser, answer: &Value| {
        passkeys::finish_registration(ctx, user.id, browser, "A key", answer.clone()).await
    };
    invalid(finish(&there, &alice, BROWSER, &answer).await, "passkey");
    invalid(finish(&ctx, &bob, BROWSER, &answer).await, "passkey");
    invalid(finish(&ctx, &alice, ELSEWHERE, &answer).await, "passkey");
    finish(&ctx, &alice, BROWSER, &answer).await.unwrap();
    invalid(finish(&ctx, &alice, BROWSER, &answer).await, "passkey");
    let late = device.create(&passkeys::begin_registration(&ctx, &bob, BROWSER).await.unwrap());
    app.advance(Duration::from_secs(300));
    invalid(finish(&ctx, &bob, BROWSER, &late).await, "passkey");
    for malformed in [Value::Null, json!({}), json!({ "id": "x", "rawId": "eA", "type": "public-key" })] {
        invalid(finish(&ctx, &alice, BROWSER, &malformed).await, "passkey");
    }

    // Signing in.
    let (mut device, _) = with_passkey(&ctx, &alice).await;
    let lost = "passkey's answer is late, used or to another question";
    let finish = passkeys::finish_authentication;
    let question = passkeys::begin_authentication(&ctx, BROWSER, None).await.unwrap();
    let answer = device.get(&question);
    refused(finish(&there, BROWSER, None, answer.clone()).await, lost);
    refused(finish(&ctx, ELSEWHERE, None, answer.clone()).await, lost);
    refused(finish(&ctx, BROWSER, Some(alice.id), answer.clone()).await, lost);
    finish(&ctx, BROWSER, None, answer.clone()).await.unwrap();
    refused(finish(&ctx, BROWSER, None, answer).await, lost);
    let answer = device.get(&passkeys::begin_authentication(&ctx, BROWSER, None).await.unwrap());
    app.advance(Duration::from_secs(300));
    refused(finish(&ctx, BROWSER, None, answer).await, lost);

    // Another person's, asked for by name or by handle; another site's page; no such passkey.
    with_passkey(&ctx, &bob).await;
    let question = passkeys::begin_authentication(&ctx, BROWSER, Some(bob.id)).await.unwrap();
    refused(finish(&ctx, BROWSER, Some(bob.id), device.get(&question)).await, "passkey is another person's");
    let ask = async || passkeys::begin_authentication(&ctx, BROWSER, None).await.unwrap();
    let mut answer = device.get(&ask().await);
    answer["response"]["userHandle"] = json!(gatehouse::crypto::digest::base64url(bob.id.uuid().as_bytes()));
    refused(finish(&ctx, BROWSER, None, answer).await, "passkey is another person's");
    let mut answer = device.get(&ask().await);
    answer["response"]["userHandle"] = Value::Null;
    refused(finish(&ctx, BROWSER, None, answer).await, "passkey is another person's");
    let mut answer = device.get(&ask().await);
    answer["response"]["signature"] = json!("MEUCIQ");
    refused(finish(&ctx, BROWSER, None, answer).await, "passkey's answer is wrong");
    let mut answer = device.get(&ask().await);
    answer["rawId"] = json!("AAAA");
    refused(finish(&ctx, BROWSER, None, answer).await, "no such passkey");
    let mut answer = device.get(&ask().await);
    answer["response"]["clientDataJSON"] = json!("e30");
    refused(finish(&ctx, BROWSER, None, answer).await, "passkey's answer is malformed");

    // A page of another origin of the same host.
    let question = passkeys::begin_registration(&ctx, &bob, BROWSER).await.unwrap();
    let answer = Device::new("http://localhost:1", bob.id).create(&question);
    invalid(passkeys::finish_registration(&ctx, bob.id, BROWSER, "A key", answer).await, "passkey");
}

async fn a_passkey_must_have_recognised_its_owner(setup: Setup) {
    let app = setup.start_with(by_name).await;
    let user = app.user("alice@example.org", "open sesame").await;
    let ctx = app.ctx().await;
    let mut question = passkeys::begin_registration(&ctx, &user, BROWSER).await.unwrap();
    question["publicKey"]["authenticatorSelection"]["userVerification"] = json!("discouraged");
    let answer = Device::new(app.config.http.issuer.as_str(), user.id).create(&question);
    invalid(passkeys::finish_registration(&ctx, user.id, BROWSER, "A key", answer).await, "passkey");
    let (mut device, _) = with_passkey(&ctx, &user).await;
    let mut question = passkeys::begin_authentication(&ctx, BROWSER, None).await.unwrap();
    question["publicKey"]["userVerification"] = json!("discouraged");
    let answer = device.get(&question);
    refused(passkeys::finish_authentication(&ctx, BROWSER, None, answer).await, "passkey's answer is wrong");
}

async fn a_passkey_that_was_copied_is_noticed(setup: Setup) {
    let app = setup.start_with(by_name).await;
    let user = app.user("alice@example.org", "open sesame").await;
    let ctx = app.ctx().await;
    let (mut device, _) = with_passkey(&ctx, &user).await;
    let first = passkeys::begin_authentication(&ctx, BROWSER, None).await.unwrap();
    let second = passkeys::begin_authentication(&ctx, BROWSER, None).await.unwrap();
    let (earlier, later) = (device.get(&first), device.get(&second));
    passkeys::finish_authentication(&ctx, BROWSER, None, later).await.unwrap();
    let behind = passkeys::finish_authentication(&ctx, BROWSER, None, earlier).await;
    refused(behind, "passkey's counter went back: it may be a copy");
    assert_eq!(sign_in(&ctx, &mut device, None).await.unwrap(), user.id, "who is ahead goes on");
}

async fn who_may_not_sign_in_may_not_by_passkey(setup: Setup) {
    let app = setup.start_with(by_name).await;
    let user = app.user("alice@example.org", "open sesame").await;
    let ctx = app.ctx().await;
    let (mut device, _) = with_passkey(&ctx, &user).await;
    let before = passkeys::list(&ctx, user.id).await.unwrap();
    users::set_enabled(&ctx, user.id, false).await.unwrap();
    refused(sign_in(&ctx, &mut device, None).await, "account is disabled");
    assert_eq!(passkeys::list(&ctx, user.id).await.unwrap()[0].last_used_at, before[0].last_used_at);
    users::set_enabled(&ctx, user.id, true).await.unwrap();
    // Strangers who guess at the password do not keep the owner of a passkey out.
    let people = app.password_app("openid").await;
    for _ in 0..=app.config.lockout.failures {
        app.sign_in(&people, "alice@example.org", "wrong").await;
    }
    assert_eq!(sign_in(&ctx, &mut device, None).await.unwrap(), user.id);
}

async fn a_passkey_is_renamed_and_removed_by_its_owner(setup: Setup) {
    let app = setup.start_with(by_name).await;
    let (alice, bob) = (app.user("alice@example.org", "sesame").await, app.user("bob@example.org", "sesame").await);
    let ctx = app.ctx().await;
    let (mut device, _) = with_passkey(&ctx, &alice).await;
    let id = passkeys::list(&ctx, alice.id).await.unwrap()[0].credential_id.clone();
    let missing = |outcome| assert!(matches!(outcome, Err(DomainError::NotFound(_))));
    missing(passkeys::rename(&ctx, bob.id, &id, "Mine").await);
    missing(passkeys::remove(&ctx, bob.id, &id).await);
    missing(passkeys::rename(&app.ctx_of(&app.tenant("Acme").await).await, alice.id, &id, "Mine").await);
    invalid(passkeys::rename(&ctx, alice.id, &id, " ").await, "name");
    passkeys::rename(&ctx, alice.id, &id, "Work laptop").await.unwrap();
    assert_eq!(passkeys::list(&ctx, alice.id).await.unwrap()[0].name, "Work laptop");
    passkeys::remove(&ctx, alice.id, &id).await.unwrap();
    missing(passkeys::remove(&ctx, alice.id, &id).await);
    refused(sign_in(&ctx, &mut device, None).await, "no such passkey");
    let actions = "SELECT action FROM audit_log WHERE action LIKE 'factor.%' ORDER BY id";
    assert_eq!(app.sql().await.texts(actions).await, ["factor.passkey.enrol", "factor.passkey.remove"]);
}

async fn passkeys_need_a_host_name(app: TestApp) {
    let user = app.user("alice@example.org", "open sesame").await;
    let ctx = app.ctx().await;
    assert!(!passkeys::available(&ctx), "{}", app.config.http.issuer);
    invalid(passkeys::begin_registration(&ctx, &user, BROWSER).await, "passkey");
    invalid(passkeys::begin_authentication(&ctx, BROWSER, None).await, "passkey");
}

async fn nothing_that_signs_in_lies_in_the_clear(app: TestApp) {
    let user = app.user("alice@example.org", "open sesame").await;
    let (secret, codes) = with_app(&app, &user).await;
    let raw = totp_rs::Secret::try_from_base32(&secret).unwrap();
    let rows = app.sql().await.dump(&[]).await.join("\n").to_lowercase();
    assert!(rows.contains("totp_factors"));
    assert!(!rows.contains(&gatehouse::crypto::digest::hex(raw.as_bytes())));
    assert!(!rows.contains(&secret.to_lowercase()));
    for code in &codes {
        assert!(!rows.contains(code.as_str()) && !rows.contains(&code.replace('-', "")));
    }
}

async fn what_is_over_is_swept(setup: Setup) {
    let app = setup.start_with(by_name).await;
    let user = app.user("alice@example.org", "open sesame").await;
    seen(&app, &user, BROWSER).await;
    passkeys::begin_authentication(&app.ctx().await, BROWSER, None).await.unwrap();
    let sql = app.sql().await;
    for (table, after) in [("webauthn_ceremonies", 300), ("known_browsers", 400 * 86_400)] {
        let count = format!("SELECT count(*) FROM {table}");
        upkeep::clean(&app.core).await.unwrap();
        assert_eq!(sql.number(&count).await, 1, "{table}");
        app.advance(Duration::from_secs(after));
        upkeep::clean(&app.core).await.unwrap();
        assert_eq!(sql.number(&count).await, 0, "{table}");
    }
}

/// A row in every table that second factors have.
pub async fn leave_rows(app: TestApp) -> TestApp {
    let app = app.restart_with(by_name).await;
    let ctx = app.ctx().await;
    let user = make_user(&ctx, "factors@example.org", users::NewPassword::None, &[]).await;
    with_app(&app, &user).await;
    with_passkey(&ctx, &user).await;
    passkeys::begin_authentication(&ctx, BROWSER, None).await.unwrap();
    seen(&app, &user, BROWSER).await;
    drop(ctx);
    app
}

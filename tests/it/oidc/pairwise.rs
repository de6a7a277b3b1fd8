//! A subject of each sector's own (OpenID Connect Core §8; C7 is held by `oauth/rfc7591_registration.rs`).

use gatehouse::model::client_settings::SubjectType;
use serde_json::Value;

use super::suite::{ALICE, BOB, CODE, Suite, all, person};
use crate::support::{Browser, TestApp, both_engines, claims_of};

both_engines!(
    a_sector_shares_its_subjects_and_no_other_knows_them,
    tokens_of_every_kind_say_the_same,
    a_hint_names_the_person_behind_it,
);

async fn pairwise(app: &TestApp, host: &str) -> Suite {
    let uri = format!("https://{host}/callback");
    Suite::with(app, CODE, |new| {
        new.settings.subject_type = SubjectType::Pairwise;
        new.redirect_uris = vec![uri];
    })
    .await
}

async fn a_sector_shares_its_subjects_and_no_other_knows_them(app: TestApp) {
    let alice = person(&app, ALICE).await;
    person(&app, BOB).await;
    let mut subjects: Vec<Value> = Vec::new();
    for host in ["rp.example", "rp.example", "other.example"] {
        let mut suite = pairwise(&app, host).await;
        subjects.push(suite.sign_in(&[]).await.id()["sub"].clone());
        suite.browser = Browser::new(&app);
        assert_ne!(suite.sign_in_as(BOB, &[]).await.id()["sub"], *subjects.last().unwrap());
    }
    assert_eq!(subjects[0], subjects[1]);
    assert_ne!(subjects[0], subjects[2]);
    assert!(subjects.iter().all(|subject| !subject.as_str().unwrap().contains(&alice.id.to_string()[4..])));
}

async fn tokens_of_every_kind_say_the_same(app: TestApp) {
    person(&app, ALICE).await;
    for plan in all() {
        let suite = Suite::with(&app, plan, |new| new.settings.subject_type = SubjectType::Pairwise).await;
        let tokens = suite.sign_in(&[]).await;
        let subject = &tokens.id()["sub"];
        if plan.gives("code") || plan.gives("token") {
            assert_eq!(&claims_of(tokens.access())["sub"], subject);
            let fields = [("token", tokens.access())];
            let seen = app.basic("/oauth/introspect", &suite.rp.client.id, &suite.rp.client.secret, &fields).await;
            assert_eq!(&seen.body(200)["sub"], subject);
        }
        if plan == CODE {
            let fields = [("grant_type", "refresh_token"), ("refresh_token", tokens.refresh())];
            let renewed = suite.rp.token(&fields).await.expect(200);
            assert_eq!(&claims_of(&renewed.str("id_token"))["sub"], subject);
        }
    }
}

async fn a_hint_names_the_person_behind_it(app: TestApp) {
    person(&app, ALICE).await;
    person(&app, BOB).await;
    let mut suite = pairwise(&app, "rp.example").await;
    let hint = suite.sign_in(&[]).await.id_token().to_owned();
    let asked = [("prompt", "none"), ("id_token_hint", &*hint)];
    suite.finish(suite.answer(&suite.open(&asked).await), Some("a nonce")).await;
    suite.browser = Browser::new(&app);
    suite.sign_in_as(BOB, &[]).await;
    suite.refused(&suite.open(&asked).await, "login_required");
}

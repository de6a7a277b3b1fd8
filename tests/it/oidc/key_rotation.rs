//! New keys while people are signed in (L1; the life of a key is held by `oauth/jwks.rs`, L2 by
//! `oauth/client_settings.rs`).

use std::collections::BTreeSet;

use gatehouse::domain::{keys, upkeep};
use gatehouse::model::signing_key::SigningAlg;
use serde_json::Value;

use super::suite::{ALICE, CODE, Suite, all, person};
use crate::support::{TestApp, both_engines, header_of};

both_engines!(oidcc_server_rotate_keys, what_an_old_key_signed_still_counts);

async fn published(app: &TestApp) -> Vec<Value> {
    app.get("/.well-known/jwks.json").await.body(200)["keys"].as_array().unwrap().clone()
}

fn material(key: &Value) -> String {
    format!("{} {} {}", key["n"], key["x"], key["y"])
}

async fn oidcc_server_rotate_keys(app: TestApp) {
    // As in a server that runs: the next keys are published already.
    upkeep::advance_keys(&app.core).await.unwrap();
    let before = published(&app).await;
    for alg in [SigningAlg::Rs256, SigningAlg::Es256, SigningAlg::EdDsa] {
        keys::rotate(&app.ctx().await, alg, true).await.unwrap();
    }
    let after = published(&app).await;
    let names = |keys: &[Value]| keys.iter().map(|key| key["kid"].to_string()).collect::<BTreeSet<_>>();
    let old: BTreeSet<String> = before.iter().map(material).collect();
    assert!(names(&before).is_subset(&names(&after)), "the old ones are still there");
    for alg in ["RS256", "ES256", "EdDSA"] {
        let new = after.iter().filter(|key| key["alg"] == alg && !names(&before).contains(&key["kid"].to_string()));
        assert!(new.clone().count() > 0 && new.into_iter().all(|key| !old.contains(&material(key))), "{alg}");
    }
}

async fn what_an_old_key_signed_still_counts(app: TestApp) {
    person(&app, ALICE).await;
    for plan in all().take(4) {
        let suite = Suite::new(&app, plan).await;
        let first = suite.sign_in(&[]).await;
        keys::rotate(&app.ctx().await, SigningAlg::Rs256, true).await.unwrap();
        // A hint, and the tokens themselves.
        let page = suite.open(&[("prompt", "none"), ("id_token_hint", first.id_token())]).await;
        let again = suite.finish(suite.answer(&page), Some("a nonce")).await;
        assert_ne!(header_of(first.id_token())["kid"], header_of(again.id_token())["kid"]);
        suite.id_token(first.id_token(), Some("a nonce")).await;
        if plan == CODE {
            suite.userinfo(first.access()).await;
        }
    }
}

//! A provider in trouble is its own trouble: nobody waits who does not need it, and nothing of it is a 500.

use futures_util::future::join;
use gatehouse::model::connection::ConnectionSettings;
use gatehouse::model::signing_key::SigningAlg;
use serde_json::json;

use super::provider::{ALICE, PASSWORD, Provider, reason, set_out, start};
use crate::support::{Browser, Reply, Setup, Signer, both_engines};

both_engines!(
    a_provider_that_is_down_keeps_nobody_else,
    the_last_good_metadata_go_on_counting,
    keys_that_are_rotated_are_found,
    addresses_within_are_not_asked,
);

async fn a_provider_that_is_down_keeps_nobody_else(setup: Setup) {
    let (app, provider) = (start(&setup).await, Provider::start().await);
    let connection = provider.connection(&app, ConnectionSettings::default()).await;
    app.user(ALICE, PASSWORD).await;
    let path = format!("/login/with/{}", connection.id);
    let metadata = "/.well-known/openid-configuration";
    for reply in [
        Reply::Hangs,
        Reply::Drips,
        Reply::Floods,
        Reply::Says(500, "{}".to_owned()),
        Reply::Says(200, "<html>".to_owned()),
        Reply::Leads("http://127.0.0.1:1/".to_owned()),
    ] {
        provider.receiver.at(metadata, reply.clone());
        app.advance(std::time::Duration::from_secs(11));
        let before = provider.receiver.received(metadata).len();
        let (stuck, local) = (Browser::new(&app), Browser::new(&app));
        let password = async {
            let page = local.open("/login").await.expect(200, "/login");
            assert!(page.text.contains(&path), "the button stays");
            local.submit(&page, "/login", &[("identifier", ALICE), ("password", PASSWORD)]).await
        };
        let (page, inside) = join(stuck.open(&path), password).await;
        assert_eq!((page.status, page.left_for), (503, None), "{reply:?}");
        assert!(page.text.contains("reached right now"), "{}", page.text);
        inside.expect(200, "/account");
        // It is left alone now: who comes next hears so without it being asked.
        for _ in 0..3 {
            assert_eq!(stuck.open(&path).await.status, 503, "{reply:?}");
        }
        assert_eq!(provider.receiver.received(metadata).len(), before + 1, "{reply:?}");
    }
    // And found again.
    provider.describes(&json!({}));
    app.advance(std::time::Duration::from_secs(11));
    let browser = Browser::new(&app);
    let journey = set_out(&browser, &path).await;
    // It fails while somebody is there.
    for reply in [Reply::Hangs, Reply::Drips, Reply::Floods] {
        provider.receiver.at("/token", reply.clone());
        let browser = Browser::new(&app);
        let journey = set_out(&browser, &path).await;
        assert_eq!(browser.open(&journey.callback(&[])).await.status, 503, "{reply:?}");
        assert!(reason(&app).await.contains("can't be used"));
    }
    provider.come_back(&app, &browser, &journey, &json!({ "email": "new@example.org" })).await.expect(200, "/account");
}

async fn the_last_good_metadata_go_on_counting(setup: Setup) {
    let (app, provider) = (start(&setup).await, Provider::start().await);
    let connection = provider.connection(&app, ConnectionSettings::default()).await;
    provider.sign_in(&app, &Browser::new(&app), &connection, &json!({})).await.expect(200, "/account");
    provider.receiver.at("/.well-known/openid-configuration", Reply::Hangs);
    provider.receiver.at("/jwks", Reply::Says(500, String::new()));
    app.advance(std::time::Duration::from_secs(3600));
    provider.sign_in(&app, &Browser::new(&app), &connection, &json!({})).await.expect(200, "/account");
}

async fn keys_that_are_rotated_are_found(setup: Setup) {
    let (app, mut provider) = (start(&setup).await, Provider::start().await);
    let connection = provider.connection(&app, ConnectionSettings::default()).await;
    provider.sign_in(&app, &Browser::new(&app), &connection, &json!({})).await.expect(200, "/account");
    assert_eq!(provider.receiver.received("/jwks").len(), 1);
    app.advance(std::time::Duration::from_secs(11));
    provider.key = Signer::new(SigningAlg::EdDsa);
    provider.describes(&json!({ "id_token_signing_alg_values_supported": ["EdDSA", "ES256"] }));
    provider.receiver.shows("/jwks", provider.key.jwks());
    app.advance(std::time::Duration::from_secs(600));
    // The metadata are fetched beside; whoever comes after that has the new ones.
    set_out(&Browser::new(&app), &format!("/login/with/{}", connection.id)).await;
    provider.receiver.wait_for("/.well-known/openid-configuration", 2).await;
    let mut status = 403;
    crate::support::within(std::time::Duration::from_secs(20), "the new keys", async || {
        let page = provider.sign_in(&app, &Browser::new(&app), &connection, &json!({})).await;
        status = page.status;
        status == 200
    })
    .await;
    assert_eq!(status, 200);

    // Strangers can't have the keys fetched again and again.
    let fetched = provider.receiver.received("/jwks").len();
    let stranger = Signer::new(SigningAlg::EdDsa);
    for _ in 0..5 {
        let browser = Browser::new(&app);
        let journey = set_out(&browser, &format!("/login/with/{}", connection.id)).await;
        provider.gives(&stranger.sign(&provider.claims(&app, &journey)));
        assert_eq!(browser.open(&journey.callback(&[])).await.status, 403);
    }
    assert!(provider.receiver.received("/jwks").len() <= fetched + 1);
}

async fn addresses_within_are_not_asked(setup: Setup) {
    // Nothing is allowed that is not configured.
    let (app, provider) = (setup.start().await, Provider::start().await);
    let connection = provider.connection(&app, ConnectionSettings::default()).await;
    let page = Browser::new(&app).open(&format!("/login/with/{}", connection.id)).await;
    assert_eq!(page.status, 503);
    assert!(provider.receiver.received("/.well-known/openid-configuration").is_empty());
}

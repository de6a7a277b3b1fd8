//! A provider in trouble is its own trouble: nobody waits who does not need it, and nothing of it is a 500.

use std::time::Duration;

use futures_util::future::{join, join_all};
use gatehouse::domain::access::Powers;
use gatehouse::domain::connections::{self, ConnectionChange};
use gatehouse::model::connection::{Connection, ConnectionSettings, OidcProvider, Provider as By};
use gatehouse::model::signing_key::SigningAlg;
use serde_json::json;

use super::provider::{ALICE, PASSWORD, Provider, reason, set_out, start};
use crate::support::{Browser, Reply, Setup, Signer, TestApp, both_engines};

both_engines!(
    a_provider_that_is_down_keeps_nobody_else,
    many_who_are_stuck_keep_nobody_else,
    what_fails_on_the_way_back_is_said_to_fail,
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
        app.advance(Duration::from_secs(11));
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
    app.advance(Duration::from_secs(11));
    let browser = Browser::new(&app);
    let journey = set_out(&browser, &path).await;
    provider.come_back(&app, &browser, &journey, &json!({ "email": "new@example.org" })).await.expect(200, "/account");
}

async fn with_userinfo(app: &TestApp, provider: &Provider) -> Connection {
    let connection = provider.connection(app, ConnectionSettings::default()).await;
    let By::Oidc(oidc) = connection.provider.clone() else { panic!("OpenID Connect") };
    let asks = Some(By::Oidc(OidcProvider { userinfo: true, ..oidc }));
    let change = ConnectionChange { provider: asks, ..ConnectionChange::default() };
    connections::update(&app.ctx().await, &Powers::operator(), connection.id, change).await.unwrap()
}

/// Each provider hangs at another place with eighty people, which is more than are let wait there at once.
async fn many_who_are_stuck_keep_nobody_else(setup: Setup) {
    let app = setup
        .start_with(|config| {
            config.outbound.allow_networks = vec!["127.0.0.0/8".parse().unwrap()];
            config.outbound.timeout = Duration::from_secs(5);
        })
        .await;
    app.user(ALICE, PASSWORD).await;
    let good = Provider::start().await;
    let connection = good.connection(&app, ConnectionSettings::default()).await;
    let mut providers = Vec::new();
    let mut stuck = Vec::new();
    for place in ["/.well-known/openid-configuration", "/token", "/jwks", "/userinfo"] {
        let provider = Provider::start().await;
        let path = format!("/login/with/{}", with_userinfo(&app, &provider).await.id);
        let people = (0..80).map(|_| Browser::new(&app));
        if place.starts_with("/.well-known") {
            stuck.extend(people.map(|browser| (browser, path.clone())));
        } else {
            for browser in people {
                let journey = set_out(&browser, &path).await;
                provider.gives(&provider.key.sign(&provider.claims(&app, &journey)));
                stuck.push((browser, journey.callback(&[])));
            }
        }
        provider.receiver.at(place, Reply::Hangs);
        providers.push((place, provider));
    }
    let waiting = join_all(stuck.iter().map(|(browser, address)| browser.open(address)));
    let others = async {
        for (place, provider) in &providers {
            provider.receiver.wait_for(place, 1).await;
        }
        let browser = Browser::new(&app);
        let page = browser.open("/login").await.expect(200, "/login");
        browser.submit(&page, "/login", &[("identifier", ALICE), ("password", PASSWORD)]).await.expect(200, "/account");
        let claims = json!({ "email": "new@example.org" });
        good.sign_in(&app, &Browser::new(&app), &connection, &claims).await.expect(200, "/account");
        app.service_token("tenant:read").await;
    };
    let (mut waiting, mut others) = (std::pin::pin!(waiting), std::pin::pin!(others));
    tokio::select! {
        biased;
        _ = &mut waiting => panic!("whoever has nothing to do with it came last"),
        () = &mut others => (),
    }
    let pages = waiting.await;
    assert!(pages.iter().all(|page| matches!(page.status, 403 | 503)), "{:?}", pages.iter().map(|page| page.status));
    for (place, provider) in &providers {
        // Those who have just been given up may not have gone yet when the next ones come.
        let (most, asked) = (provider.receiver.most_hanging(), provider.receiver.received(place).len());
        assert!(most <= 64, "{place}: {most} at once");
        let once = !matches!(*place, "/token" | "/userinfo");
        assert!(!once || asked == 1, "{place} was asked {asked} times");
    }
}

async fn what_fails_on_the_way_back_is_said_to_fail(setup: Setup) {
    let (app, provider) = (start(&setup).await, Provider::start().await);
    let connection = with_userinfo(&app, &provider).await;
    let path = format!("/login/with/{}", connection.id);
    let bodies = [Reply::Hangs, Reply::Drips, Reply::Floods, Reply::Says(500, "{}".to_owned())];
    let me = json!({ "sub": "248289761001" });
    for place in ["/token", "/userinfo", "/jwks"] {
        for reply in &bodies {
            // The keys of the last one do not count for ever.
            app.advance(Duration::from_secs(86_401));
            provider.receiver.shows("/userinfo", &me);
            provider.receiver.shows("/jwks", provider.key.jwks());
            let browser = Browser::new(&app);
            let journey = set_out(&browser, &path).await;
            provider.gives(&provider.key.sign(&provider.claims(&app, &journey)));
            provider.receiver.at(place, reply.clone());
            assert_eq!(browser.open(&journey.callback(&[])).await.status, 503, "{place} {reply:?}");
            let logged = reason(&app).await;
            assert!(logged.contains("can't be used"), "{place} {reply:?}: {logged}");
        }
    }
    provider.receiver.shows("/jwks", provider.key.jwks());
    app.advance(Duration::from_secs(11));
    provider.sign_in(&app, &Browser::new(&app), &connection, &json!({})).await.expect(200, "/account");
}

async fn the_last_good_metadata_go_on_counting(setup: Setup) {
    let (app, provider) = (start(&setup).await, Provider::start().await);
    let connection = provider.connection(&app, ConnectionSettings::default()).await;
    provider.sign_in(&app, &Browser::new(&app), &connection, &json!({})).await.expect(200, "/account");
    provider.receiver.at("/.well-known/openid-configuration", Reply::Hangs);
    provider.receiver.at("/jwks", Reply::Says(500, String::new()));
    app.advance(Duration::from_secs(3600));
    provider.sign_in(&app, &Browser::new(&app), &connection, &json!({})).await.expect(200, "/account");
}

async fn keys_that_are_rotated_are_found(setup: Setup) {
    let (app, mut provider) = (start(&setup).await, Provider::start().await);
    let connection = provider.connection(&app, ConnectionSettings::default()).await;
    provider.sign_in(&app, &Browser::new(&app), &connection, &json!({})).await.expect(200, "/account");
    assert_eq!(provider.receiver.received("/jwks").len(), 1);
    app.advance(Duration::from_secs(11));
    provider.key = Signer::new(SigningAlg::EdDsa);
    provider.describes(&json!({ "id_token_signing_alg_values_supported": ["EdDSA", "ES256"] }));
    provider.receiver.shows("/jwks", provider.key.jwks());
    app.advance(Duration::from_secs(600));
    // The metadata are fetched beside; whoever comes after that has the new ones.
    set_out(&Browser::new(&app), &format!("/login/with/{}", connection.id)).await;
    provider.receiver.wait_for("/.well-known/openid-configuration", 2).await;
    let mut status = 403;
    crate::support::within(Duration::from_secs(20), "the new keys", async || {
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

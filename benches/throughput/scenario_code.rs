//! Codes and their tokens: as many browsers as there are connections, each with a session and a consent
//! given before; one round trip is `GET /oauth/authorize` and `POST /oauth/token` with the PKCE
//! verifier, which answers with access, refresh and ID token. Compared with the least that this takes:
//! two raw signatures and two commits of one row, one by one.

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::bare::RawSignatures;
use super::browser::{Browser, Page};
use super::commits::Commits;
use super::load::{self, RoundTrip, Script};
use super::postgres::Postgres;
use super::run::{Bench, Realm, TOKEN, database};
use super::server::PASSWORD;
use super::table::Aim;
use super::{large, wire};

/// Where clients get their answers.
pub const CALLBACK: &str = "https://rp.example/callback";
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

pub async fn run(bench: &mut Bench, realm: &Realm, postgres: Option<&Postgres>) {
    let server = &realm.server;
    for (alg, client) in &realm.relying_parties {
        if !bench.wants(&format!("code {alg} {}", realm.engine)) {
            continue;
        }
        let mut scripts = Vec::new();
        for number in 0..load::CONNECTIONS {
            scripts.push(round_trip(realm, client, number).await);
        }
        let folder = bench.folder.join(format!("{}-{alg}", realm.engine));
        std::fs::create_dir_all(&folder).unwrap();
        let commits =
            Commits::prepare(&folder, database(postgres, &format!("code_{}", alg.to_lowercase())).await).await;
        let signatures = RawSignatures::new();
        let contest = load::contest(
            bench.rounds,
            bench.length,
            async |length| load::round(server.address, server.id(), &mut scripts, length).await,
            async |length| commits.round(length, 2, || signatures.access_and_id(alg)).await,
        )
        .await;
        let what = format!("Code with PKCE and its tokens, ID token {alg}");
        bench.table.contest(&what, realm.engine, "two raw signatures and two commits, one by one", &contest, Aim::None);
    }
}

/// A browser with a session, in which the client was allowed everything before.
pub async fn round_trip(realm: &Realm, client: &(String, String), number: usize) -> Script {
    let mut browser = Browser::new(realm.server.address).await;
    let mut page = sign_in(&mut browser, &client.0, number).await;
    if page.is_at("/consent") {
        page = browser.submit(&page, &[("action", "allow")]).await;
    }
    assert!(page.address.starts_with(CALLBACK), "{}", page.address);
    let authorize = browser.request(&request(&client.0, ""));
    Script::Code(Box::new(RoundTrip { authorize, redeem, client: client.clone(), code: None }))
}

/// Signs in for a client, with the password; where that leads.
pub async fn sign_in(browser: &mut Browser, client: &str, number: usize) -> Page {
    let page = browser.open(&request(client, "")).await;
    assert!(page.is_at("/login"), "{}", page.address);
    browser.submit(&page, &[("identifier", &large::email(number)), ("password", PASSWORD)]).await
}

/// An authorization request; `more` parameters begin with `&`.
pub fn request(client: &str, more: &str) -> String {
    let challenge = URL_SAFE_NO_PAD.encode(digest(&SHA256, VERIFIER.as_bytes()));
    let redirect_uri: String = url::form_urlencoded::byte_serialize(CALLBACK.as_bytes()).collect();
    format!(
        "/oauth/authorize?response_type=code&client_id={client}&redirect_uri={redirect_uri}\
         &scope=openid+profile+email+offline_access&state=a-state&nonce=a-nonce\
         &code_challenge={challenge}&code_challenge_method=S256{more}"
    )
}

fn redeem((id, secret): &(String, String), code: &str) -> Vec<u8> {
    let redirect_uri: String = url::form_urlencoded::byte_serialize(CALLBACK.as_bytes()).collect();
    let body =
        format!("grant_type=authorization_code&code={code}&redirect_uri={redirect_uri}&code_verifier={VERIFIER}");
    wire::form(TOKEN, (id, secret), &body)
}

//! A real client that we did not write: the `openidconnect` crate, over our own sockets. It finds out
//! about us by discovery and checks what it gets by itself; this file compares only what it found.

use std::future::Future;
use std::pin::Pin;

use openidconnect::core::{CoreClient, CoreGenderClaim, CoreJwsSigningAlgorithm, CoreResponseType};
use openidconnect::{
    AccessTokenHash, AuthenticationFlow, AuthorizationCode, ClientId, ClientSecret, CsrfToken, EmptyAdditionalClaims,
    IssuerUrl, JsonWebKey as _, LogoutRequest, Nonce, OAuth2TokenResponse as _, PkceCodeChallenge,
    PostLogoutRedirectUrl, ProviderMetadataWithLogout, RedirectUrl, Scope, TokenResponse as _, UserInfoClaims,
};

use super::suite::{ALICE, PASSWORD};
use crate::support::{Browser, CALLBACK, Client, RelyingParty, TestApp, both_engines, claims_of, code_app, header_of};

both_engines!(a_person_signs_in, a_service_gets_a_token_for_itself);

type Exchanged = Pin<Box<dyn Future<Output = Result<http::Response<Vec<u8>>, reqwest::Error>> + Send>>;

/// What the crate sends its requests by.
fn http(app: &TestApp) -> impl Fn(http::Request<Vec<u8>>) -> Exchanged + use<> {
    let client = app.http.clone();
    move |request| {
        let client = client.clone();
        Box::pin(async move {
            let answer = client.execute(request.try_into()?).await?;
            let mut made = http::Response::builder().status(answer.status());
            made.headers_mut().unwrap().extend(answer.headers().clone());
            Ok(made.body(answer.bytes().await?.to_vec()).unwrap())
        })
    }
}

/// Everything about us, signing keys included.
async fn discover(app: &TestApp) -> ProviderMetadataWithLogout {
    let issuer = IssuerUrl::new(app.config.http.issuer.as_str().to_owned()).unwrap();
    ProviderMetadataWithLogout::discover_async(issuer, &http(app)).await.unwrap()
}

fn id_and_secret(client: &Client) -> (ClientId, Option<ClientSecret>) {
    (ClientId::new(client.id.clone()), Some(ClientSecret::new(client.secret.clone())))
}

async fn a_person_signs_in(app: TestApp) {
    const AFTER: &str = "https://rp.example/after";
    app.user(ALICE, PASSWORD).await;
    let new = gatehouse::domain::clients::NewClient { post_logout_redirect_uris: vec![AFTER.to_owned()], ..code_app() };
    let (http, browser) = (http(&app), Browser::new(&app));
    let party = RelyingParty::new(&app, new).await;
    let metadata = discover(&app).await;
    let end_session = metadata.additional_metadata().end_session_endpoint.clone().unwrap();
    let (id, secret) = id_and_secret(&party.client);
    let client = CoreClient::from_provider_metadata(metadata, id, secret)
        .set_redirect_uri(RedirectUrl::new(CALLBACK.to_owned()).unwrap());

    let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
    let flow = AuthenticationFlow::<CoreResponseType>::AuthorizationCode;
    let mut request =
        client.authorize_url(flow, CsrfToken::new_random, Nonce::new_random).set_pkce_challenge(challenge);
    for scope in ["profile", "email", "offline_access"] {
        request = request.add_scope(Scope::new(scope.to_owned()));
    }
    let (address, state, nonce) = request.url();
    let page = browser.open(address.as_str()).await.expect(200, "/login");
    let page = browser.submit(&page, "/login", &[("identifier", ALICE), ("password", PASSWORD)]).await;
    let page = browser.submit(&page.expect(200, "/consent"), "/consent", &[("action", "allow")]).await;
    let answer = page.answer();
    assert_eq!(answer.get("state"), Some(state.secret().as_str()));

    let code = AuthorizationCode::new(answer.code().to_owned());
    let tokens = client.exchange_code(code).unwrap().set_pkce_verifier(verifier).request_async(&http).await.unwrap();
    let id_token = tokens.id_token().unwrap();
    let checks = client.id_token_verifier();
    let claims = id_token.claims(&checks, &nonce).unwrap();
    let (alg, key) = (id_token.signing_alg().unwrap(), id_token.signing_key(&checks).unwrap());
    let hash = AccessTokenHash::from_token(tokens.access_token(), alg, key).unwrap();
    assert_eq!(claims.access_token_hash(), Some(&hash));

    let person = claims.subject().clone();
    let about: UserInfoClaims<EmptyAdditionalClaims, CoreGenderClaim> = client
        .user_info(tokens.access_token().clone(), Some(person.clone()))
        .unwrap()
        .request_async(&http)
        .await
        .unwrap();
    assert_eq!(about.email().unwrap().as_str(), ALICE);
    assert_eq!(about.email_verified(), Some(true));

    let refresh_token = tokens.refresh_token().unwrap();
    let renewed = client.exchange_refresh_token(refresh_token).unwrap().request_async(&http).await.unwrap();
    assert_ne!(renewed.refresh_token().unwrap().secret(), refresh_token.secret());
    let again = renewed.id_token().unwrap().claims(&checks, |_: Option<&Nonce>| Ok(())).unwrap();
    assert_eq!((again.subject(), again.auth_time()), (&person, claims.auth_time()));

    let address = LogoutRequest::from(end_session)
        .set_id_token_hint(id_token)
        .set_post_logout_redirect_uri(PostLogoutRedirectUrl::new(AFTER.to_owned()).unwrap())
        .set_state(CsrfToken::new("bye".to_owned()))
        .http_get_url();
    let page = browser.open(address.as_str()).await;
    assert_eq!(page.left_for.as_deref(), Some("https://rp.example/after?state=bye"));
    browser.open(&party.request(&[])).await.expect(200, "/login");
}

async fn a_service_gets_a_token_for_itself(app: TestApp) {
    let service = app.service("user:read role:read").await;
    let metadata = discover(&app).await;
    let set = metadata.jwks().clone();
    assert!(set.keys().len() >= 3);
    let (id, secret) = id_and_secret(&service);
    let client = CoreClient::from_provider_metadata(metadata, id, secret);
    let request = client.exchange_client_credentials().unwrap().add_scope(Scope::new("user:read".to_owned()));
    let answer = request.request_async(&http(&app)).await.unwrap();
    assert_eq!(answer.expires_in().unwrap().as_secs(), 300);
    let scopes: Vec<&str> = answer.scopes().unwrap().iter().map(|scope| scope.as_str()).collect();
    assert_eq!(scopes, ["user:read"]);

    let token = answer.access_token().secret();
    assert_eq!(claims_of(token)["sub"], service.id.as_str());
    let header = header_of(token);
    let key = set.keys().iter().find(|key| key.key_id().is_some_and(|id| ***id == header["kid"])).expect("its key");
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let signature = gatehouse::crypto::digest::from_base64url(signature).unwrap();
    let alg = CoreJwsSigningAlgorithm::EcdsaP256Sha256;
    key.verify_signature(&alg, signed.as_bytes(), &signature).expect("a signature of that key");
    assert!(key.verify_signature(&alg, b"something else", &signature).is_err());
}

//! A real client that we did not write: the `openidconnect` crate, over our own sockets. There is no
//! authorization endpoint yet, so it uses what there is: the JWK set and client credentials.

use openidconnect::core::{CoreClient, CoreJsonWebKeySet, CoreJwsSigningAlgorithm};
use openidconnect::{
    AuthUrl, ClientId, ClientSecret, IssuerUrl, JsonWebKey as _, JsonWebKeySetUrl, OAuth2TokenResponse as _, Scope,
    TokenUrl,
};
use serde_json::Value;

use crate::support::{TestApp, both_engines, claims_of, header_of};

both_engines!(a_foreign_client_gets_a_token_and_checks_it);

async fn a_foreign_client_gets_a_token_and_checks_it(app: TestApp) {
    let service = app.service("user:read role:read").await;
    let document: Value = app.get("/.well-known/openid-configuration").await.body(200);
    let http = |request: http::Request<Vec<u8>>| {
        let client = app.http.clone();
        async move {
            let answer = client.execute(request.try_into()?).await?;
            let mut made = http::Response::builder().status(answer.status());
            made.headers_mut().unwrap().extend(answer.headers().clone());
            Ok::<_, reqwest::Error>(made.body(answer.bytes().await?.to_vec()).unwrap())
        }
    };
    let url = document["jwks_uri"].as_str().unwrap().to_owned();
    let set = CoreJsonWebKeySet::fetch_async(&JsonWebKeySetUrl::new(url).unwrap(), &http).await.unwrap();
    assert!(set.keys().len() >= 3);

    let issuer = IssuerUrl::new(document["issuer"].as_str().unwrap().to_owned()).unwrap();
    let client = CoreClient::new(ClientId::new(service.id.clone()), issuer, set.clone())
        .set_client_secret(ClientSecret::new(service.secret.clone()))
        .set_auth_uri(AuthUrl::new(format!("{}/oauth/authorize", app.base)).unwrap())
        .set_token_uri(TokenUrl::new(document["token_endpoint"].as_str().unwrap().to_owned()).unwrap());
    let request = client.exchange_client_credentials().add_scope(Scope::new("user:read".to_owned()));
    let answer = request.request_async(&http).await.unwrap();
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

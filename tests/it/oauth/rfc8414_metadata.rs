//! RFC 8414 and OpenID Connect Discovery: what a client finds out by itself, and that it is true.

use serde_json::{Value, json};

use crate::support::{TestApp, both_engines};

both_engines!(
    both_forms_say_the_same,
    the_document_is_as_it_was,
    what_is_advertised_works,
    a_tenants_document_is_its_own
);

const FORMS: [&str; 2] = ["/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"];

async fn both_forms_say_the_same(app: TestApp) {
    let mut documents = Vec::new();
    for form in FORMS {
        let answer = app.get(form).await.expect(200);
        assert_eq!(answer.header("content-type"), Some("application/json"));
        documents.push(answer.json());
    }
    assert_eq!(documents[0], documents[1]);
    assert_eq!(documents[0]["issuer"], json!(app.base), "the address minus the well-known part, byte for byte");
}

async fn the_document_is_as_it_was(app: TestApp) {
    let text = app.get(FORMS[0]).await.expect(200).text.replace(&app.base, "https://id.example.org");
    let document: Value = serde_json::from_str(&text).unwrap();
    insta::with_settings!({ snapshot_path => "../snapshots", prepend_module_to_snapshot => false }, {
        insta::assert_json_snapshot!("discovery", document);
    });
}

async fn what_is_advertised_works(app: TestApp) {
    let document = app.get(FORMS[0]).await.body(200);
    for (name, value) in document.as_object().unwrap() {
        if name.ends_with("_endpoint") || name.ends_with("_uri") {
            let url = value.as_str().unwrap();
            assert!(url.starts_with(&app.base), "{name}: {url}");
            assert_ne!(app.get(url).await.status, 404, "{name} is advertised and not there");
        }
        if name.ends_with("_supported") && value.is_array() {
            assert!(value.as_array().unwrap().iter().all(Value::is_string), "{name}");
        }
    }
    // Each grant type is known to the token endpoint, and each of our algorithms is published.
    let service = app.service("").await;
    for grant in document["grant_types_supported"].as_array().unwrap() {
        let fields = [("grant_type", grant.as_str().unwrap())];
        let answer = app.basic("/oauth/token", &service.id, &service.secret, &fields).await;
        assert_ne!(answer.json()["error"], "unsupported_grant_type", "{grant}");
    }
    let keys = app.get(document["jwks_uri"].as_str().unwrap()).await.body(200);
    for alg in document["id_token_signing_alg_values_supported"].as_array().unwrap() {
        assert!(keys["keys"].as_array().unwrap().iter().any(|key| key["alg"] == *alg), "{alg}");
    }
}

async fn a_tenants_document_is_its_own(app: TestApp) {
    let tenant = app.tenant("another").await;
    let own = app.get(&format!("/t/{}{}", tenant.id, FORMS[0])).await.body(200);
    assert_eq!(own["issuer"], json!(tenant.issuer));
    assert_eq!(own["token_endpoint"], json!(format!("{}/oauth/token", tenant.issuer)));
    for form in FORMS {
        assert_eq!(app.get(&format!("/t/{}{form}", tenant.id)).await.body(200), own);
        // RFC 8414 §3.1: the well-known part is inserted before the issuer's path.
        assert_eq!(app.get(&format!("{form}/t/{}", tenant.id)).await.body(200), own);
        for unknown in ["tnt_00000000000000000000000000000000", "tnt_1", "x"] {
            assert_eq!(app.get(&format!("/t/{unknown}{form}")).await.status, 404);
            assert_eq!(app.get(&format!("{form}/t/{unknown}")).await.status, 404);
        }
    }
}

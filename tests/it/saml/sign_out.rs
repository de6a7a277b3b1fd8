//! Single logout: who signs out here goes on to their provider, and whom the provider signs out is out here.

use std::time::Duration;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use gatehouse::crypto::certificate::CertifiedKey;
use gatehouse::model::time::Timestamp;
use serde_json::json;
use url::form_urlencoded::byte_serialize;

use crate::support::saml::{FRONT_END, IDP, Journey, Landed, SLO, Sso, ec_key, key, metadata_of, next};
use crate::support::{Answer, TestApp, both_engines, within};

both_engines!(
    who_signs_out_goes_on_to_their_provider,
    the_answer_of_the_provider_is_looked_at,
    a_provider_signs_somebody_out,
    a_wish_that_does_not_count_ends_nothing,
    a_provider_that_takes_nobody_is_not_asked,
);

/// A message by HTTP-Redirect. Change what you want wrong.
#[derive(Clone)]
pub struct Sent {
    name: &'static str,
    id: String,
    issuer: String,
    destination: String,
    issued: Timestamp,
    attributes: String,
    inside: String,
    relay_state: Option<String>,
    key: &'static CertifiedKey,
    algorithm: &'static str,
}

const RSA: &str = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256";
const EC: &str = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256";

impl Sent {
    fn new(sso: &Sso<'_>, name: &'static str, inside: String) -> Self {
        Self {
            name,
            id: format!("_l{}", next()),
            issuer: IDP.to_owned(),
            destination: format!("{}{}", sso.app.config.http.issuer, sso.path("slo")),
            issued: sso.app.now(),
            attributes: String::new(),
            inside,
            relay_state: Some("of the provider".to_owned()),
            key: key(0),
            algorithm: RSA,
        }
    }

    /// The provider wants these sessions of somebody to end.
    pub fn wish(sso: &Sso<'_>, name_id: &str, indexes: &[&str]) -> Self {
        let index = |index: &&str| format!("<samlp:SessionIndex>{index}</samlp:SessionIndex>");
        let indexes: String = indexes.iter().map(index).collect();
        Self::new(sso, "LogoutRequest", format!("<saml:NameID>{name_id}</saml:NameID>{indexes}"))
    }

    /// The provider has done what was asked.
    fn done(sso: &Sso<'_>, journey: &Journey) -> Self {
        let status = "<samlp:Status><samlp:StatusCode \
                      Value=\"urn:oasis:names:tc:SAML:2.0:status:Success\"/></samlp:Status>";
        let sent = Self::new(sso, "LogoutResponse", status.to_owned());
        let attributes = format!(" InResponseTo=\"{}\"", journey.request_id);
        Self { attributes, relay_state: Some(journey.relay_state.clone()), ..sent }
    }

    fn field(&self) -> &'static str {
        if self.name == "LogoutRequest" { "SAMLRequest" } else { "SAMLResponse" }
    }

    fn xml(&self) -> String {
        format!(
            "<samlp:{name} xmlns:samlp=\"urn:oasis:names:tc:SAML:2.0:protocol\" \
             xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\" ID=\"{}\" Version=\"2.0\" IssueInstant=\"{}\" \
             Destination=\"{}\"{}><saml:Issuer>{}</saml:Issuer>{}</samlp:{name}>",
            self.id,
            self.issued.rfc3339(),
            self.destination,
            self.attributes,
            self.issuer,
            self.inside,
            name = self.name,
        )
    }

    /// What is signed, of this document.
    fn octets(&self, xml: &str) -> String {
        let encoded = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
        let packed = STANDARD.encode(saml_rs::binding::deflate_raw_encode(xml.as_bytes()).unwrap());
        let state = self.relay_state.as_ref().map(|state| format!("&RelayState={}", encoded(state)));
        let (state, algorithm) = (state.unwrap_or_default(), encoded(self.algorithm));
        format!("{}={}{state}&SigAlg={algorithm}", self.field(), encoded(&packed))
    }

    pub fn query(&self) -> String {
        self.query_of(&self.xml())
    }

    fn query_of(&self, xml: &str) -> String {
        let octets = self.octets(xml);
        let signature = if self.algorithm == EC {
            let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &ec_key().0).unwrap();
            pair.sign(&SystemRandom::new(), octets.as_bytes()).unwrap().as_ref().to_vec()
        } else {
            self.key.sign(octets.as_bytes()).unwrap()
        };
        format!("{octets}&Signature={}", byte_serialize(STANDARD.encode(signature).as_bytes()).collect::<String>())
    }
}

type Change = fn(&mut Sent);

async fn told(sso: &Sso<'_>, query: &str) -> Answer {
    sso.app.get(&format!("{}?{query}", sso.path("slo"))).await
}

async fn counts(sso: &Sso<'_>, landed: &Landed) -> bool {
    sso.app.get_as(landed.value("access_token"), "/api/auth/me").await.status == 200
}

/// Signs in somebody of this name without an address.
async fn called(sso: &Sso<'_>, name: &str) -> Landed {
    sso.sign_in_as(|says| (says.name_id, says.attributes) = (name.to_owned(), Vec::new())).await
}

/// Nobody is told why, and the log knows.
async fn refuses(sso: &Sso<'_>, query: &str, reason: &str) {
    let before = reasons(sso).await.len();
    let answer = told(sso, query).await;
    let text =
        json!({ "detail": "The sign-out could not be completed", "error_code": "BAD_REQUEST", "status_code": 400 });
    assert_eq!((answer.status, answer.json()), (400, text), "{reason}");
    let reasons = reasons(sso).await;
    assert_eq!(reasons.len(), before + 1);
    assert!(reasons.last().unwrap().contains(reason), "{} is not {reason}", reasons.last().unwrap());
}

async fn reasons(sso: &Sso<'_>) -> Vec<String> {
    let sql = sso.app.sql().await;
    let found = sql
        .texts("SELECT coalesce(detail, '') FROM audit_log WHERE action = 'user.sign_out' AND outcome = 'failure' ORDER BY id")
        .await;
    sql.close().await;
    found
}

async fn who_signs_out_goes_on_to_their_provider(app: TestApp) {
    let sso = Sso::new(&app).await;
    let metadata = app.get(&sso.path("metadata")).await.expect(200).text;
    let slo = format!("{}{}", app.config.http.issuer, sso.path("slo"));
    let redirect = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect";
    assert!(metadata.contains(&format!("<md:SingleLogoutService Binding=\"{redirect}\" Location=\"{slo}\"/>")));

    let landed = sso.sign_in_as(|says| says.name_id = "a &amp; b".to_owned()).await;
    let other = called(&sso, "bob").await;
    let onward = app.post(landed.value("access_token"), &sso.path("logout"), &json!({})).await.body(200);
    let location = onward["location"].as_str().unwrap();
    assert!(location.starts_with(&format!("{SLO}?SAMLRequest=")), "{location}");
    // It is over here, whatever the provider does.
    assert!(!counts(&sso, &landed).await);
    let refresh = json!({ "refresh_token": landed.value("refresh_token") });
    app.post("", "/api/auth/refresh", &refresh).await.expect(401);
    assert!(counts(&sso, &other).await, "nobody else's");
    // What the provider hears is signed, and names the person and the session in its own words.
    let (signed, signature) = location.split_once('?').unwrap().1.split_once("&Signature=").unwrap();
    let signature = url::form_urlencoded::parse(format!("s={signature}").as_bytes()).next().unwrap().1.into_owned();
    let certificate = metadata.split_once("<ds:X509Certificate>").unwrap().1.split_once('<').unwrap().0;
    assert!(saml_rs::crypto::verify_message_signature(signed, &signature, certificate, RSA).unwrap());
    let journey = Journey::at(location);
    for part in [
        "<samlp:LogoutRequest",
        &format!("Destination=\"{SLO}\""),
        &format!("<saml:Issuer>{}</saml:Issuer>", sso.entity_id()),
        "Format=\"urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress\">a &amp; b</saml:NameID>",
        "<samlp:SessionIndex>s1</samlp:SessionIndex>",
    ] {
        assert!(journey.request.contains(part), "{part} in {}", journey.request);
    }
    // Its reference lets nobody in.
    sso.post(&journey.relay_state, &sso.says(&journey).response()).await.expect(400);
    let answer = told(&sso, &Sent::done(&sso, &journey).query()).await.expect(302);
    assert_eq!(answer.header("location"), Some(FRONT_END));
    app.post("", &sso.path("logout"), &json!({})).await.expect(401);
}

async fn the_answer_of_the_provider_is_looked_at(app: TestApp) {
    let sso = Sso::new(&app).await;
    let token = sso.sign_in().await;
    let elsewhere = format!("{}?return_to=https%3A%2F%2Fevil.example", sso.path("logout"));
    let answer = app.post(token.value("access_token"), &elsewhere, &json!({})).await.expect(400);
    assert_eq!(answer.json()["error_code"], "BAD_REQUEST");
    assert!(counts(&sso, &token).await, "nothing has happened yet");
    let listed = format!("{}?return_to=https%3A%2F%2Fapp.example.com%2Fother%3Fa%3Db", sso.path("logout"));
    let onward = app.post(token.value("access_token"), &listed, &json!({})).await.body(200);
    let journey = Journey::at(onward["location"].as_str().unwrap());
    let honest = Sent::done(&sso, &journey);
    let cases: [(&str, Change); 7] = [
        ("inResponseTo", |sent| sent.attributes = " InResponseTo=\"_other\"".to_owned()),
        ("destination", |sent| sent.destination.push('x')),
        ("issuer", |sent| sent.issuer = "https://evil.example".to_owned()),
        ("signature", |sent| sent.key = key(1)),
        ("status", |sent| sent.inside = sent.inside.replace("Success", "Responder")),
        ("RelayState", |sent| sent.relay_state = Some("x".to_owned())),
        ("RelayState", |sent| sent.relay_state = None),
    ];
    for (reason, change) in cases {
        let mut sent = honest.clone();
        change(&mut sent);
        refuses(&sso, &sent.query(), reason).await;
    }
    let query = honest.query();
    refuses(&sso, query.split_once("&SigAlg").unwrap().0, "algorithm is not allowed").await;
    let theirs = Sso::new(&app).await;
    refuses(&theirs, &query, "RelayState").await;
    let answer = told(&sso, &query).await.expect(302);
    assert_eq!(answer.header("location"), Some("https://app.example.com/other?a=b"));
    refuses(&sso, &query, "RelayState").await;
}

async fn a_provider_signs_somebody_out(app: TestApp) {
    let [one, two] = app.copies().await;
    let certificates = [key(0).certificate(), &ec_key().1];
    let sso = Sso::with(&one, |saml, _| saml.metadata = metadata_of(&certificates), |_| {}).await;
    let (first, bob) = (called(&sso, "alice").await, called(&sso, "bob").await);
    // The provider of another workspace calls somebody the same.
    let other = Sso::new(&one).await;
    let namesake = called(&other, "alice").await;
    // Another session is none of these.
    told(&sso, &Sent::wish(&sso, "alice", &["s2"]).query()).await.expect(302);
    assert!(counts(&sso, &first).await);

    let sent = Sent::wish(&sso, "alice", &["s2", "s1"]);
    let answer = told(&sso, &sent.query()).await.expect(302);
    let location = answer.header("location").unwrap();
    assert!(location.starts_with(&format!("{SLO}/done?SAMLResponse=")), "{location}");
    let value = |name: &str| {
        url::form_urlencoded::parse(location.split_once('?').unwrap().1.as_bytes())
            .find(|(key, _)| key == name)
            .unwrap()
            .1
            .into_owned()
    };
    assert_eq!(value("RelayState"), "of the provider");
    let packed = STANDARD.decode(value("SAMLResponse")).unwrap();
    let response = String::from_utf8(saml_rs::binding::deflate_raw_decode(&packed).unwrap()).unwrap();
    for part in ["status:Success", &format!("InResponseTo=\"{}\"", sent.id), "<samlp:LogoutResponse"] {
        assert!(response.contains(part), "{part} in {response}");
    }
    assert!(!counts(&sso, &first).await);
    let refresh = json!({ "refresh_token": first.value("refresh_token") });
    one.post("", "/api/auth/refresh", &refresh).await.expect(401);
    let there = async || two.get_as(first.value("access_token"), "/api/auth/me").await.status == 401;
    within(Duration::from_secs(2), "the other copy knows", there).await;
    assert!(counts(&sso, &bob).await && counts(&other, &namesake).await);

    // One that names no session means all of them; one that is known to nobody is no error.
    let again = [called(&sso, "alice").await, called(&sso, "alice").await];
    told(&sso, &Sent { algorithm: EC, ..Sent::wish(&sso, "alice", &[]) }.query()).await.expect(302);
    assert!(!counts(&sso, &again[0]).await && !counts(&sso, &again[1]).await);
    told(&sso, &Sent::wish(&sso, "nobody", &[]).query()).await.expect(302);
    let sql = one.sql().await;
    let of_log = "SELECT count(*) FROM audit_log WHERE action = 'user.sign_out' AND target LIKE 'user:%'";
    assert_eq!(sql.number(of_log).await, 3, "each is in the log");
    sql.close().await;
}

async fn a_wish_that_does_not_count_ends_nothing(app: TestApp) {
    let sso = Sso::new(&app).await;
    let landed = sso.sign_in().await;
    let honest = Sent::wish(&sso, "alice@example.com", &["s1"]);
    let cases: [(&str, Change); 11] = [
        ("signature", |sent| sent.key = key(1)),
        ("not suitable", |sent| sent.algorithm = EC),
        ("algorithm is not allowed", |sent| sent.algorithm = "http://www.w3.org/2000/09/xmldsig#rsa-sha1"),
        ("algorithm is not allowed", |sent| sent.algorithm = "http://www.w3.org/2000/09/xmldsig#hmac-sha1"),
        ("destination", |sent| sent.destination.push('x')),
        ("issuer", |sent| sent.issuer = "https://evil.example".to_owned()),
        ("too old", |sent| sent.issued = Timestamp::from_seconds(sent.issued.seconds() - 361)),
        ("too old", |sent| sent.issued = Timestamp::from_seconds(sent.issued.seconds() + 61)),
        ("time window", |sent| sent.attributes = " NotOnOrAfter=\"2020-01-01T00:00:00Z\"".to_owned()),
        ("comment", |sent| sent.inside = sent.inside.replace("alice", "al<!-- -->ice")),
        ("names nobody", |sent| sent.inside = "<samlp:SessionIndex>s1</samlp:SessionIndex>".to_owned()),
    ];
    for (reason, change) in cases {
        let mut sent = honest.clone();
        change(&mut sent);
        refuses(&sso, &sent.query(), reason).await;
    }
    // Nobody signed it, or something else.
    refuses(&sso, honest.octets(&honest.xml()).split_once("&SigAlg").unwrap().0, "algorithm is not allowed").await;
    refuses(&sso, &honest.octets(&honest.xml()), "signature").await;
    let other = Sent { relay_state: Some("another".to_owned()), ..honest.clone() }.query();
    refuses(&sso, &other.replace("another", "changed"), "signature").await;
    refuses(&sso, &format!("{}&RelayState=twice", honest.query()), "RelayState").await;
    let dtd = format!("<!DOCTYPE x [<!ENTITY a \"ha\">]>{}", honest.xml());
    refuses(&sso, &honest.query_of(&dtd), "DTD").await;
    refuses(&sso, &honest.query_of("x"), "xml").await;
    refuses(&sso, &honest.query_of(&format!("{}{}", honest.xml(), " ".repeat(600 * 1024))), "LIMIT").await;
    for nothing in ["", "SAMLRequest=x", "SAMLRequest=%&SigAlg=x"] {
        told(&sso, nothing).await.expect(400);
    }
    assert!(counts(&sso, &landed).await);
    // At another workspace, even of the same provider.
    let theirs = Sso::new(&app).await;
    refuses(&theirs, &honest.query(), "destination").await;
    // It counts once.
    told(&sso, &honest.query()).await.expect(302);
    assert!(!counts(&sso, &landed).await);
    let landed = sso.sign_in().await;
    refuses(&sso, &honest.query(), "used before").await;
    assert!(counts(&sso, &landed).await);
}

async fn a_provider_that_takes_nobody_is_not_asked(app: TestApp) {
    let without = |metadata: &str| {
        let (before, rest) = metadata.split_once("<md:SingleLogoutService").unwrap();
        format!("{before}{}", rest.split_once("/>").unwrap().1)
    };
    let sso = Sso::with(&app, |saml, _| saml.metadata = without(&saml.metadata), |_| {}).await;
    let landed = sso.sign_in().await;
    told(&sso, &Sent::wish(&sso, "alice@example.com", &[]).query()).await.expect(403);
    assert!(counts(&sso, &landed).await);
    let onward = app.post(landed.value("access_token"), &sso.path("logout"), &json!({})).await.body(200);
    assert_eq!(onward, json!({ "location": FRONT_END }));
    assert!(!counts(&sso, &landed).await);
    // Nor is one from which the token does not come.
    let other = Sso::new(&app).await;
    let landed = sso.sign_in().await;
    let onward = app.post(landed.value("access_token"), &other.path("logout"), &json!({})).await.body(200);
    assert_eq!(onward, json!({ "location": FRONT_END }));
    assert!(!counts(&sso, &landed).await);
}

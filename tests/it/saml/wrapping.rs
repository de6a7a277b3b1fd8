//! Signature wrapping: a signed assertion is moved to where nobody reads it, and a forged one put where
//! somebody might. The eight shapes are those of "On Breaking SAML" (USENIX Security 2012), numbered as
//! penetration testers number them.

use crate::support::saml::{Journey, Says, Sign, Sso, key, signature};
use crate::support::{TestApp, both_engines};

both_engines!(
    a_forged_response_around_a_signed_one,
    a_forged_assertion_beside_or_around_a_signed_one,
    a_forged_assertion_in_an_odd_place,
    one_id_for_two,
    several_assertions,
    a_signature_that_asks_for_more,
);

/// That a document is refused, nobody is made, and the log knows why.
async fn refuses(sso: &Sso<'_>, journey: &Journey, name: &str, reason: &str, document: &str) {
    let before = (sso.users().await, sso.reasons().await.len());
    let answer = sso.post(&journey.relay_state, document).await;
    assert_eq!(answer.status, 400, "{name}: {answer:?}\n{document}");
    let reasons = sso.reasons().await;
    assert_eq!((sso.users().await, reasons.len()), (before.0, before.1 + 1), "{name}");
    assert!(reasons.last().unwrap().contains(reason), "{name}: {} is not {reason}", reasons.last().unwrap());
}

/// What the provider said, and what somebody would like it to have said.
async fn ground<'a>(app: &'a TestApp) -> (Sso<'a>, Journey, Says, Says) {
    let sso = Sso::new(app).await;
    let journey = sso.set_out().await;
    let honest = sso.says(&journey);
    let forged = Says {
        assertion_id: "_evil".to_owned(),
        response_id: "_evilresponse".to_owned(),
        name_id: "root@example.com".to_owned(),
        attributes: vec![("email".to_owned(), "root@example.com".to_owned())],
        ..honest.clone()
    };
    (sso, journey, honest, forged)
}

/// With this at the end of the signature.
fn in_signature(document: &str, more: &str) -> String {
    document.replacen("</ds:Signature>", &format!("{more}</ds:Signature>"), 1)
}

fn object(inside: &str) -> String {
    format!("<ds:Object>{inside}</ds:Object>")
}

async fn a_forged_response_around_a_signed_one(app: TestApp) {
    let (sso, journey, honest, forged) = ground(&app).await;
    let unsigned = honest.around(&honest.unsigned());
    let sealed = honest.sealed(&honest.unsigned());
    let proof = signature(&unsigned, &honest.response_id, honest.key, Sign::Sha256);
    let evil = forged.around(&forged.unsigned());
    let with = |document: &str, more: &str| document.replacen("</saml:Issuer>", &format!("</saml:Issuer>{more}"), 1);
    // 1: the original inside the signature of the forged one.
    let enveloped = in_signature(&proof, &object(&unsigned));
    refuses(&sso, &journey, "XSW1", "over another element", &with(&evil, &enveloped)).await;
    refuses(&sso, &journey, "XSW1, bare", "over another element", &with(&evil, &in_signature(&proof, &unsigned))).await;
    // 2: beside the signature.
    refuses(&sso, &journey, "XSW2", "over another element", &with(&evil, &format!("{unsigned}{proof}"))).await;
    refuses(&sso, &journey, "XSW2, after", "over another element", &with(&evil, &format!("{proof}{unsigned}"))).await;
    refuses(&sso, &journey, "the whole signed one inside", "Response where none belongs", &with(&evil, &sealed)).await;
    sso.post(&journey.relay_state, &sealed).await.expect(302);
}

async fn a_forged_assertion_beside_or_around_a_signed_one(app: TestApp) {
    let (sso, journey, honest, forged) = ground(&app).await;
    let (good, bare, evil) = (honest.assertion(), honest.unsigned(), forged.unsigned());
    let proof = signature(&bare, &honest.assertion_id, honest.key, Sign::Sha256);
    let with_proof = |proof: &str| evil.replacen("</saml:Issuer>", &format!("</saml:Issuer>{proof}"), 1);
    // 3: the forged one before the original, which stays as it was.
    refuses(&sso, &journey, "XSW3", "more than one assertion", &honest.around(&format!("{evil}{good}"))).await;
    refuses(&sso, &journey, "XSW3, after", "more than one assertion", &honest.around(&format!("{good}{evil}"))).await;
    // 4: around it.
    let around = evil.replacen("</saml:Assertion>", &format!("{good}</saml:Assertion>"), 1);
    refuses(&sso, &journey, "XSW4", "Assertion where none belongs", &honest.around(&around)).await;
    // 5: the signature is in the forged one, the original behind it.
    refuses(&sso, &journey, "XSW5", "over another element", &honest.around(&format!("{}{bare}", with_proof(&proof))))
        .await;
    refuses(
        &sso,
        &journey,
        "XSW5, before",
        "over another element",
        &honest.around(&format!("{bare}{}", with_proof(&proof))),
    )
    .await;
    // 6: the same, with the original inside the signature.
    let enveloped = with_proof(&in_signature(&proof, &bare));
    refuses(&sso, &journey, "XSW6", "over another element", &honest.around(&enveloped)).await;
    sso.post(&journey.relay_state, &honest.response()).await.expect(302);
}

async fn a_forged_assertion_in_an_odd_place(app: TestApp) {
    let (sso, journey, honest, forged) = ground(&app).await;
    let (good, bare, evil) = (honest.assertion(), honest.unsigned(), forged.unsigned());
    let proof = signature(&bare, &honest.assertion_id, honest.key, Sign::Sha256);
    // 7: in extensions.
    let extensions = format!("<samlp:Extensions>{evil}</samlp:Extensions>");
    refuses(&sso, &journey, "XSW7", "Assertion where none belongs", &honest.around(&format!("{extensions}{good}")))
        .await;
    let hidden = format!("<samlp:Extensions>{good}</samlp:Extensions>{evil}");
    refuses(&sso, &journey, "XSW7, turned around", "Assertion where none belongs", &honest.around(&hidden)).await;
    // 8: the original in an object of the signature of the forged one.
    let enveloped = in_signature(&proof, &object(&bare));
    let eighth = evil.replacen("</saml:Issuer>", &format!("</saml:Issuer>{enveloped}"), 1);
    refuses(&sso, &journey, "XSW8", "over another element", &honest.around(&eighth)).await;
    // In what confirms the subject, and in an attribute.
    let data = "</saml:SubjectConfirmationData>";
    refuses(
        &sso,
        &journey,
        "in the confirmation",
        "Assertion where none belongs",
        &honest.around(&evil.replacen(data, &format!("{good}{data}"), 1)),
    )
    .await;
    let value = "</saml:AttributeValue>";
    refuses(
        &sso,
        &journey,
        "in an attribute",
        "Assertion where none belongs",
        &honest.around(&evil.replacen(value, &format!("{good}{value}"), 1)),
    )
    .await;
    sso.post(&journey.relay_state, &honest.response()).await.expect(302);
}

async fn one_id_for_two(app: TestApp) {
    let (sso, journey, honest, mut forged) = ground(&app).await;
    forged.assertion_id.clone_from(&honest.assertion_id);
    let (good, evil) = (honest.assertion(), forged.unsigned());
    refuses(&sso, &journey, "two assertions", "one ID", &honest.around(&format!("{evil}{good}"))).await;
    forged.assertion_id = "_other".to_owned();
    for name in ["id", "Id", "iD", "xml:id"] {
        let twin = forged.unsigned().replacen(" ID=", &format!(" {name}=\"{}\" ID=", honest.assertion_id), 1);
        refuses(&sso, &journey, name, "one ID", &honest.around(&format!("{twin}{good}"))).await;
    }
    let response = Says { response_id: honest.assertion_id.clone(), ..honest.clone() };
    refuses(&sso, &journey, "response and assertion", "one ID", &response.around(&good)).await;
}

async fn several_assertions(app: TestApp) {
    let (sso, journey, honest, mut forged) = ground(&app).await;
    forged.key = key(1);
    let both = format!("{}{}", honest.assertion(), forged.assertion());
    refuses(&sso, &journey, "one of somebody else's key", "more than one assertion", &honest.around(&both)).await;
    forged.key = key(0);
    let both = format!("{}{}", honest.assertion(), forged.assertion());
    refuses(&sso, &journey, "two people, both signed", "more than one assertion", &honest.around(&both)).await;
    let twin = Says { assertion_id: "_twin".to_owned(), ..honest.clone() };
    let both = format!("{}{}", honest.assertion(), twin.assertion());
    refuses(&sso, &journey, "the same person twice", "more than one assertion", &honest.around(&both)).await;
    refuses(&sso, &journey, "under one signature", "more than one assertion", &honest.sealed(&both)).await;
}

async fn a_signature_that_asks_for_more(app: TestApp) {
    let (sso, journey, honest, _) = ground(&app).await;
    let good = honest.response();
    let enveloped = "http://www.w3.org/2000/09/xmldsig#enveloped-signature";
    for transform in [
        "http://www.w3.org/TR/1999/REC-xslt-19991116",
        "http://www.w3.org/TR/1999/REC-xpath-19991116",
        "http://www.w3.org/2000/09/xmldsig#base64",
        "http://www.w3.org/TR/2001/REC-xml-c14n-20010315",
    ] {
        refuses(&sso, &journey, transform, "algorithm is not allowed", &good.replacen(enveloped, transform, 1)).await;
    }
    let reference = format!("URI=\"#{}\"", honest.assertion_id);
    for uri in ["", "#", "#xpointer(/)", "#xpointer(id('x'))", "https://evil.example/", "file:///etc/passwd", "#_x"] {
        refuses(&sso, &journey, uri, "over another element", &good.replacen(&reference, &format!("URI=\"{uri}\""), 1))
            .await;
    }
    // Two references, two signatures, the certificate and the key of somebody else in the message.
    let (_, rest) = good.split_once("<ds:Reference ").unwrap();
    let one = format!("<ds:Reference {}</ds:Reference>", rest.split_once("</ds:Reference>").unwrap().0);
    refuses(
        &sso,
        &journey,
        "two references",
        "algorithm is not allowed",
        &good.replacen(&one, &format!("{one}{one}"), 1),
    )
    .await;
    let proof = signature(&honest.unsigned(), &honest.assertion_id, key(1), Sign::Sha256);
    let twice = good.replacen("<ds:Signature ", &format!("{proof}<ds:Signature "), 1);
    refuses(&sso, &journey, "two signatures", "signed twice", &twice).await;
    let foreign = Says { key: key(1), ..honest.clone() }.response();
    let disguised = foreign.replace(key(1).certificate(), key(0).certificate());
    refuses(&sso, &journey, "our certificate over their signature", "ignature", &disguised).await;
    refuses(&sso, &journey, "their certificate over their signature", "certificate mismatch", &foreign).await;
    for hmac in ["http://www.w3.org/2000/09/xmldsig#hmac-sha1", "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256"] {
        let changed = good.replacen("http://www.w3.org/2001/04/xmldsig-more#rsa-sha256", hmac, 1);
        refuses(&sso, &journey, hmac, "algorithm is not allowed", &changed).await;
    }
    sso.post(&journey.relay_state, &good).await.expect(302);
}

//! What is refused, one message a rule. Nobody is told why; the audit log is.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use crate::support::saml::{Journey, Says, Sign, Sso, key, signed};
use crate::support::{TestApp, both_engines};

both_engines!(
    what_is_said_wrong_is_refused,
    what_is_no_message_is_refused,
    a_leeway_of_a_minute_is_given,
    what_is_large_or_deep_is_refused,
    a_journey_is_finished_where_it_began,
    a_message_counts_once,
    of_many_at_once_one_counts,
);

/// That a document is refused, nobody is made, nothing is told, and the log knows this.
async fn refuses(sso: &Sso<'_>, journey: &Journey, document: &str, reason: &str) {
    let before = (sso.users().await, sso.reasons().await.len());
    let answer = sso.post(&journey.relay_state, document).await;
    let expected =
        json!({ "detail": "The sign-in could not be completed", "error_code": "BAD_REQUEST", "status_code": 400 });
    assert_eq!(answer.json(), expected, "{reason}: {document}");
    assert_eq!(answer.status, 400);
    let reasons = sso.reasons().await;
    assert_eq!((sso.users().await, reasons.len()), (before.0, before.1 + 1));
    assert!(reasons.last().unwrap().contains(reason), "{} is not {reason}", reasons.last().unwrap());
}

type Change = fn(&mut Says);

async fn what_is_said_wrong_is_refused(app: TestApp) {
    let sso = Sso::new(&app).await;
    let cases: [(&str, Change); 20] = [
        ("signature missing", |says| says.sign = Sign::Nothing),
        ("certificate mismatch", |says| says.key = key(1)),
        ("algorithm is not allowed", |says| says.sign = Sign::Sha1),
        ("algorithm is not allowed", |says| says.sign = Sign::Sha1Digest),
        ("audience", |says| says.audience = Some("https://other.example/metadata".to_owned())),
        ("audience", |says| says.audience = None),
        ("recipient", |says| says.recipient.push('x')),
        ("destination", |says| says.destination = Some("https://other.example/acs".to_owned())),
        ("issued by", |says| says.issuer = "https://evil.example".to_owned()),
        ("inResponseTo", |says| says.response_in_response_to = Some("_other".to_owned())),
        ("inResponseTo", |says| says.response_in_response_to = None),
        ("InResponseTo", |says| says.in_response_to = Some("_other".to_owned())),
        ("InResponseTo", |says| says.in_response_to = None),
        ("time window", |says| says.not_on_or_after = -61),
        ("time window", |says| says.not_before = 61),
        ("comment", |says| says.name_id = "root@example.com<!-- -->.evil.example".to_owned()),
        ("comment", |says| says.name_id = "root@example.com<!-- x --><!-- y -->".to_owned()),
        ("comment", |says| says.name_id = "<![CDATA[root@example.com]]>".to_owned()),
        ("instruction", |says| says.name_id = "root@example.com<?x y?>".to_owned()),
        ("transient", |says| says.name_id_format = "urn:oasis:names:tc:SAML:2.0:nameid-format:transient"),
    ];
    for (reason, change) in cases {
        let journey = sso.set_out().await;
        let mut says = sso.says(&journey);
        change(&mut says);
        refuses(&sso, &journey, &says.response(), reason).await;
    }
    // The issuer of the assertion alone, under a response of the right one.
    let journey = sso.set_out().await;
    let says = sso.says(&journey);
    let other = Says { issuer: "https://evil.example".to_owned(), ..says.clone() };
    refuses(&sso, &journey, &says.around(&other.assertion()), "issuer mismatch").await;
    // A comment that canonicalization takes out of what was signed.
    let clean = Says { name_id: "root@example.com.evil.example".to_owned(), ..says.clone() };
    let cut = clean.response().replacen("root@example.com.", "root@example.com<!---->.", 1);
    refuses(&sso, &journey, &cut, "comment").await;
    // What was signed, and changed afterwards.
    let tampered = says.response().replace("alice@example.com", "mallory@example.com");
    refuses(&sso, &journey, &tampered, "signature").await;
    // No success.
    let failed = says.response().replace("status:Success", "status:Responder");
    refuses(&sso, &journey, &failed, "status not success").await;
    // The message that was changed is not used up by any of it.
    sso.post(&journey.relay_state, &says.response()).await.expect(302);
}

async fn what_is_no_message_is_refused(app: TestApp) {
    let sso = Sso::new(&app).await;
    let journey = sso.set_out().await;
    let says = sso.says(&journey);
    let whole = says.response();
    let laughs =
        "<!DOCTYPE x [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;\"><!ENTITY c \"&b;&b;&b;&b;&b;&b;\">]>";
    refuses(&sso, &journey, &format!("{laughs}{}", whole.replacen("Alice Example", "&c;", 1)), "DTD").await;
    refuses(&sso, &journey, &format!("<!DOCTYPE x SYSTEM \"file:///etc/passwd\">{whole}"), "DTD").await;
    refuses(&sso, &journey, &whole.replacen("Alice Example", "&unknown;", 1), "xml error").await;
    refuses(&sso, &journey, &whole[..whole.len() - 40], "xml error").await;
    refuses(&sso, &journey, &whole[..whole.len() / 2], "xml error").await;
    refuses(&sso, &journey, "", "xml error").await;
    refuses(&sso, &journey, "not XML", "xml error").await;
    refuses(&sso, &journey, &format!("{whole}{whole}"), "xml error").await;
    refuses(&sso, &journey, "<Response/>", "no assertion").await;
    refuses(&sso, &journey, &says.assertion(), "no Response").await;
    refuses(&sso, &journey, &says.around(""), "no assertion").await;
    for raw in ["", "%", "AAAA", &STANDARD.encode([0xff, 0xfe, 0x3c, 0x00])] {
        sso.post_raw(&journey.relay_state, raw).await.expect(400);
    }
    for body in ["", "RelayState=x", "SAMLResponse=a&SAMLResponse=b"] {
        app.raw_form(&sso.path("acs"), None, body).await.expect(400);
    }
    let json = app.post("", &sso.path("acs"), &json!({})).await;
    assert_eq!((json.status, &json.json()["error_code"]), (415, &json!("BAD_REQUEST")));
    // A line break every 76 characters is how some write base64.
    let encoded = STANDARD.encode(&whole);
    let lines: Vec<&str> = encoded.as_bytes().chunks(76).map(|line| std::str::from_utf8(line).unwrap()).collect();
    sso.post_raw(&journey.relay_state, &lines.join("\r\n")).await.expect(302);
}

async fn a_leeway_of_a_minute_is_given(app: TestApp) {
    let sso = Sso::new(&app).await;
    sso.sign_in_as(|says| says.not_on_or_after = -59).await;
    sso.sign_in_as(|says| says.not_before = 59).await;
    // What the provider says is good for five minutes.
    let journey = sso.set_out().await;
    let document = sso.says(&journey).response();
    app.advance(Duration::from_secs(361));
    refuses(&sso, &journey, &document, "time window").await;
    // And nobody is waited for longer than fifteen.
    app.advance(Duration::from_secs(600));
    let late = sso.says(&journey).response();
    refuses(&sso, &journey, &late, "RelayState").await;
}

async fn what_is_large_or_deep_is_refused(app: TestApp) {
    let sso = Sso::new(&app).await;
    let journey = sso.set_out().await;
    let mut says = sso.says(&journey);
    says.attributes.push(("padding".to_owned(), "x".repeat(1024 * 1024)));
    let answer = sso.post(&journey.relay_state, &says.response()).await;
    assert_eq!((answer.status, answer.json()["error_code"].as_str()), (413, Some("BAD_REQUEST")));
    // Up to 512 KiB of a form are read, whatever other bodies may have.
    says.attributes.last_mut().unwrap().1.truncate(300 * 1024);
    sso.post(&journey.relay_state, &says.response()).await.expect(302);

    let journey = sso.set_out().await;
    let says = sso.says(&journey);
    for depth in [64, 1_000, 30_000] {
        let deep = format!("{}{}", "<x>".repeat(depth), "</x>".repeat(depth));
        refuses(&sso, &journey, &says.around(&deep), "depth").await;
    }
    let wide = "<x/>".repeat(60_000);
    refuses(&sso, &journey, &says.around(&wide), "nodes").await;
    let many: String = (0..5_000).map(|n| format!(" a{n}=\"\"")).collect();
    refuses(&sso, &journey, &says.around(&format!("<x{many}/>")), "attributes").await;
}

async fn a_journey_is_finished_where_it_began(app: TestApp) {
    let [ours, theirs] = [Sso::new(&app).await, Sso::new(&app).await];
    let journey = ours.set_out().await;
    // At another workspace, even of the same provider.
    refuses(&theirs, &journey, &theirs.says(&journey).response(), "RelayState").await;
    refuses(&theirs, &journey, &ours.says(&journey).response(), "RelayState").await;
    // An answer to somebody else's request.
    let other = ours.set_out().await;
    refuses(&ours, &journey, &ours.says(&other).response(), "inResponseTo").await;
    for unknown in ["", "x", &journey.relay_state[1..], &format!("{}x", journey.relay_state)] {
        let lost = Journey { relay_state: unknown.to_owned(), ..journey.clone() };
        refuses(&ours, &lost, &ours.says(&journey).response(), "RelayState").await;
    }
    ours.post(&journey.relay_state, &ours.says(&journey).response()).await.expect(302);
}

async fn a_message_counts_once(app: TestApp) {
    let sso = Sso::new(&app).await;
    let journey = sso.set_out().await;
    let says = sso.says(&journey);
    sso.post(&journey.relay_state, &says.response()).await.expect(302);
    refuses(&sso, &journey, &says.response(), "RelayState").await;
    // The same assertion again, in answer to a new request: signed by the provider, but no answer to it.
    let again = sso.set_out().await;
    let wrapped = Says { response_in_response_to: Some(again.request_id.clone()), ..says.clone() };
    refuses(&sso, &again, &wrapped.response(), "InResponseTo").await;
    // An ID that was used is used, whatever else is new.
    let mut reused = sso.says(&again);
    reused.assertion_id.clone_from(&says.assertion_id);
    refuses(&sso, &again, &reused.response(), "used before").await;
    let other = signed(&sso.says(&again).unsigned(), "_nothing", key(0), Sign::Sha256);
    refuses(&sso, &again, &sso.says(&again).around(&other), "signature").await;
    sso.post(&again.relay_state, &sso.says(&again).response()).await.expect(302);
}

async fn of_many_at_once_one_counts(app: TestApp) {
    let [one, two] = app.copies().await;
    let sso = Sso::new(&one).await;
    let journey = sso.set_out().await;
    let document = STANDARD.encode(sso.says(&journey).response());
    let path = sso.path("acs");
    let fields = [("SAMLResponse", document.as_str()), ("RelayState", journey.relay_state.as_str())];
    let posts = (0..100).map(|n| [&one, &two][n % 2].form(&path, &fields));
    let answers = futures_util::future::join_all(posts).await;
    let let_in = answers.iter().filter(|answer| answer.status == 302).count();
    assert!(answers.iter().all(|answer| matches!(answer.status, 302 | 400)), "{answers:?}");
    assert_eq!(let_in, 1);
    let sql = one.sql().await;
    assert_eq!(sql.number("SELECT count(*) FROM identities").await, 1);
    assert_eq!(sql.number("SELECT count(*) FROM token_families").await, 1);
    sql.close().await;
}

//! Who is let in, as whom, and where they land.

use std::time::Duration;

use gatehouse::crypto::certificate::inspect;
use gatehouse::domain::access::Powers;
use gatehouse::domain::connections::{self, ConnectionChange};
use gatehouse::domain::organizations::{self, OrganizationChange};
use gatehouse::domain::users::{self, NewPassword};
use gatehouse::domain::{memberships, roles};
use gatehouse::model::connection::Mapping;
use gatehouse::model::organization::MembershipRole;
use gatehouse::model::role::RoleScope;
use serde_json::json;

use crate::support::saml::{FRONT_END, Landed, Says, Sign, Sso, ec_key, encrypted, key, metadata, metadata_of};
use crate::support::{TestApp, both_engines, claims_of, make_user, within};

both_engines!(
    somebody_new_is_let_in,
    the_same_person_comes_again,
    a_workspace_without_a_connection_is_not_there,
    metadata_say_what_a_provider_must_know,
    a_request_is_signed,
    the_key_stays_the_same,
    a_place_to_return_to_is_on_the_list,
    a_signed_response_covers_its_assertion,
    two_certificates_are_fine,
    a_signature_by_ecdsa_counts,
    an_encrypted_assertion_is_opened,
    roles_come_by_the_mapping,
    nobody_new_where_that_is_off,
    an_address_that_has_an_account_is_not_taken_over,
    a_member_with_an_address_of_the_company_is_linked,
    who_is_disabled_stays_out,
    a_second_factor_is_not_skipped,
    a_provider_may_begin_where_it_is_allowed,
    a_workspace_tells_whether_it_has_a_connection,
);

async fn somebody_new_is_let_in(app: TestApp) {
    let sso = Sso::new(&app).await;
    let before = sso.users().await;
    let landed = sso.sign_in().await;
    assert_eq!(landed.at, FRONT_END);
    let names: Vec<&str> = landed.fragment.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["access_token", "refresh_token", "token_type", "expires_in"]);
    assert_eq!(landed.value("token_type"), "Bearer");
    assert!(landed.value("expires_in").parse::<u64>().unwrap() >= 60);
    assert_eq!(sso.users().await, before + 1);

    let me = app.get_as(landed.value("access_token"), "/api/auth/me").await.body(200);
    assert_eq!((&me["email"], &me["name"]), (&json!("alice@example.com"), &json!("Alice Example")));
    assert_eq!(me["workspaces"][0]["id"], sso.workspace.uuid().to_string());
    assert_eq!(me["workspaces"][0]["role"], "member");
    let claims = claims_of(landed.value("access_token"));
    assert_eq!(claims["organization_id"], sso.workspace.uuid().to_string());
    let body = json!({ "refresh_token": landed.value("refresh_token") });
    app.post("", "/api/auth/refresh", &body).await.expect(200);
}

async fn the_same_person_comes_again(app: TestApp) {
    let sso = Sso::new(&app).await;
    let first = claims_of(sso.sign_in().await.value("access_token"))["sub"].clone();
    let users = sso.users().await;
    // By what the provider calls them, whatever else has changed.
    let again = sso.sign_in_as(|says| says.attributes = vec![("email".to_owned(), "new@example.com".to_owned())]);
    assert_eq!(claims_of(again.await.value("access_token"))["sub"], first);
    assert_eq!(sso.users().await, users);
    let other = sso.sign_in_as(|says| {
        says.name_id = "bob".to_owned();
        says.attributes.clear();
    });
    assert_ne!(claims_of(other.await.value("access_token"))["sub"], first);
}

async fn a_workspace_without_a_connection_is_not_there(app: TestApp) {
    let sso = Sso::new(&app).await;
    let ctx = app.ctx().await;
    let new = organizations::NewOrganization { name: "None", ..Default::default() };
    let other = organizations::create(&ctx, &new).await.unwrap().id.uuid().to_string();
    for id in [other.as_str(), "00000000-0000-4000-8000-000000000000", "x"] {
        for answer in [
            app.get(&format!("/api/sso/saml/metadata/{id}")).await,
            app.get(&format!("/api/sso/saml/login/{id}")).await,
            app.form(&format!("/api/sso/saml/acs/{id}"), &[("SAMLResponse", "x")]).await,
        ] {
            assert_eq!(answer.status, 404, "{answer:?}");
            assert_eq!(answer.json()["error_code"], "NOT_FOUND");
            assert_eq!(answer.json()["status_code"], 404);
        }
    }
    connections::remove(&ctx, sso.connection.id).await.unwrap();
    app.get(&sso.path("metadata")).await.expect(404);
}

async fn metadata_say_what_a_provider_must_know(app: TestApp) {
    let sso = Sso::new(&app).await;
    let answer = app.get(&sso.path("metadata")).await.expect(200);
    assert!(answer.header("content-type").unwrap().starts_with("application/samlmetadata+xml"));
    let xml = &answer.text;
    for part in [
        format!("entityID=\"{}\"", sso.entity_id()),
        format!("Binding=\"urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST\" Location=\"{}\"", sso.acs()),
        "WantAssertionsSigned=\"true\"".to_owned(),
        "AuthnRequestsSigned=\"true\"".to_owned(),
        "use=\"signing\"".to_owned(),
    ] {
        assert!(xml.contains(&part), "{part} in {xml}");
    }
    assert_eq!(inspect(certificate(xml)).unwrap().rsa_bits, Some(2048));
    assert!(saml_rs::metadata::SpMetadata::from_xml(xml).unwrap().get_entity_id().is_some());
}

fn certificate(metadata: &str) -> &str {
    metadata.split_once("<ds:X509Certificate>").unwrap().1.split_once('<').unwrap().0
}

async fn a_request_is_signed(app: TestApp) {
    let sso = Sso::new(&app).await;
    let location = app.get(&sso.path("login")).await.expect(302).header("location").unwrap().to_owned();
    let (_, query) = location.split_once("tenant=7&").unwrap();
    let (signed, signature) = query.split_once("&Signature=").unwrap();
    let names: Vec<&str> = signed.split('&').map(|pair| pair.split_once('=').unwrap().0).collect();
    assert_eq!(names, ["SAMLRequest", "RelayState", "SigAlg"]);
    assert!(signed.ends_with("rsa-sha256"), "{signed}");
    let signature = url::form_urlencoded::parse(format!("s={signature}").as_bytes()).next().unwrap().1.into_owned();
    let metadata = app.get(&sso.path("metadata")).await.expect(200).text;
    let sound = saml_rs::crypto::verify_message_signature(
        signed,
        &signature,
        certificate(&metadata),
        "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256",
    );
    assert!(sound.unwrap());

    let journey = sso.set_out().await;
    assert!(journey.relay_state.len() <= 80, "Bindings §3.4.3");
    let request = &journey.request;
    assert!(request.contains(&format!("AssertionConsumerServiceURL=\"{}\"", sso.acs())), "{request}");
    assert!(request.contains("Destination=\"https://idp.example.com/sso?tenant=7\""), "{request}");
    assert!(request.contains(&format!("<saml:Issuer>{}</saml:Issuer>", sso.entity_id())), "{request}");
    assert_ne!(journey.request_id, sso.set_out().await.request_id);
}

async fn the_key_stays_the_same(app: TestApp) {
    let sso = Sso::new(&app).await;
    let (before, path) = (app.get(&sso.path("metadata")).await.expect(200).text, sso.path("metadata"));
    let app = app.restart().await;
    assert_eq!(certificate(&app.get(&path).await.expect(200).text), certificate(&before));
}

async fn a_place_to_return_to_is_on_the_list(app: TestApp) {
    let sso = Sso::new(&app).await;
    let journey = sso.set_out_for("?return_to=https%3A%2F%2Fapp.example.com%2Fother%3Fa%3Db").await;
    let answer = sso.post(&journey.relay_state, &sso.says(&journey).response()).await;
    assert_eq!(Landed::of(&answer).at, "https://app.example.com/other?a=b");
    for wrong in ["https://app.example.com/signed-in/", "https://APP.example.com/signed-in", "https://evil.example"] {
        let query = url::form_urlencoded::Serializer::new(String::new()).append_pair("return_to", wrong).finish();
        let answer = app.get(&format!("{}?{query}", sso.path("login"))).await;
        assert_eq!((answer.status, &answer.json()["error_code"]), (400, &json!("BAD_REQUEST")), "{wrong}");
    }
}

async fn a_signed_response_covers_its_assertion(app: TestApp) {
    let sso = Sso::new(&app).await;
    let journey = sso.set_out().await;
    let says = sso.says(&journey);
    Landed::of(&sso.post(&journey.relay_state, &says.sealed(&says.unsigned())).await);
    let journey = sso.set_out().await;
    let says = sso.says(&journey);
    Landed::of(&sso.post(&journey.relay_state, &says.sealed(&says.assertion())).await);
}

async fn two_certificates_are_fine(app: TestApp) {
    let sso = Sso::with(&app, |saml, _| saml.metadata = metadata(&[key(1), key(0)]), |_| {}).await;
    sso.sign_in().await;
    sso.sign_in_as(|says| says.key = key(1)).await;
}

async fn a_signature_by_ecdsa_counts(app: TestApp) {
    let certificates = [key(0).certificate(), &ec_key().1];
    let sso = Sso::with(&app, |saml, _| saml.metadata = metadata_of(&certificates), |_| {}).await;
    let by_ecdsa = sso.sign_in_as(|says| says.sign = Sign::Ecdsa).await;
    assert_eq!(
        claims_of(by_ecdsa.value("access_token"))["sub"],
        claims_of(sso.sign_in().await.value("access_token"))["sub"]
    );
    let journey = sso.set_out().await;
    let says = Says { sign: Sign::Ecdsa, ..sso.says(&journey) };
    Landed::of(&sso.post(&journey.relay_state, &says.sealed(&says.unsigned())).await);
    // Nothing else is weaker for it.
    let journey = sso.set_out().await;
    let says = Says { sign: Sign::Ecdsa, ..sso.says(&journey) };
    let sha1 = Says { sign: Sign::Sha1, ..says.clone() };
    let evil = Says { name_id: "root@example.com".to_owned(), assertion_id: "_evil".to_owned(), ..says.clone() };
    let under = says.sealed(&sha1.assertion());
    for (reason, document) in [
        ("signature", says.response().replace("alice@example.com", "mallory@example.com")),
        ("algorithm is not allowed", under),
        ("algorithm is not allowed", says.response().replace("ecdsa-sha256", "ecdsa-sha1")),
        ("algorithm is not allowed", says.response().replace("xmlenc#sha256", "xmldsig#sha1")),
        ("more than one assertion", says.around(&format!("{}{}", evil.unsigned(), says.assertion()))),
    ] {
        sso.post(&journey.relay_state, &document).await.expect(400);
        let said = sso.reasons().await.pop().unwrap();
        assert!(said.contains(reason), "{said} is not {reason}");
    }
    Landed::of(&sso.post(&journey.relay_state, &says.response()).await);
    // By a key that the provider has not named.
    let rsa = Sso::new(&app).await;
    let journey = rsa.set_out().await;
    rsa.post(&journey.relay_state, &Says { sign: Sign::Ecdsa, ..rsa.says(&journey) }.response()).await.expect(400);
    assert!(rsa.reasons().await.pop().unwrap().contains("certificate mismatch"));
}

async fn an_encrypted_assertion_is_opened(app: TestApp) {
    let sso = Sso::new(&app).await;
    let ours = app.get(&sso.path("metadata")).await.expect(200).text;
    let journey = sso.set_out().await;
    let says = sso.says(&journey);
    let inside = encrypted(&says.assertion(), certificate(&ours));
    let landed = Landed::of(&sso.post(&journey.relay_state, &says.around(&inside)).await);
    let me = app.get_as(landed.value("access_token"), "/api/auth/me").await.body(200);
    assert_eq!(me["email"], "alice@example.com");

    let journey = sso.set_out().await;
    let says = sso.says(&journey);
    let inside = encrypted(&says.unsigned(), certificate(&ours));
    Landed::of(&sso.post(&journey.relay_state, &says.sealed(&inside)).await);
    // What nobody signed is nobody's word, whoever it was encrypted for.
    for wrong in [
        says.around(&encrypted(&says.unsigned(), certificate(&ours))),
        says.around(&encrypted(&says.assertion(), key(2).certificate())),
        says.around(&encrypted(&format!("{0}{0}", says.assertion()), certificate(&ours))),
        says.around(&encrypted("<x/>", certificate(&ours))),
    ] {
        let journey = sso.set_out().await;
        sso.post(&journey.relay_state, &wrong).await.expect(400);
    }
}

async fn roles_come_by_the_mapping(app: TestApp) {
    let ctx = app.ctx().await;
    let (name, code) = ("Sales".to_owned(), "SALES".parse().unwrap());
    let new = roles::NewRole { name, code, description: None, scope: RoleScope::Global, is_system: false };
    let role = roles::create(&ctx, &Powers::operator(), new).await.unwrap();
    let sso = Sso::with(
        &app,
        |_, settings| {
            settings.mapping = Mapping {
                role: Some("role".to_owned()),
                memberships: [("chief".to_owned(), MembershipRole::Admin)].into(),
                roles: [("seller".to_owned(), role.code.clone())].into(),
                ..Mapping::default()
            };
        },
        |_| {},
    )
    .await;
    let with = |roles: &'static [&str]| {
        sso.sign_in_as(move |says| {
            says.attributes = roles.iter().map(|role| ("role".to_owned(), (*role).to_owned())).collect();
        })
    };
    let standing = async |landed: Landed| {
        let me = app.get_as(landed.value("access_token"), "/api/auth/me").await.body(200);
        let claims = claims_of(landed.value("access_token"));
        (me["workspaces"][0]["role"].as_str().unwrap().to_owned(), claims["roles"].clone())
    };
    assert_eq!(standing(with(&["staff", "owner"]).await).await, ("member".to_owned(), json!(null)));
    assert_eq!(standing(with(&["chief", "seller"]).await).await, ("admin".to_owned(), json!(["SALES"])));
    assert_eq!(standing(with(&["chief"]).await).await, ("admin".to_owned(), json!(null)), "taken as it was given");
}

async fn nobody_new_where_that_is_off(app: TestApp) {
    let sso = Sso::with(&app, |_, settings| settings.just_in_time = false, |_| {}).await;
    let journey = sso.set_out().await;
    let before = sso.users().await;
    let answer = sso.post(&journey.relay_state, &sso.says(&journey).response()).await;
    assert_eq!((answer.status, &answer.json()["error_code"]), (403, &json!("FORBIDDEN")));
    assert_eq!(sso.users().await, before);
    assert!(sso.reasons().await[0].contains("no account is made"), "{:?}", sso.reasons().await);
}

async fn an_address_that_has_an_account_is_not_taken_over(app: TestApp) {
    let sso = Sso::new(&app).await;
    let ctx = app.ctx().await;
    let alice = make_user(&ctx, "alice@example.com", NewPassword::None, &[]).await;
    let keeper = memberships::Keeper::Administrator;
    memberships::add(&ctx, keeper, sso.workspace, alice.id, MembershipRole::Member).await.unwrap();
    let journey = sso.set_out().await;
    let answer = sso.post(&journey.relay_state, &sso.says(&journey).response()).await;
    assert_eq!(answer.status, 403, "a member, but nobody said that the domain is the company's");
    assert!(sso.reasons().await[0].contains("taken"), "{:?}", sso.reasons().await);

    let sso = Sso::with(&app, |_, _| {}, |new| new.domains = vec!["example.com".to_owned()]).await;
    let journey = sso.set_out().await;
    let answer = sso.post(&journey.relay_state, &sso.says(&journey).response()).await;
    assert_eq!(answer.status, 403, "the domain is the company's, but they belong elsewhere");
}

async fn a_member_with_an_address_of_the_company_is_linked(app: TestApp) {
    let sso = Sso::with(&app, |_, _| {}, |new| new.domains = vec!["Example.com".to_owned()]).await;
    let ctx = app.ctx().await;
    let keeper = memberships::Keeper::Administrator;
    let alice = make_user(&ctx, "alice@example.com", NewPassword::None, &[]).await;
    memberships::add(&ctx, keeper, sso.workspace, alice.id, MembershipRole::Owner).await.unwrap();
    let landed = sso.sign_in().await;
    assert_eq!(claims_of(landed.value("access_token"))["sub"], alice.id.to_string());
    let me = app.get_as(landed.value("access_token"), "/api/auth/me").await.body(200);
    assert_eq!(me["workspaces"][0]["role"], "owner", "what they are stays");
    // Who administers the installation is nobody's to vouch for.
    let admin = make_user(&ctx, "root@example.com", NewPassword::None, &["super_admin".to_owned()]).await;
    memberships::add(&ctx, keeper, sso.workspace, admin.id, MembershipRole::Member).await.unwrap();
    let journey = sso.set_out().await;
    let mut says = sso.says(&journey);
    says.name_id = "root".to_owned();
    says.attributes = vec![("email".to_owned(), "root@example.com".to_owned())];
    sso.post(&journey.relay_state, &says.response()).await.expect(403);
}

async fn who_is_disabled_stays_out(app: TestApp) {
    let sso = Sso::new(&app).await;
    let ctx = app.ctx().await;
    let alice = claims_of(sso.sign_in().await.value("access_token"))["sub"].as_str().unwrap().parse().unwrap();
    let journey = sso.set_out().await;
    let refused = async || sso.post(&journey.relay_state, &sso.says(&journey).response()).await;
    users::set_enabled(&ctx, alice, false).await.unwrap();
    assert_eq!(refused().await.status, 403);
    users::set_enabled(&ctx, alice, true).await.unwrap();
    let enabled = |enabled| OrganizationChange { enabled: Some(enabled), ..Default::default() };
    organizations::update(&ctx, sso.workspace, &enabled(false)).await.unwrap();
    assert_eq!(refused().await.status, 403);
    assert_eq!(app.get(&sso.path("login")).await.status, 403);
    organizations::update(&ctx, sso.workspace, &enabled(true)).await.unwrap();
    let change = ConnectionChange { enabled: Some(false), ..Default::default() };
    connections::update(&ctx, &Powers::operator(), sso.connection.id, change).await.unwrap();
    assert_eq!(refused().await.status, 404);
    let change = ConnectionChange { enabled: Some(true), ..Default::default() };
    connections::update(&ctx, &Powers::operator(), sso.connection.id, change).await.unwrap();
    Landed::of(&refused().await);
}

async fn a_second_factor_is_not_skipped(app: TestApp) {
    let sso = Sso::new(&app).await;
    sso.sign_in().await;
    let sql = app.sql().await;
    sql.run("UPDATE users SET has_second_factor = true WHERE email = 'alice@example.com'").await;
    sql.close().await;
    let refmfa = |says: &mut crate::support::saml::Says| says.context = "https://refeds.org/profile/mfa".to_owned();
    let journey = sso.set_out().await;
    let mut says = sso.says(&journey);
    refmfa(&mut says);
    let answer = sso.post(&journey.relay_state, &says.response()).await;
    assert_eq!((answer.status, &answer.json()["error_code"]), (403, &json!("MFA_REQUIRED")));

    let ctx = app.ctx().await;
    let mut settings = sso.connection.settings.clone();
    settings.trusts_second_factor = true;
    let change = ConnectionChange { settings: Some(settings), ..Default::default() };
    connections::update(&ctx, &Powers::operator(), sso.connection.id, change).await.unwrap();
    let journey = sso.set_out().await;
    let answer = sso.post(&journey.relay_state, &sso.says(&journey).response()).await;
    assert_eq!(answer.status, 403, "it says that it asked for a password");
    sso.sign_in_as(refmfa).await;
}

async fn a_provider_may_begin_where_it_is_allowed(app: TestApp) {
    let says = |sso: &Sso<'_>, journey| {
        let mut says = sso.says(journey);
        says.in_response_to = None;
        says.response_in_response_to = None;
        says
    };
    let sso = Sso::new(&app).await;
    let journey = sso.set_out().await;
    for relay_state in ["", journey.relay_state.as_str()] {
        sso.post(relay_state, &says(&sso, &journey).response()).await.expect(400);
    }
    let sso = Sso::with(&app, |saml, _| saml.idp_initiated = true, |_| {}).await;
    let document = says(&sso, &journey).response();
    assert_eq!(Landed::of(&sso.post("", &document).await).at, FRONT_END);
    sso.post("", &document).await.expect(400);
    let listed = sso.post("https://app.example.com/other?a=b", &says(&sso, &journey).response()).await;
    assert_eq!(Landed::of(&listed).at, "https://app.example.com/other?a=b");
    let unlisted = sso.post("https://evil.example/", &says(&sso, &journey).response()).await;
    assert_eq!(Landed::of(&unlisted).at, FRONT_END);
    // An answer to a request is not what nobody asked for.
    sso.post("", &sso.says(&journey).response()).await.expect(400);
    // And what is long over is over.
    app.advance(Duration::from_secs(365));
    sso.post("", &document).await.expect(400);
}

async fn a_workspace_tells_whether_it_has_a_connection(app: TestApp) {
    let sso = Sso::new(&app).await;
    let token = sso.sign_in().await.value("access_token").to_owned();
    let shown = async || app.get_as(&token, "/api/external/workspace").await.body(200)["sso_enabled"] == true;
    assert!(shown().await);
    let change = ConnectionChange { enabled: Some(false), ..Default::default() };
    let ctx = app.ctx().await;
    connections::update(&ctx, &Powers::operator(), sso.connection.id, change).await.unwrap();
    within(Duration::from_secs(2), "the connection is off", async || !shown().await).await;
}

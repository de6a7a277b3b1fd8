//! Spellings of one e-mail address are one account, and what only looks like another is not it.

use serde_json::json;

use crate::support::{Answer, TenantKeys, TestApp, both_engines};

both_engines!(spellings_are_one_account, look_alikes_are_somebody_else, what_is_no_address_is_refused);

const PASSWORD: &str = "a quiet harbour at dawn";

async fn register(app: &TestApp, tenant: &TenantKeys, email: &str) -> Answer {
    app.post(&tenant.public, "/v1/auth/register", &json!({ "email": email, "password": PASSWORD })).await
}

async fn login(app: &TestApp, tenant: &TenantKeys, email: &str) -> Answer {
    app.post(&tenant.public, "/v1/auth/login", &json!({ "email": email, "password": PASSWORD })).await
}

async fn spellings_are_one_account(app: TestApp) {
    let tenant = app.tenant("a tenant").await;
    let client = app.password_app("openid").await;
    for spellings in [
        &["Ann.Smith@Example.ORG", "ann.smith@example.org", "ANN.SMITH@EXAMPLE.ORG", " ann.smith@example.org "]
            as &[&str],
        // Wide letters, a ligature, the Kelvin sign, a sharp s, composed and decomposed.
        &["bob@example.org", "\u{ff42}\u{ff4f}\u{ff42}@example.org", "BOB@\u{ff45}xample.org"],
        &["office@example.org", "o\u{fb03}ce@example.org", "O\u{fb03}CE@example.org"],
        &["kim@example.org", "\u{212a}im@example.org"],
        &["stra\u{df}e@example.org", "strasse@example.org", "STRASSE@example.org", "STRA\u{1e9e}E@example.org"],
        &["jos\u{e9}@example.org", "jose\u{301}@example.org", "JOS\u{c9}@example.org", "JOSE\u{301}@EXAMPLE.org"],
    ] {
        let (first, others) = spellings.split_first().unwrap();
        let id = register(&app, &tenant, first).await.expect(201).str("id");
        for other in others {
            // Some spellings are no addresses to begin with; none makes a second account.
            let answer = register(&app, &tenant, other).await;
            let no_address = answer.status == 400 && !other.is_ascii();
            assert!(answer.status == 409 || no_address, "{other:?}: {answer:?}");
        }
        for spelling in spellings {
            let signed_in = login(&app, &tenant, spelling).await.body(200);
            assert_eq!(signed_in["user"]["id"], id.as_str(), "{spelling:?}");
            // It is shown as it was given first.
            assert_eq!(signed_in["user"]["email"], *first, "{spelling:?}");
        }
    }
    // The token endpoint knows no other spelling, and neither does the control plane.
    let user = app.user("carol@example.org", PASSWORD).await;
    let token = app.sign_in(&client, "\u{ff23}AROL@example.org", PASSWORD).await.expect(200).str("access_token");
    assert_eq!(crate::support::claims_of(&token)["sub"], user.id.to_string());
    let service = app.service_token("user:write").await;
    let body = json!({ "email": "\u{ff43}arol@EXAMPLE.org", "password": PASSWORD });
    app.post(&service, "/api/internal/users", &body).await.is_error(409, "email already registered");
    let sql = app.sql().await;
    assert_eq!(sql.number("SELECT count(*) FROM users WHERE email LIKE 'carol@%'").await, 1);
    sql.close().await;
}

async fn look_alikes_are_somebody_else(app: TestApp) {
    let tenant = app.tenant("a tenant").await;
    let id = register(&app, &tenant, "paypal@example.org").await.expect(201).str("id");
    // A Cyrillic letter is another letter: another account, which never signs in to the first.
    for other in ["p\u{430}ypal@example.org", "paypa1@example.org", "paypal@examp1e.org"] {
        login(&app, &tenant, other).await.is_error(401, "invalid email or password");
        let answer = register(&app, &tenant, other).await;
        assert!(answer.status == 201 || answer.status == 400, "{answer:?}");
        if answer.status == 201 {
            assert_ne!(answer.str("id"), id);
            assert_ne!(login(&app, &tenant, other).await.body(200)["user"]["id"], id.as_str());
        }
    }
    assert_eq!(login(&app, &tenant, "paypal@example.org").await.body(200)["user"]["id"], id.as_str());
    // Nothing is cut out of an address: what stands after a plus or between dots is part of it.
    for other in ["paypal+a@example.org", "pay.pal@example.org"] {
        assert_ne!(register(&app, &tenant, other).await.expect(201).str("id"), id);
    }
}

async fn what_is_no_address_is_refused(app: TestApp) {
    let tenant = app.tenant("a tenant").await;
    for bad in [
        "ann",
        "ann@",
        "@example.org",
        "ann@@example.org",
        "ann@b@example.org",
        "ann example@example.org",
        "ann@example..org",
        "ann@-example.org",
        "ann@example.org\nbcc: bob@example.org",
        "ann@example.org\u{0}",
        "Ann <ann@example.org>",
        "ann@[127.0.0.1]",
        "\"ann\"@example.org",
        "ann\u{ff20}example.org",
        "ann@example",
        "ann\u{200b}@example.org\u{7}",
    ] {
        let answer = register(&app, &tenant, bad).await;
        assert_eq!(answer.status, 400, "{bad:?}: {answer:?}");
        assert!(answer.json()["error"].as_str().unwrap().starts_with("\"email\" "), "{bad:?}: {answer:?}");
    }
    let long = format!("{}@example.org", "a".repeat(250));
    assert_eq!(register(&app, &tenant, &long).await.status, 400);
    let sql = app.sql().await;
    assert_eq!(sql.number("SELECT count(*) FROM users WHERE email <> 'admin@example.org'").await, 0);
    sql.close().await;
}

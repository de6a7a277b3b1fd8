//! Passwords at rest: imported hashes, new costs, the queue of the hashing threads, and lengths.

use std::time::Duration;

use futures_util::future::join_all;
use gatehouse::domain::users::{self, NewPassword};
use gatehouse::domain::{DomainError, Invalid};
use serde_json::json;

use crate::support::{Setup, TestApp, both_engines, make_user};

both_engines!(
    imported_hashes_are_believed_once_and_then_made_anew,
    what_nobody_could_sign_in_with_is_not_imported,
    another_cost_is_taken_on_at_the_next_sign_in,
    beyond_the_queue_callers_are_told_when_to_come_back,
    a_password_has_a_least_and_a_greatest_length,
    a_password_is_taken_letter_by_letter,
);

const PASSWORD: &str = "an imported password";

/// That password, as other systems store it.
const IMPORTED: &[&str] = &[
    "$argon2id$v=19$m=8192,t=2,p=1$MDEyMzQ1Njc4OWFiY2RlZg$pawHCpD6oEcKALXH16FtaQBt04iLzc153qRE+1NXqJk",
    "$argon2i$v=19$m=8192,t=2,p=1$MDEyMzQ1Njc4OWFiY2RlZg$Hj8Qb7mjEYia5C6reL/eSbJtbSBfUG6zUaNoqpszis8",
    "$2b$05$abcdefghijklmnopqrstuuwuNDQeZv7Z5LzsDQIQayF2oSRJskWHe",
    "$2a$05$abcdefghijklmnopqrstuuwuNDQeZv7Z5LzsDQIQayF2oSRJskWHe",
    "$2y$05$abcdefghijklmnopqrstuuwuNDQeZv7Z5LzsDQIQayF2oSRJskWHe",
    "$scrypt$ln=14,r=8,p=1$MDEyMzQ1Njc4OWFiY2RlZg$uFgrHGqkpZQN2br4CBU2mrnSo2e6UrdJ0g2mbF5CvlQ",
    "$pbkdf2-sha256$29000$MDEyMzQ1Njc4OWFiY2RlZg$K61WBaHwKxb0iN9K7wVI5tb4IgClE/uCLzvHoRCi8WQ",
    "$pbkdf2-sha512$25000$MDEyMzQ1Njc4OWFiY2RlZg$wc1jFKakxIjVK1V4RjmpT3Vj8os/wVKvossv/F5e0COVgCGnLX.MULCZkLWJHuXd5IwllUCTXk79AHFHKlAb1w",
    "$pbkdf2$131000$MDEyMzQ1Njc4OWFiY2RlZg$uXd5a0zhM9xj2RPrmHv1JvqdxMs",
    "pbkdf2_sha256$260000$saltsalt$C6laghTW5l5UBadei9KlaltqztSnTiBGUKKD7YTEA6I=",
];

/// What is stored of this person's password.
async fn stored(app: &TestApp, email: &str) -> String {
    let sql = app.sql().await;
    let mut found = sql.texts(&format!("SELECT password_hash FROM users WHERE email = '{email}'")).await;
    sql.close().await;
    found.pop().expect("somebody")
}

async fn imported_hashes_are_believed_once_and_then_made_anew(app: TestApp) {
    let client = app.password_app("openid").await;
    for (n, hash) in IMPORTED.iter().enumerate() {
        let email = format!("imported{n}@example.org");
        make_user(&app.ctx().await, &email, NewPassword::Imported(hash), &[]).await;
        assert_eq!(stored(&app, &email).await, *hash);
        app.sign_in(&client, &email, "another password").await.is_oauth_error(400, "invalid_grant");
        assert_eq!(stored(&app, &email).await, *hash, "a wrong password changes nothing");
        app.sign_in(&client, &email, PASSWORD).await.expect(200);
        let anew = stored(&app, &email).await;
        assert!(anew.starts_with("$argon2id$v=19$m=7168,t=1,p=1$"), "{hash} became {anew}");
        app.sign_in(&client, &email, PASSWORD).await.expect(200);
        assert_eq!(stored(&app, &email).await, anew, "once is enough");
        app.sign_in(&client, &email, "another password").await.is_oauth_error(400, "invalid_grant");
    }
}

async fn what_nobody_could_sign_in_with_is_not_imported(app: TestApp) {
    let ctx = app.ctx().await;
    for hash in [
        "",
        "plain text",
        "5f4dcc3b5aa765d61d8327deb882cf99",
        "{SSHA}nonsense",
        "$1$salt$hash",
        "$6$salt$hash",
        "$2b$05$short",
        "$argon2id$v=19$m=8192,t=2,p=1$MDEyMzQ1Njc4OWFiY2RlZg$AAAA",
        "$argon2id$v=19$m=4194304,t=2,p=1$MDEyMzQ1Njc4OWFiY2RlZg$pawHCpD6oEcKALXH16FtaQBt04iLzc153qRE+1NXqJk",
        "$pbkdf2-sha256$2000000000$MDEyMzQ1Njc4OWFiY2RlZg$K61WBaHwKxb0iN9K7wVI5tb4IgClE/uCLzvHoRCi8WQ",
    ] {
        let new = users::NewUser {
            email: Some("somebody@example.org"),
            email_verified: true,
            username: None,
            name: None,
            password: NewPassword::Imported(hash),
            profile: json!({}),
            roles: &[],
        };
        let refused = users::create(&ctx, new).await.map(|user| user.id);
        assert!(matches!(refused, Err(DomainError::Invalid(Invalid { .. }))), "{hash}: {refused:?}");
    }
    let sql = app.sql().await;
    assert_eq!(sql.number("SELECT count(*) FROM users WHERE email = 'somebody@example.org'").await, 0);
    sql.close().await;
}

async fn another_cost_is_taken_on_at_the_next_sign_in(app: TestApp) {
    app.user("ann@example.org", PASSWORD).await;
    let client = app.password_app("openid").await;
    assert!(stored(&app, "ann@example.org").await.contains("m=7168,t=1,"));
    let app = app.restart_with(|config| config.passwords.argon2_iterations = 2).await;
    app.sign_in(&client, "ann@example.org", "wrong").await.is_oauth_error(400, "invalid_grant");
    assert!(stored(&app, "ann@example.org").await.contains("m=7168,t=1,"));
    app.sign_in(&client, "ann@example.org", PASSWORD).await.expect(200);
    assert!(stored(&app, "ann@example.org").await.contains("m=7168,t=2,"));
    app.sign_in(&client, "ann@example.org", PASSWORD).await.expect(200);
}

/// F41: a storm of sign-ins is shed with a time to come back, whoever is known signs in afterwards,
/// and tokens for machines are made all the while.
async fn beyond_the_queue_callers_are_told_when_to_come_back(setup: Setup) {
    let app = setup
        .start_with(|config| {
            config.passwords.argon2_memory = 65_536;
            config.passwords.argon2_iterations = 3;
            config.passwords.concurrency = 1;
            config.passwords.queue = 2;
            config.passwords.queue_timeout = Duration::from_secs(30);
        })
        .await;
    let tenant = app.tenant("a tenant").await;
    let service = app.service("").await;
    let client = app.password_app("openid").await;
    app.user("ann@example.org", PASSWORD).await;
    let storm = (0..24).map(|n| {
        let (app, key) = (&app, &tenant.public);
        // Different accounts, so that none waits for another's turn.
        let body = json!({ "email": format!("nobody{n}@example.org"), "password": "wrong password" });
        async move { app.post(key, "/v1/auth/login", &body).await }
    });
    let (answers, machine) = tokio::join!(join_all(storm), async {
        tokio::task::yield_now().await;
        app.credentials(&service).await
    });
    machine.expect(200);
    let mut shed = 0;
    for answer in &answers {
        match answer.status {
            401 => {}
            503 => {
                shed += 1;
                answer.is_error(503, "temporarily unavailable, try again");
                let wait: u32 = answer.header("retry-after").expect("a time").parse().unwrap();
                assert!((1..=30).contains(&wait), "{wait}");
            }
            _ => panic!("{answer:?}"),
        }
    }
    assert!((12..24).contains(&shed), "{shed} of {} were shed", answers.len());
    // At the token endpoint the same in its own shape; who is refused for load is not locked out.
    let storm = join_all((0..12).map(|n| {
        let (app, client) = (&app, &client);
        async move { app.sign_in(client, &format!("nobody{n}@example.org"), "wrong password").await }
    }));
    let shed: Vec<_> = storm.await.into_iter().filter(|answer| answer.status == 503).collect();
    assert!(!shed.is_empty());
    for answer in shed {
        answer.is_oauth_error(503, "temporarily_unavailable");
        assert!(answer.header("retry-after").is_some());
    }
    app.sign_in(&client, "ann@example.org", PASSWORD).await.expect(200);
    let metrics = app.get("/metrics").await.expect(200).text;
    let refused =
        metrics.lines().find(|line| line.contains("hash") && line.contains("refused") && !line.starts_with('#'));
    assert!(refused.is_some_and(|line| !line.ends_with(" 0")), "{refused:?}");
}

async fn a_password_has_a_least_and_a_greatest_length(app: TestApp) {
    let tenant = app.tenant("a tenant").await;
    let max = usize::from(app.config.passwords.max_length);
    let register = async |email: &str, password: &str| {
        app.post(&tenant.public, "/v1/auth/register", &json!({ "email": email, "password": password })).await
    };
    let login = async |email: &str, password: &str| {
        app.post(&tenant.public, "/v1/auth/login", &json!({ "email": email, "password": password })).await
    };
    register("a@example.org", "12345").await.is_error(400, "\"password\" must be at least 6 characters");
    // Characters are counted, not bytes.
    register("a@example.org", "密码密码密").await.is_error(400, "\"password\" must be at least 6 characters");
    register("b@example.org", "密码密码密码").await.expect(201);
    login("b@example.org", "密码密码密码").await.expect(200);
    register("c@example.org", &"x".repeat(max)).await.expect(201);
    login("c@example.org", &"x".repeat(max)).await.expect(200);
    // What is cut off would let somebody in.
    for longer in [max + 1, max * 2, 5_000, 100_000] {
        login("c@example.org", &"x".repeat(longer)).await.is_error(401, "invalid email or password");
        let message = format!("\"password\" must be at most {max} characters");
        register("d@example.org", &"x".repeat(longer)).await.is_error(400, &message);
    }
    // bcrypt looks at 72 bytes and no further; what we make looks at all of them.
    register("e@example.org", &format!("{}1", "y".repeat(80))).await.expect(201);
    login("e@example.org", &format!("{}2", "y".repeat(80))).await.is_error(401, "invalid email or password");
}

async fn a_password_is_taken_letter_by_letter(app: TestApp) {
    let tenant = app.tenant("a tenant").await;
    let password = " Pass\u{e9} W\u{f6}rd\t\u{1f511} ";
    app.tenant_user(&tenant, "ann@example.org", password).await;
    for other in [password.trim(), &password.to_lowercase(), &password.to_uppercase(), "Passe Word"] {
        let body = json!({ "email": "ann@example.org", "password": other });
        app.post(&tenant.public, "/v1/auth/login", &body).await.is_error(401, "invalid email or password");
    }
    let client = app.password_app("openid").await;
    app.user("bob@example.org", password).await;
    app.sign_in(&client, "bob@example.org", password).await.expect(200);
    app.sign_in(&client, "bob@example.org", password.trim()).await.is_oauth_error(400, "invalid_grant");
}

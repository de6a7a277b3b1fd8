//! What must never be written down in clear text, nor said in an answer: every secret there is goes
//! through every route of the real program, at the most talkative log level.

use std::time::Duration;

use gatehouse::domain::clients::NewClient;
use gatehouse::domain::tenants;
use gatehouse::http::mount::routes;
use gatehouse::model::client::{AuthMethod, GrantType};
use gatehouse::model::tenant::{RegistrationPolicy, Tenant};
use gatehouse::model::time::{Clock as _, SystemClock};
use reqwest::header::AUTHORIZATION;
use serde_json::{Value, json};

use crate::cli::Place;
use crate::support::routes::{Caller, Input, PASSWORD, World, basic, known};
use crate::support::{
    Answer, Browser, Client, Mail, MailServer, Page, RelyingParty, Setup, TestApp, VERIFIER, both_engines, challenge,
    code_app, mac, totp_code, within,
};

both_engines!(secrets_stay_secret, secrets_of_people_stay_secret);

/// What nobody else has: it is looked for everywhere.
const CANARY: &str = "cAnArY-7f3a9";
/// Members and parameters that hold secrets.
const SECRETS: &[&str] = &["password", "client_secret", "token", "refresh_token", "client_assertion", "code"];

/// Everything of a world that nobody may read anywhere.
fn secrets_of(world: &World) -> Vec<String> {
    let tokens = [&world.user_token, &world.service_token, &world.access_token];
    // What makes a token count is its signature.
    let signatures = tokens.iter().map(|token| token.rsplit('.').next().unwrap().to_owned());
    let mut all: Vec<String> = signatures.collect();
    all.extend([&world.secret_key, &world.refresh_token, &world.service.secret, &world.app.secret].map(Clone::clone));
    all.push(world.other_service.secret.clone());
    all.push(PASSWORD.to_owned());
    all.extend([&world.service, &world.app].map(|client| basic(client).trim_start_matches("Basic ").to_owned()));
    all
}

/// A body with canaries. What a part of the catalogue is called, its `code`, is no secret.
fn with_canary(path: &str, value: &Value) -> Value {
    let mut body = value.clone();
    let is_secret = |name: &&&str| **name != "code" || !path.starts_with("/api/admin/");
    for name in SECRETS.iter().filter(is_secret) {
        if body.get(name).is_some() {
            body[*name] = json!(CANARY);
        }
    }
    body
}

/// Every route: with what is right, and with canaries wherever a secret may stand.
async fn everything(app: &TestApp, world: &World) -> Vec<(String, Answer)> {
    let mut answers = Vec::new();
    let fake = Client { id: world.service.id.clone(), secret: CANARY.to_owned() };
    for endpoint in routes().into_iter().filter(|endpoint| !endpoint.path.contains("{tenant_id}")) {
        let known = known(&endpoint, world);
        let method = || endpoint.method.as_str().parse::<reqwest::Method>().unwrap();
        let right = known.authorization(world);
        let wrong = match known.caller {
            Caller::Client => basic(&fake),
            _ => format!("Bearer {CANARY}"),
        };
        let bodies: Vec<Option<Value>> = match &known.input {
            Input::Json(body) => {
                vec![
                    Some(with_canary(&known.path, body)),
                    Some(json!({ "password": [CANARY], "token": 1 })),
                    Some(body.clone()),
                ]
            }
            _ => vec![None],
        };
        for body in bodies {
            for authorization in [Some(wrong.clone()), right.clone()] {
                let mut request = app.request(method(), &known.path);
                if let Some(value) = authorization {
                    request = request.header(AUTHORIZATION, value);
                }
                let forms: Vec<Vec<(&str, String)>> = match &known.input {
                    Input::Forms(forms) => {
                        let canary = |form: &Vec<(&'static str, String)>| {
                            let one = |(name, value): &(&'static str, String)| {
                                (*name, if SECRETS.contains(name) { CANARY.to_owned() } else { value.clone() })
                            };
                            form.iter().map(one).collect::<Vec<_>>()
                        };
                        let post = vec![
                            ("grant_type", "client_credentials".to_owned()),
                            ("client_id", world.service.id.clone()),
                            ("client_secret", CANARY.to_owned()),
                            ("token", CANARY.to_owned()),
                        ];
                        forms.iter().map(canary).chain([post]).chain(forms.iter().cloned()).collect()
                    }
                    _ => vec![Vec::new()],
                };
                for form in forms {
                    let mut request = request.try_clone().unwrap();
                    if let Some(body) = &body {
                        request = request.json(body);
                    } else if !form.is_empty() {
                        request = request.form(&form);
                    }
                    answers.push((format!("{} {}", endpoint.method, endpoint.path), app.send(request).await));
                }
            }
        }
        // Where a secret never belongs, and yet people put it.
        let target = format!("{}?access_token={CANARY}&token={CANARY}&client_secret={CANARY}", known.path);
        let request =
            app.request(method(), &target).header("x-api-key", CANARY).header("cookie", format!("session={CANARY}"));
        answers.push((format!("{} {} with a query", endpoint.method, endpoint.path), app.send(request).await));
        let request = app.request(method(), &known.path).body(format!("{{\"password\": \"{CANARY}\""));
        answers.push((format!("{} {} with half a body", endpoint.method, endpoint.path), app.send(request).await));
    }
    answers
}

async fn secrets_stay_secret(setup: Setup) {
    let app = setup.start().await;
    let (world, used) = (World::default(&app).await.furnished(&app).await, World::default(&app).await);
    let beside = app.clone();
    app.stop().await;
    let mut place = Place::of(&setup);
    place.at(&beside.base);
    // All come from one address, and are to be looked at, not counted.
    for limit in ["REGISTRATION", "SIGN_UP", "LOGIN", "TOKEN_FAILURES", "KEY_FAILURES", "CODES", "MAIL", "BEGUN"] {
        place.set(&format!("GATEHOUSE_LIMITS__{limit}"), "off");
    }
    place.set("GATEHOUSE_LOGS__FILTER", "trace");
    let server = place.serve(&["serve"]).await;

    let answers = everything(&beside, &world).await;
    let taken = answers.iter().filter(|(_, answer)| answer.status < 300).count();
    assert!(
        taken > 20 && answers.len() - taken > 50,
        "{taken} of {} were taken: the rest proves little",
        answers.len()
    );
    let secrets = secrets_of(&world);
    for (what, answer) in &answers {
        assert!(answer.status < 500, "{what}: {answer:?}");
        let said = format!("{}{:?}", answer.text, answer.headers);
        assert!(!said.contains(CANARY), "{what}: {answer:?}");
        for secret in &secrets {
            // The same successor comes again to whoever repeats a refresh; nothing else is repeated.
            assert!(!said.contains(secret.as_str()), "{what} said {secret}: {answer:?}");
        }
    }
    let shown = place.run(&["config", "show"]);
    let key = setup.config().secrets.master_key.unwrap().to_text().expose().clone();
    assert!(shown.code == 0 && !shown.out.contains(&key), "{shown:?}");
    let log = server.log();
    assert_eq!(server.terminate().await, 0);

    // The log was as talkative as it gets, and told of what was asked.
    assert!(log.contains("/v1/auth/login") && log.contains("TRACE"), "{}", &log[..log.len().min(2_000)]);
    let mut everywhere: Vec<String> = secrets.into_iter().chain(secrets_of(&used)).collect();
    everywhere.extend([CANARY.to_owned(), key]);
    nowhere(&setup, &log, &everywhere).await;
}

/// Looks for secrets in a log, and in every row of the database.
async fn nowhere(setup: &Setup, log: &str, secrets: &[String]) {
    let sql = setup.sql().await;
    let rows = sql.dump(&[]).await;
    sql.close().await;
    assert!(rows.len() > 50);
    for secret in secrets {
        if let Some(line) = log.lines().find(|line| line.contains(secret.as_str())) {
            panic!("the log tells {secret}: {line}");
        }
        if let Some(row) = rows.iter().find(|row| row.contains(secret.as_str())) {
            panic!("the database holds {secret}: {row}");
        }
        // Bytes are shown in hexadecimal.
        let hex: String = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
        assert!(!rows.iter().any(|row| row.to_lowercase().contains(&hex)), "the database holds {secret} in a blob");
    }
    let private = rows.iter().find(|row| row.contains("\"d\":") || row.contains("PRIVATE KEY"));
    assert!(private.is_none(), "a private key in the clear: {private:?}");
}

/// A browser, and every cookie and hidden field that it was given.
struct Watched {
    browser: Browser,
    seen: Vec<String>,
}

impl Watched {
    /// Remembers what is secret about a page, and in the browser that shows it.
    fn note(&mut self, page: &Page) {
        let cookies = ["gatehouse_session", "gatehouse_device"].map(|name| self.browser.cookie(name));
        let hidden = ["csrf", "t"].map(|name| page.hidden(name));
        self.seen.extend(cookies.into_iter().chain(hidden).flatten());
    }

    async fn open(&mut self, path: &str) -> Page {
        let page = self.browser.open(path).await;
        self.note(&page);
        page
    }

    async fn submit(&mut self, page: &Page, action: &str, fields: &[(&str, &str)]) -> Page {
        let page = self.browser.submit(page, action, fields).await;
        self.note(&page);
        page
    }
}

/// What stands between two words of a page, each time.
fn between(page: &Page, open: &str, close: &str) -> Vec<String> {
    page.text.split(open).skip(1).filter_map(|rest| Some(rest.split_once(close)?.0.to_owned())).collect()
}

const ANN: &str = "ann@example.org";
const ANN_S: &str = "a quiet harbour at dawn";
const ANN_S_NEXT: &str = "seven lanterns over the canal";

/// A person signs in to an app with everything that there is, and gets a good deal of it wrong.
async fn secrets_of_people_stay_secret(setup: Setup) {
    let app = setup.start().await;
    app.user(ANN, ANN_S).await;
    let party = RelyingParty::new(&app, code_app()).await;
    let device = NewClient { grant_types: vec![GrantType::DeviceCode], redirect_uris: Vec::new(), ..code_app() };
    let device = app.client(device).await;
    let signs = NewClient { auth_method: AuthMethod::ClientSecretJwt, ..NewClient::service("It signs") };
    let signs = app.client(signs).await;
    let open = |tenant: &mut Tenant| tenant.settings.registration = RegistrationPolicy::Open;
    tenants::update(&app.ctx().await, open).await.unwrap();
    let post = MailServer::start().await;
    let beside = app.clone();
    app.stop().await;
    let mut place = Place::of(&setup);
    place.at(&beside.base);
    place.set("GATEHOUSE_LOGS__FILTER", "trace");
    place.set("GATEHOUSE_SMTP_URL", &post.url);
    place.set("GATEHOUSE_MAIL_FROM", "no-reply@example.org");
    let server = place.serve(&["serve"]).await;
    let mut ann = Watched { browser: Browser::new(&beside), seen: Vec::new() };
    let mut secrets = vec![CANARY.to_owned(), ANN_S.to_owned(), ANN_S_NEXT.to_owned()];

    // A sign-in for an app; a code, redeemed wrongly, rightly, and once more.
    let page = ann.open(&party.request(&[])).await.expect(200, "/login");
    let page = ann.submit(&page, "/login", &[("identifier", ANN), ("password", CANARY)]).await.expect(422, "/login");
    let page = ann.submit(&page, "/login", &[("identifier", ANN), ("password", ANN_S)]).await.expect(200, "/consent");
    let page = ann.submit(&page, "/consent", &[("action", "allow")]).await;
    let code = page.answer().code().to_owned();
    party.redeem(&code, &[("code_verifier", CANARY)]).await.expect(400);
    let tokens = party.redeem(&code, &[]).await.expect(200);
    party.redeem(&code, &[]).await.expect(400);
    let signature = |token: String| token.rsplit('.').next().unwrap().to_owned();
    secrets.extend([code, tokens.str("refresh_token"), VERIFIER.to_owned()]);
    secrets.extend(["access_token", "id_token"].map(|name| signature(tokens.str(name))));

    // A second factor, set up and asked for.
    let page = ann.open("/account/totp").await.expect(200, "/account/totp");
    let page = ann.submit(&page, "/account/totp", &[("action", "begin")]).await.expect(200, "/account/totp");
    let secret = between(&page, "<code class=\"secret\">", "</code>").remove(0);
    let page = ann.submit(&page, "/account/totp", &[("code", CANARY)]).await.expect(422, "/account/totp");
    let totp = totp_code(&secret, SystemClock.now());
    let page = ann.submit(&page, "/account/totp", &[("code", &totp)]).await.expect(200, "/account/totp");
    let recovery = between(&page, "<li><code>", "</code>");
    assert_eq!(recovery.len(), 10);
    let page = ann.open("/logout").await;
    ann.submit(&page, "/logout", &[("action", "sign-out")]).await;
    let page = ann.open("/login").await;
    let page = ann.submit(&page, "/login", &[("identifier", ANN), ("password", ANN_S)]).await.expect(200, "/login/mfa");
    ann.submit(&page, "/login/mfa", &[("code", CANARY), ("method", "totp")]).await.expect(422, "/login/mfa");
    let page = ann.open("/login/mfa?method=recovery").await;
    ann.submit(&page, "/login/mfa", &[("code", &recovery[0]), ("trust", "1")]).await.expect(200, "/account");
    secrets.extend(recovery.into_iter().chain([secret]));

    // A device, a pushed request, a client that registers itself, and one that signs.
    let form = [("scope", "openid email")];
    let begun = beside.basic("/oauth/device_authorization", &device.id, &device.secret, &form).await.expect(200);
    let page = ann.open("/device").await;
    let fields = [("user_code", &*begun.str("user_code")), ("action", "allow")];
    ann.submit(&page, "/device", &fields).await.expect(200, "/device");
    let grant = ("grant_type", "urn:ietf:params:oauth:grant-type:device_code");
    for code in [CANARY, &begun.str("device_code")] {
        let _ = beside.basic("/oauth/token", &device.id, &device.secret, &[grant, ("device_code", code)]).await;
    }
    let challenge = challenge(VERIFIER);
    let pushed = [
        ("response_type", "code"),
        ("redirect_uri", &*party.redirect_uri),
        ("scope", "openid"),
        ("code_challenge", &challenge),
        ("code_challenge_method", "S256"),
    ];
    let pushed = beside.basic("/oauth/par", &party.client.id, &party.client.secret, &pushed).await.expect(201);
    let pushed = pushed.str("request_uri");
    let page = ann.open(&format!("/oauth/authorize?client_id={}&request_uri={pushed}", party.client.id)).await;
    secrets.extend([begun.str("device_code"), page.answer().code().to_owned()]);
    secrets.push(pushed.rsplit(':').next().unwrap().to_owned());
    let wish = json!({ "redirect_uris": ["https://rp.example/callback"] });
    let made = beside.send(beside.request(reqwest::Method::POST, "/oauth/register").json(&wish)).await.expect(201);
    beside.get_as(&made.str("registration_access_token"), &made.str("registration_client_uri")).await.expect(200);
    secrets.extend(["registration_access_token", "client_secret"].map(|name| made.str(name)));
    let now = SystemClock.now().seconds();
    let claims =
        json!({ "iss": signs.id, "sub": signs.id, "aud": beside.base, "exp": now + 60, "iat": now, "jti": "one" });
    let assertion = mac(signs.secret.as_bytes(), &json!({ "alg": "HS256" }), &claims);
    let kind = ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
    let fields = [("grant_type", "client_credentials"), kind, ("client_assertion", &*assertion)];
    let token = beside.form("/oauth/token", &fields).await.expect(200);
    beside.form("/oauth/token", &fields).await.expect(400);
    secrets.extend([signature(assertion), signature(token.str("access_token")), signs.secret.clone()]);

    // A forgotten password: the link, opened, used, and used again.
    let page = ann.open("/forgot-password").await;
    ann.submit(&page, "/forgot-password", &[("email", ANN)]).await;
    let mut link = None;
    within(Duration::from_secs(20), "a link by mail", async || {
        let mails: Vec<Mail> = post.taken().iter().map(|mail| Mail::parse(mail)).collect();
        link = mails.into_iter().find(|mail| mail.subject.contains("Set a new password")).map(|mail| mail.token());
        link.is_some()
    })
    .await;
    let link = link.unwrap();
    let page = ann.open(&format!("/reset-password?token={link}")).await.expect(200, "/reset-password");
    for expected in [200, 400] {
        let page = ann.submit(&page, "/reset-password", &[("password", ANN_S_NEXT)]).await;
        assert_eq!(page.status, expected, "{page:?}");
    }
    secrets.push(link);

    let log = server.log();
    assert_eq!(server.terminate().await, 0);
    assert!(log.contains("/login/mfa") && log.contains("TRACE"), "{}", &log[..log.len().min(2_000)]);
    secrets.extend(ann.seen);
    secrets.sort_unstable();
    secrets.dedup();
    assert!(secrets.len() > 40 && secrets.iter().all(|secret| secret.len() > 8), "{secrets:?}");
    nowhere(&setup, &log, &secrets).await;
}

//! What must never be written down in clear text, nor said in an answer: every secret there is goes
//! through every route of the real program, at the most talkative log level.

use gatehouse::http::mount::routes;
use reqwest::header::AUTHORIZATION;
use serde_json::{Value, json};

use crate::cli::Place;
use crate::support::routes::{Caller, Input, PASSWORD, World, basic, known};
use crate::support::{Answer, Client, Setup, TestApp, both_engines};

both_engines!(secrets_stay_secret);

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

fn with_canary(value: &Value) -> Value {
    let mut body = value.clone();
    for name in SECRETS {
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
                vec![Some(with_canary(body)), Some(json!({ "password": [CANARY], "token": 1 })), Some(body.clone())]
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
    let (world, used) = (World::default(&app).await, World::default(&app).await);
    let beside = app.clone();
    app.stop().await;
    let mut place = Place::of(&setup);
    place.at(&beside.base);
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
    let sql = setup.sql().await;
    let rows = sql.dump(&[]).await;
    sql.close().await;
    assert!(rows.len() > 50);
    let mut everywhere: Vec<String> = secrets.into_iter().chain(secrets_of(&used)).collect();
    everywhere.extend([CANARY.to_owned(), key]);
    for secret in &everywhere {
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

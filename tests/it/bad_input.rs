//! Nonsense in every place that takes input: a fitting refusal in the surface's shape, and nothing
//! written. Driven by the route table: what is mounted is tried.

use std::collections::{BTreeMap, BTreeSet};

use gatehouse::http::mount::{Cors, Endpoint, routes, surface_of};
use gatehouse::telemetry::Surface;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::support::routes::{Caller, Input, Known, World, known};
use crate::support::{Answer, Engine, KeyPair, Sql, TestApp, both_engines, drive};

both_engines!(bodies_that_are_none, members, forms, query_parameters, ids_in_paths, credentials, what_is_odd);

/// What stands in refused input and must not come back.
const MARK: &str = "<script>mark</script>";
/// Rows that a refusal may leave, or that change by themselves.
const MAY_GROW: [&str; 6] = ["audit_log", "lockouts", "access_log", "changes", "leases", "signing_keys"];

/// What a refusal must look like, whoever wrote it.
#[track_caller]
fn is_refusal(answer: &Answer, surface: Surface, by_service: bool, what: &str) {
    let shown: String = answer.text.chars().take(400).collect();
    assert!((400..500).contains(&answer.status), "{what}: {} {shown}", answer.status);
    let media_type = if surface == Surface::Admin { "application/problem+json" } else { "application/json" };
    assert_eq!(answer.header("content-type"), Some(media_type), "{what}: {shown}");
    assert!(answer.text.len() < 500 && !answer.text.contains("mark"), "{what}: {shown}");
    let body: BTreeMap<String, Value> =
        serde_json::from_str(&answer.text).unwrap_or_else(|_| panic!("{what}: {shown}"));
    // Which part of the input it is is told where it is one.
    let parts = ["errors", "fields"];
    let members: Vec<&str> = body.keys().map(String::as_str).filter(|name| !parts.contains(name)).collect();
    let expected: &[&str] = match surface {
        Surface::OAuth => &["error", "error_description"],
        Surface::Admin => &["detail", "request_id", "status", "title", "type"],
        Surface::Control if by_service => &["error"],
        Surface::Control | Surface::Workspace => &["detail", "error_code", "status_code"],
        Surface::Rbac | Surface::Member | Surface::Handoff => &["detail"],
        _ => &["error"],
    };
    assert_eq!(members, expected, "{what}: {shown}");
    assert!(
        body.values().all(|value| {
            value.is_number() || value.is_array() || value.is_object() || value.as_str().is_some_and(|t| !t.is_empty())
        }),
        "{what}: {shown}"
    );
    assert!(body.get("status_code").is_none_or(|status| *status == answer.status), "{what}: {shown}");
    for (header, value) in [("cache-control", "no-store"), ("x-content-type-options", "nosniff")] {
        assert_eq!(answer.header(header), Some(value), "{what}");
    }
    assert!(answer.header("x-request-id").is_some_and(|id| id.len() >= 16), "{what}");
}

/// What is tried on the routes: the default tenant, and another one for what exists under its issuer.
struct Ground {
    app: TestApp,
    sql: Sql,
    default: World,
    other: World,
    pair: KeyPair,
}

/// One route as it is mounted in one place.
struct Place<'a> {
    endpoint: Endpoint,
    known: Known,
    world: &'a World,
}

impl Ground {
    async fn new(app: TestApp) -> Self {
        let (default, other) = Self::worlds(&app).await;
        let sql = app.sql().await;
        let pair = app.api_client().await;
        let ground = Self { app, sql, default, other, pair };
        // Else the rest proves nothing: what is right is taken, with these credentials.
        for place in ground.places() {
            let (request, what) = (ground.right(&place), place.what("what is right"));
            let answer = ground.app.send(request).await;
            assert_eq!(answer.status, place.known.success, "{what}: {answer:?}");
        }
        // What that used up is made anew.
        let (default, other) = Self::worlds(&ground.app).await;
        // Mail that is on its way changes rows when it leaves.
        ground.app.all_mail_sent().await;
        Self { default, other, ..ground }
    }

    async fn worlds(app: &TestApp) -> (World, World) {
        (World::default(app).await.furnished(app).await, World::new(app, "another").await)
    }

    fn places(&self) -> Vec<Place<'_>> {
        let mut places = Vec::new();
        for endpoint in routes() {
            if endpoint.per_tenant {
                let mut known = known(&endpoint, &self.other);
                known.path = format!("{}{}", self.other.prefix, known.path);
                places.push(Place { endpoint: endpoint.clone(), known, world: &self.other });
            }
            // The default tenant has no issuer under its own name.
            let world = if endpoint.path.contains("{tenant_id}") { &self.other } else { &self.default };
            places.push(Place { known: known(&endpoint, world), endpoint, world });
        }
        places.retain(|place| !place.known.caller.is_apart() || place.known.caller == Caller::KeyPair);
        places
    }

    /// A request with the right credentials and nothing else.
    fn request(&self, place: &Place<'_>, tail: &str) -> RequestBuilder {
        let request = self.app.request(place.method(), &format!("{}{tail}", place.known.path));
        match place.known.authorization(place.world) {
            None if place.known.caller == Caller::KeyPair => self.pair.dress(request),
            Some(value) => request.header(AUTHORIZATION, value),
            None => request,
        }
    }

    /// The same without credentials, where some are wanted.
    fn anonymous(&self, place: &Place<'_>, tail: &str) -> Option<RequestBuilder> {
        let wanted = place.known.caller != Caller::Anybody;
        wanted.then(|| self.app.request(place.method(), &format!("{}{tail}", place.known.path)))
    }

    fn right(&self, place: &Place<'_>) -> RequestBuilder {
        let request = self.request(place, "");
        match &place.known.input {
            Input::Nothing => request,
            Input::Json(body) => request.json(body),
            Input::Forms(forms) => request.form(&forms[0]),
        }
    }

    /// Sends it with and without credentials; both are refused, and these are the statuses with them.
    async fn refuses(
        &self,
        place: &Place<'_>,
        what: &str,
        tail: &str,
        statuses: &[u16],
        dress: impl Fn(RequestBuilder) -> RequestBuilder,
    ) {
        let surface = place.endpoint.surface;
        let what = place.what(what);
        let answer = self.app.send(dress(self.request(place, tail))).await;
        is_refusal(&answer, surface, place.known.caller == Caller::Service, &what);
        // What is there and can't be right has a status of its own on this face.
        let apart = [Surface::Workspace, Surface::Handoff, Surface::Member].contains(&surface);
        let invalid = apart && answer.status == 422 && statuses.contains(&400);
        assert!(invalid || statuses.contains(&answer.status), "{what}: {answer:?}, not {statuses:?}");
        if let Some(request) = self.anonymous(place, tail) {
            let what = format!("{what}, without credentials");
            let answer = self.app.send(dress(request)).await;
            is_refusal(&answer, surface, false, &what);
            let fits = if surface == Surface::OAuth { answer.status < 500 } else { answer.status == 401 };
            assert!(fits, "{what}: {answer:?}");
        }
    }

    async fn rows(&self) -> BTreeSet<String> {
        self.sql.dump(&MAY_GROW).await.into_iter().collect()
    }

    async fn unchanged(&self, before: &BTreeSet<String>, what: &str) {
        let after = self.rows().await;
        let changed: Vec<&String> = before.symmetric_difference(&after).collect();
        assert!(changed.is_empty(), "{what} changed rows: {changed:#?}");
    }
}

impl Place<'_> {
    fn what(&self, what: &str) -> String {
        format!("{} {}: {what}", self.endpoint.method, self.known.path)
    }

    fn method(&self) -> Method {
        self.endpoint.method.as_str().parse().unwrap()
    }

    fn name(&self) -> &'static str {
        self.endpoint.name
    }
}

fn json_body(request: RequestBuilder, body: impl Into<reqwest::Body>) -> RequestBuilder {
    request.header(CONTENT_TYPE, "application/json").body(body)
}

/// Bodies that are no JSON object.
fn no_objects() -> Vec<(&'static str, Vec<u8>)> {
    let text = |text: &str| text.as_bytes().to_vec();
    vec![
        ("nothing", Vec::new()),
        ("half an object", text("{")),
        ("half a member", text("{\"name\":")),
        ("half a text", text("{\"name\":\"a")),
        ("a word", text(MARK)),
        ("an array", text("[]")),
        ("an array of objects", text("[{\"name\":\"a\"}]")),
        ("null", text("null")),
        ("a number", text("1")),
        ("a text", text("\"name\"")),
        ("an object and more", text("{\"name\":\"a\"}{\"name\":\"a\"}")),
        ("single quotes", text("{'name':'a'}")),
        ("a comment", text("{\"name\":\"a\"/* b */}")),
        ("a comma too many", text("{\"name\":\"a\",}")),
        ("a byte order mark", text("\u{feff}{\"name\":\"a\"}")),
        ("half a surrogate pair", text("{\"name\":\"\\ud800\"}")),
        ("a raw control character", text("{\"name\":\"\u{1}\"}")),
        ("a raw NUL", text("{\"name\":\"\0\"}")),
        ("bytes that are not UTF-8", b"{\"name\":\"\xff\xfe\"}".to_vec()),
        ("an overlong encoding", b"{\"name\":\"\xc0\x80\"}".to_vec()),
        ("UTF-16", "{\"name\":\"a\"}".encode_utf16().flat_map(u16::to_le_bytes).collect()),
        ("arrays ten thousand deep", format!("{{\"name\":{}{}}}", "[".repeat(10_000), "]".repeat(10_000)).into_bytes()),
        ("objects ten thousand deep", format!("{}1{}", "{\"name\":".repeat(10_000), "}".repeat(10_000)).into_bytes()),
        ("open ten thousand deep", "{\"name\":[".repeat(10_000).into_bytes()),
        ("a number out of range", text("{\"name\":1e999999}")),
        ("not a number", text("{\"name\":NaN}")),
        ("a form", text("name=a&email=a%40example.org")),
        ("XML", text("<?xml version=\"1.0\"?><name>mark</name>")),
    ]
}

async fn bodies_that_are_none(app: TestApp) {
    let ground = Ground::new(app).await;
    let most = ground.app.config.http.max_body as usize;
    let places = ground.places();
    for place in places.iter().filter(|place| matches!(place.known.input, Input::Json(_))) {
        let Input::Json(right) = &place.known.input else { continue };
        let before = ground.rows().await;
        let (_, required) = described(&place.endpoint);
        for (what, body) in no_objects() {
            // Where nothing must be there, nothing is a request.
            if required.is_empty() && what == "nothing" {
                continue;
            }
            ground.refuses(place, what, "", &[400], |request| json_body(request, body.clone())).await;
        }
        for kind in [
            "text/plain",
            "text/json",
            "application/x-www-form-urlencoded",
            "multipart/form-data; boundary=x",
            "",
            "mark",
        ] {
            let dress = |request: RequestBuilder| request.header(CONTENT_TYPE, kind).body(right.to_string());
            ground.refuses(place, &format!("content type {kind:?}"), "", &[415], dress).await;
        }
        let padded = format!("{right}{}", " ".repeat(most));
        ground.refuses(place, "too large", "", &[413], |request| json_body(request, padded.clone())).await;
        ground.unchanged(&before, &place.what("a body that is none")).await;
    }
}

/// What the OpenAPI document says of a route's body: its members, and which must be there.
fn described(endpoint: &Endpoint) -> (BTreeSet<String>, BTreeSet<String>) {
    let document: Value = serde_json::from_str(&gatehouse::http::openapi()).unwrap();
    let operation = &document["paths"][&endpoint.path][endpoint.method.as_str().to_ascii_lowercase()];
    let content = operation["requestBody"]["content"].as_object().expect("a body");
    let reference = content.values().next().unwrap()["schema"]["$ref"].as_str().expect("a schema of its own");
    let schema = &document["components"]["schemas"][reference.rsplit('/').next().unwrap()];
    let members = schema["properties"].as_object().unwrap().keys().cloned().collect();
    let required = schema["required"].as_array().cloned().unwrap_or_default();
    (members, required.iter().map(|name| name.as_str().unwrap().to_owned()).collect())
}

/// Values of other types than this one.
fn mistyped(right: &Value) -> Vec<Value> {
    let all = vec![
        json!(MARK),
        json!("1"),
        json!(1),
        json!(-1),
        json!(0),
        json!(1.5),
        json!(1e300),
        json!(18_446_744_073_709_551_615_u64),
        json!(true),
        json!(false),
        json!([]),
        json!([MARK]),
        json!([right]),
        json!({}),
        json!({ "mark": right }),
    ];
    let other = |value: &Value| match right {
        Value::String(_) => !value.is_string(),
        Value::Object(_) => !value.is_object(),
        Value::Array(_) => !value.is_array(),
        Value::Bool(_) => !value.is_boolean(),
        // The largest number is one.
        Value::Number(_) => value.as_u64().is_none_or(|n| n == 0),
        other => panic!("{other}: this test knows no other types for it"),
    };
    all.into_iter().filter(other).collect()
}

async fn members(app: TestApp) {
    let ground = Ground::new(app).await;
    for place in &ground.places() {
        let Input::Json(right) = &place.known.input else { continue };
        let (described, required) = described(&place.endpoint);
        let known: BTreeSet<String> = right.as_object().unwrap().keys().cloned().collect();
        assert_eq!(known, described, "{}", place.what("tests/it/support/routes.rs and the document disagree"));
        let before = ground.rows().await;
        for (member, value) in right.as_object().unwrap() {
            let with = |value: Value| {
                let mut body = right.clone();
                body[member] = value;
                body
            };
            // Readers disagree about which of two counts.
            let twice = format!("{{\"{member}\":{value},{}", &right.to_string()[1..]);
            ground.refuses(place, &format!("{member} twice"), "", &[400], |r| json_body(r, twice.clone())).await;
            for wrong in mistyped(value) {
                let body = with(wrong.clone());
                ground.refuses(place, &format!("{member} is {wrong}"), "", &[400], |r| r.json(&body)).await;
            }
            if required.contains(member) {
                let mut without = right.clone();
                without.as_object_mut().unwrap().remove(member);
                for body in [without, with(Value::Null), with(json!(""))] {
                    ground.refuses(place, &format!("no {member}"), "", &[400], |r| r.json(&body)).await;
                }
            }
            let text = value.as_str();
            if text.is_some() {
                let body = with(json!("a\0mark"));
                ground.refuses(place, &format!("{member} with NUL"), "", &[400], |r| r.json(&body)).await;
            }
            for length in [10_000, 100_000] {
                let long = "m".repeat(length);
                let body = with(if text.is_some() { json!(long) } else { json!({ "long": long }) });
                let what = format!("{member} of {length}");
                match (place.name(), member.as_str()) {
                    _ if value.is_number() => {}
                    // A small profile is a profile.
                    (_, "profile") if length < 16_384 => {}
                    // Questions: what can't be is not.
                    ("services.validate_token", "token") => {
                        let answer = ground.app.send(ground.request(place, "").json(&body)).await;
                        assert_eq!(answer.body(200), json!({ "valid": false }), "{what}");
                    }
                    ("tokens.validate_token", "token") => {
                        let answer = ground.app.send(ground.request(place, "").json(&body)).await;
                        assert_eq!(answer.body(200)["valid"], false, "{what}");
                    }
                    ("services.check_permission", "scope_name") => {
                        let answer = ground.app.send(ground.request(place, "").json(&body)).await;
                        assert_eq!(answer.body(200), json!({ "has_permission": false }), "{what}");
                    }
                    _ => ground.refuses(place, &what, "", &[400, 401, 404], |r| r.json(&body)).await,
                }
            }
        }
        ground.unchanged(&before, &place.what("a member that is wrong")).await;
    }
}

/// A form as it goes over the wire, one value of it replaced by bytes that are encoded already.
fn encoded(form: &[(&str, String)], replaced: &str, value: &str) -> String {
    let pair = |(name, own): &(&str, String)| {
        let own: String = url_encoded(own);
        format!("{name}={}", if *name == replaced { value } else { &own })
    };
    form.iter().map(pair).collect::<Vec<_>>().join("&")
}

fn url_encoded(text: &str) -> String {
    text.bytes()
        .map(|byte| if byte.is_ascii_alphanumeric() { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

async fn forms(app: TestApp) {
    const FORM: &str = "application/x-www-form-urlencoded";
    let ground = Ground::new(app).await;
    let form = |body: String| move |request: RequestBuilder| request.header(CONTENT_TYPE, FORM).body(body.clone());
    for place in &ground.places() {
        let Input::Forms(forms) = &place.known.input else { continue };
        let (described, required) = described(&place.endpoint);
        let before = ground.rows().await;
        for right in forms {
            let whole = encoded(right, "", "");
            for (what, body) in [
                ("nothing", String::new()),
                ("only separators", "&=&&=&".to_owned()),
                ("JSON", "{\"grant_type\":\"password\",\"token\":\"mark\"}".to_owned()),
                (
                    "a hundred parameters",
                    format!("{whole}{}", (0..100).map(|n| format!("&x{n}=mark")).collect::<String>()),
                ),
                ("not UTF-8", format!("{whole}&state=%ff%fe")),
                ("a name that is not UTF-8", format!("{whole}&%c0%80=mark")),
            ] {
                // Where nothing must be there, nothing is a request.
                if required.is_empty() && ["nothing", "only separators", "JSON"].contains(&what) {
                    continue;
                }
                ground.refuses(place, what, "", &[400], form(body)).await;
            }
            ground.refuses(place, "too large", "", &[413], form(format!("{whole}&x={}", "m".repeat(65_536)))).await;
            ground.refuses(place, "a query string", "?grant_type=password", &[400], form(whole.clone())).await;
            for kind in ["application/json", "text/plain", "multipart/form-data; boundary=x", "", "mark"] {
                let dress = |request: RequestBuilder| request.header(CONTENT_TYPE, kind).body(whole.clone());
                ground.refuses(place, &format!("content type {kind:?}"), "", &[400], dress).await;
            }
            ground.refuses(place, "no content type", "", &[400], |request| request.body(whole.clone())).await;
            for (name, value) in right {
                assert!(described.contains(*name), "{}", place.what(name));
                let twice = format!("{whole}&{name}={}", url_encoded(value));
                ground.refuses(place, &format!("{name} twice"), "", &[400], form(twice)).await;
                let broken = encoded(right, name, "%ff");
                ground.refuses(place, &format!("{name} is not UTF-8"), "", &[400], form(broken)).await;
                if required.contains(*name) || !["scope", "token_type_hint"].contains(name) {
                    let without: Vec<_> = right.iter().filter(|(other, _)| other != name).cloned().collect();
                    for body in [encoded(&without, "", ""), encoded(right, name, "")] {
                        ground.refuses(place, &format!("no {name}"), "", &[400], form(body)).await;
                    }
                }
                for value in [
                    "m".repeat(10_000),
                    "m".repeat(60_000),
                    "%00".to_owned(),
                    "a%00b".to_owned(),
                    "%0d%0amark:%201".to_owned(),
                ] {
                    let what = format!("{name} is {}", &value[..value.len().min(20)]);
                    let body = encoded(right, name, &value);
                    if ["token", "token_type_hint"].contains(name) {
                        // RFC 7662 §2.2, RFC 7009 §2.2: what can't be a token is none, and that is an
                        // answer; a hint may be anything.
                        if *name == "token" {
                            let answer = ground.app.send(form(body)(ground.request(place, ""))).await.expect(200);
                            let inactive = json!({ "active": false });
                            assert!(answer.text.is_empty() || answer.json() == inactive, "{what}: {answer:?}");
                        }
                    } else {
                        ground.refuses(place, &what, "", &[400], form(body)).await;
                    }
                }
            }
        }
        ground.unchanged(&before, &place.what("a form that is wrong")).await;
    }
}

/// The query parameters that the document names.
fn parameters(endpoint: &Endpoint) -> Vec<String> {
    let operation = serde_json::to_value((endpoint.operation)()).unwrap();
    let all = operation["parameters"].as_array().cloned().unwrap_or_default();
    all.iter().filter(|one| one["in"] == "query").map(|one| one["name"].as_str().unwrap().to_owned()).collect()
}

async fn query_parameters(app: TestApp) {
    const NUMBERS: &[&str] =
        &["-1", "abc", "1.5", "0x10", "1e9", "99999999999999999999999", "%00", "%ff", "+1+1", "mark"];
    let ground = Ground::new(app).await;
    let mut tried = 0;
    for place in &ground.places() {
        let before = ground.rows().await;
        for name in parameters(&place.endpoint) {
            tried += 1;
            let long = "m".repeat(600);
            let mut bad: Vec<&str> = vec!["%00", "a%00b", &long];
            bad.extend_from_slice(match name.as_str() {
                "limit" | "page" | "per_page" => NUMBERS,
                "offset" => NUMBERS,
                "cursor" => &["mark", "usr_1", "'--", "AAAA", "%ff", "=", "null"],
                "organization" => &["mark", "org_", "org_1", "%ff"],
                "since" | "until" => {
                    &["yesterday", "-1h", "1", "h", "1.5h", "99999999999999999999d", "2026-13-01T00:00:00Z", "%ff"]
                }
                "is_active" | "is_system_role" | "is_system_permission" => &["maybe", "2", "TRUE%20", "%ff"],
                "scope" => &["mark", "global", "SYSTEM%20"],
                "tenant_id" => &["mark", "tnt_", "tnt_1", "usr_00000000000000000000000000000000", "%ff"],
                "outcome" => &["mark", "SUCCESS", "%ff"],
                // Any text may be looked for.
                "keyword" | "system_key" | "company_key" => &[],
                "actor" | "target" | "request_id" | "search" | "role" | "role_name" | "role_code"
                | "permission_name" | "resource" | "action" => &[],
                other => panic!("{}: say here what is wrong for {other}", place.known.path),
            });
            if ["limit", "page", "per_page"].contains(&name.as_str()) {
                bad.push("0");
            }
            for value in bad {
                let what = format!("{name}={}", &value[..value.len().min(30)]);
                ground.refuses(place, &what, &format!("?{name}={value}"), &[400, 404], |r| r).await;
            }
            ground.refuses(place, &format!("{name} twice"), &format!("?{name}=1&{name}=1"), &[400], |r| r).await;
        }
        // What nobody asks for is nobody's business.
        if place.method() == Method::GET {
            let answer = ground.app.send(ground.request(place, "?mark=1&mark=2&%ff=%00&=")).await;
            assert_eq!(answer.status, 200, "{}", place.what("unknown parameters"));
        }
        ground.unchanged(&before, &place.what("a parameter that is wrong")).await;
    }
    assert!(tried > 10, "{tried} parameters: the document names none?");
}

async fn ids_in_paths(app: TestApp) {
    let ground = Ground::new(app).await;
    let (long, too_long) = ("m".repeat(1500), "m".repeat(3000));
    let mut tried = 0;
    for place in &ground.places() {
        let ids = [&place.world.user_id, &place.world.other_service.id, &place.world.tenant_id];
        let Some(own) = ids.into_iter().find(|id| place.known.path.contains(id.as_str())) else { continue };
        tried += 1;
        let before = ground.rows().await;
        let upper = own.to_uppercase();
        let prefix = own.split('_').next().unwrap();
        let (zero, max) = (format!("{prefix}_{}", "0".repeat(32)), format!("{prefix}_{}", "f".repeat(32)));
        let others: Vec<&str> = ids.into_iter().filter(|id| *id != own).map(String::as_str).collect();
        let mut bad = vec![
            "x",
            "0",
            "-1",
            "null",
            "undefined",
            "mark",
            "'",
            "'--",
            "*",
            "%20",
            "%ff",
            "%C3%A4",
            "a%20b",
            "%3Cscript%3E",
        ];
        bad.extend([&*upper, &*zero, &*max, &*long]);
        bad.extend(others);
        bad.push("1e9");
        for id in bad {
            let path = place.known.path.replace(own.as_str(), id);
            let other = Place {
                endpoint: place.endpoint.clone(),
                known: Known { path, ..known(&place.endpoint, place.world) },
                world: place.world,
            };
            let dress = |request: RequestBuilder| match &place.known.input {
                Input::Forms(forms) => request.form(&forms[0]),
                Input::Json(body) => request.json(body),
                Input::Nothing => request,
            };
            ground.refuses(&other, "this id", "", &[404], dress).await;
        }
        let path = place.known.path.replace(own.as_str(), &too_long);
        let answer = ground.app.send(ground.app.request(place.method(), &path)).await.expect(400);
        is_refusal(&answer, place.endpoint.surface, false, &place.what("too long a path"));
        ground.unchanged(&before, &place.what("an id that is wrong")).await;
    }
    assert!(tried > 5, "{tried} paths with ids");
}

/// Credentials of every kind but the right one.
async fn credentials(app: TestApp) {
    let ground = Ground::new(app).await;
    for place in &ground.places() {
        let caller = place.known.caller;
        // Of key pairs `faces/handoff_proof.rs` tries every wrong one.
        if [Caller::Anybody, Caller::KeyPair].contains(&caller) {
            continue;
        }
        let before = ground.rows().await;
        let (world, long) = (place.world, "m".repeat(20_000));
        let mut bad: Vec<(String, &[u16])> = [
            "",
            "Bearer",
            "Bearer ",
            "Bearer a b",
            "Bearer mark",
            "Bearer \"mark\"",
            "Bearer eyJhbGciOiJub25lIn0.e30.",
            "Bearer a.b.c",
            "Bearer pub_",
            "Bearer sec_x",
            "Basic",
            "Basic !",
            "Basic bWFyaw==",
            "Basic OjptYXJr",
            "Digest mark",
            "Basic /w==",
        ]
        .into_iter()
        .map(|text| (text.to_owned(), [400, 401].as_slice()))
        .collect();
        bad.push((format!("Bearer {long}"), &[400, 401]));
        bad.push((format!("Basic {long}"), &[400, 401]));
        let mut kinds = vec![
            (Caller::TenantKey, &world.secret_key),
            (Caller::TenantKey, &world.public_key),
            (Caller::Person, &world.user_token),
            (Caller::Service, &world.service_token),
        ];
        if ["users.register", "users.login"].contains(&place.name()) || caller != Caller::TenantKey {
            kinds.retain(|(kind, _)| *kind != caller);
        } else {
            kinds.retain(|(kind, key)| *kind != caller || *key == &world.public_key);
        }
        if [Surface::Admin, Surface::Rbac].contains(&place.endpoint.surface) {
            // A person whose roles permit it is as good a caller as a service.
            kinds.retain(|(kind, _)| *kind != Caller::Person);
        }
        // Who is known and lacks the right is told so.
        bad.extend(kinds.into_iter().map(|(_, token)| (format!("Bearer {token}"), [400, 401, 403].as_slice())));
        for (value, statuses) in bad {
            let what = place.what(&format!("Authorization: {}", &value[..value.len().min(40)]));
            let request = ground.right(place).build().unwrap();
            let mut request = request;
            request.headers_mut().insert(AUTHORIZATION, value.parse().unwrap());
            let answer = Answer::read(ground.app.http.execute(request).await.unwrap()).await;
            // A person's token at a service's door: proved to be somebody, yet no service.
            is_refusal(&answer, place.endpoint.surface, false, &what);
            assert!(statuses.contains(&answer.status), "{what}: {answer:?}");
        }
        // Two at once prove nothing, and neither do bytes that are no text.
        let right = place.known.authorization(world).unwrap();
        let mut twice = ground.right(place).build().unwrap();
        twice.headers_mut().append(AUTHORIZATION, right.parse().unwrap());
        let mut bytes = ground.right(place).build().unwrap();
        bytes.headers_mut().insert(AUTHORIZATION, http::HeaderValue::from_bytes(b"Bearer \xff\xfe").unwrap());
        for (what, request) in [("two credentials", twice), ("bytes", bytes)] {
            let answer = Answer::read(ground.app.http.execute(request).await.unwrap()).await;
            is_refusal(&answer, place.endpoint.surface, false, &place.what(what));
            assert!([400, 401].contains(&answer.status), "{what}: {answer:?}");
        }
        ground.unchanged(&before, &place.what("wrong credentials")).await;
    }
}

/// What is odd and may be taken or refused, but never trips anything.
async fn what_is_odd(app: TestApp) {
    let ground = Ground::new(app).await;
    for place in &ground.places() {
        let Input::Json(right) = &place.known.input else { continue };
        let by_service = place.known.caller == Caller::Service;
        let mut odd = Vec::new();
        let text = right.to_string();
        for (member, value) in right.as_object().unwrap() {
            if value.is_string() {
                for odd_text in [
                    "a\u{1}b",
                    "\u{202e}mark",
                    "\u{feff}",
                    "a\nb",
                    "\u{fffd}",
                    "𐀀𐀀",
                    "%00",
                    "../..",
                    "${jndi:mark}",
                    "' OR 1=1 --",
                ] {
                    let mut body = right.clone();
                    body[member] = json!(odd_text);
                    odd.push((format!("{member} is {odd_text:?}"), body.to_string()));
                }
            }
        }
        odd.push((
            "unknown members".to_owned(),
            format!("{{\"__proto__\":{{\"a\":1}},\"is_admin\":true,\"\":null,{}", &text[1..]),
        ));
        for (what, body) in odd {
            let what = place.what(&what);
            let answer = ground.app.send(json_body(ground.request(place, ""), body)).await;
            if answer.status != place.known.success {
                is_refusal(&answer, place.endpoint.surface, by_service, &what);
            }
        }
    }
}

/// A path as it is asked for, its surface, whether other origins may call it, and its methods.
type Served = (String, Surface, bool, BTreeSet<String>);

#[test]
fn a_wrong_method_is_told_the_right_ones() {
    drive(Engine::Sqlite, async |app: TestApp| {
        let ground = Ground::new(app).await;
        let mut paths: BTreeMap<(bool, String), Served> = BTreeMap::new();
        for place in ground.places() {
            let below_tenant = place.known.path.starts_with("/t/");
            let entry = paths.entry((below_tenant, place.endpoint.path)).or_insert((
                place.known.path,
                place.endpoint.surface,
                !matches!(place.endpoint.cors, Cors::Nobody),
                BTreeSet::new(),
            ));
            entry.3.insert(place.endpoint.method.to_string());
        }
        for (path, surface, cors, mut allowed) in paths.into_values() {
            if allowed.contains("GET") {
                allowed.insert("HEAD".to_owned());
            }
            if cors {
                allowed.insert("OPTIONS".to_owned());
            }
            for method in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "MARK"] {
                if allowed.contains(method) {
                    continue;
                }
                for token in ["", ground.default.service_token.as_str()] {
                    // Where a key pair is wanted, it comes before the method.
                    let request = ground.pair.dress(ground.app.request(method.parse().unwrap(), &path));
                    let request = if token.is_empty() { request } else { request.bearer_auth(token) };
                    let answer = ground.app.send(request.body("mark")).await.expect(405);
                    let told: BTreeSet<String> =
                        answer.header("allow").unwrap().split(", ").map(str::to_owned).collect();
                    assert_eq!(told, allowed, "{method} {path}");
                    if method != "HEAD" && surface != Surface::Pages {
                        is_refusal(&answer, surface, !token.is_empty(), &format!("{method} {path}"));
                    }
                }
            }
        }
    });
}

#[test]
fn a_path_that_nobody_serves_is_not_found_in_its_surface_s_shape() {
    drive(Engine::Sqlite, async |app: TestApp| {
        let world = World::new(&app, "another").await;
        let service = World::default(&app).await.service_token;
        let mut paths: Vec<String> = [
            "/oauth",
            "/oauth/mark",
            "/oauth/token/x",
            "/oauth/token/",
            "/.well-known/mark",
            "/.well-known/openid-configuration/x",
            "/v1",
            "/v1/mark",
            "/v1/users/",
            "/v1/users/a/b",
            "/v1/auth",
            "/v1/internal/services/x",
            "/v1/internal/services/x/mark",
            "/api/internal",
            "/api/internal/mark",
            "/api/internal/users/a/b",
            "/api/auth/login",
            "/api/v1/roles",
            "/me/x",
            "/auth/login",
            "/health/x",
            "/metrics/x",
        ]
        .iter()
        .map(ToString::to_string)
        .collect();
        paths.extend(["/oauth/mark", "/v1/users", "/.well-known/mark"].map(|path| format!("{}{path}", world.prefix)));
        let known: BTreeSet<String> = routes().into_iter().map(|endpoint| endpoint.path).collect();
        for path in paths.iter().filter(|path| !known.contains(*path)) {
            for (method, token) in [(Method::GET, ""), (Method::POST, ""), (Method::DELETE, service.as_str())] {
                let request = app.request(method.clone(), path);
                let request = if token.is_empty() { request } else { request.bearer_auth(token) };
                let answer = app.send(request.body("mark")).await;
                assert_eq!(answer.status, 404, "{method} {path}: {answer:?}");
                is_refusal(&answer, surface_of(path), !token.is_empty(), &format!("{method} {path}"));
            }
        }
        // Where people look, they get a page.
        for path in [
            "/nowhere",
            "/V1/users",
            "/console/nowhere",
            "/static/nowhere.css",
            "/docs/nowhere",
            "/favicon.ico",
            "/.git/config",
        ] {
            let answer = app.get(path).await.expect(404);
            assert_eq!(answer.header("content-type"), Some("text/html; charset=utf-8"), "{path}");
            assert!(!answer.text.contains("nowhere"), "{path}");
        }
    });
}

#[test]
fn a_path_with_two_readings_is_refused_before_anything_is_routed() {
    drive(Engine::Sqlite, async |app: TestApp| {
        let world = World::default(&app).await;
        let headers = format!("Authorization: Bearer {}\r\n", world.service_token);
        let mut tried = 0;
        for endpoint in routes() {
            let path = known(&endpoint, &world).path;
            if path == "/" {
                continue;
            }
            let last = path.rfind('/').unwrap();
            let (folder, name) = path.split_at(last);
            let name = &name[1..];
            let twisted = [
                format!("/{path}"),
                format!("{folder}//{name}"),
                format!("{path};a=b"),
                format!("{folder}/;/{name}"),
                format!("{folder}/./{name}"),
                format!("{folder}/x/../{name}"),
                format!("{path}/.."),
                format!("{path}/."),
                format!("{folder}%2f{name}"),
                format!("{folder}%2F{name}"),
                format!("{folder}/%2e/{name}"),
                format!("{folder}/x/%2e%2e/{name}"),
                format!("{folder}/x/.%2E/{name}"),
                format!("{folder}\\{name}"),
                format!("{folder}%5c{name}"),
                format!("{path}%00"),
                format!("{path}%0d%0aX-Mark:%201"),
                format!("{path}%252f"),
                format!("{path}%"),
                format!("{path}%zz"),
            ];
            // What does not begin with a slash is no request, and the transport says so by itself.
            for target in twisted.into_iter().filter(|target| target.starts_with('/')) {
                let answer = app.target(endpoint.method.as_str(), target.as_bytes(), &headers).await;
                assert_eq!(answer.status, 400, "{target}: {answer:?}");
                let media_type = answer.header("content-type").unwrap();
                assert!(["application/json", "application/problem+json"].contains(&media_type), "{target}");
                assert!(answer.header("x-mark").is_none() && !answer.text.contains("Mark"), "{target}: {answer:?}");
                assert!(answer.json()["error"].is_string() || answer.json()["detail"].is_string(), "{target}");
                tried += 1;
            }
        }
        assert!(tried > 500, "{tried}");
        // What is no path at all.
        for target in ["*", "http:", "nonsense", "/a b", "/\u{1}", "/\u{7f}", "/\u{e4}"] {
            let mut wire = app.wire().await;
            wire.write(format!("GET {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")).await;
            if let Some(answer) = wire.answer().await {
                assert!((400..500).contains(&answer.status), "{target:?}: {answer:?}");
            }
        }
        app.get("/health").await.expect(200);
    });
}

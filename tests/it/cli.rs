//! The program itself, run as operators run it: what it prints, what it exits with, what it leaves
//! behind, and that a running server notices.

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::{Answer, Engine, Setup, Sql, both_engines, within};

both_engines!(every_command_does_its_work_beside_a_running_server, several_that_are_first_make_one_installation);

/// A folder where somebody runs the program, and the variables that it sees.
pub struct Place {
    folder: PathBuf,
    port: u16,
    env: Vec<(String, String)>,
}

/// What came of a command.
#[derive(Debug)]
pub struct Done {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Done {
    #[track_caller]
    fn json(&self) -> Value {
        assert_eq!(self.code, 0, "{self:?}");
        serde_json::from_str(&self.out).unwrap_or_else(|why| panic!("{why}: {self:?}"))
    }

    #[track_caller]
    fn refused(&self, code: i32, words: &[&str]) {
        assert_eq!((self.code, self.out.as_str()), (code, ""), "{self:?}");
        assert!(words.iter().all(|word| self.err.contains(word)), "{words:?} in {self:?}");
        assert!(!self.err.contains("panicked"), "{self:?}");
    }
}

/// A server that ends with the test.
pub struct Serving {
    child: Child,
    base: String,
    log: PathBuf,
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Serving {
    /// Tells it to stop, and what it exits with.
    pub async fn terminate(mut self) -> i32 {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        let mut code = None;
        within(Duration::from_secs(20), "it stops", async || {
            code = self.child.try_wait().unwrap();
            code.is_some()
        })
        .await;
        code.unwrap().code().expect("not killed by a signal")
    }

    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap()
    }

    async fn ask(&self, request: reqwest::RequestBuilder) -> Answer {
        Answer::read(request.send().await.unwrap()).await
    }

    async fn token(&self, id: &str, secret: &str, fields: &[(&str, &str)]) -> Answer {
        let url = format!("{}/oauth/token", self.base);
        self.ask(client().post(url).basic_auth(id, Some(secret)).form(fields)).await
    }

    async fn login(&self, key: &str, email: &str, password: &str) -> u16 {
        let url = format!("{}/v1/auth/login", self.base);
        let body = json!({ "email": email, "password": password });
        self.ask(client().post(url).bearer_auth(key).json(&body)).await.status
    }
}

fn client() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().build().unwrap()
}

impl Place {
    /// A folder with nothing in it.
    fn fresh(folder: &Path) -> Self {
        let port = Setup::on(Engine::Sqlite).unwrap().config().http.bind.port();
        let env = vec![("GATEHOUSE_BIND".to_owned(), format!("127.0.0.1:{port}"))];
        Self { folder: folder.to_owned(), port, env }
    }

    /// The database of a test.
    pub fn of(setup: &Setup) -> Self {
        let mut place = Self::fresh(&setup.folder());
        let key = setup.config().secrets.master_key.unwrap().to_text().expose().clone();
        place.set("GATEHOUSE_MASTER_KEY", &key);
        place.set("GATEHOUSE_DATABASE_URL", setup.database_url());
        place
    }

    /// Serves this issuer, at its port.
    pub fn at(&mut self, base: &str) {
        self.port = base.rsplit(':').next().unwrap().parse().unwrap();
        self.set("GATEHOUSE_BIND", &format!("127.0.0.1:{}", self.port));
        self.set("GATEHOUSE_ISSUER", base);
    }

    pub fn set(&mut self, name: &str, value: &str) {
        self.env.push((name.to_owned(), value.to_owned()));
    }

    fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_gatehouse"));
        command.current_dir(&self.folder).env_clear().envs(self.env.iter().cloned()).stdin(Stdio::null());
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Done {
        self.run_with(arguments, "")
    }

    /// Runs it with this on standard input.
    fn run_with(&self, arguments: &[&str], input: &str) -> Done {
        use std::io::Write as _;
        let mut command = self.command();
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // A command that needs no input may be gone before it is written.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        let output = child.wait_with_output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Done { code: output.status.code().expect("no signal"), out: text(output.stdout), err: text(output.stderr) }
    }

    pub fn json(&self, arguments: &[&str]) -> Value {
        let arguments: Vec<&str> = ["--json"].into_iter().chain(arguments.iter().copied()).collect();
        self.run(&arguments).json()
    }

    /// Serves, with everything that it says in one file, and waits until it answers.
    pub async fn serve(&self, arguments: &[&str]) -> Serving {
        static STARTS: AtomicU32 = AtomicU32::new(0);
        let log = self.folder.join(format!("server-{}.log", STARTS.fetch_add(1, Ordering::Relaxed)));
        let file = std::fs::OpenOptions::new().create(true).append(true).open(&log).unwrap();
        let mut command = self.command();
        command.args(arguments).stdout(file.try_clone().unwrap()).stderr(file);
        let mut serving =
            Serving { child: command.spawn().unwrap(), base: format!("http://127.0.0.1:{}", self.port), log };
        within(Duration::from_secs(60), "it serves", async || {
            let gone = serving.child.try_wait().unwrap();
            assert!(gone.is_none(), "{gone:?}: {}", serving.log());
            client().get(format!("{}/readyz", serving.base)).send().await.is_ok_and(|answer| answer.status() == 200)
        })
        .await;
        serving
    }

    fn files(&self) -> BTreeSet<String> {
        let entries = std::fs::read_dir(&self.folder).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }
}

fn on<F: Future<Output = ()>>(test: impl FnOnce(Place, tempfile::TempDir) -> F) {
    let folder = tempfile::tempdir().unwrap();
    let place = Place::fresh(folder.path());
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    runtime.block_on(test(place, folder));
}

/// How soon a running server acts on what a command changed: a second, and what the machine adds.
const SOON: Duration = Duration::from_secs(3);

/// The words of every command that does something.
fn leaves(command: &clap::Command, before: &str, found: &mut BTreeSet<String>) {
    let name = format!("{before} {}", command.get_name());
    let subcommands: Vec<_> = command.get_subcommands().filter(|sub| sub.get_name() != "help").collect();
    if subcommands.is_empty() {
        found.insert(name.trim().trim_start_matches("gatehouse ").to_owned());
    }
    for sub in subcommands {
        leaves(sub, &name, found);
    }
}

fn members(value: &Value) -> BTreeSet<&str> {
    value.as_object().unwrap_or_else(|| panic!("no object: {value}")).keys().map(String::as_str).collect()
}

#[track_caller]
fn has(value: &Value, wanted: &[&str]) {
    let members = members(value);
    assert!(wanted.iter().all(|name| members.contains(name)), "{wanted:?} in {value}");
}

fn text<'a>(value: &'a Value, member: &str) -> &'a str {
    value[member].as_str().unwrap_or_else(|| panic!("no text {member}: {value}"))
}

const USER: &[&str] =
    &["id", "tenant_id", "email", "username", "name", "email_verified", "enabled", "roles", "created_at"];
const CLIENT: &[&str] = &[
    "client_id",
    "client_name",
    "tenant_id",
    "enabled",
    "grant_types",
    "redirect_uris",
    "scope",
    "token_endpoint_auth_method",
    "access_token_format",
    "signing_alg",
    "created_at",
];

/// The catalogue, and API clients.
async fn trusted_systems(place: &Place, server: &Serving, tried: &mut impl FnMut(&str)) {
    for name in ["add-system", "add-module", "add-company", "add-site", "list", "disable", "enable"] {
        tried(&format!("catalog {name}"));
    }
    let system = place.json(&["catalog", "add-system", "--name", "Sales", "--code", "sales"]);
    has(&system, &["kind", "key", "system_key", "id", "name", "status", "code", "created_at"]);
    let system = text(&system, "system_key").to_owned();
    let module = place.json(&["catalog", "add-module", "--system", &system, "--name", "Campaigns"]);
    assert_eq!((&module["system_key"], &module["code"]), (&json!(system), &Value::Null));
    let company = place.json(&["catalog", "add-company", "--name", "Acme", "--slug", "acme", "--plan", "gold"]);
    assert_eq!((&company["slug"], &company["plan"]), (&json!("acme"), &json!("gold")));
    let company = text(&company, "company_key").to_owned();
    let site = place.json(&["catalog", "add-site", "--company", &company, "--name", "Taipei", "--code", "tw-main"]);
    assert_eq!(site["company_key"], company);
    let site = text(&site, "site_key").to_owned();
    let listed = place.json(&["catalog", "list"]);
    let kinds: Vec<&str> = listed.as_array().unwrap().iter().map(|entry| text(entry, "kind")).collect();
    assert_eq!(kinds, ["system", "module", "company", "site"]);
    assert_eq!(place.json(&["catalog", "list", "--kind", "site"])[0]["key"], site);
    let again = ["catalog", "add-site", "--company", &company, "--name", "Other", "--code", "tw-main"];
    place.run(&again).refused(1, &["code already taken"]);
    place.run(&["catalog", "add-module", "--system", &site, "--name", "x"]).refused(1, &["no such system", &site]);
    for key in [&system, text(&module, "module_key"), &company, &site] {
        for (verb, status) in [("disable", "inactive"), ("enable", "active")] {
            assert_eq!(place.json(&["catalog", verb, key])["status"], status, "{key}");
        }
    }
    place.run(&["catalog", "disable", "CP20200101X0000"]).refused(1, &["CP20200101X0000"]);

    for name in ["create", "list", "rotate", "disable", "enable"] {
        tried(&format!("api-client {name}"));
    }
    let create =
        ["api-client", "create", "--name", "A system", "--allow-ip", "127.0.0.0/8", "--allow-path", "/internal"];
    let made = place.json(
        &[&create[..], &["--allow-origin", "https://App.example.org", "--expires-at", "2099-01-31T18:00:00Z"]].concat(),
    );
    has(&made, &["client_key", "api_key", "id", "name", "enabled", "created_at"]);
    let told = ["allow_ips", "allow_origins", "allow_paths", "expires_at"].map(|name| made[name].clone());
    let expected = [
        json!(["127.0.0.0/8"]),
        json!(["https://app.example.org"]),
        json!(["/internal"]),
        json!("2099-01-31T18:00:00Z"),
    ];
    assert_eq!(told, expected);
    let (key, secret) = (text(&made, "client_key").to_owned(), text(&made, "api_key").to_owned());
    let ask = async |secret: &str| {
        let url = format!("{}/internal/sites", server.base);
        server.ask(client().get(url).header("X-Client-Key", &key).header("X-API-Key", secret)).await
    };
    assert_eq!(ask(&secret).await.body(200)["items"][0]["site_key"], site);
    let listed = place.json(&["api-client", "list"]);
    assert_eq!((listed.as_array().unwrap().len(), &listed[0]["client_key"]), (1, &json!(key)));
    assert!(listed[0].get("api_key").is_none() && !listed.to_string().contains(&secret));
    let rotated = place.json(&["api-client", "rotate", &key, "--overlap", "1h"]);
    place.run(&["api-client", "rotate", &key, "--overlap", "32d"]).refused(2, &["overlap", "31d"]);
    let new = text(&rotated, "api_key").to_owned();
    within(SOON, "the new secret", async || ask(&new).await.status == 200).await;
    assert_eq!(ask(&secret).await.status, 200, "the old one goes on");
    for (verb, status) in [("disable", 401), ("enable", 200)] {
        assert_eq!(place.json(&["api-client", verb, &key])["enabled"], verb == "enable");
        within(SOON, verb, async || ask(&new).await.status == status).await;
    }
    place.run(&["api-client", "disable", "gck_nothing"]).refused(1, &["no such API client", "gck_nothing"]);
    let bad = ["api-client", "create", "--name", "x", "--allow-ip", "everywhere"];
    place.run(&bad).refused(1, &["networks"]);
}

/// Connections to providers elsewhere, from their making to their end.
fn connections(place: &Place) {
    let oidc = ["connection", "add-oidc", "--name", "Corp", "--client-id", "us", "--issuer-url"];
    place.run(&[&oidc[..], &["http://idp.example.org"]].concat()).refused(1, &["issuer", "https"]);
    let added = place.json(&[&oidc[..], &["http://127.0.0.1:9", "--domain", "Corp.example"]].concat());
    assert_eq!((&added["kind"], &added["domains"]), (&json!("oidc"), &json!(["corp.example"])));
    let id = text(&added, "connection_id").to_owned();
    assert!(text(&added, "redirect_uri").ends_with(&format!("/login/with/{id}/callback")), "{added}");
    let plain = [
        "connection",
        "add-oauth2",
        "--name",
        "Code host",
        "--client-id",
        "us",
        "--authorization-endpoint",
        "http://127.0.0.1:9/authorize",
        "--token-endpoint",
        "http://127.0.0.1:9/token",
        "--userinfo-endpoint",
        "http://127.0.0.1:9/user",
    ];
    place.run(&plain).refused(1, &["subject"]);
    assert_eq!(place.json(&[&plain[..], &["--map", "subject=id"]].concat())["kind"], "oauth2");
    let company = place.json(&["catalog", "add-company", "--name", "With a provider"]);
    let metadata = place.folder.join("idp.xml");
    std::fs::write(&metadata, crate::support::saml::metadata(&[crate::support::saml::key(0)])).unwrap();
    let saml = ["connection", "add-saml", "--name", "SAML", "--metadata", metadata.to_str().unwrap()];
    let saml = [&saml[..], &["--return-to", "https://app.example/in", "--workspace"]].concat();
    let added = place.json(&[&saml[..], &[text(&company, "company_key")]].concat());
    assert_eq!((&added["kind"], &added["provider"]), (&json!("saml"), &json!(crate::support::saml::IDP)));
    place.run(&[&saml[..], &[text(&company, "company_key")]].concat()).refused(1, &["connection"]);
    assert_eq!(place.json(&["connection", "list"]).as_array().unwrap().len(), 3);
    // Nobody listens there, and that is what it says.
    let tested = place.run(&["connection", "test", &id]);
    assert!(tested.code == 1 && tested.out.contains("wrong") && !tested.err.contains("panicked"), "{tested:?}");
    assert_eq!(place.json(&["connection", "disable", &id])["enabled"], false);
    assert_eq!(place.json(&["connection", "enable", &id])["enabled"], true);
    assert_eq!(place.json(&["connection", "remove", &id])["removed"], true);
    place.run(&["connection", "remove", &id]).refused(1, &[&id]);
}

async fn every_command_does_its_work_beside_a_running_server(setup: Setup) {
    let place = Place::of(&setup);
    let server = place.serve(&["serve"]).await;
    let mut untried = BTreeSet::new();
    leaves(&gatehouse::cli::command(), "", &mut untried);
    let mut tried = |name: &str| assert!(untried.remove(name), "{name} is no command, or was tried before");
    tried("serve");

    // Tenants.
    tried("tenant create");
    let tenant = place.json(&["tenant", "create", "--name", "A tenant"]);
    has(&tenant, &["id", "name", "public_key", "secret_key", "issuer", "created_at"]);
    let (tenant_id, key) = (text(&tenant, "id").to_owned(), text(&tenant, "public_key").to_owned());
    assert_eq!(server.login(&key, "nobody@example.org", "wrong password").await, 401);
    tried("tenant list");
    let tenants = place.json(&["tenant", "list"]);
    let listed = tenants.as_array().unwrap().iter().find(|one| one["id"] == tenant["id"]).expect("it is listed");
    has(listed, &["id", "name", "public_key", "issuer", "is_default", "enabled", "created_at"]);
    assert!(listed.get("secret_key").is_none());
    tried("tenant rotate-key");
    let rotated = place.json(&["tenant", "rotate-key", &tenant_id, "--overlap", "0"]);
    let users =
        async |key: &str| server.ask(client().get(format!("{}/v1/users", server.base)).bearer_auth(key)).await.status;
    within(SOON, "the old key ends", async || users(text(&tenant, "secret_key")).await == 401).await;
    assert_eq!(users(text(&rotated, "secret_key")).await, 200);
    tried("tenant update");
    let set = ["tenant", "update", "--tenant", &tenant_id, "--registration", "token", "--brand-color", "#0a1f44"];
    let updated = place.json(&[&set[..], &["--self-registration", "off", "--password-min-length", "12"]].concat());
    let told =
        ["registration", "brand_color", "self_registration", "password_min_length"].map(|name| updated[name].clone());
    assert_eq!(told, [json!("token"), json!("#0a1f44"), json!(false), json!(12)]);
    let cleared =
        place.json(&["tenant", "update", "--tenant", &tenant_id, "--brand-color", "", "--self-registration", ""]);
    let told = ["registration", "brand_color", "self_registration"].map(|name| cleared[name].clone());
    assert_eq!(told, [json!("token"), Value::Null, Value::Null]);
    tried("tenant initial-access-token");
    let issued = place.json(&["tenant", "initial-access-token", "--tenant", &tenant_id]);
    let register = async |token: &str| {
        let body = json!({ "redirect_uris": ["https://app.example/callback"] });
        let url = format!("{}/t/{tenant_id}/oauth/register", server.base);
        server.ask(client().post(url).bearer_auth(token).json(&body)).await.status
    };
    within(SOON, "the token opens registration", async || register(text(&issued, "initial_access_token")).await == 201)
        .await;
    place.json(&["tenant", "initial-access-token", "--tenant", &tenant_id, "--revoke-all"]);
    within(SOON, "it counts no more", async || register(text(&issued, "initial_access_token")).await == 401).await;

    // Users.
    tried("user create");
    let of = ["--tenant", tenant_id.as_str()];
    let create = [
        "user",
        "create",
        "--json",
        "--email",
        "Ann@example.org",
        "--name",
        "Ann",
        "--email-verified",
        "--password-stdin",
        of[0],
        of[1],
    ];
    let user = place.run_with(&create, "the first password\n").json();
    has(&user, USER);
    assert_eq!(
        (&user["email"], &user["email_verified"], &user["enabled"]),
        (&json!("Ann@example.org"), &json!(true), &json!(true))
    );
    assert_eq!(server.login(&key, "ann@example.org", "the first password").await, 200);
    tried("user list");
    let listed = place.json(&["user", "list", of[0], of[1]]);
    has(&listed[0], USER);
    assert_eq!(listed.as_array().unwrap().len(), 1);
    tried("user set-password");
    let set =
        place.run_with(&["user", "set-password", "ann@example.org", "--json", of[0], of[1]], "the second password");
    has(&set.json(), USER);
    assert_eq!(server.login(&key, "ann@example.org", "the first password").await, 401);
    assert_eq!(server.login(&key, "ann@example.org", "the second password").await, 200);
    for (verb, expected) in [("disable", 401), ("enable", 200)] {
        tried(&format!("user {verb}"));
        let changed = place.json(&["user", verb, "ann@example.org", of[0], of[1]]);
        assert_eq!(changed["enabled"], verb == "enable");
        within(SOON, verb, async || server.login(&key, "ann@example.org", "the second password").await == expected)
            .await;
    }
    tried("user unlock");
    for _ in 0..10 {
        assert_eq!(server.login(&key, "ann@example.org", "a wrong password").await, 401);
    }
    assert_eq!(server.login(&key, "ann@example.org", "the second password").await, 401);
    has(&place.json(&["user", "unlock", "ann@example.org", of[0], of[1]]), USER);
    assert_eq!(server.login(&key, "ann@example.org", "the second password").await, 200);
    tried("user grant-role");
    let granted = place.json(&["user", "grant-role", text(&user, "id"), "admin", of[0], of[1]]);
    assert_eq!(granted["roles"], json!(["admin"]));
    tried("user revoke-role");
    let taken = place.json(&["user", "revoke-role", text(&user, "id"), "admin", of[0], of[1]]);
    assert_eq!(taken["roles"], json!([]));
    place
        .run(&["user", "revoke-role", text(&user, "id"), "admin", of[0], of[1]])
        .refused(1, &["does not hold the role admin"]);
    tried("user show");
    let shown = place.json(&["user", "show", "ann@example.org", of[0], of[1]]);
    has(&shown, USER);
    tried("user remove-factors");
    assert_eq!(place.json(&["user", "remove-factors", "ann@example.org", of[0], of[1]]), shown);
    tried("user delete");
    let gone = place.json(&["user", "create", "--email", "gone@example.org", of[0], of[1]]);
    let deleted = place.json(&["user", "delete", "gone@example.org", of[0], of[1]]);
    assert_eq!(deleted, json!({ "user_id": gone["user_id"], "deleted": true }));
    place.run(&["user", "show", "gone@example.org", of[0], of[1]]).refused(1, &["no such user: gone@example.org"]);

    // Clients.
    tried("client create");
    let made =
        place.json(&["client", "create", "--name", "A service", "--scope", "user:read", "--description", "reads"]);
    has(&made, CLIENT);
    let (id, secret) = (text(&made, "client_id").to_owned(), text(&made, "client_secret").to_owned());
    let grant = [("grant_type", "client_credentials")];
    let answer = server.token(&id, &secret, &grant).await.body(200);
    assert_eq!((&answer["scope"], &answer["expires_in"]), (&json!("user:read"), &json!(300)));
    tried("client list");
    let listed = place.json(&["client", "list"]);
    let listed =
        listed.as_array().unwrap().iter().find(|one| one["client_id"] == id.as_str()).expect("it is listed").clone();
    tried("client show");
    let shown = place.json(&["client", "show", &id]);
    for value in [&listed, &shown] {
        has(value, CLIENT);
        assert!(value.get("client_secret").is_none_or(Value::is_null), "{value}");
        assert!(!value.to_string().contains(&secret));
    }
    tried("client update");
    let updated = place.json(&["client", "update", &id, "--scope", "user:read tenant:read", "--name", "Another name"]);
    let scope: BTreeSet<&str> = text(&updated, "scope").split(' ').collect();
    assert_eq!((text(&updated, "client_name"), scope), ("Another name", ["tenant:read", "user:read"].into()));
    within(SOON, "the new scope", async || {
        let scope = server.token(&id, &secret, &grant).await.body(200)["scope"].as_str().unwrap().to_owned();
        scope.contains("tenant:read")
    })
    .await;
    let relying = place.json(&[
        "client",
        "create",
        "--name",
        "RP",
        "--redirect-uri",
        "https://rp.example/cb",
        "--first-party",
        "--no-pkce",
        "--legacy-response-types",
        "--grant",
        "authorization_code",
        "--grant",
        "implicit",
        "--response-type",
        "code",
        "--response-type",
        "code id_token",
        "--logo-uri",
        "https://rp.example/logo.png",
        "--userinfo-alg",
        "RS256",
        "--backchannel-logout-uri",
        "https://rp.example/out",
        "--default-max-age",
        "60",
        "--pairwise",
    ]);
    for (name, value) in [
        ("first_party", json!(true)),
        ("require_pkce", json!(false)),
        ("response_types", json!(["code", "code id_token"])),
        ("logo_uri", json!("https://rp.example/logo.png")),
        ("userinfo_signed_response_alg", json!("RS256")),
        ("default_max_age", json!(60)),
        ("subject_type", json!("pairwise")),
        ("scope", json!("openid profile email phone address offline_access")),
    ] {
        assert_eq!(relying[name], value, "{name}: {relying}");
    }
    let relying = place.json(&[
        "client",
        "update",
        text(&relying, "client_id"),
        "--first-party=false",
        "--logo-uri",
        "",
        "--no-pkce=false",
        "--auth-method",
        "client_secret_jwt",
    ]);
    assert_eq!((&relying["first_party"], &relying["require_pkce"]), (&json!(false), &json!(true)));
    assert!(relying.get("logo_uri").is_none() && !text(&relying, "client_secret").is_empty(), "{relying}");
    tried("client rotate-secret");
    let rotated = place.json(&["client", "rotate-secret", &id]);
    let new_secret = text(&rotated, "client_secret");
    within(SOON, "the new secret", async || server.token(&id, new_secret, &grant).await.status == 200).await;
    server.token(&id, &secret, &grant).await.is_oauth_error(401, "invalid_client");
    tried("client delete");
    assert_eq!(place.run(&["client", "delete", &id]).code, 0);
    within(SOON, "it is gone", async || server.token(&id, new_secret, &grant).await.status == 401).await;
    place.run(&["client", "show", &id]).refused(1, &["error:", &id]);

    trusted_systems(&place, &server, &mut tried).await;

    // Keys.
    tried("keys list");
    let keys = place.json(&["keys", "list", of[0], of[1]]);
    has(&keys[0], &["kid", "alg", "state", "created_at", "activated_at", "retired_at"]);
    assert!(!keys.to_string().contains("private") && !keys.to_string().contains("sealed"));
    tried("keys rotate");
    let rotated = place.json(&["keys", "rotate", "--alg", "ES256", "--now", of[0], of[1]]);
    assert_eq!((&rotated[0]["alg"], &rotated[0]["state"]), (&json!("ES256"), &json!("active")));
    let published = async || {
        let url = format!("{}/t/{tenant_id}/.well-known/jwks.json", server.base);
        let jwks = server.ask(client().get(url)).await.body(200);
        jwks["keys"].as_array().unwrap().iter().map(|key| text(key, "kid").to_owned()).collect::<BTreeSet<_>>()
    };
    let kid = text(&rotated[0], "kid").to_owned();
    within(SOON, "the new key is published", async || published().await.contains(&kid)).await;
    tried("keys retire");
    let old =
        keys.as_array().unwrap().iter().find(|key| key["alg"] == "ES256" && key["state"] == "active").expect("one");
    let old = text(old, "kid").to_owned();
    assert_eq!(place.json(&["keys", "retire", of[0], of[1], "--", &old])["kid"], old.as_str());
    within(SOON, "the old key is gone", async || !published().await.contains(&old)).await;
    place.run(&["keys", "retire", of[0], of[1], "--", &kid]).refused(1, &[&kid]);

    // Sign-in from elsewhere.
    for command in ["add-oidc", "add-oauth2", "add-saml", "list", "test", "disable", "enable", "remove"] {
        tried(&format!("connection {command}"));
    }
    connections(&place);

    // The installation.
    tried("migrate up");
    assert_eq!(place.json(&["migrate", "up"]), json!({ "applied": [] }));
    assert_eq!(place.json(&["migrate"]), json!({ "applied": [] }));
    tried("migrate status");
    let status = place.json(&["migrate", "status"]);
    assert!(status.as_array().unwrap().iter().all(|row| row["applied"] == true && row["name"].is_string()), "{status}");
    tried("config check");
    assert_eq!(place.json(&["config", "check"]), json!({ "ok": true }));
    tried("config show");
    let shown = place.json(&["config", "show"]);
    has(&shown[0], &["key", "value", "origin"]);
    tried("openapi");
    assert_eq!(place.run(&["openapi"]).json()["openapi"], "3.1.0");
    tried("backup");
    let copy = place.folder.join("copy.db");
    let backup = ["backup", copy.to_str().unwrap()];
    if setup.engine() == Engine::Sqlite {
        let made = place.json(&backup);
        assert_eq!(made["bytes"].as_u64().unwrap(), std::fs::metadata(&copy).unwrap().len());
        let sql = Sql::connect(&format!("sqlite://{}", copy.display())).await;
        assert_eq!(sql.texts("PRAGMA integrity_check").await, ["ok"]);
        assert_eq!(sql.number("SELECT count(*) FROM users WHERE email = 'Ann@example.org'").await, 1);
        sql.close().await;
        // What is there is never written over.
        place.run(&backup).refused(1, &["copy.db"]);
    } else {
        place.run(&backup).refused(1, &["pg_dump"]);
        assert!(!copy.exists());
    }
    tried("export");
    let file = place.folder.join("export.jsonl");
    let export = ["export", file.to_str().unwrap()];
    let made = place.json(&[&export[..], &["--tenant", &tenant_id]].concat());
    assert_eq!((&made["tenant"], &made["user"]), (&json!(1), &json!(1)));
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(text.contains("Ann@example.org") && text.contains("$argon2id$") && !text.contains("\"private\""));
    place.run(&export).refused(1, &["export.jsonl"]);
    assert!(place.run(&["export"]).err.contains("--include-secrets"), "it says what it leaves out");
    tried("import");
    let import = ["import", file.to_str().unwrap(), "--on-conflict"];
    place.run(&[&import[..], &["fail"]].concat()).refused(1, &["line 2: tenant already taken"]);
    let skipped = place.json(&[&import[..], &["skip"]].concat());
    assert_eq!(skipped["written"], 0, "{skipped}");
    let people = "{\"gatehouse\":\"export\",\"version\":1}\n{\"kind\":\"user\",\"username\":\"zoe\"}\n";
    let rehearsed = place.run_with(&["import", "--json", "--dry-run"], people).json();
    assert_eq!((&rehearsed["dry_run"], &rehearsed["user"]), (&json!(true), &json!(1)));
    assert_eq!(place.run_with(&["import", "--json"], people).json()["user"], 1);
    place.run_with(&["import"], people).refused(1, &["line 2: "]);
    assert!(untried.is_empty(), "commands that nothing tries: {untried:?}");

    // Everything that people read comes out too, and nothing of it is empty.
    for arguments in [
        &["tenant", "list"] as &[&str],
        &["user", "list"],
        &["client", "list"],
        &["keys", "list"],
        &["migrate", "status"],
        &["config"],
    ] {
        let done = place.run(arguments);
        assert!(done.code == 0 && done.out.lines().count() > 0 && done.err.is_empty(), "{arguments:?}: {done:?}");
    }
    let log = server.log();
    assert_eq!(server.terminate().await, 0);
    for secret in [&secret, new_secret, "the first password", "the second password", key.as_str()] {
        assert!(!log.contains(secret), "the log tells {secret}");
    }
}

/// F21: several first starts make one administrator, one tenant, one set of keys.
async fn several_that_are_first_make_one_installation(setup: Setup) {
    let mut place = Place::of(&setup);
    let url = match setup.engine() {
        Engine::Sqlite => format!("sqlite://{}", setup.folder().join("new.db").display()),
        Engine::Postgres => {
            let name = format!("first{}", std::process::id());
            crate::support::postgres::shared().unwrap().administer(&format!("CREATE DATABASE {name}"));
            setup.database_url().rsplit_once('/').unwrap().0.to_owned() + "/" + &name
        }
    };
    place.set("GATEHOUSE_DATABASE_URL", &url);
    let children: Vec<_> = (0..4)
        .map(|_| {
            let mut command = place.command();
            command.args(["tenant", "list", "--json"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
        })
        .collect();
    let mut told = 0;
    for child in children {
        let output = child.wait_with_output().unwrap();
        let (out, err) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
        assert_eq!(output.status.code(), Some(0), "{out}{err}");
        assert_eq!(serde_json::from_str::<Value>(&out).unwrap().as_array().unwrap().len(), 1);
        told += usize::from(err.contains("first-admin-password") || err.contains("First administrator"));
    }
    assert_eq!(told, 1, "one of them made it, and says so");
    let sql = Sql::connect(&url).await;
    for (query, expected) in [
        ("SELECT count(*) FROM tenants", 1),
        ("SELECT count(*) FROM users", 1),
        // The first service, and the one by which workspaces sign people in.
        ("SELECT count(*) FROM clients", 2),
        ("SELECT count(*) FROM signing_keys WHERE state = 'active' AND alg = 'ES256'", 1),
    ] {
        assert_eq!(sql.number(query).await, expected, "{query}");
    }
    sql.close().await;
}

#[test]
fn a_first_start_keeps_the_password_once_and_a_second_tells_nothing() {
    on(async |place, _folder| {
        let server = place.serve(&[]).await;
        let file = place.folder.join("data/first-admin-password");
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(
            std::fs::metadata(place.folder.join("data/master.key")).unwrap().permissions().mode() & 0o777,
            0o600
        );
        let password = std::fs::read_to_string(&file).unwrap().trim().to_owned();
        assert!(password.len() >= 12, "{password}");
        let log = server.log();
        assert!(!log.contains(&password) && log.contains("first-admin-password") && log.contains("admin@"), "{log}");
        // It works.
        let app = place.json(&["client", "create", "--name", "app", "--grant", "password"]);
        let admin = place.json(&["user", "list"])[0]["email"].as_str().unwrap().to_owned();
        let fields = [("grant_type", "password"), ("username", admin.as_str()), ("password", password.as_str())];
        server.token(text(&app, "client_id"), text(&app, "client_secret"), &fields).await.expect(200);
        assert_eq!(server.terminate().await, 0);

        std::fs::remove_file(&file).unwrap();
        let server = place.serve(&[]).await;
        assert!(!file.exists());
        let log = server.log();
        assert!(!log.contains(&password) && !log.to_lowercase().contains("password"), "{log}");
        let others: Vec<String> = place.files().into_iter().filter(|name| !name.starts_with("server-")).collect();
        assert_eq!(others, ["data"], "nothing else is made");
        assert_eq!(server.terminate().await, 0);
    });
}

#[test]
fn one_process_serves_an_sqlite_file() {
    on(async |place, _folder| {
        let server = place.serve(&["serve"]).await;
        let other = Place { port: place.port + 1, ..Place::fresh(&place.folder) };
        let done = other.run(&["serve"]);
        done.refused(1, &["gatehouse.db", "one process"]);
        let done = place.run(&["serve"]);
        done.refused(1, &[&place.port.to_string()]);
        // The first one never noticed.
        assert_eq!(server.ask(client().get(format!("{}/readyz", server.base))).await.status, 200);
        assert_eq!(server.terminate().await, 0);
        // The lock went with it.
        let server = place.serve(&["serve"]).await;
        assert_eq!(server.terminate().await, 0);
    });
}

#[test]
fn wrong_usage_and_refusals_have_their_exit_codes_and_touch_nothing() {
    on(async |place, _folder| {
        for (arguments, code) in [
            (&["--help"] as &[&str], 0),
            (&["--version"], 0),
            (&["help", "client", "create"], 0),
            (&["openapi"], 0),
            (&["config", "check"], 0),
            (&["config", "show"], 0),
            (&["migrate", "status"], 0),
        ] {
            let done = place.run(arguments);
            assert!(done.code == code && !done.out.is_empty() && done.err.is_empty(), "{arguments:?}: {done:?}");
        }
        for (arguments, words) in [
            (&["nonsense"] as &[&str], &["nonsense"] as &[&str]),
            (&["--nonsense"], &["--nonsense"]),
            (&["tenant"], &["Usage"]),
            (&["tenant", "create"], &["--name"]),
            (&["tenant", "rotate-key", "tnt_1"], &["tnt_1"]),
            (&["user", "create"], &["--email"]),
            (&["user", "list", "--tenant", "x"], &["--tenant"]),
            (&["user", "set-password", "a@example.org"], &["standard input"]),
            (&["client", "create", "--name", "x", "--grant", "magic"], &["magic"]),
            (&["client", "create", "--name", "x", "--jwks-file", "missing.json"], &["missing.json"]),
            (&["client", "create", "--name", "x", "--public", "--auth-method", "none"], &["--public"]),
            (&["client", "update", "svc_x"], &["nothing to change"]),
            (&["client", "update", "svc_x", "--response-type", "magic"], &["response-type"]),
            (&["client", "create", "--name", "x", "--userinfo-alg", "none"], &["userinfo-alg"]),
            (&["tenant", "update", "--brand-color", "blue"], &["brand-color"]),
            (&["tenant", "initial-access-token", "--expires-at", "soon"], &["expires-at"]),
            (&["keys", "rotate", "--alg", "none"], &["none"]),
            (&["migrate", "status", "--bind", "127.0.0.1:1"], &["--bind"]),
            (&["serve", "--bind", "nonsense"], &["bind", "nonsense"]),
            (&["--config", "missing.toml"], &["missing.toml"]),
            (&["config", "check", "--issuer", "http://id.example.org"], &["issuer", "https"]),
            (&["config", "check", "--database-url", "mysql://x/y"], &["database_url"]),
        ] {
            place.run(arguments).refused(2, words);
            let with_json: Vec<&str> = arguments.iter().copied().chain(["--json"]).collect();
            let done = place.run(&with_json);
            assert_eq!((done.code, done.out.as_str()), (2, ""), "{done:?}");
            let error: Value = serde_json::from_str(&done.err).unwrap_or_else(|_| panic!("{arguments:?}: {done:?}"));
            assert!(!text(&error, "error").is_empty());
        }
        assert_eq!(place.files(), BTreeSet::new(), "nothing was to be touched");
        place.run(&["backup", "copy.db"]).refused(1, &["no database"]);
        let elsewhere = ["--database-url", "postgres://u:hunter2@127.0.0.1:1/x"];
        place.run(&[&elsewhere[..], &["backup", "copy.db"]].concat()).refused(1, &["pg_dump"]);
        let unreachable = place.run(&[&elsewhere[..], &["migrate", "status"]].concat());
        unreachable.refused(1, &["postgres://u:***@127.0.0.1:1/x", "Connection refused"]);
        assert!(!unreachable.err.contains("hunter2"), "{unreachable:?}");
        assert_eq!(place.files(), BTreeSet::new(), "nothing was to be touched");
        let foreign = place.folder.join("foreign.db");
        std::fs::write(&foreign, "of another program").unwrap();
        place.run(&["--database-url", "sqlite://foreign.db", "user", "list"]).refused(1, &["sqlite://foreign.db"]);
        assert_eq!(std::fs::read_to_string(&foreign).unwrap(), "of another program");
        std::fs::remove_file(foreign).unwrap();
        assert_eq!(place.run(&["migrate", "--database-url", "sqlite://apart.db"]).code, 0);
        let mode = std::fs::metadata(place.folder.join("apart.db")).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "for its owner alone: {mode:o}");
        // What is well said and can't be done is 1.
        let nobody = format!("tnt_{}", "0".repeat(32));
        for (arguments, words) in [
            (&["user", "disable", "nobody@example.org"] as &[&str], &["nobody@example.org"] as &[&str]),
            (&["user", "list", "--tenant", &nobody], &[nobody.as_str()]),
            (&["client", "delete", "svc_nobody"], &["svc_nobody"]),
            (&["client", "create", "--name", "x", "--scope", "no:such"], &["no:such"]),
            (&["user", "create", "--email", "nonsense"], &["email"]),
            (&["user", "create", "--email", "a@example.org", "--role", "no-such"], &["no-such"]),
            (&["tenant", "create", "--name", ""], &["name"]),
            (&["tenant", "update", "--logo-uri", "ftp://x/"], &["logo"]),
            (&["client", "create", "--name", "x", "--grant", "authorization_code"], &["redirect_uri"]),
            (&["user", "revoke-role", "admin@localhost", "admin"], &["admin@localhost does not hold", "admin"]),
            (&["keys", "retire", "nothing"], &["nothing"]),
        ] {
            place.run(arguments).refused(1, words);
            let with_json: Vec<&str> = arguments.iter().copied().chain(["--json"]).collect();
            let done = place.run(&with_json);
            let error: Value = serde_json::from_str(&done.err).unwrap_or_else(|_| panic!("{arguments:?}: {done:?}"));
            assert!(done.code == 1 && !text(&error, "error").is_empty(), "{done:?}");
        }
        assert_eq!(place.json(&["user", "list"]).as_array().unwrap().len(), 1, "the first administrator alone");
    });
}

/// F26: a broken configuration stops everything, says everything, shows no secret, touches nothing.
#[test]
fn a_broken_configuration_is_told_whole_and_nothing_is_touched() {
    on(async |place, _folder| {
        let file = place.folder.join("gatehouse.toml");
        for (text, words) in [
            ("nonsense", &["gatehouse.toml"] as &[&str]),
            ("bind = 1", &["bind"]),
            ("bind = \"localhost\"", &["bind", "localhost"]),
            ("issuer = \"http://id.example.org\"", &["issuer", "https"]),
            ("issuer = \"https://id.example.org/\"", &["issuer", "slash"]),
            ("issuer = \"ftp://id.example.org\"", &["issuer"]),
            ("database_url = \"sqlite::memory:\"", &["database_url", "memory"]),
            ("unknown = 1", &["unknown"]),
            ("[tokens]\nunknown = 1", &["tokens.unknown"]),
            ("[http]\nworkers = -1", &["http.workers"]),
            ("[http]\nmax_body = \"big\"", &["http.max_body"]),
            ("[passwords]\nargon2_memory = 1", &["passwords.argon2_memory"]),
            ("[passwords]\nmin_length = 1", &["passwords.min_length"]),
            ("[lockout]\nfailures = 1.5", &["lockout.failures"]),
            ("[limits]\nlogin = \"sometimes\"", &["limits.login"]),
            ("[logs]\nformat = \"xml\"", &["logs.format"]),
            ("[logs]\nfilter = \"loud\"", &["logs.filter"]),
            ("trusted_proxies = [\"everybody\"]", &["trusted_proxies"]),
            ("master_key = \"CANARY\"", &["master_key"]),
            ("master_key_file = \"missing.key\"", &["master_key"]),
            ("[admin]\nemail = \"nonsense\"", &["admin.email"]),
            (
                "bind = \"x\"\nissuer = \"y\"\nunknown = 1\n[http]\nworkers = -1",
                &["bind", "issuer", "unknown", "http.workers"],
            ),
        ] {
            std::fs::write(&file, text).unwrap();
            let mut place = Place { env: Vec::new(), folder: place.folder.clone(), port: place.port };
            let began = Instant::now();
            for command in [&["serve"] as &[&str], &["config", "check"], &["tenant", "list"]] {
                if command == ["config", "check"] && words == ["master_key"] && text.contains("missing.key") {
                    continue; // a file is looked for by whoever needs it
                }
                let done = place.run(command);
                assert!([1, 2].contains(&done.code) && done.out.is_empty(), "{text}: {done:?}");
                assert!(done.code == 2 || text.contains("missing.key"), "{text}: {done:?}");
                assert!(words.iter().all(|word| done.err.contains(word)), "{text}: {words:?} in {done:?}");
                assert!(!done.err.contains("CANARY") && !done.err.contains("panicked"), "{text}: {done:?}");
            }
            assert!(began.elapsed() < Duration::from_secs(20));
            assert_eq!(place.files(), ["gatehouse.toml".to_owned()].into(), "{text}");
            // The same from the environment, with its name.
            place.set("GATEHOUSE_LOCKOUT__FAILURES", "many");
            place.run(&["config", "check"]).refused(2, &["GATEHOUSE_LOCKOUT__FAILURES"]);
        }
    });
}

#[test]
fn what_is_secret_is_masked_where_the_configuration_is_shown() {
    on(async |mut place, _folder| {
        let secrets = [
            ("GATEHOUSE_DATABASE_URL", "postgres://user:CANARY1@127.0.0.1:1/name?password=CANARY2"),
            ("GATEHOUSE_MASTER_KEY", "Q0FOQVJZQ0FOQVJZQ0FOQVJZQ0FOQVJZQ0FOQVJZQ0E="),
            ("GATEHOUSE_ADMIN__PASSWORD", "CANARY3CANARY3"),
            ("GATEHOUSE_ADMIN__EMAIL", "admin@example.org"),
            ("GATEHOUSE_MAIL_FROM", "no-reply@example.org"),
            ("GATEHOUSE_SMTP_URL", "smtps://user:CANARY4@mail.example.org"),
        ];
        for (name, value) in secrets {
            place.set(name, value);
        }
        for arguments in [
            &["config", "show"] as &[&str],
            &["config", "show", "--json"],
            &["config", "check"],
            &["tenant", "list"],
            &["serve"],
        ] {
            if *arguments == ["serve"] {
                continue; // waits for the database
            }
            let done = place.run(arguments);
            let all = format!("{}{}", done.out, done.err);
            assert!(!all.contains("CANARY") && !all.contains("Q0FOQVJZ"), "{arguments:?}: {all}");
        }
        let shown = place.json(&["config", "show"]);
        let row = |key: &str| {
            shown.as_array().unwrap().iter().find(|row| row["key"] == key).unwrap_or_else(|| panic!("no {key}"))
        };
        assert_eq!(row("database_url")["origin"], "environment GATEHOUSE_DATABASE_URL");
        assert!(text(row("database_url"), "value").contains("127.0.0.1:1/name"));
        assert_eq!(row("lockout.failures"), &json!({ "key": "lockout.failures", "value": "10", "origin": "default" }));
    });
}

//! The order of things.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::bare::{self, Bare};
use super::load;
use super::postgres::Postgres;
use super::process;
use super::server::{Installation, PASSWORD, Server};
use super::table::Table;
use super::{
    large, memory, scenario_code, scenario_documents, scenario_introspection, scenario_login, scenario_machine,
    scenario_pages, scenario_refresh, scenario_scale, scenario_storm, statements,
};

/// What the scenarios share.
pub struct Bench {
    pub binary: PathBuf,
    pub folder: PathBuf,
    pub rounds: usize,
    pub length: Duration,
    pub bare: Bare,
    pub table: Table,
    only: Option<String>,
}

impl Bench {
    /// Whether this scenario is wanted.
    pub fn wants(&self, scenario: &str) -> bool {
        let wanted = self.only.as_ref().is_none_or(|only| scenario.contains(only));
        if wanted {
            eprintln!("-- {scenario}");
        }
        wanted
    }
}

/// A server with the clients and people that the scenarios need.
pub struct Realm {
    pub engine: &'static str,
    pub server: Server,
    pub installation: Installation,
    /// Services by signature: ES256, RS256, EdDSA.
    pub services: Vec<(&'static str, (String, String))>,
    /// The client that people sign in with.
    pub app: (String, String),
    /// Clients that get codes, by the signature of their ID tokens: RS256, ES256.
    pub relying_parties: Vec<(&'static str, (String, String))>,
}

/// The token endpoint.
pub const TOKEN: &str = "/oauth/token";

impl Realm {
    fn make(installation: Installation, engine: &'static str) -> Self {
        let services = ["ES256", "RS256", "EdDSA"].map(|alg| {
            let scopes = "--scope user:read --scope tenant:read";
            let made =
                installation.client(&format!("--name {alg} --grant client_credentials {scopes} --signing-alg {alg}"));
            (alg, made)
        });
        let grants = "--grant password --grant refresh_token";
        let app = installation.client(&format!("--name people {grants} --scope openid --scope offline_access"));
        let relying_parties = ["RS256", "ES256"].map(|alg| {
            let callback = scenario_code::CALLBACK;
            let made = installation.client(&format!("--name rp{alg} --redirect-uri {callback} --id-token-alg {alg}"));
            (alg, made)
        });
        installation.cli(&["user", "create", "--email", &large::email(0), "--password-stdin"], PASSWORD);
        Self {
            engine,
            server: installation.start().0,
            installation,
            services: services.to_vec(),
            app,
            relying_parties: relying_parties.to_vec(),
        }
    }
}

pub fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.first().is_some_and(|first| first == "--helper") {
        return bare::help(&arguments[1..]);
    }
    if !arguments.iter().any(|argument| argument == "--bench") {
        return eprintln!("measures only when asked to: cargo bench --bench throughput");
    }
    actix_web::rt::System::new().block_on(measure(&arguments));
}

async fn measure(arguments: &[String]) {
    let has = |name: &str| arguments.iter().any(|argument| argument == name);
    let value = |name: &str| arguments.iter().position(|argument| argument == name).map(|at| arguments[at + 1].clone());
    let scratch = tempfile::Builder::new().prefix("gatehouse-bench-").tempdir().unwrap();
    // PostgreSQL runs as somebody else and must get to its folder.
    std::fs::set_permissions(scratch.path(), std::os::unix::fs::PermissionsExt::from_mode(0o711)).unwrap();
    let mut bench = Bench {
        binary: value("--binary").unwrap_or_else(|| env!("CARGO_BIN_EXE_gatehouse").to_owned()).into(),
        folder: scratch.path().to_owned(),
        rounds: if has("--quick") { 3 } else { 7 },
        length: Duration::from_millis(if has("--quick") { 500 } else { 2000 }),
        bare: Bare::start(),
        table: Table::default(),
        only: value("--only"),
    };
    bench.binary = bench.binary.canonicalize().expect("the built gatehouse");
    on(&mut bench, "SQLite", None).await;
    match Postgres::start(&bench.folder.join("postgres")).await {
        Some(postgres) => on(&mut bench, "PostgreSQL", Some(&postgres)).await,
        None => eprintln!("skipped: PostgreSQL, because there is no initdb on the path or in /usr/lib/postgresql"),
    }
    println!("{}", bench.table.markdown());
    if has("--write") {
        let document = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/performance.md");
        bench.table.write(&document, &about(&bench));
    }
}

async fn on(bench: &mut Bench, engine: &'static str, postgres: Option<&Postgres>) {
    let folder = bench.folder.join(engine);
    let installation = Installation::new(&bench.binary, &folder, database(postgres, "bench").await);
    let realm = Realm::make(installation, engine);
    let idle = memory::settled(&realm).await;
    large::fill(&realm.installation.database, load::CONNECTIONS).await;

    scenario_machine::run(bench, &realm).await;
    scenario_documents::run(bench, &realm).await;
    scenario_introspection::run(bench, &realm).await;
    scenario_refresh::run(bench, &realm, postgres).await;
    scenario_code::run(bench, &realm, postgres).await;
    scenario_login::run(bench, &realm).await;
    scenario_storm::run(bench, &realm).await;
    scenario_pages::run(bench, &realm).await;
    if let Some(postgres) = postgres {
        statements::run(bench, &realm, postgres).await;
    }
    memory::after_load(bench, &realm, idle).await;
    drop(realm);
    memory::starts(bench, engine, postgres).await;
    scenario_scale::run(bench, engine, postgres).await;
}

/// A new database, unless it is to be SQLite.
pub async fn database(postgres: Option<&Postgres>, name: &str) -> Option<String> {
    match postgres {
        Some(postgres) => Some(postgres.create(name).await),
        None => None,
    }
}

/// What it was measured on.
fn about(bench: &Bench) -> String {
    let cpu = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpu
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(": "))
        .map_or("unknown", |(_, name)| name);
    format!(
        "Measured on {} cores ({model}), {} rounds of {} ms a side; gatehouse {} in the release profile.",
        process::cores(),
        bench.rounds,
        bench.length.as_millis(),
        env!("CARGO_PKG_VERSION"),
    )
}

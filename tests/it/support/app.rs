//! The real application on a port of its own, over a database of its own, under a clock that the
//! test moves.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use gatehouse::app::{self, Running};
use gatehouse::config::{Config, Rate};
use gatehouse::crypto::sealing::MasterKey;
use gatehouse::domain::{Core, Ctx, Origin, Seams, tenants};
use gatehouse::model::audit::Actor;
use gatehouse::model::entropy::SeededEntropy;
use gatehouse::model::time::{Clock as _, ManualClock, SystemClock, Timestamp};
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE};
use reqwest::{Method, RequestBuilder};
use serde_json::Value;

use super::database::{Engine, Sql, free_port, new_folder, next_number, wait_for, write};
use super::{Answer, postgres};

pub const ADMIN_EMAIL: &str = "admin@example.org";
pub const ADMIN_PASSWORD: &str = "correct horse battery staple";
/// What seals the private keys of every test.
const MASTER_KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

/// When the clocks of all tests begin: the present moment, in whole seconds.
fn beginning() -> Timestamp {
    static BEGINNING: OnceLock<Timestamp> = OnceLock::new();
    *BEGINNING.get_or_init(|| Timestamp::from_seconds(SystemClock.now().seconds()))
}

/// The configuration of every test: quick passwords, no limits by address, one worker.
fn base_config(folder: &std::path::Path) -> Config {
    let mut config = Config::in_folder(folder);
    config.secrets.master_key = Some(MasterKey::parse(MASTER_KEY).unwrap());
    config.admin.email = Some(ADMIN_EMAIL.parse().unwrap());
    config.admin.password = Some(gatehouse::model::secret::Secret::new(ADMIN_PASSWORD.to_owned()));
    config.passwords.argon2_memory = 7_168;
    config.passwords.argon2_iterations = 1;
    config.passwords.queue = 10_000;
    config.passwords.queue_timeout = Duration::from_secs(60);
    config.http.workers = 1;
    config.http.drain_timeout = Duration::from_secs(1);
    config.database.pool_size = 4;
    config.database.acquire_timeout = Duration::from_secs(20);
    config.database.statement_timeout = Duration::from_secs(20);
    config.database.lock_timeout = Duration::from_secs(20);
    let limits = &mut config.limits;
    limits.registration = Rate::OFF;
    limits.sign_up = Rate::OFF;
    limits.login = Rate::OFF;
    limits.token_failures = Rate::OFF;
    limits.key_failures = Rate::OFF;
    limits.codes = Rate::OFF;
    limits.mail = Rate::OFF;
    limits.begun = Rate::OFF;
    config
}

/// An installed database that tests copy: making its keys takes longer than most tests.
struct Template {
    client: (String, String),
    sqlite: Vec<u8>,
}

async fn install(config: Config) -> (Arc<Core>, (String, String)) {
    let seams = Seams { clock: Arc::new(ManualClock::new(beginning())), entropy: Arc::new(SeededEntropy::new(0)) };
    let opened = app::open(Arc::new(config), seams).await.unwrap();
    let shown = opened.first_start.expect("the first start");
    (opened.core, (shown.client_id, shown.client_secret.expose().clone()))
}

fn template() -> &'static Template {
    static TEMPLATE: OnceLock<Template> = OnceLock::new();
    TEMPLATE.get_or_init(|| {
        wait_for(async {
            let folder = new_folder("app-");
            let (core, client) = install(base_config(folder.path())).await;
            let copy = folder.path().join("copy.db");
            core.backup(&copy).await.unwrap();
            core.db.clone().close().await;
            Template { client, sqlite: std::fs::read(copy).unwrap() }
        })
    })
}

const POSTGRES_TEMPLATE: &str = "gatehouse_template";

/// The service of the first start in the PostgreSQL template.
fn postgres_template(cluster: &postgres::Cluster) -> &'static (String, String) {
    static CLIENT: OnceLock<(String, String)> = OnceLock::new();
    CLIENT.get_or_init(|| {
        wait_for(async {
            let admin = cluster.admin().await;
            admin.run(&format!("CREATE DATABASE {POSTGRES_TEMPLATE}")).await;
            admin.close().await;
            let folder = new_folder("app-");
            let mut config = base_config(folder.path());
            config.database.url = cluster.url(POSTGRES_TEMPLATE).parse().unwrap();
            let (core, client) = install(config).await;
            core.db.clone().close().await;
            client
        })
    })
}

/// What a test runs on before anything is started: an installed database, a clock, a folder.
#[derive(Clone)]
pub struct Setup(Arc<Inner>);

struct Inner {
    engine: Engine,
    folder: tempfile::TempDir,
    clock: Arc<ManualClock>,
    database: String,
    /// The service of the first start: id and secret.
    first_client: (String, String),
    running: Mutex<Vec<Running>>,
}

impl Setup {
    /// A fresh database on this engine; `None` where the machine has no such engine.
    pub fn on(engine: Engine) -> Option<Self> {
        let cluster = if engine == Engine::Postgres { Some(postgres::shared()?) } else { None };
        Some(Self::prepare(engine, cluster))
    }

    /// A fresh database on a PostgreSQL of one's own, that may be stopped.
    pub fn on_cluster(cluster: &postgres::Cluster) -> Self {
        let folder = new_folder("app-");
        let database = cluster.url("postgres");
        let mut config = base_config(folder.path());
        config.database.url = database.parse().unwrap();
        let first_client = wait_for(async {
            let (core, client) = install(config).await;
            core.db.clone().close().await;
            client
        });
        Self::new(Engine::Postgres, folder, database, first_client)
    }

    fn prepare(engine: Engine, cluster: Option<&postgres::Cluster>) -> Self {
        let folder = new_folder("app-");
        match cluster {
            None => {
                let template = template();
                let file = folder.path().join("gatehouse.db");
                write(&file, &template.sqlite);
                Self::new(engine, folder, format!("sqlite://{}", file.display()), template.client.clone())
            }
            Some(cluster) => {
                let client = postgres_template(cluster).clone();
                let name = format!("t{}", next_number());
                cluster.administer(&format!("CREATE DATABASE {name} TEMPLATE {POSTGRES_TEMPLATE}"));
                Self::new(engine, folder, cluster.url(&name), client)
            }
        }
    }

    fn new(engine: Engine, folder: tempfile::TempDir, database: String, first_client: (String, String)) -> Self {
        let clock = Arc::new(ManualClock::new(beginning()));
        Self(Arc::new(Inner { engine, folder, clock, database, first_client, running: Mutex::default() }))
    }

    /// Where the database is reached.
    pub fn database_url(&self) -> &str {
        &self.0.database
    }

    pub fn engine(&self) -> Engine {
        self.0.engine
    }

    /// A folder that is gone after the test.
    pub fn folder(&self) -> PathBuf {
        self.0.folder.path().to_owned()
    }

    pub fn clock(&self) -> Arc<ManualClock> {
        Arc::clone(&self.0.clock)
    }

    /// A look at the database from beside.
    pub async fn sql(&self) -> Sql {
        Sql::connect(&self.0.database).await
    }

    /// The configuration that [`Setup::start`] starts with.
    pub fn config(&self) -> Config {
        let mut config = base_config(self.0.folder.path());
        config.database.url = self.0.database.parse().unwrap();
        config.http.bind = SocketAddr::from(([127, 0, 0, 1], free_port()));
        config.http.issuer = format!("http://{}", config.http.bind).parse().unwrap();
        config
    }

    /// The clock of all copies, and randomness that no other copy has.
    pub fn seams(&self) -> Seams {
        // Far apart on the generator's circle: seeds that follow each other would give the same bytes.
        let seed = u64::from(next_number()).wrapping_mul(0xd134_2543_de82_ef95).rotate_left(29);
        Seams { clock: self.clock(), entropy: Arc::new(SeededEntropy::new(seed)) }
    }

    pub async fn start(&self) -> TestApp {
        self.start_with(|_| {}).await
    }

    pub async fn start_with(&self, change: impl FnOnce(&mut Config)) -> TestApp {
        let mut config = self.config();
        change(&mut config);
        self.run(config).await
    }

    /// Starts an application with exactly this configuration.
    pub async fn run(&self, config: Config) -> TestApp {
        let running = app::start(Arc::new(config.clone()), self.seams()).await.unwrap_or_else(|why| panic!("{why}"));
        let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy().build().unwrap();
        let base = format!("http://{}", running.address);
        let app =
            TestApp { setup: self.clone(), core: Arc::clone(&running.core), base, http, config: Arc::new(config) };
        self.0.running.lock().unwrap().push(running);
        app
    }

    fn take(&self, core: &Arc<Core>) -> Option<Running> {
        let mut running = self.0.running.lock().unwrap();
        let place = running.iter().position(|running| Arc::ptr_eq(&running.core, core))?;
        Some(running.remove(place))
    }

    /// Stops everything and says how many panics there were.
    pub(super) async fn finish(self) -> u64 {
        let all: Vec<Running> = std::mem::take(&mut *self.0.running.lock().unwrap());
        let mut panics = 0;
        for running in all {
            panics += panics_of(&running.core);
            running.stop().await;
        }
        if let (Engine::Postgres, Some((_, name))) = (self.0.engine, self.0.database.rsplit_once('/'))
            && name != "postgres"
            && let Some(cluster) = postgres::shared()
        {
            let admin = cluster.admin().await;
            admin.run(&format!("DROP DATABASE {name} WITH (FORCE)")).await;
            admin.close().await;
        }
        panics
    }
}

fn panics_of(core: &Core) -> u64 {
    let text = core.metrics.render();
    let line = text.lines().find(|line| !line.starts_with('#') && line.contains("panics"));
    line.and_then(|line| line.rsplit(' ').next()).and_then(|n| n.parse().ok()).expect("a counter of panics")
}

/// An application that answers.
#[derive(Clone)]
pub struct TestApp {
    pub setup: Setup,
    pub core: Arc<Core>,
    /// The issuer of the default tenant, and where it is reached.
    pub base: String,
    pub http: reqwest::Client,
    pub config: Arc<Config>,
}

impl TestApp {
    /// A second copy over the same PostgreSQL database, reached at a port of its own under the same
    /// issuer.
    pub async fn second_copy(&self) -> Self {
        assert_eq!(self.setup.engine(), Engine::Postgres, "one process may serve an SQLite file");
        let mut config = (*self.config).clone();
        config.http.bind = SocketAddr::from(([127, 0, 0, 1], free_port()));
        self.setup.run(config).await
    }

    /// Two copies, where the engine allows two; else the same one twice.
    pub async fn copies(self) -> [Self; 2] {
        match self.setup.engine() {
            Engine::Sqlite => [self.clone(), self],
            Engine::Postgres => [self.second_copy().await, self],
        }
    }

    /// Stops it, and starts it again with the same configuration.
    pub async fn restart(self) -> Self {
        self.restart_with(|_| {}).await
    }

    /// Stops it, and starts it again with another configuration.
    pub async fn restart_with(self, change: impl FnOnce(&mut Config)) -> Self {
        let (setup, mut config) = (self.setup.clone(), (*self.config).clone());
        change(&mut config);
        self.stop().await;
        setup.run(config).await
    }

    pub async fn stop(self) {
        let running = self.setup.take(&self.core).expect("it runs");
        drop(self);
        running.stop().await;
    }

    /// Moves the clock of every copy.
    pub fn advance(&self, by: Duration) {
        self.setup.0.clock.advance(by);
    }

    pub fn now(&self) -> Timestamp {
        self.setup.0.clock.now()
    }

    /// The service of the first start: id and secret.
    pub fn first_client(&self) -> (&str, &str) {
        let (id, secret) = &self.setup.0.first_client;
        (id, secret)
    }

    /// A call of a verb on the default tenant, by the operator.
    pub async fn ctx(&self) -> Ctx<'_> {
        Ctx::new(&self.core, tenants::default(&self.core).await.unwrap(), Actor::Operator, Origin::default())
    }

    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let url = if path.starts_with("http://") { path.to_owned() } else { format!("{}{path}", self.base) };
        self.http.request(method, url)
    }

    pub async fn send(&self, request: RequestBuilder) -> Answer {
        Answer::read(request.send().await.unwrap()).await
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(self.request(Method::GET, path)).await
    }

    pub async fn get_as(&self, bearer: &str, path: &str) -> Answer {
        self.send(self.request(Method::GET, path).bearer_auth(bearer)).await
    }

    /// POST of JSON; `bearer` may be empty.
    pub async fn post(&self, bearer: &str, path: &str, body: &Value) -> Answer {
        let request = self.request(Method::POST, path).json(body);
        self.send(if bearer.is_empty() { request } else { request.bearer_auth(bearer) }).await
    }

    /// POST of a form.
    pub async fn form(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        self.send(self.request(Method::POST, path).form(fields)).await
    }

    /// POST of a form under HTTP Basic, the two halves as they are.
    pub async fn basic(&self, path: &str, id: &str, secret: &str, fields: &[(&str, &str)]) -> Answer {
        self.send(self.request(Method::POST, path).basic_auth(id, Some(secret)).form(fields)).await
    }

    /// POST of bytes that need not be a form.
    pub async fn raw_form(&self, path: &str, authorization: Option<&str>, body: impl Into<reqwest::Body>) -> Answer {
        let mut request = self.request(Method::POST, path).header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        if let Some(authorization) = authorization {
            request = request.header(AUTHORIZATION, authorization);
        }
        self.send(request.body(body)).await
    }

    /// A look at the database from beside.
    pub async fn sql(&self) -> Sql {
        self.setup.sql().await
    }
}

//! What the size of an installation costs: the same requests on a hundredth of the rows and on all of them.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use gatehouse::app;
use gatehouse::config::Config;
use gatehouse::domain::{Core, Seams, scoped_grants, tenants};
use gatehouse::model::ids::UserId;
use gatehouse::model::scoped_grant::{GrantScope, GrantTarget};
use sea_orm::{ConnectionTrait as _, DatabaseConnection};

use super::large;
use super::load::{self, Connection, Times};
use super::postgres::Postgres;
use super::run::{Bench, database};
use super::server::{Installation, PASSWORD, Server};
use super::wire;

/// Users, each with ten grants, and sites.
#[derive(Clone, Copy)]
struct Size {
    users: u32,
    sites: u32,
}

const HUNDREDTH: Size = Size { users: 1_000, sites: 100 };
const ALL: Size = Size { users: 100_000, sites: 10_000 };
/// Of the one who has many.
const GRANTS: u32 = 200;
/// How many answers at least make a figure.
const LEAST: usize = 20;
/// A request each so long.
const PACE: Duration = Duration::from_millis(2);
/// How much longer the same may take on a hundred times as many rows: more pages of an index lie on the way.
const BOUND: f64 = 2.0;

/// What a hundred times as many rows may cost.
#[derive(Clone, Copy, PartialEq)]
enum Growth {
    /// No more than a few more pages of an index.
    None,
    /// As much as it counts or passes over: the contract wants a total, or a place far down.
    Counted,
}

use Growth::{Counted, None as Same};

/// Requests by what they are for.
type Requests = Vec<(&'static str, Vec<u8>, Growth)>;

pub async fn run(bench: &mut Bench, engine: &'static str, postgres: Option<&Postgres>) {
    if !bench.wants(&format!("scale {engine}")) {
        return;
    }
    let folder = bench.folder.join(format!("{engine}-scale"));
    let mut sides = Vec::new();
    for (name, size) in [("scale_small", HUNDREDTH), ("scale", ALL)] {
        sides.push(Side::make(bench, &folder.join(name), database(postgres, name).await, size).await);
    }
    let [small, large] = &sides[..] else { unreachable!() };
    let (of_small, of_large) = (small.requests().await, large.requests().await);
    for ((what, little, growth), (_, much, _)) in of_small.into_iter().zip(of_large) {
        let times = in_turn(bench, [(small, little), (large, much)]).await;
        show(bench, what, engine, growth, times);
    }
    show(bench, "Permission check, a site by a grant of it", engine, Same, checked(bench, [small, large]).await);
}

fn show(bench: &mut Bench, what: &str, engine: &'static str, growth: Growth, [small, large]: [Times; 2]) {
    let ratio = large.p50 / small.p50;
    let shown = format!(
        "p50 {:.2} ms, p99 {:.2} ms; with a hundredth p50 {:.2} ms: {ratio:.2} times",
        large.p50, large.p99, small.p50
    );
    let (aim, met) = match growth {
        Same => ("p50 ≤ 2 times", Some(ratio <= BOUND)),
        Counted => ("", None),
    };
    bench.table.figure(&format!("{what}, 100,000 users"), engine, shown, aim, met);
}

/// An installation of some size, its server, and who asks it.
struct Side {
    folder: PathBuf,
    installation: Installation,
    server: Server,
    caller: Caller,
    size: Size,
}

impl Side {
    async fn make(bench: &Bench, folder: &Path, database: Option<String>, size: Size) -> Self {
        let installation = Installation::new(&bench.binary, folder, database);
        let administrator = ["--role", "super_admin", "--email-verified", "--password-stdin"];
        installation.cli(&[&["user", "create", "--email", &large::email(0)], &administrator[..]].concat(), PASSWORD);
        let pair = installation.cli(&["api-client", "create", "--name", "scale"], "");
        let connection = large::connect(&installation.database).await;
        found(&connection).await;
        fill(&connection, size).await;
        connection.close().await.unwrap();
        let (server, _) = installation.start();
        let pair = (pair["client_key"].as_str().unwrap(), pair["api_key"].as_str().unwrap());
        let caller = Caller::new(&server, pair).await;
        Self { folder: folder.to_owned(), installation, server, caller, size }
    }

    async fn requests(&self) -> Requests {
        self.caller.requests(self.size, &self.server).await
    }
}

/// Who asks: a trusted system, and an administrator.
struct Caller {
    pair: Vec<(&'static str, String)>,
    bearer: Vec<(&'static str, String)>,
}

impl Caller {
    async fn new(server: &Server, (key, secret): (&str, &str)) -> Self {
        let pair = vec![("X-Client-Key", key.to_owned()), ("X-API-Key", secret.to_owned())];
        let body = serde_json::json!({ "email": large::email(0), "password": PASSWORD }).to_string();
        let sign_in = wire::request("POST", "/api/auth/login", &[("Content-Type", "application/json")], &body);
        let token = wire::member(&load::once(server.address, &sign_in).await, "access_token").unwrap();
        let caller = Self { pair, bearer: vec![("Authorization", format!("Bearer {token}"))] };
        for number in 1..=20 {
            let body =
                serde_json::json!({ "user_sub": format!("cn-{number}"), "display_name": format!("陳大文 {number}") });
            let headers: Vec<(&str, &str)> = caller.pair.iter().map(|(name, value)| (*name, value.as_str())).collect();
            let headers = [&headers[..], &[("Content-Type", "application/json")]].concat();
            let upsert = wire::request("POST", "/internal/users/upsert-by-sub", &headers, &body.to_string());
            load::once(server.address, &upsert).await;
        }
        caller
    }

    fn get(path: &str, headers: &[(&'static str, String)]) -> Vec<u8> {
        let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        wire::request("GET", path, &headers, "")
    }

    async fn requests(&self, size: Size, server: &Server) -> Requests {
        let pair = |path: &str| Self::get(path, &self.pair);
        let bearer = |path: &str| Self::get(path, &self.bearer);
        let (last_user, last_site) = (size.users - 100, size.sites - 100);
        let (many, company) = (format!("usr_{}", hex(USERS + 1)), format!("org_{}", hex(COMPANIES + 7)));
        let rare = size.users / 2 + 7;
        vec![
            ("Snapshot of a user with 200 grants", pair(&format!("/internal/permissions/{many}/snapshot")), Same),
            ("Members by a keyword that one has", pair(&format!("/internal/members?keyword=u{rare}%40bench")), Same),
            ("Members by a keyword that nobody has", pair("/internal/members?keyword=zzzqqq"), Same),
            ("Members by two Chinese characters, 20 found", pair("/internal/members?keyword=%E9%99%B3%E5%A4%A7"), Same),
            ("Members by two letters that nobody has", pair("/internal/members?keyword=qz"), Same),
            ("Members by a letter that nobody has", pair("/internal/members?keyword=q"), Same),
            ("Members by a letter that all have, first 100", pair("/internal/members?keyword=b&limit=100"), Counted),
            (
                "Members by a keyword that all have, first 100",
                pair("/internal/members?keyword=bench&limit=100"),
                Counted,
            ),
            ("Members, first 100", pair("/internal/members?limit=100"), Counted),
            ("Members, last 100", pair(&format!("/internal/members?limit=100&offset={last_user}")), Counted),
            ("Sites, first 100", pair("/internal/sites?limit=100"), Counted),
            ("Sites, last 100", pair(&format!("/internal/sites?limit=100&offset={last_site}")), Counted),
            ("Companies by a keyword", pair("/internal/companies?keyword=company%2055"), Same),
            ("`/api/internal/users`, first 20", bearer("/api/internal/users"), Counted),
            (
                "`/api/internal/users`, last 100",
                bearer(&format!("/api/internal/users?per_page=100&page={}", size.users / 100)),
                Counted,
            ),
            ("`/api/internal/users` by a text", bearer(&format!("/api/internal/users?search=u{rare}%40bench")), Same),
            ("`/api/internal/users` by role", bearer("/api/internal/users?role=super_admin"), Same),
            ("`/api/internal/users`, disabled", bearer("/api/internal/users?is_active=false"), Same),
            ("Management: users, first page", bearer("/api/admin/v1/users"), Same),
            (
                "Management: users by a keyword that one has",
                bearer(&format!("/api/admin/v1/users?search=u{rare}%40bench")),
                Same,
            ),
            ("Management: users by a keyword that all have", bearer("/api/admin/v1/users?search=bench"), Same),
            ("Management: users by a letter that all have", bearer("/api/admin/v1/users?search=b"), Same),
            (
                "Management: users, a page far down",
                bearer(&self.far_down("/api/admin/v1/users?limit=200", size.users / 250, server).await),
                Same,
            ),
            ("Management: users by role", bearer("/api/admin/v1/users?role=super_admin"), Same),
            (
                "Management: users of an organization",
                bearer(&format!("/api/admin/v1/users?organization={company}&limit=10")),
                Same,
            ),
            (
                "Management: sites, a page far down",
                bearer(&self.far_down("/api/admin/v1/sites?limit=200", size.sites / 250, server).await),
                Same,
            ),
            ("Management: audit, first page", bearer("/api/admin/v1/audit"), Same),
            ("Management: audit by actor", bearer("/api/admin/v1/audit?actor=user%3Au7"), Same),
            ("Management: audit by target", bearer("/api/admin/v1/audit?target=user%3Au9"), Same),
            ("Management: audit by an action that nobody did", bearer("/api/admin/v1/audit?action=user.nothing"), Same),
            ("Roles", bearer("/api/v1/roles"), Same),
            ("Roles: statistics", bearer("/api/v1/roles/stats"), Same),
            ("Permissions", bearer("/api/v1/permissions"), Same),
            ("Permissions: statistics", bearer("/api/v1/permissions/stats"), Same),
            ("Roles of a user", bearer(&format!("/api/v1/users/{many}/roles")), Same),
            ("Permissions of a user", bearer(&format!("/api/v1/users/{many}/permissions")), Same),
            ("`/api/auth/me`", bearer("/api/auth/me"), Same),
        ]
    }

    /// The path of the page after so many pages.
    async fn far_down(&self, list: &str, pages: u32, server: &Server) -> String {
        let mut path = list.to_owned();
        for _ in 0..pages {
            let page = load::once(server.address, &Self::get(&path, &self.bearer)).await;
            let cursor = wire::member(&page, "next_cursor").expect("more pages");
            path = format!("{list}&cursor={cursor}");
        }
        path
    }
}

/// Both in turn, so that whatever else the machine does meets both.
async fn in_turn(bench: &Bench, [(small, little), (large, much)]: [(&Side, Vec<u8>); 2]) -> [Times; 2] {
    let mut ways =
        [(Connection::open(small.server.address).await, little), (Connection::open(large.server.address).await, much)];
    for (connection, request) in &mut ways {
        connection.send(request).await; // what is cached from now on
    }
    let (started, mut times) = (Instant::now(), [Vec::new(), Vec::new()]);
    while started.elapsed() < bench.length || times[1].len() < LEAST {
        for ((connection, request), times) in ways.iter_mut().zip(&mut times) {
            actix_web::rt::time::sleep(PACE).await;
            let asked = Instant::now();
            connection.send(request).await;
            times.push(asked.elapsed().as_secs_f64() * 1000.0);
        }
    }
    times.map(|mut times| Times::of(&mut times))
}

/// The decision by itself, as the faces take it.
async fn checked(bench: &Bench, sides: [&Side; 2]) -> [Times; 2] {
    let mut cores = Vec::new();
    for side in sides {
        let mut config = Config::in_folder(&side.folder.join("data"));
        config.database.url = side.installation.database.parse().unwrap();
        let core: Arc<Core> = app::open(Arc::new(config), Seams::default()).await.unwrap().core;
        cores.push((tenants::default(&core).await.unwrap().tenant.id, core));
    }
    let user: UserId = format!("usr_{}", hex(USERS + 1)).parse().unwrap();
    let asked = GrantTarget {
        scope_type: GrantScope::Site,
        scope: "ST20260101X00007".to_owned(),
        module: "MD20260101X0000".to_owned(),
        action: "view".to_owned(),
    };
    let (started, mut times) = (Instant::now(), [Vec::new(), Vec::new()]);
    while started.elapsed() < bench.length {
        for ((tenant, core), times) in cores.iter().zip(&mut times) {
            let at = Instant::now();
            assert!(scoped_grants::allows(&core.db.read().of(*tenant), user, &asked).await.unwrap());
            times.push(at.elapsed().as_secs_f64() * 1000.0);
        }
    }
    for (_, core) in cores {
        core.db.clone().close().await;
    }
    times.map(|mut times| Times::of(&mut times))
}

/// Where the ids of a table begin, so that rows can refer to each other by number.
const USERS: u64 = 0x1000_0000;
const COMPANIES: u64 = 0x2000_0000;
const SITES: u64 = 0x3000_0000;
const MODULES: u64 = 0x4000_0000;
const GRANT_IDS: u64 = 0x5000_0000;

fn hex(number: u64) -> String {
    format!("{number:032x}")
}

/// An id by number, and numbers with leading zeros, in the words of each database.
struct Words {
    is_sqlite: bool,
}

impl Words {
    fn of(connection: &DatabaseConnection) -> Self {
        Self { is_sqlite: connection.get_database_backend() == sea_orm::DbBackend::Sqlite }
    }

    fn id(&self, begin: u64, number: &str) -> String {
        if self.is_sqlite {
            format!("unhex(printf('%032x', {begin} + {number}))")
        } else {
            format!("lpad(to_hex({begin}::bigint + {number}), 32, '0')::uuid")
        }
    }

    fn key(&self, letters: &str, number: &str, digits: u8) -> String {
        if self.is_sqlite {
            format!("printf('{letters}20260101X%0{digits}d', {number})")
        } else {
            format!("'{letters}20260101X' || lpad(({number})::text, {digits}, '0')")
        }
    }
}

fn numbers(from: u32, to: u32) -> String {
    format!("WITH RECURSIVE numbers(i) AS (SELECT {from} UNION ALL SELECT i + 1 FROM numbers WHERE i < {to})")
}

const TENANT: &str = "(SELECT default_tenant_id FROM installation)";

async fn run_all(connection: &DatabaseConnection, statements: &[String]) {
    for statement in statements {
        connection.execute_unprepared(statement).await.unwrap_or_else(|why| panic!("{statement}: {why}"));
    }
}

/// A system with ten modules, and a hundred companies.
async fn found(connection: &DatabaseConnection) {
    let words = Words::of(connection);
    let (company, module) = (words.id(COMPANIES, "i"), words.id(MODULES, "i"));
    let (company_key, module_key) = (words.key("CP", "i", 4), words.key("MD", "i", 4));
    let system = words.id(MODULES, "1000");
    run_all(
        connection,
        &[
            format!(
                "INSERT INTO organizations (tenant_id, id, key, slug, name, plan, enabled, created_at, updated_at, search_text)
                 {} SELECT {TENANT}, {company}, {company_key}, 'c' || i, 'Company ' || i, 'free', true, i, i,
                     'company ' || i FROM numbers",
                numbers(0, 99)
            ),
            format!(
                "INSERT INTO systems (tenant_id, id, key, name, enabled, created_at)
                 SELECT {TENANT}, {system}, 'ST20260101X0000', 'System', true, 0"
            ),
            format!(
                "INSERT INTO modules (tenant_id, id, key, system_id, name, enabled, created_at)
                 {} SELECT {TENANT}, {module}, {module_key}, {system}, 'Module ' || i, true, i FROM numbers",
                numbers(0, 9)
            ),
        ],
    )
    .await;
}

/// Users, each a member somewhere, and sites up to a size; ten grants and ten lines of the log for each user, and
/// many grants for the first one.
async fn fill(connection: &DatabaseConnection, size: Size) {
    let words = Words::of(connection);
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_millis();
    let (user, site, company) = (words.id(USERS, "i"), words.id(SITES, "i"), words.id(COMPANIES, "(i % 100)"));
    let site_key = words.key("ST", "i", 5);
    let grants = |user: &str, number: &str, at: &str, module: &str| {
        let (id, user) = (words.id(GRANT_IDS, number), words.id(USERS, user));
        let (site_id, site_key) = (words.id(SITES, at), words.key("ST", at, 5));
        let (module_id, module_key) = (words.id(MODULES, module), words.key("MD", module, 4));
        format!(
            "INSERT INTO scoped_grants (tenant_id, id, user_id, scope_type, scope, module, action, site_id, module_id,
                 granted_by, granted_at)
             {{numbers}} SELECT {TENANT}, {id}, {user}, 'site', {site_key}, {module_key}, 'view', {site_id}, {module_id},
                 'operator', i FROM numbers"
        )
    };
    let each = grants("(i / 10)", "i", &format!("(i % {})", size.sites), "(i % 10)");
    // Beyond the numbers of the others.
    let many = grants("1", "(100000000 + i)", "(i % 100)", "((i + 5) % 10)").replace("'view'", "'edit' || i");
    let seventh = grants("1", "(200000000 + i)", "7", "0");
    let statements = vec![
        format!(
            "INSERT INTO sites (tenant_id, id, key, organization_id, name, enabled, created_at)
             {} SELECT {TENANT}, {site}, {site_key}, {company}, 'Site ' || i, true, i FROM numbers",
            numbers(0, size.sites - 1)
        ),
        format!(
            "INSERT INTO users (tenant_id, id, email, email_verified, name, profile, enabled, has_second_factor,
                 verification_due, token_epoch, created_at, updated_at, search_text)
             {} SELECT {TENANT}, {user}, 'u' || i || '@bench.example', true, 'User ' || i, '{{}}', true, false, false, 0, i, i,
                 'u' || i || '@bench.example' || '\n\n' || 'user ' || i FROM numbers",
            numbers(1, size.users)
        ),
        format!(
            "INSERT INTO memberships (tenant_id, id, organization_id, user_id, role, created_at)
             {} SELECT {TENANT}, {user}, {company}, {user}, 'member', i FROM numbers",
            numbers(1, size.users)
        ),
        format!(
            "INSERT INTO audit_log (tenant_id, at, actor, action, target, outcome)
             {} SELECT {TENANT}, {now} - 10000000 + i, 'user:u' || (i / 20), 'user.sign_in', 'user:u' || (i / 10), 'success'
             FROM numbers",
            numbers(1, size.users * 10)
        ),
        each.replace("{numbers}", &numbers(10, size.users * 10 + 9)),
        many.replace("{numbers}", &numbers(1, GRANTS - 11)),
        seventh.replace("{numbers}", &numbers(1, 1)),
    ];
    run_all(connection, &statements).await;
    if !words.is_sqlite {
        // What PostgreSQL does by itself a minute later.
        connection.execute_unprepared("VACUUM ANALYZE").await.unwrap();
    }
}

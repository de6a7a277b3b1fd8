//! The example file, the sources and their order, the messages, and that no secret is printed.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use super::*;

/// Sources from pairs; a file is written where there is text for one.
#[derive(Default)]
struct From4<'a> {
    flags: &'a [(&'a str, &'a str)],
    env: &'a [(&'a str, &'a str)],
    file: Option<&'a str>,
}

impl From4<'_> {
    /// Loads in a folder of its own; paths in the answer say `gatehouse.toml` whatever the folder.
    fn load(&self) -> Result<Loaded, ConfigError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("gatehouse.toml");
        let pairs = |pairs: &[(&str, &str)]| pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        let file = match self.file {
            Some(text) => {
                std::fs::write(&path, text).unwrap();
                ConfigFile::Required(path.clone())
            }
            None => ConfigFile::IfPresent(path.clone()),
        };
        let short = |origin: &mut Origin| {
            if let Origin::File { path, .. } = origin {
                "gatehouse.toml".clone_into(path);
            }
        };
        match load(&Sources { flags: pairs(self.flags), env: pairs(self.env), file }) {
            Ok(mut loaded) => {
                loaded.origins.values_mut().for_each(short);
                Ok(loaded)
            }
            Err(mut error) => {
                error.problems.iter_mut().flat_map(|p| &mut p.given).for_each(|g| short(&mut g.origin));
                Err(error)
            }
        }
    }
}

fn env(pairs: &[(&str, &str)]) -> Result<Loaded, ConfigError> {
    From4 { env: pairs, ..From4::default() }.load()
}

fn file(text: &str) -> Result<Loaded, ConfigError> {
    From4 { file: Some(text), ..From4::default() }.load()
}

fn message(outcome: Result<Loaded, ConfigError>) -> String {
    match outcome {
        Ok(_) => panic!("it was accepted"),
        Err(error) => error.to_string(),
    }
}

/// 32 bytes as base64.
const KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

#[test]
fn the_example_file_says_what_the_sections_say() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/gatehouse.toml.example");
    let kept = std::fs::read_to_string(path).unwrap_or_default();
    if kept != Config::example() {
        let fresh = std::env::temp_dir().join("gatehouse.toml.example");
        std::fs::write(&fresh, Config::example()).unwrap();
        panic!("gatehouse.toml.example is out of date; copy {} over it", fresh.display());
    }
}

#[test]
fn the_example_with_every_default_uncommented_changes_nothing() {
    let keys = Config::keys();
    let unset =
        |line: &str| keys.iter().any(|key| key.sample.is_some() && line.starts_with(&format!("{} = ", key.name)));
    let text: Vec<_> = Config::example()
        .lines()
        .filter_map(|line| line.strip_prefix("# "))
        .filter(|line| keys.iter().any(|key| line.starts_with(&format!("{} = ", key.name))))
        .filter(|line| !unset(line))
        .map(str::to_owned)
        .collect();
    assert!(text.len() > 70, "{}", text.len());
    let loaded = file(&text.join("\n")).unwrap();
    for (row, default) in loaded.show().iter().zip(env(&[]).unwrap().show()) {
        assert_eq!((row.key, &row.value), (default.key, &default.value));
    }
}

#[test]
fn every_key_has_one_name_a_sentence_and_a_variable() {
    let keys = Config::keys();
    let names: BTreeSet<_> = keys.iter().map(|key| key.name).collect();
    assert_eq!(names.len(), keys.len(), "a name is taken twice");
    for key in &keys {
        assert!(key.doc.trim_end().ends_with(['.', ':']), "{}: {:?}", key.name, key.doc);
        assert!(key.name.split('.').count() <= 2, "{}", key.name);
        assert!(!key.name.contains("__"), "{}: its variable would be ambiguous", key.name);
    }
    for (name, variable) in [
        ("bind", "GATEHOUSE_BIND"),
        ("admin.email", "GATEHOUSE_ADMIN__EMAIL"),
        ("tenants.open_registration", "GATEHOUSE_TENANTS__OPEN_REGISTRATION"),
    ] {
        assert_eq!(keys.iter().find(|key| key.name == name).unwrap().variable(), variable);
    }
}

#[test]
fn the_defaults_are_the_contract() {
    let Loaded { config, .. } = env(&[("PATH", "/usr/bin"), ("GATEHOUSE_TEST_REQUIRE", "postgres")]).unwrap();
    assert_eq!(config.http.bind.to_string(), "127.0.0.1:8080");
    assert_eq!(config.http.issuer.as_str(), "http://localhost:8080");
    assert_eq!(config.database.url.expose(), "sqlite://data/gatehouse.db");
    assert_eq!(config.database.url.sqlite_path(), Some(PathBuf::from("data/gatehouse.db")));
    assert_eq!(config.secrets.data_dir, PathBuf::from("data"));
    assert!(config.http.trusted_proxies.is_empty() && config.mail.smtp_url.is_none() && config.mail.from.is_none());
    let open = &config.registration;
    assert!(open.open_tenants && open.open_services && open.require_verified_email && open.self_registration);
    assert_eq!(config.tokens.service, Duration::from_secs(300));
    assert_eq!(config.tokens.access, Duration::from_secs(3600));
    assert_eq!(config.tokens.tenant_login, Duration::from_secs(86_400));
    assert_eq!(config.tokens.key_age, Duration::from_secs(90 * 86_400));
    assert_eq!(config.passwords.tenant_min_length, 6);
    assert!(
        matches!(config.secrets.master_key_source(), MasterKeySource::MadeOnce(path) if path == Path::new("data/master.key"))
    );
    assert!((1..=20).contains(&config.database.pool_size()));
    assert!(config.passwords.permits() >= 1 && config.http.worker_threads() >= 1);
    for (row, default) in
        (Loaded { config: Config::default(), origins: BTreeMap::new() }).show().iter().zip(env(&[]).unwrap().show())
    {
        assert_eq!(*row, default, "Config::default() is what no sources at all give");
    }
}

#[test]
fn flags_go_over_environment_over_file_over_defaults() {
    let all = From4 {
        flags: &[("bind", "127.0.0.4:1")],
        env: &[("GATEHOUSE_BIND", "127.0.0.3:1"), ("GATEHOUSE_ISSUER", "https://env.example")],
        file: Some(
            "bind = \"127.0.0.2:1\"\nissuer = \"https://file.example\"\n\n[admin]\nemail = \"a@file.example\"\n",
        ),
    };
    let loaded = all.load().unwrap();
    assert_eq!(loaded.config.http.bind.to_string(), "127.0.0.4:1");
    assert_eq!(loaded.config.http.issuer.as_str(), "https://env.example");
    assert_eq!(loaded.config.admin.email.as_ref().unwrap().as_str(), "a@file.example");
    for (key, origin) in [
        ("bind", "flag --bind"),
        ("issuer", "environment GATEHOUSE_ISSUER"),
        ("admin.email", "file gatehouse.toml:5"),
        ("data_dir", "default"),
    ] {
        assert_eq!(loaded.origin(key).to_string(), origin);
    }
    let loaded = From4 { flags: &[], ..all }.load().unwrap();
    assert_eq!(loaded.config.http.bind.to_string(), "127.0.0.3:1");
    let loaded = From4 { flags: &[], env: &[], ..all }.load().unwrap();
    assert_eq!(loaded.config.http.bind.to_string(), "127.0.0.2:1");
}

#[test]
fn database_url_is_read_too_and_counts_less_than_ours() {
    let plain = ("DATABASE_URL", "postgres://u:p@plain/db");
    let ours = ("GATEHOUSE_DATABASE_URL", "postgres://u:p@ours/db");
    let host = |loaded: Loaded| (loaded.config.database.url.masked(), loaded.origin("database_url").to_string());
    let file = Some("database_url = \"postgres://u:p@file/db\"");
    let plain_only = From4 { env: &[plain], file, ..From4::default() }.load().unwrap();
    assert_eq!(host(plain_only), ("postgres://u:***@plain/db".to_owned(), "environment DATABASE_URL".to_owned()));
    for order in [[plain, ours], [ours, plain]] {
        let both = env(&order).unwrap();
        assert_eq!(
            host(both),
            ("postgres://u:***@ours/db".to_owned(), "environment GATEHOUSE_DATABASE_URL".to_owned())
        );
    }
    let flag = From4 { env: &[plain, ours], flags: &[("database_url", "sqlite://x.db")], file }.load().unwrap();
    assert_eq!(host(flag), ("sqlite://x.db".to_owned(), "flag --database-url".to_owned()));
}

#[test]
fn what_follows_from_another_key_follows_it() {
    let loaded = env(&[("GATEHOUSE_DATA_DIR", "/var/lib/gatehouse"), ("GATEHOUSE_BIND", "127.0.0.1:9000")]).unwrap();
    assert_eq!(loaded.config.database.url.expose(), "sqlite:///var/lib/gatehouse/gatehouse.db");
    assert_eq!(loaded.config.database.url.sqlite_path(), Some(PathBuf::from("/var/lib/gatehouse/gatehouse.db")));
    assert_eq!(loaded.config.http.issuer.as_str(), "http://localhost:9000");
    let loaded = env(&[("GATEHOUSE_BIND", "127.0.0.1:80")]).unwrap();
    assert_eq!(loaded.config.http.issuer.as_str(), "http://localhost");
    let loaded = env(&[("GATEHOUSE_DATA_DIR", "/elsewhere"), ("DATABASE_URL", "sqlite://here.db")]).unwrap();
    assert_eq!(loaded.config.database.url.expose(), "sqlite://here.db");
    let config = Config::in_folder(Path::new("/tmp/t"));
    assert_eq!(config.database.url.sqlite_path(), Some(PathBuf::from("/tmp/t/gatehouse.db")));
}

#[test]
fn a_file_that_is_not_asked_for_may_be_missing() {
    let missing = ConfigFile::IfPresent("/nowhere/gatehouse.toml".into());
    assert!(load(&Sources { file: missing, ..Sources::default() }).is_ok());
    let missing = ConfigFile::chosen(Some("/nowhere/gatehouse.toml".into()));
    let message = message(load(&Sources { file: missing, ..Sources::default() }));
    assert!(message.contains("\"/nowhere/gatehouse.toml\" (flag --config) does not exist"), "{message}");
    assert_eq!(ConfigFile::chosen(None), ConfigFile::IfPresent("gatehouse.toml".into()));
}

#[test]
fn values_are_read_in_every_way_they_are_written() {
    fn read<T: Value>(text: &str) -> Option<T> {
        T::parse(text).ok()
    }
    for (text, wanted) in [
        ("true", Some(true)),
        ("1", Some(true)),
        ("ON", Some(true)),
        ("no", Some(false)),
        ("0", Some(false)),
        ("", None),
        ("2", None),
        ("maybe", None),
    ] {
        assert_eq!(read::<bool>(text), wanted, "{text}");
    }
    for (text, millis) in [
        ("500ms", Some(500)),
        ("10s", Some(10_000)),
        ("5m", Some(300_000)),
        ("24h", Some(86_400_000)),
        ("90d", Some(7_776_000_000)),
        ("1h30m", Some(5_400_000)),
        ("1h 30m", Some(5_400_000)),
        ("45", Some(45_000)),
        ("0", Some(0)),
        ("", None),
        ("s", None),
        ("10", Some(10_000)),
        ("10x", None),
        ("10 s", None),
        ("-1s", None),
        ("1.5h", None),
        ("30m1h", None),
        ("1s1s", None),
        ("99999999999999999999d", None),
        ("18446744073709551615d", None),
        ("１０s", None),
    ] {
        assert_eq!(read::<Duration>(text), millis.map(Duration::from_millis), "{text}");
    }
    for (text, wanted) in [
        ("600/minute burst 200", Some(Rate::per_minute(600, 200))),
        ("10/hour burst 5", Some(Rate::per_hour(10, 5))),
        ("5/second", Some(Rate { count: 5, period: Duration::from_secs(1), burst: 5 })),
        ("off", Some(Rate::OFF)),
        ("0/minute", None),
        ("5/minute burst 0", None),
        ("5/day", None),
        ("5", None),
        ("5/minute burst", None),
        ("5/minute burst 1 2", None),
    ] {
        assert_eq!(read::<Rate>(text), wanted, "{text}");
        if let Some(rate) = wanted {
            assert_eq!(read::<Rate>(&Value::text(&rate)), wanted, "{text}");
        }
    }
    assert_eq!(Rate::per_minute(600, 200).every(), Some(Duration::from_millis(100)));
    assert_eq!(Rate::OFF.every(), None);
    assert_eq!(read::<SocketAddr>("localhost:9"), "127.0.0.1:9".parse().ok());
    for lists in ["10.0.0.0/8, 192.0.2.1,::1", "10.0.0.0/8,192.0.2.1/32,::1/128,"] {
        let loaded = env(&[("GATEHOUSE_TRUSTED_PROXIES", lists)]).unwrap();
        let shown: Vec<_> = loaded.config.http.trusted_proxies.iter().map(ToString::to_string).collect();
        assert_eq!(shown, ["10.0.0.0/8", "192.0.2.1/32", "::1/128"]);
    }
    let loaded =
        file("trusted_proxies = [\"10.0.0.0/8\", \"::1\"]\ntokens.code = 30\npasswords.argon2_memory = 65_536")
            .unwrap();
    assert_eq!(loaded.config.http.trusted_proxies.len(), 2);
    assert_eq!(loaded.config.tokens.code, Duration::from_secs(30));
    assert_eq!(loaded.config.passwords.argon2_memory, 65_536);
    let loaded = env(&[("GATEHOUSE_SMTP_URL", ""), ("GATEHOUSE_ADMIN__EMAIL", " ")]).unwrap();
    assert!(loaded.config.mail.smtp_url.is_none() && loaded.config.admin.email.is_none(), "empty means unset");
}

#[test]
fn addresses_with_parts_are_taken_apart() {
    let loaded = env(&[
        ("GATEHOUSE_SMTP_URL", "smtp://us%40er:p%2Bw+%26%3D@[::1]:2525?tls=opportunistic"),
        ("GATEHOUSE_MAIL_FROM", "Example Sign-in <no-reply@example.org>"),
    ])
    .unwrap();
    let smtp = loaded.config.mail.smtp_url.unwrap();
    let (user, password) = smtp.login.as_ref().unwrap();
    assert_eq!((smtp.host.as_str(), smtp.port, smtp.tls), ("::1", 2525, SmtpTls::Opportunistic));
    assert_eq!((user.as_str(), password.expose().as_str()), ("us@er", "p+w+&="));
    let from = loaded.config.mail.from.unwrap();
    assert_eq!((from.name.as_deref(), from.address.as_str()), (Some("Example Sign-in"), "no-reply@example.org"));
    for (url, port, tls) in [
        ("smtp://mail.example.org", 587, SmtpTls::Required),
        ("smtps://mail.example.org", 465, SmtpTls::Implicit),
        ("smtp://localhost:1025?tls=none", 1025, SmtpTls::None),
        ("smtp://user:pw@localhost:1025?tls=none", 1025, SmtpTls::None),
    ] {
        let smtp = SmtpUrl::parse(url).unwrap();
        assert_eq!((smtp.port, smtp.tls), (port, tls), "{url}");
    }
    for (https, name) in [(true, "__Host-gatehouse_session"), (false, "gatehouse_session")] {
        assert_eq!(Config::default().sessions.cookie.on_the_wire(https), name);
    }
    for good in [
        "https://id.example.org",
        "https://id.example.org:8443",
        "http://127.0.0.1:9",
        "http://[::1]:9",
        "http://a.localhost",
    ] {
        let issuer: Issuer = good.parse().unwrap();
        assert_eq!((issuer.as_str(), issuer.is_https()), (good, good.starts_with("https")));
        assert!(!issuer.host().is_empty());
    }
    for good in ["postgres://h/db", "postgresql://u:p@h:5432/db?sslmode=require", "postgres:///db?host=/run/postgresql"]
    {
        assert_eq!(good.parse::<DatabaseUrl>().unwrap().engine(), DatabaseEngine::Postgres, "{good}");
    }
    for good in ["sqlite://a/b.db", "sqlite:///abs/b.db", "sqlite:b.db", "sqlite://b.db?mode=rwc"] {
        let url: DatabaseUrl = good.parse().unwrap();
        assert!(url.sqlite_path().unwrap().to_str().unwrap().ends_with("b.db"), "{good}");
    }
}

/// A configuration that is refused, and what the message must contain.
type Broken<'a> = (&'a [(&'a str, &'a str)], &'a [&'a str]);

#[test]
fn broken_environments_are_refused_with_key_value_place_and_remedy() {
    let table: &[Broken<'_>] = &[
        // Keys that do not exist.
        (
            &[("GATEHOUSE_BNID", "x")],
            &["bnid", "environment GATEHOUSE_BNID", "not a known key", "did you mean GATEHOUSE_BIND?"],
        ),
        (&[("GATEHOUSE_ADMIN_EMAIL", "a@b.example")], &["did you mean GATEHOUSE_ADMIN__EMAIL?"]),
        (&[("GATEHOUSE_bind", "127.0.0.1:1")], &["GATEHOUSE_bind", "did you mean GATEHOUSE_BIND?"]),
        (&[("GATEHOUSE_TENANTS", "x")], &["is a section, not a value", "tenants.open_registration"]),
        (
            &[("GATEHOUSE_FLUX_CAPACITOR", "on")],
            &["flux_capacitor (environment", "not a known key", "gatehouse.toml.example lists every key"],
        ),
        (&[("GATEHOUSE_", "on")], &["not a known key"]),
        // Listening.
        (
            &[("GATEHOUSE_BIND", "8080")],
            &[
                "bind = \"8080\" (environment GATEHOUSE_BIND)",
                "not an address and port",
                "write an address and port such as \"127.0.0.1:8080\"",
            ],
        ),
        (&[("GATEHOUSE_BIND", "127.0.0.1")], &["has no port"]),
        (&[("GATEHOUSE_BIND", "")], &["bind = \"\"", "not an address and port"]),
        (&[("GATEHOUSE_BIND", "localhost:99999")], &["has no valid port"]),
        (&[("GATEHOUSE_HTTP__WORKERS", "-1")], &["http.workers = \"-1\"", "out of range", "from 0 to 1024"]),
        (&[("GATEHOUSE_HTTP__WORKERS", "many")], &["not a whole number"]),
        (&[("GATEHOUSE_HTTP__MAX_BODY", "100")], &["out of range", "from 65536"]),
        (
            &[("GATEHOUSE_HTTP__BODY_TIMEOUT", "5s")],
            &[
                "http.body_start_timeout = \"10s\" (default) with http.body_timeout = \"5s\" (environment",
                "longer than the whole body may take",
            ],
        ),
        (
            &[("GATEHOUSE_METRICS__BIND", "127.0.0.1:8080")],
            &["metrics.bind = \"127.0.0.1:8080\"", "with bind = \"127.0.0.1:8080\" (default)", "choose another port"],
        ),
        (&[("GATEHOUSE_METRICS__BIND", "0.0.0.0:8080")], &["choose another port"]),
        (&[("GATEHOUSE_TRUSTED_PROXIES", "10.0.0.0/8,nonsense")], &["trusted_proxies", "not a network", "10.0.0.0/8"]),
        (&[("GATEHOUSE_TRUSTED_PROXIES", "10.1.2.3/8")], &["bits set behind its prefix", "write \"10.0.0.0/8\""]),
        (&[("GATEHOUSE_TRUSTED_PROXIES", "0.0.0.0/0")], &["trusts everybody", "list the networks of your proxies"]),
        // The issuer.
        (
            &[("GATEHOUSE_ISSUER", "http://id.example.org")],
            &[
                "issuer = \"http://id.example.org\" (environment GATEHOUSE_ISSUER)",
                "http on a public host",
                "write https://",
            ],
        ),
        (&[("GATEHOUSE_ISSUER", "http://10.0.0.1:8080")], &["http on a public host"]),
        (&[("GATEHOUSE_ISSUER", "http://localhost.example.org")], &["http on a public host"]),
        (&[("GATEHOUSE_ISSUER", "https://id.example.org/")], &["ends in a slash", "remove the trailing slash"]),
        (&[("GATEHOUSE_ISSUER", "https://id.example.org?x=1")], &["query or fragment"]),
        (&[("GATEHOUSE_ISSUER", "https://id.example.org#x")], &["query or fragment"]),
        (&[("GATEHOUSE_ISSUER", "https://id.example.org/auth")], &["has a path", "host name of its own"]),
        (
            &[("GATEHOUSE_ISSUER", "http://id.example.org/auth/?x")],
            &["http on a public host", "has a path", "query or fragment"],
        ),
        (
            &[("GATEHOUSE_ISSUER", "https://joe:canary-pw@id.example.org")],
            &["user name or password", "https://joe:***@id.example.org"],
        ),
        (&[("GATEHOUSE_ISSUER", "https://ID.example.org:443")], &["write \"https://id.example.org\""]),
        (&[("GATEHOUSE_ISSUER", "ftp://id.example.org")], &["neither https nor http"]),
        (&[("GATEHOUSE_ISSUER", "id.example.org")], &["not a URL"]),
        // The database.
        (
            &[("GATEHOUSE_DATABASE_URL", "mysql://root:canary-pw@db/x")],
            &["database_url = \"mysql://root:***@db/x\"", "neither SQLite nor PostgreSQL"],
        ),
        (&[("DATABASE_URL", "canary-pw")], &["(environment DATABASE_URL)", "not a database URL"]),
        (&[("GATEHOUSE_DATABASE_URL", "sqlite::memory:")], &["in memory", "name a file"]),
        (&[("GATEHOUSE_DATABASE_URL", "sqlite://")], &["names no file"]),
        (&[("GATEHOUSE_DATABASE_URL", "sqlite://a.db?cache=shared")], &["does not take"]),
        (&[("GATEHOUSE_DATABASE_URL", "postgres:///x")], &["has no host"]),
        (&[("GATEHOUSE_DATABASE__POOL_SIZE", "5000")], &["out of range", "from 0 to 1000"]),
        (
            &[("GATEHOUSE_DATABASE__ACQUIRE_TIMEOUT", "soon")],
            &["database.acquire_timeout = \"soon\"", "not a length of time", "\"10s\""],
        ),
        (
            &[("GATEHOUSE_DATABASE_URL", "postgres://h/d"), ("GATEHOUSE_DATABASE__LOCK_TIMEOUT", "9s")],
            &["database.lock_timeout = \"9s\"", "database.statement_timeout = \"5s\" (default)"],
        ),
        // Secrets.
        (
            &[("GATEHOUSE_MASTER_KEY", "canary-pw")],
            &["master_key = \"***\"", "not 32 bytes as base64 or hex", "openssl rand -base64 32"],
        ),
        (
            &[("GATEHOUSE_MASTER_KEY_FILE", "/nowhere/master.key")],
            &["master_key_file = \"/nowhere/master.key\"", "does not exist", "create it"],
        ),
        (&[("GATEHOUSE_MASTER_KEY_FILE", "/")], &["not a file that can be read"]),
        (
            &[("GATEHOUSE_MASTER_KEY", KEY), ("GATEHOUSE_MASTER_KEY_FILE", "/nowhere/master.key")],
            &["which of the two keys counts", "set only one of them"],
        ),
        // Mail.
        (
            &[("GATEHOUSE_SMTP_URL", "smtp://mail.example.org")],
            &["smtp_url", "mail_from = \"\" (default)", "has no sender", "set mail_from"],
        ),
        (&[("GATEHOUSE_SMTP_URL", "http://u:canary-pw@mail")], &["neither smtp:// nor smtps://", "http://u:***@mail"]),
        (
            &[("GATEHOUSE_SMTP_URL", "smtp://u:canary-pw@mail.example.org?tls=none")],
            &["others can read", "tls=required"],
        ),
        (&[("GATEHOUSE_SMTP_URL", "smtp://u@mail.example.org")], &["user name but no password"]),
        (&[("GATEHOUSE_SMTP_URL", "smtp://mail.example.org?tsl=none")], &["option that is not known"]),
        (&[("GATEHOUSE_MAIL_FROM", "nobody")], &["mail_from = \"nobody\"", "is not a valid email"]),
        // The first administrator.
        (&[("GATEHOUSE_ADMIN__EMAIL", "nobody")], &["admin.email = \"nobody\""]),
        (
            &[("GATEHOUSE_ADMIN__PASSWORD", "canary-password")],
            &["admin.password = \"***\"", "belongs to nobody", "set admin.email too"],
        ),
        (
            &[("GATEHOUSE_ADMIN__EMAIL", "a@b.example"), ("GATEHOUSE_ADMIN__PASSWORD", "short")],
            &["passwords.min_length = \"8\" (default)", "shorter than passwords may be"],
        ),
        // Switches, lifetimes, costs.
        (&[("GATEHOUSE_TENANTS__OPEN_REGISTRATION", "perhaps")], &["neither true nor false"]),
        (&[("GATEHOUSE_TOKENS__CODE", "1h")], &["tokens.code = \"1h\"", "out of range", "from 1s to 10m"]),
        (&[("GATEHOUSE_TOKENS__ACCESS", "0")], &["out of range"]),
        (
            &[("GATEHOUSE_TOKENS__REFRESH_IDLE", "100d")],
            &["tokens.refresh_absolute = \"90d\" (default)", "longer than the whole life"],
        ),
        (&[("GATEHOUSE_KEYS__PUBLISH_BEFORE", "1m")], &["keys.cache_life = \"5m\"", "before every client has seen it"]),
        (&[("GATEHOUSE_KEYS__ROTATE_AFTER", "12h")], &["longer than the key's life"]),
        (&[("GATEHOUSE_SESSIONS__IDLE", "30d")], &["sessions.absolute = \"7d\"", "longer than the whole life"]),
        (&[("GATEHOUSE_SESSIONS__COOKIE", "__Host-x")], &["has a prefix"]),
        (&[("GATEHOUSE_SESSIONS__COOKIE", "a b")], &["not a cookie name"]),
        (&[("GATEHOUSE_SESSIONS__COOKIE", "gatehouse_device")], &["name of the session cookie"]),
        (&[("GATEHOUSE_PASSWORDS__MIN_LENGTH", "4")], &["passwords.min_length = \"4\"", "from 6 to 64"]),
        (&[("GATEHOUSE_PASSWORDS__ARGON2_ITERATIONS", "1")], &["weaker than OWASP", "19456 with 2"]),
        (&[("GATEHOUSE_LIMITS__LOGIN", "lots")], &["limits.login = \"lots\"", "not a rate", "600/minute burst 200"]),
        (&[("GATEHOUSE_LIMITS__LOGIN", "0/minute")], &["lets nothing through", "write \"off\""]),
        (&[("GATEHOUSE_LOGS__FORMAT", "xml")], &["logs.format = \"xml\"", "\"auto\", \"human\" or \"json\""]),
        (&[("GATEHOUSE_LOGS__FILTER", "loud")], &["not a log filter"]),
        (&[("GATEHOUSE_LOGS__FILTER", "gatehouse=loud")], &["not a log filter"]),
        (
            &[("GATEHOUSE_LOGS__OTLP_ENDPOINT", "collector:4318")],
            &[
                "logs.otlp_endpoint = \"collector:4318\"",
                "neither https nor http",
                "https://collector.example.org:4318",
            ],
        ),
        (
            &[("GATEHOUSE_LOGS__OTLP_ENDPOINT", "https://u:canary-pw@collector.example.org")],
            &["user name or password", "https://u:***@collector.example.org", "OTEL_EXPORTER_OTLP_HEADERS"],
        ),
        (&[("GATEHOUSE_LOGS__OTLP_ENDPOINT", "https://collector.example.org?a=b")], &["has a query"]),
    ];
    assert!(table.len() >= 40);
    for (pairs, parts) in table {
        let message = message(env(pairs));
        for part in *parts {
            assert!(message.contains(part), "{pairs:?}: {part:?} is not in {message}");
        }
        assert!(message.contains("Remedy: ") && message.contains("nothing was touched"), "{message}");
        assert!(!message.contains("canary"), "{pairs:?} gives a secret away: {message}");
    }
}

#[test]
fn otlp_export_needs_a_build_that_has_it() {
    let loaded = env(&[("GATEHOUSE_LOGS__OTLP_ENDPOINT", "http://collector.example.org:4318")]);
    if cfg!(feature = "otlp") {
        let endpoint = loaded.unwrap().config.logs.otlp_endpoint.unwrap();
        assert_eq!(endpoint.as_str(), "http://collector.example.org:4318/v1/logs");
    } else {
        let message = message(loaded);
        for part in ["logs.otlp_endpoint = ", "built without OTLP export", "cargo build --release --features otlp"] {
            assert!(message.contains(part), "{part:?} is not in {message}");
        }
    }
}

#[test]
fn broken_files_are_refused_with_their_line() {
    let table: &[(&str, &[&str])] = &[
        ("\n\nbnid = \"x\"", &["bnid (file gatehouse.toml:3)", "did you mean bind?"]),
        (
            "[tenents]\nopen_registration = true",
            &["tenents.open_registration (file gatehouse.toml:2)", "did you mean tenants.open_registration?"],
        ),
        ("[bind]\nport = 1", &["bind.port (file gatehouse.toml:2)", "not a known key"]),
        ("[nothing]", &["nothing (file gatehouse.toml:1)", "not a known key"]),
        ("tenants = true", &["tenants (file", "is a section"]),
        ("[[admin]]\nemail = \"a@b.example\"", &["admin (file gatehouse.toml:1)", "is a section"]),
        ("bind = 8080", &["bind = \"8080\" (file gatehouse.toml:1)", "is not in quotes"]),
        ("bind = [\"127.0.0.1:1\"]", &["is a list, where one value is wanted"]),
        ("issuer = true", &["issuer = \"true\"", "is not in quotes"]),
        ("tokens.access = 1.5", &["tokens.access (file", "is a fraction"]),
        ("tokens.access = 1979-05-27", &["is a date or time"]),
        ("admin.password = 0x10", &["admin.password (file", "a number that is not decimal"]),
        ("trusted_proxies = 10", &["is not a list"]),
        ("trusted_proxies = [1]", &["a list with something else than text in it"]),
        ("http.workers = \"four\"", &["http.workers = \"four\"", "not a whole number"]),
        (
            "bind = \"127.0.0.1:1\"\nbind = \"127.0.0.1:2\"",
            &["(file gatehouse.toml:2)", "is not valid TOML", "duplicate"],
        ),
        ("admin.password = canary", &["(file gatehouse.toml:1)", "is not valid TOML"]),
        ("admin.password = \"canary", &["(file gatehouse.toml:1)", "is not valid TOML"]),
    ];
    for (text, parts) in table {
        let message = message(file(text));
        for part in *parts {
            assert!(message.contains(part), "{text:?}: {part:?} is not in {message}");
        }
        assert!(!message.contains("canary"), "{text:?} gives a secret away: {message}");
    }
}

#[test]
fn everything_that_is_wrong_is_said_at_once() {
    let error = From4 {
        flags: &[("bind", "nowhere")],
        env: &[
            ("GATEHOUSE_ISSUER", "http://id.example.org"),
            ("GATEHOUSE_NONSENSE", "1"),
            ("GATEHOUSE_TOKENS__REFRESH_IDLE", "1y"),
        ],
        file: Some("bind = \"hidden by the flag, but wrong all the same\"\nsessions.idle = \"30d\"\n"),
    }
    .load()
    .unwrap_err();
    let message = error.to_string();
    assert_eq!(error.problems.len(), 6, "{message}");
    assert!(message.contains("6 problems"), "{message}");
    for place in [
        "flag --bind",
        "GATEHOUSE_ISSUER",
        "GATEHOUSE_NONSENSE",
        "GATEHOUSE_TOKENS__REFRESH_IDLE",
        "gatehouse.toml:1",
        "gatehouse.toml:2",
    ] {
        assert!(message.contains(place), "{place}: {message}");
    }
    assert_eq!(ConfigError::EXIT_CODE, 2);
    // A value that can't be read is not also blamed for not fitting another one.
    assert!(message.matches("tokens.refresh_idle").count() == 1, "{message}");
}

#[test]
fn secrets_are_never_printed() {
    const CANARY: &str = "canary";
    let loaded = env(&[
        ("GATEHOUSE_DATABASE_URL", "postgres://user:canary@db/x?sslpassword=canary&application_name=shown"),
        ("GATEHOUSE_SMTP_URL", "smtps://user:can@ry:canary@mail.example.org"),
        ("GATEHOUSE_MAIL_FROM", "a@b.example"),
        ("GATEHOUSE_ADMIN__EMAIL", "a@b.example"),
        ("GATEHOUSE_ADMIN__PASSWORD", "canary canary"),
        ("GATEHOUSE_MASTER_KEY", KEY),
    ])
    .unwrap();
    let printed = [
        loaded.table(),
        serde_json::to_string(&loaded.show()).unwrap(),
        format!("{loaded:?}"),
        format!("{:#?}", loaded.config),
        format!("{:?} {:?}", loaded.config.database.url, loaded.config.mail.smtp_url),
    ];
    for text in printed {
        assert!(!text.contains(CANARY) && !text.contains(KEY) && !text.contains("can@ry"), "{text}");
        assert!(text.contains("postgres://user:***@db/x?sslpassword=***&application_name=shown"), "{text}");
    }
    for (url, masked) in [
        ("postgres://u:p@h/d", "postgres://u:***@h/d"),
        ("postgres://u:p:q@r@h/d", "postgres://u:***@h/d"),
        ("postgres://u:p/q@h/d?y=2", "postgres://u:***@h/d?y=2"),
        ("postgres://u:p?q@h/d", "postgres://u***"),
        ("postgres://h:1/d?password=p@q", "postgres://h***"),
        ("postgres://u@h/d", "postgres://u@h/d"),
        ("postgres://u@h/d?passfile=p", "postgres://u@h/d?passfile=***"),
        ("postgres:u:p@h/d", "***"),
        ("host=h password=p", "***"),
        ("postgres://h/d?PASSWORD=p&x=1", "postgres://h/d?PASSWORD=***&x=1"),
        ("postgres://h/d password=p", "postgres://***"),
        ("id.example.org", "id.example.org"),
    ] {
        assert_eq!(mask::mask_url(url), masked, "{url}");
    }
}

#[test]
fn what_counts_is_shown_with_its_origin() {
    let loaded = file("[admin]\nemail = \"a@b.example\"").unwrap();
    let table = loaded.table();
    let line =
        |key: &str| table.lines().find(|line| line.starts_with(key)).unwrap().split_whitespace().collect::<Vec<_>>();
    assert_eq!(line("admin.email"), ["admin.email", "a@b.example", "file", "gatehouse.toml:2"]);
    assert_eq!(line("bind"), ["bind", "127.0.0.1:8080", "default"]);
    assert_eq!(line("smtp_url"), ["smtp_url", "(unset)", "default"]);
    let rows = loaded.show();
    assert_eq!(rows.len(), Config::keys().len());
    let row = rows.iter().find(|row| row.key == "admin.email").unwrap();
    let json = serde_json::to_value(row).unwrap();
    assert_eq!(
        json,
        serde_json::json!({"key": "admin.email", "value": "a@b.example", "origin": "file gatehouse.toml:2"})
    );
}

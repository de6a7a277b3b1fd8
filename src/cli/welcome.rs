//! What a start says to whoever watches. The first one shows secrets: once, on a terminal only,
//! never in a log; and where no terminal is, they are kept rather than lost.

use std::fmt::Write as _;
use std::io::{self, IsTerminal as _, Write as _};
use std::path::Path;

use super::output::{self, Output};
use super::record::Record;
use super::session::private_folder;
use crate::app::Running;
use crate::config::Config;
use crate::domain::bootstrap::FirstStart;

/// Where a made-up password waits for the operator of an unattended start.
const FILE: &str = "first-admin-password";

/// Says that the server answers.
pub(super) fn show(running: &Running, out: Output) {
    let config = &*running.core.config;
    let issuer = &config.http.issuer;
    let discovery = format!("{issuer}/.well-known/openid-configuration");
    let address = running.address.to_string();
    tracing::info!(%issuer, %address, "listening");

    let first = running.first_start.as_ref();
    let mut text = format!("\ngatehouse {}\n\n", env!("CARGO_PKG_VERSION"));
    let _ = writeln!(
        text,
        "Issuer                {issuer}\nListening on          {address}\nDiscovery             {discovery}\nAccount page          {issuer}/account"
    );
    text.push_str(&first.map_or_else(|| hint(config), |first| secrets(first, config)));
    text.push('\n');

    let said = if out.is_json() {
        let record =
            Record::default().with("issuer", issuer.as_str()).with("address", address).with("discovery", discovery);
        // A reader who went away does not stop the server.
        let _ = out.record(&record);
        false
    } else if io::stdout().is_terminal() {
        output::answer(&text).is_ok()
    } else {
        io::stderr().is_terminal() && io::stderr().lock().write_all(text.as_bytes()).is_ok()
    };
    if let Some(first) = first.filter(|_| !said) {
        let kept = keep(first, config);
        tracing::info!(administrator = first.admin_email, "first start: the first administrator was made; {kept}");
    }
}

/// What a command that was the first to meet an empty database says beside its answer.
pub(super) fn beside_an_answer(first: &FirstStart, config: &Config, out: Output) {
    if io::stderr().is_terminal() {
        out.note(&format!("This database was empty and has been set up.\n{}", secrets(first, config)));
    } else {
        let kept = keep(first, config);
        out.note(&format!(
            "This database was empty and has been set up. First administrator: {}; {kept}",
            first.admin_email
        ));
    }
}

/// The lines that may be shown on a terminal and nowhere else.
fn secrets(first: &FirstStart, config: &Config) -> String {
    let mut text = format!("First administrator   {}\n", first.admin_email);
    if let Some(password) = &first.admin_password {
        let _ = writeln!(text, "One-time password     {}   (not shown again)", password.expose());
    }
    let credentials = format!("{}:{}", first.client_id, first.client_secret.expose());
    text.push_str(&curl(config, &credentials));
    text
}

fn hint(config: &Config) -> String {
    format!(
        "\nFor a service of your own:  gatehouse client create --name NAME\n{}",
        curl(config, "CLIENT_ID:CLIENT_SECRET")
    )
}

fn curl(config: &Config, credentials: &str) -> String {
    let issuer = &config.http.issuer;
    format!("\nA token:\n  curl -u '{credentials}' -d grant_type=client_credentials {issuer}/oauth/token\n")
}

/// Keeps a made-up password where only this user can read it, and says where.
fn keep(first: &FirstStart, config: &Config) -> String {
    let Some(password) = &first.admin_password else { return "the password is the configured one".to_owned() };
    let path = config.secrets.data_dir.join(FILE);
    match write(&path, password.expose()) {
        Ok(()) => format!("the one-time password is in {}: read it and delete the file", path.display()),
        Err(why) => format!(
            "the one-time password could not be kept in {} ({why}): set one with `gatehouse user set-password {}`",
            path.display(),
            first.admin_email
        ),
    }
}

fn write(path: &Path, password: &str) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        private_folder(folder)?;
    }
    // One of an earlier database would keep its mode.
    match std::fs::remove_file(path) {
        Err(why) if why.kind() != io::ErrorKind::NotFound => return Err(why),
        _ => {}
    }
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(format!("{password}\n").as_bytes())?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::secret::Secret;

    fn first() -> FirstStart {
        FirstStart {
            admin_email: "admin@localhost".to_owned(),
            admin_password: Some(Secret::new("one-time".to_owned())),
            client_id: "svc_1".to_owned(),
            client_secret: Secret::new("shared".to_owned()),
        }
    }

    #[test]
    fn what_is_kept_can_be_read_by_its_owner_only_and_is_not_repeated() {
        let folder = tempfile::tempdir().unwrap();
        let config = Config::in_folder(folder.path());
        for _ in 0..2 {
            let said = keep(&first(), &config);
            assert!(said.contains(FILE) && !said.contains("one-time\n") && !said.contains("shared"), "{said}");
        }
        let path = folder.path().join(FILE);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "one-time\n");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
    }

    #[test]
    fn only_the_first_welcome_speaks_of_a_password() {
        let config = Config::default();
        let text = secrets(&first(), &config);
        assert!(text.contains("one-time") && text.contains("svc_1:shared"), "{text}");
        assert!(!hint(&config).to_lowercase().contains("password"));
    }
}

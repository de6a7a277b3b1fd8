//! Where its own files lie and what encrypts private keys at rest.

use std::path::PathBuf;

use super::mask::HIDDEN;
use super::section::section;
use super::value::{Refused, Value};
use crate::crypto::sealing::MasterKey;

section! {
    /// Where its own files lie and what encrypts private keys at rest.
    SecretsConfig, "Files and the master key";

    /// Folder for what it keeps beside the database: the master key, the embedded database, the
    /// outbox of mails.
    data_dir: PathBuf = "data_dir", PathBuf::from("data");
    /// What encrypts private keys and second-factor secrets at rest: 32 random bytes as base64
    /// or hex, such as `openssl rand -base64 32` prints. Better kept in a file: see master_key_file.
    master_key: Option<MasterKey> = "master_key", None, like "...";
    /// File with the master key. It must exist. When neither this nor master_key is set, a key
    /// is made once in data_dir/master.key (mode 0600). Several copies must share one key.
    master_key_file: Option<PathBuf> = "master_key_file", None, like "/run/secrets/gatehouse-master-key";
}

impl SecretsConfig {
    /// Where the master key comes from.
    #[must_use]
    pub fn master_key_source(&self) -> MasterKeySource {
        match (&self.master_key, &self.master_key_file) {
            (Some(key), _) => MasterKeySource::Given(key.clone()),
            (None, Some(path)) => MasterKeySource::File(path.clone()),
            (None, None) => MasterKeySource::MadeOnce(self.data_dir.join("master.key")),
        }
    }
}

/// Where the master key comes from.
#[derive(Clone)]
pub enum MasterKeySource {
    /// The configuration itself.
    Given(MasterKey),
    /// A file that must be there.
    File(PathBuf),
    /// A file of ours: made, with mode 0600, when it is not there yet.
    MadeOnce(PathBuf),
}

impl Value for MasterKey {
    const EXPECTED: &'static str = "32 random bytes as base64 or hex, such as `openssl rand -base64 32` prints";

    fn parse(text: &str) -> Result<Self, Refused> {
        Self::parse(text).map_err(|_| "is not 32 bytes as base64 or hex".into())
    }

    fn text(&self) -> String {
        self.to_text().expose().clone()
    }

    fn mask(_: &str) -> String {
        HIDDEN.to_owned()
    }
}

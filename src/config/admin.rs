//! The first administrator.

use super::section::section;
use crate::model::secret::Secret;
use crate::model::text::Email;

section! {
    /// The first administrator, made at the first start only.
    AdminConfig, "The first administrator";

    /// Who the first administrator is, for an unattended first start.
    email: Option<Email> = "admin.email", None, like "admin@example.org";
    /// The first administrator's password. When unset, one is made up and printed once, on the
    /// terminal only. Better set as GATEHOUSE_ADMIN__PASSWORD than in a file.
    password: Option<Secret<String>> = "admin.password", None, like "...";
}

//! What trusted systems do by way of their API clients.

use super::section::section;

section! {
    /// What trusted systems do by way of their API clients (/internal/*, /admin/permissions/*).
    ProvisioningConfig, "Trusted systems";

    /// Whether they may make and change accounts by POST /internal/idp/users/ensure, and make them by
    /// granting something to a new sub. When false, either answers 503 authentik_admin_not_configured.
    ensure_users: bool = "handoff.provisioning", true;
    /// Whether a grant may only name companies, sites and modules that the catalogue holds. When false, a
    /// code that it does not hold is kept as text, and linked once an entry of that code is added.
    strict_catalogue: bool = "member.strict_catalogue", false;
}

//! Scoped grants: who may do what with which module, at a company or at a site.

use super::ids::{ModuleId, OrganizationId, ScopedGrantId, SiteId, UserId};
use super::text_enum::text_enum;
use super::time::Timestamp;

text_enum! {
    /// Where a grant counts. Not an OAuth scope, and not a role's.
    GrantScope {
        /// At a company and all its sites.
        Company = "company",
        /// At one site.
        Site = "site",
    }
}

/// What a grant is about; of one user at most one grant has it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct GrantTarget {
    /// A company or a site.
    pub scope_type: GrantScope,
    /// Its key where the catalogue holds it, else the text as it was given.
    pub scope: String,
    /// The module's key where the catalogue holds it, else the text as it was given.
    pub module: String,
    /// What may be done.
    pub action: String,
}

/// That somebody may do something somewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScopedGrant {
    /// `gra_…`; faces show the bare UUID.
    pub id: ScopedGrantId,
    /// Who.
    pub user: UserId,
    /// What, where.
    pub target: GrantTarget,
    /// The company, if the catalogue holds it.
    pub organization: Option<OrganizationId>,
    /// The site, if the catalogue holds it.
    pub site: Option<SiteId>,
    /// The module, if the catalogue holds it.
    pub module: Option<ModuleId>,
    /// Who gave it, as the audit log names them.
    pub granted_by: String,
    /// When.
    pub granted_at: Timestamp,
}

/// One line of what somebody may do, as other systems see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GrantedAction {
    /// What, where.
    pub target: GrantTarget,
    /// The key of the module's system; none where the catalogue does not hold the module.
    pub system: Option<String>,
}

//! Organizations (a workspace of `workspace.md`, a company of `handoff.md`), who belongs to them, and who was
//! asked to.

use std::str::FromStr;

use super::ids::{InvitationId, MembershipId, OrganizationId, TenantId, UserId};
use super::text::{InvalidText, canonical};
use super::text_enum::text_enum;
use super::time::Timestamp;

/// The longest slug, in bytes: it could be a label of a host name.
const LONGEST_SLUG: usize = 63;

/// The short name of an organization: lower-case letters, digits, and hyphens between them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slug(String);

impl Slug {
    /// The short name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// One made from a name: what it has of letters and digits, hyphens for the rest.
    #[must_use]
    pub fn of_name(name: &str) -> Self {
        let mut slug = String::new();
        for c in canonical(name).chars() {
            if c.is_ascii_alphanumeric() {
                slug.push(c);
            } else if !slug.is_empty() && !slug.ends_with('-') {
                slug.push('-');
            }
            if slug.len() == LONGEST_SLUG {
                break;
            }
        }
        let slug = slug.trim_end_matches('-');
        Self(if slug.is_empty() { "workspace".to_owned() } else { slug.to_owned() })
    }

    /// The same with a part of an id behind it, which nothing else has.
    #[must_use]
    pub fn with_suffix(&self, id: OrganizationId) -> Self {
        let id = id.uuid().simple().to_string();
        let (_, suffix) = id.split_at(id.len() - 8);
        let room = LONGEST_SLUG - suffix.len() - 1;
        let kept = self.0.get(..room).unwrap_or(&self.0).trim_end_matches('-');
        Self(format!("{kept}-{suffix}"))
    }
}

impl FromStr for Slug {
    type Err = InvalidText;
    fn from_str(text: &str) -> Result<Self, InvalidText> {
        if text.is_empty() {
            return Err(InvalidText::Empty);
        }
        if text.len() > LONGEST_SLUG {
            return Err(InvalidText::TooLong(LONGEST_SLUG));
        }
        let fine = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        if !text.bytes().all(fine) || text.starts_with('-') || text.ends_with('-') || text.contains("--") {
            return Err(InvalidText::Malformed("slug: lower-case letters, digits, and hyphens between them"));
        }
        Ok(Self(text.to_owned()))
    }
}

text_enum! {
    /// What somebody is in an organization; each may do what those after it may.
    MembershipRole {
        /// May do everything; an organization always has one.
        Owner = "owner",
        /// Looks after members.
        Admin = "admin",
        /// Belongs to it.
        Member = "member",
    }
}

impl MembershipRole {
    /// Whether this one stands at least as high.
    #[must_use]
    pub const fn reaches(self, other: Self) -> bool {
        (self as u8) <= (other as u8)
    }
}

/// Something that has members and sites.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Organization {
    /// Whose it is.
    pub tenant: TenantId,
    /// `org_…`; faces show the bare UUID.
    pub id: OrganizationId,
    /// `CP…`, stable for life.
    pub key: String,
    /// Its short name, unique in the tenant: lower-case letters, digits and hyphens.
    pub slug: String,
    /// For people to read.
    pub name: String,
    /// What it has subscribed to; `free` unless somebody said otherwise.
    pub plan: String,
    /// A disabled one contributes nothing to any decision.
    pub enabled: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// That somebody belongs to an organization.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Membership {
    /// `mem_…`.
    pub id: MembershipId,
    /// To which one.
    pub organization: OrganizationId,
    /// Who.
    pub user: UserId,
    /// As what.
    pub role: MembershipRole,
    /// Since when.
    pub created_at: Timestamp,
}

/// That somebody was asked into an organization.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invitation {
    /// Whose it is.
    pub tenant: TenantId,
    /// `inv_…`; faces show the bare UUID.
    pub id: InvitationId,
    /// Into which one.
    pub organization: OrganizationId,
    /// The address that was asked; nobody else can follow.
    pub email: String,
    /// As what.
    pub role: MembershipRole,
    /// Who asked, as the audit log names them.
    pub invited_by: String,
    /// When.
    pub created_at: Timestamp,
    /// Until when it can be followed.
    pub expires_at: Timestamp,
    /// When it was followed or withdrawn.
    pub settled_at: Option<Timestamp>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slugs_are_made_from_names() {
        for (name, slug) in [
            ("Acme GmbH & Co.", "acme-gmbh-co"),
            ("  --x--  ", "x"),
            ("Ｆｕｌｌ Width", "full-width"),
            ("公司", "workspace"),
            (&"a".repeat(100), &"a".repeat(63)),
        ] {
            assert_eq!(Slug::of_name(name).as_str(), slug, "{name}");
            assert!(slug.parse::<Slug>().is_ok(), "{slug}");
        }
        let id = OrganizationId::from_uuid(uuid::Uuid::from_u128(0x1234_5678));
        assert_eq!(Slug::of_name("acme").with_suffix(id).as_str(), "acme-12345678");
        assert!(Slug::of_name(&"a".repeat(63)).with_suffix(id).as_str().parse::<Slug>().is_ok());
    }

    #[test]
    fn slugs_are_parsed_strictly() {
        for bad in ["", "A", "a b", "-a", "a-", "a--b", "ä", "a/b", &"a".repeat(64)] {
            assert!(bad.parse::<Slug>().is_err(), "{bad}");
        }
    }

    #[test]
    fn roles_stand_in_an_order() {
        use MembershipRole::{Admin, Member, Owner};
        assert!(Owner.reaches(Admin) && Admin.reaches(Admin) && Admin.reaches(Member));
        assert!(!Member.reaches(Admin) && !Admin.reaches(Owner));
    }
}

//! Nouns → lines.

use super::lines::{
    ApiClientLine, ClientLine, ConnectionLine, IdentityLine, Line, MembershipLine, ModuleLine, OrganizationLine,
    PasskeyLine, PermissionLine, RecoveryCodeLine, RoleAssignmentLine, RoleLine, ScopedGrantLine, SigningKeyLine,
    SiteLine, SystemLine, TenantKeyLine, TenantLine, TotpLine, UserLine,
};
use super::values::{At, Bytes, SecretBytes, Sha256};
use crate::domain::factors::totp;
use crate::domain::{Core, DomainError, keys};
use crate::model::api_client::ApiClient;
use crate::model::catalogue::{Module, Site, System};
use crate::model::client::Client;
use crate::model::connection::{Connection, Identity};
use crate::model::factors::{Passkey, RecoveryCode, TotpFactor};
use crate::model::ids::{PermissionId, TenantId};
use crate::model::organization::{Membership, Organization};
use crate::model::permission::Permission;
use crate::model::role::{Role, RoleAssignment};
use crate::model::scoped_grant::ScopedGrant;
use crate::model::secret::Secret;
use crate::model::signing_key::{KeyState, SigningKey};
use crate::model::tenant::{Tenant, TenantKey};
use crate::model::user::User;

impl TenantLine {
    pub(super) fn of(tenant: &Tenant, keys: &[TenantKey]) -> Self {
        let key = |key: &TenantKey| TenantKeyLine {
            kind: key.kind,
            digest: Sha256(key.digest),
            public_text: key.public_text.clone(),
            expires_at: key.expires_at.map(At),
            created_at: At(key.created_at),
        };
        Self {
            id: tenant.id,
            name: tenant.name.clone(),
            is_default: tenant.is_default,
            enabled: tenant.enabled,
            settings: tenant.settings.clone(),
            created_at: At(tenant.created_at),
            keys: keys.iter().map(key).collect(),
        }
    }
}

impl Line {
    pub(super) fn of_signing_key(core: &Core, key: &SigningKey) -> Result<Self, DomainError> {
        let context = keys::seal_context(key.tenant, &key.kid);
        let private = match key.state {
            KeyState::Removed => None,
            _ => Some(SecretBytes(core.sealer.open(context, &key.sealed_private)?)),
        };
        Ok(Self::SigningKey(SigningKeyLine {
            kid: key.kid.clone(),
            alg: key.alg,
            state: key.state,
            private,
            public_jwk: serde_json::from_str(&key.public_jwk).map_err(|why| DomainError::Defect(why.to_string()))?,
            created_at: At(key.created_at),
            activated_at: key.activated_at.map(At),
            retired_at: key.retired_at.map(At),
        }))
    }

    pub(super) fn of_permission(permission: Permission) -> Self {
        Self::Permission(PermissionLine {
            code: permission.code.as_str().to_owned(),
            id: permission.id,
            name: permission.name,
            description: permission.description,
            is_system: permission.is_system,
            created_at: At(permission.created_at),
            updated_at: At(permission.updated_at),
        })
    }

    pub(super) fn of_role(role: Role, permissions: Vec<PermissionId>) -> Self {
        Self::Role(RoleLine {
            id: role.id,
            code: role.code,
            name: role.name,
            description: role.description,
            scope: role.scope,
            is_system: role.is_system,
            is_active: role.is_active,
            permissions,
            created_at: At(role.created_at),
            updated_at: At(role.updated_at),
        })
    }

    /// With the secret of a client that signs with it, if that is wanted.
    pub(super) fn of_client(client: Client, secret: Option<Secret<Vec<u8>>>) -> Self {
        let secrets = client.secrets.as_ref();
        Self::Client(Box::new(ClientLine {
            secret_digest: secrets.map(|secrets| Sha256(secrets.current)),
            previous_secret: secrets
                .and_then(|secrets| secrets.previous)
                .map(|(digest, until)| (Sha256(digest), At(until))),
            secret: secret.map(SecretBytes),
            id: client.id,
            name: client.name,
            description: client.description,
            enabled: client.enabled,
            auth_method: client.auth_method,
            jwks: client.jwks,
            grant_types: client.grant_types,
            redirect_uris: client.redirect_uris,
            post_logout_redirect_uris: client.post_logout_redirect_uris,
            scope: client.scope,
            permissions: client.permissions,
            default_audience: client.default_audience,
            audiences: client.audiences,
            access_token_format: client.access_token_format,
            signing_alg: client.signing_alg,
            access_token_ttl: client.access_token_ttl.map(|life| life.as_secs()),
            refresh_token_ttl: client.refresh_token_ttl.map(|life| life.as_secs()),
            settings: client.settings,
            created_at: At(client.created_at),
        }))
    }

    pub(super) fn of_user(user: User) -> Self {
        Self::User(Box::new(UserLine {
            id: Some(user.id),
            external_sub: user.external_sub,
            email: user.email,
            email_verified: user.email_verified,
            username: user.username,
            name: user.name,
            password_hash: user.password_hash,
            profile: user.profile,
            enabled: user.enabled,
            has_second_factor: user.has_second_factor,
            verification_due: user.verification_due,
            token_epoch: user.token_epoch,
            created_at: Some(At(user.created_at)),
            updated_at: Some(At(user.updated_at)),
        }))
    }

    pub(super) fn of_role_assignment(held: RoleAssignment) -> Self {
        Self::RoleAssignment(RoleAssignmentLine {
            id: held.id,
            user: held.user,
            role: held.role,
            granted_by: held.granted_by,
            granted_at: At(held.granted_at),
            expires_at: held.expires_at.map(At),
        })
    }

    pub(super) fn of_passkey(passkey: Passkey) -> Self {
        Self::Passkey(PasskeyLine {
            credential_id: Bytes(passkey.credential_id),
            user: passkey.user,
            name: passkey.name,
            credential: passkey.credential,
            created_at: At(passkey.created_at),
            last_used_at: passkey.last_used_at.map(At),
        })
    }

    pub(super) fn of_totp(core: &Core, tenant: TenantId, factor: &TotpFactor) -> Result<Self, DomainError> {
        Ok(Self::Totp(TotpLine {
            user: factor.user,
            secret: SecretBytes(totp::open(core, tenant, factor)?),
            last_step: factor.last_step,
            created_at: At(factor.created_at),
            confirmed_at: factor.confirmed_at.map(At),
        }))
    }

    pub(super) fn of_recovery_code(code: RecoveryCode) -> Self {
        Self::RecoveryCode(RecoveryCodeLine {
            user: code.user,
            digest: Sha256(code.digest),
            created_at: At(code.created_at),
            used_at: code.used_at.map(At),
        })
    }

    pub(super) fn of_organization(organization: Organization) -> Self {
        Self::Organization(OrganizationLine {
            id: organization.id,
            key: organization.key,
            slug: organization.slug,
            name: organization.name,
            plan: organization.plan,
            enabled: organization.enabled,
            created_at: At(organization.created_at),
            updated_at: At(organization.updated_at),
        })
    }

    pub(super) fn of_membership(membership: Membership) -> Self {
        Self::Membership(MembershipLine {
            id: membership.id,
            organization: membership.organization,
            user: membership.user,
            role: membership.role,
            created_at: At(membership.created_at),
        })
    }

    pub(super) fn of_connection(connection: Connection, secret: Option<Secret<Vec<u8>>>) -> Self {
        Self::Connection(Box::new(ConnectionLine {
            id: connection.id,
            organization: connection.organization,
            name: connection.name,
            enabled: connection.enabled,
            provider: connection.provider,
            settings: connection.settings,
            domains: connection.domains,
            secret: secret.map(SecretBytes),
            created_at: At(connection.created_at),
            updated_at: At(connection.updated_at),
        }))
    }

    pub(super) fn of_identity(identity: Identity) -> Self {
        Self::Identity(IdentityLine {
            connection: identity.connection,
            subject: identity.subject,
            user: identity.user,
            created_at: At(identity.created_at),
            used_at: At(identity.used_at),
        })
    }

    pub(super) fn of_system(system: System) -> Self {
        Self::System(SystemLine {
            id: system.id,
            key: system.key,
            code: system.code,
            name: system.name,
            enabled: system.enabled,
            created_at: At(system.created_at),
        })
    }

    pub(super) fn of_module(module: Module) -> Self {
        Self::Module(ModuleLine {
            id: module.id,
            key: module.key,
            code: module.code,
            system: module.system,
            name: module.name,
            enabled: module.enabled,
            created_at: At(module.created_at),
        })
    }

    pub(super) fn of_site(site: Site) -> Self {
        Self::Site(SiteLine {
            id: site.id,
            key: site.key,
            code: site.code,
            organization: site.organization,
            name: site.name,
            enabled: site.enabled,
            created_at: At(site.created_at),
        })
    }

    pub(super) fn of_api_client(client: ApiClient) -> Self {
        Self::ApiClient(ApiClientLine {
            id: client.id,
            name: client.name,
            client_key: client.client_key,
            secret_digest: Sha256(client.secret),
            previous_secret: client.previous_secret.map(|(digest, until)| (Sha256(digest), At(until))),
            expires_at: client.expires_at.map(At),
            enabled: client.enabled,
            origins: client.origins,
            networks: client.networks.iter().map(ToString::to_string).collect(),
            paths: client.paths,
            created_at: At(client.created_at),
        })
    }

    pub(super) fn of_scoped_grant(grant: ScopedGrant) -> Self {
        Self::ScopedGrant(ScopedGrantLine {
            id: grant.id,
            user: grant.user,
            scope_type: grant.target.scope_type,
            scope: grant.target.scope,
            module: grant.target.module,
            action: grant.target.action,
            organization: grant.organization,
            site: grant.site,
            module_id: grant.module,
            granted_by: grant.granted_by,
            granted_at: At(grant.granted_at),
        })
    }
}

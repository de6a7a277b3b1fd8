//! `/v1/internal/services`: what a service does for itself: register, authenticate, look at a token,
//! ask what it may do.
//!
//! Services are those of the tenant whose token is presented; a call without a token is about the
//! default tenant.

use actix_web::HttpResponse;

use super::caller::{Service, service, service_if_any};
use super::error::{Answer, Error, ErrorBody};
use super::wire::{
    Authenticate, HasPermission, RegisterService, RegisteredService, ServiceScope, ServiceToken, TokenVerdict,
    ValidateToken,
};
use crate::domain::tokens::{self, Principal};
use crate::domain::{Ctx, DomainError, Noun, audit, clients, services, tenants};
use crate::http::call::Call;
use crate::http::fields::Body as _;
use crate::http::limit::Limit;
use crate::model::audit::{Actor, Outcome as AuditOutcome};
use crate::model::ids::ClientId;
use crate::model::permission::code;

/// Registers a service. A new one holds no scope.
///
/// Open to everybody unless the configuration closes it; then it takes a service token with
/// `internal:admin`.
#[utoipa::path(
    post,
    path = "/v1/internal/services/register",
    request_body = RegisterService,
    responses(
        (status = 201, description = "Registered; the secret is not shown again", body = RegisteredService),
        (status = 400, description = "What is wrong with the input", body = ErrorBody),
        (status = 429, description = "Too many from this address", body = ErrorBody),
    ),
    security((), ("service_token" = [])),
)]
pub(super) async fn register(call: Call) -> Answer {
    let ctx = registrar(&call).await?;
    let wish = RegisterService::read(&mut call.json().await?)?;
    let registered = services::register(&ctx, &wish.service_name, wish.description)
        .await
        .map_err(|error| Error::of_field(error, "name", "service_name"))?;
    let secret =
        registered.secret.as_ref().ok_or_else(|| DomainError::Defect("a service without a secret".to_owned()))?;
    Ok(HttpResponse::Created().json(RegisteredService {
        client_id: registered.client.id.as_str(),
        client_secret: secret.expose(),
        service_name: &registered.client.name,
        description: registered.client.description.as_deref().unwrap_or_default(),
        created_at: registered.client.created_at.rfc3339(),
        message: "Service registered successfully",
        warning: "Please save the client_secret securely. It will not be shown again.",
    }))
}

/// Who may register a service, and in which tenant.
async fn registrar(call: &Call) -> Result<Ctx<'_>, Error> {
    if !call.core().config.registration.open_services {
        return Ok(service(call, Some(code::INTERNAL_ADMIN)).await?.ctx);
    }
    let known = service_if_any(call).await?;
    if !known.as_ref().is_some_and(|service| service.has(code::INTERNAL_ADMIN)) {
        call.limit(Limit::Registration)?;
    }
    match known {
        Some(service) => Ok(service.ctx),
        None => Ok(call.ctx(tenants::default(call.core()).await?, Actor::Anonymous)),
    }
}

/// Gives a service a token with all its scopes.
#[utoipa::path(
    post,
    path = "/v1/internal/services/authenticate",
    request_body = Authenticate,
    responses(
        (status = 200, description = "A token", body = ServiceToken),
        (status = 401, description = "`Client not found`, `Invalid client credentials`", body = ErrorBody),
        (status = 429, description = "Too many failures from this address", body = ErrorBody),
    ),
)]
pub(super) async fn authenticate(call: Call) -> Answer {
    service_if_any(&call).await?;
    let wish = Authenticate::read(&mut call.json().await?)?;
    let ctx = call.ctx(tenants::default(call.core()).await?, Actor::Anonymous);
    let id: Option<ClientId> = wish.client_id.parse().ok();
    let known = match &id {
        Some(id) => match clients::live(call.core(), ctx.tenant_id(), id).await {
            Err(DomainError::NotFound(_)) => None,
            other => Some(other?),
        },
        None => None,
    };
    let Some(client) = known.filter(|client| client.client.is_service()) else {
        return Err(failed(&call, &ctx, id, "Client not found").await);
    };
    if !client.has_secret(&wish.client_secret, ctx.now()) {
        return Err(failed(&call, &ctx, id, "Invalid client credentials").await);
    }
    let ctx = ctx.by(Actor::Client(client.client.id.clone()));
    let issued = tokens::for_client(&ctx, &client, client.client.permissions.clone(), None).await?;
    Ok(HttpResponse::Ok().json(ServiceToken {
        access_token: &issued.token,
        token_type: "Bearer",
        expires_in: issued.expires_in.as_secs(),
        scopes: issued.scope.iter().collect(),
    }))
}

/// Counts a failed authentication against the caller's address and leaves it in the audit trail.
async fn failed(call: &Call, ctx: &Ctx<'_>, id: Option<ClientId>, message: &'static str) -> Error {
    if let Err(limited) = call.limit(Limit::TokenFailures) {
        return limited.into();
    }
    call.core().metrics.tokens.failures.count("invalid_client");
    let target = id.map(|id| format!("client:{id}"));
    let entry = ctx.audit("client.authenticate", target, AuditOutcome::Failure, Some(message.to_owned()));
    match audit::append(call.core(), entry).await {
        Ok(()) => Error::no_client(message),
        Err(error) => error.into(),
    }
}

/// Says whether a text is a service's token that counts at this moment.
///
/// A person's token is none, so that nobody who asks here can take a person for a service; neither
/// is a token of another tenant than the one that the caller's own token is of (the default one
/// without), nor one that is meant for somebody else: ask `/oauth/introspect` about those.
#[utoipa::path(
    post,
    path = "/v1/internal/services/validate-token",
    request_body = ValidateToken,
    responses((status = 200, description = "Whose it is and what it may be used for, or `{\"valid\":false}`", body = TokenVerdict)),
    security((), ("service_token" = [])),
)]
pub(super) async fn validate_token(call: Call) -> Answer {
    let asking = match service_if_any(&call).await? {
        Some(service) => service.ctx.tenant_id(),
        None => tenants::default(call.core()).await?.tenant.id,
    };
    let wish = ValidateToken::read(&mut call.json().await?)?;
    let verdict = match tokens::verify(call.core(), &wish.token).await {
        Ok(token) if token.is_for_us() && token.tenant.tenant.id == asking => match token.principal {
            Principal::Service(client) => TokenVerdict::Valid {
                valid: true,
                client_id: client.client.id.to_string(),
                scopes: token.scope.iter().map(str::to_owned).collect(),
                exp: token.claims.exp,
            },
            Principal::User(_) => TokenVerdict::Invalid { valid: false },
        },
        Ok(_) | Err(DomainError::NotAuthenticated(_)) => TokenVerdict::Invalid { valid: false },
        Err(other) => return Err(other.into()),
    };
    Ok(HttpResponse::Ok().json(verdict))
}

/// Says whether a service holds a scope: itself, or any other with `internal:admin`.
#[utoipa::path(
    post,
    path = "/v1/internal/services/check-permission",
    request_body = ServiceScope,
    responses(
        (status = 200, description = "Whether it does", body = HasPermission),
        (status = 401, description = "`Unauthorized`", body = ErrorBody),
        (status = 403, description = "`Forbidden`: it asks about another service", body = ErrorBody),
        (status = 404, description = "`Client not found`", body = ErrorBody),
    ),
    security(("service_token" = [])),
)]
pub(super) async fn check_permission(call: Call) -> Answer {
    let service = service(&call, None).await?;
    let wish = ServiceScope::read(&mut call.json().await?)?;
    let has_permission = holds(&service, &wish).await?;
    Ok(HttpResponse::Ok().json(HasPermission { has_permission }))
}

async fn holds(service: &Service<'_>, wish: &ServiceScope) -> Result<bool, Error> {
    if service.client.client.id.as_str() == wish.client_id {
        return Ok(service.client.client.permissions.contains(&wish.scope_name));
    }
    service.require(code::INTERNAL_ADMIN)?;
    let other = services::find(&service.ctx, &client_id(&wish.client_id)?).await?;
    Ok(other.enabled && other.permissions.contains(&wish.scope_name))
}

/// What can't be an id is nobody's.
pub(super) fn client_id(text: &str) -> Result<ClientId, Error> {
    text.parse().map_err(|_| DomainError::NotFound(Noun::Client).into())
}

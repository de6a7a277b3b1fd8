//! `/api/internal/users`.

use actix_web::HttpResponse;

use super::caller::{reach, service, user_id, within};
use super::error::Answer;
use super::wire::{CreateUser, CreatedUser, ListedUser, OtherError, PLAIN_ROLE, ShownUser, UserPage};
use crate::domain::users::{self, NewPassword, NewUser, UserFilter};
use crate::http::call::Call;
use crate::http::faces::idaas::error::ErrorBody;
use crate::http::fields::Body as _;
use crate::model::permission::code;

/// Users, by page.
#[utoipa::path(
    get,
    path = "/api/internal/users",
    params(
        ("page" = Option<u64>, Query, description = "From 1"),
        ("per_page" = Option<u64>, Query, description = "20 unless said otherwise, 100 at most"),
        ("search" = Option<String>, Query, description = "Part of the address, username or name"),
        ("role" = Option<String>, Query, description = "Who holds the role of this code"),
        ("is_active" = Option<bool>, Query, description = "Who may sign in, or may not"),
        ("tenant_id" = Option<String>, Query, description = "`tnt_…`: of this tenant alone"),
    ),
    responses(
        (status = 200, description = "A page", body = UserPage),
        (status = 400, description = "A bad parameter", body = ErrorBody),
        (status = 401, description = "No token that counts", body = OtherError),
        (status = 403, description = "`Forbidden`", body = ErrorBody),
        (status = 404, description = "`tenant not found`", body = ErrorBody),
    ),
    security(("service_token" = ["user:read"])),
)]
pub(super) async fn list(call: Call) -> Answer {
    let service = service(&call, Some(code::USER_READ)).await?;
    let query = call.query();
    let page = query.page(20, 100)?;
    let filter = UserFilter {
        search: query.text("search")?.map(str::to_owned),
        role: query.text("role")?.map(str::to_owned),
        is_active: query.flag("is_active")?,
        organization: None,
        now: service.ctx.now(),
    };
    let tenant = reach(&service, query.text("tenant_id")?).await?;
    let found = users::page(call.core(), tenant, &filter, page).await?;
    let ids: Vec<_> = found.rows.iter().map(|user| user.id).collect();
    let roles = users::highest_roles(call.core(), &ids).await?;
    let shown = |user: crate::model::user::User| {
        let role = roles.get(&user.id).copied().unwrap_or(PLAIN_ROLE);
        ListedUser::new(user, role)
    };
    let users = found.rows.into_iter().map(shown).collect();
    Ok(HttpResponse::Ok().json(UserPage { users, total: found.total, page: page.page, per_page: page.per_page }))
}

/// One user.
#[utoipa::path(
    get,
    path = "/api/internal/users/{id}",
    params(("id" = String, Path, description = "`usr_…` or a bare UUID")),
    responses(
        (status = 200, description = "The user", body = ShownUser),
        (status = 401, description = "No token that counts", body = OtherError),
        (status = 403, description = "`Forbidden`", body = ErrorBody),
        (status = 404, description = "`user not found`", body = ErrorBody),
    ),
    security(("service_token" = ["user:read"])),
)]
pub(super) async fn show(call: Call) -> Answer {
    let service = service(&call, Some(code::USER_READ)).await?;
    let id = user_id(call.path_part("id"))?;
    let user = match reach(&service, None).await? {
        None => users::find_anywhere(call.core(), id).await?,
        Some(_) => users::find(&service.ctx, id).await?,
    };
    let roles = users::highest_roles(call.core(), &[id]).await?;
    let role = roles.get(&id).copied().unwrap_or(PLAIN_ROLE);
    Ok(HttpResponse::Ok().json(ShownUser::new(user, role)))
}

/// Makes a user.
#[utoipa::path(
    post,
    path = "/api/internal/users",
    request_body = CreateUser,
    responses(
        (status = 201, description = "Made", body = CreatedUser),
        (status = 400, description = "What is wrong with the input", body = ErrorBody),
        (status = 401, description = "No token that counts", body = OtherError),
        (status = 403, description = "`Forbidden`", body = ErrorBody),
        (status = 404, description = "`tenant not found`", body = ErrorBody),
        (status = 409, description = "`email already registered`", body = ErrorBody),
    ),
    security(("service_token" = ["user:write"])),
)]
pub(super) async fn create(call: Call) -> Answer {
    let service = service(&call, Some(code::USER_WRITE)).await?;
    let wish = CreateUser::read(&mut call.json().await?)?;
    let ctx = within(&service, wish.tenant_id.as_deref()).await?;
    let least = ctx.tenant.password_min_length(call.core());
    let new = NewUser {
        email: Some(&wish.email),
        email_verified: false,
        username: None,
        name: wish.name.as_deref(),
        password: wish.password.as_deref().map_or(NewPassword::None, |password| NewPassword::Plain(password, least)),
        profile: wish.profile,
        roles: &[],
    };
    Ok(HttpResponse::Created().json(CreatedUser::from(users::create(&ctx, new).await?)))
}

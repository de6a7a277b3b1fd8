//! `/api/internal/users`.

use actix_web::HttpResponse;

use super::caller::{serve, user_id};
use super::wire::{CreateUser, CreatedUser, EitherError, ListedUser, ShownUser, UserPage};
use crate::domain::memberships;
use crate::domain::users::{self, NewPassword, NewUser, PLAIN_ROLE, UserFilter};
use crate::http::call::Call;
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
        ("role" = Option<String>, Query, description = "Who is shown as this; or holds the role of this code"),
        ("is_active" = Option<bool>, Query, description = "Who may sign in, or may not"),
        ("tenant_id" = Option<String>, Query, description = "`tnt_…`: of this tenant alone"),
    ),
    responses(
        (status = 200, description = "A page", body = UserPage),
        (status = 400, description = "A bad parameter", body = EitherError),
        (status = 401, description = "No token that counts", body = EitherError),
        (status = 403, description = "`Forbidden`", body = EitherError),
        (status = 404, description = "`tenant not found`", body = EitherError),
        (status = 422, description = "The same, for an administrator", body = EitherError),
        (status = 429, description = "Too many wrong tokens from this address", body = EitherError),
        (status = 503, description = "Try again after Retry-After seconds", body = EitherError),
    ),
    security(("service_token" = ["user:read"]), ("user_token" = [])),
)]
pub(super) async fn list(call: Call) -> HttpResponse {
    serve(&call, code::USER_READ, async |caller| {
        let query = call.query();
        let page = query.page(20, 100)?;
        let (role, none_of) = query.text("role")?.map_or((None, &[] as &[_]), users::shown_as);
        let filter = UserFilter {
            search: query.text("search")?.map(str::to_owned),
            role,
            none_of,
            is_active: query.flag("is_active")?,
            organization: None,
            now: caller.ctx.now(),
        };
        let tenant = caller.reach(query.text("tenant_id")?).await?;
        let found = users::page(call.core(), tenant, &filter, page).await?;
        let ids: Vec<_> = found.rows.iter().map(|user| user.id).collect();
        let roles = users::highest_roles(call.core(), &ids).await?;
        let shown = |user: crate::model::user::User| {
            let role = roles.get(&user.id).copied().unwrap_or(PLAIN_ROLE);
            ListedUser::new(caller.shown(user.id), user, role)
        };
        let users = found.rows.into_iter().map(shown).collect();
        Ok(HttpResponse::Ok().json(UserPage { users, total: found.total, page: page.page, per_page: page.per_page }))
    })
    .await
}

/// One user.
#[utoipa::path(
    get,
    path = "/api/internal/users/{id}",
    params(("id" = String, Path, description = "`usr_…` or a bare UUID")),
    responses(
        (status = 200, description = "The user", body = ShownUser),
        (status = 401, description = "No token that counts", body = EitherError),
        (status = 403, description = "`Forbidden`", body = EitherError),
        (status = 404, description = "`user not found`", body = EitherError),
        (status = 429, description = "Too many wrong tokens from this address", body = EitherError),
        (status = 503, description = "Try again after Retry-After seconds", body = EitherError),
    ),
    security(("service_token" = ["user:read"]), ("user_token" = [])),
)]
pub(super) async fn show(call: Call) -> HttpResponse {
    serve(&call, code::USER_READ, async |caller| {
        let id = user_id(call.path_part("id"))?;
        let user = match caller.reach(None).await? {
            None => users::find_anywhere(call.core(), id).await?,
            Some(_) => users::find(&caller.ctx, id).await?,
        };
        let role = users::highest_role(call.core(), &user).await?;
        let workspaces = memberships::of_user(call.core(), user.tenant, user.id).await?;
        Ok(HttpResponse::Ok().json(ShownUser::new(caller.shown(user.id), user, role, workspaces)))
    })
    .await
}

/// Makes a user.
#[utoipa::path(
    post,
    path = "/api/internal/users",
    request_body = CreateUser,
    responses(
        (status = 201, description = "Made", body = CreatedUser),
        (status = 400, description = "What is wrong with the input", body = EitherError),
        (status = 401, description = "No token that counts", body = EitherError),
        (status = 403, description = "`Forbidden`", body = EitherError),
        (status = 404, description = "`tenant not found`", body = EitherError),
        (status = 409, description = "`email already registered`", body = EitherError),
        (status = 413, description = "Too large", body = EitherError),
        (status = 415, description = "Not JSON", body = EitherError),
        (status = 422, description = "The same, for an administrator", body = EitherError),
        (status = 429, description = "Too many wrong tokens from this address", body = EitherError),
        (status = 503, description = "Try again after Retry-After seconds", body = EitherError),
    ),
    security(("service_token" = ["user:write"]), ("user_token" = [])),
)]
pub(super) async fn create(call: Call) -> HttpResponse {
    serve(&call, code::USER_WRITE, async |caller| {
        let wish = CreateUser::read(&mut call.json().await?)?;
        let ctx = caller.within(wish.tenant_id.as_deref()).await?;
        let least = ctx.tenant.password_min_length(call.core());
        let password = wish.password.as_deref();
        let new = NewUser {
            email: Some(&wish.email),
            email_verified: false,
            username: None,
            name: wish.name.as_deref(),
            password: password.map_or(NewPassword::None, |password| NewPassword::Plain(password, least)),
            profile: wish.profile,
            roles: &[],
        };
        let made = users::create(&ctx, new).await?;
        Ok(HttpResponse::Created().json(CreatedUser::new(caller.shown(made.id), made)))
    })
    .await
}

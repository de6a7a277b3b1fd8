//! The answer of a plain OAuth 2 provider: a token, and with it who somebody is.

use openidconnect::OAuth2TokenResponse as _;

use super::{Answer, Endpoints, Refused, claims, client, code};
use crate::domain::Ctx;
use crate::domain::identities::Claimed;
use crate::domain::upstream_logins::Returned;
use crate::model::connection::{Connection, OAuth2Provider};

/// How the provider is reached.
pub(super) fn endpoints(plain: &OAuth2Provider) -> Endpoints {
    Endpoints {
        authorization: plain.authorization_endpoint.clone(),
        token: plain.token_endpoint.clone(),
        client_id: plain.client_id.clone(),
        scope: plain.scopes.join(" "),
        // RFC 6749 §2.3.1 has everybody take HTTP Basic; those who speak no more than this often do not.
        secret_in_body: true,
        pkce: plain.pkce,
        openid: false,
    }
}

/// What the provider says of who came back.
///
/// # Errors
/// See [`Refused`].
pub(super) async fn claimed(
    ctx: &Ctx<'_>,
    connection: &Connection,
    plain: &OAuth2Provider,
    answer: Answer<'_>,
    returned: &Returned,
) -> Result<Claimed, Refused> {
    let code = code(answer)?;
    let tokens = client::redeem(ctx, connection, &endpoints(plain), code, returned).await?;
    let said = client::userinfo(ctx.core, &plain.userinfo_endpoint, tokens.access_token().secret()).await?;
    claims::claimed(&connection.settings.mapping, &said)
        .ok_or_else(|| Refused::Untrusted("its answer does not say who it is".to_owned()))
}

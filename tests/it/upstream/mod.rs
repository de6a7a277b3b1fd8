//! Sign-in by providers elsewhere, against a hand-made one that says whatever a test wants it to.

mod accounts;
mod availability;
mod management;
mod plain_oauth2;
mod provider;
mod refused;
mod sign_in;
mod trial;
mod ways_in;

use gatehouse::domain::identities::{self, Claimed};
use gatehouse::domain::upstream_logins::{self, Errand};
use gatehouse::model::connection::ConnectionSettings;

use crate::support::TestApp;

/// Leaves a row wherever a sign-in by a provider elsewhere does.
pub async fn leave_rows(app: &TestApp) {
    let (provider, ctx) = (provider::Provider::start().await, app.ctx().await);
    let connection = provider.connection_of(app, ConnectionSettings::default(), None, &["elsewhere.example"]).await;
    upstream_logins::begin(&ctx, &connection, [7; 32], Errand::default(), false).await.unwrap();
    let user = app.user("of-elsewhere@example.org", provider::PASSWORD).await;
    let claimed = |subject: &str| Claimed { subject: subject.to_owned(), ..Claimed::default() };
    identities::link(&ctx, user.id, &connection, &claimed("1")).await.unwrap();
    identities::offer(&ctx, &connection, &claimed("2"), [7; 32]).await.unwrap();
}

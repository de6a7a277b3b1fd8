//! How long tokens, codes, links and keys live.

use std::time::Duration;

use super::section::section;

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(86_400);
const YEAR: Duration = Duration::from_secs(365 * 86_400);

section! {
    /// How long tokens, codes, links and keys live. A client's and then a tenant's own setting go
    /// before these.
    TokenConfig, "Lifetimes of tokens, codes, links and keys";

    /// Access tokens of people.
    access: Duration = "tokens.access", HOUR, from SECOND, to DAY;
    /// Access tokens of services (client credentials).
    service: Duration = "tokens.service", 5 * MINUTE, from SECOND, to DAY;
    /// What POST /v1/auth/login hands out.
    tenant_login: Duration = "tokens.tenant_login", DAY, from SECOND, to 30 * DAY;
    /// The longest token a service gets for a user (POST /api/internal/auth/token).
    on_behalf: Duration = "tokens.on_behalf", HOUR, from SECOND, to HOUR;
    /// ID tokens.
    id: Duration = "tokens.id", HOUR, from SECOND, to DAY;
    /// Authorization codes.
    code: Duration = "tokens.code", MINUTE, from SECOND, to 10 * MINUTE;
    /// After how long unused a refresh token ends.
    refresh_idle: Duration = "tokens.refresh_idle", 14 * DAY, from MINUTE, to YEAR;
    /// How long refreshing can go on after one sign-in.
    refresh_absolute: Duration = "tokens.refresh_absolute", 90 * DAY, from MINUTE, to 5 * YEAR;
    /// How long after a refresh at /oauth/token the same client gets the same successor again, so that a
    /// lost answer or a second browser tab signs nobody out. After it, a replay ends the family.
    refresh_grace: Duration = "tokens.refresh_grace", 10 * SECOND, from Duration::ZERO, to MINUTE;
    /// Device and user codes.
    device_code: Duration = "tokens.device_code", 10 * MINUTE, from 30 * SECOND, to HOUR;
    /// How long a device must wait between two questions.
    device_interval: Duration = "tokens.device_interval", 5 * SECOND, from SECOND, to MINUTE;
    /// Pushed authorization requests.
    pushed_request: Duration = "tokens.pushed_request", MINUTE, from 5 * SECOND, to 10 * MINUTE;
    /// The link that proves an e-mail address.
    verify_email_link: Duration = "tokens.verify_email_link", DAY, from MINUTE, to 30 * DAY;
    /// The link that sets a new password.
    reset_password_link: Duration = "tokens.reset_password_link", HOUR, from MINUTE, to DAY;
    /// The link of an invitation.
    invitation_link: Duration = "tokens.invitation_link", 7 * DAY, from MINUTE, to 90 * DAY;
    /// How far the clock of a client may be off.
    clock_leeway: Duration = "tokens.clock_leeway", 30 * SECOND, from Duration::ZERO, to 59 * SECOND;
    /// At what age a signing key is replaced.
    key_age: Duration = "keys.rotate_after", 90 * DAY, from HOUR, to 5 * YEAR;
    /// How long the next key is published before it signs; at least keys.cache_life.
    key_lead: Duration = "keys.publish_before", DAY, from SECOND, to 30 * DAY;
    /// For how long clients may keep the published keys (Cache-Control: max-age).
    key_cache: Duration = "keys.cache_life", 5 * MINUTE, from SECOND, to DAY;
}

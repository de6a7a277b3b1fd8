//! How often one address may try.

use super::rate::Rate;
use super::section::section;

section! {
    /// How often one address may try; beyond it the answer is 429 with Retry-After. Counted in
    /// memory by each copy. Generous, since whole offices and fleets of machines share an address:
    /// what protects an account is the lockout.
    LimitConfig, "Limits by address";

    /// New tenants and services by callers without a token.
    registration: Rate = "limits.registration", Rate::per_minute(600, 200);
    /// New accounts of people, on every surface.
    sign_up: Rate = "limits.sign_up", Rate::per_minute(1200, 400);
    /// Sign-ins with a password, right or wrong.
    login: Rate = "limits.login", Rate::per_minute(3000, 1000);
    /// Failed client authentication and failed grants at the token endpoint. What succeeds is
    /// never limited.
    token_failures: Rate = "limits.token_failures", Rate::per_minute(600, 200);
    /// Wrong API keys and bearer tokens on the REST surfaces.
    key_failures: Rate = "limits.key_failures", Rate::per_minute(600, 200);
    /// One-time codes: second factor, recovery codes, the code that a device shows.
    codes: Rate = "limits.codes", Rate::per_minute(300, 100);
    /// Requests for a link by mail: a forgotten password, an address to prove again. A new
    /// account's first mail counts as its sign-up only.
    mail: Rate = "limits.mail", Rate::per_minute(600, 200);
    /// Sign-ins that are begun without a session, devices that ask to be connected, passkeys that are
    /// asked for, what public clients push and SAML providers send by browsers: each keeps a row for a
    /// while.
    begun: Rate = "limits.begun", Rate::per_minute(3000, 1000);
    /// Mails to one person, whoever asks for them.
    mail_per_person: Rate = "limits.mail_per_person", Rate::per_hour(10, 5);
    /// How many leading bits of an IPv6 address count as one address.
    ipv6_prefix: u8 = "limits.ipv6_prefix", 64, from 32, to 128;
    /// How many addresses are remembered at once for each limit.
    table_size: u32 = "limits.table_size", 100_000, from 1_000, to 10_000_000;
}

//! What a password must be, what hashing it costs, and how many may be hashed at once.

use std::time::Duration;

use super::section::section;

section! {
    /// What a password must be, what hashing it costs, and how many may be hashed at once.
    PasswordConfig, "Passwords";

    /// Fewest characters, for everybody but the users of /v1/auth/register.
    min_length: u16 = "passwords.min_length", 8, from 6, to 64;
    /// Fewest characters for the users of /v1/auth/register, unless the tenant says otherwise.
    tenant_min_length: u16 = "passwords.tenant_min_length", 6, from 6, to 64;
    /// Most characters; longer ones are refused before anything is hashed.
    max_length: u16 = "passwords.max_length", 256, from 64, to 1024;
    /// How hard a password that people choose on the pages must be to guess, from 0 to 4: 2 is a
    /// million guesses at least. Well-known passwords are refused whatever this says.
    min_score: u8 = "passwords.min_score", 2, from 0, to 4;
    /// Memory of one Argon2id hash in KiB.
    argon2_memory: u32 = "passwords.argon2_memory", 19_456, from 7_168, to 1_048_576;
    /// Passes of one Argon2id hash over its memory.
    argon2_iterations: u32 = "passwords.argon2_iterations", 2, from 1, to 64;
    /// When set: at start, passes are added until a hash takes about this long on this machine.
    /// 0 means to use the fixed number above.
    argon2_target: Duration = "passwords.argon2_target", Duration::ZERO,
        from Duration::ZERO, to Duration::from_secs(5);
    /// How many may be hashed at once; 0 means one fewer than there are cores, at least one.
    /// The memory this takes is this number times passwords.argon2_memory.
    concurrency: u16 = "passwords.concurrency", 0, from 0, to 1024;
    /// How many may wait for their turn; 0 means as many as get it within passwords.queue_timeout
    /// on this machine. Beyond it the answer is 503 with Retry-After.
    queue: u32 = "passwords.queue", 0, from 0, to 100_000;
    /// How long one may wait for its turn; after it the answer is 503 with Retry-After.
    queue_timeout: Duration = "passwords.queue_timeout", Duration::from_secs(2),
        from Duration::from_millis(100), to Duration::from_secs(60);
}

impl PasswordConfig {
    /// How many may be hashed at once.
    #[must_use]
    pub fn permits(&self) -> usize {
        match self.concurrency {
            0 => super::cores().saturating_sub(1).max(1),
            permits => usize::from(permits),
        }
    }

    /// How many may wait for their turn; nothing means as many as get it in time.
    #[must_use]
    pub fn queue_length(&self) -> Option<usize> {
        usize::try_from(self.queue).ok().filter(|length| *length > 0)
    }
}

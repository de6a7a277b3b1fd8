//! When an account stops taking passwords.

use std::time::Duration;

use super::section::section;

section! {
    /// When an account stops taking passwords. Counted in the database, so it holds across all
    /// copies and all ways to sign in.
    LockoutConfig, "Lockout";

    /// After how many wrong passwords an account is locked; 0 means never.
    failures: u16 = "lockout.failures", 10, from 0, to 1000;
    /// Within which time they count together; a right password starts anew.
    window: Duration = "lockout.window", Duration::from_secs(900),
        from Duration::from_secs(1), to Duration::from_secs(86_400);
    /// For how long it stays locked.
    duration: Duration = "lockout.duration", Duration::from_secs(900),
        from Duration::from_secs(1), to Duration::from_secs(7 * 86_400);
}

//! What a policy says of passwords.

use crate::setting::Number;

/// What checking passwords and signing tokens may cost a worker, and what guessing costs a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(
        rename = "Passwords",
        deny_unknown_fields,
        default,
        extend("examples" = [{"worker_share_percent": 10, "max_failures": 5}]),
    )
)]
pub struct PasswordSettings {
    /// The share of a worker's time that may go into password hashes and signatures, in percent. Beyond
    /// it logins are answered 503 with `Retry-After`; the addresses that have cost most lately are refused first.
    #[cfg_attr(
        feature = "schema",
        schemars(range(min = Self::WORKER_SHARE_PERCENT.least, max = Self::WORKER_SHARE_PERCENT.most))
    )]
    pub worker_share_percent: u32,
    /// How long a verified Basic credential is remembered, in seconds; 0: not at all.
    #[cfg_attr(
        feature = "schema",
        schemars(range(min = Self::REMEMBER_SECONDS.least, max = Self::REMEMBER_SECONDS.most))
    )]
    pub remember_seconds: i64,
    /// Failures of a username, or of a client of the token endpoint, from one address before the next
    /// try is answered 429. The bound for one address and all usernames is ten times as high. An IPv6 site (/48) has
    /// ten times each of these, but not for addresses from which the username has logged in before. Clients of a
    /// Unix socket have no address: then the failures of a username are counted.
    #[cfg_attr(
        feature = "schema",
        schemars(range(min = Self::MAX_FAILURES.least, max = Self::MAX_FAILURES.most))
    )]
    pub max_failures: u32,
    /// How long failures count, in seconds from the first.
    #[cfg_attr(
        feature = "schema",
        schemars(range(min = Self::WINDOW_SECONDS.least, max = Self::WINDOW_SECONDS.most))
    )]
    pub window_seconds: i64,
}

impl PasswordSettings {
    /// `worker_share_percent`.
    pub const WORKER_SHARE_PERCENT: Number<u32> = Number { least: 1, most: 100, default: 25 };
    /// `remember_seconds`.
    pub const REMEMBER_SECONDS: Number<i64> = Number { least: 0, most: 86_400, default: 300 };
    /// `max_failures`.
    pub const MAX_FAILURES: Number<u32> = Number { least: 1, most: 1_000_000, default: 10 };
    /// `window_seconds`.
    pub const WINDOW_SECONDS: Number<i64> = Number { least: 1, most: 86_400, default: 60 };
}

impl Default for PasswordSettings {
    fn default() -> Self {
        Self {
            worker_share_percent: Self::WORKER_SHARE_PERCENT.default,
            remember_seconds: Self::REMEMBER_SECONDS.default,
            max_failures: Self::MAX_FAILURES.default,
            window_seconds: Self::WINDOW_SECONDS.default,
        }
    }
}

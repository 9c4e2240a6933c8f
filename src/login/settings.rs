//! What a policy says of passwords.

/// What checking passwords may cost a worker, and a guesser.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PasswordSettings {
    /// The share of a worker's time for password hashes and for signing tokens, in percent.
    pub worker_share_percent: u32,
    /// How long a verified Basic credential is remembered, in seconds; 0: not at all.
    pub remember_seconds: i64,
    /// Failures of a username from one client address before the next try has to wait.
    pub max_failures: u32,
    /// How long failures count, in seconds from the first.
    pub window_seconds: i64,
}

impl Default for PasswordSettings {
    fn default() -> Self {
        Self { worker_share_percent: 25, remember_seconds: 300, max_failures: 10, window_seconds: 60 }
    }
}

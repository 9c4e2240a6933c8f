//! Why a request is refused. Every refusal has a [`Reason`], and the one table in `reason/table.rs` describes it:
//! its word, its status and detail, the error code of OAuth 2.0, what it means and what to do.
//!
//! To add a reason, add a row. The stats, docs/reasons.md and `lychgate explain` follow from it. A word is for
//! logs, stats and response-code details; the client gets the status and the detail. Where one word has several
//! answers, each of them is a variant.

use std::fmt;

/// Which stats a reason has: a refusal is counted without a scheme, or under the scheme of the credential that was
/// not enough.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CountedFor {
    /// Without a scheme, by every policy.
    Request,
    /// Without a scheme, by a policy with a token endpoint.
    TokenEndpoint,
    /// Each scheme of tokens.
    Token,
    /// Each `http` scheme of `basic`.
    Basic,
    /// Each scheme of API keys.
    ApiKey,
    /// Each scheme of client certificates.
    Certificate,
}

/// The error code that OAuth 2.0 has for a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OAuthError {
    /// In the challenge (RFC 6750 section 3.1).
    Challenge(&'static str),
    /// In the body, beside the detail (RFC 6749 section 5.2).
    Body(&'static str),
}

macro_rules! reasons {
    ($(
        $word:literal for [$($counted:ident)+]
            means $means:literal
            remedy $remedy:literal
            { $($variant:ident: $status:literal $detail:literal $(, $place:ident $error:literal)? $(if $when:literal)?;)+ }
    )+) => {
        /// Why a request is refused.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Reason {
            $($(
                #[doc = concat!($status, " `", $detail, "`. ", $means)]
                $(#[doc = concat!("\n\nThis one if ", $when, ".")])?
                $variant,
            )+)+
        }

        impl Reason {
            /// Every reason. Those that share a word are together.
            pub const ALL: &[Self] = &[$($(Self::$variant),+),+];

            /// Its word, in logs, stats and response-code details.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $($(Self::$variant)|+ => $word,)+ }
            }

            /// The HTTP status of the answer.
            #[must_use]
            pub const fn status(self) -> u16 {
                match self { $($(Self::$variant => $status,)+)+ }
            }

            /// What the client reads.
            #[must_use]
            pub const fn detail(self) -> &'static str {
                match self { $($(Self::$variant => $detail,)+)+ }
            }

            /// The error code of OAuth 2.0, where there is one.
            #[must_use]
            pub const fn oauth_error(self) -> Option<OAuthError> {
                match self { $($(Self::$variant => reasons!(@error $($place $error)?),)+)+ }
            }

            /// When the answer is this one and not another of the same word; `None` if the word has one answer.
            #[must_use]
            pub const fn when(self) -> Option<&'static str> {
                match self { $($(Self::$variant => reasons!(@option $($when)?),)+)+ }
            }

            /// What it means, in one sentence.
            #[must_use]
            pub const fn meaning(self) -> &'static str {
                match self { $($(Self::$variant)|+ => $means,)+ }
            }

            /// What to do about it.
            #[must_use]
            pub const fn remedy(self) -> &'static str {
                match self { $($(Self::$variant)|+ => $remedy,)+ }
            }

            /// Which stats count it.
            #[must_use]
            pub const fn counted_for(self) -> &'static [CountedFor] {
                match self { $($(Self::$variant)|+ => &[$(CountedFor::$counted),+],)+ }
            }
        }
    };
    (@error) => { None };
    (@error $place:ident $error:literal) => { Some(OAuthError::$place($error)) };
    (@option) => { None };
    (@option $text:literal) => { Some($text) };
}

mod table;

pub use table::Reason;

impl Reason {
    /// The reasons with this word: one for each answer it has; none if there is no such word.
    pub fn of_word(word: &str) -> impl Iterator<Item = Self> {
        Self::ALL.iter().copied().filter(move |reason| reason.as_str() == word)
    }

    /// What it means and what to do.
    #[must_use]
    pub fn help(self) -> String {
        format!("{} {}", self.meaning(), self.remedy())
    }

    /// The status that a gRPC client gets: that of gRPC's HTTP mapping, with 400 and 414 as INVALID_ARGUMENT,
    /// for there the request is at fault.
    #[must_use]
    pub const fn grpc_status(self) -> i32 {
        match self.status() {
            400 | 414 => 3,  // INVALID_ARGUMENT
            401 => 16,       // UNAUTHENTICATED
            403 => 7,        // PERMISSION_DENIED
            429 | 503 => 14, // UNAVAILABLE
            _ => 13,         // INTERNAL
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
#[path = "reason_tests.rs"]
mod tests;

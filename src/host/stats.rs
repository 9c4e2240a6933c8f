//! What is counted, in the words that the core and its host share: what happened, which stats there are, and
//! how they change.

use crate::keys::Algorithm;

/// Something that happened and is counted, besides what became of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event<'a> {
    /// The cache of verified tokens was asked.
    TokenCache {
        /// Whether the token was in it.
        hit: bool,
    },
    /// A signature was checked.
    Signature {
        /// Its algorithm.
        algorithm: Algorithm,
        /// By the host, and not in the module.
        native: bool,
    },
    /// A password was to be checked.
    Password(PasswordCheck),
    /// A source was fetched, or could not be.
    Fetch {
        /// The name of the source.
        source: &'a str,
        /// Whether it was.
        succeeded: bool,
    },
}

/// What became of a password check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PasswordCheck {
    /// The password was hashed.
    Hashed,
    /// It was known from not long ago, so that it was not hashed.
    Remembered,
    /// It was not: too many failures.
    Throttled,
    /// It was not: the worker has hashed enough.
    Busy,
}

/// What is to be done to a stat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StatUpdate {
    /// It changes by so much.
    Add(i64),
    /// It has this value.
    Set(u64),
}

/// A stat, by its number.
pub type StatId = usize;

/// What a stat is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StatKind {
    /// It only grows.
    Counter,
    /// It has a value.
    Gauge,
}

/// A stat as it is defined.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatDefinition {
    /// What it is.
    pub kind: StatKind,
    /// Its name, labels in it.
    pub name: String,
    /// Its name without them, for a host that has labels.
    pub family: &'static str,
    /// Its labels.
    pub labels: Vec<(&'static str, String)>,
}

/// The longest value of a label, in characters.
const LONGEST: usize = 64;

/// A text as the value of a label: short, and without a sign that separates something in Envoy's names,
/// in StatsD's lines or in a line of a log.
#[must_use]
pub fn label_value(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_-./{}[]*,+~ ".contains(c);
    let plain: String = text.chars().take(LONGEST).map(|c| if is_plain(c) { c } else { '_' }).collect();
    // Envoy drops a dot at the end of a name.
    let plain = plain.replace("..", "__");
    let plain = plain.trim_matches(|c: char| c == '.' || c == ' ');
    if plain.is_empty() { "_".to_owned() } else { plain.to_owned() }
}

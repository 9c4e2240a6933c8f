//! Path templates, by their segments.

/// `max_path_bytes`: the longest path that is read, in bytes as it was sent, its query not counted.
pub const MAX_PATH_BYTES: usize = 2048;

/// The most that it can be set to. RFC 9110 section 4.1 asks for 8000 at least, query included.
pub const LONGEST_PATH_BYTES: usize = 8192;

/// A segment of a path template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Segment {
    /// This text.
    Literal(String),
    /// Any one segment that is not empty.
    Any,
    /// Text with parameters in it.
    Parts(Parts),
}

/// A segment of which parts are parameters: `{name}.json`, `v{major}-{minor}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parts {
    /// What it begins with.
    pub prefix: String,
    /// After the prefix, in turn: at least so many characters, then this text.
    pub middles: Vec<(usize, String)>,
    /// Then at least so many characters.
    pub least: usize,
    /// What it ends with.
    pub suffix: String,
}

impl Segment {
    /// Reads a segment of a template; nothing if its braces do not fit.
    pub fn parse(text: &str) -> Option<Self> {
        if !text.contains(['{', '}']) {
            return Some(Self::Literal(text.to_owned()));
        }
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some((literal, after)) = rest.split_once('{') {
            let (name, after) = after.split_once('}')?;
            if name.is_empty() || name.contains('{') || literal.contains('}') {
                return None;
            }
            pieces.push(literal);
            rest = after;
        }
        if rest.contains('}') {
            return None;
        }
        let mut pieces = pieces.into_iter();
        let mut parts = Parts {
            prefix: pieces.next()?.to_owned(),
            middles: Vec::new(),
            least: 1,
            suffix: rest.to_owned(),
        };
        for literal in pieces {
            if !literal.is_empty() {
                parts.middles.push((parts.least, literal.to_owned()));
                parts.least = 0;
            }
            parts.least = parts.least.saturating_add(1);
        }
        Some(if parts.is_whole() { Self::Any } else { Self::Parts(parts) })
    }

    /// Whether every segment of a path that `other` matches is one that this matches; not always seen between two
    /// that are parts.
    pub fn covers(&self, other: &Self) -> bool {
        match (self, other) {
            (own, other) if own == other => true,
            (own, Self::Literal(literal)) => own.matches(literal),
            // Parts have a parameter, which stands for something.
            (Self::Any, Self::Parts(_)) => true,
            (Self::Literal(_) | Self::Any | Self::Parts(_), Self::Any | Self::Parts(_)) => false,
        }
    }

    /// Whether it matches a segment of a path.
    pub fn matches(&self, segment: &str) -> bool {
        match self {
            Self::Literal(literal) => literal == segment,
            Self::Any => !segment.is_empty(),
            Self::Parts(parts) => parts.matches(segment),
        }
    }
}

impl Parts {
    /// Whether it is one parameter and nothing else.
    fn is_whole(&self) -> bool {
        self.prefix.is_empty() && self.middles.is_empty() && self.least == 1 && self.suffix.is_empty()
    }

    /// Whether it matches a segment of a path. What stands between parameters is taken where it is first
    /// found: whatever could match behind a later place can behind this one.
    pub fn matches(&self, segment: &str) -> bool {
        let inner =
            segment.strip_prefix(self.prefix.as_str()).and_then(|s| s.strip_suffix(self.suffix.as_str()));
        let Some(mut rest) = inner else { return false };
        for (least, literal) in &self.middles {
            let Some((_, behind)) = skip(rest, *least).and_then(|rest| rest.split_once(literal.as_str()))
            else {
                return false;
            };
            rest = behind;
        }
        skip(rest, self.least).is_some()
    }
}

/// The text after so many characters; `None` if it is shorter.
pub fn skip(text: &str, characters: usize) -> Option<&str> {
    let mut chars = text.chars();
    for _ in 0..characters {
        chars.next()?;
    }
    Some(chars.as_str())
}

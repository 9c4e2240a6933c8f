//! Path templates, by their segments.

/// `max_path_bytes`: the longest path that is read, in bytes as it was sent, its query not counted.
pub const MAX_PATH_BYTES: usize = 2048;

/// The most that it can be set to. RFC 9110 section 4.1 asks for 8000 at least, query included.
pub const LONGEST_PATH_BYTES: usize = 8192;

/// What ends a parameter that stands for several segments: `{name:path}`, as in Starlette.
pub const SPANNING: &str = ":path}";

/// The regular expression of a template with a parameter that stands for several segments and is not the whole of the
/// last one: `/files/{name:path}/meta`. Any other template is matched by its segments.
pub fn spanning_expression(template: &str) -> Option<String> {
    let before = template.strip_suffix(SPANNING).unwrap_or(template);
    // The name of the last parameter, with its brace.
    let is_whole = before.rsplit_once("/{").is_some_and(|(_, name)| !name.contains(['{', '}', '/']));
    let is_last = before.len() < template.len() && is_whole;
    if !(if is_last { before } else { template }).contains(SPANNING) {
        return None;
    }
    let mut expression = String::new();
    let mut rest = template;
    while let Some((literal, after)) = rest.split_once('{') {
        let (name, after) = after.split_once('}')?;
        escape(&mut expression, literal);
        expression.push_str(if name.ends_with(":path") { "[^/].*" } else { "[^/]+" });
        rest = after;
    }
    escape(&mut expression, rest);
    Some(expression)
}

/// Adds a text that stands for itself.
fn escape(expression: &mut String, literal: &str) {
    for c in literal.chars() {
        if r"\.+*?()|[]{}^$#&-~".contains(c) {
            expression.push('\\');
        }
        expression.push(c);
    }
}

/// Whether every path of the template `path` is one of the template `own`, as far as that is seen.
pub fn covers(own: &[Segment], path: &[Segment]) -> bool {
    let ends_alike = match own.last() {
        Some(Segment::Rest) => path.len() >= own.len(),
        Some(Segment::Literal(_) | Segment::Any | Segment::Parts(_)) | None => {
            path.len() == own.len() && path.last() != Some(&Segment::Rest)
        }
    };
    ends_alike && own.iter().zip(path).all(|(own, other)| own.covers(other))
}

/// A segment of a path template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Segment {
    /// This text.
    Literal(String),
    /// Any one segment that is not empty.
    Any,
    /// Text with parameters in it.
    Parts(Parts),
    /// One segment or more: the rest of the path, which is not empty. It is the last one of a template.
    Rest,
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
    /// Reads a segment of a template; `None` if its braces do not fit.
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
        Some(match parts.is_whole() {
            true if text.ends_with(SPANNING) => Self::Rest,
            true => Self::Any,
            false => Self::Parts(parts),
        })
    }

    /// Whether every segment of a path that `other` matches is one that this matches; not always seen between two
    /// that are parts.
    pub fn covers(&self, other: &Self) -> bool {
        match (self, other) {
            (own, other) if own == other => true,
            (own, Self::Literal(literal)) => own.matches(literal),
            // Parts have a parameter, which matches a non-empty text.
            (Self::Any | Self::Rest, Self::Parts(_)) | (Self::Rest, Self::Any) => true,
            (
                Self::Literal(_) | Self::Any | Self::Parts(_) | Self::Rest,
                Self::Any | Self::Parts(_) | Self::Rest,
            ) => false,
        }
    }

    /// Whether it matches a segment of a path.
    pub fn matches(&self, segment: &str) -> bool {
        match self {
            Self::Literal(literal) => literal == segment,
            Self::Any | Self::Rest => !segment.is_empty(),
            Self::Parts(parts) => parts.matches(segment),
        }
    }
}

impl Parts {
    /// Whether it is one parameter and nothing else.
    fn is_whole(&self) -> bool {
        self.prefix.is_empty() && self.middles.is_empty() && self.least == 1 && self.suffix.is_empty()
    }

    /// A text of this form, with `parameter` wherever a parameter takes a character.
    pub fn text(&self, parameter: &str) -> String {
        let mut text = self.prefix.clone();
        let last = (self.least, &self.suffix);
        for (least, literal) in self.middles.iter().map(|(least, literal)| (*least, literal)).chain([last]) {
            text.push_str(&parameter.repeat(least));
            text.push_str(literal);
        }
        text
    }

    /// Whether it matches a segment of a path. What is between parameters is taken where it is first
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

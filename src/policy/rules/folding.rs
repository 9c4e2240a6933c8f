//! Paths without the case of their letters and without a slash at their end.

use crate::config::Segment;
use crate::config::template::Parts;

/// A text with its ASCII letters in lower case; a path has no slash at its end then.
pub(super) fn fold(text: &str, is_path: bool) -> String {
    let text = if is_path { text.strip_suffix('/').unwrap_or(text) } else { text };
    text.to_ascii_lowercase()
}

/// A template that matches what the fold of a path is that `template` matches.
pub(super) fn folded(template: &[Segment]) -> impl Iterator<Item = Segment> {
    let literal = |text: &str| fold(text, false);
    let of = move |segment: &Segment| match segment {
        Segment::Literal(text) => Segment::Literal(literal(text)),
        Segment::Any => Segment::Any,
        Segment::Rest => Segment::Rest,
        Segment::Parts(Parts { prefix, middles, least, suffix }) => Segment::Parts(Parts {
            prefix: literal(prefix),
            middles: middles.iter().map(|(least, text)| (*least, literal(text))).collect(),
            least: *least,
            suffix: literal(suffix),
        }),
    };
    let trailing = Segment::Literal(String::new());
    let template = match template {
        [first @ .., last] if *last == trailing && !first.is_empty() => first,
        template => template,
    };
    template.iter().map(of)
}

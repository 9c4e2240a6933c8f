//! Path templates of a document.

use crate::config::node::Node;
use crate::config::{LONGEST_PATH_BYTES, PathConfig, Segment};

/// Where a path stands among others: segment by segment, what is written out comes before what is
/// templated, so that `/users/me` is asked before `/users/{id}`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rank(Vec<Openness>);

/// How much a segment leaves open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Openness {
    Literal,
    Partial,
    Whole,
}

/// Reads the template of a path.
pub fn read(node: Node<'_>, path: &str) -> Option<(Rank, PathConfig)> {
    let decoded = percent_encoding::percent_decode_str(path).decode_utf8();
    let Ok(decoded) = decoded else { return node.error(format_args!("{path:?} is not UTF-8")) };
    // Decoded, it would be a parameter; and a path that has a query is no path.
    if decoded.matches(['{', '}']).count() != path.matches(['{', '}']).count() {
        return node.error(format_args!(
            "{path:?}: `%7B` and `%7D` are no braces of a parameter; write `{{` and `}}`, or leave them out"
        ));
    }
    if path.contains('?') {
        return node.error(format_args!("{path:?} can never match: a path has no query"));
    }
    // The one reading that requests are held to. Braces are placeholders for text.
    if let Err(ambiguity) = crate::normal_path::NormalPath::new(path.as_bytes()) {
        return node.error(format_args!("{path:?} can never match: {}", ambiguity.0));
    }
    if path.len() > LONGEST_PATH_BYTES {
        return node.error(format_args!("it can never match: a path has at most {LONGEST_PATH_BYTES} bytes"));
    }
    let openness = |segment: &str| {
        Some(match Segment::parse(segment)? {
            Segment::Literal(_) => Openness::Literal,
            Segment::Parts(_) => Openness::Partial,
            Segment::Any => Openness::Whole,
        })
    };
    let Some(rank) = decoded.trim_start_matches('/').split('/').map(openness).collect() else {
        return node.error(format_args!("{path:?} is not a path template"));
    };
    Some((Rank(rank), PathConfig::Template(decoded.into_owned())))
}

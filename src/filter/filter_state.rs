//! Filter state: what an access log, or a filter after this one, may want to know of a request. Envoy puts
//! `wasm.` before each name that a Wasm module sets.

use std::borrow::Cow;

use crate::decision::{Allow, Attribution, DecidedBy, Denial};
use crate::host::Stream;
use crate::identity::Identity;
use crate::policy::Policy;
use crate::request::HeaderMutation;

const SUBJECT: &str = "lychgate.subject";
const SCHEME: &str = "lychgate.scheme";
const SCOPES: &str = "lychgate.scopes";
const RULE: &str = "lychgate.rule";
const REASON: &str = "lychgate.reason";

/// The longest value, in bytes: it ends up in a line of a log.
const LONGEST: usize = 256;

/// All of them; each holds text.
pub const NAMES: [&str; 5] = [SUBJECT, SCHEME, SCOPES, RULE, REASON];

/// Tells of a request that goes on.
pub fn set_for_allowed(stream: &dyn Stream, policy: &Policy, allow: &Allow) {
    if !policy.filter_state {
        return;
    }
    match (&allow.shadow_denial, &allow.identity) {
        (Some(denial), _) => set_for_denied(stream, policy, denial),
        (None, identity) => {
            set(stream, RULE, policy.rule_name(allow.attribution.rule).as_bytes());
            let identity = identity.as_deref();
            let names = policy.identity_headers();
            set_header(stream, SUBJECT, identity, &names.subject);
            set_header(stream, SCHEME, identity, &names.scheme);
            set_header(stream, SCOPES, identity, &names.scopes);
        }
    }
}

/// Tells of a request that is refused.
pub fn set_for_denied(stream: &dyn Stream, policy: &Policy, denial: &Denial) {
    if !policy.filter_state {
        return;
    }
    set(stream, RULE, policy.rule_name(denial.attribution.rule).as_bytes());
    set(stream, REASON, denial.reason.as_str().as_bytes());
    set_or_clear(stream, SCHEME, scheme_of(policy, denial.attribution).map(str::as_bytes));
    set_or_clear(stream, SUBJECT, denial.subject.as_deref().map(str::as_bytes));
    set_or_clear(stream, SCOPES, None);
}

fn scheme_of(policy: &Policy, attribution: Attribution) -> Option<&str> {
    match attribution.by {
        DecidedBy::Scheme(number) => policy.schemes().get(number).map(|scheme| scheme.name.as_str()),
        DecidedBy::Nothing | DecidedBy::Alternative(_) => None,
    }
}

/// The value that the upstream gets in this header is there already, as it should be written.
fn set_header(stream: &dyn Stream, name: &str, identity: Option<&Identity>, header: &str) {
    let value = identity.into_iter().flat_map(|identity| &identity.headers).find_map(|edit| match edit {
        HeaderMutation::Set(own, value) if **own == *header => Some(value),
        _ => None,
    });
    set_or_clear(stream, name, value.map(|value| &value[..]));
}

/// What another filter of this kind said before is not of this identity.
fn set_or_clear(stream: &dyn Stream, name: &str, value: Option<&[u8]>) {
    match value {
        Some(value) => set(stream, name, value),
        None if stream.has_filter_state(name) => set(stream, name, b""),
        None => {}
    }
}

fn set(stream: &dyn Stream, name: &str, value: &[u8]) {
    stream.set_filter_state(name, legible(value).as_bytes());
}

/// As much of a value as a log is given, without what a reader of the log is misled by: bytes that are no
/// UTF-8, and characters that move the cursor, begin a line or turn the direction of what follows.
fn legible(value: &[u8]) -> Cow<'_, str> {
    let is_plain = |byte: &u8| matches!(byte, b' '..=b'~');
    if value.len() <= LONGEST
        && value.iter().all(is_plain)
        && let Ok(text) = std::str::from_utf8(value)
    {
        return Cow::Borrowed(text);
    }
    let mut text = String::new();
    for chunk in value.utf8_chunks() {
        let broken = (!chunk.invalid().is_empty()).then_some(char::REPLACEMENT_CHARACTER);
        let shown = chunk.valid().chars().map(|c| if misleads(c) { char::REPLACEMENT_CHARACTER } else { c });
        for character in shown.chain(broken) {
            if text.len().saturating_add(character.len_utf8()) > LONGEST {
                return Cow::Owned(text);
            }
            text.push(character);
        }
    }
    Cow::Owned(text)
}

/// Controls (C0, DEL and C1), Unicode's line and paragraph separators, and the marks, embeddings, overrides
/// and isolates of its bidirectional algorithm (UAX #9).
fn misleads(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{061C}'
                | '\u{200E}'
                | '\u{200F}'
                | '\u{2028}'
                | '\u{2029}'
                | '\u{202A}'..='\u{202E}'
                | '\u{2066}'..='\u{2069}'
        )
}

#[cfg(test)]
#[path = "filter_state_tests.rs"]
mod tests;

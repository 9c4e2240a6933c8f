//! Filter state: what an access log, or a filter after this one, may want to know of a request. Envoy
//! puts `wasm.` before each name.

use prost::Message;

use super::abi;
use super::root::Shared;
use crate::decision::{Allow, By, Denial, HeaderEdit, Identity, Place};
use crate::policy::Policy;

const SUBJECT: &str = "lychgate.subject";
const SCHEME: &str = "lychgate.scheme";
const SCOPES: &str = "lychgate.scopes";
const RULE: &str = "lychgate.rule";
const REASON: &str = "lychgate.reason";

/// The longest value, in bytes: it ends up in a line of a log.
const LONGEST: usize = 256;

/// The function of Envoy that says what type a property has.
const DECLARE_PROPERTY: &str = "declare_property";

/// Envoy's `DeclarePropertyArguments` (source/extensions/common/wasm/ext/declare_property.proto), as far
/// as it matters here.
#[derive(Message)]
struct Declaration {
    #[prost(string, tag = "1")]
    name: String,
    /// `WasmType`.
    #[prost(int32, tag = "3")]
    kind: i32,
}

/// `WasmType::String`: without it a log writes how the value would be serialised.
const STRING: i32 = 1;

/// Has the properties be text. A host that has no such function, or was told so before, is no worse off.
pub fn declare() {
    for name in [SUBJECT, SCHEME, SCOPES, RULE, REASON] {
        let declaration = Declaration { name: name.to_owned(), kind: STRING };
        let _ = abi::call_foreign_function(DECLARE_PROPERTY, &declaration.encode_to_vec());
    }
}

/// Tells of a request that goes on.
pub fn tell_allowed(shared: &Shared, allow: &Allow) {
    let policy = shared.engine.policy();
    if !policy.filter_state {
        return;
    }
    match (&allow.spared, &allow.identity) {
        (Some(denial), _) => tell_denied(shared, denial),
        (None, identity) => {
            set(RULE, policy.rule_name(allow.place.rule).as_bytes());
            if let Some(identity) = identity {
                let names = policy.identity_headers();
                set_header(SUBJECT, identity, &names.subject);
                set_header(SCHEME, identity, &names.scheme);
                set_header(SCOPES, identity, &names.scopes);
            }
        }
    }
}

/// Tells of a request that is refused.
pub fn tell_denied(shared: &Shared, denial: &Denial) {
    let policy = shared.engine.policy();
    if !policy.filter_state {
        return;
    }
    set(RULE, policy.rule_name(denial.place.rule).as_bytes());
    set(REASON, denial.reason.as_bytes());
    if let Some(scheme) = scheme_of(policy, denial.place) {
        set(SCHEME, scheme.as_bytes());
    }
    if let Some(subject) = &denial.subject {
        set(SUBJECT, subject.as_bytes());
    }
}

fn scheme_of(policy: &Policy, place: Place) -> Option<&str> {
    match place.by {
        By::Scheme(number) => policy.schemes().get(number).map(|scheme| scheme.name.as_str()),
        By::Nothing | By::Alternative(_) => None,
    }
}

/// What the upstream is told in this header is there already, as it should be written.
fn set_header(name: &str, identity: &Identity, header: &str) {
    let value = identity.headers.iter().find_map(|edit| match edit {
        HeaderEdit::Set(own, value) if **own == *header => Some(value),
        _ => None,
    });
    if let Some(value) = value {
        set(name, value);
    }
}

fn set(name: &str, value: &[u8]) {
    let most = value.len().min(LONGEST);
    // Not within a character.
    let is_boundary = |at: &usize| value.get(*at).is_none_or(|byte| byte & 0xC0 != 0x80);
    let end = (0..=most).rev().find(is_boundary).unwrap_or(0);
    // Whoever cannot be told is not told.
    let _ = abi::set_property(name, value.get(..end).unwrap_or_default());
}

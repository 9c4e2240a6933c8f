//! The table of configuration faults: what is written, and what the refusal must say.

mod claims;
mod documents;
mod keys_and_rules;
mod matching;
mod observability_keys;
mod people;
mod possession;
mod remote;
mod schemes;
mod whose;

use crate::keys;
use serde_json::{Value, json};

/// A configuration that must be refused.
pub struct Fault {
    /// What is wrong.
    pub name: &'static str,
    /// The configuration as JSON text.
    pub text: String,
    /// Each `path: ` and each word that the refusal must hold.
    pub says: Vec<&'static str>,
}

impl Fault {
    /// What the log of a refusal does not say, or says and must not.
    #[must_use]
    pub fn missing(&self, log: &str) -> Option<String> {
        let silent: Vec<_> = self.says.iter().filter(|text| !log.contains(**text)).collect();
        let secret = ["my-secret-key", keys::SECRET].into_iter().find(|secret| log.contains(secret));
        if silent.is_empty() && secret.is_none() {
            return None;
        }
        Some(format!("{}: {silent:?} not in, or {secret:?} in\n{log}", self.name))
    }
}

/// Text that is handed over as it is.
fn raw(name: &'static str, text: &str, says: &[&'static str]) -> Fault {
    Fault { name, text: text.into(), says: says.to_vec() }
}

fn json_fault(name: &'static str, config: Value, says: &[&'static str]) -> Fault {
    raw(name, &config.to_string(), says)
}

/// A fault in the `jwt` of scheme `s`.
fn jwt(name: &'static str, jwt: Value, says: &[&'static str]) -> Fault {
    json_fault(name, json!({"schemes": {"s": {"type": "http", "scheme": "bearer", "jwt": jwt}}}), says)
}

/// A fault in the one key of scheme `s`.
fn key(name: &'static str, key: Value, says: &[&'static str]) -> Fault {
    jwt(name, json!({"keys": [key]}), says)
}

/// A fault in scheme `s`.
fn scheme(name: &'static str, scheme: Value, says: &[&'static str]) -> Fault {
    json_fault(name, json!({"schemes": {"s": scheme}, "api_keys": {"d": []}}), says)
}

/// A fault in the one API key of directory `d`.
fn api_key(name: &'static str, key: Value, says: &[&'static str]) -> Fault {
    json_fault(name, json!({"api_keys": {"d": [key]}}), says)
}

/// A fault in the `match` of the one rule.
fn matching(name: &'static str, matching: Value, says: &[&'static str]) -> Fault {
    json_fault(name, json!({"rules": [{"match": matching, "security": []}]}), says)
}

/// A setting besides good keys.
fn with_keys(setting: &str, value: Value) -> Value {
    let mut jwt = json!({"keys": [{"alg": "HS256", "secret": keys::SECRET}]});
    jwt[setting] = value;
    jwt
}

pub use whose::distinguishable;

/// The faults that [`crate::rows`] chooses.
#[must_use]
pub fn chosen() -> Vec<Fault> {
    crate::rows::chosen(faults(), |fault| fault.name.to_owned())
}

/// All faults.
pub fn faults() -> Vec<Fault> {
    let mut faults = schemes::faults();
    faults.extend(keys_and_rules::faults());
    faults.extend(matching::faults());
    faults.extend(people::faults());
    faults.extend(documents::faults());
    faults.extend(remote::faults());
    faults.extend(observability_keys::faults());
    faults.extend(whose::faults());
    faults.extend(claims::faults());
    faults
}

//! What all threads share, of every configuration: values by name, each with a version.

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};

type Values = HashMap<String, (Vec<u8>, u32)>;

fn values() -> MutexGuard<'static, Values> {
    static VALUES: LazyLock<Mutex<Values>> = LazyLock::new(Mutex::default);
    // Each change is one insertion, so that there is no half of one.
    VALUES.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A value and its version.
pub fn get(name: &str) -> Option<(Vec<u8>, u32)> {
    values().get(name).cloned()
}

/// Writes a value, unless its version is another than `version` meanwhile; says whether. Of a value that is not
/// there the version is 0.
pub fn set(name: &str, value: &[u8], version: u32) -> bool {
    let mut values = values();
    let current = values.get(name).map_or(0, |(_, version)| *version);
    if current != version {
        return false;
    }
    let next = current.checked_add(1).unwrap_or(1);
    values.insert(name.to_owned(), (value.to_vec(), next));
    true
}

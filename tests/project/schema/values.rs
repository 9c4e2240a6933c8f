//! What a value may be, and what it is if it is left out: the schema says it, and the reader is asked.
//!
//! Bounds, words and defaults of the schema are written beside the reader or are the reader's own. Each is tried in a
//! configuration that has the object: what the schema excludes is an error at that key, what it includes is none, and
//! a default changes nothing.

use std::collections::{BTreeMap, BTreeSet};

use lychgate::config::{Config, ConfigError, Errors, MAX_PATH_BYTES};
use serde_json::{Value, json};

use super::keys::{Place, places};
use super::{CONFIGURATION, schema};

const UNKNOWN: &str = "zzz_unknown";

/// The configuration as it is read, and its errors.
fn read(config: &Value) -> (String, Vec<ConfigError>) {
    let errors = Errors::default();
    let config = Config::read(config.to_string().as_bytes(), &errors);
    (format!("{config:?}"), errors.into_vec())
}

/// The errors at `key` or within it when it has `value`; `None` where the object cannot have the key, because of
/// its other keys.
fn errors_at(place: &Place, key: &str, value: &Value) -> Option<Vec<String>> {
    let (_, errors) = read(&with(place, key, Some(value.clone())));
    let is_at = |error: &ConfigError| error.path.split('.').any(|part| part.split('[').next() == Some(key));
    let has_no_use = |error: &ConfigError| {
        let of_others = ["only one of", "speaks of"].iter().any(|mark| error.message.contains(mark));
        of_others || is_at(error) && error.message.contains("unknown key")
    };
    if errors.iter().any(has_no_use) {
        return None;
    }
    Some(errors.into_iter().filter(is_at).map(|error| error.message).collect())
}

/// The configuration with another value of `key`, or without it.
fn with(place: &Place, key: &str, value: Option<Value>) -> Value {
    let mut config = place.config.clone();
    let object = config.pointer_mut(&place.at).and_then(Value::as_object_mut).expect("an object");
    match value {
        Some(value) => object.insert(key.to_owned(), value),
        None => object.remove(key),
    };
    config
}

/// The words of an enumeration.
fn words(property: &Value) -> Option<BTreeSet<String>> {
    let constants = |all: &Vec<Value>| {
        all.iter().filter_map(|one| one.get("const")?.as_str()).map(str::to_owned).collect()
    };
    let listed = |all: &Vec<Value>| all.iter().filter_map(Value::as_str).map(str::to_owned).collect();
    let words: BTreeSet<String> =
        property["oneOf"].as_array().map(constants).or_else(|| property["enum"].as_array().map(listed))?;
    (!words.is_empty()).then_some(words)
}

/// What the plugin says it knows where it is given an unknown word.
fn known_words(message: &str) -> BTreeSet<String> {
    let (_, list) = message.split_once("known: ").unwrap_or_default();
    list.split(", ").map(|word| word.trim_matches('`').to_owned()).collect()
}

/// What the schema says of a property, as values that it excludes and values that it includes.
fn claims(property: &Value) -> Vec<(&'static str, Value, bool)> {
    let mut claims = Vec::new();
    let words = words(property);
    if let (Some(least), Some(most), false) =
        (property["minimum"].as_i64(), property["maximum"].as_i64(), property["enum"].is_array())
    {
        claims.extend(
            [(least - 1, false), (least, true), (most, true), (most + 1, false)]
                .map(|(value, is_included)| ("bound", json!(value), is_included)),
        );
    }
    if property["minLength"] == 1 {
        claims.push(("empty text", json!(""), false));
    }
    if property["minItems"] == 1 {
        claims.push(("empty list", json!([]), false));
    }
    if property["items"]["minLength"] == 1 {
        claims.push(("empty text in a list", json!([""]), false));
    }
    for value in property["enum"].as_array().into_iter().flatten().filter(|value| value.is_number()) {
        claims.push(("number", value.clone(), true));
        claims.push(("number", json!(value.as_i64().expect("whole") + 1), false));
    }
    claims.extend(words.iter().flatten().map(|word| ("word", json!(word), true)));
    claims
}

/// The closed objects of the schema.
fn names(root: &Value) -> Vec<String> {
    let names = root["$defs"].as_object().expect("definitions").keys().cloned().chain(["(root)".to_owned()]);
    names.filter(|name| own(root, name)["additionalProperties"] == false).collect()
}

fn own<'r>(root: &'r Value, name: &str) -> &'r Value {
    if name == "(root)" { root } else { &root["$defs"][name] }
}

/// The properties of an object, and what they refer to put in their places.
fn properties(root: &Value, name: &str) -> Vec<(String, Value)> {
    let resolve = |property: &Value| {
        let mut property = property.clone();
        if let Some(target) = property["$ref"].as_str().map(str::to_owned) {
            let target = &root["$defs"][target.trim_start_matches("#/$defs/")];
            for (key, value) in target.as_object().expect("a definition") {
                if property.get(key).is_none() {
                    property[key] = value.clone();
                }
            }
        }
        property
    };
    let all = own(root, name)["properties"].as_object().expect("properties").iter();
    all.map(|(key, property)| (key.clone(), resolve(property))).collect()
}

#[test]
fn bounds_and_words_are_those_of_the_reader() {
    let root = schema(CONFIGURATION);
    let places = places(&root);
    let (mut wrong, mut untried, mut tried) = (BTreeSet::new(), BTreeSet::new(), BTreeMap::<_, usize>::new());
    for name in names(&root) {
        for (key, property) in properties(&root, &name) {
            let claims = claims(&property);
            let Some((_, sample, _)) = claims.first() else { continue };
            // A place that has the key, or else one that can have it.
            let has_it = |place: &&Place| {
                place.config.pointer(&place.at).is_some_and(|object| object.get(&key).is_some())
            };
            let all = places.iter().filter(|place| place.name == name);
            let (with_it, without): (Vec<_>, Vec<_>) = all.partition(has_it);
            let mut all = with_it.into_iter().chain(without);
            let Some(place) = all.find(|place| errors_at(place, &key, sample).is_some()) else {
                untried.insert(format!("{name}.{key}"));
                continue;
            };
            for (kind, value, is_included) in claims {
                match errors_at(place, &key, &value) {
                    None => _ = untried.insert(format!("{name}.{key}")),
                    Some(errors) if errors.is_empty() == is_included => *tried.entry(kind).or_default() += 1,
                    Some(errors) => _ = wrong.insert(format!("{name}.{key}: {value}: {errors:?}")),
                }
            }
            if let Some(words) = words(&property) {
                let errors = errors_at(place, &key, &json!(UNKNOWN)).unwrap_or_default();
                if !errors.iter().any(|message| known_words(message) == words) {
                    wrong.insert(format!("{name}.{key}: {words:?} in the schema; the plugin: {errors:?}"));
                }
            }
        }
    }
    println!("tried: {tried:?}");
    assert!(wrong.is_empty(), "the plugin contradicts the schema: {wrong:#?}");
    assert!(untried.is_empty(), "in no configuration: {untried:#?}");
    let count: usize = tried.values().sum();
    assert!(count >= 200, "{tried:?}");
}

/// Without the key and with the schema's default the same is read.
#[test]
fn defaults_are_those_of_the_reader() {
    let root = schema(CONFIGURATION);
    let mut left: BTreeMap<(String, String), Value> = BTreeMap::new();
    for name in names(&root) {
        for (key, property) in own(&root, &name)["properties"].as_object().into_iter().flatten() {
            if let Some(default) = property.get("default") {
                left.insert((name.clone(), key.clone()), default.clone());
            }
        }
    }
    // This one is put in when the policy is compiled.
    let path_length = left.remove(&("(root)".into(), "max_path_bytes".into()));
    assert_eq!(path_length, Some(json!(MAX_PATH_BYTES)));
    let count = left.len();
    for place in places(&root) {
        left.retain(|(name, key), default| {
            if *name != place.name {
                return true;
            }
            let (without, errors) = read(&with(&place, key, None));
            let (given, more) = read(&with(&place, key, Some(default.clone())));
            // Where there is an error, an object is not read at all.
            let is_same = errors.is_empty() && more.is_empty() && without == given;
            !is_same
        });
    }
    println!("{count} defaults of the schema are those of the reader");
    assert!(left.is_empty(), "other defaults in the plugin than in the schema: {left:#?}");
    assert!(count >= 35, "{count}");
}

/// A key that the schema requires is missed by the plugin.
#[test]
fn what_is_required_is_missed_by_the_reader() {
    let root = schema(CONFIGURATION);
    let (mut wrong, mut seen) = (Vec::new(), BTreeSet::new());
    for place in places(&root) {
        for key in
            own(&root, &place.name)["required"].as_array().into_iter().flatten().filter_map(Value::as_str)
        {
            let (_, before) = read(&place.config);
            // What a document says of a scheme need not be said again.
            let is_described = place.config.pointer("/openapi/document").is_some();
            if is_described || !before.is_empty() || !seen.insert((place.name.clone(), key.to_owned())) {
                continue;
            }
            let (_, errors) = read(&with(&place, key, None));
            let is_missed = |error: &ConfigError| {
                error.message.contains(&format!("missing key `{key}`"))
                    || error.message.contains("is needed") && error.message.contains(&format!("`{key}`"))
            };
            if !errors.iter().any(is_missed) {
                wrong.push(format!("{}.{key}: {errors:?}", place.name));
            }
        }
    }
    println!("{} required keys are missed", seen.len());
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(seen.len() >= 25, "{}", seen.len());
}

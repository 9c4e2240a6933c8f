//! Notes for the author of a policy that is made from a document: what the document leaves open, what is guessed, and what is
//! left to write.

use serde_json::Value;

use crate::config::ConfigError;
use crate::config::openapi::import::{Deeper, Imported, ImportedRule};

/// More operations than these are not named one by one.
const MOST_NAMED: usize = 5;

/// What is said of `document`.
pub fn of(document: &Value, imported: &Imported, public: bool) -> Vec<ConfigError> {
    let mut notes = imported.warnings.clone();
    servers(document, &mut notes);
    for scheme in &imported.schemes {
        let url = scheme.description.pointer("/flows/password/tokenUrl").and_then(Value::as_str);
        if let Some(url) = url.filter(|url| !url.contains("://")) {
            note(
                &mut notes,
                &scheme.place,
                format!(
                    "`issue` serves POST {url} in the place of the application's own login; remove `issue` and `users` \
                     where the application issues the tokens"
                ),
            );
        }
        if let Some(kind) = &scheme.unverifiable {
            let message = format!(
                "`{kind}` cannot be checked here: it is left out of `schemes` and of alternatives; what needs it alone is \
                 `denied`"
            );
            note(&mut notes, &scheme.place, message);
        }
    }
    let mut seen: Vec<&str> = Vec::new();
    let mut unsecured = Vec::new();
    for rule in &imported.rules {
        // Several servers give an operation several rules.
        if seen.last() == Some(&rule.place.as_str()) {
            continue;
        }
        seen.push(&rule.place);
        operation(rule, &mut notes);
        if rule.security.is_none() {
            unsecured.push(rule);
        }
    }
    if let (false, Some(first)) = (public, unsecured.first()) {
        let named: Vec<_> = unsecured.iter().take(MOST_NAMED).map(|rule| name_of(rule)).collect();
        let more = unsecured.len().checked_sub(MOST_NAMED).filter(|more| *more > 0);
        let more = more.map(|more| format!(" and {more} more")).unwrap_or_default();
        let message = format!(
            "left out, because the document does not secure them: {}{more}; `--unsecured public` makes them public",
            named.join(", ")
        );
        note(&mut notes, &first.place, message);
    }
    notes
}

fn note(notes: &mut Vec<ConfigError>, place: &str, message: String) {
    notes.push(ConfigError { path: place.to_owned(), message });
}

fn name_of(rule: &ImportedRule) -> String {
    let (path, method) =
        rule.operations.first().map_or(("", ""), |(path, method)| (path.as_str(), method.as_str()));
    format!("{method} {path}")
}

/// What one operation may not mean as it is written.
fn operation(rule: &ImportedRule, notes: &mut Vec<ConfigError>) {
    let alternatives = rule.security.as_deref().unwrap_or_default();
    let is_one = alternatives.iter().all(|schemes| schemes.len() == 1);
    let mut names: Vec<&str> = alternatives.iter().flatten().map(|(name, _)| name.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    if is_one && names.len() > 1 {
        let message = format!(
            "any one of {} is enough; FastAPI writes so where all of them are needed: `openapi.combine`, or one \
             alternative of all in the rule",
            names.join(", ")
        );
        note(notes, &rule.place, message);
    }
    if rule.deeper == Deeper::Likely {
        let message = "its last parameter looks as if it stood for several segments, which FastAPI's document does not \
                       say; if so: `openapi.multi_segment`, or `{name:path}` in the rule";
        note(notes, &rule.place, message.to_owned());
    }
}

/// Servers with a URL that is still a placeholder.
fn servers(document: &Value, notes: &mut Vec<ConfigError>) {
    let servers = document.get("servers").and_then(Value::as_array).into_iter().flatten();
    for (index, url) in
        servers.enumerate().filter_map(|(index, server)| Some((index, server.get("url")?.as_str()?)))
    {
        let text = url.to_ascii_lowercase();
        let host = text.split_once("://").map_or(text.as_str(), |(_, rest)| rest);
        let host = host.split('/').next().unwrap_or_default();
        let is_reserved = ["example.com", "example.org", "example.net", ".example", "example"];
        if is_reserved.iter().any(|end| host.ends_with(end)) || host.contains("your") || host.starts_with('{')
        {
            let message = format!(
                "{url:?} looks like a placeholder: look whether the paths of the rules begin as they should"
            );
            note(notes, &format!("servers[{index}].url"), message);
        }
    }
}

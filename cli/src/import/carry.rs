//! What is carried over: schemes and what they need, and a note for each thing that could not be.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::chain::{Link, rules};
use super::text::plain_name;
use crate::document::Node;

/// The headers in which Lychgate tells the upstream the identity, unless `identity_headers` names others.
pub const IDENTITY_HEADERS: [&str; 3] = ["x-auth-subject", "x-auth-scopes", "x-auth-scheme"];

/// How many sets of requests are named of which fewer pass.
const MOST_NAMED: usize = 8;

/// What an author should know of the result.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Note {
    /// The file and the line that it is about.
    pub place: String,
    /// What it is, and what to do.
    pub text: String,
    /// Whether requests are refused because of it that passed before.
    pub is_denied: bool,
}

/// What is known so far.
#[derive(Debug, Default)]
pub struct Carrier {
    /// The file that is read.
    pub file: String,
    /// Notes.
    pub notes: Vec<Note>,
    /// `schemes`.
    pub schemes: Map<String, Value>,
    /// `users`.
    pub users: Map<String, Value>,
    /// `api_keys`.
    pub api_keys: Map<String, Value>,
    /// Other top-level keys.
    pub settings: Map<String, Value>,
    /// Headers in which the old filters tell the upstream something.
    pub own_headers: BTreeSet<String>,
}

impl Carrier {
    fn note(&mut self, node: &Node, text: &str, is_denied: bool) {
        let place = format!("{}:{}", self.file, node.line);
        let note = Note { place, text: text.to_owned(), is_denied };
        if !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }

    /// Something is otherwise than before, and no weaker.
    pub fn differs(&mut self, node: &Node, text: impl AsRef<str>) {
        self.note(node, text.as_ref(), false);
    }

    /// Something could not be carried over: what needs it is refused.
    pub fn denies(&mut self, node: &Node, text: impl AsRef<str>) {
        self.note(node, &format!("{}; refused until then", text.as_ref()), true);
    }

    /// A condition on a claim is about a text or about a list there, and about both here.
    pub fn counts_alike(&mut self, node: &Node) {
        self.differs(node, "a claim that is a text and one that is a list with this text count alike here");
    }

    /// A request may have tokens of several providers.
    pub fn takes_any(&mut self, node: &Node) {
        self.differs(
            node,
            "of a request with good tokens of several providers the first of the list counts there; here each that is enough",
        );
    }

    /// Notes each field of a message that is not among `known`.
    pub fn unknown_fields(&mut self, node: &Node, known: &[&str]) -> bool {
        let mut is_known = true;
        for (key, value) in node.value.members() {
            let name = snake_case(&key.value);
            if !known.contains(&name.as_str()) {
                is_known = false;
                self.denies(value, format!("`{}` is not carried over; write a rule by hand", key.value));
            }
        }
        is_known
    }

    /// Looks for the headers in which filters tell the upstream something.
    pub fn look_for_own_headers(&mut self, node: &Node) {
        for (key, value) in node.value.members() {
            let plain = key.value.replace('_', "").to_ascii_lowercase();
            match plain.as_str() {
                "forwardpayloadheader"
                | "outputpayloadtoheader"
                | "forwardclientidheader"
                | "forwardusernameheader" => self.own_headers.extend(value.value.text().map(plain_header)),
                "claimtoheaders" | "outputclaimtoheaders" => {
                    let names = value.value.items().iter();
                    let names =
                        names.filter_map(|own| text(own, "header_name").or_else(|| text(own, "header")));
                    self.own_headers.extend(names.map(|name| plain_header(&name)));
                }
                "forwarding" => {
                    self.own_headers.extend(text(value, "header").map(|name| plain_header(&name)));
                }
                _ => {}
            }
            self.look_for_own_headers(value);
        }
        node.value.items().iter().for_each(|item| self.look_for_own_headers(item));
    }

    /// Whether a condition on a header is one on what a filter tells in it; then it is noted. What a client sends in such a
    /// header is removed, and no condition can be on it.
    pub fn is_own_header(&mut self, name: &str, node: &Node) -> bool {
        let plain = plain_header(name);
        let is_own = IDENTITY_HEADERS.contains(&plain.as_str()) || self.own_headers.contains(&plain);
        if is_own {
            self.denies(
                node,
                format!(
                    "a condition on `{name}`, in which the filter itself tells the upstream something, is not carried over; write \
                     one on the claim, the scope or the client"
                ),
            );
        }
        is_own
    }

    /// A name for a scheme that is not taken, or that is taken by the same scheme.
    pub fn add_scheme(&mut self, name: &str, scheme: Value) -> String {
        let plain = plain_name(name);
        let plain = if plain.is_empty() { "scheme".to_owned() } else { plain };
        let mut number = 1_u32;
        loop {
            let candidate = if number == 1 { plain.clone() } else { format!("{plain}_{number}") };
            match self.schemes.get(&candidate) {
                Some(other) if *other != scheme => number = number.saturating_add(1),
                Some(_) => return candidate,
                None => {
                    self.schemes.insert(candidate.clone(), scheme);
                    return candidate;
                }
            }
        }
    }

    /// A name for a directory that is not taken, or that is taken by the same directory.
    pub fn add_directory(directories: &mut Map<String, Value>, name: &str, content: Value) -> String {
        let mut number = 1_u32;
        loop {
            let candidate =
                if number == 1 { plain_name(name) } else { format!("{}_{number}", plain_name(name)) };
            match directories.get(&candidate) {
                Some(other) if *other != content => number = number.saturating_add(1),
                Some(_) => return candidate,
                None => {
                    directories.insert(candidate.clone(), content);
                    return candidate;
                }
            }
        }
    }

    /// The configuration for a chain of filters.
    pub fn configuration(&mut self, chain: &[Link], node: &Node) -> Vec<(String, Value)> {
        let written = rules(chain);
        let mut sections = Vec::new();
        let mut add = |name: &str, section: Map<String, Value>| {
            if !section.is_empty() {
                sections.push((name.to_owned(), Value::Object(section)));
            }
        };
        let text = json!(written.as_ref().map(|written| (&written.rules, &written.otherwise))).to_string();
        // What no rule needs is left out, so that a scheme without keys is no fault.
        let is_used = |name: &String| text.contains(&json!(name).to_string());
        let schemes: Map<_, _> = self.schemes.clone().into_iter().filter(|(name, _)| is_used(name)).collect();
        let schemes_text = Value::Object(schemes.clone()).to_string();
        let is_named = |name: &String| schemes_text.contains(&json!(name).to_string());
        add("schemes", schemes);
        add("users", self.users.clone().into_iter().filter(|(name, _)| is_named(name)).collect());
        add("api_keys", self.api_keys.clone().into_iter().filter(|(name, _)| is_named(name)).collect());
        let Some(written) = written else {
            self.denies(
                node,
                "the rules speak of too many sets of requests; write them by hand, or route by route",
            );
            sections.push(("rules".into(), json!([])));
            return sections;
        };
        for matcher in written.cut.iter().take(MOST_NAMED) {
            let text = format!(
                "of the requests {matcher} fewer pass than before, by what is said of it here, or because a token that was \
                     optional there is needed beside another credential"
            );
            self.note(node, &text, true);
        }
        if let Some(more) = written.cut.len().checked_sub(MOST_NAMED).filter(|more| *more > 0) {
            self.note(node, &format!("of {more} more such sets of requests fewer pass than before"), true);
        }
        sections.extend(self.settings.clone());
        if written.rules.is_empty() && written.otherwise.is_none() {
            let denied = json!([{"match": {"prefix": "/"}, "security": "denied"}]);
            sections.push(("rules".into(), denied));
        } else if !written.rules.is_empty() {
            sections.push(("rules".into(), written.rules.into()));
        }
        sections.extend(written.otherwise.map(|security| ("security".to_owned(), security)));
        sections
    }
}

/// A header's name as applications compare it.
fn plain_header(name: &str) -> String {
    name.to_ascii_lowercase().replace('_', "-")
}

/// `fromHeaders` as `from_headers`.
pub fn snake_case(name: &str) -> String {
    let mut text = String::with_capacity(name.len());
    for letter in name.chars() {
        if letter.is_ascii_uppercase() {
            text.push('_');
        }
        text.push(letter.to_ascii_lowercase());
    }
    text
}

/// The text of a field.
pub fn text(node: &Node, key: &str) -> Option<String> {
    node.value.field(key).and_then(|node| node.value.text()).map(str::to_owned)
}

/// The strings of a list.
pub fn strings(node: Option<&Node>) -> Vec<String> {
    let items = node.map(|node| node.value.items()).unwrap_or_default();
    items.iter().filter_map(|item| item.value.text().map(str::to_owned)).collect()
}

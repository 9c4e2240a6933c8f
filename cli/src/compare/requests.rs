//! The requests that both Envoys are sent.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use lychgate::keys::{Algorithm, NoRandomness, SigningKey};
use serde_json::{Map, Value, json};

use super::bed::{Keyring, PASSWORD};
use super::hints::Hints;

/// The name of the token that has every claim and scope.
const EVERYTHING: &str = "a token with everything";

/// A request.
#[derive(Clone, Debug)]
pub struct Request {
    /// Its method.
    pub method: String,
    /// Its path and query.
    pub target: String,
    /// Its headers.
    pub headers: Vec<(String, String)>,
    /// What it is, for people.
    pub name: String,
}

/// A credential in its place.
#[derive(Clone, Debug, Default)]
struct Credential {
    name: String,
    headers: Vec<(String, String)>,
    query: Option<String>,
}

impl Credential {
    fn header(name: impl Into<String>, header: &str, value: impl Into<String>) -> Self {
        Self { name: name.into(), headers: vec![(header.to_owned(), value.into())], query: None }
    }

    fn placed(name: impl Into<String>, kind: &str, place: &str, prefix: &str, value: &str) -> Self {
        let name = name.into();
        match kind {
            "query" => Self { name, headers: Vec::new(), query: Some(format!("{place}={value}")) },
            "cookie" => Self::header(name, "cookie", format!("{place}={value}")),
            _ => Self::header(name, place, format!("{prefix}{value}")),
        }
    }

    fn and(&self, other: &Self) -> Self {
        let mut both = self.clone();
        both.name = format!("{} and {}", self.name, other.name);
        both.headers.extend(other.headers.iter().cloned());
        both.query = match (&self.query, &other.query) {
            (Some(one), Some(other)) => Some(format!("{one}&{other}")),
            (one, other) => one.clone().or_else(|| other.clone()),
        };
        both
    }
}

/// A token of these claims by the key of an issuer.
fn token(keyring: &mut Keyring, issuer: &str, claims: &Map<String, Value>) -> Result<String, String> {
    let pair = keyring.of(issuer)?;
    let (key, _) = SigningKey::from_pem(Algorithm::Es256, &pair.private, Some(&pair.kid))?;
    key.sign(claims, &|bytes| getrandom::fill(bytes).map_err(|_| NoRandomness))
}

/// Sets a claim by its steps.
fn set(claims: &mut Map<String, Value>, steps: &[String], value: Value) {
    let Some((first, rest)) = steps.split_first() else { return };
    if rest.is_empty() {
        claims.insert(first.clone(), value);
        return;
    }
    let inner = claims.entry(first.clone()).or_insert_with(|| json!({}));
    if !inner.is_object() {
        *inner = json!({});
    }
    if let Some(inner) = inner.as_object_mut() {
        set(inner, rest, value);
    }
}

/// The claims of a good token.
fn base(hints: &Hints, issuer: &str, now: i64) -> Map<String, Value> {
    let mut base = Map::new();
    if !issuer.is_empty() {
        base.insert("iss".into(), issuer.into());
    }
    base.insert("sub".into(), "alice".into());
    base.insert("iat".into(), now.into());
    base.insert("exp".into(), now.saturating_add(3600).into());
    if let Some(audience) = hints.issuers.get(issuer).into_iter().flatten().next() {
        base.insert("aud".into(), audience.as_str().into());
    }
    base
}

/// Two good tokens, of which one has what the other lacks: together they have everything, and neither alone.
fn halves(hints: &Hints, keyring: &mut Keyring, now: i64) -> Result<Vec<Credential>, String> {
    let mut claims: Vec<(Vec<String>, String)> = hints
        .claims
        .iter()
        .filter_map(|(steps, values)| Some((steps.clone(), values.first()?.clone())))
        .filter(|(steps, value)| *steps != ["iss"] && !value.contains('*'))
        .collect();
    if !hints.scopes.is_empty() {
        claims.retain(|(steps, _)| *steps != ["scope"]);
        let all: Vec<&str> = hints.scopes.iter().map(String::as_str).collect();
        claims.push((vec!["scope".to_owned()], all.join(" ")));
    }
    let usual = ("header".to_owned(), "authorization".to_owned(), "Bearer ".to_owned());
    let places: Vec<_> = std::iter::once(&usual).chain(&hints.places).take(4).collect();
    let mut all = Vec::new();
    for issuer in hints.issuers.keys().take(3) {
        for other in hints.issuers.keys().filter(|other| *other != issuer).take(2) {
            for (index, (steps, _)) in claims.iter().enumerate().take(4) {
                let (mut one, mut rest) = (base(hints, issuer, now), base(hints, other, now));
                for (number, (steps, value)) in claims.iter().enumerate() {
                    set(if number == index { &mut one } else { &mut rest }, steps, value.as_str().into());
                }
                let (one, rest) = (token(keyring, issuer, &one)?, token(keyring, other, &rest)?);
                for (kind, place, prefix) in &places {
                    for (second, beside, before) in
                        places.iter().filter(|own| !own.1.eq_ignore_ascii_case(place))
                    {
                        let name = format!("a token with {} of {issuer:?} in {place}", steps.join("."));
                        let one = Credential::placed(name, kind, place, prefix, &one);
                        let name = format!("a token with the rest of {other:?} in {beside}");
                        all.push(one.and(&Credential::placed(name, second, beside, before, &rest)));
                    }
                }
            }
        }
    }
    Ok(all)
}

/// The tokens of one issuer, each with a name.
fn tokens(
    hints: &Hints,
    issuer: &str,
    keyring: &mut Keyring,
    now: i64,
) -> Result<Vec<(String, String)>, String> {
    let audiences: Vec<&String> = hints.issuers.get(issuer).into_iter().flatten().collect();
    let base = base(hints, issuer, now);
    let mut every = base.clone();
    let mut kinds: Vec<(String, Map<String, Value>)> = vec![("a good token".into(), base.clone())];
    let mut with = |name: String, change: &dyn Fn(&mut Map<String, Value>)| {
        let mut claims = base.clone();
        change(&mut claims);
        kinds.push((name, claims));
    };
    with("an expired token".into(), &|claims| drop(claims.insert("exp".into(), 1.into())));
    with("a token without `exp`".into(), &|claims| drop(claims.remove("exp")));
    with("a token for another audience".into(), &|claims| {
        drop(claims.insert("aud".into(), "another".into()))
    });
    with("a token of another issuer".into(), &|claims| {
        drop(claims.insert("iss".into(), "https://another.example".into()))
    });
    with("a token without a subject".into(), &|claims| drop(claims.remove("sub")));
    with("a token of another subject".into(), &|claims| drop(claims.insert("sub".into(), "mallory".into())));
    for audience in audiences.iter().skip(1) {
        with(format!("a token for {audience}"), &|claims| {
            drop(claims.insert("aud".into(), audience.as_str().into()))
        });
    }
    let scopes: Vec<&str> = hints.scopes.iter().map(String::as_str).collect();
    for scope in &scopes {
        with(format!("a token with the scope {scope}"), &|claims| {
            drop(claims.insert("scope".into(), (*scope).into()))
        });
    }
    if !scopes.is_empty() {
        every.insert("scope".into(), scopes.join(" ").into());
    }
    for (steps, values) in &hints.claims {
        let name = steps.join(".");
        for value in values.iter().filter(|value| !value.contains('*')) {
            with(format!("a token with {name} {value:?}"), &|claims| {
                set(claims, steps, value.as_str().into())
            });
            with(format!("a token with {name} [\"other\", {value:?}]"), &|claims| {
                set(claims, steps, json!(["other", value]))
            });
        }
        with(format!("a token with another {name}"), &|claims| set(claims, steps, "another-value".into()));
        // The scopes are there already, all of them.
        let value = values.iter().next().filter(|_| steps != &["scope"] || scopes.is_empty());
        if let Some(value) = value {
            set(&mut every, steps, value.as_str().into());
        }
    }
    kinds.push((EVERYTHING.into(), every.clone()));
    // What is a text may be one of a list.
    let mut lists = every.clone();
    for (steps, values) in hints.claims.iter().filter(|(steps, _)| *steps != &["scope"]) {
        if let Some(value) = values.iter().next() {
            set(&mut lists, steps, json!([value]));
        }
    }
    if lists != every {
        kinds.push(("a token with everything in lists".into(), lists));
    }
    let mut made = Vec::new();
    for (name, claims) in &kinds {
        made.push((name.clone(), token(keyring, issuer, claims)?));
    }
    made.push(("a token by another key".into(), token(keyring, "https://stranger.example", &every)?));
    let mut cut = made.first().map(|(_, token)| token.clone()).unwrap_or_default();
    cut.truncate(cut.len().saturating_sub(4));
    made.push(("a token with its signature cut".into(), cut));
    Ok(made)
}

/// The credentials that the policies speak of, good ones and bad ones.
fn credentials(hints: &Hints, keyring: &mut Keyring, now: i64) -> Result<Vec<Credential>, String> {
    let mut all = vec![Credential { name: "no credential".into(), ..Credential::default() }];
    let bearer =
        |name: String, token: &str| Credential::header(name, "authorization", format!("Bearer {token}"));
    all.push(bearer("no token".into(), "not.a.token"));
    let mut best: Vec<Credential> = Vec::new();
    for issuer in hints.issuers.keys() {
        let made = tokens(hints, issuer, keyring, now)?;
        // Where tokens stand elsewhere, every kind of them stands there too.
        let other = hints.places.iter().find(|(_, place, _)| !place.eq_ignore_ascii_case("authorization"));
        for (name, token) in &made {
            all.push(bearer(format!("{name} of {issuer:?}"), token));
            all.extend(other.filter(|_| name != EVERYTHING).map(|(kind, place, prefix)| {
                Credential::placed(
                    format!("{name} of {issuer:?} in {kind} {place}"),
                    kind,
                    place,
                    prefix,
                    token,
                )
            }));
        }
        let good = made.iter().find(|(name, _)| name == EVERYTHING);
        if let Some((name, token)) = good {
            best.push(bearer(name.clone(), token));
            for (kind, place, prefix) in &hints.places {
                let own = Credential::placed(format!("{name} in {kind} {place}"), kind, place, prefix, token);
                if !place.eq_ignore_ascii_case("authorization") {
                    best.push(own.clone());
                }
                all.push(own);
            }
            let usual =
                Credential::placed(format!("{name} in a parameter"), "query", "access_token", "", token);
            all.push(usual);
        }
    }
    all.extend(halves(hints, keyring, now)?);
    let keys = hints.keys.iter().map(String::as_str).chain((!hints.keys.is_empty()).then_some("wrong-key"));
    for key in keys {
        for (kind, place, prefix) in &hints.places {
            let name = format!("the key {key} in {kind} {place}");
            let own = Credential::placed(name, kind, place, prefix, key);
            if key != "wrong-key" {
                best.push(own.clone());
            }
            all.push(own);
        }
    }
    for (user, password) in hints.users.iter().flat_map(|user| [(user, PASSWORD), (user, "wrong")]) {
        let value = BASE64_STANDARD.encode(format!("{user}:{password}"));
        let own = Credential::header(
            format!("{user} with the password {password:?}"),
            "authorization",
            format!("Basic {value}"),
        );
        if password == PASSWORD {
            best.push(own.clone());
        }
        all.push(own);
    }
    for (index, one) in best.iter().enumerate().take(6) {
        let others = best.iter().skip(index.saturating_add(1)).take(6);
        let is_other_place = |other: &&Credential| {
            other.headers.first().map(|own| &own.0) != one.headers.first().map(|own| &own.0)
        };
        all.extend(others.filter(is_other_place).map(|other| one.and(other)));
    }
    Ok(all)
}

/// At most so many requests, of every path, method, host and credential that is spoken of.
///
/// # Errors
/// If no token can be made.
pub fn requests(hints: &Hints, most: usize, keyring: &mut Keyring, now: i64) -> Result<Vec<Request>, String> {
    let paths: Vec<String> = hints.paths_to_ask().into_iter().collect();
    let mut methods: Vec<String> = vec!["GET".into(), "POST".into(), "HEAD".into()];
    methods
        .extend(hints.methods.iter().filter(|own| !["GET", "POST", "HEAD"].contains(&own.as_str())).cloned());
    let mut hosts = vec!["other.example".to_owned()];
    for host in hints.hosts.iter().filter(|host| *host != "*") {
        let host = if host.starts_with('.') { format!("a{host}") } else { host.clone() };
        hosts.push(host.replace('*', "a").trim_end_matches(":a").to_owned());
    }
    let mut extras: Vec<(String, Vec<(String, String)>)> = vec![(String::new(), Vec::new())];
    for (name, values) in &hints.headers {
        for value in values.iter().map(String::as_str).chain(["another"]) {
            extras.push((format!(", {name}: {value}"), vec![(name.clone(), value.to_owned())]));
        }
        // Two lines of it, of which one reader takes the first and another one all.
        if let Some(value) = values.first() {
            let lines = [value.as_str(), "another"].map(|value| (name.clone(), value.to_owned()));
            extras.push((format!(", {name}: {value} and another"), lines.to_vec()));
        }
    }
    let every: Vec<_> = hints
        .headers
        .iter()
        .filter_map(|(name, values)| Some((name.clone(), values.first()?.clone())))
        .collect();
    if every.len() > 1 {
        extras.push((", every header".into(), every));
    }
    let mut clients: Vec<Option<String>> = vec![None];
    for network in &hints.clients {
        let address = network.split('/').next().unwrap_or_default();
        clients.push(Some(
            address.strip_suffix(".0").map_or_else(|| address.to_owned(), |own| format!("{own}.7")),
        ));
    }
    if !hints.clients.is_empty() {
        clients.push(Some("203.0.113.9".into()));
    }
    let credentials = credentials(hints, keyring, now)?;
    let sizes = [paths.len(), methods.len(), hosts.len(), extras.len(), clients.len(), credentials.len()];
    let all = sizes.iter().try_fold(1_usize, |all, size| all.checked_mul(*size)).unwrap_or(usize::MAX);
    let count = all.min(most);
    // A step that has no divisor in common with the number of all goes through all of them, in no order.
    let step = [982_451_653_usize, 15_485_863, 1]
        .into_iter()
        .find(|step| all.checked_rem(*step) != Some(0))
        .unwrap_or(1);
    let mut made = Vec::with_capacity(count);
    let mut index = 0_usize;
    for _ in 0..count {
        let mut rest = index;
        let mut digit = |size: usize| {
            let own = rest.checked_rem(size).unwrap_or(0);
            rest = rest.checked_div(size).unwrap_or(0);
            own
        };
        let (path, method, host) =
            (paths.get(digit(paths.len())), methods.get(digit(methods.len())), hosts.get(digit(hosts.len())));
        let extra = extras.get(digit(extras.len()));
        let (client, credential) =
            (clients.get(digit(clients.len())), credentials.get(digit(credentials.len())));
        index = index.wrapping_add(step).checked_rem(all).unwrap_or(0);
        let (Some(path), Some(method), Some(host), Some((said, headers)), Some(client), Some(credential)) =
            (path, method, host, extra, client, credential)
        else {
            continue;
        };
        let mut all_headers = vec![("host".to_owned(), host.clone())];
        all_headers.extend(credential.headers.iter().cloned());
        all_headers.extend(headers.iter().cloned());
        all_headers.extend(client.iter().map(|client| ("x-forwarded-for".to_owned(), client.clone())));
        let target = match &credential.query {
            Some(query) => format!("{path}?{query}"),
            None => path.clone(),
        };
        let from = client.as_ref().map(|client| format!(" from {client}")).unwrap_or_default();
        let name = format!("{method} {host}{path}{said}{from}, {}", credential.name);
        made.push(Request { method: method.clone(), target, headers: all_headers, name });
    }
    // Browsers send them without a credential.
    let preflights = paths.iter().flat_map(|path| hosts.iter().map(move |host| preflight(path, host)));
    made.extend(preflights.take(most.checked_div(5).unwrap_or(0)));
    Ok(made)
}

/// What a browser asks before a request to another origin.
fn preflight(path: &str, host: &str) -> Request {
    let headers =
        [("host", host), ("origin", "https://page.example"), ("access-control-request-method", "PUT")];
    Request {
        method: "OPTIONS".into(),
        target: path.to_owned(),
        headers: headers.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
        name: format!("OPTIONS {host}{path}, a preflight"),
    }
}

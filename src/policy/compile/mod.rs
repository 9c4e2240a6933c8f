//! From configuration to policy: references resolved, keys imported, patterns compiled. What is
//! wrong goes to the errors with its path, and compiling goes on to find the rest.

mod claims;
mod keys;
mod operations;
mod own_routes;
mod resources;
mod rules;
mod schemes;
mod shadowed;
mod shared_keys;
mod token_endpoint;
mod trust_anchor;

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

use serde_json::json;

use super::requirement::Requirement;
use super::reserved::Reserved;
use super::scheme::{Scheme, SchemeId, SchemeKind};
use super::{Compiled, Environment, IdentityHeaderNames, Policy};
use crate::claim::ClaimCondition;
use crate::config::openapi::Page;
use crate::config::{ApiKeyConfig, Config, Errors, MAX_PATH_BYTES, Neighbours, OnInvalid, Path, UserConfig};
use crate::fetch::{Introspection, RemoteSource};
use crate::http_syntax::is_same_header;
use crate::identity::{ApiKey, ApiKeyDirectory, IdentityMemo, ImpliedScopes, User, UserDirectory};
use crate::sort::insertion_sort;
use crate::token_endpoint::TokenEndpoint;
use resources::Need;

/// How many keys a directory may have for their identities to be remembered.
const MOST_REMEMBERED: usize = 4096;

struct Compiler<'a> {
    environment: Environment<'a>,
    errors: &'a Errors,
    warnings: Errors,
    users: BTreeMap<String, Rc<UserDirectory>>,
    api_keys: BTreeMap<String, Rc<ApiKeyDirectory>>,
    token_endpoints: Vec<TokenEndpoint>,
    sources: Vec<Rc<RemoteSource>>,
    introspections: Vec<Introspection>,
    scheme_ids: BTreeMap<String, SchemeId>,
    /// The schemes that a document describes.
    described: Vec<String>,
    /// Those of the identity, and then those of claims.
    reserved: Vec<Rc<str>>,
    /// The keys of those of the identity.
    identity_headers: Vec<&'static str>,
    /// Whether `iss` is sent on.
    tells_issuer: bool,
    /// What scopes grant besides.
    implied: Rc<ImpliedScopes>,
    /// The schemes whose credential has no claims.
    without_claims: Vec<SchemeId>,
    /// What rules ask of the tokens of each scheme, by its number.
    conditions: RefCell<Vec<Vec<ClaimCondition>>>,
    /// Their numbers, by the scheme and what they say.
    condition_numbers: RefCell<HashMap<Box<str>, usize>>,
    /// The status of a missing credential, for all schemes.
    missing_status: Option<u16>,
    /// As many as there are numbers.
    clients: BTreeMap<String, u8>,
}

/// Compiles what `config` holds. The result is a policy only if `errors` stays empty, which
/// [`Policy::compile`] sees to.
pub fn compile(config: Config, environment: Environment<'_>, errors: &Errors) -> Compiled {
    let names = &config.identity_headers;
    let identity_headers = IdentityHeaderNames {
        subject: names.subject.as_str().into(),
        scopes: names.scopes.as_str().into(),
        scheme: names.scheme.as_str().into(),
        issuer: names.issuer.as_deref().map(Rc::from),
        dry_run: names.dry_run.as_deref().map(Rc::from),
    };
    let reserved = [&identity_headers.subject, &identity_headers.scopes, &identity_headers.scheme];
    let reserved = reserved.into_iter().chain(&identity_headers.issuer).chain(&identity_headers.dry_run);
    let reserved: Vec<_> = reserved.cloned().collect();
    let further = [(&identity_headers.issuer, "issuer"), (&identity_headers.dry_run, "dry_run")];
    let mut keys = vec!["subject", "scopes", "scheme"];
    keys.extend(further.into_iter().filter(|(name, _)| name.is_some()).map(|(_, key)| key));
    let needs = needs(&config);
    let mut compiler = Compiler {
        environment,
        errors,
        warnings: Errors::default(),
        users: BTreeMap::new(),
        api_keys: BTreeMap::new(),
        token_endpoints: Vec::new(),
        sources: Vec::new(),
        introspections: Vec::new(),
        scheme_ids: BTreeMap::new(),
        described: Vec::new(),
        identity_headers: keys,
        reserved,
        tells_issuer: identity_headers.issuer.is_some(),
        implied: Rc::new(config.scopes.implies),
        without_claims: Vec::new(),
        conditions: RefCell::default(),
        condition_numbers: RefCell::default(),
        clients: BTreeMap::new(),
        missing_status: config.errors.missing_status,
    };
    let pages = config.openapi.pages();
    compiler.check_identity_headers();
    compiler.users(config.users);
    compiler.api_keys(config.api_keys);
    let mut schemes = compiler.schemes(config.schemes);
    compiler.check_shared_keys(&schemes);
    let max_path_bytes = config.max_path_bytes.unwrap_or(MAX_PATH_BYTES);
    let operations = config.openapi.document.as_ref().map(|(imported, _)| imported.rules.as_slice());
    let names_head = rules::NamesHead::of(&config.rules, operations.unwrap_or_default());
    let paths = shadowed::keys(&config.rules);
    let warnings = std::mem::take(&mut compiler.warnings);
    let mut rules = compiler.rules(config.rules, &names_head, config.on_invalid);
    let written = rules.len();
    let operations = operations.unwrap_or_default();
    let imported = compiler.operations(&config.openapi, &names_head, config.on_invalid);
    let default = config.security.map(|security| {
        let ignores_invalid = config.on_invalid == OnInvalid::Ignore;
        compiler.requirement(&Path::Root.key("security"), security).ignoring_invalid(ignores_invalid)
    });
    let default_is_public = default.as_ref().is_some_and(Requirement::allows_anonymous);
    let neighbours = match config.openapi.neighbours {
        Some(Neighbours::Same) => true,
        Some(Neighbours::Default) => false,
        None => default_is_public,
    };
    rules.extend(imported);
    rules::tell_apart(&mut rules);
    let deeper =
        rules.get(written..).map(|own| compiler.deeper(operations, own, default.as_ref(), neighbours));
    rules.extend(deeper.unwrap_or_default());
    let rules = compiler.index(rules, max_path_bytes, written, operations, neighbours);
    // Those of rules that are never asked come before those of what the rules have in them.
    let of_rules = std::mem::replace(&mut compiler.warnings, warnings);
    compiler.warn_of_shadowed(&rules, &paths);
    compiler.warnings.append(of_rules);
    // Where the default is closed, an operation may be what is open.
    compiler.warn_of_open_neighbours(operations, &rules, default.as_ref());
    let resources = compiler.resources(&config.resources, &needs, &schemes, &compiler.own_paths(&pages));
    compiler.hand_out_conditions(&mut schemes);
    compiler.check_served_paths(&pages);
    let own_routes = compiler.own_routes(&pages, rules.all(), written, operations, default.as_ref());
    let policy = Policy {
        schemes,
        rules,
        default,
        identity_headers,
        reserved: Reserved::new(compiler.reserved),
        errors: config.errors,
        cors_preflight: config.cors_preflight,
        token_endpoints: compiler.token_endpoints,
        sources: compiler.sources,
        introspections: compiler.introspections,
        own_routes,
        resources,
        mode: config.mode,
        filter_state: config.filter_state,
        clients: in_order(compiler.clients),
        passwords: config.passwords,
        max_path_bytes,
        cache: config.cache,
    };
    let mut warnings = config.openapi.document.map(|(imported, _)| imported.warnings).unwrap_or_default();
    warnings.extend(compiler.warnings.into_vec());
    Compiled { policy, warnings }
}

/// Names by their numbers.
fn in_order(numbered: BTreeMap<String, u8>) -> Vec<String> {
    let mut names: Vec<_> = numbered.into_iter().collect();
    insertion_sort(&mut names, |left, right| left.1 < right.1);
    names.into_iter().map(|(name, _)| name).collect()
}

/// What requests with some path need, if the answer to them may lead to a resource.
fn needs(config: &Config) -> Vec<Need> {
    if config.resources.is_empty() {
        return Vec::new();
    }
    let operations = config.openapi.document.iter().flat_map(|(imported, _)| &imported.rules);
    let written = config.rules.iter().flatten().filter_map(|rule| {
        let security = rule.security.as_ref()?.required()?.clone();
        Some(Need { path: Some(rule.matcher.as_ref()?.path.clone()), security })
    });
    let imported = operations.filter_map(|operation| {
        Some(Need { path: Some(operation.path.clone()), security: operation.security.clone()? })
    });
    let default = config.security.iter().map(|security| Need { path: None, security: security.clone() });
    written.chain(imported).chain(default).collect()
}

impl Compiler<'_> {
    /// The number of a condition among those of a scheme.
    fn condition(&self, scheme: SchemeId, condition: ClaimCondition) -> usize {
        let mut conditions = self.conditions.borrow_mut();
        while conditions.len() <= scheme.0 {
            conditions.push(Vec::new());
        }
        // There is a list for each number up to it.
        let Some(of_scheme) = conditions.get_mut(scheme.0) else { return usize::MAX };
        // As JSON no two of them have the same text.
        let key = json!([scheme.0, condition.claim.as_str(), condition.condition.to_json()]).to_string();
        let next = of_scheme.len();
        let number = *self.condition_numbers.borrow_mut().entry(key.into()).or_insert(next);
        if number == next {
            of_scheme.push(condition);
        }
        number
    }

    /// Gives each verifier what rules ask of its tokens.
    fn hand_out_conditions(&self, schemes: &mut [Scheme]) {
        for (scheme, conditions) in schemes.iter_mut().zip(self.conditions.take()) {
            if let SchemeKind::Token { verifier, .. } = &mut scheme.kind {
                verifier.set_conditions(conditions);
            }
        }
    }

    fn check_identity_headers(&self) {
        let path = Path::Root.key("identity_headers");
        for (index, name) in self.reserved.iter().enumerate() {
            if self.reserved.iter().take(index).any(|other| is_same_header(other.as_bytes(), name.as_bytes()))
            {
                self.errors.add(&path, format_args!("two of them are named `{name}`"));
            }
        }
    }

    /// The paths at which something else is served than the metadata of resources.
    fn own_paths(&self, pages: &[Page]) -> Vec<String> {
        let pages = pages.iter().flat_map(|page| std::iter::once(&page.path).chain(&page.files));
        pages.chain(self.token_endpoints.iter().map(|endpoint| &endpoint.path)).cloned().collect()
    }

    /// Two things may not be served at one path.
    fn check_served_paths(&self, pages: &[Page]) {
        for endpoint in &self.token_endpoints {
            let mut served = pages.iter().flat_map(|page| std::iter::once(&page.path).chain(&page.files));
            if served.any(|path| *path == endpoint.path) {
                let path = Path::Root.key("openapi");
                self.errors.add(&path, format_args!("{} is the token endpoint", endpoint.path));
            }
        }
    }

    fn users(&mut self, directories: Vec<(String, Vec<Option<UserConfig>>)>) {
        let root = Path::Root.key("users");
        for (name, users) in directories {
            let path = root.key(&name);
            let mut directory = UserDirectory::new(&name);
            for (index, user) in users.into_iter().enumerate() {
                let Some(user) = user else { continue };
                let UserConfig { username, disabled, mut scopes, password, .. } = user;
                if let Some(scopes) = &mut scopes {
                    self.implied.expand(scopes);
                }
                if !directory.insert(
                    username.clone(),
                    User { disabled, scopes, password, identity: IdentityMemo::default() },
                ) {
                    let message = format!("there is a user `{username}` already");
                    self.errors.add(&path.index(index).key("username"), message);
                }
            }
            self.users.insert(name, Rc::new(directory));
        }
    }

    /// The number of a client, which may have several keys; `None` if there are too many for separate stats.
    fn client(&mut self, id: &str) -> Option<u8> {
        if let Some(number) = self.clients.get(id) {
            return Some(*number);
        }
        let number = u8::try_from(self.clients.len()).ok()?;
        self.clients.insert(id.to_owned(), number);
        Some(number)
    }

    fn api_keys(&mut self, directories: Vec<(String, Vec<Option<ApiKeyConfig>>)>) {
        let root = Path::Root.key("api_keys");
        for (name, keys) in directories {
            let path = root.key(&name);
            let mut directory = ApiKeyDirectory::default();
            // What is remembered of a key takes more memory than the key itself.
            let remembers = keys.len() <= MOST_REMEMBERED;
            for (index, key) in keys.into_iter().enumerate() {
                let Some(key) = key else { continue };
                let ApiKeyConfig { id, sha256, mut scopes, not_after, disabled } = key;
                self.implied.expand(&mut scopes);
                let identity = remembers.then(IdentityMemo::default);
                let client = self.client(&id);
                let key = ApiKey { id, scopes, not_after, disabled, identity, client };
                if let Err(other) = directory.insert(sha256, key) {
                    let message = format!("the key of `{other}` again; make a key of its own");
                    self.errors.add(&path.index(index).key("sha256"), message);
                }
            }
            self.api_keys.insert(name, Rc::new(directory));
        }
    }
}

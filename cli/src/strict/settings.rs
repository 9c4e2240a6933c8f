//! Settings of the plugin itself.

use lychgate::config::Path;
use lychgate::password::PasswordHash;

use super::{Findings, items, resources, schemes, string, strings, tokens};
use crate::document::{Node, Tree};
use crate::find::Found;

const DAY: i64 = 86_400;

/// Judges a configuration without a fault.
pub(super) fn judge(found: &Found<'_>, tree: &Tree, findings: &mut Findings) {
    let mut judge = Judge { found, findings };
    judge.modes(&Path::Root, tree);
    judge.default(tree);
    for (index, rule) in items(tree, "rules") {
        let rules = Path::Root.key("rules");
        judge.rule(&rules.index(index), rule);
    }
    if tree.at(&["openapi", "unsecured"]).and_then(|node| node.value.text()) == Some("public") {
        let openapi = Path::Root.key("openapi");
        judge.add(
            &openapi.key("unsecured"),
            "an operation whose `security` was forgotten in the document needs no credential; leave this out, and \
             give each public operation `security: []` in the document",
        );
    }
    for (directory, users) in tree.get("users").map(|node| node.value.members()).unwrap_or_default() {
        let path = Path::Root.key("users");
        judge.users(&path.key(&directory.value), users);
    }
    for (name, scheme) in schemes(tree) {
        let path = Path::Root.key("schemes");
        judge.scheme(&path.key(name), scheme, resources::hold(tree, name));
    }
}

struct Judge<'f> {
    found: &'f Found<'f>,
    findings: &'f mut Findings,
}

impl Judge<'_> {
    fn add(&mut self, path: &Path<'_>, message: &str) {
        self.findings.inside(self.found, path, message);
    }

    /// `mode` and `optional`, of the whole and of a rule.
    fn modes(&mut self, path: &Path<'_>, tree: &Tree) {
        if string(tree, "mode") == Some("dry_run") {
            self.add(
                &path.key("mode"),
                "no request is refused here: one passes with a forged credential or with none; remove it once the \
                 log shows the refusals that are meant",
            );
        }
        if string(tree, "optional") == Some("ignore_invalid") {
            self.add(
                &path.key("optional"),
                "a forged or revoked credential is taken for none, so guessing is never refused; remove it unless the \
                 service needs it",
            );
        }
    }

    fn users(&mut self, path: &Path<'_>, users: &Node) {
        for (index, user) in users.value.items().iter().enumerate() {
            let hash = string(&user.value, "password").and_then(|text| PasswordHash::parse(text).ok());
            if let Some(weakness) = hash.and_then(|hash| hash.weakness()) {
                let at = path.index(index);
                let message = format!("cheap to guess for a reader of the file: {weakness}");
                self.add(&at.key("password"), &message);
            }
        }
    }

    fn default(&mut self, tree: &Tree) {
        if tree.get("security").is_some_and(is_open) {
            self.add(
                &Path::Root.key("security"),
                "a path that no rule names, a new or a misspelt one, is served without a credential; require one here, \
                 and give each public path a rule of its own",
            );
        }
    }

    fn rule(&mut self, path: &Path<'_>, rule: &Tree) {
        self.modes(path, rule);
        if rule.get("security").is_some_and(is_open) && matches_everything(rule) {
            self.add(
                &path.key("security"),
                "every path that no rule above names is served without a credential; give each public path a rule of \
                 its own",
            );
        }
    }

    fn scheme(&mut self, path: &Path<'_>, scheme: &Tree, is_held: bool) {
        let Some((key, tokens)) = tokens(scheme) else { return };
        let issue = scheme.get("issue").map(|node| &node.value);
        if !is_held {
            self.audiences(&path.key(key), tokens, issue.is_some());
        }
        self.tokens(&path.key(key), tokens);
        if let Some(issue) = issue {
            self.issue(&path.key("issue"), issue);
        }
    }

    fn audiences(&mut self, path: &Path<'_>, tokens: &Tree, issues: bool) {
        if tokens.get("audiences").is_none() {
            let message = if issues {
                "missing: a token that was signed with the same key for another service is accepted here; name this \
                 service, and the tokens that are issued here name it too"
            } else {
                "missing: a token that its issuer made for another service is accepted here; name this service as \
                 the issuer names it in `aud`"
            };
            self.add(&path.key("audiences"), message);
        }
    }

    fn tokens(&mut self, path: &Path<'_>, tokens: &Tree) {
        if tokens.get("remote_jwks").is_some() && tokens.get("issuer").is_none() {
            self.add(
                &path.key("issuer"),
                "missing: a token by any issuer that signs with a key of the fetched set is accepted; name the one \
                 that vouches for your callers",
            );
        }
        if strings(tokens, "required_claims").is_some_and(|claims| !claims.contains(&"exp"))
            && path_is_of_jwt(path)
        {
            self.add(
                &path.key("required_claims"),
                "without `exp`: a token that names no end, a stolen one too, is accepted for ever; add `exp`",
            );
        }
        if tokens.at(&["revocation", "on_outage"]).and_then(|node| node.value.text()) == Some("accept") {
            let revocation = path.key("revocation");
            self.add(
                &revocation.key("on_outage"),
                "a revoked token is accepted while the list cannot be had, and an attacker may see to that; take \
                 `refuse`",
            );
        }
        if let Some(secret) = tokens.get("client_secret") {
            self.secret(&path.key("client_secret"), secret, "ask the issuer in the name of Lychgate");
        }
        self.local_keys(path, tokens);
        for (index, issuer) in items(tokens, "issuers") {
            let issuers = path.key("issuers");
            self.local_keys(&issuers.index(index), issuer);
        }
    }

    fn local_keys(&mut self, path: &Path<'_>, holder: &Tree) {
        for (index, key) in items(holder, "keys") {
            let keys = path.key("keys");
            let at = keys.index(index);
            if let Some(secret) = key.get("secret") {
                self.secret(&at.key("secret"), secret, FORGE);
            }
            if let Some(jwk) = key.get("jwk") {
                self.jwk(&at.key("jwk"), &jwk.value);
            }
            // A private key in the configuration itself is a fault; the file may still give it to the variable.
            let variable = key.get("pem").and_then(|pem| string(&pem.value, "env"));
            let given = self.found.environment.iter().find(|(own, _)| Some(own.as_str()) == variable);
            if given.is_some_and(|(_, value)| value.contains("PRIVATE KEY-----")) {
                let pem = at.key("pem");
                self.inline(&pem.key("env"), FORGE, FROM_OUTSIDE);
            }
        }
        if let Some(jwks) = holder.get("jwks") {
            for (index, jwk) in items(&jwks.value, "keys") {
                let jwks = path.key("jwks");
                let keys = jwks.key("keys");
                self.jwk(&keys.index(index), jwk);
            }
        }
    }

    fn jwk(&mut self, path: &Path<'_>, jwk: &Tree) {
        if string(jwk, "kty") == Some("oct") {
            self.inline(&path.key("k"), FORGE, "take a key with `secret: {env: NAME}`");
        }
    }

    fn secret(&mut self, path: &Path<'_>, secret: &Node, what: &str) {
        match string(&secret.value, "env") {
            None => self.inline(path, what, "take `{env: NAME}`"),
            Some(name) if self.found.environment.iter().any(|(own, _)| own == name) => {
                self.inline(&path.key("env"), what, FROM_OUTSIDE);
            }
            Some(_) => {}
        }
    }

    fn inline(&mut self, path: &Path<'_>, what: &str, remedy: &str) {
        let message = format!(
            "the secret is in the file: a reader of it, or of Envoy's /config_dump, can {what}; {remedy}"
        );
        self.findings.inside(self.found, path, message);
    }

    fn issue(&mut self, path: &Path<'_>, issue: &Tree) {
        let lifetime = issue.get("expires_in").and_then(|node| node.value.number());
        if lifetime.is_some_and(|seconds| seconds > DAY) {
            self.add(
                &path.key("expires_in"),
                "more than a day: a stolen token opens the service all that time, also after its user has a new \
                 password; take an hour or less",
            );
        }
        for (index, client) in items(issue, "clients") {
            let clients = path.key("clients");
            let at = clients.index(index);
            if let Some(secret) = client.get("client_secret") {
                self.secret(&at.key("client_secret"), secret, "ask for tokens as this client");
            }
        }
    }
}

const FROM_OUTSIDE: &str = "have its value come from the proxy's own environment";
const FORGE: &str = "sign a token for any subject";

/// Whether a request without a credential passes: no requirement, or an empty one among the alternatives.
fn is_open(security: &Node) -> bool {
    let alternatives = security.value.items();
    alternatives.is_empty() || alternatives.iter().any(|one| one.value.members().is_empty())
}

/// Whether a rule is for every path, method and host.
fn matches_everything(rule: &Tree) -> bool {
    let Some(matcher) = rule.get("match") else { return true };
    let narrowing = ["methods", "hosts", "not", "client", "headers"];
    let is_narrowed = narrowing.iter().any(|key| matcher.value.get(key).is_some());
    let text = |key| string(&matcher.value, key);
    let is_rest = |path: &str| {
        let name = path.strip_prefix("/{").and_then(|rest| rest.strip_suffix(":path}"));
        name.is_some_and(|name| !name.contains(['{', '}', '/']))
    };
    !is_narrowed
        && text("path").is_none_or(is_rest)
        && text("prefix").is_none_or(|prefix| matches!(prefix, "/" | "/*"))
        && text("regex").is_none_or(|regex| matches!(regex, ".*" | "/.*"))
}

/// An introspection's answer is asked for anew; it needs no `exp`.
fn path_is_of_jwt(path: &Path<'_>) -> bool {
    matches!(path, Path::Key(_, "jwt"))
}

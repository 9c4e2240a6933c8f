//! Rules: patterns compiled, requirements resolved.

use std::collections::HashSet;

use super::Compiler;
use crate::config::openapi::import::ImportedRule;
use crate::config::{MatchConfig, OnInvalid, Path, PathConfig, RuleConfig, RuleSecurity, SecurityConfig};
use crate::host::label_value;
use crate::http_syntax::is_same_header;
use crate::policy::requirement::{Alternative, Requirement};
use crate::policy::rules::{HostPattern, Narrowing, PathMatcher, Rule, Rules, TooCostly};

/// What a rule without a name is called: what it matches, as far as a stat can hold it.
pub(super) fn name_of(path: &PathConfig, methods: Option<&[String]>, hosts: Option<&[String]>) -> String {
    let path = match path {
        PathConfig::Template(path) | PathConfig::Prefix(path) | PathConfig::Regex(path) => path.as_str(),
        PathConfig::Beginning(text) => &format!("{text}*"),
    };
    let methods = methods.map(|methods| format!("{} ", methods.join(","))).unwrap_or_default();
    label_value(&format!("{methods}{}{path}", hosts.map(|hosts| hosts.join(",")).unwrap_or_default()))
}

/// Gives rules without a name that are called alike their number besides. Names that were given stay:
/// rules that share one are counted together.
pub(super) fn tell_apart(rules: &mut [Rule]) {
    let mut seen = HashSet::new();
    for (number, rule) in rules.iter_mut().enumerate() {
        if !rule.is_named && !seen.insert(rule.name.clone()) {
            rule.name = format!("{} [{number}]", rule.name);
        }
    }
}

/// The path conditions of rules and operations that name HEAD. Where none does for a path, its GET covers HEAD.
#[derive(Default)]
pub(super) struct NamesHead(HashSet<String>);

impl NamesHead {
    pub(super) fn of(rules: &[Option<RuleConfig>], operations: &[ImportedRule]) -> Self {
        let names = |methods: &[String]| methods.iter().any(|method| method == "HEAD");
        let matchers = rules.iter().flatten().filter_map(|rule| rule.matcher.as_ref());
        let written = matchers.filter(|own| own.methods.as_deref().is_some_and(names)).map(|own| &own.path);
        let imported = operations.iter().filter(|own| names(&own.methods)).map(|own| &own.path);
        Self(written.chain(imported).map(PathConfig::key).collect())
    }

    pub(super) fn is_covered_at(&self, path: &PathConfig) -> bool {
        !self.0.contains(&path.key())
    }
}

impl Compiler<'_> {
    pub(super) fn rules(
        &self,
        rules: Vec<Option<RuleConfig>>,
        names_head: &NamesHead,
        on_invalid: OnInvalid,
    ) -> Vec<Rule> {
        let root = Path::Root.key("rules");
        let mut compiled = Vec::with_capacity(rules.len());
        for (index, rule) in rules.into_iter().enumerate() {
            let path = root.index(index);
            let Some(RuleConfig { matcher, security, on_invalid: own, name, mode }) = rule else { continue };
            let ignores_invalid = own.unwrap_or(on_invalid) == OnInvalid::Ignore;
            let requirement = security.map(|security| match security {
                RuleSecurity::Required(security) => self.requirement(&path.key("security"), security),
                RuleSecurity::Denied => Requirement::denied(),
            });
            let Some(matching) = matcher else { continue };
            for (name, _) in &matching.headers {
                if self.reserved.iter().any(|own| is_same_header(own.as_bytes(), name.as_bytes())) {
                    let headers = path.key("match");
                    self.errors.add(
                        &headers.key("headers"),
                        format_args!(
                            "`{name}` is the filter's own: what a client sends in it is removed, and is no condition"
                        ),
                    );
                }
            }
            let narrowing = Narrowing::of(&matching).map(Box::new);
            let MatchConfig { path: condition, methods, hosts, allow, .. } = matching;
            let matcher = self.path_matcher(&path.key("match"), &condition);
            let (Some(matcher), Some(requirement)) = (matcher, requirement) else { continue };
            let is_named = name.is_some();
            let name = name.unwrap_or_else(|| name_of(&condition, methods.as_deref(), hosts.as_deref()));
            let hosts = hosts.map(|hosts| hosts.iter().map(|host| HostPattern::new(host)).collect());
            let requirement = Some(requirement.ignoring_invalid(ignores_invalid));
            let covers_head = names_head.is_covered_at(&condition);
            compiled.push(Rule {
                path: matcher,
                methods,
                covers_head,
                hosts,
                narrowing,
                allow,
                requirement,
                name,
                is_named,
                mode,
            });
        }
        compiled
    }

    /// The rules, ready to be looked up; those of a document come behind those that are `written`, and those for deeper
    /// paths at the end. Where a rule is missing because of an error of its own, none is to be held against its number.
    pub(super) fn index(
        &self,
        rules: Vec<Rule>,
        max_path_bytes: usize,
        written: usize,
        imported: &[ImportedRule],
        neighbours: bool,
    ) -> Rules {
        let deeper = written.saturating_add(imported.len());
        let is_whole = rules.len() >= deeper;
        let neighbours = neighbours.then_some(written);
        Rules::with_beyond(rules, deeper, neighbours, max_path_bytes).unwrap_or_else(
            |TooCostly { rule, why }| {
                let place = rule.checked_sub(written).and_then(|number| imported.get(number));
                let root = Path::Root.key("rules");
                match place {
                    _ if !is_whole => self.errors.add(&root, why),
                    Some(operation) => self.errors.add(&Path::Text(&operation.place), why),
                    None => self.errors.add(&root.index(rule).key("match"), why),
                }
                Rules::default()
            },
        )
    }

    pub(super) fn path_matcher(&self, path: &Path<'_>, condition: &PathConfig) -> Option<PathMatcher> {
        let key = match condition {
            PathConfig::Template(_) => "path",
            PathConfig::Prefix(_) | PathConfig::Beginning(_) => "prefix",
            PathConfig::Regex(_) => "regex",
        };
        let matcher = PathMatcher::new(condition);
        let matcher = matcher.map_err(|error| match condition {
            PathConfig::Regex(_) => format!("not a regular expression: {error}"),
            PathConfig::Template(_) | PathConfig::Prefix(_) | PathConfig::Beginning(_) => error.to_owned(),
        });
        let matcher = self.errors.check(&path.key(key), matcher)?;
        if let PathMatcher::Regex(pattern) = &matcher {
            if !pattern.can_begin_a_path() {
                self.errors.add(&path.key(key), "can never match: a path begins with `/`");
            }
            if pattern.names_a_query() {
                self.warnings.add(
                    &path.key(key),
                    "the query is no part of the path that is matched; `?` matches a percent-encoded one alone",
                );
            }
        }
        Some(matcher)
    }

    pub(super) fn requirement(&self, path: &Path<'_>, security: SecurityConfig) -> Requirement {
        let mut alternatives = Vec::with_capacity(security.len());
        for (index, schemes) in security.into_iter().enumerate() {
            let path = path.index(index);
            let mut terms = Vec::with_capacity(schemes.len());
            for (name, need) in schemes {
                match self.scheme_ids.get(&name) {
                    Some(&scheme) => terms.push(self.term(&path.key(&name), scheme, need)),
                    None => {
                        let known: Vec<_> = self.scheme_ids.keys().cloned().collect();
                        let remedy = if self.described.contains(&name) {
                            "; the document describes it, `schemes` has to say how it is verified"
                        } else if name.contains([':', '/']) {
                            "; a URI is not followed"
                        } else {
                            ""
                        };
                        let message = format!("no such scheme; there are: [{}]{remedy}", known.join(", "));
                        self.errors.add(&path.key(&name), message);
                    }
                }
            }
            alternatives.push(Alternative { terms });
        }
        Requirement::new(alternatives)
    }
}

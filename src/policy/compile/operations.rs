//! The operations of an OpenAPI document, and what is near them.

use std::collections::HashSet;

use super::Compiler;
use super::rules::{NamesHead, name_of};
use crate::config::openapi::import::{Deeper, Imported, ImportedRule};
use crate::config::{OnInvalid, OpenApiConfig, Path, PathConfig, SecurityConfig, Unsecured};
use crate::policy::Undecided;
use crate::policy::requirement::Requirement;
use crate::policy::rules::{PathMatcher, Rule, Rules};

impl Compiler<'_> {
    /// The operations as rules, which come after those written by hand.
    pub(super) fn operations(
        &mut self,
        openapi: &OpenApiConfig,
        names_head: &NamesHead,
        on_invalid: OnInvalid,
    ) -> Vec<Rule> {
        let Some((imported, _)) = &openapi.document else { return Vec::new() };
        self.described = imported.schemes.iter().map(|scheme| scheme.name.clone()).collect();
        let mut warned_of = HashSet::new();
        let mut rules = Vec::with_capacity(imported.rules.len());
        for operation in &imported.rules {
            let path = Path::Text(&operation.place);
            let requirement = match (&operation.security, openapi.unsecured) {
                (Some(security), _) => {
                    Some(self.checkable(imported, operation, security.clone(), &mut warned_of))
                }
                (None, Unsecured::Public) => Some(Requirement::new(Vec::new())),
                (None, Unsecured::Default) => None,
            };
            let ignores_invalid = on_invalid == OnInvalid::Ignore;
            let Some(matcher) = self.path_matcher(&path, &operation.path) else { continue };
            rules.push(Rule {
                methods: Some(operation.methods.clone()),
                covers_head: names_head.is_covered_at(&operation.path),
                requirement: requirement.map(|requirement| requirement.ignoring_invalid(ignores_invalid)),
                name: name_of(&operation.path, Some(&operation.methods), None),
                ..Rule::new(matcher)
            });
        }
        rules
    }

    /// What an operation needs, without the alternatives of which no credential can be checked.
    fn checkable(
        &self,
        imported: &Imported,
        operation: &ImportedRule,
        security: SecurityConfig,
        warned_of: &mut HashSet<String>,
    ) -> Requirement {
        // What a whole document needs is named at the document.
        let place = Path::Text(&operation.security_place);
        let is_known = |name: &str| self.scheme_ids.contains_key(name);
        let unverifiable = |name: &str| imported.unverifiable(name, is_known);
        let left = imported.checkable(&security, is_known);
        if left.len() == security.len() {
            return self.requirement(&place, security);
        }
        for scheme in security.iter().flatten().filter_map(|(name, _)| unverifiable(name)) {
            if warned_of.insert(scheme.place.clone()) {
                let kind = scheme.unverifiable.as_deref().unwrap_or_default();
                let message = format!(
                    "`{kind}` cannot be checked here: where it is one of several alternatives, it is left out"
                );
                self.warnings.add(&Path::Text(&scheme.place), message);
            }
        }
        if left.is_empty() {
            if warned_of.insert(operation.security_place.clone()) {
                self.warnings
                    .add(&place, "is refused to everyone: none of its alternatives can be checked here");
            }
            return Requirement::denied();
        }
        self.requirement(&place, left)
    }

    /// Rules for the paths below an operation that ends in a parameter, which the application may take as part of it.
    /// They need what the operation needs, and what they would need without it.
    pub(super) fn deeper(
        &self,
        operations: &[ImportedRule],
        rules: &[Rule],
        default: Option<&Requirement>,
        neighbours: bool,
    ) -> Vec<Rule> {
        let Some(default) = default else { return Vec::new() };
        let is_meant = |operation: &ImportedRule| match operation.deeper {
            Deeper::Likely => true,
            Deeper::Possible => neighbours && default.allows_anonymous(),
            Deeper::No => false,
        };
        let meant = operations.iter().zip(rules).filter(|(operation, _)| is_meant(operation));
        let deeper = meant.filter_map(|(operation, rule)| {
            let PathConfig::Template(template) = &operation.path else { return None };
            let (parameter, _) = template.rsplit_once('}')?;
            Some(Rule {
                methods: rule.methods.clone(),
                covers_head: rule.covers_head,
                requirement: Some(
                    rule.requirement.as_ref().map_or_else(|| default.clone(), |own| own.and(default)),
                ),
                name: rule.name.clone(),
                is_named: true,
                ..Rule::new(PathMatcher::template(&format!("{parameter}:path}}")).ok()?)
            })
        });
        deeper.collect()
    }

    /// Warns of each operation that needs a credential and may be had without one, if the application takes a path that
    /// is nearly its own for it.
    pub(super) fn warn_of_open_neighbours(
        &self,
        operations: &[ImportedRule],
        rules: &Rules,
        default: Option<&Requirement>,
    ) {
        let is_open = |method: &str, path: &str| match rules.find(method.as_bytes(), b"", path) {
            Ok(Some((_, rule))) => {
                rule.requirement.as_ref().or(default).is_some_and(Requirement::allows_anonymous)
            }
            Ok(None) => default.is_some_and(Requirement::allows_anonymous),
            Err(Undecided::Reading | Undecided::Client | Undecided::Header) => false,
        };
        for operation in operations {
            let PathConfig::Template(path) = &operation.path else { continue };
            let method = operation.methods.first().map(String::as_str).unwrap_or_default();
            if is_open(method, path) {
                continue;
            }
            let slash = match path.strip_suffix('/') {
                Some("") => path.clone(),
                Some(path) => path.to_owned(),
                None => format!("{path}/"),
            };
            let is_near = |near: &String| near != path && is_open(method, near);
            // An operation beside it may have the last segment as a parameter.
            let last =
                path.rsplit_once('/').map(|(head, last)| format!("{head}/{}", last.to_ascii_uppercase()));
            let cases = [Some(path.to_ascii_uppercase()), Some(path.to_ascii_lowercase()), last];
            let cased = cases.into_iter().flatten().find(is_near);
            let mut open = Vec::new();
            open.extend((method == "GET" && is_open("HEAD", path)).then(|| "HEAD".to_owned()));
            open.extend(Some(slash).filter(is_near));
            open.extend(cased);
            if !open.is_empty() {
                let message = format!(
                    "needs a credential, and these need none, which the application may take for it: {}; \
                     `openapi.neighbours: same` asks what it needs where no other operation has the path, and a rule in \
                     `rules` where one has",
                    open.join(", ")
                );
                self.warnings.add(&Path::Text(&operation.place), message);
            }
        }
    }
}

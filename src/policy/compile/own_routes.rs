//! Which rules speak of the filter's own routes, and a warning where none of them does that should.

use super::Compiler;
use crate::config::Path;
use crate::config::openapi::Page;
use crate::config::openapi::import::ImportedRule;
use crate::policy::own_routes::{OwnRoutes, is_public};
use crate::policy::requirement::{Requirement, Term};
use crate::policy::rules::Rule;

impl Compiler<'_> {
    /// `written` of the rules are no operations of a document.
    pub(super) fn own_routes(
        &mut self,
        pages: &[Page],
        rules: &[Rule],
        written: usize,
        operations: &[ImportedRule],
        default: Option<&Requirement>,
    ) -> OwnRoutes {
        let mut routes = OwnRoutes::default();
        // Those for deeper paths, behind them, speak of nothing in particular.
        let rules = rules.get(..written.saturating_add(operations.len())).unwrap_or(rules);
        for page in pages {
            let of_page = speaking(rules, &page.path, |_| true);
            for file in &page.files {
                let of_file = speaking(rules, file, |_| true);
                // What belongs to a page is no more public than the page.
                routes.add(file, if of_file.is_empty() { of_page.clone() } else { of_file });
            }
            if of_page.is_empty() {
                let openapi = Path::Root.key("openapi");
                self.warn_of_public(&openapi.key(page.key), &page.path, rules.iter(), default);
            }
            routes.add(&page.path, of_page);
        }
        let endpoints: Vec<_> = self
            .token_endpoints
            .iter()
            .map(|endpoint| (endpoint.path.clone(), endpoint.scheme.clone()))
            .collect();
        for (path, scheme) in endpoints {
            let (written, of_document) = rules.split_at_checked(written).unwrap_or((rules, &[]));
            // A client cannot need a token to get its first token.
            let own = self.scheme_ids.get(&scheme);
            let asks_for_it = |rule: &Rule| {
                let mut terms = rule.requirement.iter().flat_map(Requirement::terms);
                terms.any(|term| Some(&term.scheme) == own)
            };
            let mut of_endpoint = speaking(written, &path, |rule| rule.path.is_one() || !asks_for_it(rule));
            let number = written.len();
            for (number, (operation, rule)) in (number..).zip(operations.iter().zip(of_document)) {
                let is_login = rule.path.is_one() && operation.methods.iter().any(|method| method == "POST");
                if !is_login || !rule.path.matches(&path) || operation.security.is_none() {
                    continue;
                }
                let alternatives =
                    rule.requirement.as_ref().map(Requirement::alternatives).unwrap_or_default();
                let is_for_tokens = |terms: &[Term]| terms.iter().any(|term| Some(&term.scheme) == own);
                let needs_one = !alternatives.is_empty()
                    && alternatives.iter().all(|alternative| is_for_tokens(&alternative.terms));
                if !asks_for_it(rule) || (!needs_one && !operation.is_inherited) {
                    of_endpoint.push(number);
                } else if !operation.is_inherited {
                    let message = "asks for a token where tokens are issued, so that no client could log in; leave its \
                                   `security` empty";
                    self.errors.add(&Path::Text(&operation.security_place), message);
                }
            }
            if of_endpoint.is_empty() {
                let schemes = Path::Root.key("schemes");
                let scheme = schemes.key(&scheme);
                let others = written.iter().filter(|rule| !asks_for_it(rule));
                self.warn_of_public(&scheme.key("issue"), &path, others, default);
            }
            routes.add(&path, of_endpoint);
        }
        routes
    }

    fn warn_of_public<'r>(
        &self,
        at: &Path<'_>,
        path: &str,
        mut rules: impl Iterator<Item = &'r Rule>,
        default: Option<&Requirement>,
    ) {
        if let Some(rule) = rules.find(|rule| rule.path.matches(path))
            && !is_public(rule, default)
        {
            let message = format!(
                "{path} is public, though the rule `{}` that covers it is not; give it a rule of its own, \
                 {{match: {{path: {path}}}, security: ...}}, with `[]` if it is meant to be",
                rule.name
            );
            self.warnings.add(at, message);
        }
    }
}

/// The rules, by their numbers, that speak of `path` in particular, and not of everything.
fn speaking(rules: &[Rule], path: &str, counts: impl Fn(&Rule) -> bool) -> Vec<usize> {
    let speaks = |rule: &Rule| !rule.path.is_catch_all() && rule.path.matches(path) && counts(rule);
    rules.iter().enumerate().filter(|(_, rule)| speaks(rule)).map(|(number, _)| number).collect()
}

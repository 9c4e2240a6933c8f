//! `resources`: metadata made of the rules, and tokens held to their audience.

use std::collections::HashSet;

use serde_json::{Map, Value, json};

use super::Compiler;
use crate::claim::{ClaimCondition, ClaimReference, Condition, Scalar};
use crate::config::{Path, PathConfig, ResourceConfig, SecurityConfig};
use crate::policy::resources::Resource;
use crate::policy::scheme::{Scheme, SchemeKind};
use crate::token::{TrustAnchor, dpop_algorithms};

/// What requests with some path need.
pub(super) struct Need {
    /// The path; `None`: any that no rule is for.
    pub path: Option<PathConfig>,
    /// What they need.
    pub security: SecurityConfig,
}

impl Compiler<'_> {
    pub(super) fn resources(
        &self,
        resources: &[Option<ResourceConfig>],
        needs: &[Need],
        schemes: &[Scheme],
        own_paths: &[String],
    ) -> Vec<Resource> {
        let root = Path::Root.key("resources");
        let mut compiled: Vec<Resource> = Vec::new();
        for (index, resource) in resources.iter().enumerate() {
            let Some(config) = resource else { continue };
            let place = root.index(index);
            let resource = self.resource(&place, config, needs, schemes);
            let is_taken = |path: &String| *path == resource.metadata_path;
            if own_paths.iter().any(is_taken) || compiled.iter().any(|other| is_taken(&other.metadata_path)) {
                let message = format!("{} is served from something else already", resource.metadata_path);
                self.errors.add(&place.key("resource"), message);
            }
            if compiled.iter().any(|other| other.path == resource.path) {
                self.errors.add(&place, "another resource has the same path; give each its own `path`");
            }
            compiled.push(resource);
        }
        compiled
    }

    fn resource(
        &self,
        place: &Path<'_>,
        config: &ResourceConfig,
        needs: &[Need],
        schemes: &[Scheme],
    ) -> Resource {
        let path = config.path.trim_end_matches('/').to_owned();
        let needs: Vec<_> = needs.iter().filter(|need| may_be_below(need.path.as_ref(), &path)).collect();
        let named = needs.iter().flat_map(|need| need.security.iter().flatten());
        let named: Vec<_> = named.filter(|(name, _)| self.scheme_ids.contains_key(name)).collect();
        let used: Vec<&Scheme> = schemes
            .iter()
            .filter(|scheme| scheme.kind.is_token() && named.iter().any(|(name, _)| *name == scheme.name))
            .collect();
        let servers = config.authorization_servers.clone().unwrap_or_else(|| issuers(&used));
        if servers.is_empty() {
            let message = "no issuer of a token scheme below its path is known; name `authorization_servers`";
            self.warnings.add(place, message);
        }
        for scheme in &used {
            if scheme.missing_status != 401 {
                let message = format!(
                    "a missing token is answered with {}, and clients log in only after 401: set `missing_status: 401` in \
                     `schemes.{}`",
                    scheme.missing_status, scheme.name
                );
                self.warnings.add(place, message);
            }
        }
        let scopes = config.scopes_supported.clone().unwrap_or_else(|| {
            let mut known = HashSet::new();
            let scopes = named.iter().flat_map(|(_, need)| &need.scopes);
            scopes.filter(|scope| known.insert((*scope).clone())).cloned().collect()
        });
        let metadata_path = config.metadata_path();
        Resource {
            path,
            metadata_url: format!("{}{metadata_path}", config.origin()),
            metadata_path,
            metadata: metadata(config, servers, scopes, &used).to_string().into_bytes(),
            audiences: schemes.iter().map(|scheme| self.audience(place, scheme, config, &used)).collect(),
        }
    }

    /// The condition that a token names the resource.
    fn audience(
        &self,
        place: &Path<'_>,
        scheme: &Scheme,
        config: &ResourceConfig,
        used: &[&Scheme],
    ) -> Option<usize> {
        let SchemeKind::Token { verifier, .. } = &scheme.kind else { return None };
        if verifier.accepts().1.is_some() {
            return None;
        }
        let is_issued = self.token_endpoints.iter().any(|endpoint| endpoint.scheme == scheme.name);
        if is_issued && used.iter().any(|used| used.name == scheme.name) {
            let message = format!(
                "tokens that `schemes.{}` issues do not name it in `aud`: name `audiences` there, this resource among them",
                scheme.name
            );
            self.errors.add(place, message);
        }
        let mut accepted = vec![Scalar::Text(config.resource.clone())];
        // Without a path the two are the same URI, and clients write either.
        match config.resource.strip_suffix('/') {
            Some(shorter) if config.origin() == shorter => accepted.push(Scalar::Text(shorter.to_owned())),
            None if config.origin() == config.resource => {
                accepted.push(Scalar::Text(format!("{}/", config.resource)))
            }
            Some(_) | None => {}
        }
        let condition =
            ClaimCondition { claim: ClaimReference::named("aud"), condition: Condition::OneOf(accepted) };
        self.scheme_ids.get(&scheme.name).map(|id| self.condition(*id, condition))
    }
}

/// Whether a rule may be for a request below `path`. What an expression is for is not known.
fn may_be_below(rule: Option<&PathConfig>, path: &str) -> bool {
    let is_below = |upper: &str, lower: &str| {
        lower.strip_prefix(upper).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    match rule {
        None | Some(PathConfig::Regex(_)) => true,
        Some(PathConfig::Template(template)) => {
            let literal = template.split('{').next().unwrap_or_default();
            is_below(path, template) || (template.contains('{') && path.starts_with(literal))
        }
        Some(PathConfig::Beginning(text)) => text.starts_with(path) || path.starts_with(text.as_str()),
        Some(PathConfig::Prefix(prefix)) => {
            let prefix = prefix.trim_end_matches('/');
            is_below(path, prefix) || is_below(prefix, path)
        }
    }
}

/// The issuers of these schemes, each once. One with a placeholder is no place to log in at.
fn issuers(schemes: &[&Scheme]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for scheme in schemes {
        let SchemeKind::Token { verifier, .. } = &scheme.kind else { continue };
        let of_scheme: Vec<_> = match verifier.accepts().0 {
            TrustAnchor::Issuers(issuers) => {
                issuers.iter().filter_map(|issuer| issuer.name.as_ref()).collect()
            }
            TrustAnchor::Introspection(_, issuer) => issuer.iter().collect(),
        };
        for name in of_scheme.into_iter().filter(|name| name.placeholders().next().is_none()) {
            if !names.iter().any(|own| own == name.as_str()) {
                names.push(name.as_str().to_owned());
            }
        }
    }
    names
}

/// RFC 9728 section 2.
fn metadata(config: &ResourceConfig, servers: Vec<String>, scopes: Vec<String>, used: &[&Scheme]) -> Value {
    let mut document = Map::new();
    document.insert("resource".into(), config.resource.as_str().into());
    if !servers.is_empty() {
        document.insert("authorization_servers".into(), servers.into());
    }
    if !scopes.is_empty() {
        document.insert("scopes_supported".into(), scopes.into());
    }
    if let Some(name) = &config.resource_name {
        document.insert("resource_name".into(), name.as_str().into());
    }
    document.insert("bearer_methods_supported".into(), json!(["header"]));
    if used.iter().any(|scheme| scheme.dpop_location.is_some()) {
        let algorithms: Vec<_> = dpop_algorithms().split(' ').map(str::to_owned).collect();
        document.insert("dpop_signing_alg_values_supported".into(), algorithms.into());
    }
    if !used.is_empty() && used.iter().all(|scheme| scheme.needs_dpop()) {
        document.insert("dpop_bound_access_tokens_required".into(), true.into());
    }
    Value::Object(document)
}

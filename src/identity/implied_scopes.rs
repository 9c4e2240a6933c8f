//! A hierarchy of scopes: what each grants besides.

use std::collections::{BTreeMap, BTreeSet};

/// For each scope all scopes that it grants besides, in the end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImpliedScopes(BTreeMap<String, Vec<String>>);

impl ImpliedScopes {
    /// The hierarchy of these steps.
    ///
    /// # Errors
    /// A scope that grants itself in the end.
    pub fn new(steps: &[(String, Vec<String>)]) -> Result<Self, String> {
        let direct: BTreeMap<&str, &[String]> =
            steps.iter().map(|(scope, implied)| (scope.as_str(), implied.as_slice())).collect();
        let mut all = BTreeMap::new();
        for (scope, _) in steps {
            let mut seen = BTreeSet::new();
            let mut implied = Vec::new();
            let mut open: Vec<&str> = vec![scope];
            while let Some(next) = open.pop() {
                for further in direct.get(next).copied().unwrap_or_default() {
                    if further == scope {
                        return Err(scope.clone());
                    }
                    if seen.insert(further.as_str()) {
                        implied.push(further.clone());
                        open.push(further);
                    }
                }
            }
            all.insert(scope.clone(), implied);
        }
        Ok(Self(all))
    }

    /// Adds to `scopes` what they grant besides, each scope once.
    pub fn expand(&self, scopes: &mut Vec<String>) {
        if self.0.is_empty() {
            return;
        }
        let mut seen: BTreeSet<String> = scopes.iter().cloned().collect();
        let given = scopes.len();
        for number in 0..given {
            let implied = scopes.get(number).and_then(|scope| self.0.get(scope));
            for scope in implied.into_iter().flatten() {
                if seen.insert(scope.clone()) {
                    scopes.push(scope.clone());
                }
            }
        }
    }
}

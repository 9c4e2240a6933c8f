//! A hierarchy of scopes: what each grants besides.

/// For each scope all scopes that it grants besides, in the end. A list: a hierarchy has few steps.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImpliedScopes(Vec<(String, Vec<String>)>);

/// What `scope` grants in a list of steps.
fn implied<'s>(steps: &'s [(String, Vec<String>)], scope: &str) -> &'s [String] {
    let found = steps.iter().find(|(own, _)| own == scope);
    found.map(|(_, implied)| implied.as_slice()).unwrap_or_default()
}

impl ImpliedScopes {
    /// The hierarchy of these steps.
    ///
    /// # Errors
    /// A scope that grants itself in the end.
    pub fn new(steps: &[(String, Vec<String>)]) -> Result<Self, String> {
        let mut all = Vec::new();
        for (scope, direct) in steps {
            let mut granted: Vec<String> = Vec::new();
            let mut open: Vec<&String> = direct.iter().collect();
            while let Some(next) = open.pop() {
                if next == scope {
                    return Err(scope.clone());
                }
                if !granted.contains(next) {
                    granted.push(next.clone());
                    open.extend(implied(steps, next));
                }
            }
            all.push((scope.clone(), granted));
        }
        Ok(Self(all))
    }

    /// Adds to `scopes` what they grant besides, each scope once.
    pub fn expand(&self, scopes: &mut Vec<String>) {
        for (scope, granted) in &self.0 {
            if scopes.contains(scope) {
                for further in granted {
                    if !scopes.contains(further) {
                        scopes.push(further.clone());
                    }
                }
            }
        }
    }
}

//! Where a request was decided: its labels in stats, logs and filter state.

/// The rule that a request was decided by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum RuleId {
    /// It is not known which one is meant.
    #[default]
    Unknown,
    /// This one of the policy's rules.
    Rule(usize),
    /// None of them, so what is needed by default.
    Default,
    /// None of them, and there is no default.
    None,
    /// A CORS preflight, which needs nothing.
    CorsPreflight,
    /// The token endpoint.
    TokenEndpoint,
    /// The document and the page to it.
    Documentation,
}

/// What of the rule it was decided by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum DecidedBy {
    /// No credential mattered.
    #[default]
    Nothing,
    /// The credential of this scheme of the policy was not enough.
    Scheme(usize),
    /// This one of the rule's alternatives was enough.
    Alternative(usize),
}

/// Both, and whose API key it was.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Attribution {
    /// The rule.
    pub rule: RuleId,
    /// What of it.
    pub by: DecidedBy,
    /// The client of the API key that allowed the request, by its number in the policy.
    pub client: Option<u8>,
}

impl Attribution {
    /// Somewhere in this rule.
    #[must_use]
    pub fn rule(rule: RuleId) -> Self {
        Self { rule, ..Self::default() }
    }
}

//! What a claim must be.

use serde_json::{Number, Value};

use super::{ClaimReference, Claims};

/// What a claim must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    /// It is there.
    Present,
    /// It is one of these, or is an array that contains one of these.
    OneOf(Vec<Scalar>),
    /// The other condition does not hold.
    Not(Box<Condition>),
}

/// A value that a claim is compared with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scalar {
    /// Text, compared byte by byte.
    Text(String),
    /// A number.
    Number(Number),
    /// `true` or `false`.
    Bool(bool),
}

/// A claim, and what it must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimCondition {
    /// The claim.
    pub claim: ClaimReference,
    /// What it must be.
    pub condition: Condition,
}

impl ClaimCondition {
    /// Whether it holds for `claims`.
    #[must_use]
    pub fn holds(&self, claims: &Claims) -> bool {
        self.condition.holds(self.claim.find(claims))
    }
}

impl Condition {
    /// Whether it holds for a claim; `None`: the claim is absent. It does not hold for a claim of another type than it is
    /// compared with, and neither does its negation.
    #[must_use]
    pub fn holds(&self, claim: Option<&Value>) -> bool {
        self.judge(claim) == Some(true)
    }

    /// As it is written in a configuration.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let one = |value: &Scalar| match value {
            Scalar::Text(text) => Value::from(text.as_str()),
            Scalar::Number(number) => Value::Number(number.clone()),
            Scalar::Bool(value) => Value::Bool(*value),
        };
        match self {
            Self::Present => serde_json::json!({"present": true}),
            Self::Not(condition) => serde_json::json!({"not": condition.to_json()}),
            Self::OneOf(values) => match values.as_slice() {
                [value] => one(value),
                values => values.iter().map(one).collect(),
            },
        }
    }

    /// `None`: the claim is of another type.
    fn judge(&self, claim: Option<&Value>) -> Option<bool> {
        match (self, claim) {
            (Self::Present, claim) => Some(claim.is_some()),
            (Self::Not(condition), claim) => condition.judge(claim).map(|holds| !holds),
            (Self::OneOf(_), None) => Some(false),
            (Self::OneOf(values), Some(Value::Array(items))) => {
                let judged: Vec<Option<bool>> = items.iter().map(|item| is_one_of(item, values)).collect();
                if judged.contains(&Some(true)) {
                    Some(true)
                } else if judged.contains(&None) {
                    None
                } else {
                    Some(false)
                }
            }
            (Self::OneOf(values), Some(value)) => is_one_of(value, values),
        }
    }
}

/// Whether `claim` is one of `values`; `None` if it has the type of none of them.
fn is_one_of(claim: &Value, values: &[Scalar]) -> Option<bool> {
    let mut is_comparable = false;
    for value in values {
        let is_equal = match (value, claim) {
            (Scalar::Text(own), Value::String(text)) => own == text,
            (Scalar::Number(own), Value::Number(number)) => is_same(own, number),
            (Scalar::Bool(own), Value::Bool(value)) => own == value,
            (
                Scalar::Text(_) | Scalar::Number(_) | Scalar::Bool(_),
                Value::Null
                | Value::Bool(_)
                | Value::Number(_)
                | Value::String(_)
                | Value::Array(_)
                | Value::Object(_),
            ) => continue,
        };
        if is_equal {
            return Some(true);
        }
        is_comparable = true;
    }
    is_comparable.then_some(false)
}

/// 2^53, beyond which two whole numbers may be one as a double.
const LAST_EXACT: f64 = 9_007_199_254_740_992.0;

/// Whether two numbers are the same: 1 is 1.0.
fn is_same(left: &Number, right: &Number) -> bool {
    if left == right {
        return true;
    }
    let exact = |number: &Number| number.as_f64().filter(|value| value.abs() < LAST_EXACT);
    exact(left).is_some_and(|left| exact(right) == Some(left))
}

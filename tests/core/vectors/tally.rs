//! Counting: what was run, what was not and why, and what was wrong.

use std::collections::BTreeMap;

use super::sets::{Says, Vector};

pub struct Tally {
    whose: &'static str,
    run: usize,
    /// Those that are judged otherwise than they are called, by reason.
    otherwise: BTreeMap<String, usize>,
    skipped: BTreeMap<String, usize>,
    wrong: Vec<String>,
}

impl Tally {
    pub fn new(whose: &'static str, skipped: BTreeMap<String, usize>) -> Self {
        Self { whose, run: 0, otherwise: BTreeMap::new(), skipped, wrong: Vec::new() }
    }

    pub fn skip(&mut self, reason: &str, vectors: usize) {
        *self.skipped.entry(reason.into()).or_default() += vectors;
    }

    pub fn count(&mut self, vector: &Vector, accepted: bool) {
        self.run += 1;
        let ours = match vector.says {
            Says::Valid => vector.stricter,
            Says::Invalid => vector.laxer,
        };
        if let Some(reason) = ours {
            *self.otherwise.entry(reason.into()).or_default() += 1;
        }
        let expected = (vector.says == Says::Valid) != ours.is_some();
        if accepted != expected {
            let verb = if accepted { "accepted" } else { "refused" };
            self.wrong.push(format!("{} is {verb}, and called {:?}", vector.name, vector.says));
        }
    }

    /// Prints the counts. `least` vectors must have been run: an empty set proves nothing.
    pub fn finish(self, least: usize) {
        let with_reasons = |counts: &BTreeMap<String, usize>| {
            let reasons: Vec<_> = counts.iter().map(|(reason, count)| format!("{count} {reason}")).collect();
            if reasons.is_empty() {
                return "0".to_owned();
            }
            format!("{} ({})", counts.values().sum::<usize>(), reasons.join("; "))
        };
        println!(
            "vectors: {}: {} run, of them judged otherwise for a reason {}, {} skipped, {} wrong",
            self.whose,
            self.run,
            with_reasons(&self.otherwise),
            with_reasons(&self.skipped),
            self.wrong.len()
        );
        assert!(self.wrong.is_empty(), "{}", self.wrong.join("\n"));
        assert!(self.run >= least, "only {} vectors were run", self.run);
    }
}

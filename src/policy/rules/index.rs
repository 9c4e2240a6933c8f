//! Finding a rule without trying all of them: templates and prefixes as a tree of path segments.
//! The order of the rules stays what decides; regular expressions are tried one after the other.

use std::collections::HashMap;

use super::{PathMatcher, Rule, segments};

/// The rules by their paths. A rule is known by its number, which is its place.
#[derive(Debug, Default)]
pub struct Index {
    root: Node,
    /// Rules with regular expressions, in order.
    regexes: Vec<usize>,
}

/// Where a path has got to after some segments.
#[derive(Debug)]
struct Node {
    literals: HashMap<Box<str>, Node>,
    any: Option<Box<Node>>,
    /// Templates that end here, in order.
    ends: Vec<usize>,
    /// Prefixes that end here, in order.
    prefixes: Vec<usize>,
    /// The first rule here or below.
    first: usize,
}

impl Default for Node {
    fn default() -> Self {
        Self {
            literals: HashMap::new(),
            any: None,
            ends: Vec::new(),
            prefixes: Vec::new(),
            first: usize::MAX,
        }
    }
}

impl Index {
    /// An index of these rules.
    pub fn new(rules: &[Rule]) -> Self {
        let mut index = Self::default();
        for (number, rule) in rules.iter().enumerate() {
            match &rule.path {
                PathMatcher::Template(template) => {
                    let steps = template.iter().map(|segment| segment.as_deref());
                    index.root.at(number, steps).ends.push(number);
                }
                // Everything begins with the prefix that is left of a bare slash.
                PathMatcher::Prefix(prefix) if prefix.is_empty() => {
                    index.root.at(number, std::iter::empty()).prefixes.push(number);
                }
                PathMatcher::Prefix(prefix) => {
                    index.root.at(number, segments(prefix).map(Some)).prefixes.push(number);
                }
                PathMatcher::Regex(_) => index.regexes.push(number),
            }
        }
        index
    }

    /// The first rule whose path matches and that `fits` otherwise.
    pub fn find(&self, rules: &[Rule], path: &str, fits: impl Fn(&Rule) -> bool) -> Option<usize> {
        let mut search = Search { best: usize::MAX, fits: |number| rules.get(number).is_some_and(&fits) };
        search.walk(&self.root, Some(path.strip_prefix('/').unwrap_or(path)));
        for &number in &self.regexes {
            if number >= search.best {
                break;
            }
            let matches = |rule: &Rule| rule.path.matches(path) && fits(rule);
            if rules.get(number).is_some_and(matches) {
                search.best = number;
            }
        }
        (search.best != usize::MAX).then_some(search.best)
    }
}

impl Node {
    /// The node after these steps (`None`: any segment), made where it is not there yet.
    fn at<'s>(&mut self, number: usize, mut steps: impl Iterator<Item = Option<&'s str>>) -> &mut Self {
        self.first = self.first.min(number);
        match steps.next() {
            None => self,
            Some(None) => self.any.get_or_insert_default().at(number, steps),
            Some(Some(literal)) => self.literals.entry(literal.into()).or_default().at(number, steps),
        }
    }
}

struct Search<F> {
    best: usize,
    fits: F,
}

impl<F: Fn(usize) -> bool> Search<F> {
    fn take(&mut self, numbers: &[usize]) {
        let earlier = numbers.iter().take_while(|&&number| number < self.best);
        if let Some(&number) = earlier.into_iter().find(|&&number| (self.fits)(number)) {
            self.best = number;
        }
    }

    /// Looks at `node` and below with the rest of the path; nothing: it ended.
    fn walk(&mut self, node: &Node, rest: Option<&str>) {
        if node.first >= self.best {
            return;
        }
        self.take(&node.prefixes);
        let Some(rest) = rest else {
            self.take(&node.ends);
            return;
        };
        let (segment, rest) = match rest.split_once('/') {
            Some((segment, rest)) => (segment, Some(rest)),
            None => (rest, None),
        };
        if let Some(node) = node.literals.get(segment) {
            self.walk(node, rest);
        }
        if let Some(node) = node.any.as_deref()
            && !segment.is_empty()
        {
            self.walk(node, rest);
        }
    }
}

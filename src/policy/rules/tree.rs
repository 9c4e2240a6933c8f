//! Templates and prefixes as a tree of path segments. The order of the rules stays what decides.
//!
//! What a look-up costs is bounded by the rules alone, and the bound is counted when the tree is made:
//! each place of the tree is looked at once at most, a segment is compared with the segments of the rules
//! and not with its own length, and what the parameters of a segment leave open is read once.

use std::collections::HashMap;

use memchr::memchr;
use smallvec::SmallVec;

use super::parts::PartsIndex;
use super::regex::{MOST_CELLS, Reading, Undecided};
use super::{PathMatcher, Rule, TooCostly, segments};
use crate::config::Segment;
use crate::config::template::Parts;

/// How many places of the tree one path may be looked up at. Documents of a thousand operations need
/// some dozens.
const MOST_PLACES: usize = 512;

/// The number of a node.
pub type NodeId = usize;

/// The rules by their paths. A rule is known by its number, which is its place.
#[derive(Debug)]
pub struct Tree {
    nodes: Vec<Node>,
}

/// Where a path has got to after some segments.
#[derive(Debug)]
struct Node {
    literals: HashMap<Box<str>, NodeId>,
    /// How long the longest of them is.
    longest: usize,
    any: Option<NodeId>,
    parts: PartsIndex,
    /// Templates that end here, in order.
    ends: Vec<usize>,
    /// Templates of which the rest of the path is the last parameter, in order.
    rests: Vec<usize>,
    /// Prefixes that end here, in order.
    prefixes: Vec<usize>,
    /// The first rule here or below.
    first: usize,
}

impl Node {
    fn new(first: usize) -> Self {
        Self {
            literals: HashMap::new(),
            longest: 0,
            any: None,
            parts: PartsIndex::default(),
            ends: Vec::new(),
            rests: Vec::new(),
            prefixes: Vec::new(),
            first,
        }
    }
}

impl Default for Tree {
    fn default() -> Self {
        Self { nodes: vec![Node::new(usize::MAX)] }
    }
}

impl Tree {
    /// A tree of the rules that have a template or a prefix.
    ///
    /// # Errors
    /// If a path could be compared with too much.
    pub fn new(rules: &[Rule]) -> Result<Self, TooCostly> {
        let mut tree = Self::default();
        for (number, rule) in rules.iter().enumerate() {
            match &rule.path {
                PathMatcher::Template(template) => tree.add(number, template.iter().cloned()),
                PathMatcher::Prefix(prefix) => tree.add_prefix(number, prefix),
                PathMatcher::Beginning(text) => tree.add_beginning(number, text),
                PathMatcher::Regex(_) => {}
            }
        }
        tree.finish()?;
        Ok(tree)
    }

    /// Adds a rule with a template. The numbers go up.
    pub fn add(&mut self, number: usize, template: impl Iterator<Item = Segment>) {
        let (id, is_rest) = self.at(number, template);
        if let Some(node) = self.nodes.get_mut(id) {
            if is_rest { &mut node.rests } else { &mut node.ends }.push(number);
        }
    }

    fn add_prefix(&mut self, number: usize, prefix: &str) {
        // Everything begins with the prefix that is left of a bare slash.
        let steps = if prefix.is_empty() { None } else { Some(segments(prefix)) };
        let literal = |text: &str| Segment::Literal(text.to_owned());
        let (id, _) = self.at(number, steps.into_iter().flatten().map(literal));
        if let Some(node) = self.nodes.get_mut(id) {
            node.prefixes.push(number);
        }
    }

    /// Adds a rule for all that begins with `text`, whose last segment may be cut short.
    fn add_beginning(&mut self, number: usize, text: &str) {
        let (above, last) = text.rsplit_once('/').unwrap_or(("", text));
        let above = above.split('/').skip(1).map(|text| Segment::Literal(text.to_owned()));
        let begun = Parts { prefix: last.to_owned(), middles: Vec::new(), least: 0, suffix: String::new() };
        let (id, _) = self.at(number, above.chain([Segment::Parts(begun)]));
        if let Some(node) = self.nodes.get_mut(id) {
            node.prefixes.push(number);
        }
    }

    /// The node after these segments, made where it is not there yet, and whether the rest of the path follows.
    fn at(&mut self, number: usize, steps: impl Iterator<Item = Segment>) -> (NodeId, bool) {
        let mut id = 0;
        self.pass(id, number);
        for segment in steps {
            let next = self.nodes.len();
            let Some(node) = self.nodes.get_mut(id) else { break };
            id = match segment {
                Segment::Literal(text) => {
                    node.longest = node.longest.max(text.len());
                    *node.literals.entry(text.into()).or_insert(next)
                }
                Segment::Any => *node.any.get_or_insert(next),
                Segment::Parts(parts) => node.parts.add(parts, next),
                // Whatever follows is in it.
                Segment::Rest => return (id, true),
            };
            if id == next {
                self.nodes.push(Node::new(number));
            }
            self.pass(id, number);
        }
        (id, false)
    }

    fn pass(&mut self, id: NodeId, number: usize) {
        if let Some(node) = self.nodes.get_mut(id) {
            node.first = node.first.min(number);
        }
    }

    /// Orders what was added, and counts from the leaves up at how many places a path could be looked up.
    ///
    /// # Errors
    /// If a path could be compared with too much.
    pub fn finish(&mut self) -> Result<(), TooCostly> {
        let mut places = vec![0_usize; self.nodes.len()];
        let mut room = MOST_CELLS;
        // Children come after their parents.
        for (id, node) in self.nodes.iter_mut().enumerate().rev() {
            let below = |child: NodeId| places.get(child).copied().unwrap_or_default();
            let literal = node.literals.values().map(|&child| below(child)).max().unwrap_or_default();
            let any = node.any.map(below).unwrap_or_default();
            let too_costly = |why| TooCostly { rule: node.first, why };
            let parts = node.parts.finish(&mut room, &below).map_err(|_| {
                too_costly("too many templates here have several parameters in one segment; use fewer")
            })?;
            let count = literal.saturating_add(any).saturating_add(parts).saturating_add(1);
            if count > MOST_PLACES {
                return Err(too_costly(
                    "with the rules beside it, one path could match too many templates; use fewer parameters",
                ));
            }
            if let Some(place) = places.get_mut(id) {
                *place = count;
            }
        }
        Ok(())
    }

    /// Gives `take` the rules of templates and prefixes that match, some at a time, each time in order.
    /// It says which rule is the first so far; those behind it are not looked for.
    ///
    /// # Errors
    /// If it takes more reading than there may be.
    pub fn find(
        &self,
        path: &str,
        reading: &mut Reading,
        take: &mut dyn FnMut(&[usize], usize) -> usize,
    ) -> Result<usize, Undecided> {
        // One function in the module, whoever asks, and no call for a list that is empty.
        let mut take = |numbers: &[usize], best| if numbers.is_empty() { best } else { take(numbers, best) };
        let mut best = usize::MAX;
        let mut segments = Segments::new(path);
        let mut waiting: SmallVec<[(NodeId, usize); 16]> = SmallVec::new();
        waiting.push((0, 0));
        while let Some((id, depth)) = waiting.pop() {
            let Some(node) = self.nodes.get(id).filter(|node| node.first < best) else { continue };
            reading.step();
            best = take(&node.prefixes, best);
            let is_narrow = node.any.is_none() && node.parts.is_empty() && node.rests.is_empty();
            if is_narrow && node.literals.is_empty() && node.ends.is_empty() {
                continue;
            }
            match segments.get(depth, if is_narrow { node.longest } else { usize::MAX }) {
                Part::None => best = take(&node.ends, best),
                Part::Longer => {}
                Part::Segment(segment) => {
                    if !segment.is_empty() {
                        best = take(&node.rests, best);
                    }
                    let depth = depth.saturating_add(1);
                    // What is written out is looked at first, being last in.
                    if let Some(any) = node.any.filter(|_| !segment.is_empty()) {
                        waiting.push((any, depth));
                    }
                    node.parts.find(segment, reading, |child| waiting.push((child, depth)))?;
                    if segment.len() <= node.longest
                        && let Some(&child) = node.literals.get(segment)
                    {
                        waiting.push((child, depth));
                    }
                }
            }
        }
        Ok(best)
    }
}

/// The segments of a path, each found once.
struct Segments<'p> {
    path: &'p str,
    /// Where each begins, as far as they are known, and where the one behind them does, if there is one.
    begins: SmallVec<[usize; 16]>,
    /// Whether the last of them is the last of the path.
    is_last: bool,
}

/// What is at a depth of a path.
enum Part<'p> {
    /// The path has ended.
    None,
    /// A segment.
    Segment(&'p str),
    /// A segment that is longer than was asked for.
    Longer,
}

impl<'p> Segments<'p> {
    fn new(path: &'p str) -> Self {
        let path = path.strip_prefix('/').unwrap_or(path);
        Self { path, begins: SmallVec::from_slice(&[0]), is_last: false }
    }

    /// The segment at `depth`, not looked at beyond `most` bytes. Those before it were asked for.
    #[inline]
    fn get(&mut self, depth: usize, most: usize) -> Part<'p> {
        let Some(rest) = self.begins.get(depth).and_then(|&begin| self.path.get(begin..)) else {
            return Part::None;
        };
        let begin = self.path.len().saturating_sub(rest.len());
        let end = match self.begins.get(depth.saturating_add(1)) {
            Some(next) => next.saturating_sub(1),
            None if self.is_last => self.path.len(),
            None => {
                let near = rest.as_bytes().get(..=most);
                match memchr(b'/', near.unwrap_or(rest.as_bytes())) {
                    Some(length) => {
                        let end = begin.saturating_add(length);
                        self.begins.push(end.saturating_add(1));
                        end
                    }
                    None if near.is_some() => return Part::Longer,
                    None => {
                        self.is_last = true;
                        self.path.len()
                    }
                }
            }
        };
        self.path.get(begin..end).map_or(Part::None, Part::Segment)
    }
}

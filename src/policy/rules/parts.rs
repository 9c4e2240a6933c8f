//! The segments of one place of the tree that have parameters in them, found by what they begin and
//! end with. What is between two parameters is looked for by an automaton, which reads the segment
//! once for all of them.

use std::collections::HashMap;

use super::regex::{Ast, Automaton, CharSet, Nfa, Reading, TooLarge, Undecided};
use super::tree::NodeId;
use crate::config::template::{Parts, skip};

/// Segments with parameters in them, and the nodes behind them.
#[derive(Debug, Default)]
pub struct PartsIndex {
    /// As they were added.
    added: Vec<(Parts, NodeId)>,
    /// The nodes behind them, by their texts, while they are added.
    nodes: HashMap<Box<str>, NodeId>,
    /// Those with one run of parameters, by what they begin with and then by what they end with.
    affixes: Affixes<Affixes<Vec<(usize, NodeId)>>>,
    /// The others.
    middles: Option<Middles>,
}

/// Segments with text between parameters.
#[derive(Debug)]
struct Middles {
    automaton: Automaton,
    nodes: Vec<NodeId>,
}

impl PartsIndex {
    /// The node behind `parts`: `next`, if there is none yet.
    pub fn add(&mut self, parts: Parts, next: NodeId) -> NodeId {
        // No literal has a brace.
        let node = *self.nodes.entry(parts.text("{}").into()).or_insert(next);
        if node == next {
            self.added.push((parts, next));
        }
        node
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.added.is_empty()
    }

    /// Orders what was added. Gives the most that the nodes behind them can come to which one segment
    /// leads to, each counted by `below`. Automata take of `room`.
    ///
    /// # Errors
    /// If an automaton grows beyond it.
    pub fn finish(&mut self, room: &mut usize, below: &dyn Fn(NodeId) -> usize) -> Result<usize, TooLarge> {
        // Nothing is added any more.
        self.nodes = HashMap::new();
        let mut nfa = Nfa::default();
        let mut nodes = Vec::new();
        for (parts, node) in &self.added {
            if parts.middles.is_empty() {
                self.affixes.change(parts.prefix.bytes(), |suffixes| {
                    suffixes.change(parts.suffix.bytes().rev(), |nodes| nodes.push((parts.least, *node)));
                });
            } else {
                nfa.add(&ast(parts), false)?;
                nodes.push(*node);
            }
        }
        let sum = |nodes: &mut dyn Iterator<Item = NodeId>| {
            nodes.fold(0_usize, |sum, node| sum.saturating_add(below(node)))
        };
        let most = self.affixes.finish(&mut |suffixes| {
            suffixes.finish(&mut |nodes| sum(&mut nodes.iter().map(|&(_, node)| node)))
        });
        if nodes.is_empty() {
            return Ok(most);
        }
        let automaton = Automaton::new(&nfa, *room)?;
        *room = room.saturating_sub(automaton.size());
        let behind = |&number: &u32| usize::try_from(number).ok().and_then(|n| nodes.get(n)).copied();
        let in_the_middle = automaton.all_matched().map(|set| sum(&mut set.iter().filter_map(behind))).max();
        self.middles = Some(Middles { automaton, nodes });
        Ok(most.saturating_add(in_the_middle.unwrap_or_default()))
    }

    /// Gives `each` the nodes behind those that match `segment`.
    pub fn find(
        &self,
        segment: &str,
        reading: &mut Reading,
        mut each: impl FnMut(NodeId),
    ) -> Result<(), Undecided> {
        if let Some(middles) = &self.middles {
            for &number in middles.automaton.matches(segment, reading)? {
                if let Some(&node) = usize::try_from(number).ok().and_then(|n| middles.nodes.get(n)) {
                    each(node);
                }
            }
        }
        self.affixes.each(segment.bytes(), reading, |prefix, suffixes| {
            let Some(behind) = segment.get(prefix..) else { return };
            suffixes.each(behind.bytes().rev(), reading, |suffix, nodes| {
                let inner = behind.len().checked_sub(suffix).and_then(|length| behind.get(..length));
                for &(least, node) in nodes {
                    if inner.is_some_and(|inner| skip(inner, least).is_some()) {
                        each(node);
                    }
                }
            });
        });
        Ok(())
    }
}

/// Parts as an expression.
fn ast(parts: &Parts) -> Ast {
    let text = |text: &str| {
        let one = |c: char| Ast::Set(CharSet::of(&[(c.into(), c.into())]));
        Ast::Sequence(text.chars().map(one).collect())
    };
    let any = |least: usize| Ast::Repeat {
        of: Box::new(Ast::Set(CharSet::all())),
        min: u32::try_from(least).unwrap_or(u32::MAX),
        max: None,
    };
    let mut sequence = vec![text(&parts.prefix)];
    for (least, literal) in &parts.middles {
        sequence.extend([any(*least), text(literal)]);
    }
    sequence.extend([any(parts.least), text(&parts.suffix)]);
    Ast::Sequence(sequence)
}

/// What begins with which bytes (or ends, where they are read from behind).
#[derive(Debug)]
struct Affixes<T>(Vec<Affix<T>>);

#[derive(Debug)]
struct Affix<T> {
    bytes: Box<[u8]>,
    /// The longest other one that it begins with.
    shorter: Option<usize>,
    value: T,
}

impl<T> Default for Affixes<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> Affixes<T> {
    /// Changes the value of an affix, which is made where there is none yet.
    fn change(&mut self, bytes: impl Iterator<Item = u8>, change: impl FnOnce(&mut T))
    where
        T: Default,
    {
        let bytes: Box<[u8]> = bytes.collect();
        let place = self.0.partition_point(|own| own.bytes < bytes);
        if let Some(own) = self.0.get_mut(place).filter(|own| own.bytes == bytes) {
            return change(&mut own.value);
        }
        let mut value = T::default();
        change(&mut value);
        self.0.insert(place, Affix { bytes, shorter: None, value });
    }

    /// Says of each the longest that it begins with. Gives the most that those come to that hold for one
    /// text, each counted by `count`.
    fn finish(&mut self, count: &mut dyn FnMut(&mut T) -> usize) -> usize {
        let mut counts: Vec<usize> = Vec::with_capacity(self.0.len());
        let mut open: Vec<(usize, Box<[u8]>)> = Vec::new();
        for (number, own) in self.0.iter_mut().enumerate() {
            // Sorted: a prefix of it comes before it, and all between begin with that prefix as well.
            while open.pop_if(|(_, bytes)| !own.bytes.starts_with(bytes)).is_some() {}
            own.shorter = open.last().map(|(number, _)| *number);
            let others = own.shorter.and_then(|shorter| counts.get(shorter)).copied().unwrap_or_default();
            counts.push(count(&mut own.value).saturating_add(others));
            open.push((number, own.bytes.clone()));
        }
        counts.into_iter().max().unwrap_or_default()
    }

    /// Gives `each` the length and the value of all that a text begins with.
    fn each(
        &self,
        text: impl Iterator<Item = u8> + Clone,
        reading: &Reading,
        mut each: impl FnMut(usize, &T),
    ) {
        let before = self.0.partition_point(|own| own.bytes.iter().copied().le(text.clone()));
        let mut next = before.checked_sub(1);
        // What the text begins with is what the last one before it begins with, as far as they agree.
        let mut is_known = false;
        while let Some(own) = next.and_then(|number| self.0.get(number)) {
            reading.step();
            is_known = is_known || own.bytes.iter().copied().eq(text.clone().take(own.bytes.len()));
            if is_known {
                each(own.bytes.len(), &own.value);
            }
            next = own.shorter;
        }
    }
}

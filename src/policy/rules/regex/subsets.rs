//! From the graph to the automaton: each state of the one is a set of places of the other.

use std::collections::HashMap;

use super::automaton::{Alphabet, Automaton, StateId};
use super::nfa::{Nfa, Place, Step, TooLarge};
use super::{CharSet, Look};

/// How many steps making one may take: some hundred milliseconds.
const MOST_STEPS: usize = 1 << 22;

/// What is next to a position.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Beside {
    /// Nothing: the text begins or ends.
    Edge,
    /// A letter, a digit or `_`, in ASCII.
    Word,
    /// Another character.
    Other,
}

/// What is known after some characters: the last of them, and where each expression could be.
type Known = (Beside, Box<[Place]>);

pub struct Subsets<'n> {
    nfa: &'n Nfa,
    /// Whether any expression looks at what is next to a position.
    looks: bool,
    numbers: HashMap<Known, StateId>,
    waiting: Vec<Known>,
    steps: usize,
    /// The places that were seen, by when.
    seen: Vec<u32>,
    round: u32,
}

impl<'n> Subsets<'n> {
    /// The automaton for a graph.
    pub fn of(nfa: &'n Nfa, most_cells: usize) -> Result<Automaton, TooLarge> {
        let looks = nfa.steps.iter().any(|step| matches!(step, Step::Look(..)));
        let mut firsts = Vec::new();
        let mut cut = |set: &CharSet| {
            firsts.extend(set.ranges().iter().flat_map(|&(first, last)| [first, last.saturating_add(1)]));
        };
        nfa.steps.iter().for_each(|step| {
            if let Step::Set(set, _) = step {
                cut(set);
            }
        });
        if looks {
            cut(&word());
        }
        let mut automaton = Automaton::empty(Alphabet::new(firsts)?);
        let mut subsets = Self {
            nfa,
            looks,
            numbers: HashMap::new(),
            waiting: Vec::new(),
            steps: 0,
            seen: vec![0; nfa.steps.len()],
            round: 0,
        };
        // The first state is the one that nothing leads out of.
        subsets.number((Beside::Edge, Box::default()))?;
        let start = subsets.number((Beside::Edge, nfa.starts.iter().copied().collect()))?;
        let mut next = 0;
        while let Some(known) = subsets.waiting.get(next).cloned() {
            subsets.state(&known, &mut automaton)?;
            if automaton.size() > most_cells {
                return Err(TooLarge);
            }
            next = next.saturating_add(1);
        }
        automaton.finish(start);
        Ok(automaton)
    }

    fn number(&mut self, known: Known) -> Result<StateId, TooLarge> {
        if let Some(&number) = self.numbers.get(&known) {
            return Ok(number);
        }
        let number = StateId::try_from(self.waiting.len()).map_err(|_| TooLarge)?;
        self.numbers.insert(known.clone(), number);
        self.waiting.push(known);
        Ok(number)
    }

    fn spend(&mut self, steps: usize) -> Result<(), TooLarge> {
        self.steps = self.steps.saturating_add(steps);
        if self.steps > MOST_STEPS { Err(TooLarge) } else { Ok(()) }
    }

    /// Adds the state for what is known.
    fn state(&mut self, known: &Known, automaton: &mut Automaton) -> Result<(), TooLarge> {
        let mut matched: Vec<u32> = Vec::new();
        for place in self.reached(known, Beside::Edge)? {
            if !matches!(self.nfa.step(place), Some(Step::Set(..))) {
                matched.push(u32::try_from(self.nfa.owner(place)).map_err(|_| TooLarge)?);
            }
        }
        matched.sort_unstable();
        matched.dedup();
        let mut row = vec![0; automaton.alphabet().len()];
        let besides = if self.looks { &[Beside::Word, Beside::Other][..] } else { &[Beside::Other] };
        for &beside in besides {
            self.follow(known, beside, automaton.alphabet(), &mut row)?;
        }
        automaton.push(&row, &matched)
    }

    /// Says of each class of characters of this kind where it leads.
    fn follow(
        &mut self,
        known: &Known,
        beside: Beside,
        alphabet: &Alphabet,
        row: &mut [StateId],
    ) -> Result<(), TooLarge> {
        let mut places = self.reached(known, beside)?;
        self.settle(&mut places);
        let mut moves: Vec<(usize, usize, Place)> = Vec::new();
        for &place in &places {
            match self.nfa.step(place) {
                Some(Step::Set(set, next)) => moves.extend(set.ranges().iter().map(|&(first, last)| {
                    (alphabet.class(first).into(), alphabet.class(last).into(), *next)
                })),
                Some(Step::Whatever) => moves.push((0, usize::MAX, place)),
                Some(Step::Both(..) | Step::Look(..) | Step::End) | None => {}
            }
        }
        let mut cuts: Vec<usize> =
            moves.iter().flat_map(|&(first, last, _)| [first, last.saturating_add(1)]).collect();
        if self.looks {
            cuts.extend(0..alphabet.len());
        }
        cuts.push(alphabet.len());
        cuts.sort_unstable();
        cuts.dedup();
        self.spend(cuts.len().saturating_mul(moves.len()))?;
        for (&from, &until) in cuts.iter().zip(cuts.iter().skip(1)) {
            let kind = alphabet.first(from).map_or(Beside::Other, kind);
            if self.looks && kind != beside {
                continue;
            }
            let mut next: Vec<Place> = moves
                .iter()
                .filter(|&&(first, last, _)| first <= from && from <= last)
                .map(|&(_, _, next)| next)
                .collect();
            if next.is_empty() {
                continue;
            }
            next.sort_unstable();
            next.dedup();
            let before = if self.looks { kind } else { Beside::Other };
            let number = self.number((before, next.into()))?;
            if let Some(cells) = row.get_mut(from..until.min(alphabet.len())) {
                cells.fill(number);
            }
        }
        Ok(())
    }

    /// Where an expression matches whatever follows, those behind it do not matter any more.
    fn settle(&self, places: &mut Vec<Place>) {
        let is_settled = |place: &&Place| {
            matches!(self.nfa.step(**place), Some(Step::Whatever))
                && self.nfa.settles.get(self.nfa.owner(**place)) == Some(&true)
        };
        let first = places.iter().filter(is_settled).map(|&place| self.nfa.owner(place)).min();
        if let Some(first) = first {
            places.retain(|&place| self.nfa.owner(place) <= first);
        }
    }

    /// The positions that are reached without a character, if this follows.
    fn reached(&mut self, (before, places): &Known, behind: Beside) -> Result<Vec<Place>, TooLarge> {
        self.round = self.round.checked_add(1).ok_or(TooLarge)?;
        let mut reached = Vec::new();
        let mut waiting = places.to_vec();
        while let Some(place) = waiting.pop() {
            let seen = usize::try_from(place).ok().and_then(|place| self.seen.get_mut(place));
            let Some(seen) = seen.filter(|seen| **seen != self.round) else { continue };
            *seen = self.round;
            self.spend(1)?;
            match self.nfa.step(place) {
                Some(&Step::Both(one, other)) => waiting.extend([one, other]),
                Some(&Step::Look(look, next)) if holds(look, *before, behind) => waiting.push(next),
                Some(Step::Set(..) | Step::End | Step::Whatever) => reached.push(place),
                Some(Step::Look(..)) | None => {}
            }
        }
        Ok(reached)
    }
}

fn holds(look: Look, before: Beside, behind: Beside) -> bool {
    let (begins, ends) = (before != Beside::Word, behind != Beside::Word);
    match look {
        Look::Start => before == Beside::Edge,
        Look::End => behind == Beside::Edge,
        Look::Boundary => begins != ends,
        Look::NoBoundary => begins == ends,
        Look::WordStart => begins && !ends,
        Look::WordEnd => !begins && ends,
        Look::WordStartHalf => begins,
        Look::WordEndHalf => ends,
    }
}

fn word() -> CharSet {
    CharSet::named("word").unwrap_or_default()
}

fn kind(c: u32) -> Beside {
    let is_word = char::from_u32(c).is_some_and(|c| c.is_ascii_alphanumeric() || c == '_');
    if is_word { Beside::Word } else { Beside::Other }
}

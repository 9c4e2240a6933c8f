//! The automaton at work.

use std::cell::Cell;

use super::nfa::{Nfa, TooLarge};
use super::set::LAST;
use super::subsets::Subsets;

/// The number of a state. The first one is where nothing matches any more.
pub type StateId = u32;

/// The number of a class of characters that every expression takes for the same.
pub type Class = u16;

/// No class: there is no such exception, or it takes more than a byte to say.
const NONE: Class = Class::MAX;

/// No class: a part of a character whose first byte says all.
const SKIP: Class = Class::MAX - 1;

/// What looking a rule up has taken, and what automata may still read for it.
#[derive(Debug)]
pub struct Reading {
    left: usize,
    steps: Cell<usize>,
}

/// Which rule is for a request is not decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Undecided {
    /// The bytes that automata may read did not suffice.
    Reading,
    /// A rule is for some clients only, and this one has no address that is known.
    Client,
    /// A rule's condition on a header holds for some of its lines only.
    Header,
}

impl Reading {
    /// What one request may take, whose path is so long and could be so long: automata read a quarter of
    /// the longest path to its end, and of a longer one the beginning, a sixteenth. A byte costs them several
    /// times what it costs otherwise, and what they have not decided by then they seldom do before the end.
    pub fn of(length: usize, longest: usize) -> Self {
        let (whole, beginning) = (longest / 4, longest / 16);
        Self { left: if length <= whole { whole } else { beginning }, steps: Cell::default() }
    }

    /// No bound.
    pub fn without_end() -> Self {
        Self { left: usize::MAX, steps: Cell::default() }
    }

    /// Counts a step.
    pub fn step(&self) {
        self.steps.set(self.steps.get().saturating_add(1));
    }

    /// The steps that were counted, and the bytes that were read.
    pub fn steps(&self) -> usize {
        self.steps.get()
    }

    fn spend(&mut self, bytes: usize) {
        self.left = self.left.saturating_sub(bytes);
        self.steps.set(self.steps.get().saturating_add(bytes));
    }
}

/// Reads a text once, a step for each character, and says which of many expressions match it as a whole.
#[derive(Debug)]
pub struct Automaton {
    alphabet: Alphabet,
    states: Vec<State>,
    start: Position,
    /// Rows of states that have one of their own: the number of the state, then where each class leads.
    rows: Vec<Position>,
    /// The expressions that match where it ends, for all states.
    matched: Vec<u32>,
}

/// Where it is: at a row, by where that begins in `rows`, or else at a state without one.
type Position = u32;

/// The first position that is no row: a state without one follows by its number.
const NO_ROW: Position = 1 << 31;

/// Where a character leads.
#[derive(Debug)]
struct State {
    leads: Leads,
    matched: (u32, u32),
}

#[derive(Clone, Copy, Debug)]
enum Leads {
    /// Nowhere else.
    Nowhere,
    /// To one place, but for two classes.
    Mostly(Position, [(Class, Position); 2]),
    /// As the row at this position says.
    Row(Position),
}

/// Characters by their classes.
#[derive(Debug)]
pub struct Alphabet {
    /// By the first byte of the character.
    bytes: Box<[Class; 256]>,
    /// The first character of each class.
    firsts: Vec<u32>,
}

impl Alphabet {
    /// An alphabet with a class from each of these characters up to the next.
    pub fn new(mut firsts: Vec<u32>) -> Result<Self, TooLarge> {
        firsts.push(0);
        firsts.retain(|&first| first <= LAST);
        firsts.sort_unstable();
        firsts.dedup();
        if firsts.len() >= usize::from(SKIP) {
            return Err(TooLarge);
        }
        let mut alphabet = Self { bytes: Box::new([NONE; 256]), firsts };
        // Where all beyond ASCII are alike, which is mostly so, the first byte says it.
        let beyond = alphabet.look_up(0x80);
        let are_alike = alphabet.look_up(LAST) == beyond;
        let class = |byte: u32| match byte {
            0..0x80 => alphabet.look_up(byte),
            0x80..0xC0 if are_alike => SKIP,
            _ if are_alike => beyond,
            _ => NONE,
        };
        let classes: Vec<Class> = (0..256).map(class).collect();
        alphabet.bytes.iter_mut().zip(classes).for_each(|(own, class)| *own = class);
        Ok(alphabet)
    }

    /// The class of a character.
    pub fn class(&self, c: u32) -> Class {
        self.look_up(c)
    }

    fn look_up(&self, c: u32) -> Class {
        let number = self.firsts.partition_point(|&first| first <= c).saturating_sub(1);
        Class::try_from(number).unwrap_or(NONE)
    }

    /// How many classes there are.
    pub fn len(&self) -> usize {
        self.firsts.len()
    }

    /// The first character of a class.
    pub fn first(&self, class: usize) -> Option<u32> {
        self.firsts.get(class).copied()
    }
}

impl Automaton {
    /// The automaton for the expressions of a graph.
    ///
    /// # Errors
    /// If it grows beyond so many cells of four bytes.
    pub fn new(nfa: &Nfa, most_cells: usize) -> Result<Self, TooLarge> {
        Subsets::of(nfa, most_cells)
    }

    /// One without states yet.
    pub(super) fn empty(alphabet: Alphabet) -> Self {
        Self { alphabet, states: Vec::new(), start: 0, rows: Vec::new(), matched: Vec::new() }
    }

    /// Adds a state: where each class leads, and the expressions that match where it ends.
    pub(super) fn push(&mut self, row: &[StateId], matched: &[u32]) -> Result<(), TooLarge> {
        let number = |length: usize| u32::try_from(length).map_err(|_| TooLarge);
        let own = number(self.states.len())?;
        let most = most_common(row);
        let mut others = row.iter().enumerate().filter(|&(_, &next)| next != most);
        let mut exceptions = [(NONE, 0); 2];
        for (exception, (class, &next)) in exceptions.iter_mut().zip(others.by_ref()) {
            *exception = (Class::try_from(class).map_err(|_| TooLarge)?, next);
        }
        let leads = if row.iter().all(|&next| next == own) {
            Leads::Nowhere
        } else if others.next().is_none() && !row.contains(&own) {
            Leads::Mostly(most, exceptions)
        } else {
            // A state that leads to itself is where long texts are read: a row is faster.
            let position = number(self.rows.len())?;
            self.rows.push(own);
            self.rows.extend_from_slice(row);
            Leads::Row(position)
        };
        let matched_from = number(self.matched.len())?;
        self.matched.extend_from_slice(matched);
        self.states.push(State { leads, matched: (matched_from, number(matched.len())?) });
        Ok(())
    }

    /// Once every state is there: where each leads, by position.
    pub(super) fn finish(&mut self, start: StateId) {
        let positions: Vec<Position> = self
            .states
            .iter()
            .zip(NO_ROW..)
            .map(|(state, own)| match state.leads {
                Leads::Row(row) => row,
                Leads::Nowhere | Leads::Mostly(..) => own,
            })
            .collect();
        let position = |id: StateId| usize::try_from(id).ok().and_then(|id| positions.get(id)).copied();
        let position = |id: StateId| position(id).unwrap_or(NO_ROW);
        self.start = position(start);
        for state in &mut self.states {
            if let Leads::Mostly(most, exceptions) = &mut state.leads {
                *most = position(*most);
                exceptions.iter_mut().for_each(|(_, next)| *next = position(*next));
            }
        }
        let length = self.alphabet.len().saturating_add(1);
        for row in self.rows.chunks_exact_mut(length) {
            row.iter_mut().skip(1).for_each(|next| *next = position(*next));
        }
    }

    /// How much room it takes, in cells.
    pub fn size(&self) -> usize {
        let states = self.states.len().saturating_mul(8);
        states.saturating_add(self.rows.len()).saturating_add(self.matched.len())
    }

    pub(super) fn alphabet(&self) -> &Alphabet {
        &self.alphabet
    }

    /// The numbers of the expressions that match the whole of `text`, in order.
    ///
    /// # Errors
    /// If that is not decided by what may be read.
    pub fn matches(&self, text: &str, reading: &mut Reading) -> Result<&[u32], Undecided> {
        let may_read = text.as_bytes().get(..reading.left).unwrap_or(text.as_bytes());
        let mut bytes = may_read.iter();
        let mut position = self.start;
        let mut stays = false;
        while let Some(&byte) = bytes.next() {
            let mut class = self.alphabet.bytes.get(usize::from(byte)).copied().unwrap_or(NONE);
            if class == SKIP {
                continue;
            }
            if class == NONE {
                let place = may_read.len().saturating_sub(bytes.len()).saturating_sub(1);
                // Within a character that is behind already.
                let Some(c) = text.get(place..).and_then(|rest| rest.chars().next()) else { continue };
                class = self.alphabet.class(c.into());
            }
            position = if position < NO_ROW {
                self.cell(position.wrapping_add(class.into()).wrapping_add(1))
            } else {
                match self.state(position).map(|state| &state.leads) {
                    Some(Leads::Mostly(_, [(own, next), _])) if *own == class => *next,
                    Some(Leads::Mostly(_, [_, (own, next)])) if *own == class => *next,
                    Some(Leads::Mostly(most, _)) => *most,
                    Some(Leads::Nowhere | Leads::Row(_)) | None => {
                        stays = true;
                        break;
                    }
                }
            };
        }
        reading.spend(may_read.len().saturating_sub(bytes.len()));
        let state = self.state(position);
        stays = stays || state.is_some_and(|state| matches!(state.leads, Leads::Nowhere));
        if !stays && may_read.len() < text.len() {
            return Err(Undecided::Reading);
        }
        Ok(state.map_or(&[], |state| self.matched(state)))
    }

    /// What matches where it ends, for each state.
    pub fn all_matched(&self) -> impl Iterator<Item = &[u32]> {
        self.states.iter().map(|state| self.matched(state))
    }

    fn matched(&self, state: &State) -> &[u32] {
        let (from, count) = state.matched;
        let (Ok(from), Ok(count)) = (usize::try_from(from), usize::try_from(count)) else { return &[] };
        self.matched.get(from..).and_then(|rest| rest.get(..count)).unwrap_or_default()
    }

    fn state(&self, position: Position) -> Option<&State> {
        let number = position.checked_sub(NO_ROW).unwrap_or_else(|| self.cell(position));
        self.states.get(usize::try_from(number).ok()?)
    }

    fn cell(&self, place: u32) -> Position {
        let cell = usize::try_from(place).ok().and_then(|place| self.rows.get(place));
        cell.copied().unwrap_or(NO_ROW)
    }
}

/// The state that most classes lead to.
fn most_common(row: &[StateId]) -> StateId {
    let mut sorted = row.to_vec();
    sorted.sort_unstable();
    let runs = sorted.chunk_by(|left, right| left == right);
    runs.max_by_key(|run| run.len()).and_then(|run| run.first()).copied().unwrap_or_default()
}

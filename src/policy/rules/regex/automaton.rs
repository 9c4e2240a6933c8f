//! The automaton at work.

use super::nfa::{Nfa, TooLarge};
use super::subsets::Subsets;

/// The number of a state. The first one is where nothing matches any more.
pub type StateId = u32;

/// The number of a class of characters that every expression takes for the same.
pub type Class = u16;

/// No class: there is no such exception.
const NONE: Class = Class::MAX;

/// How many bytes automata may read for one request. It is less than a path may have, because each byte
/// costs more; most have decided long before.
const MOST_BYTES: usize = 4096;

/// What looking a rule up has taken, and what automata may still read for it.
#[derive(Debug)]
pub struct Reading {
    left: usize,
    steps: usize,
}

/// The bytes that automata may read did not suffice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Undecided;

impl Reading {
    /// What one request may take.
    pub fn for_a_request() -> Self {
        Self { left: MOST_BYTES, steps: 0 }
    }

    /// No bound.
    pub fn without_end() -> Self {
        Self { left: usize::MAX, steps: 0 }
    }

    /// Counts a step.
    pub fn step(&mut self) {
        self.steps = self.steps.saturating_add(1);
    }

    /// The steps that were counted, and the bytes that were read.
    pub fn steps(&self) -> usize {
        self.steps
    }

    fn spend(&mut self, bytes: usize) {
        self.left = self.left.saturating_sub(bytes);
        self.steps = self.steps.saturating_add(bytes);
    }
}

/// Reads a text once, a step for each character, and says which of many expressions match it as a whole.
#[derive(Debug)]
pub struct Automaton {
    alphabet: Alphabet,
    states: Vec<State>,
    start: StateId,
    /// The rows of states that have no row of their own.
    rows: Vec<StateId>,
    /// The expressions that match where it ends, for all states.
    matched: Vec<u32>,
}

/// Where a character leads: to where most do but for two, or as the row says.
#[derive(Debug)]
struct State {
    most: StateId,
    exceptions: [(Class, StateId); 2],
    row: Option<u32>,
    /// Whether it is left by no character.
    stays: bool,
    matched: (u32, u32),
}

/// Characters by their classes.
#[derive(Debug)]
pub struct Alphabet {
    ascii: Box<[Class; 128]>,
    /// The first character of each class.
    firsts: Vec<u32>,
}

impl Alphabet {
    /// An alphabet with a class from each of these characters up to the next.
    pub fn new(mut firsts: Vec<u32>) -> Result<Self, TooLarge> {
        firsts.push(0);
        firsts.sort_unstable();
        firsts.dedup();
        if firsts.len() >= usize::from(NONE) {
            return Err(TooLarge);
        }
        let mut alphabet = Self { ascii: Box::new([0; 128]), firsts };
        let classes: Vec<Class> = (0..128).map(|c| alphabet.look_up(c)).collect();
        alphabet.ascii.copy_from_slice(&classes);
        Ok(alphabet)
    }

    /// The class of a character.
    pub fn class(&self, c: u32) -> Class {
        let ascii = usize::try_from(c).ok().and_then(|c| self.ascii.get(c));
        ascii.copied().unwrap_or_else(|| self.look_up(c))
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

    /// Where it begins.
    pub(super) fn begin_at(&mut self, start: StateId) {
        self.start = start;
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
        let mut state = State {
            most,
            exceptions,
            row: None,
            stays: row.iter().all(|&next| next == own),
            matched: (number(self.matched.len())?, number(matched.len())?),
        };
        if others.next().is_some() {
            state.exceptions = [(NONE, 0); 2];
            state.row = Some(number(self.rows.len())?);
            self.rows.extend_from_slice(row);
        }
        self.matched.extend_from_slice(matched);
        self.states.push(state);
        Ok(())
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
        let Some(mut state) = self.state(self.start) else { return Ok(&[]) };
        let may_read = text.get(..floor(text, reading.left)).unwrap_or_default();
        let mut chars = may_read.chars();
        while !state.stays {
            let Some(c) = chars.next() else { break };
            let class = self.alphabet.class(c.into());
            let [first, second] = state.exceptions;
            let next = match state.row {
                None if class == first.0 => first.1,
                None if class == second.0 => second.1,
                None => state.most,
                Some(row) => self.cell(row, class),
            };
            // There is no state that leads to none.
            let Some(next) = self.state(next) else { return Ok(&[]) };
            state = next;
        }
        reading.spend(may_read.len().saturating_sub(chars.as_str().len()));
        if !state.stays && may_read.len() < text.len() {
            return Err(Undecided);
        }
        Ok(self.matched(state))
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

    fn state(&self, id: StateId) -> Option<&State> {
        self.states.get(usize::try_from(id).ok()?)
    }

    fn cell(&self, row: u32, class: Class) -> StateId {
        let cell = usize::try_from(row).ok().and_then(|row| row.checked_add(class.into()));
        cell.and_then(|cell| self.rows.get(cell)).copied().unwrap_or_default()
    }
}

/// The last place of a text, not beyond `most` bytes, at which a character begins.
fn floor(text: &str, most: usize) -> usize {
    let mut place = most.min(text.len());
    while !text.is_char_boundary(place) {
        place = place.saturating_sub(1);
    }
    place
}

/// The state that most classes lead to.
fn most_common(row: &[StateId]) -> StateId {
    let mut sorted = row.to_vec();
    sorted.sort_unstable();
    let runs = sorted.chunk_by(|left, right| left == right);
    runs.max_by_key(|run| run.len()).and_then(|run| run.first()).copied().unwrap_or_default()
}

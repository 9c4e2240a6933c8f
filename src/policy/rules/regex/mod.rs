//! Regular expressions, all of them as one automaton that is there before the first request: a path is
//! read once, a step for each character, however many expressions there are and however they are
//! written. An automaton can grow beyond all bounds for what its expressions are long; how large it may
//! become is bounded, and checked when the configuration is read.

mod automaton;
mod class;
mod nfa;
mod parse;
mod set;
mod subsets;

pub use automaton::{Automaton, Reading, Undecided};
pub use nfa::{Nfa, TooLarge};
pub use set::CharSet;

/// How much room automata may take together, in cells of four bytes.
pub const MOST_CELLS: usize = 1 << 20;

/// How many automata all expressions may take.
const MOST_AUTOMATA: usize = 4;

/// A regular expression that was read.
#[derive(Clone, Debug)]
pub enum Ast {
    /// One character of these.
    Set(CharSet),
    /// Nothing, at a place that is as it says.
    Look(Look),
    /// One after another.
    Sequence(Vec<Ast>),
    /// One of them.
    Alternatives(Vec<Ast>),
    /// So many times.
    Repeat {
        /// What.
        of: Box<Ast>,
        /// At least.
        min: u32,
        /// At most, if there is a most.
        max: Option<u32>,
    },
}

/// What is asked of a place between characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// It is at the start.
    Start,
    /// It is at the end.
    End,
    /// A word begins or ends.
    Boundary,
    /// Neither.
    NoBoundary,
    /// A word begins.
    WordStart,
    /// A word ends.
    WordEnd,
    /// No word character is before it.
    WordStartHalf,
    /// No word character is after it.
    WordEndHalf,
}

/// A regular expression, anchored at both ends.
#[derive(Clone, Debug)]
pub struct Pattern(Ast);

impl Pattern {
    /// Reads one.
    ///
    /// # Errors
    /// Why it is none.
    pub fn new(text: &str) -> Result<Self, &'static str> {
        parse::parse(text).map(Self)
    }

    /// What was read.
    pub fn ast(&self) -> &Ast {
        &self.0
    }

    /// Whether what it matches can begin with a slash, as every path does.
    #[must_use]
    pub fn can_begin_a_path(&self) -> bool {
        begins(&self.0).has_slash
    }

    /// Whether it asks for a question mark: that is meant for a query, which is no part of a path.
    #[must_use]
    pub fn names_a_query(&self) -> bool {
        names(&self.0, &CharSet::of(&[(0x3F, 0x3F)]))
    }

    /// Whether it matches the whole of `path`. It is compiled for this one question.
    pub fn matches(&self, path: &str) -> bool {
        let mut nfa = Nfa::default();
        let automaton = nfa.add(&self.0, false).and_then(|()| Automaton::new(&nfa, MOST_CELLS));
        let mut reading = Reading::without_end();
        automaton
            .is_ok_and(|automaton| automaton.matches(path, &mut reading).is_ok_and(|own| !own.is_empty()))
    }
}

/// What is known of the first character of what an expression matches.
#[derive(Clone, Copy)]
struct Begin {
    /// It can be a slash.
    has_slash: bool,
    /// There may be none.
    is_empty: bool,
}

fn begins(ast: &Ast) -> Begin {
    match ast {
        Ast::Set(set) => Begin { has_slash: set.contains('/'), is_empty: false },
        Ast::Look(_) => Begin { has_slash: false, is_empty: true },
        Ast::Sequence(items) => {
            let mut begin = Begin { has_slash: false, is_empty: true };
            for item in items {
                let next = begins(item);
                begin = Begin { has_slash: begin.has_slash || next.has_slash, is_empty: next.is_empty };
                if !begin.is_empty {
                    break;
                }
            }
            begin
        }
        Ast::Alternatives(items) => {
            let begins = items.iter().map(begins);
            begins.fold(Begin { has_slash: false, is_empty: false }, |begin, next| Begin {
                has_slash: begin.has_slash || next.has_slash,
                is_empty: begin.is_empty || next.is_empty,
            })
        }
        Ast::Repeat { max: Some(0), .. } => Begin { has_slash: false, is_empty: true },
        Ast::Repeat { of, min, max: _ } => {
            let once = begins(of);
            Begin { is_empty: once.is_empty || *min == 0, ..once }
        }
    }
}

fn names(ast: &Ast, own: &CharSet) -> bool {
    match ast {
        Ast::Set(set) => set == own,
        Ast::Look(_) => false,
        Ast::Sequence(items) | Ast::Alternatives(items) => items.iter().any(|item| names(item, own)),
        Ast::Repeat { of, .. } => names(of, own),
    }
}

/// Expressions by the rules that they are of.
#[derive(Debug, Default)]
pub struct Regexes(Vec<(Automaton, Vec<usize>)>);

/// An expression, the number of its rule, and whether rules behind it do not matter where it matches.
pub type Numbered<'a> = (usize, &'a Pattern, bool);

impl Regexes {
    /// Automata for these expressions, in order: one, if it does not become too large.
    ///
    /// # Errors
    /// The rule from which on they are too large.
    pub fn new(patterns: &[Numbered<'_>]) -> Result<Self, usize> {
        let mut regexes = Self::default();
        regexes.add(patterns)?;
        Ok(regexes)
    }

    fn add(&mut self, patterns: &[Numbered<'_>]) -> Result<(), usize> {
        let Some(&(first, ..)) = patterns.first() else { return Ok(()) };
        if self.0.len() >= MOST_AUTOMATA {
            return Err(first);
        }
        let mut nfa = Nfa::default();
        let room = MOST_CELLS.saturating_sub(self.0.iter().map(|(own, _)| own.size()).sum());
        let added = patterns.iter().try_for_each(|(_, pattern, settles)| nfa.add(&pattern.0, *settles));
        match added.and_then(|()| Automaton::new(&nfa, room)) {
            Ok(automaton) => {
                self.0.push((automaton, patterns.iter().map(|&(number, ..)| number).collect()));
                Ok(())
            }
            Err(TooLarge) if patterns.len() == 1 => Err(first),
            Err(TooLarge) => {
                let (earlier, later) = patterns.split_at(patterns.len() / 2);
                self.add(earlier)?;
                self.add(later)
            }
        }
    }

    /// The first rule before `best` whose expression matches and that `fits`, or `best`.
    ///
    /// # Errors
    /// If it takes more reading than there may be.
    pub fn find(
        &self,
        path: &str,
        mut best: usize,
        reading: &mut Reading,
        fits: impl Fn(usize) -> bool,
    ) -> Result<usize, Undecided> {
        for (automaton, numbers) in &self.0 {
            if numbers.first().is_none_or(|&first| first >= best) {
                break;
            }
            let matched = automaton.matches(path, reading)?.iter();
            let rules = matched.filter_map(|&own| numbers.get(usize::try_from(own).ok()?).copied());
            best = rules.take_while(|&number| number < best).find(|&number| fits(number)).unwrap_or(best);
        }
        Ok(best)
    }
}

#[cfg(test)]
#[path = "../regex_tests.rs"]
mod tests;

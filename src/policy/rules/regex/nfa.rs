//! Expressions as one graph: where each could be after some characters.

use super::{Ast, CharSet, Look};

/// Expressions grow beyond what is bounded here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooLarge;

/// How many places all expressions may have together.
const MOST_PLACES: usize = 1 << 17;

/// The number of a place.
pub type Place = u32;

/// What is at a place.
#[derive(Debug)]
pub enum Step {
    /// A character of these leads to there.
    Set(CharSet, Place),
    /// Both of these, without a character.
    Both(Place, Place),
    /// There, without a character, if the place is as it says.
    Look(Look, Place),
    /// The end of an expression: it matches what ends here.
    End,
    /// It matches, whatever follows.
    Whatever,
}

/// The graph of some expressions, each known by its number.
#[derive(Debug, Default)]
pub struct Nfa {
    /// Every place.
    pub steps: Vec<Step>,
    /// Where each expression begins, in order.
    pub starts: Vec<Place>,
    /// The first place of each expression.
    pub firsts: Vec<Place>,
    /// Whether expressions behind this one do not matter where it matches.
    pub settles: Vec<bool>,
}

impl Nfa {
    /// Adds an expression. One that `settles` leaves nothing to those behind it.
    ///
    /// # Errors
    /// If there are too many places.
    pub fn add(&mut self, ast: &Ast, settles: bool) -> Result<(), TooLarge> {
        self.firsts.push(self.len()?);
        let end = self.place(Step::End)?;
        let start = self.compile(ast, end)?;
        self.starts.push(start);
        self.settles.push(settles);
        Ok(())
    }

    /// The expression that a place is of.
    pub fn owner(&self, place: Place) -> usize {
        self.firsts.partition_point(|&first| first <= place).saturating_sub(1)
    }

    /// What is at a place.
    pub fn step(&self, place: Place) -> Option<&Step> {
        self.steps.get(usize::try_from(place).ok()?)
    }

    fn len(&self) -> Result<Place, TooLarge> {
        Place::try_from(self.steps.len()).map_err(|_| TooLarge)
    }

    fn place(&mut self, step: Step) -> Result<Place, TooLarge> {
        let place = self.len()?;
        if self.steps.len() >= MOST_PLACES {
            return Err(TooLarge);
        }
        self.steps.push(step);
        Ok(place)
    }

    /// The place where `ast` begins, after which comes `next`.
    fn compile(&mut self, ast: &Ast, next: Place) -> Result<Place, TooLarge> {
        match ast {
            Ast::Set(set) => self.place(Step::Set(set.clone(), next)),
            Ast::Look(look) => self.place(Step::Look(*look, next)),
            Ast::Sequence(items) => items.iter().rev().try_fold(next, |next, item| self.compile(item, next)),
            Ast::Alternatives(items) => {
                let mut start = None;
                for item in items.iter().rev() {
                    let item = self.compile(item, next)?;
                    start = Some(match start {
                        Some(others) => self.place(Step::Both(item, others))?,
                        None => item,
                    });
                }
                Ok(start.unwrap_or(next))
            }
            Ast::Repeat { of, min, max } => {
                let mut next = next;
                match max {
                    None => next = self.star(of, next)?,
                    Some(max) => {
                        let behind = next;
                        for _ in *min..*max {
                            let once = self.compile(of, next)?;
                            next = self.place(Step::Both(once, behind))?;
                        }
                    }
                }
                for _ in 0..*min {
                    let places = self.steps.len();
                    next = self.compile(of, next)?;
                    // What is nothing is nothing however often.
                    if self.steps.len() == places {
                        break;
                    }
                }
                Ok(next)
            }
        }
    }

    fn star(&mut self, of: &Ast, next: Place) -> Result<Place, TooLarge> {
        if matches!(of, Ast::Set(set) if set.is_any_of_a_path()) && self.is_end(next) {
            return self.place(Step::Whatever);
        }
        // It leads to itself, once it is known.
        let again = self.place(Step::Both(next, next))?;
        let once = self.compile(of, again)?;
        if let Some(step) = self.steps.get_mut(usize::try_from(again).map_err(|_| TooLarge)?) {
            *step = Step::Both(once, next);
        }
        Ok(again)
    }

    /// Whether nothing is asked any more but that the path ends.
    fn is_end(&self, place: Place) -> bool {
        match self.step(place) {
            Some(Step::End) => true,
            Some(Step::Look(Look::End, next)) => self.is_end(*next),
            Some(Step::Set(..) | Step::Both(..) | Step::Look(..) | Step::Whatever) | None => false,
        }
    }
}

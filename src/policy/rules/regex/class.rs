//! Reads classes of characters: `[a-z_]`.

use super::Ast;
use super::parse::{Escape, Parser, Read};
use super::set::CharSet;

impl Parser<'_> {
    /// A class, from its bracket on.
    pub(super) fn class(&mut self) -> Read<Ast> {
        const OPEN: &str = "a class is not closed";
        self.next();
        self.skip_space();
        let negated = self.take("^");
        let mut set = CharSet::default();
        self.skip_space();
        // What would close the class or make a range means itself where there is nothing to be closed.
        let mut is_first = true;
        while self.take("-") {
            set.add('-'.into(), '-'.into());
            is_first = false;
            self.skip_space();
        }
        if is_first && self.take("]") {
            set.add(']'.into(), ']'.into());
        }
        loop {
            self.skip_space();
            match self.peek().ok_or(OPEN)? {
                ']' => break,
                '[' => set.extend(&self.named_class()?),
                '&' if self.rest.starts_with("&&") => return Err("classes cannot be intersected"),
                '-' if self.rest.starts_with("--") => return Err("classes cannot be subtracted"),
                '~' if self.rest.starts_with("~~") => return Err("classes cannot be subtracted"),
                _ => self.class_item(&mut set)?,
            }
        }
        self.next();
        // In this order: `(?i)[^x]` is not for `X`.
        if self.flags.ignores_case {
            set.fold_ascii_case();
        }
        if negated {
            set.negate();
        }
        Ok(Ast::Set(set))
    }

    fn class_item(&mut self, set: &mut CharSet) -> Read<()> {
        let first = self.class_member()?;
        self.skip_space();
        let mut behind = self.rest.chars().skip_while(|c| self.flags.ignores_space && c.is_whitespace());
        let is_range = behind.next() == Some('-')
            && !matches!(
                behind.find(|c| !self.flags.ignores_space || !c.is_whitespace()),
                Some(']' | '-') | None
            );
        match (first, is_range) {
            (Escape::Char(c), false) => set.add(c.into(), c.into()),
            (Escape::Set(other), false) => set.extend(&other),
            (Escape::Look(_), _) => return Err("a class has characters only"),
            (Escape::Set(_), true) => return Err("a range has characters at its ends"),
            (Escape::Char(from), true) => {
                self.skip_space();
                self.next();
                self.skip_space();
                let Escape::Char(to) = self.class_member()? else {
                    return Err("a range has characters at its ends");
                };
                if from > to {
                    return Err("a range ends before it begins");
                }
                set.add(from.into(), to.into());
            }
        }
        Ok(())
    }

    fn class_member(&mut self) -> Read<Escape> {
        match self.next() {
            Some('\\') => self.escape(),
            Some(c) => Ok(Escape::Char(c)),
            None => Err("a class is not closed"),
        }
    }

    /// `[:alpha:]` and its like, within a class.
    fn named_class(&mut self) -> Read<CharSet> {
        const NESTED: &str = "classes within classes are not supported";
        let rest = self.rest.strip_prefix("[:").ok_or(NESTED)?;
        let (name, rest) = rest.split_once(":]").ok_or(NESTED)?;
        let (name, negated) = name.strip_prefix('^').map_or((name, false), |name| (name, true));
        let mut set = CharSet::named(name).ok_or(NESTED)?;
        if negated {
            set.negate();
        }
        self.rest = rest;
        Ok(set)
    }
}

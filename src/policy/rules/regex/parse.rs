//! Reads a regular expression: the syntax of the crate `regex-lite`, which is what users are told.
//! What it leaves out, it refuses by name.

use super::set::CharSet;
use super::{Ast, Look};

/// How deep groups and repetitions may be nested.
const DEEPEST: usize = 50;

pub(super) type Read<T> = Result<T, &'static str>;

/// Reads `pattern`.
///
/// # Errors
/// Why it is not a regular expression.
pub fn parse(pattern: &str) -> Read<Ast> {
    let mut parser = Parser { rest: pattern, flags: Flags::default(), names: Vec::new() };
    let ast = parser.alternatives(0)?;
    if parser.rest.is_empty() { Ok(ast) } else { Err("a `)` closes nothing") }
}

#[derive(Clone, Copy, Default)]
pub(super) struct Flags {
    pub(super) ignores_case: bool,
    dot_is_everything: bool,
    crlf: bool,
    pub(super) ignores_space: bool,
}

pub(super) struct Parser<'p> {
    pub(super) rest: &'p str,
    pub(super) flags: Flags,
    names: Vec<&'p str>,
}

impl<'p> Parser<'p> {
    pub(super) fn peek(&self) -> Option<char> {
        self.rest.chars().next()
    }

    pub(super) fn next(&mut self) -> Option<char> {
        let mut chars = self.rest.chars();
        let next = chars.next();
        self.rest = chars.as_str();
        next
    }

    pub(super) fn take(&mut self, text: &str) -> bool {
        let rest = self.rest.strip_prefix(text);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    /// Under the flag `x`, spaces and comments mean nothing.
    pub(super) fn skip_space(&mut self) {
        while self.flags.ignores_space {
            match self.peek() {
                Some('#') => self.rest = self.rest.split_once('\n').map_or("", |(_, rest)| rest),
                Some(c) if c.is_whitespace() => drop(self.next()),
                Some(_) | None => return,
            }
        }
    }

    fn alternatives(&mut self, depth: usize) -> Read<Ast> {
        if depth > DEEPEST {
            return Err("too deep");
        }
        let mut alternatives = Vec::new();
        let mut sequence: Vec<Ast> = Vec::new();
        // How many operators in a row repeat the last item.
        let mut repeats = depth;
        loop {
            self.skip_space();
            let item = match self.peek() {
                None | Some(')') => break,
                Some('|') => {
                    self.next();
                    alternatives.push(Ast::Sequence(std::mem::take(&mut sequence)));
                    continue;
                }
                Some('?' | '*' | '+' | '{') => {
                    let of = sequence.pop().ok_or("nothing stands before a repetition")?;
                    repeats = repeats.saturating_add(1);
                    if repeats > DEEPEST {
                        return Err("too deep");
                    }
                    let (min, max) = self.repetition()?;
                    sequence.push(Ast::Repeat { of: Box::new(of), min, max });
                    continue;
                }
                Some('(') => match self.group(depth)? {
                    Some(group) => group,
                    None => continue,
                },
                Some('[') => self.class()?,
                Some(_) => self.primitive()?,
            };
            repeats = depth;
            sequence.push(item);
        }
        alternatives.push(Ast::Sequence(sequence));
        Ok(Ast::Alternatives(alternatives))
    }

    /// A group; `None` where it only sets flags for what comes behind it.
    fn group(&mut self, depth: usize) -> Read<Option<Ast>> {
        let outer = self.flags;
        self.next();
        self.skip_space();
        if ["?=", "?!", "?<=", "?<!"].iter().any(|look| self.rest.starts_with(look)) {
            return Err("look-around is not supported");
        }
        if self.take("?P<") || self.take("?<") {
            self.name()?;
        } else if self.take("?") {
            let flags = self.flags()?;
            self.flags = flags;
            if self.take(")") {
                return Ok(None);
            }
            self.next();
        }
        let group = self.alternatives(depth.saturating_add(1))?;
        self.flags = outer;
        if self.take(")") { Ok(Some(group)) } else { Err("a group is not closed") }
    }

    /// The name of a group, which says nothing here but must be one.
    fn name(&mut self) -> Read<()> {
        let (name, rest) = self.rest.split_once('>').ok_or("the name of a group is not closed")?;
        let mut chars = name.chars();
        let begins = chars.next().is_some_and(|c| c == '_' || c.is_alphabetic());
        if !begins || !chars.all(|c| matches!(c, '_' | '.' | '[' | ']') || c.is_alphanumeric()) {
            return Err("the name of a group is none");
        }
        if self.names.contains(&name) {
            return Err("two groups have one name");
        }
        self.names.push(name);
        self.rest = rest;
        Ok(())
    }

    /// Flags up to a `:` or a `)`, which stay.
    fn flags(&mut self) -> Read<Flags> {
        let mut flags = self.flags;
        let (mut seen, mut value) = (String::new(), true);
        loop {
            let Some(flag) = self.peek() else { return Err("flags are not closed") };
            match flag {
                ':' if !seen.ends_with('-') => return Ok(flags),
                ')' if !seen.is_empty() && !seen.ends_with('-') => return Ok(flags),
                ':' | ')' => return Err("flags end in nothing"),
                '-' => value = false,
                'i' => flags.ignores_case = value,
                's' => flags.dot_is_everything = value,
                'R' => flags.crlf = value,
                'x' => flags.ignores_space = value,
                // A path has one line; what matches at all does so greedily or not; `u` is told by `regex`.
                'm' | 'U' | 'u' => {}
                _ => return Err("a flag is not known"),
            }
            if seen.contains(flag) {
                return Err("a flag is there twice");
            }
            seen.push(flag);
            self.next();
        }
    }

    /// How often: `?`, `*`, `+` or numbers in braces.
    fn repetition(&mut self) -> Read<(u32, Option<u32>)> {
        let times = match self.next() {
            Some('?') => (0, Some(1)),
            Some('*') => (0, None),
            Some('+') => (1, None),
            Some(_) | None => self.counts()?,
        };
        // Whether it takes as few as it can says nothing about whether it matches.
        self.take("?");
        Ok(times)
    }

    fn counts(&mut self) -> Read<(u32, Option<u32>)> {
        let (inner, rest) = self.rest.split_once('}').ok_or("a repetition is not closed")?;
        self.rest = rest;
        let number = |text: &str| {
            let digits = text.trim();
            let is_number = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
            let number = if is_number { digits.parse::<u32>().ok() } else { None };
            number.ok_or("a repetition has no number")
        };
        let (min, max) = match inner.split_once(',') {
            None => (number(inner)?, Some(number(inner)?)),
            Some((min, "")) => (number(min)?, None),
            Some((min, max)) => (number(min)?, Some(number(max)?)),
        };
        if max.is_some_and(|max| min > max) {
            return Err("a repetition is at least more than at most");
        }
        Ok((min, max))
    }

    fn primitive(&mut self) -> Read<Ast> {
        match self.next() {
            Some('\\') => match self.escape()? {
                Escape::Char(c) => Ok(self.character(c)),
                Escape::Set(set) => Ok(Ast::Set(set)),
                Escape::Look(look) => Ok(Ast::Look(look)),
            },
            Some('.') => Ok(Ast::Set(self.dot())),
            // Lines begin and end at line feeds, and a path has none.
            Some('^') => Ok(Ast::Look(Look::Start)),
            Some('$') => Ok(Ast::Look(Look::End)),
            Some(c) => Ok(self.character(c)),
            None => Err("nothing is there"),
        }
    }

    fn character(&self, c: char) -> Ast {
        let mut set = CharSet::of(&[(u32::from(c), u32::from(c))]);
        if self.flags.ignores_case {
            set.fold_ascii_case();
        }
        Ast::Set(set)
    }

    fn dot(&self) -> CharSet {
        let mut without = CharSet::of(match (self.flags.dot_is_everything, self.flags.crlf) {
            (true, _) => &[],
            (false, true) => &[(0x0A, 0x0A), (0x0D, 0x0D)],
            (false, false) => &[(0x0A, 0x0A)],
        });
        without.negate();
        without
    }

    pub(super) fn escape(&mut self) -> Read<Escape> {
        let c = self.next().ok_or("nothing follows a backslash")?;
        Ok(match c {
            '0'..='9' => return Err("backreferences are not supported"),
            'p' | 'P' => return Err("Unicode classes are not supported"),
            'x' => self.hex(2)?,
            'u' => self.hex(4)?,
            'U' => self.hex(8)?,
            'd' | 'D' | 's' | 'S' | 'w' | 'W' => {
                let mut set = CharSet::named(match c.to_ascii_lowercase() {
                    'd' => "digit",
                    's' => "space",
                    _ => "word",
                })
                .unwrap_or_default();
                if c.is_ascii_uppercase() {
                    set.negate();
                }
                Escape::Set(set)
            }
            'a' => Escape::Char('\x07'),
            'f' => Escape::Char('\x0C'),
            't' => Escape::Char('\t'),
            'n' => Escape::Char('\n'),
            'r' => Escape::Char('\r'),
            'v' => Escape::Char('\x0B'),
            'A' => Escape::Look(Look::Start),
            'z' => Escape::Look(Look::End),
            'b' => Escape::Look(self.boundary()?),
            'B' => Escape::Look(Look::NoBoundary),
            '<' => Escape::Look(Look::WordStart),
            '>' => Escape::Look(Look::WordEnd),
            c if c.is_ascii() && !c.is_ascii_alphanumeric() => Escape::Char(c),
            _ => return Err("an escape is not known"),
        })
    }

    /// What `\b` is, which may be followed by which kind of boundary is meant.
    fn boundary(&mut self) -> Read<Look> {
        let names = [
            ("{start}", Look::WordStart),
            ("{end}", Look::WordEnd),
            ("{start-half}", Look::WordStartHalf),
            ("{end-half}", Look::WordEndHalf),
        ];
        if let Some((_, look)) = names.into_iter().find(|(name, _)| self.take(name)) {
            return Ok(look);
        }
        let is_word = |c: char| c.is_ascii_alphabetic() || c == '-';
        match self.rest.strip_prefix('{').map(|rest| rest.chars().next()) {
            Some(None) => Err("a repetition is not closed"),
            Some(Some(c)) if is_word(c) => Err("a boundary is not known"),
            Some(Some(_)) | None => Ok(Look::Boundary),
        }
    }

    fn hex(&mut self, digits: usize) -> Read<Escape> {
        let text = if self.take("{") {
            let (inner, rest) = self.rest.split_once('}').ok_or("a hexadecimal number is not closed")?;
            self.rest = rest;
            inner
        } else {
            let (digits, rest) =
                self.rest.split_at_checked(digits).ok_or("a hexadecimal number is too short")?;
            self.rest = rest;
            digits
        };
        let is_number = !text.is_empty() && text.bytes().all(|b| b.is_ascii_hexdigit());
        let number = if is_number { u32::from_str_radix(text, 16).ok() } else { None };
        number.and_then(char::from_u32).map(Escape::Char).ok_or("a hexadecimal number is no character")
    }
}

/// What an escape means.
pub(super) enum Escape {
    Char(char),
    Set(CharSet),
    Look(Look),
}

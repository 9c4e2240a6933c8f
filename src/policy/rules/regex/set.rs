//! Sets of characters, as ranges of their numbers.

/// The last character there is.
pub const LAST: u32 = char::MAX as u32;

/// A set of characters: ranges, both ends in, sorted and apart from one another.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CharSet(Vec<(u32, u32)>);

impl CharSet {
    /// The characters of these ranges.
    pub fn of(ranges: &[(u32, u32)]) -> Self {
        let mut set = Self(ranges.to_vec());
        set.tidy();
        set
    }

    /// Every character.
    pub fn all() -> Self {
        Self::of(&[(0, LAST)])
    }

    /// A class of POSIX by its name, in ASCII.
    pub fn named(name: &str) -> Option<Self> {
        let ranges: &[(u8, u8)] = match name {
            "alnum" => &[(b'0', b'9'), (b'A', b'Z'), (b'a', b'z')],
            "alpha" => &[(b'A', b'Z'), (b'a', b'z')],
            "ascii" => &[(0x00, 0x7F)],
            "blank" => &[(b'\t', b'\t'), (b' ', b' ')],
            "cntrl" => &[(0x00, 0x1F), (0x7F, 0x7F)],
            "digit" => &[(b'0', b'9')],
            "graph" => &[(b'!', b'~')],
            "lower" => &[(b'a', b'z')],
            "print" => &[(b' ', b'~')],
            "punct" => &[(b'!', b'/'), (b':', b'@'), (b'[', b'`'), (b'{', b'~')],
            "space" => &[(0x09, 0x0D), (b' ', b' ')],
            "upper" => &[(b'A', b'Z')],
            "word" => &[(b'0', b'9'), (b'A', b'Z'), (b'_', b'_'), (b'a', b'z')],
            "xdigit" => &[(b'0', b'9'), (b'A', b'F'), (b'a', b'f')],
            _ => return None,
        };
        Some(Self(ranges.iter().map(|&(first, last)| (first.into(), last.into())).collect()))
    }

    /// Its ranges.
    pub fn ranges(&self) -> &[(u32, u32)] {
        &self.0
    }

    /// Adds a range.
    pub fn add(&mut self, first: u32, last: u32) {
        self.0.push((first, last));
        self.tidy();
    }

    /// Adds what another one has.
    pub fn extend(&mut self, other: &Self) {
        self.0.extend_from_slice(&other.0);
        self.tidy();
    }

    /// Adds to each ASCII letter the other one that is the same without case.
    pub fn fold_ascii_case(&mut self) {
        let mut other_case = Vec::new();
        for &(first, last) in &self.0 {
            for (from, to, other) in [('a', 'z', 'A'), ('A', 'Z', 'a')] {
                let (from, to, other) = (u32::from(from), u32::from(to), u32::from(other));
                let (low, high) = (first.max(from), last.min(to));
                if low <= high {
                    let moved = |c: u32| c.saturating_sub(from).saturating_add(other);
                    other_case.push((moved(low), moved(high)));
                }
            }
        }
        self.0.extend(other_case);
        self.tidy();
    }

    /// Makes it what it is not.
    pub fn negate(&mut self) {
        let mut rest = Vec::new();
        let mut next = Some(0);
        for &(first, last) in &self.0 {
            if let Some(next) = next
                && next < first
            {
                rest.push((next, first.saturating_sub(1)));
            }
            next = last.checked_add(1).filter(|&next| next <= LAST);
        }
        rest.extend(next.map(|next| (next, LAST)));
        self.0 = rest;
    }

    /// Whether it has this character.
    pub fn contains(&self, c: char) -> bool {
        let c = u32::from(c);
        self.0.iter().any(|&(first, last)| first <= c && c <= last)
    }

    /// Whether it has every character that a path in normal form can have: all but control characters.
    pub fn is_any_of_a_path(&self) -> bool {
        let has = |first: u32, last: u32| self.0.iter().any(|&(from, to)| from <= first && last <= to);
        has(0x20, 0x7E) && has(0x80, LAST)
    }

    fn tidy(&mut self) {
        self.0.sort_unstable();
        let mut tidied: Vec<(u32, u32)> = Vec::with_capacity(self.0.len());
        for &(first, last) in &self.0 {
            match tidied.last_mut() {
                Some((_, end)) if first <= end.saturating_add(1) => *end = last.max(*end),
                _ => tidied.push((first, last)),
            }
        }
        self.0 = tidied;
    }
}

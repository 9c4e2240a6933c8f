//! Names of parameters and cookies as applications read them that read more than the filter does. PHP makes an underscore
//! of a dot, a space and a bracket, leaves out what is white space in front, and ends a name at NUL; a bracket begins an
//! index (`key[]`). ASP.NET takes no notice of case. Others take quotes and white space off. What is so read is no credential
//! that was judged, and goes no further where credentials do not.

use super::header::is_tchar;

/// What is read of a name, and what is behind it.
enum Read<'a> {
    End,
    /// It was written so, or encoded.
    Byte(u8, &'a [u8]),
}

/// The first byte of `text`, decoded as in a query.
fn read(text: &[u8]) -> Read<'_> {
    let digit = |d: &u8| char::from(*d).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    match text {
        [] => Read::End,
        [b'+', rest @ ..] => Read::Byte(b' ', rest),
        [b'%', high, low, rest @ ..] => match (digit(high), digit(low)) {
            (Some(high), Some(low)) => Read::Byte((high << 4) | low, rest),
            (None, _) | (_, None) => Read::Byte(b'%', text.get(1..).unwrap_or_default()),
        },
        [byte, rest @ ..] => Read::Byte(*byte, rest),
    }
}

/// What a letter of a name is read as.
fn folded(byte: u8) -> u8 {
    match byte {
        b'.' | b' ' | b'[' => b'_',
        byte => byte.to_ascii_lowercase(),
    }
}

/// Whether `pair` begins with a name that an application may take for `name`, with a value or an index behind it. What
/// is before a name is read up to `separators`.
pub fn is_read_as(pair: &[u8], name: &str, separators: &[u8]) -> bool {
    // There may be ten thousands of pairs, and hardly one is ours.
    if pair.len() <= name.len() {
        return false;
    }
    let mut rest = pair;
    // No name begins with such a sign, and it is left out where a pair has one.
    while rest.first().is_some_and(|first| !first.is_ascii_alphanumeric())
        && let Read::Byte(byte, behind) = read(rest)
        && !is_tchar(byte)
    {
        if rest.first().is_none_or(|first| *first == b'=' || separators.contains(first)) {
            return false;
        }
        rest = behind;
    }
    for wanted in name.bytes().skip_while(|byte| !is_tchar(*byte)) {
        rest = match rest {
            [] | [b'=', ..] => return false,
            [own, behind @ ..] if own.is_ascii_alphanumeric() => {
                if !own.eq_ignore_ascii_case(&wanted) {
                    return false;
                }
                behind
            }
            [_, ..] => match read(rest) {
                Read::Byte(byte, behind) if folded(byte) == folded(wanted) => behind,
                Read::Byte(..) | Read::End => return false,
            },
        };
    }
    loop {
        match (rest.first(), read(rest)) {
            (Some(b'='), _) | (_, Read::Byte(b'[' | 0, _)) => return true,
            (_, Read::Byte(byte, behind)) if !is_tchar(byte) && byte != b']' => rest = behind,
            (_, Read::End | Read::Byte(..)) => return false,
        }
    }
}

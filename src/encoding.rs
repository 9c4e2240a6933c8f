//! Base64 and hexadecimal, as strictly as each place wants them.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use base64::prelude::BASE64_URL_SAFE_NO_PAD;

const LENIENT: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, LENIENT);
const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, LENIENT);

/// Base64url as RFC 7515 section 2 has it: no padding, no white space, no stray trailing bits.
#[must_use]
pub fn decode_base64url(text: &[u8]) -> Option<Vec<u8>> {
    BASE64_URL_SAFE_NO_PAD.decode(text).ok()
}

/// Base64 in either alphabet of RFC 4648, padded or not: what people paste into a configuration.
#[must_use]
pub fn decode_any_base64(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).or_else(|_| URL_SAFE.decode(text)).ok()
}

/// Whether a pair of `application/x-www-form-urlencoded` has this name. It is decoded no further than it takes to
/// see that it has not: a query or a form may have ten thousands of pairs.
#[must_use]
pub fn is_named_pair(pair: &[u8], name: &str) -> bool {
    let digit = |d: &u8| char::from(*d).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let mut rest = pair;
    for wanted in name.bytes() {
        let (byte, after) = match rest {
            [] | [b'=', ..] => return false,
            [b'+', after @ ..] => (b' ', after),
            [b'%', high, low, after @ ..] => match (digit(high), digit(low)) {
                (Some(high), Some(low)) => ((high << 4) | low, after),
                (None, _) | (_, None) => (b'%', rest.get(1..).unwrap_or_default()),
            },
            [byte, after @ ..] => (*byte, after),
        };
        if byte != wanted {
            return false;
        }
        rest = after;
    }
    rest.is_empty() || rest.starts_with(b"=")
}

/// 64 hexadecimal digits in either case.
#[must_use]
pub fn decode_hex32(text: &str) -> Option<[u8; 32]> {
    let digits = text.as_bytes();
    if digits.len() != 64 {
        return None;
    }
    let mut bytes = [0; 32];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        let digit = |d: Option<&u8>| char::from(*d?).to_digit(16);
        let (high, low) = (digit(pair.first())?, digit(pair.get(1))?);
        *byte = u8::try_from((high << 4) | low).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
#[path = "encoding_tests.rs"]
mod tests;

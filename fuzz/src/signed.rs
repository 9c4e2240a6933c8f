//! Tokens out of a fuzzer's bytes. Bytes alone would never get past the signature, so a target may
//! be asked to sign what it is given.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use lychgate_tests::tokens;

/// Our secret.
pub const SECRET: &str = "a secret for fuzzing that is long enough for every HMAC there is: 64+";

/// The time of the test.
pub const NOW: i64 = 1_700_000_000;

/// The token in `data`. The first byte says what the rest is: `s`, a header and claims, one line
/// each, to be signed with our secret; anything else, a token as it is.
pub fn token(data: &[u8]) -> Option<Vec<u8>> {
    let (&kind, rest) = data.split_first()?;
    if kind != b's' {
        return Some(rest.to_vec());
    }
    let mut lines = rest.splitn(2, |&byte| byte == b'\n');
    let (header, claims) = (lines.next()?, lines.next()?);
    let encode = |part: &[u8]| BASE64_URL_SAFE_NO_PAD.encode(part);
    let input = format!("{}.{}", encode(header), encode(claims));
    let signature = encode(&tokens::hs256(SECRET.as_bytes(), input.as_bytes()));
    Some(format!("{input}.{signature}").into_bytes())
}

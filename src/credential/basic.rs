//! The credential of HTTP Basic (RFC 7617): base64 of `user-id:password` in UTF-8.

use zeroize::Zeroizing;

/// The longest credential that is looked at, in bytes: as long as a form at the token endpoint. It is
/// hashed at every request, to see whether it is remembered.
const MAX_BYTES: usize = 8192;

/// User-id and password. The first colon splits; neither may hold control characters.
///
/// The password is wiped when it is dropped. `None` if the text is not such a credential.
#[must_use]
pub fn decode(credential: &[u8]) -> Option<(String, Zeroizing<Vec<u8>>)> {
    if credential.len() > MAX_BYTES {
        return None;
    }
    let text = std::str::from_utf8(credential).ok()?;
    let decoded = Zeroizing::new(crate::encoding::decode_any_base64(text)?);
    let decoded = std::str::from_utf8(&decoded).ok()?;
    if decoded.chars().any(char::is_control) {
        return None;
    }
    let (user, password) = decoded.split_once(':')?;
    Some((user.to_owned(), Zeroizing::new(password.as_bytes().to_vec())))
}

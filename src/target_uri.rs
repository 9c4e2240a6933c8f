//! URIs of what is asked for, in one form, so that two of them can be compared (RFC 3986 section 6.2).

/// An absolute `http` or `https` URI in one form: scheme and host in lower case, without default port, query and
/// fragment; percent-encoding in upper case, and only where it is needed. `None` if it is no such URI, or names a user.
#[must_use]
pub fn normalized(uri: &str) -> Option<String> {
    let (scheme, rest) = uri.split_once("://")?;
    let scheme = scheme.to_ascii_lowercase();
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, rest) = rest.split_at(end);
    let path = rest.split(['?', '#']).next().unwrap_or_default();
    origin(&scheme, authority).and_then(|origin| Some(origin + &normalized_path(path)?))
}

/// Scheme and authority in one form.
#[must_use]
pub fn origin(scheme: &str, authority: &str) -> Option<String> {
    let default_port = match scheme {
        "https" => ":443",
        "http" => ":80",
        _ => return None,
    };
    let authority = authority.to_ascii_lowercase();
    let authority = authority.strip_suffix(default_port).unwrap_or(&authority);
    let authority = authority.strip_suffix(':').unwrap_or(authority);
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b':' | b'[' | b']');
    (!authority.is_empty() && authority.bytes().all(is_plain)).then(|| format!("{scheme}://{authority}"))
}

/// A path in one form; an empty one is `/`.
#[must_use]
pub fn normalized_path(path: &str) -> Option<String> {
    if path.is_empty() {
        return Some("/".into());
    }
    let digit = |byte: Option<u8>| char::from(byte?).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let mut normal = String::with_capacity(path.len());
    let mut bytes = path.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'%' => {
                let (high, low) = (digit(bytes.next())?, digit(bytes.next())?);
                match (high << 4) | low {
                    byte if is_unreserved(byte) => normal.push(char::from(byte)),
                    byte => normal.push_str(&percent_encoded(byte)),
                }
            }
            byte if byte.is_ascii_graphic() => normal.push(char::from(byte)),
            _ => return None,
        }
    }
    Some(normal)
}

/// RFC 3986 section 2.3: it is never encoded.
#[must_use]
pub fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

/// RFC 3986 section 2.1.
#[must_use]
pub fn percent_encoded(byte: u8) -> String {
    format!("%{byte:02X}")
}

#[cfg(test)]
#[path = "target_uri_tests.rs"]
mod tests;

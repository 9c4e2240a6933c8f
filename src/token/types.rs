//! What kind of token a token says it is, by `typ` of its header (RFC 7515 section 4.1.9, RFC 8725 section 3.11).

/// Suffixes of types that say what is inside (RFC 6838 section 4.2.8).
const SUFFIXES: [&str; 3] = ["+jwt", "+sd-jwt", "+cwt"];

/// Types without a suffix that are no access token and no ID token.
const OTHERS: [&str; 8] = ["logout", "refresh", "offline", "rt", "secevent", "dpop", "passport", "kb"];

/// What is before a suffix in the types of access tokens (RFC 9068) and of ID tokens.
const OURS: [&str; 6] = ["at", "access", "access_token", "id", "id_token", "oauth-access-token"];

/// A media type without `application/`, in lower case.
#[must_use]
pub fn plain_type(typ: &str) -> String {
    let typ = typ.to_ascii_lowercase();
    typ.strip_prefix("application/").unwrap_or(&typ).to_owned()
}

/// Whether `typ` says that a token is something else than an access token or an ID token: a type with a suffix says what
/// it is, and is one of the two or is not.
#[must_use]
pub fn says_something_else(typ: &str) -> bool {
    // Neither a parameter nor a space makes another type of it.
    let typ = plain_type(typ.split(';').next().unwrap_or_default().trim_ascii());
    match SUFFIXES.iter().find_map(|suffix| typ.strip_suffix(suffix)) {
        Some(kind) => !OURS.contains(&kind),
        None => OTHERS.contains(&typ.as_str()),
    }
}

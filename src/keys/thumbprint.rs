//! JWK thumbprints (RFC 7638).

use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

/// Members that only private and symmetric keys have (RFC 7518 section 6, RFC 9964).
const PRIVATE: [&str; 9] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"];

/// Whether the JWK holds anything that only the owner of the key may know.
#[must_use]
pub fn is_private_jwk(jwk: &Map<String, Value>) -> bool {
    PRIVATE.iter().any(|&name| jwk.contains_key(name))
}

/// The SHA-256 thumbprint of a public JWK: of its required members as they are written. `None` if one of them is not text,
/// or the type of key is not known.
#[must_use]
pub fn thumbprint(jwk: &Map<String, Value>) -> Option<[u8; 32]> {
    let members: &[&str] = match jwk.get("kty")?.as_str()? {
        "EC" => &["crv", "kty", "x", "y"],
        "RSA" => &["e", "kty", "n"],
        "OKP" => &["crv", "kty", "x"],
        "AKP" => &["alg", "kty", "pub"],
        _ => return None,
    };
    let members: Option<Vec<String>> = members
        .iter()
        .map(|&name| {
            let text = jwk.get(name)?.as_str()?;
            Some(format!("\"{name}\":{}", Value::from(text)))
        })
        .collect();
    Some(Sha256::digest(format!("{{{}}}", members?.join(","))).into())
}

#[cfg(test)]
#[path = "thumbprint_tests.rs"]
mod tests;

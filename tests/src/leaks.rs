//! Whether a secret is in a text, however it is written.

use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD_NO_PAD, BASE64_URL_SAFE_NO_PAD};

/// A secret, and what it is of.
#[derive(Clone, Debug)]
pub struct Kept {
    pub of: &'static str,
    pub bytes: Vec<u8>,
}

pub fn kept(of: &'static str, bytes: impl AsRef<[u8]>) -> Kept {
    Kept { of, bytes: bytes.as_ref().to_vec() }
}

/// Every way in which a secret might be written down.
fn writings(secret: &[u8]) -> Vec<(&'static str, String)> {
    let hex: String = secret.iter().map(|byte| format!("{byte:02x}")).collect();
    // The first three of every four letters are the same wherever the rest is cut off.
    let base64 = |text: String| text[..text.len() - 2].to_owned();
    let mut writings = vec![
        ("HEX", hex.to_ascii_uppercase()),
        ("hex", hex),
        ("base64", base64(BASE64_STANDARD_NO_PAD.encode(secret))),
        ("base64url", base64(BASE64_URL_SAFE_NO_PAD.encode(secret))),
        ("bytes", format!("{secret:?}").trim_matches(['[', ']']).to_owned()),
        ("bytes, one a line", secret.iter().map(|byte| format!("{byte},")).collect()),
    ];
    if let Ok(text) = std::str::from_utf8(secret) {
        writings.push(("text", text.to_owned()));
        writings.push(("quoted", format!("{text:?}").trim_matches('"').to_owned()));
        writings.push(("percent-encoded", text.replace(' ', "%20").replace('&', "%26")));
        writings.push(("a form's", text.replace(' ', "+").replace('&', "%26")));
    }
    writings
}

/// Which of the secrets are in `text`, and how.
pub fn found(secrets: &[Kept], text: &str) -> Vec<String> {
    let joined: String = text.split_whitespace().collect();
    let mut found = Vec::new();
    for secret in secrets {
        assert!(secret.bytes.len() >= 8, "{} is too short to be distinguished from chance", secret.of);
        for (how, writing) in writings(&secret.bytes) {
            if text.contains(&writing) || joined.contains(&writing) {
                found.push(format!("{} as {how}", secret.of));
            }
        }
    }
    found
}

#[cfg(test)]
#[path = "leaks_tests.rs"]
mod tests;

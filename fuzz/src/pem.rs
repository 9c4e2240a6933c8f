//! A key in PEM, public or private.

use lychgate::keys::{Algorithm, SigningKey, import_pem};
use serde_json::Map;

/// A private key is never taken for a public one, and what it signs its public half verifies.
pub fn run(data: &[u8]) {
    let Some((&first, rest)) = data.split_first() else { return };
    let algorithm = Algorithm::ALL[usize::from(first) % Algorithm::ALL.len()];
    let text = String::from_utf8_lossy(rest);
    if let Ok(key) = import_pem(algorithm, &text) {
        assert_eq!(key.algorithm(), algorithm);
        assert!(!text.contains("PRIVATE KEY-----"));
        assert!(!key.verifies(b"message", &[0; 64]));
    }
    if let Ok((signing, public)) = SigningKey::from_pem(algorithm, &text, None) {
        let zeros = |bytes: &mut [u8]| {
            bytes.fill(7);
            Ok(())
        };
        let Ok(token) = signing.sign(&Map::new(), &zeros) else { return };
        let (input, signature) = token.rsplit_once('.').expect("three parts");
        use base64::Engine as _;
        let signature = base64::prelude::BASE64_URL_SAFE_NO_PAD.decode(signature).expect("base64url");
        assert!(public.verifies(input.as_bytes(), &signature), "{algorithm:?}: its own signature");
    }
}

//! A JWK, or a JWK Set.

use lychgate::keys::{Algorithm, KeyOrigin, import_jwk, import_jwks};
use serde_json::Value;

/// A key that is taken is of the algorithm it says, and verifies no signature that is none.
pub fn run(data: &[u8]) {
    let Ok(value) = serde_json::from_slice::<Value>(data) else { return };
    let sets = [None, Some(&Algorithm::ALL[..]), Some(&[][..])];
    for allowed in sets {
        let mut keys = import_jwk(&value, allowed).unwrap_or_default();
        let alg = value.get("alg").and_then(Value::as_str).and_then(Algorithm::from_name);
        assert!(alg.is_none_or(|alg| keys.iter().all(|key| key.algorithm() == alg)));
        if let Some(set) = value.get("keys").and_then(Value::as_array) {
            let imported = import_jwks(set, allowed, KeyOrigin::Configuration);
            assert!(imported.left_out.iter().all(|left_out| left_out.place < set.len()));
            keys.extend(imported.keys);
        }
        for key in &keys {
            for length in [0, 32, 64, 96, 132, 256] {
                let nothing = vec![0; length];
                assert!(!key.verifies(b"message", &nothing), "{key:?} verifies {length} zeros");
            }
        }
    }
}

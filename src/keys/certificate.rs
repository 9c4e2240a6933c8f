//! The public key in an X.509 certificate (RFC 5280 section 4.1), and of which algorithm a public key is.
//!
//! The key is taken out, and that is all: neither the chain, nor the names, nor the dates of a certificate are judged. A
//! key set says which keys are valid by having them.

use rsa::pkcs8::SubjectPublicKeyInfoRef;
use rsa::pkcs8::der::asn1::AnyRef;
use rsa::pkcs8::der::{Decode as _, Reader as _, SliceReader, TagNumber, Tagged as _};

use super::algorithm::Algorithm;
use crate::encoding::decode_any_base64;

/// DER of the first part of a PEM text with this label (RFC 7468); `None` if the text has none. Lines may be of any length
/// and indented, as in YAML; text around the part is left out.
pub fn der_in(pem: &str, label: &str) -> Option<Vec<u8>> {
    let (_, rest) = pem.split_once(&format!("-----BEGIN {label}-----"))?;
    let (body, _) = rest.split_once(&format!("-----END {label}-----"))?;
    let body: String = body.split_ascii_whitespace().collect();
    decode_any_base64(&body)
}

/// DER of the SubjectPublicKeyInfo in a PEM text: a public key, or that of the first certificate.
pub fn public_key_in(pem: &str) -> Option<Vec<u8>> {
    if let Some(certificate) = der_in(pem, "CERTIFICATE") {
        return public_key_of(&certificate).map(<[u8]>::to_vec);
    }
    der_in(pem, "PUBLIC KEY")
}

/// DER of the SubjectPublicKeyInfo in a certificate; `None` if it is none.
pub fn public_key_of(certificate: &[u8]) -> Option<&[u8]> {
    let certificate = AnyRef::from_der(certificate).ok()?;
    let signed = AnyRef::decode(&mut SliceReader::new(certificate.value()).ok()?).ok()?;
    let mut fields = SliceReader::new(signed.value()).ok()?;
    // The version is there from version 2 on, and has a tag of its own.
    let first = AnyRef::decode(&mut fields).ok()?;
    let is_version = first.tag().is_context_specific() && first.tag().number() == TagNumber(0);
    // Serial number, signature algorithm, issuer, validity, subject.
    for _ in 0..if is_version { 5 } else { 4 } {
        AnyRef::decode(&mut fields).ok()?;
    }
    fields.tlv_bytes().ok()
}

/// What a public key is for.
pub enum KeyType {
    /// Any algorithm of RSA.
    Rsa,
    /// One algorithm.
    One(Algorithm),
}

/// Of which type the public key in a SubjectPublicKeyInfo is; `None` for a type that is not known here.
pub fn type_of(spki: &[u8]) -> Option<KeyType> {
    let algorithm = SubjectPublicKeyInfoRef::from_der(spki).ok()?.algorithm;
    let curve = || algorithm.parameters?.decode_as::<rsa::pkcs8::ObjectIdentifier>().ok();
    match algorithm.oid.as_bytes() {
        // rsaEncryption (RFC 3279 section 2.3.1).
        [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01] => Some(KeyType::Rsa),
        // id-Ed25519 (RFC 8410 section 3).
        [0x2b, 0x65, 0x70] => Some(KeyType::One(Algorithm::EdDsa)),
        // id-ecPublicKey (RFC 5480 section 2.1).
        [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01] => match curve()?.as_bytes() {
            [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07] => Some(KeyType::One(Algorithm::Es256)),
            [0x2b, 0x81, 0x04, 0x00, 0x22] => Some(KeyType::One(Algorithm::Es384)),
            [0x2b, 0x81, 0x04, 0x00, 0x23] => Some(KeyType::One(Algorithm::Es512)),
            [0x2b, 0x81, 0x04, 0x00, 0x0a] => Some(KeyType::One(Algorithm::Es256k)),
            _ => None,
        },
        _ => None,
    }
}

//! The examples of the RFCs, and what the table of behaviours cannot reach: the host's verdicts.

use super::{TrustAnchor, Verifier, VerifierSettings};
use crate::claim::ClaimReference;
use crate::fetch::Revocations;
use crate::host::{InMemoryHost, NativeVerdict};
use crate::keys::{KeySet, VerificationKey, import_jwk};
use crate::probe_vector::{JWK as ES256_JWK, SIGNATURE as ES256_SIGNATURE, SIGNING_INPUT as ES256_INPUT};
use crate::token::{Issuer, IssuerName, Keys, ScopeSettings, TokenError};

/// A host whose clock and native check are given.
fn host(now: i64, verdict: NativeVerdict) -> InMemoryHost {
    let host = InMemoryHost::at(now);
    host.verdict.set(verdict);
    host
}

/// The second before the tokens of RFC 7515 expire.
fn in_time() -> InMemoryHost {
    host(1_300_819_379, NativeVerdict::Unavailable)
}

const CLAIMS: &str =
    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
const HS256_JWK: &str = r#"{"kty":"oct","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"}"#;
const RS256_JWK: &str = r#"{"kty":"RSA","e":"AQAB","n":"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ"}"#;
const RS256_SIGNATURE: &str = "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw";
const ES512_JWK: &str = r#"{"kty":"EC","crv":"P-521","x":"AekpBQ8ST8a8VcfVOTNl353vSrDCLLJXmPk06wTjxrrjcBpXp5EOnYG_NjFZ6OvLFV1jSfS9tsz4qUxcWceqwQGk","y":"ADSmRA43Z1DSNx_RvcLI87cdL07l6jQyyBXMoxVg_l2Th-x3S1WDhjDly79ajL4Kkd0AZMaZmh9ubmf63e3kyMj2"}"#;
const ES512_SIGNATURE: &str = "AdwMgeerwtHoh-l192l60hp9wAHZFVJbLfD_UxMi70cwnZOYaRI1bKPWROc-mZZqwqT2SI-KGDKB34XO0aw_7XdtAG8GaSwFKdCAPZgoXD2YBJZCPEX3xKpRwcdOO8KpEHwJjyqOgzDO7iKvU8vcnwNrmxYbSW9ERBXukOXolLzeO_Jn";
const EDDSA_JWK: &str = r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
const EDDSA_SIGNATURE: &str =
    "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";

fn key(jwk: &str) -> VerificationKey {
    import_jwk(&serde_json::from_str(jwk).unwrap(), None).unwrap().pop().unwrap()
}

fn verifier(jwk: &str) -> Verifier {
    let settings = VerifierSettings {
        audiences: None,
        required_claims: vec![ClaimReference::named("exp")],
        claims: Vec::new(),
        types: None,
        subject_claims: vec![ClaimReference::named("sub")],
        leeway_seconds: 0,
        max_token_bytes: 8192,
        scopes: ScopeSettings::default(),
        claims_to_headers: Vec::new(),
        claims_to_metadata: Vec::new(),
        payload_to_header: None,
        tells_issuer: false,
        revoked: Revocations::default(),
        revocation: None,
        possession: None,
    };
    let keys = Keys::Fixed(KeySet::new(vec![key(jwk)]));
    let issuer = Issuer { name: Some(IssuerName::parse("joe").unwrap()), keys, algorithms: None };
    Verifier::new(settings, TrustAnchor::Issuers(vec![issuer]))
}

fn es256_token() -> String {
    let text = |bytes| std::str::from_utf8(bytes).unwrap();
    format!("{}.{}", text(ES256_INPUT), text(ES256_SIGNATURE))
}

#[test]
fn the_tokens_of_rfc_7515_appendix_a_and_rfc_7519_section_3_1() {
    let hs256 = format!(
        "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.{CLAIMS}.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    );
    let rs256 = format!("eyJhbGciOiJSUzI1NiJ9.{CLAIMS}.{RS256_SIGNATURE}");
    for (jwk, token) in [(HS256_JWK, hs256), (RS256_JWK, rs256), (ES256_JWK, es256_token())] {
        let verifier = verifier(jwk);
        assert!(verifier.verify(token.as_bytes(), &in_time(), true).is_ok(), "{token}");
        let late = host(1_300_819_380, NativeVerdict::Unavailable);
        assert_eq!(verifier.verify(token.as_bytes(), &late, true).unwrap_err(), TokenError::Expired);
    }
}

#[test]
fn the_unsecured_tokens_of_rfc_7515_a5_and_rfc_7519_section_6_1() {
    let token = format!("eyJhbGciOiJub25lIn0.{CLAIMS}.");
    for jwk in [HS256_JWK, RS256_JWK, ES256_JWK] {
        assert_eq!(verifier(jwk).verify(token.as_bytes(), &in_time(), true).unwrap_err(), TokenError::NoKey);
    }
}

#[test]
fn the_signatures_of_rfc_7515_a4_and_rfc_8037_a4() {
    for (jwk, input, signature) in [
        (ES512_JWK, "eyJhbGciOiJFUzUxMiJ9.UGF5bG9hZA", ES512_SIGNATURE),
        (EDDSA_JWK, "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc", EDDSA_SIGNATURE),
    ] {
        let signature = crate::encoding::decode_base64url(signature.as_bytes()).unwrap();
        assert!(key(jwk).verifies(input.as_bytes(), &signature), "{jwk}");
        assert!(!key(jwk).verifies(format!("{input}x").as_bytes(), &signature), "{jwk}");
    }
}

#[test]
fn a_host_that_says_no_or_fails_never_opens_the_gate() {
    let token = es256_token();
    let verify = |verdict| verifier(ES256_JWK).verify(token.as_bytes(), &host(1_300_819_379, verdict), true);
    assert!(verify(NativeVerdict::Valid).is_ok());
    assert_eq!(verify(NativeVerdict::Invalid).unwrap_err(), TokenError::Signature);
    assert!(verify(NativeVerdict::Unavailable).is_ok());
    // A yes of the host is for its own algorithms only.
    let forged = format!("eyJhbGciOiJIUzI1NiJ9.{CLAIMS}.AAAA");
    let yes = host(1_300_819_379, NativeVerdict::Valid);
    assert_eq!(verifier(HS256_JWK).verify(forged.as_bytes(), &yes, true).unwrap_err(), TokenError::Signature);
}

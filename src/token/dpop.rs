//! DPoP proofs (RFC 9449 section 4.3).

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::claims::{Claims, numeric_date, string_claim, whole};
use super::compact::Compact;
use super::confirmation::Digest;
use super::error::TokenError;
use super::issuers::is_signed;
use super::nonce;
use super::possession::Presented;
use super::replays;
use super::types::plain_type;
use crate::host::Host;
use crate::keys::{Algorithm, VerificationKey, import_jwk, is_private_jwk, thumbprint};
use crate::request::Request;
use crate::target_uri::{normalized, normalized_path, origin};

/// The longest proof that is read, in bytes: one of ML-DSA-87 has 11,000.
const MAX_PROOF_BYTES: usize = 16_384;
/// The longest `jti`, in bytes.
const MAX_ID_BYTES: usize = 512;

/// How proofs are checked.
#[derive(Debug)]
pub struct Dpop {
    /// Whether a token without a key is refused.
    pub is_required: bool,
    /// How far `iat` may be from now, in seconds.
    pub max_age_seconds: i64,
    /// Whether a proof needs a nonce.
    pub needs_nonce: bool,
    /// What `htu` may begin with, in one form; empty: scheme and authority of the request.
    pub origins: Vec<String>,
}

/// A proof that is to be seen.
pub struct Proof<'p> {
    /// The thumbprint of the key that the token is bound to.
    pub key: Digest,
    /// The token, and the request with the proof.
    pub presented: &'p Presented<'p>,
}

/// The algorithms of proofs, for challenges: every asymmetric one.
#[must_use]
pub fn algorithms() -> String {
    let asymmetric = Algorithm::ALL.into_iter().filter(|algorithm| !algorithm.is_hmac());
    asymmetric.map(Algorithm::name).collect::<Vec<_>>().join(" ")
}

fn invalid(what: &'static str) -> TokenError {
    TokenError::ProofInvalid(what)
}

impl Dpop {
    /// Checks a proof; what costs little is looked at first, and the proof is used up last.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn check(&self, proof: &Proof<'_>, host: &dyn Host) -> Result<(), TokenError> {
        let Proof { key, presented } = proof;
        let request = presented.request;
        let mut proofs = request.values("dpop");
        let text = match (proofs.next(), proofs.next()) {
            (None, _) => return Err(TokenError::ProofMissing),
            (Some(text), None) => text,
            (Some(_), Some(_)) => return Err(invalid("two proofs")),
        };
        if text.len() > MAX_PROOF_BYTES {
            return Err(invalid("too long"));
        }
        let compact = Compact::parse(text).map_err(|_| invalid("not a JWT"))?;
        if compact.typ.as_deref().map(plain_type).as_deref() != Some("dpop+jwt") {
            return Err(invalid("`typ` is not dpop+jwt"));
        }
        let signer = signer(&compact, *key)?;
        let claims = compact.claims().map_err(|_| invalid("the payload is not an object"))?;
        let now = host.now();
        let (id, issued) = self.check_claims(&claims, presented, now)?;
        if !is_signed(&signer, &compact, host) {
            return Err(invalid("signature"));
        }
        if self.needs_nonce {
            let nonce = string_claim(&claims, "nonce").map_err(|_| invalid("`nonce`"))?;
            if !nonce::is_valid(nonce.unwrap_or_default(), now, host)? {
                return Err(TokenError::NonceWanted);
            }
        }
        let digest = crate::digest::of(&[b"dpop", key, id.as_bytes()]);
        if presented.digests.has_proven(&digest) {
            return Ok(());
        }
        // From then on `iat` is too long ago.
        let until = issued.saturating_add(self.max_age_seconds).saturating_add(1);
        replays::use_up(&digest, key, until, now, host)?;
        presented.digests.proves(digest);
        Ok(())
    }

    /// What the proof says of the request. Gives back `jti` and `iat`.
    fn check_claims(
        &self,
        claims: &Claims,
        presented: &Presented<'_>,
        now: i64,
    ) -> Result<(String, i64), TokenError> {
        let text = |name: &'static str| match string_claim(claims, name) {
            Ok(Some(text)) if !text.is_empty() => Ok(text),
            Ok(Some(_) | None) | Err(_) => Err(invalid(name)),
        };
        if text("htm")?.as_bytes() != presented.request.method() {
            return Err(invalid("htm"));
        }
        let target = normalized(text("htu")?).ok_or(invalid("htu"))?;
        if !self.targets(presented.request).contains(&target) {
            return Err(invalid("htu"));
        }
        if text("ath")? != BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(presented.token)) {
            return Err(invalid("ath"));
        }
        let issued = numeric_date(claims, "iat").ok().flatten().map(|date| whole(date.floor()));
        let issued = issued.ok_or(invalid("iat"))?;
        if now.saturating_sub(issued).saturating_abs() > self.max_age_seconds {
            return Err(invalid("iat"));
        }
        // A proof has neither of them; one that has is held to it.
        let date = |name| numeric_date(claims, name).map_err(|_| invalid("exp or nbf"));
        let is_over = date("exp")?.is_some_and(|date| now >= whole(date.floor()));
        let is_to_come = date("nbf")?.is_some_and(|date| now < whole(date.ceil()));
        if is_over || is_to_come {
            return Err(invalid("exp or nbf"));
        }
        let id = text("jti")?;
        if id.len() > MAX_ID_BYTES {
            return Err(invalid("jti"));
        }
        Ok((id.to_owned(), issued))
    }

    /// The URIs that the request may be for, in one form.
    fn targets(&self, request: &Request<'_>) -> Vec<String> {
        let text = |bytes| std::str::from_utf8(bytes).ok();
        let Some(path) = text(request.raw_path()).and_then(normalized_path) else { return Vec::new() };
        if !self.origins.is_empty() {
            return self.origins.iter().map(|origin| format!("{origin}{path}")).collect();
        }
        let scheme = request.first(":scheme").and_then(text).unwrap_or_default();
        let origin = text(request.authority()).and_then(|authority| origin(scheme, authority));
        origin.map(|origin| origin + &path).into_iter().collect()
    }
}

/// The key in the header of a proof, which is the one that the token is bound to.
fn signer(proof: &Compact<'_>, key: Digest) -> Result<VerificationKey, TokenError> {
    let algorithm = Algorithm::from_name(&proof.alg).filter(|algorithm| !algorithm.is_hmac());
    let algorithm = algorithm.ok_or(invalid("alg"))?;
    let Some(Value::Object(jwk)) = &proof.jwk else { return Err(invalid("jwk")) };
    if is_private_jwk(jwk) {
        return Err(invalid("jwk holds a private key"));
    }
    if thumbprint(jwk) != Some(key) {
        return Err(invalid("signed by another key than the token is bound to"));
    }
    let keys = proof.jwk.as_ref().map(|jwk| import_jwk(jwk, Some(&[algorithm])));
    let key = keys.and_then(Result::ok).into_iter().flatten().find(|key| key.algorithm() == algorithm);
    key.ok_or(invalid("jwk is no key for alg"))
}

#[cfg(test)]
#[path = "dpop_tests.rs"]
mod tests;

//! The compact serialisation: split into its parts, none of which is verified here.

use memchr::memchr_iter;
use serde_json::Value;

use super::error::TokenError;
use crate::encoding::decode_base64url;
use crate::json;

/// Deep enough for any header (a `jwk` in it is one level) and any claims set that issuers are known to make.
const MAX_HEADER_DEPTH: usize = 8;
const MAX_CLAIMS_DEPTH: usize = 32;

/// A token split into its parts. No part is verified.
pub struct Compact<'a> {
    /// The `alg` header. It selects keys and has no other effect.
    pub alg: String,
    /// The `kid` header.
    pub kid: Option<String>,
    /// The `typ` header: what kind of token it says it is.
    pub typ: Option<String>,
    /// The `jwk` header, of a DPoP proof.
    pub jwk: Option<Value>,
    /// What was signed: the first two parts with their dot.
    pub signing_input: &'a [u8],
    /// The signature.
    pub signature: Vec<u8>,
    /// The payload, base64url as it stands.
    pub payload: &'a [u8],
}

impl<'a> Compact<'a> {
    /// Splits `token` into its parts.
    ///
    /// # Errors
    /// What is malformed, or that it needs an extension.
    pub fn parse(token: &'a [u8]) -> Result<Self, TokenError> {
        let mut dots = memchr_iter(b'.', token);
        let (Some(first), Some(second), None) = (dots.next(), dots.next(), dots.next()) else {
            return Err(TokenError::Malformed("not three parts"));
        };
        let (header, _) = token.split_at(first);
        let (signing_input, _) = token.split_at(second);
        let part = |from: usize, to: usize| token.get(from.saturating_add(1)..to).unwrap_or_default();
        let (payload, signature) = (part(first, second), part(second, token.len()));
        let signature =
            decode_base64url(signature).ok_or(TokenError::Malformed("signature is not base64url"))?;
        let header = decode_base64url(header).ok_or(TokenError::Malformed("header is not base64url"))?;
        let Ok(Value::Object(header)) = json::parse_strict(&header, MAX_HEADER_DEPTH) else {
            return Err(TokenError::Malformed("header is not a JSON object"));
        };
        // RFC 7515 section 4.1.11, and RFC 7797 section 6: an unencoded payload must be critical.
        if header.contains_key("crit") || header.get("b64").is_some_and(|b64| *b64 != Value::Bool(true)) {
            return Err(TokenError::Critical);
        }
        let Some(Value::String(alg)) = header.get("alg") else {
            return Err(TokenError::Malformed("header has no `alg`"));
        };
        let alg = alg.clone();
        let text = |name: &str, wrong: &'static str| match header.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => {
                Err(TokenError::Malformed(wrong))
            }
        };
        let kid = text("kid", "`kid` is not a string")?;
        let typ = text("typ", "`typ` is not a string")?;
        let jwk = header.get("jwk").cloned();
        Ok(Self { alg, kid, typ, jwk, signing_input, signature, payload })
    }

    /// The claims set. It is to be read after the signature is verified: an error would tell its content to any client.
    ///
    /// # Errors
    /// If it is not a JSON object in strict base64url.
    pub fn claims(&self) -> Result<serde_json::Map<String, Value>, TokenError> {
        let payload =
            decode_base64url(self.payload).ok_or(TokenError::Malformed("payload is not base64url"))?;
        match json::parse_strict(&payload, MAX_CLAIMS_DEPTH) {
            Ok(Value::Object(claims)) => Ok(claims),
            _ => Err(TokenError::Malformed("payload is not a JSON object")),
        }
    }
}

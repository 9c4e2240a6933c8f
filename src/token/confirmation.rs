//! What a token is bound to (`cnf`, RFC 7800).

use serde_json::Value;

use super::error::TokenError;
use crate::claim::Claims;
use crate::encoding::decode_base64url;

/// A SHA-256.
pub type Digest = [u8; 32];

/// What a token is bound to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Confirmation {
    /// A key, by its thumbprint (`jkt`, RFC 9449 section 6.1).
    pub key: Option<Digest>,
    /// A certificate, by its digest (`x5t#S256`, RFC 8705 section 3.1).
    pub certificate: Option<Digest>,
}

impl Confirmation {
    /// What `claims` say of it.
    ///
    /// # Errors
    /// If they name another method, for its proof cannot be seen; if they say that the token is bound to a key (`token_type`,
    /// RFC 9449 section 6.2) and not to which; or if they are malformed.
    pub fn of(claims: &Claims) -> Result<Self, TokenError> {
        let confirmation = Self::of_cnf(claims)?;
        let token_type = claims.get("token_type").and_then(Value::as_str).unwrap_or_default();
        if confirmation.key.is_none() && token_type.eq_ignore_ascii_case("dpop") {
            return Err(TokenError::UnknownConfirmation);
        }
        Ok(confirmation)
    }

    fn of_cnf(claims: &Claims) -> Result<Self, TokenError> {
        let members = match claims.get("cnf") {
            None | Some(Value::Null) => return Ok(Self::default()),
            Some(Value::Object(members)) => members,
            Some(Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_)) => {
                return Err(TokenError::BadClaim("cnf".into()));
            }
        };
        let mut confirmation = Self::default();
        for (method, value) in members.iter().filter(|(_, value)| !value.is_null()) {
            let digest = || digest(value).ok_or_else(|| TokenError::BadClaim("cnf".into()));
            match method.as_str() {
                "jkt" => confirmation.key = Some(digest()?),
                "x5t#S256" => confirmation.certificate = Some(digest()?),
                _ => return Err(TokenError::UnknownConfirmation),
            }
        }
        if confirmation == Self::default() {
            return Err(TokenError::BadClaim("cnf".into()));
        }
        Ok(confirmation)
    }
}

fn digest(value: &Value) -> Option<Digest> {
    decode_base64url(value.as_str()?.as_bytes())?.try_into().ok()
}

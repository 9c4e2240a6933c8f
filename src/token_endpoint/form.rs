//! The form of the password grant (RFC 6749 section 4.3.2).

use std::borrow::Cow;

use zeroize::Zeroizing;

use crate::decision::Denial;
use crate::encoding::is_named_pair;
use crate::reason::Reason;

/// What the form says.
#[derive(Default)]
pub struct PasswordForm {
    /// `username`.
    pub username: String,
    /// `password`.
    pub password: Zeroizing<String>,
    /// `scope`: words with spaces between, and there may be thousands.
    scope: String,
    /// `client_id`.
    pub client_id: Option<String>,
    /// `client_secret`.
    pub client_secret: Option<Zeroizing<String>>,
}

impl PasswordForm {
    /// Reads a body of `application/x-www-form-urlencoded`.
    ///
    /// # Errors
    /// What is wrong with it, in RFC 6749's words. A parameter without a value counts as omitted,
    /// one that is there twice is a fault, and one that is not known is ignored (section 3.2).
    pub fn parse(body: &[u8]) -> Result<Self, Denial> {
        let mut fields: [(&str, Option<Cow<'_, str>>); 6] = [
            ("grant_type", None),
            ("username", None),
            ("password", None),
            ("scope", None),
            ("client_id", None),
            ("client_secret", None),
        ];
        let shortest = fields.iter().map(|(name, _)| name.len()).min().unwrap_or_default();
        // A body of nothing but short pairs has thousands of them.
        for pair in body.split(|&b| b == b'&').filter(|pair| pair.len() >= shortest) {
            let field = fields.iter_mut().find(|(own, _)| is_named_pair(pair, own));
            let (Some((_, field)), Some((_, value))) = (field, form_urlencoded::parse(pair).next()) else {
                continue;
            };
            if field.is_some() {
                return Err(Denial::new(Reason::FormParameterTwice));
            }
            *field = Some(value);
        }
        let [grant_type, username, password, scope, client_id, client_secret] =
            fields.map(|(_, value)| value.filter(|value| !value.is_empty()).map(Cow::into_owned));
        if grant_type.is_some_and(|grant_type| grant_type != "password") {
            return Err(Denial::new(Reason::GrantTypeUnsupported));
        }
        let (Some(username), Some(password)) = (username, password) else {
            return Err(Denial::new(Reason::UsernameOrPasswordMissing));
        };
        let scope = scope.unwrap_or_default();
        // RFC 6749 section 3.3.
        if !scope.bytes().all(|b| matches!(b, 0x20 | 0x21 | 0x23..=0x5B | 0x5D..=0x7E)) {
            return Err(Denial::new(Reason::FormScopeInvalid));
        }
        let password = Zeroizing::new(password);
        let client_secret = client_secret.map(Zeroizing::new);
        Ok(Self { username, password, scope, client_id, client_secret })
    }

    /// The same without its secrets.
    pub fn without_secrets(self) -> Self {
        Self { password: Zeroizing::default(), client_secret: None, ..self }
    }

    /// The scopes that are asked for.
    pub fn scopes(&self) -> impl Iterator<Item = &str> {
        self.scope.split(' ').filter(|scope| !scope.is_empty())
    }
}

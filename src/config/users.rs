//! `users`: directories of people, each with a password hash.

use zeroize::Zeroizing;

use super::node::Node;
use super::rules::read_scope;
use crate::password::PasswordHash;

/// One user.
#[derive(Clone, Debug)]
pub struct UserConfig {
    /// The name the user logs in with; becomes the subject. No colon in it (RFC 7617 section 2).
    pub username: String,
    /// Mail address, for who reads the configuration.
    pub email: Option<String>,
    /// Whether the user is switched off.
    pub disabled: bool,
    /// What the user may do: scope-tokens (RFC 6749 section 3.3). Unset: not said, so nothing by password, and of a token's
    /// scopes all.
    pub scopes: Option<Vec<String>>,
    /// The password hash; without it the user cannot log in here.
    pub password: Option<PasswordHash>,
}

impl UserConfig {
    /// Reads one user of a directory.
    pub fn read(node: Node<'_>) -> Option<Self> {
        let object = node.object()?;
        let username = object.required("username", |n| {
            let username = n.text()?;
            if !crate::http_syntax::is_header_value(username.as_bytes()) {
                return n.error("cannot be a header value: no control characters, no space at the ends");
            }
            if username.contains(':') {
                return n.error("must not hold a colon, where Basic splits it from the password (RFC 7617)");
            }
            Some(username)
        });
        let email = object.optional("email", |n| n.string());
        let disabled = object.optional("disabled", |n| n.bool());
        let scopes = object.optional("scopes", |n| n.list(read_scope));
        let has_password = object.has("password");
        let password = object.optional("password", |n| {
            // Nothing of the text is quoted: who mistook the field wrote the password itself here.
            n.errors.check(n.path, PasswordHash::parse(&Zeroizing::new(n.text()?)))
        });
        object.finish();
        if has_password && password.is_none() {
            return None;
        }
        Some(Self { username: username?, email, disabled: disabled.unwrap_or(false), scopes, password })
    }
}

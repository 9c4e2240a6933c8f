//! `users`: directories of people, each with a password hash.

use zeroize::Zeroizing;

use super::node::Node;
use super::rules::read_scope;
use crate::password::PasswordHash;

/// A user that logs in with a password, or whose name is the `sub` of a token.
#[derive(Clone, Debug)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(rename = "User", deny_unknown_fields, extend("examples" = [{
        "username": "johndoe",
        "password": "$argon2id$v=19$m=19456,t=2,p=1$MDEyMzQ1Njc4OWFiY2RlZg$8qPpaWig0H31wvibKAgpght2Ry2M8rtRQYtZ93ooMus",
        "scopes": ["items:read"],
    }]))
)]
pub struct UserConfig {
    /// The name to log in with; becomes the subject. No colon (RFC 7617 section 2), no control
    /// characters.
    #[cfg_attr(feature = "schema", schemars(regex(pattern = "^[^:]+$")))]
    pub username: String,
    /// For readers of the configuration. It is not sent anywhere.
    pub email: Option<String>,
    /// Whether the user is switched off: refused with 403 `Inactive user`, with a valid token too.
    #[cfg_attr(feature = "schema", schemars(default))]
    pub disabled: bool,
    /// What the user may do. Scopes of a token that names the user are cut to these (`users_scopes`), and never
    /// widened by them. Left out: no scopes by password, and all scopes of a token.
    #[cfg_attr(feature = "schema", schemars(with = "Option<Vec<super::rules::written::Scope>>"))]
    pub scopes: Option<Vec<String>>,
    /// The hash of the password: argon2id, scrypt or pbkdf2 as a PHC string, bcrypt as a crypt string.
    /// `lychgate hash-password` makes it. It may take half a second and 128 MiB at most. A user without
    /// one cannot log in here.
    #[cfg_attr(feature = "schema", schemars(with = "Option<String>", extend("pattern" = "^\\$")))]
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
            // The text is not quoted: it may be the password itself, entered by mistake.
            n.errors.check(n.path, PasswordHash::parse(&Zeroizing::new(n.text()?)))
        });
        object.finish();
        if has_password && password.is_none() {
            return None;
        }
        Some(Self { username: username?, email, disabled: disabled.unwrap_or(false), scopes, password })
    }
}

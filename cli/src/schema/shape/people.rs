//! `users` and `api_keys`.

use schemars::JsonSchema;

use super::rules::Scope;

/// A person who logs in with a password, or whose name stands in a token's `sub`.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, extend("examples" = [{
    "username": "johndoe",
    "password": "$argon2id$v=19$m=19456,t=2,p=1$MDEyMzQ1Njc4OWFiY2RlZg$8qPpaWig0H31wvibKAgpght2Ry2M8rtRQYtZ93ooMus",
    "scopes": ["items:read"],
}]))]
pub struct User {
    /// The name to log in with; becomes the subject. No colon (RFC 7617 section 2), no control
    /// characters.
    #[schemars(regex(pattern = "^[^:]+$"))]
    username: String,
    /// The hash of the password: argon2id, scrypt or pbkdf2 as a PHC string, bcrypt as a crypt string.
    /// Made by `lychgate hash-password`. It may take half a second and 128 MiB at most. A user without
    /// one cannot log in here.
    #[schemars(extend("pattern" = "^\\$"))]
    password: Option<String>,
    /// What the user may do. Scopes of a token that names the user are not widened by it, and cut to it (`users_scopes`). Left
    /// out: nothing by password, and of a token's scopes all.
    scopes: Option<Vec<Scope>>,
    /// For who reads the configuration; sent nowhere.
    email: Option<String>,
    /// Whether the user is switched off: refused with 403 `Inactive user`, with a good token too.
    #[schemars(extend("default" = false))]
    disabled: Option<bool>,
}

/// An API key, kept as its SHA-256.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, extend("examples" = [{
    "id": "demo-app",
    "sha256": "2a570fed1461570bf2a13db7f539939da4357b393cf9395c74c4e0a313a945a5",
    "scopes": ["items:read"],
    "not_after": "2027-01-01T00:00:00Z",
}]))]
pub struct ApiKey {
    /// Whose key it is; becomes the subject. Several keys may have the same, so that one can be
    /// replaced by the next.
    #[schemars(length(min = 1))]
    id: String,
    /// SHA-256 of the key, as 64 hexadecimal digits. Made by `lychgate hash-key`, or
    /// `printf %s KEY | sha256sum`.
    #[schemars(regex(pattern = "^[0-9A-Fa-f]{64}$"))]
    sha256: String,
    /// What the key may do.
    scopes: Option<Vec<Scope>>,
    /// From when on the key is refused: an RFC 3339 time.
    #[schemars(extend("format" = "date-time"))]
    not_after: Option<String>,
    /// Whether the key is switched off.
    #[schemars(extend("default" = false))]
    disabled: Option<bool>,
}

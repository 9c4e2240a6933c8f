//! OpenAPI's OR, AND, anonymous and public; and which failure is reported.

use crate::http::Request;
use crate::tokens::Token;
use serde_json::json;

use super::{API_KEY, BEARER, BEARER_READ, INVALID_TOKEN, Row, allowed, refused};

const P: &str = "requirements";
const SCOPE: &str = "Bearer realm=\"lychgate\", error=\"insufficient_scope\", scope=\"items:read\"";

pub fn rows() -> Vec<Row> {
    let reader = Token::reader().sign("HS256");
    let scopeless = Token::new().sign("HS256");
    let stranger = Token::reader().sign_by_stranger("HS256");
    let get = |path: &str| Request::get(path);
    let key = |request: Request, key: &str| request.header("X-API-Key", key);
    let forged = |request: Request| {
        request
            .header("X-Auth-Subject", "admin")
            .header("X-AUTH-SCOPES", "admin")
            .header("x-auth-scheme", "oauth2")
            .header("x_auth_subject", "admin")
            .header("X-Auth_Subject", "admin")
    };
    let clean = |row: Row| row.anonymous().without("x_auth_subject").without("x-auth_subject");
    vec![
        allowed("OR: the token", P, get("/or").bearer(&reader)).identity("johndoe", "items:read", "oauth2"),
        allowed("OR: the key", P, key(get("/or"), "reader-key")).identity(
            "reader",
            "items:read",
            "header_key",
        ),
        allowed("OR: both, the first listed speaks", P, key(get("/or").bearer(&reader), "reader-key"))
            .identity("johndoe", "items:read", "oauth2")
            .without("x-api-key")
            .without("authorization"),
        allowed("OR: a bad token and a good key", P, key(get("/or").bearer(&stranger), "reader-key"))
            .identity("reader", "items:read", "header_key")
            .without("authorization"),
        allowed("OR: a good token and a bad key", P, key(get("/or").bearer(&reader), "x"))
            .without("x-api-key"),
        allowed(
            "OR: a token lacking scope and a good key",
            P,
            key(get("/or").bearer(&scopeless), "reader-key"),
        )
        .identity("reader", "items:read", "header_key"),
        refused("OR: nothing", P, get("/or"), 401, "Not authenticated", &[BEARER_READ, API_KEY]),
        refused(
            "OR: a bad token",
            P,
            get("/or").bearer(&stranger),
            401,
            "Could not validate credentials",
            &[INVALID_TOKEN, API_KEY],
        ),
        refused("OR: a bad key", P, key(get("/or"), "x"), 403, "Invalid API key", &[]),
        refused(
            "OR: a bad token and a bad key, the first listed is reported",
            P,
            key(get("/or").bearer(&stranger), "x"),
            401,
            "Could not validate credentials",
            &[INVALID_TOKEN, API_KEY],
        ),
        refused(
            "OR: a token lacking scope comes nearer than a bad key",
            P,
            key(get("/or").bearer(&scopeless), "x"),
            403,
            "Not enough permissions",
            &[SCOPE],
        ),
        refused(
            "OR reversed: nothing",
            P,
            get("/or-reversed"),
            401,
            "Not authenticated",
            &[API_KEY, "Bearer realm=\"lychgate\", scope=\"items:write\""],
        ),
        refused(
            "OR reversed: both lack scope, the first listed is reported",
            P,
            key(get("/or-reversed").bearer(&reader), "reader-key"),
            403,
            "Not enough permissions",
            &["APIKey realm=\"lychgate\", error=\"insufficient_scope\", scope=\"items:write\""],
        ),
        refused(
            "OR reversed: a bad key and a bad token",
            P,
            key(get("/or-reversed").bearer(&stranger), "x"),
            403,
            "Invalid API key",
            &[],
        ),
        allowed("AND: both", P, key(get("/and").bearer(&reader), "good-key")).identity(
            "johndoe",
            "items:read",
            "header_key,oauth2",
        ),
        refused("AND: the token alone", P, get("/and").bearer(&reader), 403, "Not authenticated", &[API_KEY]),
        refused(
            "AND: the key alone",
            P,
            key(get("/and"), "good-key"),
            401,
            "Not authenticated",
            &[BEARER_READ],
        ),
        refused("AND: nothing", P, get("/and"), 401, "Not authenticated", &[API_KEY, BEARER_READ]),
        refused(
            "AND: a bad token",
            P,
            key(get("/and").bearer(&stranger), "good-key"),
            401,
            "Could not validate credentials",
            &[INVALID_TOKEN],
        ),
        refused("AND: a bad key", P, key(get("/and").bearer(&reader), "x"), 403, "Invalid API key", &[]),
        refused(
            "AND: a bad token and no key",
            P,
            get("/and").bearer(&stranger),
            401,
            "Could not validate credentials",
            &[API_KEY, INVALID_TOKEN],
        ),
        refused(
            "AND: the key lacks scope",
            P,
            key(get("/and").bearer(&reader), "reader-key"),
            403,
            "Not enough permissions",
            &["APIKey realm=\"lychgate\", error=\"insufficient_scope\", scope=\"items:write\""],
        ),
        refused(
            "AND: the token lacks scope",
            P,
            key(get("/and").bearer(&scopeless), "good-key"),
            403,
            "Not enough permissions",
            &[SCOPE],
        ),
        refused(
            "AND: no scopes are named to a client that is half authenticated",
            P,
            get("/and").bearer(&scopeless),
            403,
            "Not authenticated",
            &[API_KEY],
        ),
        clean(allowed("optional: anonymous", P, forged(get("/optional")))),
        allowed("optional: with a token", P, forged(get("/optional").bearer(&reader)))
            .identity("johndoe", "items:read", "oauth2")
            .without("x_auth_subject"),
        refused(
            "optional: a bad token is refused",
            P,
            get("/optional").bearer(&stranger),
            401,
            "Could not validate credentials",
            &[INVALID_TOKEN],
        ),
        clean(allowed(
            "optional: another scheme is no credential",
            P,
            get("/optional").header("Authorization", "Basic eDp5"),
        )),
        clean(allowed("optional listed first: anonymous", P, get("/optional-first"))),
        allowed("optional listed first: a token still counts", P, get("/optional-first").bearer(&reader))
            .identity("johndoe", "items:read", "oauth2"),
        refused(
            "optional listed first: a bad token is refused",
            P,
            get("/optional-first").bearer(&stranger),
            401,
            "Could not validate credentials",
            &[INVALID_TOKEN],
        ),
        clean(allowed("public: forged identity goes", P, forged(get("/public")))),
        allowed("public: a bad token is none of our business", P, get("/public").bearer(&stranger))
            .with("authorization", &format!("Bearer {stranger}"))
            .anonymous(),
        allowed(
            "forged identity is removed when the filter sets its own",
            P,
            forged(get("/or").bearer(&scopeless).header("x-api-key", "good-key")),
        )
        .identity("mobile-app", "items:read items:write", "header_key")
        .without("x_auth_subject"),
        refused(
            "two schemes of one challenge: sent once",
            P,
            get("/two-tokens"),
            401,
            "Not authenticated",
            &[BEARER],
        ),
        refused(
            "two schemes of one challenge: with the error",
            P,
            get("/two-tokens").bearer(&stranger),
            401,
            "Could not validate credentials",
            &[INVALID_TOKEN],
        ),
        allowed("two schemes: the second", P, get("/two-tokens").header("X-Second", &reader)).identity(
            "johndoe",
            "items:read",
            "bearer",
        ),
        refused(
            "missing_status: one 401 among them is enough",
            P,
            get("/strict"),
            401,
            "Not authenticated",
            &[API_KEY],
        ),
        refused("missing_status: an API key has 403", P, get("/key"), 403, "Not authenticated", &[API_KEY]),
        refused(
            "missing_status: http bearer has 403",
            P,
            get("/bearer"),
            403,
            "Not authenticated",
            &[BEARER],
        ),
        refused(
            "missing_status: a bad http bearer token has 401 all the same",
            P,
            get("/bearer").header("X-Second", "x"),
            401,
            "Could not validate credentials",
            &[INVALID_TOKEN],
        ),
        refused("no rule and no default", P, get("/nowhere").bearer(&reader), 403, "Forbidden", &[]),
        allowed(
            "scopes are named once, in order",
            P,
            key(
                get("/and")
                    .bearer(Token::new().claim("scopes", json!(["z", "items:read", "z"])).sign("HS256")),
                "good-key",
            ),
        )
        .identity("johndoe", "z items:read", "header_key,oauth2"),
    ]
}

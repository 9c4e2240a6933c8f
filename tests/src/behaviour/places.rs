//! Where credentials stand: several places, subprotocols of WebSockets, API keys as bearer tokens; and which challenges
//! and statuses a missing one has.

use crate::configuration::{hs256, with};
use crate::http::Request;
use crate::keys;
use crate::tokens::{Token, b64};
use serde_json::{Value, json};

use super::{API_KEY, BEARER, INVALID_TOKEN, Row, allowed, refused, sha256};

const P: &str = "places";
const MISSING: &str = "missing_status";
const SUBPROTOCOL: &str = "Sec-WebSocket-Protocol";

/// Each policy by its name.
pub fn policies() -> Vec<(&'static str, Value)> {
    let jwt = |settings: Value| hs256(&settings);
    let bearer =
        |settings: Value| with(json!({"type": "http", "scheme": "bearer", "missing_status": 401}), &settings);
    let places = json!([{"header": "Authorization"}, {"cookie": "session"}, {"query": "access_token"}]);
    let key = |settings: Value| {
        with(
            json!({"type": "apiKey", "in": "header", "name": "X-API-Key", "api_keys": "partners"}),
            &settings,
        )
    };
    let rule = |path: &str, scheme: &str| json!({"match": {"path": path}, "security": [{scheme: []}]});
    vec![
        (
            P,
            json!({
                "schemes": {
                    "one": bearer(json!({"jwt": jwt(json!({})), "from": places})),
                    "in_jwt": bearer(json!({"jwt": jwt(json!({"from": places}))})),
                    "first": bearer(json!({"jwt": jwt(json!({})), "from": places, "from_order": "first"})),
                    "socket": bearer(json!({"jwt": jwt(json!({})), "from": [{"header": "Authorization"}, {"subprotocol": "bearer"}]})),
                    "kept": bearer(json!({"jwt": jwt(json!({})), "from": [{"subprotocol": "bearer"}], "forward": true})),
                    "keys": bearer(json!({"api_keys": "partners"})),
                    "both": bearer(json!({"api_keys": "partners", "jwt": jwt(json!({}))})),
                    "quiet": {"type": "http", "scheme": "basic", "users": "staff", "challenge": false},
                    "loud": bearer(json!({"jwt": jwt(json!({}))})),
                    "key_places": key(json!({"from": [{"header": "X-API-Key"}, {"query": "api_key"}, {"cookie": "key"}]})),
                    "key_prefixes": key(json!({"from": [{"header": "X-Key", "prefix": "Bearer "}, {"header": "X-Key"}], "from_order": "first"})),
                    "basic_places": {"type": "http", "scheme": "basic", "users": "staff",
                        "from": [{"header": "Authorization"}, {"header": "X-Basic"}]},
                },
                "users": {"staff": [{"username": "johndoe", "password": keys::PASSWORD_HASH}]},
                "api_keys": {"partners": [
                    {"id": "svc", "sha256": sha256("sk-1"), "scopes": ["admin"]},
                    {"id": "late", "sha256": sha256("sk-2"), "not_after": "2020-01-01T00:00:00Z"},
                ]},
                "rules": [
                    rule("/one", "one"), rule("/in-jwt", "in_jwt"), rule("/first", "first"), rule("/socket", "socket"),
                    rule("/kept", "kept"), rule("/keys", "keys"), rule("/both", "both"), rule("/quiet", "quiet"),
                    rule("/key-places", "key_places"), rule("/key-prefixes", "key_prefixes"),
                    rule("/basic-places", "basic_places"),
                    {"match": {"path": "/either"}, "security": [{"quiet": []}, {"loud": []}]},
                    {"match": {"path": "/keys-admin"}, "security": [{"both": ["admin"]}]},
                    {"match": {"path": "/and"}, "security": [{"both": [], "quiet": []}]},
                ],
            }),
        ),
        (
            MISSING,
            json!({
                "schemes": {
                    "key": key(json!({})),
                    "own": key(json!({"missing_status": 403})),
                    "basic": {"type": "http", "scheme": "basic", "users": "staff"},
                },
                "users": {"staff": [{"username": "johndoe", "password": keys::PASSWORD_HASH}]},
                "api_keys": {"partners": [{"id": "svc", "sha256": sha256("sk-1")}]},
                "errors": {"missing_status": 401},
                "rules": [rule("/key", "key"), rule("/own", "own")],
            }),
        ),
        (
            "missing_status 403",
            json!({
                "schemes": {"basic": {"type": "http", "scheme": "basic", "users": "staff"}},
                "users": {"staff": [{"username": "johndoe", "password": keys::PASSWORD_HASH}]},
                "errors": {"missing_status": 403},
                "security": [{"basic": []}],
            }),
        ),
    ]
}

pub fn rows() -> Vec<Row> {
    let (ours, other) = (Token::new().sign("HS256"), Token::new().claim("sub", "other").sign("HS256"));
    let stale = Token::new().claim("exp", 1).sign("HS256");
    let johndoe = format!("Basic {}", b64("johndoe:secret"));
    let get = |path: &str| Request::get(path);
    let cookie = |token: &str| format!("session={token}");
    let bad = |name: &str, request: Request| {
        refused(name, P, request, 401, "Could not validate credentials", &[INVALID_TOKEN])
    };
    let mut rows = Vec::new();
    for (path, scheme) in [("/one", "one"), ("/in-jwt", "in_jwt"), ("/first", "first")] {
        rows.extend([
            allowed(
                format!("{path}: the same token in two places"),
                P,
                get(path).bearer(&ours).header("Cookie", cookie(&ours)),
            )
            .identity("johndoe", "", scheme)
            .without("authorization")
            .without("cookie"),
            allowed(
                format!("{path}: the same token twice in a cookie"),
                P,
                get(path).header("Cookie", format!("session={ours}; session={ours}")),
            )
            .identity("johndoe", "", scheme)
            .without("cookie"),
            allowed(
                format!("{path}: the same token twice in the query"),
                P,
                Request::get(format!("{path}?access_token={ours}&a=1&access_token={ours}")),
            )
            .identity("johndoe", "", scheme)
            .path(&format!("{path}?a=1")),
            refused(
                format!("{path}: two tokens in one cookie"),
                P,
                get(path).header("Cookie", format!("session={ours}; session={other}")),
                401,
                "Could not validate credentials",
                &[INVALID_TOKEN],
            ),
            refused(
                format!("{path}: Authorization twice, the same token"),
                P,
                get(path).bearer(&ours).bearer(&ours),
                401,
                "Could not validate credentials",
                &[INVALID_TOKEN],
            ),
        ]);
    }
    rows.extend([
        bad("two tokens in two places", get("/one").bearer(&ours).header("Cookie", cookie(&other))),
        bad(
            "two tokens in two places, the second stale",
            get("/one").bearer(&ours).header("Cookie", cookie(&stale)),
        ),
        allowed(
            "first place: a fresh header and a stale cookie",
            P,
            get("/first").bearer(&ours).header("Cookie", cookie(&stale)),
        )
        .identity("johndoe", "", "first")
        .without("authorization")
        .without("cookie"),
        bad(
            "first place: a stale header and a fresh cookie",
            get("/first").bearer(&stale).header("Cookie", cookie(&ours)),
        ),
        allowed("first place: the cookie alone", P, get("/first").header("Cookie", cookie(&ours)))
            .identity("johndoe", "", "first"),
    ]);
    let kubernetes = format!("base64url.bearer.authorization.k8s.io.{}", b64(&ours));
    rows.extend([
        allowed(
            "subprotocol: behind its name",
            P,
            get("/socket").header(SUBPROTOCOL, format!("bearer, {ours}, graphql-ws")),
        )
        .identity("johndoe", "", "socket")
        .with("sec-websocket-protocol", "graphql-ws"),
        allowed(
            "subprotocol: as Kubernetes has it",
            P,
            get("/socket").header(SUBPROTOCOL, format!("{kubernetes}, v4.channel.k8s.io")),
        )
        .identity("johndoe", "", "socket")
        .with("sec-websocket-protocol", "v4.channel.k8s.io"),
        allowed(
            "subprotocol: nothing else in the list",
            P,
            get("/socket").header(SUBPROTOCOL, format!("bearer,{ours}")),
        )
        .identity("johndoe", "", "socket")
        .without("sec-websocket-protocol"),
        allowed(
            "subprotocol: forwarded",
            P,
            get("/kept").header(SUBPROTOCOL, format!("bearer, {ours}, graphql-ws")),
        )
        .identity("johndoe", "", "kept")
        .with("sec-websocket-protocol", &format!("bearer, {ours}, graphql-ws")),
        bad("subprotocol: the name alone", get("/socket").header(SUBPROTOCOL, "bearer")),
        bad("subprotocol: no token", get("/socket").header(SUBPROTOCOL, "bearer, graphql-ws")),
        bad(
            "subprotocol: two tokens",
            get("/socket").header(SUBPROTOCOL, format!("bearer, {ours}, bearer, {other}")),
        ),
        refused(
            "subprotocol: none",
            P,
            get("/socket").header(SUBPROTOCOL, "graphql-ws"),
            401,
            "Not authenticated",
            &[BEARER],
        ),
    ]);
    let authorization = |path: &str, value: &str| get(path).header("Authorization", value);
    let invalid = |name: &str, request: Request| refused(name, P, request, 403, "Invalid API key", &[]);
    rows.extend([
        allowed("a key as a bearer token", P, authorization("/keys", "bearer sk-1"))
            .identity("svc", "admin", "keys")
            .without("authorization"),
        invalid("a key as a bearer token: a wrong one", authorization("/keys", "Bearer sk-0")),
        invalid("a key as a bearer token: an old one", authorization("/keys", "Bearer sk-2")),
        invalid(
            "a key as a bearer token: twice",
            authorization("/keys", "Bearer sk-1").header("Authorization", "Bearer sk-1"),
        ),
        refused("a key as a bearer token: missing", P, get("/keys"), 401, "Not authenticated", &[BEARER]),
        refused(
            "a key as a bearer token: alone",
            P,
            authorization("/keys", "sk-1"),
            401,
            "Not authenticated",
            &[BEARER],
        ),
        allowed("a key beside tokens", P, authorization("/both", "Bearer sk-1"))
            .identity("svc", "admin", "both"),
        allowed("a token beside keys", P, get("/both").bearer(&ours)).identity("johndoe", "", "both"),
        allowed("a key beside tokens has its scopes", P, authorization("/keys-admin", "Bearer sk-1"))
            .identity("svc", "admin", "both"),
        refused(
            "a token beside keys has not the key's scopes",
            P,
            get("/keys-admin").bearer(&ours),
            403,
            "Not enough permissions",
            &["Bearer realm=\"lychgate\", error=\"insufficient_scope\", scope=\"admin\""],
        ),
        invalid("a key beside tokens: an old one", authorization("/both", "Bearer sk-2")),
        bad("neither a key nor a token", authorization("/both", "Bearer sk-0")),
        bad("a stale token beside keys", get("/both").bearer(&stale)),
        refused("no challenge for a scheme that has none", P, get("/quiet"), 401, "Not authenticated", &[]),
        refused(
            "no challenge of one scheme beside another",
            P,
            get("/either"),
            401,
            "Not authenticated",
            &[BEARER],
        ),
        refused(
            "a wrong password without a challenge",
            P,
            authorization("/quiet", &format!("Basic {}", b64("johndoe:wrong"))),
            401,
            "Incorrect username or password",
            &[],
        ),
        allowed("a good password without a challenge", P, authorization("/quiet", &johndoe))
            .identity("johndoe", "", "quiet"),
        allowed("a key in a header of several places", P, get("/key-places").header("X-API-Key", "sk-1"))
            .identity("svc", "admin", "key_places")
            .without("x-api-key"),
        allowed(
            "the same key in three places",
            P,
            get("/key-places?api_key=sk-1").header("X-API-Key", "sk-1").header("Cookie", "key=sk-1"),
        )
        .identity("svc", "admin", "key_places")
        .without("x-api-key")
        .without("cookie")
        .path("/key-places"),
        invalid("two keys in two places", get("/key-places?api_key=sk-1").header("X-API-Key", "sk-0")),
        refused("a key in no place", P, get("/key-places?key=sk-1"), 403, "Not authenticated", &[API_KEY]),
        allowed(
            "a key with a prefix or without: with",
            P,
            get("/key-prefixes").header("X-Key", "Bearer sk-1"),
        )
        .identity("svc", "admin", "key_prefixes")
        .without("x-key"),
        allowed("a key with a prefix or without: without", P, get("/key-prefixes").header("X-Key", "sk-1"))
            .identity("svc", "admin", "key_prefixes"),
        allowed(
            "a password in a header of its own",
            P,
            get("/basic-places").header("X-Basic", b64("johndoe:secret")),
        )
        .identity("johndoe", "", "basic_places")
        .without("x-basic"),
        allowed("a password in its usual header", P, authorization("/basic-places", &johndoe)).identity(
            "johndoe",
            "",
            "basic_places",
        ),
        refused(
            "a missing key: 401 for all schemes",
            MISSING,
            get("/key"),
            401,
            "Not authenticated",
            &[API_KEY],
        ),
        refused("a missing key: 403 of its own", MISSING, get("/own"), 403, "Not authenticated", &[API_KEY]),
        refused(
            "a missing password: 403 for all schemes",
            "missing_status 403",
            get("/"),
            403,
            "Not authenticated",
            &["Basic realm=\"lychgate\", charset=\"UTF-8\""],
        ),
    ]);
    rows
}

//! What stays the same in every schedule: the configurations, the tokens, the issuer's documents.

use std::sync::OnceLock;
use std::time::Duration;

use serde_json::{Value, json};

use super::{Answer, Auth, Cookie, Head, Key, Piece, Place, Policy};
use crate::envoy::root;
use crate::keys;
use crate::tokens::Token;
use crate::vm::{Call, Headers, Image, State};

/// When every schedule begins, in Unix seconds.
pub const BEGIN: u64 = 1_800_000_000;
/// When the token expires that expires soon, in seconds from then.
pub const SHORT: u64 = 6;
/// How long the issuer's answers are remembered, in seconds.
pub const CACHE: u64 = 5;
/// How long what was fetched serves while it cannot be fetched again, in seconds.
pub const STALE: u64 = 40;
/// The header that carries the identity to the upstream.
pub const SUBJECT: &str = "x-auth-subject";
/// What a client says in headers that the filter alone may speak in.
pub const FORGED: &str = "forged";

const ISSUER: &str = "https://idp.example";
/// scrypt of `secret`, as cheap as it can be.
const HASH: &str = "$scrypt$ln=1,r=1,p=1$MDEyMzQ1Njc4OWFiY2RlZg$yLgCn8X0eF3wKHj1gfZ5m1aX0lJSlrn5H6M+fs/Wsj8";
/// A login.
const FORM: &str = "username=johndoe&password=secret";

/// The module and the fixed values, made once.
pub struct World {
    configurations: [Vec<u8>; 3],
    auth: Vec<Option<String>>,
    /// The texts that are signed, as the issuer's keys sign them.
    signed: Vec<Vec<u8>>,
    keys: [String; 3],
}

/// The module in dist/, compiled once, its instructions counted.
pub fn image() -> &'static Image {
    static IMAGE: OnceLock<Image> = OnceLock::new();
    IMAGE.get_or_init(|| Image::load(&root().join("dist/lychgate.wasm"), true))
}

/// The fixed values.
pub fn world() -> &'static World {
    static WORLD: OnceLock<World> = OnceLock::new();
    WORLD.get_or_init(World::new)
}

fn policy(strict: bool) -> Value {
    let bearer = |key: &str, value: Value| json!({"type": "http", "scheme": "bearer", key: value});
    let fetched = |uri: &str, cluster: &str| {
        json!({"uri": uri, "cluster": cluster, "refresh_seconds": 20, "refetch_seconds": 3,
            "max_stale_seconds": STALE})
    };
    let asks = |cluster: &str, from: Value| {
        bearer(
            "introspection",
            json!({"uri": "http://idp.example/introspect", "cluster": cluster, "client_id": "gate",
                "client_secret": "secret of the gate", "cache_seconds": CACHE, "from": from}),
        )
    };
    let fixed = json!([{"alg": "HS256", "secret": keys::SECRET}]);
    let rule = |place: Place, security: Value| json!({"match": {"path": path(place)}, "security": security});
    let one = |scheme: &str| json!([{scheme: []}]);
    let mut trial = rule(Place::Trial, one("asked"));
    trial["mode"] = json!("dry_run");
    let mut rules = vec![
        rule(Place::Public, if strict { one("fixed") } else { json!([]) }),
        rule(Place::Remote, one("remote")),
        rule(Place::Found, one("found")),
        rule(Place::Asked, one("asked")),
        rule(Place::Cookie, one("cookie")),
        rule(Place::Listed, one("listed")),
        rule(Place::Either, json!([{"cookie": []}, {"basic": []}])),
        rule(Place::Both, json!([{"remote": [], "key": []}])),
        rule(Place::Two, json!([{"asked": [], "cookie": []}])),
        rule(Place::Perhaps, json!([{"asked": []}, {}])),
        rule(Place::Password, one("basic")),
        trial,
    ];
    if !strict {
        rules.push(rule(Place::Fixed, one("fixed")));
    }
    json!({
        "schemes": {
            "fixed": bearer("jwt", json!({"keys": fixed, "leeway_seconds": 0})),
            "remote": bearer("jwt", json!({"remote_jwks": fetched("http://idp.example/jwks", "keys")})),
            "found": {"type": "openIdConnect",
                "openIdConnectUrl": format!("{ISSUER}/.well-known/openid-configuration"),
                "jwt": {"cluster": "oidc", "refresh_seconds": 20, "refetch_seconds": 3,
                    "max_stale_seconds": STALE}},
            "asked": asks("asked", json!([{"header": "Authorization", "prefix": "Bearer "}])),
            "cookie": asks("cookie", json!([{"cookie": "session"}])),
            "listed": bearer("jwt", json!({"keys": fixed, "leeway_seconds": 0,
                "revocation": fetched("http://idp.example/revoked", "list")})),
            "basic": {"type": "http", "scheme": "basic", "users": "staff"},
            "key": {"type": "apiKey", "in": "header", "name": "X-API-Key", "api_keys": "partners"},
            "login": {"type": "oauth2", "flows": {"password": {"tokenUrl": "/token", "scopes": {}}},
                "jwt": {"keys": [{"alg": "HS256", "secret": keys::SECRET_STRANGER}]},
                "users": "staff", "issue": {}},
        },
        "users": {"staff": [{"username": "johndoe", "password": HASH}]},
        "api_keys": {"partners": [{"id": "partner", "sha256": keys::API_KEY_SHA256}]},
        "rules": rules,
        "passwords": {"max_failures": 1_000_000, "worker_share_percent": 100},
    })
}

/// The path of a place.
fn path(place: Place) -> String {
    if place == Place::Login { "/token".into() } else { format!("/{place:?}").to_lowercase() }
}

impl World {
    fn new() -> Self {
        let token = |subject: &str, seconds: u64| {
            Token::new()
                .claim("sub", subject)
                .claim("iss", ISSUER)
                .claim("jti", subject)
                .claim("iat", BEGIN - 1)
                .claim("exp", BEGIN + seconds)
        };
        let named = |subject: &str, kid: &str| token(subject, 1_000_000).header("kid", kid);
        let bearer = |token: &str| Some(format!("Bearer {token}"));
        let basic = |pair: &str| {
            let text = crate::tokens::b64(pair);
            Some(format!("Basic {text}{}", "=".repeat((4 - text.len() % 4) % 4)))
        };
        let one = named("bob", "k1").sign("ES256");
        let two = named("carol", "k2").sign_by_stranger("ES256");
        let text = |token: &str| token.rsplit_once('.').expect("a token").0.as_bytes().to_vec();
        let signed = vec![text(&one), text(&two)];
        let auth = |auth: &Auth| match auth {
            Auth::Nothing => None,
            Auth::Fixed => bearer(&token("alice", 1_000_000).sign("HS256")),
            Auth::FixedForged => bearer(&token("alice", 1_000_000).sign_by_stranger("HS256")),
            Auth::FixedShort => bearer(&token("dave", SHORT).sign("HS256")),
            Auth::One => bearer(&one),
            Auth::Two => bearer(&two),
            Auth::OneForged => bearer(&named("mallory", "k1").sign_by_stranger("ES256")),
            Auth::Unknown => bearer(&named("mallory", "k9").sign_by_stranger("ES256")),
            Auth::OpaqueA => bearer("opaque-a"),
            Auth::OpaqueB => bearer("opaque-b"),
            Auth::OpaqueLong => bearer(&format!("opaque-{}", "l".repeat(6000))),
            Auth::BasicRight => basic("johndoe:secret"),
            Auth::BasicWrong => basic("johndoe:Secret"),
            Auth::Garbage => Some("Something else".into()),
        };
        let mut keys = [json!(keys::P256.jwk()), json!(keys::P256_STRANGER.jwk())];
        keys[0]["kid"] = json!("k1");
        keys[1]["kid"] = json!("k2");
        let set = |keys: &[Value]| json!({"keys": keys}).to_string();
        let bytes = |policy: Value| policy.to_string().into_bytes();
        Self {
            configurations: [bytes(policy(false)), bytes(policy(true)), b"{\"schemes\": 1}".to_vec()],
            auth: Auth::ALL.iter().map(auth).collect(),
            signed,
            keys: [set(&keys[..1]), set(&keys[1..]), set(&keys)],
        }
    }

    /// A configuration.
    pub fn configuration(&self, policy: Policy) -> Vec<u8> {
        self.configurations[policy as usize].clone()
    }

    /// What `Authorization` holds.
    pub fn auth(&self, auth: Auth) -> Option<&str> {
        self.auth[auth as usize].as_deref()
    }

    /// The host as a schedule begins.
    pub fn state(&self, native: bool) -> State {
        let mut state = State::default();
        state.configuration = self.configuration(Policy::First);
        state.now = Duration::from_secs(BEGIN);
        if native {
            let signed = self.signed.clone();
            state.judge = Some(Box::new(move |arguments| {
                // The module's own probe is the text of an RFC, and that text with an x.
                let rfc = arguments.ends_with(b"GxlLmNvbS9pc19yb290Ijp0cnVlfQ");
                rfc || signed.iter().any(|text| arguments.ends_with(text))
            }));
        }
        state
    }

    /// A request's headers.
    pub fn headers(&self, head: Head) -> Headers {
        let login = head.place == Place::Login;
        let path = path(head.place);
        let cookie = cookie(head.cookie).map(|token| format!("session={token}"));
        let key = match head.key {
            Key::Nothing => None,
            Key::Good => Some(keys::API_KEY),
            Key::Wrong => Some("wrong"),
        };
        let all = [
            (":method", Some(if login || !head.complete { "POST" } else { "GET" })),
            (":path", Some(path.as_str())),
            (":authority", Some("api.example")),
            ("content-type", login.then_some("application/x-www-form-urlencoded")),
            ("authorization", self.auth(head.auth)),
            ("cookie", cookie.as_deref()),
            ("x-api-key", key),
            (SUBJECT, Some(FORGED)),
            ("x-auth-scopes", Some(FORGED)),
            ("x-auth-scheme", Some(FORGED)),
        ];
        let own = |(name, value): (&str, Option<&str>)| Some((name.to_owned(), value?.to_owned()));
        all.into_iter().filter_map(own).collect()
    }

    /// How a call is answered.
    pub fn answer(&self, call: &Call, answer: Answer) -> (Headers, Vec<u8>) {
        let headers = |status: &str, length: Option<usize>| {
            let length = length.map(|length| ("content-length".to_owned(), length.to_string()));
            [(":status".to_owned(), status.to_owned())].into_iter().chain(length).collect::<Headers>()
        };
        match answer {
            Answer::First | Answer::Second | Answer::Third | Answer::Fourth => {
                let body = self.document(call, answer).into_bytes();
                (headers("200", Some(body.len())), body)
            }
            Answer::Garbage => (headers("200", None), b"<html>maintenance</html>".to_vec()),
            Answer::Nothing => (Vec::new(), Vec::new()),
            Answer::Error => (headers("500", None), b"{\"active\": true}".to_vec()),
            Answer::Cut => (headers("200", Some(4000)), self.document(call, Answer::First).into_bytes()),
        }
    }

    fn document(&self, call: &Call, answer: Answer) -> String {
        match call.cluster.as_str() {
            "oidc" if is_discovery(call) => json!({"issuer": ISSUER, "jwks_uri": format!("{ISSUER}/jwks"),
                "id_token_signing_alg_values_supported": ["ES256"]})
            .to_string(),
            "keys" | "oidc" => self.keys[usize::from(bits(answer) - 1)].clone(),
            "list" => match answer {
                Answer::Second => json!({"jti": ["alice"]}),
                Answer::Third => json!({"sub": ["dave"]}),
                _ => json!({"jti": ["another"]}),
            }
            .to_string(),
            _ => match asked_after(call) {
                Some(token) if is_yes(answer) => json!({"active": true, "sub": owner(&token)}).to_string(),
                _ => json!({"active": false}).to_string(),
            },
        }
    }
}

/// Whether it is the document of discovery that is called for.
pub fn is_discovery(call: &Call) -> bool {
    call.headers.iter().any(|(name, value)| name == ":path" && value.contains(".well-known"))
}

/// The keys of the set that is answered with: 1 the first, 2 the second, 3 both.
pub fn bits(answer: Answer) -> u8 {
    match answer {
        Answer::Second => 2,
        Answer::Third => 3,
        _ => 1,
    }
}

/// Whether the list that is answered with has a token of this subject on it.
pub fn revokes(answer: Answer, subject: &str) -> bool {
    matches!((answer, subject), (Answer::Second, "alice") | (Answer::Third, "dave"))
}

/// Whether it is a yes to a token.
pub fn is_yes(answer: Answer) -> bool {
    matches!(answer, Answer::First | Answer::Second | Answer::Third)
}

/// The token that is asked after.
pub fn asked_after(call: &Call) -> Option<String> {
    let form = String::from_utf8_lossy(&call.body).into_owned();
    form.split('&').find_map(|pair| pair.strip_prefix("token=")).map(str::to_owned)
}

/// The subject of a token that only the issuer can read.
pub fn owner(token: &str) -> String {
    format!("owner-of-{}", &token[..8])
}

/// The token in a cookie.
pub fn cookie(cookie: Cookie) -> Option<&'static str> {
    match cookie {
        Cookie::Nothing => None,
        Cookie::OpaqueC => Some("opaque-c"),
        Cookie::OpaqueD => Some("opaque-d"),
    }
}

/// The bytes of a piece of a body.
pub fn piece(piece: Piece) -> Vec<u8> {
    let (first, second) = FORM.split_at(FORM.len() / 2);
    match piece {
        Piece::Byte => b"x".to_vec(),
        Piece::Empty => Vec::new(),
        Piece::Form => FORM.into(),
        Piece::FirstHalf => first.into(),
        Piece::SecondHalf => second.into(),
        Piece::WrongForm => b"username=johndoe&password=Secret".to_vec(),
        Piece::Long => vec![b'x'; 9000],
    }
}

/// Whether a whole body is a login that is to be answered with a token.
pub fn is_login(body: &[u8]) -> bool {
    body == FORM.as_bytes()
}

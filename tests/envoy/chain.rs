//! Two filters in one chain, each with a policy of its own: what is told of a request is the last one's word alone.

use lychgate_tests::behaviour::sha256;
use lychgate_tests::echo::Upstream;
use lychgate_tests::envoy::{Artefact, Envoy, Listener, Options, is_before, is_envoy};
use lychgate_tests::http::Request;
use lychgate_tests::keys::SECRET;
use lychgate_tests::tokens::Token;
use serde_json::{Value, json};

const KEY: &str = "key-000000";

/// An API key first, that has a subject and more scopes than the token that is asked for next.
fn policies() -> [Value; 2] {
    let jwt = json!({"keys": [{"alg": "HS256", "secret": SECRET}]});
    [
        json!({
            "schemes": {"key": {"type": "apiKey", "in": "header", "name": "X-API-Key", "api_keys": "partners"}},
            "api_keys": {"partners": [
                {"id": "app", "sha256": sha256(KEY), "scopes": ["items:read", "items:write"]},
            ]},
            "security": [{"key": []}], "filter_state": true,
        }),
        json!({
            "schemes": {"token": {"type": "http", "scheme": "bearer", "jwt": jwt}},
            "rules": [
                {"match": {"path": "/public"}, "security": []},
                {"match": {"path": "/dry"}, "security": [{"token": []}], "mode": "dry_run"},
            ],
            "security": [{"token": []}], "filter_state": true,
        }),
    ]
}

fn log(prefix: &str) -> Value {
    let state = |name: &str| format!("%FILTER_STATE({prefix}lychgate.{name}:PLAIN)%");
    let line = format!("%REQ(:PATH)% [{}] [{}] [{}]\n", state("subject"), state("scheme"), state("scopes"));
    json!([{"name": "file", "typed_config": {
        "@type": "type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog",
        "path": "@DIR@/gate.access.log",
        "log_format": {"text_format_source": {"inline_string": line}},
    }}])
}

/// Sends the upstream what filters behind the gate see.
fn telling() -> Value {
    let code = "
        function envoy_on_request(handle)
          local told = handle:streamInfo():dynamicMetadata():get('lychgate') or {}
          for _, name in ipairs({'subject', 'scheme', 'scopes'}) do
            local value = told[name]
            if type(value) == 'table' then value = 'list:' .. table.concat(value, ',') end
            handle:headers():add('x-told', name .. '=' .. tostring(value))
          end
        end";
    json!({"name": "tell", "typed_config": {
        "@type": "type.googleapis.com/envoy.extensions.filters.http.lua.v3.Lua",
        "default_source_code": {"inline_string": code},
    }})
}

fn start(upstream: &Upstream) -> Envoy {
    let [first, second] = policies();
    let mut listener = Listener::new("gate", second);
    let prefix = match listener.artefact {
        Artefact::Wasm => "wasm.",
        Artefact::Native => "",
    };
    listener.earlier = vec![first];
    listener.behind = vec![telling()];
    let listener = listener.manager(json!({"access_log": log(prefix)}));
    let envoy = Envoy::start(&[listener], upstream.addr(), &Options::default());
    envoy.unwrap_or_else(|failure| panic!("{}", failure.log))
}

/// The request that both take: with a token that has less than the key.
fn both(path: &str, token: Token) -> Request {
    Request::get(path).header("X-API-Key", KEY).bearer(token.sign("HS256"))
}

/// In filter state the first one's scopes stood beside the second one's scheme.
#[test]
fn filter_state_says_nothing_of_the_identity_of_a_filter_before() {
    let upstream = Upstream::start();
    let envoy = start(&upstream);
    for (path, token) in
        [("/whole", Token::new().claim("sub", "alice").claim("scope", "items:read")), ("/bare", Token::new())]
    {
        let answer = envoy.send("gate", &both(path, token));
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
    }
    for path in ["/dry", "/public"] {
        let by_key = Request::get(path).header("X-API-Key", KEY);
        assert_eq!(envoy.send("gate", &by_key).status, 200);
    }
    let log = envoy.access_log("gate", "/public");
    let lines: Vec<_> = log.lines().collect();
    // A native module before Envoy 1.39 cannot change what is there.
    if Artefact::from_environment() == Artefact::Native && (is_envoy("1.37") || is_envoy("1.38")) {
        let first = |path: &str| format!("{path} [app] [key] [items:read items:write]");
        assert_eq!(lines, ["/whole", "/bare", "/dry", "/public"].map(first));
        assert!(!envoy.log().contains("envoy bug"), "{}", envoy.log());
        return;
    }
    assert_eq!(
        lines,
        [
            "/whole [alice] [token] [items:read]",
            "/bare [johndoe] [token] []",
            // The upstream gets no identity headers either.
            "/dry [] [] []",
            "/public [] [] []",
        ]
    );
}

/// Envoy appends to a list that is there: the scopes of a key were those of a token too, to RBAC behind it.
#[test]
fn dynamic_metadata_is_not_mixed_with_that_of_a_filter_before() {
    if Artefact::from_environment() == Artefact::Wasm {
        return;
    }
    if is_before(38, "1.37 does not tell which metadata there is") {
        return;
    }
    let upstream = Upstream::start();
    let envoy = start(&upstream);
    let told = |request: &Request| -> Vec<String> {
        let answer = envoy.send("gate", request);
        assert_eq!(answer.status, 200, "{answer:?}");
        let headers = answer.json()["headers"].as_array().unwrap().clone();
        let told = headers.iter().filter(|pair| pair[0] == "x-told");
        told.map(|pair| pair[1].as_str().unwrap().to_owned()).collect()
    };
    // Only the newest can put a list in the place of another value, or an empty one.
    let has_structs = !(is_envoy("1.38") || is_envoy("1.39"));
    let [list, nothing] = if has_structs { ["list:items:read", "nil"] } else { ["items:read", ""] };
    let whole = Token::new().claim("sub", "alice").claim("scope", "items:read");
    assert_eq!(told(&both("/whole", whole)), ["subject=alice", "scheme=token", &format!("scopes={list}")]);
    assert_eq!(
        told(&both("/bare", Token::new())),
        ["subject=johndoe", "scheme=token", &format!("scopes={nothing}")]
    );
    let none = ["subject", "scheme", "scopes"].map(|name| format!("{name}={nothing}"));
    for path in ["/public", "/dry"] {
        assert_eq!(told(&Request::get(path).header("X-API-Key", KEY)), none, "{path}");
    }
}

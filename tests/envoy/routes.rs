//! Routes that are chosen by what the filter sets: never by what a client sends under those names.

use lychgate_tests::echo::{Reply, Upstream};
use lychgate_tests::envoy::{Artefact, Envoy, Listener, Options, is_before, root, route_name};
use lychgate_tests::http::Request;
use lychgate_tests::keys::{PASSWORD_HASH, SECRET};
use lychgate_tests::tokens::Token;
use serde_json::{Value, json};

const PER_ROUTE: &str =
    "type.googleapis.com/envoy.extensions.filters.http.dynamic_modules.v3.DynamicModuleFilterPerRoute";

fn policy() -> Value {
    json!({
        "schemes": {
            "token": {"type": "http", "scheme": "bearer", "jwt": {
                "keys": [{"alg": "HS256", "secret": SECRET}], "claims_to_headers": {"tenant": "x-tenant"}}},
            "opaque": {"type": "http", "scheme": "bearer", "introspection": {
                "uri": "http://idp.example/introspect", "cluster": "idp",
                "client_id": "gate", "client_secret": "secret of the gate"}},
            "login": {"type": "http", "scheme": "basic", "users": "staff"},
        },
        "users": {"staff": [{"username": "johndoe", "password": PASSWORD_HASH}]},
        "rules": [
            {"match": {"path": "/public"}, "security": []},
            {"match": {"path": "/opaque"}, "security": [{"opaque": []}]},
            {"match": {"path": "/basic"}, "security": [{"login": []}]},
            {"match": {"path": "/dry"}, "security": [{"token": []}], "mode": "dry_run"},
        ],
        "security": [{"token": []}],
        "filter_state": true,
    })
}

/// A route by this, whose answers have this name.
fn route(name: &str, by: &Value) -> Value {
    let mut route = json!({
        "match": {"prefix": "/"}, "route": {"cluster": "upstream"},
        "response_headers_to_add": [{"header": {"key": "x-route", "value": name}}],
    });
    route["match"].as_object_mut().unwrap().extend(by.as_object().unwrap().clone());
    route
}

fn is(header: &str, value: &str) -> Value {
    json!({"headers": [{"name": header, "string_match": {"exact": value}}]})
}

fn start(routes: &[Value], clusters: Vec<(String, std::net::SocketAddr)>, upstream: &Upstream) -> Envoy {
    let routes = json!({"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": routes}]});
    let listener = Listener::new("gate", policy()).manager(json!({"route_config": routes}));
    let options = Options { clusters, ..Options::default() };
    Envoy::start(&[listener], upstream.addr(), &options).unwrap_or_else(|failure| panic!("{}", failure.log))
}

/// Whether the Envoy makes no calls for the artefact, as 1.37 makes none for native modules.
fn has_no_calls() -> bool {
    Artefact::from_environment() == Artefact::Native
        && is_before(38, "1.37 makes no calls for native modules")
}

/// In the native module the client's own `x-tenant` chose the cluster, and the upstream got the right one.
#[test]
fn a_route_is_chosen_by_the_identity_and_not_by_a_header_of_the_client() {
    if has_no_calls() {
        return;
    }
    let upstream = Upstream::start();
    let issuer = Upstream::serve(|_| Reply::json(&json!({"active": true, "sub": "alice"})));
    let prefix = match Artefact::from_environment() {
        Artefact::Wasm => "wasm.",
        Artefact::Native => "",
    };
    let carol = json!({"filter_state": [{"key": format!("{prefix}lychgate.subject"), "string_match": {"exact": "carol"}}]});
    let routes = [
        route("tenant", &is("x-tenant", "acme")),
        route("alice", &is("x-auth-subject", "alice")),
        route("johndoe", &is("x-auth-subject", "johndoe")),
        route("carol", &carol),
        route("other", &json!({})),
    ];
    let envoy = start(&routes, vec![("idp".to_owned(), issuer.addr())], &upstream);
    let token = |subject: &str| Token::new().claim("sub", subject).sign("HS256");
    let acme = Token::new().claim("sub", "bob").claim("tenant", "acme").sign("HS256");
    let basic = Request::get("/basic").header("Authorization", "Basic am9obmRvZTpzZWNyZXQ=");
    let opaque = || Request::get("/opaque").bearer("opaque");
    for (name, request, expected) in [
        ("a claim", Request::get("/").bearer(&acme), "tenant"),
        ("a subject", Request::get("/").bearer(token("alice")), "alice"),
        ("filter state", Request::get("/").bearer(token("carol")), "carol"),
        ("an answer that was awaited", opaque(), "alice"),
        ("a password that was hashed", basic.clone(), "johndoe"),
        ("another subject", Request::get("/").bearer(token("bob")), "other"),
        ("forged beside a token", Request::get("/").bearer(token("bob")).header("x-tenant", "acme"), "other"),
        (
            "forged beside a subject",
            Request::get("/").bearer(token("bob")).header("x-auth-subject", "alice"),
            "other",
        ),
        ("forged on a public route", Request::get("/public").header("x-auth-subject", "alice"), "other"),
        ("forged in a dry run", Request::get("/dry").header("x-auth-subject", "alice"), "other"),
        ("forged while it waited", opaque().header("x-tenant", "acme"), "alice"),
        ("forged beside a password", basic.header("x-auth-subject", "alice"), "johndoe"),
    ] {
        let answer = envoy.send("gate", &request);
        assert_eq!((answer.status, answer.header("x-route").as_deref()), (200, Some(expected)), "{name}");
    }
}

/// A route's own policy judges a request before its headers are edited. A route that these choose may have another.
#[test]
fn a_request_does_not_reach_a_route_whose_policy_did_not_judge_it() {
    if Artefact::from_environment() == Artefact::Wasm || has_no_calls() {
        return;
    }
    let upstream = Upstream::start();
    let issuer = Upstream::serve(|_| Reply::json(&json!({"active": false})));
    let own = |security: Value| {
        let mut policy = policy();
        policy["security"] = security;
        policy["rules"] = json!([]);
        let value =
            json!({"@type": "type.googleapis.com/google.protobuf.StringValue", "value": policy.to_string()});
        json!({"lychgate": {"@type": PER_ROUTE, "dynamic_module_config": {"name": "lychgate", "do_not_close": true},
            route_name(): "own", "filter_config": value}})
    };
    let mut open = route("open", &is("x-auth-subject", "guest"));
    open["typed_per_filter_config"] = own(json!([]));
    let mut staff = route("staff", &is("x-auth-subject", "johndoe"));
    staff["typed_per_filter_config"] = own(json!([{"login": []}]));
    let routes = [open, staff, route("other", &json!({}))];
    let envoy = start(&routes, vec![("idp".to_owned(), issuer.addr())], &upstream);
    let johndoe = Token::new().sign("HS256");
    let alice = Token::new().claim("sub", "alice").sign("HS256");
    let basic = |request: Request| request.header("Authorization", "Basic am9obmRvZTpzZWNyZXQ=");
    for (name, request, status, route) in [
        ("no route of its own", Request::get("/").bearer(&alice), 200, Some("other")),
        // The open policy let it by, and the route without a header is for tokens.
        ("a client that names an open route", Request::get("/").header("x-auth-subject", "guest"), 500, None),
        ("a subject whose route asks for a password", Request::get("/").bearer(&johndoe), 500, None),
        (
            "the route that judged it",
            basic(Request::get("/").header("x-auth-subject", "johndoe")),
            200,
            Some("staff"),
        ),
    ] {
        let answer = envoy.send("gate", &request);
        let found = answer.header("x-route").filter(|_| answer.status == 200);
        assert_eq!((answer.status, found.as_deref()), (status, route), "{name}");
    }
    let log = envoy.log();
    assert!(log.contains("has another policy"), "{log}");
}

/// Envoy decides by its first route which filters run. A client that named the identity of a route without RBAC got by it, with
/// its own identity; the shipped files take the header away before.
#[test]
fn a_client_does_not_switch_a_filter_off_by_the_header_of_an_identity() {
    if has_no_calls() {
        return;
    }
    let shipped = std::fs::read_to_string(root().join("envoy.yaml")).unwrap();
    let shipped: Value = serde_saphyr::from_str(&shipped).unwrap();
    let manager =
        &shipped["static_resources"]["listeners"][0]["filter_chains"][0]["filters"][0]["typed_config"];
    let early = &manager["early_header_mutation_extensions"];
    assert!(early.is_array(), "{manager}");
    let rbac = "type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC";
    let mut admin = route("admin", &is("x-auth-subject", "admin"));
    admin["typed_per_filter_config"] = json!({"rbac": {"@type": "type.googleapis.com/envoy.config.route.v3.FilterConfig", "disabled": true}});
    let routes = json!([admin, route("other", &json!({}))]);
    let upstream = Upstream::start();
    let token = Token::new().claim("sub", "bob").sign("HS256");
    for (early, status) in [(Value::Null, 200), (early.clone(), 403)] {
        let mut listener = Listener::new("gate", policy());
        // No policy allows anything.
        listener.behind = vec![json!({"name": "rbac", "typed_config": {"@type": rbac, "rules": {}}})];
        let mut manager =
            json!({"route_config": {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": routes}]}});
        if early.is_array() {
            manager["early_header_mutation_extensions"] = early;
        }
        let clusters = vec![("idp".to_owned(), upstream.addr())];
        let options = Options { clusters, ..Options::default() };
        let envoy = Envoy::start(&[listener.manager(manager)], upstream.addr(), &options);
        let envoy = envoy.unwrap_or_else(|failure| panic!("{}", failure.log));
        let forged = Request::get("/").bearer(&token).header("x-auth-subject", "admin");
        assert_eq!(envoy.send("gate", &forged).status, status, "Envoy itself decides");
    }
}

//! Tokens that are bound to a key (RFC 9449): good proofs, and everything that a proof can be wrong in.

use serde_json::{Value, json};

use super::{Row, allowed, refused};
use crate::http::Request;
use crate::keys;
use crate::proofs::{Proof, digest, thumbprint};
use crate::tokens::{Token, b64, now};

/// The authority of the requests.
pub const HOST: &str = "api.example.com";
pub(super) const ALGS: &str = "algs=\"RS256 RS384 RS512 PS256 PS384 PS512 ES256 ES384 ES512 ES256K EdDSA ML-DSA-44 ML-DSA-65 \
                    ML-DSA-87\"";

fn keys_of() -> Value {
    json!([{"alg": "HS256", "secret": keys::SECRET}])
}

fn bearer(settings: Value) -> Value {
    let mut jwt = json!({"keys": keys_of()});
    if let (Value::Object(jwt), Value::Object(settings)) = (&mut jwt, settings) {
        jwt.extend(settings);
    }
    json!({"type": "http", "scheme": "bearer", "missing_status": 401, "jwt": jwt})
}

pub fn policies() -> Vec<(&'static str, Value)> {
    let rules = json!([
        {"match": {"path": "/scoped"}, "security": [{"token": ["items:read"]}]},
        {"match": {"path": "/public"}, "security": [{"token": []}, {}]},
        {"match": {"path": "/open"}, "security": []},
    ]);
    let one = |settings: Value| json!({"schemes": {"token": bearer(settings)}, "rules": rules, "security": [{"token": []}]});
    let mut kept = one(json!({}));
    kept["schemes"]["token"]["forward"] = true.into();
    vec![
        ("bound", one(json!({}))),
        ("bound kept", kept),
        ("bound ignored", one(json!({"cnf": "ignore"}))),
        ("bound required", one(json!({"dpop": {"required": true}}))),
        ("bound nonce", one(json!({"dpop": {"nonce": true}}))),
        (
            "bound origins",
            one(
                json!({"dpop": {"origins": ["https://api.example.com", "https://outside.example:8443/base/"]}}),
            ),
        ),
        ("bound certificate", one(json!({"certificate_bound": {"required": true}}))),
        (
            "bound places",
            one(json!({"from": [{"header": "Authorization", "prefix": "Bearer "}, {"cookie": "session"}]})),
        ),
    ]
}

fn bound_to(alg: &str) -> String {
    Token::reader().claim("cnf", json!({"jkt": thumbprint(alg, false)})).sign("HS256")
}

pub(super) fn get(path: &str) -> Request {
    Request::get(path).host(HOST)
}

/// A request with this token and this proof.
pub(super) fn with(request: Request, token: &str, proof: impl AsRef<[u8]>) -> Request {
    request.header("Authorization", format!("DPoP {token}")).header("DPoP", proof)
}

pub(super) fn proof(path: &str, token: &str) -> Proof {
    Proof::new("ES256", "GET", &format!("http://{HOST}{path}"), token)
}

pub(super) fn challenge(error: &str) -> String {
    format!("DPoP realm=\"lychgate\", error=\"{error}\", {ALGS}")
}

pub(super) fn bad(name: impl Into<String>, policy: &'static str, request: Request) -> Row {
    let challenge = challenge("invalid_dpop_proof");
    refused(name, policy, request, 401, "Could not validate credentials", &[&challenge])
}

pub(super) fn bad_token(
    name: impl Into<String>,
    policy: &'static str,
    request: Request,
    challenge: &str,
) -> Row {
    refused(name, policy, request, 401, "Could not validate credentials", &[challenge])
}

pub fn rows() -> Vec<Row> {
    let mut rows = good();
    rows.extend(bad_rows());
    rows
}

fn good() -> Vec<Row> {
    let mut rows = Vec::new();
    for alg in [
        "ES256",
        "ES384",
        "ES512",
        "ES256K",
        "EdDSA",
        "RS256",
        "RS384",
        "RS512",
        "PS256",
        "PS384",
        "PS512",
        "ML-DSA-44",
        "ML-DSA-65",
        "ML-DSA-87",
    ] {
        let token = bound_to(alg);
        let proof = Proof::new(alg, "GET", &format!("http://{HOST}/"), &token).sign();
        rows.push(
            allowed(format!("DPoP: {alg}"), "bound", with(get("/"), &token, proof))
                .identity("johndoe", "items:read", "token")
                .without("authorization")
                .without("dpop"),
        );
    }
    let token = bound_to("ES256");
    rows.extend(variants(&token));
    let sent = |name: &str, policy, path: &str, proof: &Proof| {
        allowed(format!("DPoP: {name}"), policy, with(get(path), &token, proof.sign()))
    };
    let plain = |path| proof(path, &token);
    rows.extend([
        sent("the scope that is needed", "bound", "/scoped", &plain("/scoped")),
        sent(
            "an origin of the configuration",
            "bound origins",
            "/",
            &plain("/").claim("htu", "https://api.example.com/"),
        ),
        sent(
            "another one, with a path before that of the request",
            "bound origins",
            "/x",
            &plain("/").claim("htu", "https://outside.example:8443/base/x"),
        ),
        sent("where it is required", "bound required", "/", &plain("/")),
        sent("kept where credentials are", "bound kept", "/", &plain("/"))
            .with("authorization", &format!("DPoP {token}")),
        sent("beside another place", "bound places", "/", &plain("/")),
        sent("a method in the proof", "bound", "/", &plain("/")),
        allowed(
            "DPoP: cnf null is no cnf",
            "bound",
            get("/").bearer(Token::new().claim("cnf", Value::Null).sign("HS256")),
        ),
        allowed(
            "DPoP: cnf: ignore takes the token of a key as a bearer token",
            "bound ignored",
            get("/").bearer(&token),
        ),
        allowed(
            "DPoP: an unbound token stays a bearer token",
            "bound",
            get("/").bearer(Token::new().sign("HS256")),
        ),
    ]);
    let posted = Proof::new("ES256", "POST", &format!("http://{HOST}/"), &token).sign();
    rows.push(allowed("DPoP: another method", "bound", with(Request::post("/").host(HOST), &token, posted)));
    let proof = plain("/open").sign();
    rows.push(
        allowed(
            "DPoP: a rule that does not name the scheme leaves both",
            "bound",
            with(get("/open"), &token, &proof),
        )
        .with("authorization", &format!("DPoP {token}"))
        .with("dpop", &proof)
        .anonymous(),
    );
    rows
}

/// What a good proof for this token may differ in, all on the policy `bound`.
pub fn variants(token: &str) -> Vec<Row> {
    let sent = |name: &str, policy, path: &str, proof: &Proof| {
        allowed(format!("DPoP: {name}"), policy, with(get(path), token, proof.sign()))
    };
    let plain = |path| proof(path, token);
    vec![
        sent("htu without the query of the request", "bound", "/?a=b", &plain("/")),
        sent("htu with a query", "bound", "/", &plain("/").claim("htu", format!("http://{HOST}/?x=1#y"))),
        sent(
            "htu with host and scheme in upper case",
            "bound",
            "/",
            &plain("/").claim("htu", "HTTP://API.Example.COM/"),
        ),
        sent(
            "htu with the default port",
            "bound",
            "/",
            &plain("/").claim("htu", format!("http://{HOST}:80/")),
        ),
        sent("htu without a path", "bound", "/", &plain("/").claim("htu", format!("http://{HOST}"))),
        sent("htu encoded where it need not be", "bound", "/~a", &plain("/%7ea")),
        sent("typ as a whole media type", "bound", "/", &plain("/").header("typ", "application/DPoP+JWT")),
        sent("iat 40 s ago", "bound", "/", &plain("/").claim("iat", now() - 40)),
        sent("iat in 50 s", "bound", "/", &plain("/").claim("iat", now() + 45)),
        sent("iat with a fraction", "bound", "/", &plain("/").claim("iat", now() as f64 + 0.5)),
        sent("an unknown claim", "bound", "/", &plain("/").claim("x", json!([1]))),
        sent("a nonce that was not asked for", "bound", "/", &plain("/").claim("nonce", "n")),
        sent(
            "an alg in the jwk",
            "bound",
            "/",
            &plain("/").header("jwk", {
                let mut jwk = keys::P256.jwk();
                jwk["alg"] = "ES256".into();
                jwk["kid"] = "k".into();
                jwk["use"] = "sig".into();
                jwk
            }),
        ),
    ]
}

/// Everything that a proof can be wrong in.
pub fn bad_rows() -> Vec<Row> {
    let token = bound_to("ES256");
    let mut rows = bad_rows_for(&token);
    rows.extend(super::bad_proofs::misplaced(&token));
    rows
}

/// The same for a token that is bound to our key for ES256, all on the policy `bound`.
pub fn bad_rows_for(token: &str) -> Vec<Row> {
    let plain = || proof("/", token);
    let mut rows = Vec::new();
    let wrong_claims: Vec<(&str, &str, Value)> = vec![
        ("htm of another method", "htm", json!("POST")),
        ("htm in lower case", "htm", json!("get")),
        ("htm empty", "htm", json!("")),
        ("htm a list", "htm", json!(["GET"])),
        ("htm null", "htm", Value::Null),
        ("htu of another path", "htu", json!(format!("http://{HOST}/other"))),
        ("htu with a slash more", "htu", json!(format!("http://{HOST}//"))),
        ("htu of another host", "htu", json!("http://evil.example/")),
        ("htu of another scheme", "htu", json!(format!("https://{HOST}/"))),
        ("htu of another port", "htu", json!(format!("http://{HOST}:8080/"))),
        ("htu with a user", "htu", json!(format!("http://user@{HOST}/"))),
        ("htu whose user looks like the host", "htu", json!(format!("http://{HOST}@evil.example/"))),
        ("htu of a host that begins like it", "htu", json!(format!("http://{HOST}.evil.example/"))),
        ("htu with a backslash", "htu", json!(format!("http://{HOST}\\@evil.example/"))),
        ("htu a path alone", "htu", json!("/")),
        ("htu without a scheme", "htu", json!(format!("//{HOST}/"))),
        ("htu empty", "htu", json!("")),
        ("htu a number", "htu", json!(1)),
        ("htu a list", "htu", json!([format!("http://{HOST}/")])),
        ("htu with a bad encoding", "htu", json!(format!("http://{HOST}/%zz"))),
        ("htu encoded twice", "htu", json!(format!("http://{HOST}/%252F"))),
        ("ath of another token", "ath", json!(digest("another"))),
        ("ath padded", "ath", json!(format!("{}=", digest(token)))),
        ("ath in hexadecimal", "ath", json!(super::sha256(token))),
        ("ath the token itself", "ath", json!(token)),
        ("ath empty", "ath", json!("")),
        ("ath null", "ath", Value::Null),
        ("iat two minutes ago", "iat", json!(now() - 120)),
        ("iat in two minutes", "iat", json!(now() + 120)),
        ("iat zero", "iat", json!(0)),
        ("iat negative", "iat", json!(-1)),
        ("iat as text", "iat", json!(now().to_string())),
        ("iat beyond reckoning", "iat", json!(1e300)),
        ("iat in milliseconds", "iat", json!(now() * 1000)),
        ("iat null", "iat", Value::Null),
        ("exp past", "exp", json!(now() - 10)),
        ("exp as text", "exp", json!("never")),
        ("nbf to come", "nbf", json!(now() + 600)),
        ("jti empty", "jti", json!("")),
        ("jti a number", "jti", json!(7)),
        ("jti null", "jti", Value::Null),
        ("jti of 600 bytes", "jti", json!("x".repeat(600))),
    ];
    for (name, claim, value) in wrong_claims {
        rows.push(bad(
            format!("bad proof: {name}"),
            "bound",
            with(get("/"), token, plain().claim(claim, value).sign()),
        ));
    }
    for claim in ["jti", "htm", "htu", "iat", "ath"] {
        rows.push(bad(
            format!("bad proof: no {claim}"),
            "bound",
            with(get("/"), token, plain().without(claim).sign()),
        ));
    }
    let private = || {
        let mut jwk = keys::P256.jwk();
        jwk["d"] = "AAAA".into();
        jwk
    };
    let altered = |name: &str, value: Value| {
        let mut jwk = keys::P256.jwk();
        jwk[name] = value;
        jwk
    };
    let headers: Vec<(&str, &str, Value)> = vec![
        ("typ JWT", "typ", json!("JWT")),
        ("typ at+jwt", "typ", json!("at+jwt")),
        ("typ empty", "typ", json!("")),
        ("typ a list", "typ", json!(["dpop+jwt"])),
        ("alg none", "alg", json!("none")),
        ("alg HS256", "alg", json!("HS256")),
        ("alg of another curve", "alg", json!("ES384")),
        ("alg in lower case", "alg", json!("es256")),
        ("alg unknown", "alg", json!("XX256")),
        ("jwk with its private half", "jwk", private()),
        ("jwk symmetric", "jwk", json!({"kty": "oct", "k": b64(keys::SECRET)})),
        ("jwk text", "jwk", json!("key")),
        ("jwk null", "jwk", Value::Null),
        ("jwk empty", "jwk", json!({})),
        ("jwk a set", "jwk", json!({"keys": [keys::P256.jwk()]})),
        ("jwk off the curve", "jwk", altered("x", json!(b64([1_u8; 32])))),
        ("jwk without y", "jwk", altered("y", Value::Null)),
        ("jwk for encryption", "jwk", altered("use", json!("enc"))),
        ("jwk for signing alone", "jwk", altered("key_ops", json!(["sign"]))),
        ("jwk for another alg", "jwk", altered("alg", json!("ES384"))),
        ("jwk of another key", "jwk", keys::P256_STRANGER.jwk()),
        ("crit", "crit", json!(["x"])),
        ("payload not encoded", "b64", json!(false)),
    ];
    for (name, parameter, value) in headers {
        let proof = plain().header(parameter, value).sign();
        rows.push(bad(format!("bad proof: {name}"), "bound", with(get("/"), token, proof)));
    }
    for parameter in ["typ", "alg", "jwk"] {
        let proof = plain().without_header(parameter).sign();
        rows.push(bad(format!("bad proof: no {parameter}"), "bound", with(get("/"), token, proof)));
    }
    rows.extend(super::bad_proofs::rows(token));
    rows
}

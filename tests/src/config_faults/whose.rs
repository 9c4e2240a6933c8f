//! Faults by which a token would be another user's: keys in common, users and headers that do not fit.

use crate::configuration::hs256;
use crate::keys;
use serde_json::{Value, json};

use super::{Fault, json_fault};

const HASH: &str = "$2b$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW";
const SAYS: &str = "has a key in common with `partner`, whose `users` are others";

/// Two schemes, of which `staff` issues tokens, with these in their `jwt` besides their keys.
fn two(staff: &Value, partner: &Value) -> Value {
    json!({
        "schemes": {
            "staff": {"type": "oauth2", "flows": {"password": {"tokenUrl": "/token", "scopes": {}}}, "users": "staff",
                "jwt": hs256(staff), "issue": {}},
            "partner": {"type": "http", "scheme": "bearer", "users": "partners", "jwt": hs256(partner)},
        },
        "users": {
            "staff": [{"username": "johndoe", "password": HASH, "scopes": ["admin"]}],
            "partners": [{"username": "johndoe", "password": HASH}],
        },
    })
}

/// The same, where both issue.
fn both(staff: &Value, partner: &Value) -> Value {
    let mut config = two(staff, partner);
    let mut scheme = config["schemes"]["staff"].clone();
    scheme["flows"]["password"]["tokenUrl"] = "/partner-token".into();
    scheme["users"] = "partners".into();
    scheme["jwt"] = config["schemes"]["partner"]["jwt"].clone();
    config["schemes"]["partner"] = scheme;
    config
}

fn with_partner_keys(keys: Value) -> Value {
    let mut config = two(&json!({}), &json!({}));
    config["schemes"]["partner"]["jwt"] = keys;
    config
}

pub fn faults() -> Vec<Fault> {
    let at = "schemes.partner.jwt: has a key in common with `staff`";
    let secret = |alg: &str| json!({"alg": alg, "secret": keys::SECRET});
    vec![
        json_fault("two directories behind one secret, both issuing", both(&json!({}), &json!({})), &[at]),
        json_fault(
            "two directories behind one secret, one issuing",
            two(&json!({}), &json!({})),
            &[SAYS, "schemes.staff.jwt"],
        ),
        json_fault(
            "two directories behind one secret among others",
            with_partner_keys(
                json!({"keys": [{"alg": "ES256", "pem": keys::P256.public_pem}, secret("HS384"), secret("HS256")]}),
            ),
            &[SAYS],
        ),
        json_fault(
            "two directories behind one secret, one of them with an issuer",
            both(&json!({"issuer": "https://staff.example"}), &json!({})),
            &[at],
        ),
        json_fault(
            "two directories behind one secret, one audience in common",
            both(&json!({"audiences": ["a", "b"]}), &json!({"audiences": ["b", "c"]})),
            &[at],
        ),
        json_fault(
            "two directories behind one secret, one of several issuers in common",
            {
                let mut config = two(&json!({"issuer": "https://one.example"}), &json!({}));
                let issuer = |name: &str| json!({"issuer": name, "keys": [secret("HS256")]});
                config["schemes"]["partner"]["jwt"] =
                    json!({"issuers": [issuer("https://two.example"), issuer("https://one.example")]});
                config
            },
            &[SAYS],
        ),
        json_fault(
            "users_scopes without users",
            json!({"schemes": {"s": {"type": "http", "scheme": "bearer", "users_scopes": "cut", "jwt": {"keys": [secret("HS256")]}}}}),
            &["schemes.s.users_scopes: speaks of `users`, and there is none"],
        ),
        json_fault(
            "an unknown word for users_scopes",
            json!({"schemes": {"s": {"type": "http", "scheme": "bearer", "users": "u", "users_scopes": "user",
                "jwt": {"keys": [secret("HS256")]}}}, "users": {"u": []}}),
            &["schemes.s.users_scopes: unknown value \"user\"", "`token`"],
        ),
        json_fault(
            "users_scopes of Basic",
            json!({"schemes": {"s": {"type": "http", "scheme": "basic", "users": "u", "users_scopes": "cut"}},
                "users": {"u": [{"username": "a", "password": HASH}]}}),
            &["schemes.s.users_scopes: unknown key"],
        ),
        json_fault(
            "the issuer in the header of the subject",
            json!({"identity_headers": {"issuer": "x_auth_subject"}}),
            &["identity_headers: two of them are named `x_auth_subject`"],
        ),
        json_fault(
            "the issuer in a header of the connection",
            json!({"identity_headers": {"issuer": "Proxy-Connection"}}),
            &["identity_headers.issuer: `proxy-connection` has a meaning of its own"],
        ),
        json_fault(
            "a claim in the header of a dry run",
            json!({
                "identity_headers": {"dry_run": "x-dry"},
                "schemes": {"s": {"type": "http", "scheme": "bearer", "jwt": {"keys": [secret("HS256")], "claims_to_headers": {"a": "x_dry"}}}},
            }),
            &["schemes.s.jwt.claims_to_headers.a: the header `x_dry` is set from something else already"],
        ),
        json_fault(
            "a claim in the header of another one to an application that reads dots as underscores",
            json!({"schemes": {"s": {"type": "http", "scheme": "bearer", "jwt": {"keys": [secret("HS256")],
                "claims_to_headers": {"a": "x-email", "b": "x.email"}}}}}),
            &["is set from something else already"],
        ),
    ]
}

/// Those that are distinguishable: no fault.
pub fn distinguishable() -> Vec<(&'static str, Value)> {
    let secret = |alg: &str| json!({"keys": [{"alg": alg, "secret": keys::SECRET}]});
    let mut same = two(&json!({}), &json!({}));
    same["schemes"]["partner"]["users"] = "staff".into();
    let mut nobody = two(&json!({}), &json!({}));
    nobody["schemes"]["partner"].as_object_mut().expect("an object").remove("users");
    let mut silent = two(&json!({}), &json!({}));
    silent["schemes"]["staff"].as_object_mut().expect("an object").remove("issue");
    vec![
        ("issuers", both(&json!({"issuer": "https://a.example"}), &json!({"issuer": "https://b.example"}))),
        ("audiences", both(&json!({"audiences": ["a"]}), &json!({"audiences": ["b", "c"]}))),
        (
            "an issuer here and audiences there",
            both(&json!({"issuer": "https://a.example"}), &json!({"audiences": ["b"]})),
        ),
        ("the same users", same),
        ("no users", nobody),
        ("no issuing", silent),
        ("another algorithm", with_partner_keys(secret("HS512"))),
        (
            "another secret",
            with_partner_keys(
                json!({"keys": [{"alg": "HS256", "secret": "another secret of 32 bytes or more"}]}),
            ),
        ),
    ]
}

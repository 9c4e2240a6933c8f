//! Every way to wait for something that is fetched: what a policy needs for it, what the request presents,
//! what is asked meanwhile and what is answered.

use lychgate_tests::echo::Reply;
use lychgate_tests::held::Held;
use lychgate_tests::keys;
use lychgate_tests::tokens::Token;
use serde_json::{Value, json};

use super::forms::Field;

/// What the request waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Keys that were not fetched yet.
    FirstKeys,
    /// A key that is not among those that were fetched.
    UnknownKid,
    /// Discovery, and the keys that it leads to.
    Discovery,
    /// What the issuer says of a token that only it can read.
    Introspection,
    /// A list of revoked tokens that is not there yet.
    RevocationList,
    /// Two tokens: the one's issuer is asked, and the other's keys are fetched.
    TwoAtOnce,
    /// Discovery, then keys, then another token's issuer.
    OneAfterAnother,
}

pub const WAYS: [Way; 7] = [
    Way::FirstKeys,
    Way::UnknownKid,
    Way::Discovery,
    Way::Introspection,
    Way::RevocationList,
    Way::TwoAtOnce,
    Way::OneAfterAnother,
];

/// What comes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Allowed,
    Refused,
    FetchFails,
    TimeRunsOut,
    ClientGoesAway,
}

pub const OUTCOMES: [Outcome; 5] =
    [Outcome::Allowed, Outcome::Refused, Outcome::FetchFails, Outcome::TimeRunsOut, Outcome::ClientGoesAway];

/// The scheme that asks the issuer comes first, or last.
const ASKS_FIRST: &str = "asks";
const ASKS_LAST: &str = "then";

/// Each case has sources of its own, below this path.
fn place(listener: &str, case: usize) -> String {
    format!("/{listener}/{case}")
}

fn opaque(listener: &str, case: usize) -> String {
    format!("opaque-{listener}-{case}")
}

fn key_set(kid: &str) -> Reply {
    let mut jwk = keys::P256.jwk();
    jwk["kid"] = kid.into();
    Reply::json(&json!({"keys": [jwk]}))
}

impl Way {
    /// The policy of a listener with so many cases, each below `/case/N/`.
    pub fn policy(self, listener: &str, cases: usize) -> Value {
        let uri = |path: &str| format!("http://idp.example{path}");
        let introspection = json!({"type": "http", "scheme": "bearer", "introspection": {
            "uri": uri("/introspection"), "cluster": "idp", "timeout_seconds": 60,
            "client_id": "gate", "client_secret": "a secret of the gate"}});
        let mut schemes = json!({ASKS_FIRST: introspection, ASKS_LAST: introspection});
        let mut rules = vec![json!({"match": {"path": "/public"}, "security": []})];
        for case in 0..cases {
            let place = place(listener, case);
            let keys = json!({"uri": uri(&format!("{place}/jwks")), "cluster": "idp", "timeout_seconds": 60});
            let second = json!([{"header": "X-Second", "prefix": ""}]);
            let discovery = uri(&format!("{place}/.well-known/openid-configuration"));
            let (own, security) = (format!("own{case}"), |names: &[&str]| {
                let names: serde_json::Map<_, _> =
                    names.iter().map(|name| ((*name).into(), json!([]))).collect();
                json!([names])
            });
            let bearer = |jwt: Value| json!({"type": "http", "scheme": "bearer", "jwt": jwt});
            let open_id = |from: &Value| {
                json!({"type": "openIdConnect", "openIdConnectUrl": discovery,
                    "jwt": {"cluster": "idp", "timeout_seconds": 60, "from": from}})
            };
            let authorization = json!([{"header": "Authorization", "prefix": "Bearer "}]);
            let (scheme, security) = match self {
                Self::FirstKeys | Self::UnknownKid => {
                    (Some(bearer(json!({"remote_jwks": keys}))), security(&[&own]))
                }
                Self::Discovery => (Some(open_id(&authorization)), security(&[&own])),
                Self::Introspection => (None, security(&[ASKS_FIRST])),
                Self::RevocationList => {
                    let list = json!({"uri": uri(&format!("{place}/revoked")), "cluster": "idp",
                        "timeout_seconds": 60});
                    let keys = json!([{"alg": "ES256", "pem": keys::P256.public_pem}]);
                    (Some(bearer(json!({"keys": keys, "revocation": list}))), security(&[&own]))
                }
                Self::TwoAtOnce => {
                    let jwt = json!({"remote_jwks": keys, "from": second});
                    (Some(bearer(jwt)), security(&[ASKS_FIRST, &own]))
                }
                Self::OneAfterAnother => (Some(open_id(&second)), security(&[&own, ASKS_LAST])),
            };
            if let Some(scheme) = scheme {
                schemes[&own] = scheme;
            }
            rules.push(json!({"match": {"prefix": format!("/case/{case}/")}, "security": security}));
        }
        json!({"schemes": schemes, "rules": rules, "security": [{ASKS_FIRST: []}]})
    }

    /// What the request of this case presents.
    pub fn credentials(self, listener: &str, case: usize, outcome: Outcome) -> Vec<Field> {
        self.credentials_of(listener, case, outcome, &opaque(listener, case))
    }

    /// The same with another token, of this name.
    pub fn credentials_of(self, listener: &str, case: usize, outcome: Outcome, name: &str) -> Vec<Field> {
        let token = Token::new().claim("jti", name);
        let token = match self {
            Self::UnknownKid => token.header("kid", "new"),
            Self::Discovery | Self::OneAfterAnother => {
                token.claim("iss", format!("http://idp.example{}", place(listener, case)))
            }
            Self::FirstKeys | Self::Introspection | Self::RevocationList | Self::TwoAtOnce => token,
        };
        // Where the keys decide, a refusal is one of a signature.
        let keys_decide = match self {
            Self::FirstKeys | Self::Discovery => true,
            Self::TwoAtOnce => case.is_multiple_of(2),
            Self::UnknownKid | Self::Introspection | Self::RevocationList | Self::OneAfterAnother => false,
        };
        let signed = match outcome {
            Outcome::Refused if keys_decide => token.sign_by_stranger("ES256"),
            Outcome::Allowed
            | Outcome::Refused
            | Outcome::FetchFails
            | Outcome::TimeRunsOut
            | Outcome::ClientGoesAway => token.sign("ES256"),
        };
        let bearer = |token: String| ("Authorization".to_owned(), format!("Bearer {token}"));
        match self {
            Self::FirstKeys | Self::UnknownKid | Self::Discovery | Self::RevocationList => {
                vec![bearer(signed)]
            }
            Self::Introspection => vec![bearer(name.to_owned())],
            Self::TwoAtOnce | Self::OneAfterAnother => {
                vec![bearer(name.to_owned()), ("X-Second".to_owned(), signed)]
            }
        }
    }

    /// What is answered from the start.
    pub fn prepare(self, held: &Held, listener: &str, cases: usize) {
        for case in 0..cases {
            let place = place(listener, case);
            match self {
                Self::UnknownKid => held.release(&format!("{place}/jwks"), key_set("old")),
                // Each of the two is waited for in every other case.
                Self::Discovery if case.is_multiple_of(2) => {
                    held.release(&format!("{place}/jwks"), key_set("one"));
                }
                Self::Discovery => {
                    let name = format!("{place}/.well-known/openid-configuration");
                    held.release(&name, document(&place));
                }
                Self::FirstKeys
                | Self::Introspection
                | Self::RevocationList
                | Self::TwoAtOnce
                | Self::OneAfterAnother => {}
            }
        }
    }

    /// How many questions are asked before any request.
    pub fn asked_at_start(self, cases: usize) -> usize {
        match self {
            Self::Introspection => 0,
            Self::FirstKeys | Self::UnknownKid | Self::RevocationList | Self::TwoAtOnce => cases,
            Self::Discovery => cases + cases / 2,
            Self::OneAfterAnother => cases,
        }
    }

    /// What the request waits for, in the order in which it is answered, and each answer that leads on.
    /// The last one decides.
    pub fn questions(self, listener: &str, case: usize) -> Vec<(String, Reply)> {
        let place = place(listener, case);
        let keys = (format!("{place}/jwks"), key_set("one"));
        let discovered = (format!("{place}/.well-known/openid-configuration"), document(&place));
        let active = json!({"active": true, "sub": "johndoe"});
        let token = (opaque(listener, case), Reply::json(&active));
        match self {
            Self::FirstKeys => vec![keys],
            Self::UnknownKid => vec![(format!("{place}/jwks#2"), key_set("new"))],
            Self::Discovery => vec![if case.is_multiple_of(2) { discovered } else { keys }],
            Self::Introspection => vec![token],
            Self::RevocationList => {
                vec![(format!("{place}/revoked"), Reply::json(&json!({"jti": ["another"]})))]
            }
            // Whichever comes first.
            Self::TwoAtOnce if case.is_multiple_of(2) => vec![token, keys],
            Self::TwoAtOnce => vec![keys, token],
            Self::OneAfterAnother => vec![discovered, keys, token],
        }
    }

    /// The last answer, where it is to be a no.
    pub fn no(self, listener: &str, case: usize) -> Reply {
        let last = || self.questions(listener, case).pop().unwrap().1;
        let inactive = || Reply::json(&json!({"active": false}));
        match self {
            Self::FirstKeys | Self::Discovery => last(),
            Self::UnknownKid => key_set("old"),
            Self::RevocationList if case.is_multiple_of(2) => {
                Reply::json(&json!({"jti": [opaque(listener, case)]}))
            }
            Self::RevocationList => Reply::json(&json!({"sub": ["johndoe"]})),
            Self::TwoAtOnce if case.is_multiple_of(2) => last(),
            Self::Introspection | Self::TwoAtOnce | Self::OneAfterAnother => inactive(),
        }
    }
}

fn document(place: &str) -> Reply {
    let issuer = format!("http://idp.example{place}");
    let keys = format!("{issuer}/jwks");
    Reply::json(
        &json!({"issuer": issuer, "jwks_uri": keys, "id_token_signing_alg_values_supported": ["ES256"]}),
    )
}

//! Lychgate beside other implementations of the same standards: npm `oauth4webapi` as a resource server, npm `dpop`
//! and PyPI `joserfc` as clients, npm `oidc-provider` as an authorization server.

mod asked;
mod judged;
mod provider;

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use lychgate_tests::envoy::root;
use lychgate_tests::{keys, node, python};
use serde_json::{Value, json};

/// A client that makes proofs.
#[derive(Clone, Copy, Debug)]
enum Maker {
    /// npm `dpop`.
    Dpop,
    /// PyPI `joserfc`.
    Joserfc,
}

/// A proof that is wanted of one.
struct Wanted<'w> {
    alg: &'w str,
    uri: &'w str,
    method: &'w str,
    nonce: Option<&'w str>,
    token: Option<&'w str>,
}

/// What a program prints for this input, as JSON.
fn answer(program: &mut Command, input: &Value) -> Value {
    let mut child = program
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut stdin = child.stdin.take().expect("its standard input");
    stdin.write_all(input.to_string().as_bytes()).expect("it reads");
    drop(stdin);
    let output = child.wait_with_output().expect("it ends");
    assert!(output.status.success(), "{program:?}: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("JSON")
}

/// One of our programs for node, with the packages of `tests/counterparts`; `None` where these cannot be had.
fn script(name: &str, input: &Value) -> Option<Value> {
    let modules = node::program("tests/counterparts", name)?;
    Some(answer(Command::new("node").arg(name).current_dir(modules), input))
}

impl Maker {
    const ALL: [Self; 2] = [Self::Dpop, Self::Joserfc];

    /// The algorithms that it has.
    fn algorithms(self) -> &'static [&'static str] {
        match self {
            Self::Dpop => &["ES256", "RS256", "PS256", "EdDSA"],
            Self::Joserfc => &[
                "ES256", "ES384", "ES512", "ES256K", "EdDSA", "RS256", "RS384", "RS512", "PS256", "PS384",
                "PS512",
            ],
        }
    }

    /// The proofs that are wanted, each with the thumbprint of its key; `None` where it cannot be had.
    fn make(self, wanted: &[Wanted<'_>]) -> Option<Vec<(String, String)>> {
        let pairs = [
            ("ES256", keys::P256),
            ("ES384", keys::P384),
            ("ES512", keys::P521),
            ("ES256K", keys::SECP256K1),
            ("EdDSA", keys::ED25519),
        ];
        let rsa = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"].map(|alg| (alg, keys::RSA));
        let keys: serde_json::Map<_, _> = pairs
            .into_iter()
            .chain(rsa)
            .map(|(alg, pair)| (alg.to_owned(), json!({"pem": pair.private_pem, "jwk": pair.jwk()})))
            .collect();
        let each = |one: &Wanted<'_>| json!({"alg": one.alg, "htu": one.uri, "htm": one.method, "nonce": one.nonce, "token": one.token});
        let input = json!({"keys": keys, "wanted": wanted.iter().map(each).collect::<Vec<_>>()});
        let made = match self {
            Self::Dpop => script("proofs.mjs", &input)?,
            Self::Joserfc => {
                let python = python::python("tests/counterparts/requirements.txt")?;
                let program = root().join(Path::new("tests/counterparts/proofs.py"));
                answer(Command::new(python).arg(program), &input)
            }
        };
        let text = |value: &Value| value.as_str().expect("text").to_owned();
        let made = made.as_array().expect("a list").iter();
        Some(made.map(|one| (text(&one["proof"]), text(&one["thumbprint"]))).collect())
    }
}

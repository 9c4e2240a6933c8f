//! The loads: which requests, to which contender, and the goals.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::thread;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lychgate_tests::tokens::Token;
use serde_json::json;

use crate::contenders::{ALGORITHMS, Artefact, api_key};

/// What is sent: lines of a file, each the value of one header, sent in turn.
#[derive(Clone, Debug)]
pub struct Load {
    /// The header; none: requests without.
    pub header: Option<&'static str>,
    /// The file of values.
    pub values: PathBuf,
    /// The path that is asked for.
    pub path: &'static str,
    /// Whether the answer must be 200; else it must be a refusal.
    pub passes: bool,
}

/// Two contenders under one load.
pub struct Duel {
    /// What is sent, in words.
    pub title: String,
    /// The policy that is measured, in both artefacts.
    pub ours: &'static str,
    /// The listener it is held against, in words.
    pub against: &'static str,
    /// What it is held against.
    pub theirs: Rival,
    /// What each gets.
    pub load: Load,
    /// What the rival gets, where it is not the same.
    pub their_load: Option<Load>,
    /// The ratio that each artefact is to reach, native and Wasm; none: it is shown for comparison.
    pub goals: Option<(f64, f64)>,
    /// Whether it is part of the quick run.
    pub quick: bool,
}

/// What a policy is held against.
#[derive(Clone)]
pub enum Rival {
    /// This listener.
    Listener(String),
    /// Another policy in the same artefact.
    Policy(&'static str),
}

impl Duel {
    /// The listener that an artefact is measured by.
    pub fn ours(&self, artefact: Artefact) -> String {
        artefact.listener(self.ours)
    }

    /// The listener that an artefact is held against.
    pub fn theirs(&self, artefact: Artefact) -> String {
        match &self.theirs {
            Rival::Listener(name) => name.clone(),
            Rival::Policy(policy) => artefact.listener(policy),
        }
    }

    /// Each listener of it once, with what it gets.
    pub fn contenders(&self) -> Vec<(String, &Load)> {
        let mut all: Vec<(String, &Load)> = Vec::new();
        for artefact in Artefact::BOTH {
            let theirs = self.their_load.as_ref().unwrap_or(&self.load);
            for (name, load) in [(self.theirs(artefact), theirs), (self.ours(artefact), &self.load)] {
                if all.iter().all(|(there, _)| *there != name) {
                    all.push((name, load));
                }
            }
        }
        all
    }

    /// The ratio that an artefact is to reach.
    pub fn goal(&self, artefact: Artefact) -> Option<f64> {
        self.goals.map(|(native, wasm)| match artefact {
            Artefact::Native => native,
            Artefact::Wasm => wasm,
        })
    }
}

/// How many tokens that count as never seen: five times what is remembered, sent in turn, so that
/// each was long forgotten when it comes again.
const NEW: usize = 20_480;

fn expires() -> serde_json::Value {
    // The files are kept, so the tokens are good for long.
    json!(4_102_444_800_u64)
}

fn token(number: usize) -> Token {
    Token::new()
        .claim("exp", expires())
        .claim("iat", json!(1_700_000_000))
        .claim("sub", format!("user-{number:06}"))
        .claim("scope", "items:read items:write")
        .claim("email", format!("user-{number:06}@example.com"))
}

/// Writes `count` lines to a file of this name, unless it is there.
fn lines(dir: &Path, name: &str, count: usize, line: impl Fn(usize) -> String + Sync) -> PathBuf {
    let file = dir.join(name);
    if !file.exists() {
        // Signing is what takes long, and there are two cores.
        let half = count / 2;
        let write = |from: usize, to: usize| {
            (from..to).fold(String::new(), |mut text, number| {
                let _ = writeln!(text, "{}", line(number));
                text
            })
        };
        let text = thread::scope(|scope| {
            let first = scope.spawn(|| write(0, half));
            let second = write(half, count);
            first.join().expect("signed") + &second
        });
        fs::write(&file, text).expect("written");
    }
    file
}

/// All of them. `dir` holds the files.
pub fn duels(dir: &Path) -> Vec<Duel> {
    let bearer = |name: &str, count: usize, alg: &str| Load {
        header: Some("Authorization"),
        values: lines(dir, name, count, |number| format!("Bearer {}", token(number).sign(alg))),
        path: "/last/7",
        passes: true,
    };
    let duel = |title: &str, ours, against, theirs: &str, load: &Load, goals| Duel {
        title: title.to_owned(),
        ours,
        against,
        theirs: Rival::Listener(theirs.to_owned()),
        load: load.clone(),
        their_load: None,
        goals,
        quick: true,
    };
    let mut duels = Vec::new();
    for alg in ALGORITHMS {
        let load = bearer(&format!("one-{alg}"), 1, alg);
        let title = format!("known token, {alg}");
        let theirs = format!("jwt_authn cached {alg}");
        let mut duel = duel(&title, alg, "jwt_authn with cache", &theirs, &load, Some((1.05, 0.9)));
        duel.quick = matches!(alg, "HS256" | "RS256");
        duels.push(duel);
    }
    let known = bearer("one-RS256", 1, "RS256");
    let cached = "jwt_authn with cache";
    duels.extend([
        duel(
            "known token, a scope checked, identity headers",
            "scope",
            "jwt_authn with cache, claim_to_headers, and rbac",
            "jwt_authn+rbac",
            &known,
            Some((1.3, 1.1)),
        ),
        duel("known token", "RS256", "no filter", "none", &known, Some((0.95, 0.85))),
        duel("known token", "RS256", "empty Wasm filter", "empty", &known, None),
        duel("known token", "RS256", "ext_authz over HTTP", "ext_authz", &known, Some((1.85, 1.6))),
        duel(
            "1,000 tokens in turn, RS256",
            "RS256",
            cached,
            "jwt_authn cached RS256",
            &bearer("thousand", 1000, "RS256"),
            Some((1.05, 0.9)),
        ),
    ]);
    for (alg, goals) in [
        ("HS256", (1.25, 0.95)),
        ("RS256", (1.15, 0.9)),
        ("ES256", (1.05, 0.9)),
        ("EdDSA", (1.35, 0.75)),
        ("PS256", (1.15, 0.5)),
    ] {
        let load = bearer(&format!("new-{alg}"), NEW, alg);
        let title = format!("new token, {alg}");
        let theirs = format!("jwt_authn {alg}");
        duels.push(duel(&title, alg, "jwt_authn without cache", &theirs, &load, Some(goals)));
    }
    let forged = Load {
        values: lines(dir, "forged", 1000, |number| {
            // Not signed: the signature of another token.
            let (ours, other) = (token(number).sign("RS256"), token(number + 1).sign("RS256"));
            let (input, signature) = (ours.rsplit_once('.'), other.rsplit_once('.'));
            format!("Bearer {}.{}", input.expect("a token").0, signature.expect("a token").1)
        }),
        passes: false,
        ..known.clone()
    };
    let missing = Load { header: None, passes: false, ..known.clone() };
    let uncached = "jwt_authn without cache";
    duels.extend([
        duel("forged token, RS256", "RS256", uncached, "jwt_authn RS256", &forged, Some((1.2, 0.95))),
        duel("no credential", "RS256", uncached, "jwt_authn RS256", &missing, Some((1.0, 0.8))),
    ]);
    let ten =
        Load { header: Some("X-API-Key"), values: lines(dir, "ten-keys", 10, api_key), ..known.clone() };
    let many = Load { values: lines(dir, "many-keys", 10_000, |number| api_key(number * 10)), ..ten.clone() };
    let keys = "api_key_auth with 10 keys";
    let mut hundred_thousand =
        duel("API key, 100,000 keys", "100000 keys", keys, "api_key_auth", &many, Some((1.0, 0.8)));
    hundred_thousand.their_load = Some(ten.clone());
    duels.push(duel("API key, 10 keys", "10 keys", keys, "api_key_auth", &ten, Some((1.0, 0.8))));
    duels.push(hundred_thousand);
    let basic = Load {
        header: Some("Authorization"),
        values: lines(dir, "basic", 1, |_| format!("Basic {}", STANDARD.encode("johndoe:secret"))),
        ..known.clone()
    };
    duels.push(duel(
        "Basic, known credential",
        "basic",
        "basic_auth",
        "basic_auth",
        &basic,
        Some((1.1, 0.9)),
    ));
    let mut rules =
        duel("1,000 rules, the last one matches", "1000 rules", "one rule", "", &known, Some((0.95, 0.95)));
    rules.theirs = Rival::Policy("1 rule");
    duels.push(rules);
    duels
}

//! What an input is made into: numbers, and requests.

use std::sync::OnceLock;

use lychgate_tests::keys::API_KEY;
use lychgate_tests::tokens::{Token, now};

/// What a request is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    /// It passes at once.
    Sure,
    /// It may pass.
    Good,
    /// It may not.
    Bad,
    /// It asks for a token.
    Login,
    /// It may pass if the issuer says so.
    Opaque,
    /// It may pass once the issuer's keys are there.
    Fetched,
    /// It may not, and is not known to be bad before the issuer's keys are there.
    Forged,
}

/// The input: bytes one after the other, and zeros after the last.
pub(super) struct Input<'d>(pub(super) &'d [u8]);

impl Input<'_> {
    pub(super) fn next(&mut self) -> usize {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        usize::from(*first)
    }

    pub(super) fn bytes(&mut self, most: usize) -> Vec<u8> {
        let count = self.next() % most;
        (0..count).map(|_| self.next() as u8).collect()
    }
}

/// A request: its path, and its credential.
pub(super) fn request(which: usize, has_calls: bool) -> (Kind, &'static str, Option<(&'static str, String)>) {
    static TOKENS: OnceLock<[String; 5]> = OnceLock::new();
    let [good, forged, fetched, unknown, forged_fetched] = TOKENS.get_or_init(|| {
        // They hold for longer than a run.
        let token = || Token::reader().claim("exp", now() + 10_000_000);
        let (ec, other) = (token().header("kid", "ec"), token().header("kid", "other"));
        [
            token().sign("HS256"),
            token().sign_by_stranger("HS256"),
            ec.sign("ES256"),
            other.sign("ES256"),
            ec.sign_by_stranger("ES256"),
        ]
    });
    let bearer = |token: &str| Some(("authorization", format!("Bearer {token}")));
    match which % 13 {
        0 => (Kind::Sure, "/items/7", bearer(good)),
        1 => (Kind::Bad, "/items/7", bearer(forged)),
        2 => (Kind::Sure, "/items", Some(("x-api-key", API_KEY.to_owned()))),
        3 => (Kind::Bad, "/items", Some(("x-api-key", "another".to_owned()))),
        4 => (Kind::Bad, "/", None),
        5 => (Kind::Sure, "/public", None),
        6 => (Kind::Good, "/basic", Some(("authorization", "Basic am9obmRvZTpzZWNyZXQ=".to_owned()))),
        7 => (Kind::Bad, "/basic", Some(("authorization", "Basic am9obmRvZTpndWVzcw==".to_owned()))),
        8 if has_calls => (Kind::Opaque, "/opaque", bearer(&format!("opaque-{which}"))),
        10 if has_calls => (Kind::Fetched, "/fetched", bearer(fetched)),
        11 if has_calls => (Kind::Forged, "/fetched", bearer(unknown)),
        12 if has_calls => (Kind::Forged, "/fetched", bearer(forged_fetched)),
        _ => (Kind::Login, "/token", None),
    }
}

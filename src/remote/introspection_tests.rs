use std::time::Duration;

use serde_json::{Value, json};

use super::{Answer, Introspection, IntrospectionSettings, Introspector};
use crate::config::Secret;
use crate::host::LocalHost;
use crate::remote::{CallResponse, TokenDigests, Uri};

fn introspector(in_body: bool) -> Introspection {
    Introspector::new(IntrospectionSettings {
        uri: Uri::parse("https://idp.example/introspect", "idp").unwrap(),
        client_id: "gate & co".into(),
        client_secret: Secret::new(b"s:cret".to_vec()),
        in_body,
        cache_seconds: 60,
        timeout: Duration::from_secs(5),
    })
}

fn ask(asked: &Introspection, token: &[u8], now: i64) -> Answer {
    asked.ask(token, TokenDigests::default().of(0, token), now)
}

fn answer(body: &Value) -> CallResponse {
    CallResponse {
        headers: vec![(b":status".to_vec(), b"200".to_vec())],
        body: body.to_string().into_bytes(),
    }
}

#[test]
fn a_token_is_asked_after_once_and_remembered_to_the_earlier_of_its_times() {
    for (body, active_at, forgotten_at) in [
        (json!({"active": true, "exp": 1030}), Some(1029), 1030),
        (json!({"active": true, "exp": 5000}), Some(1059), 1060),
        (json!({"active": true}), Some(1059), 1060),
        (json!({"active": false}), None, 1010),
    ] {
        let (host, asked) = (LocalHost::at(1000), introspector(false));
        for _ in 0..3 {
            assert!(matches!(ask(&asked, b"token", 1000), Answer::Pending));
        }
        asked.tick(&host);
        asked.tick(&host);
        assert_eq!(host.calls.borrow().len(), 1);
        assert!(asked.respond(7, &answer(&body), &host).is_none(), "an answer to somebody else");
        asked.respond(0, &answer(&body), &host).unwrap();
        match active_at {
            Some(at) => assert!(matches!(ask(&asked, b"token", at), Answer::Active(_)), "{body}"),
            None => assert!(matches!(ask(&asked, b"token", 1009), Answer::Inactive)),
        }
        assert!(matches!(ask(&asked, b"token", forgotten_at), Answer::Pending), "{body}");
    }
}

#[test]
fn the_client_names_itself_as_rfc_6749_has_it() {
    let host = LocalHost::at(1000);
    for in_body in [false, true] {
        let asked = introspector(in_body);
        let _ = ask(&asked, b"a+b&c", 1000);
        asked.tick(&host);
    }
    let calls = host.calls.borrow();
    let body = |index: usize| String::from_utf8(calls[index].body.clone()).unwrap();
    assert_eq!(body(0), "token=a%2Bb%26c&token_type_hint=access_token");
    // gate+%26+co:s%3Acret
    let basic = ("authorization".to_owned(), "Basic Z2F0ZSslMjYrY286cyUzQWNyZXQ=".to_owned());
    assert!(calls[0].headers.contains(&basic), "{:?}", calls[0].headers);
    assert!(body(1).ends_with("&client_id=gate+%26+co&client_secret=s%3Acret"), "{}", body(1));
    assert!(calls[1].headers.iter().all(|(name, _)| name != "authorization"));
}

#[test]
fn an_answer_that_is_none_is_an_outage_for_a_moment() {
    for body in [json!({}), json!({"active": "true"}), json!([]), json!("x")] {
        let (host, asked) = (LocalHost::at(1000), introspector(false));
        let _ = ask(&asked, b"token", 1000);
        asked.tick(&host);
        asked.respond(0, &answer(&body), &host).unwrap();
        assert!(matches!(ask(&asked, b"token", 1000), Answer::Unavailable(_)), "{body}");
        assert!(matches!(ask(&asked, b"token", 1001), Answer::Pending), "{body}");
    }
}

#[test]
fn a_flood_of_made_up_tokens_is_bounded() {
    let asked = introspector(false);
    let mut pending = 0;
    for number in 0..5000 {
        if matches!(ask(&asked, format!("token{number}").as_bytes(), 1000), Answer::Pending) {
            pending += 1;
        }
    }
    assert_eq!(pending, 1024);
}

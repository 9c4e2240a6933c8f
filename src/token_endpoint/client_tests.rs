use super::{Client, Clients};
use crate::host::InMemoryHost;
use crate::login::{LoginHistory, PasswordChecker, PasswordSettings};
use crate::reason::Reason;

/// Another client got a secret, and guesses at all of them began anew.
#[test]
fn a_change_of_another_client_forgot_all_failures() {
    let settings = PasswordSettings { max_failures: 2, ..PasswordSettings::default() };
    let (passwords, host) =
        (PasswordChecker::new(&settings, LoginHistory::default()), InMemoryHost::at(1000));
    let clients = |all: &[(&str, &[u8])]| {
        let client = |(id, secret): &(&str, &[u8])| Client::new((*id).to_owned(), Some(secret));
        Clients::new("/token", all.iter().map(client).collect())
    };
    let ask = |clients: &Clients, id: &str| {
        let asked = clients.authenticate(None, (Some(id), Some("guess")), "gate", &passwords, &host);
        asked.map_err(|denial| denial.reason)
    };
    let before = clients(&[("web", b"its secret")]);
    for _ in 0..2 {
        assert_eq!(ask(&before, "web"), Err(Reason::ClientInvalid));
    }
    let after = clients(&[("app", b"another secret"), ("web", b"its secret")]);
    assert_eq!(ask(&after, "web"), Err(Reason::LoginThrottled));
    assert_eq!(ask(&after, "app"), Err(Reason::ClientInvalid));
    // A client of that id with another secret is another one, and so is an id that is none at another place.
    let other = clients(&[("web", b"a new secret")]);
    assert_eq!(ask(&other, "web"), Err(Reason::ClientInvalid));
    for _ in 0..2 {
        assert_eq!(ask(&before, "nobody"), Err(Reason::ClientInvalid));
    }
    assert_eq!(ask(&before, "nobody"), Err(Reason::LoginThrottled));
    assert_eq!(ask(&other, "nobody"), Err(Reason::ClientInvalid));
}

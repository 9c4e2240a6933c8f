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

/// A client authenticated itself by the header and named another one in the form, and each of the two readers behind
/// could have taken the other.
#[test]
fn a_client_that_is_two_is_none() {
    let (passwords, host) =
        (PasswordChecker::new(&PasswordSettings::default(), LoginHistory::default()), InMemoryHost::at(1000));
    let clients = Clients::new("/token", vec![Client::new("web app".into(), Some(b"secret"))]);
    // `web+app:secret`
    let header = b"Basic d2ViK2FwcDpzZWNyZXQ=";
    let ask =
        |form| clients.authenticate(Some(header), form, "gate", &passwords, &host).map_err(|no| no.reason);
    assert_eq!(ask((None, None)), Ok(()));
    assert_eq!(ask((Some("web app"), None)), Ok(()), "the same again");
    assert_eq!(ask((Some(""), None)), Ok(()), "sent without a value");
    for other in ["app", "web+app"] {
        assert_eq!(ask((Some(other), None)), Err(Reason::ClientNamedTwice), "{other:?}");
    }
    assert_eq!(ask((Some("web app"), Some("secret"))), Err(Reason::ClientNamedTwice));
}

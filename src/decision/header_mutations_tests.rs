use super::{Credentials, HeaderMutation, header_mutations};
use crate::credential::CredentialLocation;
use crate::identity::Identity;
use crate::request::Request;

#[test]
fn credentials_that_share_a_header_are_removed_together() {
    let (first, second) = ([CredentialLocation::Query("a".into())], [CredentialLocation::Query("b".into())]);
    let headers = [(&b":path"[..], &b"/?a=1&c=3&b=2"[..])];
    let credentials =
        [&first, &second].map(|locations| Credentials { locations, dpop: None, forward: false });
    let mutations = header_mutations(&Request::new(&headers), credentials.into_iter(), None, |_| false);
    assert_eq!(mutations.list.as_slice(), [HeaderMutation::Set(":path".into(), b"/?c=3"[..].into())]);
}

#[test]
fn reserved_headers_are_removed_or_replaced_never_both() {
    let mut identity = Identity::default();
    identity.set(&"x-a".into(), b"1");
    identity.set(&"x-a".into(), b"2");
    let headers = [(&b"x-a"[..], &b"forged"[..]), (b"x-b", b"forged"), (b"x-b", b"again"), (b"other", b"")];
    let is_reserved = |name: &[u8]| name.starts_with(b"x-");
    let mutations =
        header_mutations(&Request::new(&headers), std::iter::empty(), Some(&identity), is_reserved);
    assert_eq!(mutations.list.as_slice(), [HeaderMutation::Remove(b"x-b"[..].into())]);
    assert!(mutations.spoofs_identity);
    assert_eq!(identity.headers, [HeaderMutation::Set("x-a".into(), b"1"[..].into())]);
}

#[test]
fn connection_names_no_header_that_the_next_hop_would_take_away() {
    for (values, rest) in [
        (&["Upgrade"][..], None),
        (&["keep-alive, Upgrade, HTTP2-Settings, TE, close,,"], None),
        (&["Upgrade, x-auth-subject"], Some("Upgrade")),
        (&["X-AUTH-SUBJECT,upgrade"], Some("upgrade")),
        (&["Upgrade,\tx_auth_subject ,x-auth-scopes"], Some("Upgrade")),
        (&["Upgrade, a x-auth-subject"], Some("Upgrade")),
        (&["Upgrade", "x-auth-subject"], Some("Upgrade")),
        (&["x-auth-subject", "Upgrade", "authorization"], Some("Upgrade")),
        (&["Upgrade, \"x-auth-subject\""], Some("Upgrade")),
        (&["x-forwarded-for"], Some("")),
    ] {
        let headers: Vec<_> = values.iter().map(|value| (&b"connection"[..], value.as_bytes())).collect();
        let mutations = header_mutations(&Request::new(&headers), std::iter::empty(), None, |_| false);
        let expected = rest.map(|rest| match rest {
            "" => HeaderMutation::Remove(b"connection"[..].into()),
            rest => HeaderMutation::Set("connection".into(), rest.as_bytes().into()),
        });
        assert_eq!(mutations.list.as_slice(), expected.as_slice(), "{values:?}");
    }
}

use super::{AllowedCertificate, AllowedCertificates, CertificatePattern};
use crate::host::PeerCertificate;

fn certificate(is_validated: bool) -> PeerCertificate {
    PeerCertificate {
        sha256: [7; 32],
        is_validated,
        uri: Some("spiffe://example.org/ns/prod/sa/billing".into()),
        dns: Some("billing.Example.org".into()),
        subject: Some("CN=billing,O=Example".into()),
    }
}

fn found(pattern: CertificatePattern, is_validated: bool) -> Option<String> {
    let allowed = AllowedCertificate { pattern, id: None, scopes: Vec::new() };
    AllowedCertificates::new(vec![allowed]).find(&certificate(is_validated)).map(|(_, id)| id)
}

#[test]
fn a_star_is_one_segment_or_the_first_label() {
    let uri = |text: &str| CertificatePattern::Uri(text.into());
    let dns = |text: &str| CertificatePattern::Dns(text.into());
    let subject = |text: &str| CertificatePattern::Subject(text.into());
    for (pattern, is_found) in [
        (uri("spiffe://example.org/ns/prod/sa/billing"), true),
        (uri("spiffe://example.org/ns/prod/sa/*"), true),
        (uri("spiffe://example.org/ns/*/sa/*"), true),
        (uri("spiffe://example.org/ns/*"), false),
        (uri("spiffe://example.org/ns/prod/sa/billing/*"), false),
        (uri("spiffe://example.org/ns/prod/sa/bill*"), false),
        (uri("spiffe://example.org/ns/prod/sa"), false),
        (uri("spiffe://other.org/ns/prod/sa/billing"), false),
        (dns("billing.example.org"), true),
        (dns("*.example.org"), true),
        (dns("*.org"), false),
        (dns("example.org"), false),
        (subject("CN=billing,O=Example"), true),
        (subject("CN=billing"), false),
        (CertificatePattern::Sha256([7; 32]), true),
        (CertificatePattern::Sha256([8; 32]), false),
    ] {
        assert_eq!(found(pattern.clone(), true).is_some(), is_found, "{pattern:?}");
    }
}

#[test]
fn a_certificate_that_is_not_validated_is_known_by_its_digest_alone() {
    assert_eq!(found(CertificatePattern::Uri("spiffe://example.org/ns/prod/sa/billing".into()), false), None);
    assert_eq!(found(CertificatePattern::Dns("billing.example.org".into()), false), None);
    assert_eq!(found(CertificatePattern::Subject("CN=billing,O=Example".into()), false), None);
    assert_eq!(found(CertificatePattern::Sha256([7; 32]), false), Some("07".repeat(32)));
}

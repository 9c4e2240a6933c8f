//! The README's demonstration, run as a new user would: its commands, its output, word for word.

use lychgate_tests::book::try_out_all;
use lychgate_tests::demonstration::Demonstration;
use lychgate_tests::issuer::Issuer;

#[test]
fn the_demonstration_gives_what_the_readme_says() {
    try_out_all("README.md", &Demonstration::start());
}

#[test]
fn the_oidc_example_gives_what_its_readme_says() {
    let Some(issuer) = Issuer::start() else { return };
    let environment = [("GATE_SECRET", "gate secret & more")];
    let port = Some(issuer.addr().port());
    try_out_all(
        "examples/oidc/README.md",
        &Demonstration::of("examples/oidc/envoy.yaml", &environment, port),
    );
}

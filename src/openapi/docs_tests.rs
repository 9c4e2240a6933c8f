use super::{asset, initializer, page};
use crate::config::openapi::DOCS_FILES;
use crate::config::openapi::DocsOAuth;

fn text(body: &[u8]) -> String {
    String::from_utf8(body.to_vec()).unwrap()
}

#[test]
fn every_file_that_the_page_names_is_there() {
    let html = text(&page("/docs", "My API").body);
    for part in html.split(['"']).filter_map(|part| part.strip_prefix("/docs/")) {
        let name = part.split('?').next().unwrap();
        assert!(name == "initializer.js" || asset(name).is_some(), "{name}");
    }
    assert!(asset("swagger-ui-bundle.js").unwrap().body.starts_with(&[0x1F, 0x8B]), "gzip");
    for name in ["", "swagger-ui-bundle.js.map", "../openapi.json", "index.html"] {
        assert!(asset(name).is_none(), "{name}");
    }
}

#[test]
fn every_file_that_is_served_is_known_by_name() {
    let named = DOCS_FILES.iter().filter(|name| asset(name).is_some()).count();
    assert_eq!(named, DOCS_FILES.len() - 1, "all but the initializer, which is made");
    let source = include_str!("docs.rs");
    let made = source.matches("\" => (").count();
    assert_eq!(made, named, "each file that `asset` knows is in `DOCS_FILES`");
}

#[test]
fn a_title_is_text_and_no_markup() {
    let html = text(&page("/docs", "</title><script>alert(1)</script>").body);
    assert!(!html.contains("<script>alert"), "{html}");
    assert!(html.contains("&lt;script&gt;alert(1)"), "{html}");
}

#[test]
fn the_page_runs_no_inline_script_and_asks_nobody_else() {
    let page = page("/docs", "x");
    let html = text(&page.body);
    assert!(!html.contains("://"), "{html}");
    assert!(page.csp.unwrap().contains("script-src 'self';"));
    let script = text(&initializer("/api/docs", "/api/openapi.json", None).body);
    assert!(script.contains("url: \"/api/openapi.json\""), "{script}");
    assert!(script.contains("\"/api/docs/oauth2-redirect.html\""), "{script}");
    assert!(script.contains("validatorUrl: null"), "{script}");
}

#[test]
fn the_page_knows_what_a_login_by_oauth_begins_with() {
    let oauth = DocsOAuth { client_id: "docs\"".into(), scopes: vec!["items:read".into()], pkce: true };
    let script = text(&initializer("/docs", "/openapi.json", Some(&oauth)).body);
    let settings =
        r#"{"clientId":"docs\"","scopes":["items:read"],"usePkceWithAuthorizationCodeGrant":true}"#;
    assert!(script.ends_with(&format!("ui.initOAuth({settings});\n")), "{script}");
}

//! A real Chromium before the repository's own envoy.yaml: the interactive documentation, and WebSockets.

use std::path::PathBuf;
use std::process::Command;

use lychgate_tests::demonstration::{Change, Demonstration, changed};
use lychgate_tests::envoy::root;
use lychgate_tests::programs::find_or_install;
use lychgate_tests::python::python;
use lychgate_tests::tokens::Token;

#[test]
fn a_person_logs_in_tries_an_operation_and_logs_out() {
    let Some(chromium) = find_or_install("chromium", "chromium") else { return };
    let Some(python) = python("tests/browser/requirements.txt") else { return };
    let demonstration = Demonstration::start();
    let screenshot: PathBuf = root().join("target/docs-browser.png");
    let output = Command::new(python)
        .arg(root().join("tests/browser/docs.py"))
        .arg(format!("http://{}", demonstration.gate()))
        .arg(chromium)
        .arg(&screenshot)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    println!("{text}the screenshot is target/docs-browser.png");
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    assert!(screenshot.exists());
}

/// `openapi.docs_oauth` was looked at in a script alone, and no lock by a browser.
#[test]
fn the_page_has_locks_and_begins_a_login_as_configured() {
    let Some(chromium) = find_or_install("chromium", "chromium") else { return };
    let Some(python) = python("tests/browser/requirements.txt") else { return };
    let policy = format!(
        "schemes:\n  oauth2:\n    type: oauth2\n    flows:\n      authorizationCode:\n        authorizationUrl: \
         https://idp.example/authorize\n        tokenUrl: https://idp.example/token\n        scopes: {{'items:read': Read, \
         'items:write': Write}}\n    jwt: {{keys: [{{alg: HS256, secret: \"{}\"}}]}}\nrules:\n- match: {{path: /health, \
         methods: [GET]}}\n  security: []\n- match: {{path: /items, methods: [GET]}}\n  security: [{{oauth2: \
         ['items:read']}}]\nopenapi:\n  docs: /docs\n  title: Locks\n  docs_oauth: {{client_id: page, scopes: \
         ['items:read'], pkce: true}}\n",
        lychgate_tests::keys::SECRET
    );
    let demonstration = Demonstration::with(&Change::Configuration(&policy));
    let output = Command::new(python)
        .arg(root().join("tests/browser/docs_oauth.py"))
        .arg(format!("http://{}", demonstration.gate()))
        .arg(chromium)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
}

/// A page can write no header but the list of subprotocols.
#[test]
fn a_page_opens_a_web_socket_with_its_token() {
    let Some(chromium) = find_or_install("chromium", "chromium") else { return };
    let Some(python) = python("tests/browser/requirements.txt") else { return };
    let upstream =
        std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port().to_string();
    let policy = format!(
        "schemes:\n  token:\n    type: http\n    scheme: bearer\n    from: [{{header: Authorization}}, {{subprotocol: \
         bearer}}]\n    jwt: {{keys: [{{alg: HS256, secret: \"{}\"}}]}}\nrules:\n- match: {{path: /health}}\n  security: \
         []\nsecurity: [{{token: []}}]\n",
        lychgate_tests::keys::SECRET
    );
    let demonstration = Demonstration::rewritten(|_| {
        let route = "              - match: {prefix: /}\n                route: {cluster: upstream}\n";
        let sockets = format!(
            "              - match: {{path: /socket}}\n                route: {{cluster: sockets, upgrade_configs: \
             [{{upgrade_type: websocket}}]}}\n{route}"
        );
        let cluster = format!(
            "  clusters:\n  - name: sockets\n    load_assignment:\n      cluster_name: sockets\n      endpoints: \
             [{{lb_endpoints: [{{endpoint: {{address: {{socket_address: {{address: 127.0.0.1, port_value: {upstream}}}}}}}}}]}}]\n"
        );
        let text = changed(&Change::Configuration(&policy));
        assert!(text.contains(route) && text.contains("  clusters:\n"));
        text.replacen(route, &sockets, 1).replacen("  clusters:\n", &cluster, 1)
    });
    let output = Command::new(python)
        .arg(root().join("tests/browser/web_socket.py"))
        .arg(format!("http://{}", demonstration.gate()))
        .arg(chromium)
        .args([&upstream, &Token::new().sign("HS256")])
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
}

//! One key for two kinds of tokens.

use base64::Engine as _;

use super::{SECRET, check};

#[test]
fn one_key_for_two_kinds_of_tokens_is_a_warning() {
    let bearer =
        |name: &str, jwt: &str| format!("  {name}: {{type: http, scheme: bearer, jwt: {{{jwt}}}}}\n");
    let by_env = "keys: [{alg: HS256, secret: {env: LYCHGATE_SECRET}}]";
    let by_uri = "issuer: https://idp, remote_jwks: {uri: 'https://idp/keys', cluster: idp}";
    let jwk = |kid: &str| {
        format!(
            "keys: [{{alg: EdDSA, jwk: {{kty: OKP, crv: Ed25519, x: 11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo, kid: {kid}}}}}]"
        )
    };
    let (one, other) = ("audiences: [a]", "audiences: [b]");
    for (first, second, is_told) in [
        (format!("{by_env}, {one}"), format!("{by_env}, audiences: [b, a]"), true),
        (format!("{by_env}, {one}"), format!("{by_env}, {other}"), false),
        (
            format!("{by_env}, {one}, issuer: this"),
            format!("{by_env}, audiences: [b, a], issuer: that"),
            false,
        ),
        (format!("{by_uri}, {one}"), format!("{by_uri}, audiences: [a, c]"), true),
        (format!("{by_uri}, {one}"), format!("{by_uri}, {other}"), false),
        (format!("{}, {one}", jwk("k")), format!("{}, audiences: [a, c]", jwk("l")), true),
        (
            format!("{by_env}, {one}"),
            format!(
                "keys: [{{alg: HS256, secret: {{base64: {}}}}}], audiences: [a, c]",
                base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(SECRET.1)
            ),
            true,
        ),
        // The same token at two places of a request.
        (format!("{by_env}, {one}"), format!("{by_env}, {one}, from: [{{cookie: session}}]"), false),
    ] {
        let text = format!("schemes:\n{}{}", bearer("one", &first), bearer("two", &second));
        let (code, said) = check(&["--strict"], &text);
        let wanted = "-:3: warning: schemes.two.jwt: has a key in common with schemes.one.jwt (line 2)";
        assert_eq!(said.contains(wanted), is_told, "{text}{said}");
        assert_eq!(code, Some(i32::from(is_told)), "{text}{said}");
        // A variable that is not known here is itself, and no other one.
        let unknown = text.replace("LYCHGATE_SECRET", "NOT_SET_ANYWHERE");
        let is_told = is_told && !unknown.contains("base64");
        assert_eq!(check(&["--strict", "--assume-env"], &unknown).1.contains(wanted), is_told, "{unknown}");
    }
    let two = format!(
        "schemes:\n{}{}",
        bearer("one", by_env),
        bearer("two", &by_env.replace("LYCHGATE_SECRET", "OTHER"))
    );
    assert!(
        !check(&["--strict", "--assume-env"], &two).1.contains("in common"),
        "two variables are two keys"
    );
}

#[test]
fn one_key_for_two_plugins_of_a_file_is_a_warning() {
    let plugin = |name: &str, audiences: &str| {
        format!(
            "kind: WasmPlugin\nmetadata: {{name: {name}}}\nspec:\n  failStrategy: FAIL_RELOAD\n  sha256: '00'\n  pluginConfig:\n    schemes:\n      t: {{type: http, scheme: bearer, jwt: {{keys: [{{alg: HS256, secret: {{env: LYCHGATE_SECRET}}}}], {audiences}}}}}\n---\n"
        )
    };
    let both =
        |one: &str, other: &str| check(&["--strict"], &(plugin("inner", one) + &plugin("outer", other)));
    let (code, said) = both("audiences: [a]", "audiences: [a, b]");
    let wanted =
        "-:17: outer: warning: schemes.t.jwt: has a key in common with inner: schemes.t.jwt (line 8)";
    assert!(code == Some(1) && said.contains(wanted), "{said}");
    assert_eq!(both("audiences: [a]", "audiences: [b]").0, Some(0));
    // Two doors of one service.
    assert_eq!(both("audiences: [a]", "audiences: [a]").0, Some(0));
    let (_, said) = both("leeway_seconds: 60", "leeway_seconds: 60");
    assert!(said.contains("outer: warning: schemes.t.jwt: has a key in common"), "{said}");
}

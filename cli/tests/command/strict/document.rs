//! What a document leaves between its operations and paths that are nearly theirs.

use super::check;

fn policy(paths: &str, more: &str) -> String {
    format!(
        "openapi:\n{more}  document:\n    openapi: 3.1.0\n    info: {{title: x, version: '1'}}\n    paths:\n{paths}    components: \
         {{securitySchemes: {{key: {{type: apiKey, in: header, name: X-API-Key}}}}}}\nschemes: {{key: {{api_keys: \
         partners}}}}\napi_keys: {{partners: []}}\nsecurity: [{{key: []}}]\n"
    )
}

/// `/admin/` needed what the default needs, any key, and the application took it for `/admin`.
#[test]
fn a_key_without_the_scope_opened_an_operation_by_a_slash_more() {
    let paths = "      /admin: {get: {security: [{key: [admin]}], responses: {}}}\n      /own: {get: {security: [{key: []}], \
                 responses: {}}}\n";
    let (code, said) = check(&["--strict"], &policy(paths, ""));
    assert_eq!(code, Some(1), "{said}");
    assert!(
        said.contains("openapi.neighbours: ") && said.contains(": /admin/ beside GET /admin; "),
        "{said}"
    );
    let (code, said) = check(&["--strict"], &policy(paths, "  neighbours: same\n"));
    assert_eq!(code, Some(0), "{said}");
    // What is written by hand closes it too.
    let closed = policy(paths, "")
        + "rules:\n- match: {prefix: /admin/}\n  security: denied\n- match: {prefix: /ADMIN}\n  security: denied\n";
    let (code, said) = check(&["--strict"], &closed);
    assert_eq!(code, Some(0), "{said}");
}

/// Two templates were for one path, and the one that needs less got the request, without a word.
#[test]
fn a_path_of_two_operations_is_told_where_it_needs_less_than_one_of_them() {
    let paths = |of_b: &str| {
        format!(
            "      '/x/{{a}}/secret': {{get: {{security: [{{key: [admin]}}], responses: {{}}}}}}\n      '/x/b/{{c}}': {{get: \
             {{security: {of_b}, responses: {{}}}}}}\n"
        )
    };
    let with = |of_b: &str| check(&["--strict"], &policy(&paths(of_b), "  neighbours: same\n"));
    for less in ["[]", "[{key: []}]", "[{key: [admin]}, {key: [other]}]"] {
        let (code, said) = with(less);
        assert_eq!(code, Some(1), "{less}: {said}");
        let wanted = "openapi.document.paths[\"/x/{a}/secret\"].get: /x/b/secret is also a path of /x/b/{c}, which needs less";
        assert!(said.contains(wanted), "{less}: {said}");
    }
    for enough in ["[{key: [admin]}]", "[{key: [admin, other]}]"] {
        let (code, said) = with(enough);
        assert!(!said.contains("is also a path of /x/b/{c}"), "{enough}: {code:?} {said}");
    }
}

/// A secured OPTIONS was had without a credential, by the two headers of a preflight.
#[test]
fn a_secured_options_that_a_preflight_passes_is_told() {
    let paths = "      /o: {options: {security: [{key: []}], responses: {}}}\n";
    let (code, said) = check(&["--strict"], &policy(paths, ""));
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("cors_preflight: `OPTIONS /o` needs a credential for OPTIONS"), "{said}");
    let (code, said) = check(&["--strict"], &(policy(paths, "") + "cors_preflight: check\n"));
    assert_eq!(code, Some(0), "{said}");
    let by_hand = "rules:\n- match: {path: /o, methods: [OPTIONS]}\n  security: [{key: []}]\n";
    let (code, said) = check(
        &["--strict"],
        &(policy("      /x: {get: {security: [{key: []}], responses: {}}}\n", "") + by_hand),
    );
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("`OPTIONS /o` needs a credential"), "{said}");
}

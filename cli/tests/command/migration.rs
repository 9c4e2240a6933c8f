//! Moving in: what other gateways are configured with becomes a configuration of Lychgate, and both let in the same requests.

use super::{lychgate, stderr, stdout};
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// A configuration of another gateway, as its first line describes it.
struct Before {
    path: PathBuf,
    name: String,
    /// What cannot be carried over, as it is named; `None`: it is carried over whole.
    lost: Option<String>,
    /// What is otherwise, as it is named.
    differs: Option<String>,
}

/// Every configuration of `tests/migration`.
fn before() -> Vec<Before> {
    let folder = root().join("tests/migration");
    let mut paths: Vec<PathBuf> =
        fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("readable").path()).collect();
    paths.sort();
    let read = |path: PathBuf| {
        let text = fs::read_to_string(&path).expect("readable");
        let said = text.lines().next().and_then(|line| line.strip_prefix("# ")).expect("a first line");
        let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
        let lost = said.strip_prefix("in part: ").map(str::to_owned);
        let differs = said.strip_prefix("whole, but ").map(str::to_owned);
        assert!(lost.is_some() || differs.is_some() || said == "whole", "{name}: {said}");
        Before { path, name, lost, differs }
    };
    paths.into_iter().map(read).collect()
}

/// What it became, in a file.
fn imported(before: &Before, folder: &Path) -> PathBuf {
    let output = lychgate(&["import", &before.path.to_string_lossy()], "", &[]);
    let (name, notes) = (&before.name, stderr(&output));
    match &before.lost {
        None => {
            assert_eq!(output.status.code(), Some(0), "{name}: {notes}");
            assert!(
                before.differs.as_ref().is_none_or(|said| notes.contains(said.as_str())),
                "{name}: {notes}"
            );
        }
        Some(lost) => {
            assert_eq!(output.status.code(), Some(1), "{name}: {notes}");
            // With its line, on standard error and in the file.
            let line = notes.lines().find(|line| line.contains(lost.as_str()));
            let line = line.unwrap_or_else(|| panic!("{name}: {notes} does not say {lost}"));
            let number = line.split(':').nth(1).and_then(|number| number.parse::<usize>().ok());
            assert!(number.is_some_and(|number| number > 1), "{name}: {line}");
            assert!(stdout(&output).contains(&format!("# {line}\n")), "{name}: {line}");
        }
    }
    let after = folder.join(format!("{name}.yaml"));
    fs::write(&after, output.stdout).expect("writable");
    after
}

/// What `compare` counted for one pair.
#[derive(Debug)]
struct Counted {
    requests: usize,
    both: usize,
    only_after: usize,
    differences: Vec<String>,
}

fn counted(line: &str) -> Option<Counted> {
    let (_, counts) = line.split_once(".yaml: ")?;
    let number = |before: &str| counts.split_once(before)?.0.rsplit(' ').next()?.parse().ok();
    Some(Counted {
        requests: number(" requests: ")?,
        both: number(" let in by both")?,
        only_after: number(" by the second alone")?,
        differences: Vec::new(),
    })
}

#[test]
fn no_request_that_the_old_policy_refused_passes_the_new_one() {
    let folder = std::env::temp_dir().join(format!("lychgate-migration-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("writable");
    let all = before();
    let mut arguments = vec!["compare".to_owned(), "--requests".into(), "300".into()];
    for own in &all {
        let after = imported(own, &folder);
        let pair =
            ["--before", &own.path.to_string_lossy(), "--after", &after.to_string_lossy()].map(str::to_owned);
        arguments.extend(pair);
    }
    let output = lychgate(&arguments.iter().map(String::as_str).collect::<Vec<_>>(), "", &[]);
    let report = stdout(&output);
    assert_eq!(output.status.code(), Some(1), "{report}{}", stderr(&output));
    let mut counts: Vec<Counted> = Vec::new();
    for line in report.lines() {
        match (counted(line), counts.last_mut()) {
            (Some(own), _) => counts.push(own),
            // Two tokens at once are tried one after the other there, and refused here; and so are two lines of a header.
            (None, Some(_)) if line.contains("by the first alone") && line.contains(" and a token") => {}
            (None, Some(_)) if line.contains(" and another") && line.contains(": 400 now (") => {}
            (None, Some(own)) => own.differences.push(line.to_owned()),
            (None, None) => {}
        }
    }
    assert_eq!(counts.len(), all.len(), "{report}");
    for (own, counted) in all.iter().zip(&counts) {
        if own.differs.is_some() {
            // Such a claim is of the issuer all the same; and one of the two tokens is enough by itself.
            let is_of_several = own.differs.as_ref().is_some_and(|said| said.contains("several providers"));
            let is_told = |line: &String| match is_of_several {
                true => line.contains(" and a token with the rest of "),
                false => line.contains(": a token with ") || line.contains(", a token with "),
            };
            assert!(counted.differences.iter().all(is_told), "{}: {counted:?}", own.name);
        } else {
            assert_eq!(counted.only_after, 0, "{}: {report}", own.name);
            // What is carried over whole lets in what was let in.
            assert!(own.lost.is_some() || counted.differences.is_empty(), "{}: {counted:?}", own.name);
        }
        let lets_nothing_in = own.lost.is_some() || own.name == "istio-allow-nothing";
        assert!(counted.both > 0 || lets_nothing_in, "{}: {counted:?}", own.name);
    }
    let requests: usize = counts.iter().map(|counted| counted.requests).sum();
    println!("migration: {} configurations, {requests} requests", counts.len());
    assert!(counts.len() >= 60 && requests >= 5_000, "{} and {requests}", counts.len());
    let _ = fs::remove_dir_all(folder);
}

/// Key sets that could not be read were left out, and one of them without a word.
#[test]
fn a_key_set_that_cannot_be_read_is_denied_and_said() {
    for (source, says) in [
        ("{inline_bytes: /////w==}", "`inline_bytes` is no text in base64"),
        ("{inline_bytes: AAECAw==}", "the key set is no JSON"),
        ("{environment_variable: JWKS}", "this source of keys is not carried over"),
        ("{filename: /no/such/jwks.json}", "/no/such/jwks.json is not there"),
    ] {
        let filter = format!(
            "name: envoy.filters.http.jwt_authn\ntyped_config:\n  \"@type\": \
             type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication\n  providers:\n    idp:\n      \
             issuer: https://idp.example\n      local_jwks: {source}\n  rules:\n  - match: {{prefix: /}}\n    requires: \
             {{provider_name: idp}}\n"
        );
        let output = lychgate(&["import", "-"], &filter, &[]);
        assert_eq!(output.status.code(), Some(1), "{source}: {output:?}");
        assert!(stderr(&output).contains(&format!("-:7: {says}")), "{source}: {}", stderr(&output));
        assert!(stdout(&output).contains("security: denied"), "{source}: {}", stdout(&output));
        assert!(!stdout(&output).contains("security: []"), "{source}: {}", stdout(&output));
    }
}

/// `{seconds: 300}`, as Envoy's own examples have it, was no duration, and the keys were fetched half as often.
#[test]
fn durations_are_carried_over_as_text_and_by_their_fields() {
    for written in ["{seconds: 300}", "300s", "300.000s"] {
        let filter = format!(
            "name: envoy.filters.http.jwt_authn\ntyped_config:\n  \"@type\": \
             type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication\n  providers:\n    idp:\n      \
             issuer: https://idp.example\n      remote_jwks: {{http_uri: {{uri: https://idp.example/k, cluster: idp, timeout: \
             {{seconds: 7}}}}, cache_duration: {written}}}\n  rules: [{{match: {{prefix: /}}, requires: {{provider_name: idp}}}}]\n"
        );
        let output = lychgate(&["import", "-"], &filter, &[]);
        let text = stdout(&output);
        assert!(
            text.contains("refresh_seconds: 300\n") && text.contains("timeout_seconds: 7\n"),
            "{written}: {text}"
        );
    }
}

/// Tokens for `https://api.example` were refused, because the old filter was configured with a slash at the end.
#[test]
fn an_audience_that_is_a_url_is_taken_with_a_slash_and_without() {
    let policy = "kind: RequestAuthentication\nmetadata: {name: tokens, namespace: shop}\nspec:\n  jwtRules: [{issuer: \
                  https://idp.example, jwksUri: https://idp.example/k, audiences: [https://api.example/, shop]}]\n";
    let output = lychgate(&["import", "-"], policy, &[]);
    let text = stdout(&output);
    assert!(text.contains("- https://api.example/\n") && text.contains("- https://api.example\n"), "{text}");
    assert!(text.contains("- shop\n") && !text.contains("- shop/\n"), "{text}");
    assert!(stderr(&output).contains("audiences are compared as they are written"), "{}", stderr(&output));
}

/// What a route set for a filter that is gone, or an option of another version, would keep Envoy from starting.
#[test]
fn envoy_takes_the_file_that_an_import_prints() {
    let folder = std::env::temp_dir().join(format!("lychgate-imported-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("writable");
    let whole = before().into_iter().filter(|own| {
        fs::read_to_string(&own.path).is_ok_and(|text| text.contains("static_resources:"))
            && own.lost.is_none()
    });
    let files: Vec<PathBuf> =
        whole.map(|own| own.path).chain([root().join("examples/migration/envoy.yaml")]).collect();
    assert!(files.len() >= 5, "{files:?}");
    for file in files {
        let output = lychgate(&["import", &file.to_string_lossy()], "", &[]);
        let new = folder.join("new.yaml");
        fs::write(&new, output.stdout).expect("writable");
        let taken = std::process::Command::new(root().join("scripts/envoy"))
            .args(["--mode", "validate", "-c"])
            .arg(&new)
            .current_dir(root())
            .output()
            .expect("scripts/envoy runs");
        assert!(taken.status.success(), "{}: {}", file.display(), stderr(&taken));
    }
    let _ = fs::remove_dir_all(folder);
}

/// Two plugins of one name in one namespace: the second took the place of the first, and the token was no longer needed.
#[test]
fn policies_for_all_proxies_and_for_some_become_two_plugins_that_both_hold() {
    let keys = fs::read_to_string(root().join("tests/keys/demo.json")).expect("a key set");
    let policies = |action: &str| {
        format!(
            "kind: RequestAuthentication\nmetadata: {{name: tokens, namespace: shop}}\nspec:\n  selector: {{matchLabels: {{app: \
             shop}}}}\n  jwtRules: [{{issuer: https://idp.example, jwks: '{}'}}]\n---\nkind: AuthorizationPolicy\nmetadata: \
             {{name: tokens, namespace: shop}}\nspec:\n  selector: {{matchLabels: {{app: shop}}}}\n  rules: [{{from: [{{source: \
             {{requestPrincipals: ['*']}}}}]}}]\n---\nkind: AuthorizationPolicy\nmetadata: {{name: all, namespace: \
             shop}}\nspec:\n  action: {action}\n  rules: [{{to: [{{operation: {{paths: [/admin*]}}}}]}}]\n",
            keys.trim()
        )
    };
    let denies = lychgate(&["import", "-"], &policies("DENY"), &[]);
    assert_eq!(denies.status.code(), Some(0), "{}", stderr(&denies));
    let text = stdout(&denies);
    let names: Vec<_> = text.lines().filter_map(|line| line.strip_prefix("  name: ")).collect();
    assert_eq!(names, ["lychgate", "lychgate-2"], "{text}");
    // What is enough alone for Istio is not, where two plugins hold.
    let allows = lychgate(&["import", "-"], &policies("ALLOW"), &[]);
    assert_eq!(allows.status.code(), Some(1));
    assert!(stderr(&allows).contains("requests need what both ask for"), "{}", stderr(&allows));
}

/// The keys of a Secret in another namespace were let in.
#[test]
fn a_secret_of_another_namespace_gives_no_keys() {
    let files = |namespace: &str| {
        format!(
            "kind: SecurityPolicy\nmetadata: {{name: p, namespace: shop}}\nspec:\n  apiKeyAuth:\n    credentialRefs: [{{name: \
             clients}}]\n    extractFrom: [{{headers: [X-API-Key]}}]\n---\nkind: Secret\nmetadata: {{name: clients, namespace: \
             {namespace}}}\nstringData: {{app: a-key}}\n"
        )
    };
    let near = lychgate(&["import", "-"], &files("shop"), &[]);
    assert!(near.status.success() && stdout(&near).contains("id: app"), "{near:?}");
    let other = lychgate(&["import", "-"], &files("other"), &[]);
    assert_eq!(other.status.code(), Some(1));
    assert!(stderr(&other).contains("the Secret \"clients\" is not among these files"), "{}", stderr(&other));
    assert!(!stdout(&other).contains("id: app"), "{}", stdout(&other));
}

/// A comparison that finds nothing may have looked at nothing: a policy that lets in more is found.
#[test]
fn a_policy_that_lets_in_more_is_found() {
    let folder = std::env::temp_dir().join(format!("lychgate-weaker-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("writable");
    for (name, from, to) in [
        ("jwt-health-is-public", "path: /health\n  security: []", "prefix: /health*\n  security: []"),
        ("rbac-scope", "- idp:\n  - items:read", "- idp: []"),
        ("istio-hosts", "        hosts:\n        - api.example.com\n", ""),
        ("api-key-header", "security:\n- api_key: []", "security: []"),
        ("rbac-client-networks", "10.0.0.0/8", "0.0.0.0/0"),
        ("jwt-audiences", "      audiences:\n      - shop\n      - admin\n", ""),
    ] {
        let before = before().into_iter().find(|own| own.name == name).expect("it is there");
        let after = imported(&before, &folder);
        let text_of = fs::read_to_string(&after).expect("readable");
        let changed = text_of.replace(from, to);
        assert_ne!(changed, text_of, "{name}: {text_of}");
        fs::write(&after, changed).expect("writable");
        let output = lychgate(
            &["compare", "--before", &before.path.to_string_lossy(), "--after", &after.to_string_lossy()],
            "",
            &[],
        );
        let report = stdout(&output);
        assert_eq!(output.status.code(), Some(1), "{name}: {report}{}", stderr(&output));
        assert!(report.contains("let in by the second alone: "), "{name}: {report}");
    }
    let _ = fs::remove_dir_all(folder);
}

/// docs/migration.md shows commands, and what they print.
#[test]
fn the_commands_of_the_page_print_what_it_shows() {
    let page = fs::read_to_string(root().join("docs/migration.md")).expect("the page");
    let folder = std::env::temp_dir().join(format!("lychgate-page-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("writable");
    let new = folder.join("new.yaml").to_string_lossy().into_owned();
    let binary = Path::new(env!("CARGO_BIN_EXE_lychgate")).parent().expect("a folder");
    let path = format!("{}:{}", binary.display(), std::env::var("PATH").unwrap_or_default());
    let mut tried = 0;
    for part in page.split("```sh\n").skip(1) {
        let (commands, rest) = part.split_once("```").expect("an end");
        let (_, shown) = rest.split_once("```text\n").expect("what it prints");
        let (shown, _) = shown.split_once("```").expect("an end");
        let commands = format!("exec 2>&1\n{}", commands.replace("new.yaml", &new));
        let output = std::process::Command::new("sh")
            .args(["-c", &commands])
            .env("PATH", &path)
            .current_dir(root())
            .output()
            .expect("a shell");
        assert_eq!(stdout(&output).replace(&new, "new.yaml"), shown, "{commands}");
        tried += 1;
    }
    assert!(tried >= 4, "{tried}");
    let _ = fs::remove_dir_all(folder);
}

use std::collections::BTreeMap;

use super::{OAuthError, Reason};

/// A response-code detail is a word in braces, and a stat's label has few signs: neither may be broken by a word.
#[test]
fn a_word_is_a_word() {
    for reason in Reason::ALL {
        let word = reason.as_str();
        assert!(!word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'), "{word}");
        assert_eq!(reason.to_string(), word);
    }
}

#[test]
fn a_word_with_several_answers_says_when_it_is_which() {
    let mut by_word: BTreeMap<&str, Vec<Reason>> = BTreeMap::new();
    for &reason in Reason::ALL {
        by_word.entry(reason.as_str()).or_default().push(reason);
    }
    for (word, reasons) in by_word {
        assert_eq!(Reason::of_word(word).collect::<Vec<_>>(), reasons);
        for (index, reason) in reasons.iter().enumerate() {
            assert_eq!(reason.when().is_some(), reasons.len() > 1, "{word}");
            let others = reasons.iter().skip(index).skip(1);
            let answer = |reason: &Reason| (reason.status(), reason.detail());
            assert!(others.clone().all(|other| answer(other) != answer(reason)), "{word}: one answer twice");
            assert!(others.clone().all(|other| other.when() != reason.when()), "{word}: one condition twice");
        }
    }
    assert_eq!(Reason::of_word("credential_bad").count(), 0);
}

/// RFC 6750 section 3.1, RFC 6749 section 5.2, RFC 9449 section 12.2 and RFC 9470 section 3 bind codes to statuses.
#[test]
fn an_error_code_has_the_status_that_its_rfc_binds_it_to() {
    for reason in Reason::ALL {
        let status = match reason.oauth_error() {
            None => continue,
            Some(OAuthError::Challenge("invalid_token" | "insufficient_user_authentication")) => 401,
            Some(OAuthError::Challenge("invalid_dpop_proof" | "use_dpop_nonce")) => 401,
            Some(OAuthError::Challenge("insufficient_scope")) => 403,
            Some(OAuthError::Body("invalid_client")) => 401,
            Some(OAuthError::Body("invalid_request" | "unsupported_grant_type" | "invalid_scope")) => 400,
            Some(other) => panic!("{reason}: {other:?} is in none of these RFCs"),
        };
        assert_eq!(reason.status(), status, "{reason:?}");
    }
}

#[test]
fn help_is_sentences() {
    for reason in Reason::ALL {
        for text in [reason.meaning(), reason.remedy()] {
            assert!(
                text.ends_with('.') && text.len() > 10 && !text.contains(['\n', '|']),
                "{reason}: {text}"
            );
        }
        assert!(reason.help().contains(reason.remedy()));
        assert!((400..600).contains(&reason.status()) && !reason.counted_for().is_empty(), "{reason}");
    }
}

/// The descriptions of the reasons.
const OWN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/reason");

fn sources(dir: &std::path::Path, found: &mut Vec<std::path::PathBuf>) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            sources(&path, found);
        } else if name.ends_with(".rs")
            && !name.ends_with("tests.rs")
            && !path.starts_with(OWN)
            && name != "reason.rs"
        {
            found.push(path);
        }
    }
}

#[test]
fn no_other_file_has_a_word_of_its_own() {
    let mut files = Vec::new();
    sources(std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src")), &mut files);
    assert!(files.len() > 100, "the sources are read");
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        for reason in Reason::ALL.iter().filter(|&&reason| reason != Reason::Other) {
            assert!(!text.contains(&format!("\"{reason}\"")), "{}: {reason}", file.display());
        }
    }
}

//! The reasons as a page for people: a chapter of the book, `docs/reasons.md`.

use std::fmt::Write as _;

use lychgate::reason::{OAuthError, Reason};

use super::{envoy, words};

const HEAD: &str = "# Reasons

<!-- Made by `lychgate explain --markdown`; a test holds it to that. Change src/reason/table.rs and make it anew. -->

A reason is the cause of a refusal as one word. The response-code details (`lychgate_denied{token_expired}`), the stat
`lychgate_denials_total`, the filter state and the log have it. The client gets the status and the detail, and not the
word. `lychgate explain token_expired` prints the same, and `lychgate explain -` reads lines of an access log.

";

const ENVOY: &str = "
## Envoy's own

An access log has entries of Envoy and of its other filters at the same place: [response flags](#response-flags) and
[response-code details](#response-code-details). With one of these the answer is not Lychgate's.

";

/// The page.
pub fn page() -> String {
    let mut text =
        format!("{HEAD}| reason | status | detail | what it means | what to do |\n|---|---|---|---|---|\n");
    for word in words() {
        let reasons: Vec<Reason> = Reason::of_word(word).collect();
        let Some(first) = reasons.first() else { continue };
        let answer = |reason: &Reason| match reason.when() {
            Some(when) => format!("{} if {when}", reason.status()),
            None => reason.status().to_string(),
        };
        let mut details: Vec<_> = reasons.iter().map(detail).collect();
        details.dedup();
        let statuses: Vec<_> = reasons.iter().map(answer).collect();
        let statuses = match details.as_slice() {
            [_] => statuses.join("; "),
            _ => {
                let mut statuses: Vec<_> = reasons.iter().map(|r| r.status().to_string()).collect();
                statuses.dedup();
                statuses.join(" or ")
            }
        };
        let details = match details.as_slice() {
            [detail] => detail.clone(),
            _ => reasons.iter().map(conditional).collect::<Vec<_>>().join("; "),
        };
        let (meaning, remedy) = (first.meaning(), first.remedy());
        let _ = writeln!(text, "| `{word}` | {statuses} | {details} | {meaning} | {remedy} |");
    }
    text.push_str(ENVOY);
    table("Response flags", "flag", envoy::FLAGS, &mut text);
    text.push('\n');
    table("Response-code details", "detail", envoy::DETAILS, &mut text);
    text
}

fn detail(reason: &Reason) -> String {
    match reason.oauth_error() {
        Some(OAuthError::Challenge(error)) => format!("`{}`, challenge with `{error}`", reason.detail()),
        Some(OAuthError::Body(error)) => format!("`{}`, `error` is `{error}`", reason.detail()),
        None => format!("`{}`", reason.detail()),
    }
}

fn conditional(reason: &Reason) -> String {
    let when = reason.when().map(|when| format!(" if {when}")).unwrap_or_default();
    format!("{}{when}", detail(reason))
}

fn table(title: &str, column: &str, entries: &[envoy::Entry], text: &mut String) {
    let _ = writeln!(
        text,
        "### {title}\n\n| {column} | status | what it means | what to do |\n|---|---|---|---|"
    );
    for envoy::Entry { name, status, meaning, remedy } in entries {
        let _ = writeln!(text, "| `{name}` | {status} | {meaning} | {remedy} |");
    }
}

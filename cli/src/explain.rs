//! `lychgate explain`: what a reason means and what to do, from its word or from a line of an access log.

mod envoy;
mod line;
mod markdown;

use std::fmt::Write as _;
use std::process::ExitCode;

use clap::Args;
use lychgate::reason::{OAuthError, Reason};

use envoy::Entry;
use line::Line;

/// What is to be explained.
#[derive(Args)]
#[command(after_help = "Examples:
  lychgate explain token_expired
  lychgate explain '{\"status\":401,\"details\":\"lychgate_denied{token_expired}\"}'
  kubectl logs deploy/gateway | lychgate explain -
  lychgate explain UH
  lychgate explain --list")]
pub struct Arguments {
    /// A reason; a line of an access log; a response flag or detail of Envoy; `-`: lines on standard input
    #[arg(required_unless_present_any = ["list", "markdown"], allow_hyphen_values = true)]
    what: Option<String>,
    /// Print every reason with its status
    #[arg(long, conflicts_with = "what")]
    list: bool,
    /// Print the table of reasons in Markdown
    #[arg(long, conflicts_with_all = ["what", "list"])]
    markdown: bool,
}

/// Prints the explanation.
///
/// # Errors
/// If there is no such reason, or if no line says anything.
pub fn run(arguments: &Arguments) -> Result<ExitCode, String> {
    let text = match arguments.what.as_deref() {
        None if arguments.markdown => markdown::page(),
        None => list(),
        Some("-") => lines(&crate::read_text("-")?)?,
        Some(what) => of(what.trim())?,
    };
    print!("{text}");
    Ok(ExitCode::SUCCESS)
}

/// The reasons, each word once, in the order of the table.
fn words() -> Vec<&'static str> {
    let mut words: Vec<_> = Reason::ALL.iter().map(|reason| reason.as_str()).collect();
    words.dedup();
    words
}

fn list() -> String {
    let mut text = String::new();
    for word in words() {
        let mut statuses: Vec<_> = Reason::of_word(word).map(|reason| reason.status().to_string()).collect();
        statuses.dedup();
        let _ = writeln!(text, "{word:<26} {}", statuses.join(" or "));
    }
    text
}

/// One word, or one line.
fn of(what: &str) -> Result<String, String> {
    if Reason::of_word(what).next().is_some() {
        return Ok(reason(what, None));
    }
    if let Some(entry) = envoy::flag(what).or_else(|| envoy::detail(what)) {
        return Ok(of_envoy(entry));
    }
    let is_word = what.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.'));
    if is_word {
        return Err(unknown(what));
    }
    explain(&Line::read(what)).map_err(|error| format!("{error}\n{}", needed()))
}

fn needed() -> &'static str {
    "give a reason, or a line with response-code details: `%RESPONSE_CODE_DETAILS%` in the format of the access log"
}

fn unknown(word: &str) -> String {
    let names = words().into_iter().chain(envoy::FLAGS.iter().chain(envoy::DETAILS).map(|entry| entry.name));
    let mut near: Vec<(f64, &str)> = names.map(|name| (strsim::jaro_winkler(word, name), name)).collect();
    near.retain(|(likeness, _)| *likeness > 0.75);
    near.sort_by(|(one, _), (other, _)| other.total_cmp(one));
    let near: Vec<_> = near.into_iter().take(3).map(|(_, name)| name).collect();
    match near.as_slice() {
        [] => format!("there is no reason {word:?}; `lychgate explain --list` has all"),
        near => format!("there is no reason {word:?}; near to it: {}", near.join(", ")),
    }
}

/// Each explanation once, with the number of lines it is for.
fn lines(text: &str) -> Result<String, String> {
    let mut found: Vec<(String, usize)> = Vec::new();
    let mut faults: Vec<String> = Vec::new();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        match of(line) {
            Ok(text) => match found.iter_mut().find(|(known, _)| *known == text) {
                Some((_, count)) => *count = count.saturating_add(1),
                None => found.push((text, 1)),
            },
            Err(fault) => faults.push(fault),
        }
    }
    if found.is_empty() {
        let fault = faults.into_iter().next();
        return Err(fault.unwrap_or_else(|| format!("no line on standard input\n{}", needed())));
    }
    found.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let is_one = found.len() == 1 && faults.is_empty();
    let mut all = String::new();
    for (index, (text, count)) in found.iter().enumerate() {
        if !is_one {
            let separator = if index == 0 { "" } else { "\n" };
            let _ = writeln!(all, "{separator}{}:", counted(*count));
        }
        all.push_str(text);
    }
    if !faults.is_empty() {
        let _ = writeln!(all, "\n{} without an answer that is known here", counted(faults.len()));
    }
    Ok(all)
}

fn counted(count: usize) -> String {
    if count == 1 { "1 line".into() } else { format!("{count} lines") }
}

fn explain(line: &Line) -> Result<String, String> {
    let mut text = String::new();
    if line.details.len() > 1 {
        text.push_str(
            "The line has several response-code details: a client may have written one of them into its path or \
             its User-Agent.\n",
        );
    }
    for details in &line.details {
        match (line::ours(details), envoy::detail(details)) {
            (Some((true, word)), _) if Reason::of_word(word).next().is_some() => {
                text.push_str(&reason(word, line.status));
            }
            (Some((true, word)), _) => return Err(unknown(word)),
            (Some((false, what)), _) => {
                let _ = writeln!(text, "lychgate_answered{{{what}}}\n  means:      {}", answered(what));
            }
            (None, Some(entry)) => text.push_str(&of_envoy(entry)),
            (None, None) => {}
        }
    }
    for entry in line.flags.iter().filter_map(|flag| envoy::flag(flag)) {
        text.push_str(&of_envoy(entry));
    }
    if let Some(word) = &line.reason {
        let is_ours = line.details.iter().any(|details| line::ours(details).is_some());
        if !is_ours {
            if !line.details.is_empty() {
                text.push_str("A dry run let the request in, and would have refused it:\n");
            }
            text.push_str(&reason(word, line.status.filter(|_| line.details.is_empty())));
        }
    }
    match (text.is_empty(), line.status) {
        (false, _) => Ok(text),
        (true, Some(status)) if status >= 400 => Ok(of_status(status)),
        (true, Some(status)) => Err(format!("the request was answered with {status} and not refused")),
        (true, None) => Err("the line has no status and no response-code details".into()),
    }
}

/// The meaning of the word in `lychgate_answered{...}`.
fn answered(what: &str) -> &'static str {
    match what {
        "token_issued" => "Lychgate issued a token.",
        "openapi" | "docs" => "Lychgate served its documentation.",
        _ => "Lychgate answered the request itself.",
    }
}

/// A line without details: what it can have been.
fn of_status(status: u16) -> String {
    let mut words: Vec<_> =
        Reason::ALL.iter().filter(|reason| reason.status() == status).map(|reason| reason.as_str()).collect();
    words.dedup();
    let ours = match words.as_slice() {
        [] => format!("Lychgate never answers with {status}.\n"),
        words => format!("Lychgate's reasons with this status: {}\n", words.join(", ")),
    };
    format!(
        "The line has the status {status}, and no field that says which component answered.\n{ours}\
         What to do: add %RESPONSE_CODE_DETAILS% to the format of the access log; Envoy's default format lacks it.\n"
    )
}

/// A reason, as far as a line with this status can be of it.
fn reason(word: &str, status: Option<u16>) -> String {
    let all: Vec<Reason> = Reason::of_word(word).collect();
    let matching: Vec<Reason> =
        all.iter().copied().filter(|reason| status.is_none_or(|status| reason.status() == status)).collect();
    let reasons = if matching.is_empty() { all } else { matching };
    let mut text = format!("{word}\n");
    for reason in &reasons {
        let when = reason.when().filter(|_| reasons.len() > 1).map(|when| format!(", if {when}"));
        let _ = writeln!(text, "  status:     {}{}", reason.status(), when.unwrap_or_default());
        let _ = writeln!(text, "  detail:     {}", reason.detail());
        match reason.oauth_error() {
            Some(OAuthError::Challenge(error)) => {
                let _ = writeln!(text, "  error:      {error}, in WWW-Authenticate");
            }
            Some(OAuthError::Body(error)) => {
                let _ = writeln!(text, "  error:      {error}, in the body");
            }
            None => {}
        }
        let _ = writeln!(text, "  gRPC:       {}", reason.grpc_status());
    }
    if let Some(reason) = reasons.first() {
        let _ = writeln!(text, "  means:      {}", reason.meaning());
        let _ = writeln!(text, "  what to do: {}", reason.remedy());
    }
    text
}

fn of_envoy(entry: &Entry) -> String {
    let Entry { name, status, meaning, remedy } = entry;
    format!(
        "{name} (Envoy's own, no reason of Lychgate)\n  status:     {status}\n  means:      {meaning}\n  \
         what to do: {remedy}\n"
    )
}

//! `lychgate hash-key`: the digest under which an API key is kept.

use std::process::ExitCode;

use sha2::{Digest as _, Sha256};

/// Reads a key from standard input and prints its digest.
///
/// # Errors
/// If there is no key.
pub fn run() -> Result<ExitCode, String> {
    let text = crate::read_text("-")?;
    // `echo` adds a line feed that nobody means.
    let key = text.trim_end_matches(['\r', '\n']);
    if key.is_empty() {
        return Err("no key on standard input".into());
    }
    let digest: String = Sha256::digest(key).iter().map(|byte| format!("{byte:02x}")).collect();
    println!("{digest}");
    Ok(ExitCode::SUCCESS)
}

//! `lychgate hash-key`: the digest under which an API key is kept, of a key that is given or made.

use std::process::ExitCode;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use clap::Args;
use sha2::{Digest as _, Sha256};

/// Which key.
#[derive(Args)]
#[command(after_help = "Examples:
  printf %s my-key | lychgate hash-key
  lychgate hash-key --generate --prefix partner_")]
pub struct Arguments {
    /// Make a key of 32 random bytes instead of reading one
    #[arg(long)]
    generate: bool,
    /// What the made key begins with, so that it is known when it is found somewhere
    #[arg(long, requires = "generate", default_value = "")]
    prefix: String,
}

/// Prints the digest; of a key that it makes, the key as well, this once.
///
/// # Errors
/// If there is no key, or no randomness.
pub fn run(arguments: &Arguments) -> Result<ExitCode, String> {
    if arguments.generate {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes).map_err(|error| format!("no randomness: {error}"))?;
        let key = format!("{}{}", arguments.prefix, BASE64_URL_SAFE_NO_PAD.encode(bytes));
        println!("# The key, for its owner. It is shown this once:\n#   {key}");
        println!("# For api_keys:\n- id: NAME\n  sha256: {}", digest(&key));
        return Ok(ExitCode::SUCCESS);
    }
    let text = crate::read_text("-")?;
    // `echo` adds a line feed that is not meant.
    let key = text.trim_end_matches(['\r', '\n']);
    if key.is_empty() {
        return Err("no key on standard input".into());
    }
    println!("{}", digest(key));
    Ok(ExitCode::SUCCESS)
}

fn digest(key: &str) -> String {
    Sha256::digest(key).iter().map(|byte| format!("{byte:02x}")).collect()
}

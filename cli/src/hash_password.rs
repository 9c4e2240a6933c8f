//! `lychgate hash-password`: the hash under which a password is kept.

use std::io::IsTerminal as _;
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use lychgate::password::PasswordHash;
use sha2::Sha256;

/// How it is hashed.
#[derive(Args)]
#[command(after_help = "The password is asked for without echo, or read from standard input. It is never an
argument: arguments are visible to all users of the machine.

Examples:
  lychgate hash-password
  lychgate hash-password --algorithm bcrypt < password.txt")]
pub struct Arguments {
    /// The algorithm
    #[arg(long, value_enum, default_value_t = Algorithm::Argon2id)]
    algorithm: Algorithm,
}

/// An algorithm, at the cost that a gateway's worker can bear.
#[derive(Clone, Copy, ValueEnum)]
enum Algorithm {
    /// 19 MiB of memory, two passes: about 40 ms of a worker's time
    Argon2id,
    /// Cost 10: about 75 ms
    Bcrypt,
    /// N = 2^14, r = 8, p = 1: about 75 ms
    Scrypt,
    /// 600,000 rounds: about 350 ms
    Pbkdf2Sha256,
}

/// Asks for the password and prints its hash.
///
/// # Errors
/// If there is no password, or it cannot be hashed.
pub fn run(arguments: &Arguments) -> Result<ExitCode, String> {
    let password = if std::io::stdin().is_terminal() {
        let ask = |prompt| rpassword::prompt_password(prompt).map_err(|error| error.to_string());
        let password = ask("Password: ")?;
        if ask("Again: ")? != password {
            return Err("the two are not the same".into());
        }
        password
    } else {
        let text = crate::read_text("-")?;
        text.trim_end_matches(['\r', '\n']).to_owned()
    };
    if password.is_empty() {
        return Err("no password given".into());
    }
    let mut salt = [0; 16];
    getrandom::fill(&mut salt).map_err(|error| format!("no randomness: {error}"))?;
    let hash = hash(arguments.algorithm, password.as_bytes(), salt)?;
    // What the plugin would not take must not be handed out.
    if !PasswordHash::parse(&hash)?.verifies(password.as_bytes()) {
        return Err("the hash does not verify".into());
    }
    println!("{hash}");
    Ok(ExitCode::SUCCESS)
}

fn hash(algorithm: Algorithm, password: &[u8], salt: [u8; 16]) -> Result<String, String> {
    let text = |error: &dyn std::fmt::Display| error.to_string();
    let mut output = [0; 32];
    let name = match algorithm {
        Algorithm::Bcrypt => {
            if password.len() > 72 {
                return Err("bcrypt reads 72 bytes and no more; take argon2id".into());
            }
            let hash = bcrypt::hash_with_salt(password, 10, salt).map_err(|error| text(&error))?;
            return Ok(hash.to_string());
        }
        Algorithm::Argon2id => {
            argon2::Argon2::default()
                .hash_password_into(password, &salt, &mut output)
                .map_err(|error| text(&error))?;
            "argon2id$v=19$m=19456,t=2,p=1"
        }
        Algorithm::Scrypt => {
            let params = scrypt::Params::new(14, 8, 1).map_err(|error| text(&error))?;
            scrypt::scrypt(password, &salt, &params, &mut output).map_err(|error| text(&error))?;
            "scrypt$ln=14,r=8,p=1"
        }
        Algorithm::Pbkdf2Sha256 => {
            pbkdf2::pbkdf2_hmac::<Sha256>(password, &salt, 600_000, &mut output);
            "pbkdf2-sha256$i=600000,l=32"
        }
    };
    let encode = |bytes: &[u8]| base64::Engine::encode(&base64::prelude::BASE64_STANDARD_NO_PAD, bytes);
    Ok(format!("${name}${}${}", encode(&salt), encode(&output)))
}

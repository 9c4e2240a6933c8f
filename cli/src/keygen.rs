//! `lychgate keygen`: a key to sign tokens with. The private key goes into a file, the public one is printed, ready
//! for a configuration.

mod file;
pub mod pair;

use std::process::ExitCode;

use clap::Args;
use lychgate::keys::Algorithm;
use serde_json::{Value, json};

use pair::{Form, Pair};

/// The environment variable of the entries that are printed.
const VARIABLE: &str = "LYCHGATE_SIGNING_KEY";

/// Which key.
#[derive(Args)]
#[command(after_help = "Examples:
  lychgate keygen --alg ES256
  lychgate keygen --alg RS256 --bits 4096 --kid 2026-11 --out signing.pem
  lychgate keygen --alg EdDSA --out - | kubectl create secret generic signing-key --from-file=key.pem=/dev/stdin")]
pub struct Arguments {
    /// The algorithm, such as ES256, EdDSA or HS256
    #[arg(long, value_name = "ALG")]
    alg: String,
    /// The name of the key; left out: its thumbprint (RFC 7638)
    #[arg(long)]
    kid: Option<String>,
    /// Bits of an RSA key; left out: 3072
    #[arg(long, value_parser = ["2048", "3072", "4096"])]
    bits: Option<String>,
    /// The file for the private key, made with mode 0600; `-`: standard output, and the rest on standard error.
    /// Left out: lychgate-key.pem, .secret or .jwk
    #[arg(long, value_name = "FILE")]
    out: Option<String>,
    /// Replace the file
    #[arg(long)]
    force: bool,
}

/// Makes the key, writes the private one, and prints what else there is.
///
/// # Errors
/// If there are no such keys, or the file cannot be written or is there already.
pub fn run(arguments: &Arguments) -> Result<ExitCode, String> {
    let algorithm = algorithm(&arguments.alg)?;
    let bits = match (&arguments.bits, algorithm.is_rsa()) {
        (None, _) => 3072,
        (Some(bits), true) => bits.parse().map_err(|_| format!("--bits {bits} is no number"))?,
        (Some(_), false) => return Err(format!("--bits is for RSA; {} has one size", algorithm.name())),
    };
    if arguments.kid.as_ref().is_some_and(String::is_empty) {
        return Err("--kid is empty; leave it out to have the thumbprint".into());
    }
    let pair = Pair::generate(algorithm, bits, arguments.kid.as_deref())?;
    let out = arguments.out.as_deref().unwrap_or_else(|| pair.form.file());
    let text = text(algorithm, &pair, out)?;
    if out == "-" {
        print!("{}", pair.private);
        eprint!("{text}");
    } else {
        file::write(out, &pair.private, arguments.force)?;
        print!("{text}");
    }
    Ok(ExitCode::SUCCESS)
}

fn algorithm(name: &str) -> Result<Algorithm, String> {
    let named = Algorithm::ALL.iter().find(|algorithm| algorithm.name().eq_ignore_ascii_case(name));
    named.copied().ok_or_else(|| {
        let all: Vec<_> = Algorithm::ALL.iter().map(|algorithm| algorithm.name()).collect();
        format!("--alg {name:?} is not one of {}", all.join(", "))
    })
}

/// What is printed: lines of JSON and YAML, and comments.
fn text(algorithm: Algorithm, pair: &Pair, out: &str) -> Result<String, String> {
    let place = if out == "-" { "on standard output".into() } else { format!("in {out}") };
    let alg = algorithm.name();
    let name = Value::from(pair.kid.as_str());
    let Some(jwk) = &pair.public else {
        return Ok(format!(
            "# The secret is {place}: {} characters, which are its bytes as they are. Keep it secret: with it tokens can be made.\n\
             \n# For a verifier and an issuer, with the secret in the environment variable {VARIABLE}:\n\
             keys:\n- alg: {alg}\n  kid: {name}\n  secret: {{env: {VARIABLE}}}\n",
            pair.private.len()
        ));
    };
    let mut jwk = jwk.clone();
    let members = jwk.as_object_mut().ok_or("the public key is no JWK")?;
    for (member, value) in [("kid", name.clone()), ("alg", json!(alg)), ("use", json!("sig"))] {
        members.insert(member.into(), value);
    }
    let issuer = match pair.form {
        Form::Pem | Form::Secret => format!(
            "# For an issuer (a scheme with `issue`), with the private key in the environment variable {VARIABLE}:\n\
             keys:\n- alg: {alg}\n  kid: {name}\n  pem: {{env: {VARIABLE}}}\n"
        ),
        Form::Jwk => format!("# Lychgate verifies tokens of {alg} and does not issue them.\n"),
    };
    Ok(format!(
        "# The private key is {place}. Keep it secret: with it tokens can be made.\n\
         \n# The public key, a JWK for a key set:\n{jwk}\n\
         \n# For a verifier:\nkeys:\n- alg: {alg}\n  kid: {name}\n  jwk: {jwk}\n\
         \n{issuer}"
    ))
}

//! `lychgate mint`: a test token, signed with a key of the configuration.

use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use clap::Args;
use lychgate::keys::NoRandomness;
use lychgate::policy::Policy;
use serde_json::{Map, Value};

use crate::config::Configuration;

/// What the token says.
#[derive(Args)]
#[command(after_help = "Secrets that the configuration reads from the environment are read from this one.

Examples:
  lychgate mint envoy.yaml --subject johndoe --scope items:read --scope items:write
  lychgate mint envoy.yaml --scheme oauth2 --subject ci --claim 'groups=[\"a\",\"b\"]' --expires-in 60
  curl -H \"Authorization: Bearer $(lychgate mint envoy.yaml --subject johndoe)\" http://127.0.0.1:10000/")]
pub struct Arguments {
    /// The file with the configuration; `-` for standard input
    file: String,
    /// The scheme whose key signs; may be left out where only one has a key that can
    #[arg(long)]
    scheme: Option<String>,
    /// `sub`
    #[arg(long)]
    subject: String,
    /// A scope; may be given several times
    #[arg(long = "scope", value_name = "SCOPE")]
    scopes: Vec<String>,
    /// Seconds until it expires; negative: it has expired already
    #[arg(long, default_value_t = 900, allow_negative_numbers = true)]
    expires_in: i64,
    /// `iss`
    #[arg(long)]
    issuer: Option<String>,
    /// `aud`; may be given several times
    #[arg(long = "audience", value_name = "AUDIENCE")]
    audiences: Vec<String>,
    /// Another claim, as name=JSON; what is no JSON is taken for text. May be given several times
    #[arg(long = "claim", value_name = "NAME=JSON")]
    claims: Vec<String>,
}

/// Prints the token.
///
/// # Errors
/// If the configuration has faults, or no key of it can sign.
pub fn run(arguments: &Arguments) -> Result<ExitCode, String> {
    let configuration = Configuration::read(&arguments.file)?;
    let policy = configuration.compile(Policy::compile)?.policy;
    let signers: Vec<&str> = policy.signing_schemes().collect();
    let scheme = match (arguments.scheme.as_deref(), signers.as_slice()) {
        (Some(scheme), _) => scheme,
        (None, [scheme]) => scheme,
        (None, []) => {
            return Err("no scheme has a key that can sign: a secret, or a private key to issue with".into());
        }
        (None, several) => {
            return Err(format!("several schemes can sign; name one with --scheme: {}", several.join(", ")));
        }
    };
    let signer = policy.signer(scheme).ok_or_else(|| {
        format!("scheme {scheme:?} has no key that can sign; there are: [{}]", signers.join(", "))
    })?;
    let random = |bytes: &mut [u8]| getrandom::fill(bytes).map_err(|_| NoRandomness);
    println!("{}", signer.sign(&claims(arguments)?, &random)?);
    Ok(ExitCode::SUCCESS)
}

fn claims(arguments: &Arguments) -> Result<Map<String, Value>, String> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_err(|error| error.to_string())?;
    let now = i64::try_from(now.as_secs()).map_err(|error| error.to_string())?;
    let mut id = [0; 16];
    getrandom::fill(&mut id).map_err(|error| format!("no randomness: {error}"))?;
    let mut claims = Map::new();
    claims.insert("sub".into(), arguments.subject.as_str().into());
    claims.insert("iat".into(), now.into());
    claims.insert("exp".into(), now.saturating_add(arguments.expires_in).into());
    claims.insert("jti".into(), BASE64_URL_SAFE_NO_PAD.encode(id).into());
    claims.insert("scopes".into(), arguments.scopes.clone().into());
    if let Some(issuer) = &arguments.issuer {
        claims.insert("iss".into(), issuer.as_str().into());
    }
    match arguments.audiences.as_slice() {
        [] => {}
        [audience] => drop(claims.insert("aud".into(), audience.as_str().into())),
        several => drop(claims.insert("aud".into(), several.to_vec().into())),
    }
    for claim in &arguments.claims {
        let (name, value) =
            claim.split_once('=').ok_or_else(|| format!("--claim {claim:?} is not NAME=JSON"))?;
        let value = serde_json::from_str(value).unwrap_or_else(|_| value.into());
        claims.insert(name.to_owned(), value);
    }
    Ok(claims)
}

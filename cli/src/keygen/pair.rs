//! Keys, made by the crate jwt-simple. Only the command line depends on it, and only to make keys.

use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use jwt_simple::algorithms::{
    ES256KeyPair, ES256kKeyPair, ES384KeyPair, Ed25519KeyPair, MLDSA44KeyPair, MLDSA65KeyPair,
    MLDSA87KeyPair, PS256KeyPair, PS384KeyPair, PS512KeyPair, RS256KeyPair, RS384KeyPair, RS512KeyPair,
};
use lychgate::keys::Algorithm;
use serde_json::Value;

/// How a private key is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// PEM (PKCS#8).
    Pem,
    /// A private JWK: for ML-DSA, of which the crate writes no PEM.
    Jwk,
    /// Base64: the secret of an HMAC.
    Secret,
}

impl Form {
    /// The file it goes into if none is named.
    pub fn file(self) -> &'static str {
        match self {
            Self::Pem => "lychgate-key.pem",
            Self::Jwk => "lychgate-key.jwk",
            Self::Secret => "lychgate-key.secret",
        }
    }
}

/// A key that was made.
pub struct Pair {
    /// How the private key is written.
    pub form: Form,
    /// The private key.
    pub private: String,
    /// The public key as a JWK; `None`: the key is a secret.
    pub public: Option<Value>,
    /// Its name. If it is given none: its thumbprint (RFC 7638); of a secret a random one, because its thumbprint
    /// would tell of it (section 7).
    pub kid: String,
}

impl Pair {
    /// A new key with this name. `bits` are for RSA.
    ///
    /// # Errors
    /// If no such key can be made here.
    pub fn generate(algorithm: Algorithm, bits: usize, kid: Option<&str>) -> Result<Self, String> {
        let fault = |error: jwt_simple::Error| format!("no {} key: {error}", algorithm.name());
        macro_rules! pair {
            ($pair:expr, $form:ident, $private:expr) => {{
                let pair = $pair;
                let kid = kid.map_or_else(|| pair.jwk_thumbprint(), str::to_owned);
                let pair = pair.with_key_id(&kid);
                Self::of(Form::$form, $private(&pair).map_err(fault)?, &pair.public_key().to_jwk(), kid)
            }};
        }
        macro_rules! rsa {
            ($name:ident) => {
                pair!($name::generate(bits).map_err(fault)?, Pem, $name::to_pem)
            };
        }
        match algorithm {
            Algorithm::Hs256 => Self::secret(32, kid),
            Algorithm::Hs384 => Self::secret(48, kid),
            Algorithm::Hs512 => Self::secret(64, kid),
            Algorithm::Rs256 => rsa!(RS256KeyPair),
            Algorithm::Rs384 => rsa!(RS384KeyPair),
            Algorithm::Rs512 => rsa!(RS512KeyPair),
            Algorithm::Ps256 => rsa!(PS256KeyPair),
            Algorithm::Ps384 => rsa!(PS384KeyPair),
            Algorithm::Ps512 => rsa!(PS512KeyPair),
            Algorithm::Es256 => pair!(ES256KeyPair::generate(), Pem, ES256KeyPair::to_pem),
            Algorithm::Es384 => pair!(ES384KeyPair::generate(), Pem, ES384KeyPair::to_pem),
            Algorithm::Es256k => pair!(ES256kKeyPair::generate(), Pem, ES256kKeyPair::to_pem),
            Algorithm::EdDsa => pair!(Ed25519KeyPair::generate(), Pem, |pair: &Ed25519KeyPair| Ok(pair.to_pem())),
            Algorithm::MlDsa44 => pair!(MLDSA44KeyPair::generate(), Jwk, |pair: &MLDSA44KeyPair| Ok(pair.to_jwk())),
            Algorithm::MlDsa65 => pair!(MLDSA65KeyPair::generate(), Jwk, |pair: &MLDSA65KeyPair| Ok(pair.to_jwk())),
            Algorithm::MlDsa87 => pair!(MLDSA87KeyPair::generate(), Jwk, |pair: &MLDSA87KeyPair| Ok(pair.to_jwk())),
            Algorithm::Es512 => Err("ES512 keys are not made here (the crate jwt-simple has none). Take ES384, or \
                                     make one with OpenSSL and give its public key as `pem`:\n  \
                                     openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-521 -out key.pem\n  \
                                     openssl pkey -in key.pem -pubout"
                .into()),
        }
    }

    fn of(form: Form, private: String, public: &str, kid: String) -> Result<Self, String> {
        let public = serde_json::from_str(public).map_err(|error| error.to_string())?;
        // The crate writes the public key of Ed25519 after the private one, into the same file.
        let end = "-----END PRIVATE KEY-----";
        let private = private.split_once(end).map_or(private.clone(), |(own, _)| format!("{own}{end}"));
        Ok(Self { form, private: private + "\n", public: Some(public), kid })
    }

    /// A secret as long as its hash (RFC 7518 section 3.2). The crate's own are 32 bytes for every hash. No line feed
    /// ends it: it would be a part of it where the file becomes an environment variable.
    fn secret(bytes: usize, kid: Option<&str>) -> Result<Self, String> {
        let mut secret = vec![0; bytes];
        let mut name = [0; 12];
        getrandom::fill(&mut secret)
            .and_then(|()| getrandom::fill(&mut name))
            .map_err(|error| format!("no randomness: {error}"))?;
        let private = BASE64_STANDARD.encode(secret);
        let kid = kid.map_or_else(|| BASE64_URL_SAFE_NO_PAD.encode(name), str::to_owned);
        Ok(Self { form: Form::Secret, private, public: None, kid })
    }
}

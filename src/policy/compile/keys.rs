//! Keys of a scheme: imported, and those that can sign kept apart.

use std::rc::Rc;

use super::Compiler;
use crate::config::{KeyConfig, KeyMaterial, Path, SecretSource};
use crate::keys::{self, Algorithm, Imported, JwkError, KeyOrigin, LeftOut, SigningKey, VerificationKey};
use crate::secret::{Secret, SecretJson};

/// What of a scheme's keys can sign.
pub enum Signer {
    /// This one, the first.
    Key(Rc<SigningKey>),
    /// None of them.
    None,
    /// One had an error, which is reported; no further one should follow from it.
    Unknown,
}

impl Compiler<'_> {
    /// The keys that verify, and the first that can sign: `None` where an erroneous one might have.
    /// Only an issuer of tokens needs a private key.
    pub(super) fn keys(
        &self,
        path: &Path<'_>,
        keys: Vec<Option<KeyConfig>>,
        issues: bool,
    ) -> (Vec<VerificationKey>, Signer) {
        let mut compiled = Vec::with_capacity(keys.len());
        let mut signer = None;
        let mut whole = true;
        for (index, key) in keys.into_iter().enumerate() {
            let path = path.index(index);
            let Some(key) = key else {
                whole = false;
                continue;
            };
            if let Some((key, signing)) = self.errors.check(&path, self.key(key, issues)) {
                compiled.push(key);
                signer = signer.or(signing);
            } else {
                whole = false;
            }
        }
        let signer = match signer {
            Some(key) => Signer::Key(Rc::new(key)),
            None if whole => Signer::None,
            None => Signer::Unknown,
        };
        (compiled, signer)
    }

    fn key(&self, key: KeyConfig, issues: bool) -> Result<(VerificationKey, Option<SigningKey>), String> {
        let KeyConfig { alg, material, kid } = key;
        match material {
            KeyMaterial::Secret(source) => {
                let secret = self.secret(source)?;
                let key = keys::import_secret(alg, secret.expose())?;
                let signing = SigningKey::from_secret(alg, secret.expose(), kid.as_deref());
                Ok((key.with_kid(kid), signing))
            }
            KeyMaterial::Pem(source) => {
                let is_inline = matches!(source, SecretSource::Inline(_));
                let pem = self.secret(source)?;
                let text = std::str::from_utf8(pem.expose()).map_err(|_| "`pem` is not text")?;
                if issues && text.contains("PRIVATE KEY-----") {
                    if is_inline {
                        return Err("a private key has no place in a configuration, which Envoy shows to \
                                    all readers of /config_dump; read it with `pem: {env: NAME}`"
                            .into());
                    }
                    let (signing, key) = SigningKey::from_pem(alg, text, kid.as_deref())?;
                    return Ok((key, Some(signing)));
                }
                Ok((keys::import_pem(alg, text)?.with_kid(kid), None))
            }
            KeyMaterial::Jwk(jwk) => {
                let jwk = jwk.expose();
                if let Some(own) = jwk.get("alg").and_then(serde_json::Value::as_str)
                    && Algorithm::from_name(own) != Some(alg)
                {
                    return Err(format!("`alg` is {} here and {own:?} in the JWK", alg.name()));
                }
                let found = keys::import_jwk(jwk, Some(&[alg]))
                    .map_err(|error| format!("`jwk`: {}", error.reason()))?;
                match found.into_iter().find(|key| key.algorithm() == alg) {
                    Some(key) if kid.is_some() => Ok((key.with_kid(kid), None)),
                    Some(key) => Ok((key, None)),
                    None => Err(format!("`jwk`: not a key for {}", alg.name())),
                }
            }
        }
    }

    pub(super) fn jwks(
        &self,
        path: &Path<'_>,
        jwks: &[SecretJson],
        allowed: Option<&[Algorithm]>,
    ) -> (Vec<VerificationKey>, Vec<LeftOut>) {
        let jwks = jwks.iter().map(SecretJson::expose);
        let Imported { keys, left_out } = keys::import_jwks(jwks, allowed, KeyOrigin::Configuration);
        let path = path.key("keys");
        for LeftOut { place, kid, error } in &left_out {
            let path = path.index(*place);
            let named = kid.as_deref().map(|kid| format!("the key {kid:?}: ")).unwrap_or_default();
            match error {
                JwkError::Invalid(reason) => {
                    self.errors.add(&path, format_args!("{named}{reason}; or leave the key out of the set"))
                }
                JwkError::NotForUs(reason) => {
                    self.warnings.add(&path, format_args!("{named}left out: {reason}"));
                }
            }
        }
        let all_ignored = left_out.iter().all(|left_out| matches!(left_out.error, JwkError::NotForUs(_)));
        if keys.is_empty() && all_ignored {
            self.errors.add(&path, "no usable key in the set; give one that signs tokens");
        }
        (keys, left_out)
    }

    pub(super) fn secret(&self, source: SecretSource) -> Result<Secret, String> {
        match source {
            SecretSource::Inline(secret) => Ok(secret),
            SecretSource::Env(name) => (self.environment)(&name)
                .filter(|value| !value.is_empty())
                .map(|value| Secret::new(value.into_bytes()))
                .ok_or_else(|| {
                    // It may be the secret itself, entered by mistake.
                    let plain = |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_';
                    let is_name = name.len() <= 64 && name.bytes().all(plain);
                    let name = if is_name { name.as_str() } else { "that is named" };
                    format!(
                        "the environment variable {name} is not set; \
                         name it in vm_config.environment_variables"
                    )
                }),
        }
    }
}

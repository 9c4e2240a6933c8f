//! Password hashes as they are stored: PHC strings (argon2id, scrypt, pbkdf2) and crypt strings of
//! bcrypt. One whose cost would stall a worker is refused when it is read, not when it is used.

use std::fmt;

use argon2::{Algorithm, Argon2, Params, Version};
use bcrypt::HashParts;
use phc::PasswordHash as Phc;
use sha2::{Sha256, Sha512};
use subtle::ConstantTimeEq as _;

/// The longest a hash may stop a worker, by the estimate of [`PasswordHash::milliseconds`].
const MOST_MILLISECONDS: u64 = 500;
/// The most memory a hash may take, in KiB: a VM's memory never shrinks again.
const MOST_KIBIBYTES: u64 = 128 * 1024;

/// How much of a password bcrypt reads.
const BCRYPT_BYTES: usize = 72;
/// The costs that bcrypt has.
const BCRYPT_COSTS: std::ops::RangeInclusive<u32> = 4..=31;

/// A stored password hash, checked, with its cost known.
#[derive(Clone)]
pub struct PasswordHash(Kind);

#[derive(Clone)]
enum Kind {
    Argon2id { params: Params, salt: Box<[u8]>, hash: Box<[u8]> },
    Scrypt { params: scrypt::Params, cost: (u8, u32, u32), salt: Box<[u8]>, hash: Box<[u8]> },
    Pbkdf2 { digest: Digest, rounds: u32, salt: Box<[u8]>, hash: Box<[u8]> },
    Bcrypt { cost: u32, text: Box<str> },
}

#[derive(Clone, Copy)]
enum Digest {
    Sha256,
    Sha512,
}

impl PasswordHash {
    /// Reads a PHC string (`$argon2id$`, `$scrypt$`, `$pbkdf2-sha256$`, `$pbkdf2-sha512$`) or a
    /// bcrypt string (`$2a$`, `$2b$`, `$2y$`).
    ///
    /// # Errors
    /// What it is instead, or by how much it costs too much. The text itself is never quoted.
    pub fn parse(text: &str) -> Result<Self, String> {
        let kind = if text.starts_with("$2") { bcrypt_kind(text)? } else { phc_kind(text)? };
        let hash = Self(kind);
        let kibibytes = hash.kibibytes();
        if kibibytes > MOST_KIBIBYTES {
            return Err(format!(
                "{} takes {} MiB of memory, which a worker keeps for good; at most {} MiB",
                hash.name(),
                kibibytes / 1024,
                MOST_KIBIBYTES / 1024
            ));
        }
        let milliseconds = hash.milliseconds();
        if milliseconds > MOST_MILLISECONDS {
            return Err(format!(
                "{} would stop a worker for about {milliseconds} ms at each check; \
                 at most {MOST_MILLISECONDS} ms, such as {}",
                hash.describe(),
                hash.affordable()
            ));
        }
        Ok(hash)
    }

    /// Whether `password` is the one that was hashed. Takes the same time for any password.
    ///
    /// One that hashes as another one does never is. Each algorithm has its own:
    /// - HMAC fills up with NULs, and bcrypt repeats a password with a NUL between, so that to them `secret`
    ///   and `secret` with NULs behind it are the same. RFC 6749 appendix A.15 and RFC 7617 section 2 have
    ///   no NUL in a password.
    /// - bcrypt reads 72 bytes and no more.
    /// - HMAC takes a key longer than its block for the digest of it, so that the digest is as good as the
    ///   password, in pbkdf2 and in scrypt, which begins with it. A password is text, and a digest is none.
    #[must_use]
    pub fn verifies(&self, password: &[u8]) -> bool {
        self.computes_from(password) && !self.is_read_as_another(password)
    }

    fn is_read_as_another(&self, password: &[u8]) -> bool {
        password.contains(&0)
            || match &self.0 {
                Kind::Argon2id { .. } => false,
                Kind::Scrypt { .. } | Kind::Pbkdf2 { .. } => std::str::from_utf8(password).is_err(),
                Kind::Bcrypt { .. } => password.len() > BCRYPT_BYTES,
            }
    }

    /// What is stored in place of the password: for telling hashes apart.
    pub(crate) fn stored(&self) -> &[u8] {
        match &self.0 {
            Kind::Argon2id { hash, .. } | Kind::Scrypt { hash, .. } | Kind::Pbkdf2 { hash, .. } => hash,
            Kind::Bcrypt { text, .. } => text.as_bytes(),
        }
    }

    fn computes_from(&self, password: &[u8]) -> bool {
        match &self.0 {
            Kind::Argon2id { params, salt, hash } => {
                let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params.clone());
                computes(hash, |out| argon2.hash_password_into(password, salt, out).is_ok())
            }
            Kind::Scrypt { params, salt, hash, .. } => {
                computes(hash, |out| scrypt::scrypt(password, salt, params, out).is_ok())
            }
            Kind::Pbkdf2 { digest, rounds, salt, hash } => computes(hash, |out| {
                match digest {
                    Digest::Sha256 => pbkdf2::pbkdf2_hmac::<Sha256>(password, salt, *rounds, out),
                    Digest::Sha512 => pbkdf2::pbkdf2_hmac::<Sha512>(password, salt, *rounds, out),
                }
                true
            }),
            Kind::Bcrypt { text, .. } => bcrypt::verify(password, text).unwrap_or(false),
        }
    }

    /// The time a check takes in Envoy's V8, in milliseconds: an estimate by measurements that
    /// RATIONALE.md gives.
    #[must_use]
    pub fn milliseconds(&self) -> u64 {
        match &self.0 {
            Kind::Argon2id { params, .. } => {
                u64::from(params.m_cost()).saturating_mul(u64::from(params.t_cost())) / 750
            }
            Kind::Scrypt { cost: (log_n, r, p), .. } => {
                let blocks = 1_u64.checked_shl(u32::from(*log_n)).unwrap_or(u64::MAX);
                blocks.saturating_mul(u64::from(*r)).saturating_mul(u64::from(*p)) / 1_600
            }
            Kind::Pbkdf2 { digest: Digest::Sha256, rounds, .. } => u64::from(*rounds) / 1_750,
            Kind::Pbkdf2 { digest: Digest::Sha512, rounds, .. } => u64::from(*rounds) / 1_100,
            Kind::Bcrypt { cost, .. } => 75_u64.checked_shl(cost.saturating_sub(10)).unwrap_or(u64::MAX),
        }
    }

    /// What it should cost at least, if it costs less than OWASP's Password Storage Cheat Sheet asks for: a stolen
    /// hash is soon guessed.
    #[must_use]
    pub fn weakness(&self) -> Option<String> {
        let is_weak = match &self.0 {
            Kind::Argon2id { params, .. } => {
                u64::from(params.m_cost()).saturating_mul(u64::from(params.t_cost())) < 35_840
            }
            Kind::Scrypt { cost: (log_n, r, p), .. } => {
                let blocks = 1_u64.checked_shl(u32::from(*log_n)).unwrap_or(u64::MAX);
                blocks.saturating_mul(u64::from(*r)).saturating_mul(u64::from(*p)) < 1 << 18
            }
            Kind::Pbkdf2 { digest: Digest::Sha256, rounds, .. } => *rounds < 600_000,
            Kind::Pbkdf2 { digest: Digest::Sha512, rounds, .. } => *rounds < 210_000,
            Kind::Bcrypt { cost, .. } => *cost < 10,
        };
        is_weak.then(|| format!("{}; take {}", self.describe(), self.recommended()))
    }

    fn recommended(&self) -> &'static str {
        match &self.0 {
            Kind::Bcrypt { .. } => "cost 10 at least",
            Kind::Argon2id { .. } | Kind::Scrypt { .. } | Kind::Pbkdf2 { .. } => self.affordable(),
        }
    }

    fn kibibytes(&self) -> u64 {
        match &self.0 {
            Kind::Argon2id { params, .. } => u64::from(params.m_cost()),
            Kind::Scrypt { cost: (log_n, r, p), .. } => {
                let blocks = 1_u64.checked_shl(u32::from(*log_n)).unwrap_or(u64::MAX);
                blocks.saturating_add(u64::from(*p)).saturating_mul(u64::from(*r)) / 8
            }
            Kind::Pbkdf2 { .. } => 0,
            Kind::Bcrypt { .. } => 4,
        }
    }

    fn name(&self) -> &'static str {
        match &self.0 {
            Kind::Argon2id { .. } => "argon2id",
            Kind::Scrypt { .. } => "scrypt",
            Kind::Pbkdf2 { digest: Digest::Sha256, .. } => "pbkdf2-sha256",
            Kind::Pbkdf2 { digest: Digest::Sha512, .. } => "pbkdf2-sha512",
            Kind::Bcrypt { .. } => "bcrypt",
        }
    }

    /// Name and cost.
    fn describe(&self) -> String {
        match &self.0 {
            Kind::Argon2id { params, .. } => format!("argon2id m={},t={}", params.m_cost(), params.t_cost()),
            Kind::Scrypt { cost: (log_n, r, p), .. } => format!("scrypt ln={log_n},r={r},p={p}"),
            Kind::Pbkdf2 { rounds, .. } => format!("{} i={rounds}", self.name()),
            Kind::Bcrypt { cost, .. } => format!("bcrypt of cost {cost}"),
        }
    }

    /// A cost of this algorithm that is within the bounds.
    fn affordable(&self) -> &'static str {
        match &self.0 {
            Kind::Argon2id { .. } => "m=19456,t=2,p=1",
            Kind::Scrypt { .. } => "ln=15,r=8,p=1",
            Kind::Pbkdf2 { digest: Digest::Sha256, .. } => "i=600000",
            Kind::Pbkdf2 { digest: Digest::Sha512, .. } => "i=210000",
            Kind::Bcrypt { .. } => "cost 12 or less",
        }
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PasswordHash({})", self.describe())
    }
}

/// Whether `compute` fills a buffer of this size with `hash`.
fn computes(hash: &[u8], compute: impl FnOnce(&mut [u8]) -> bool) -> bool {
    let mut computed = vec![0; hash.len()];
    compute(&mut computed) && bool::from(computed.ct_eq(hash))
}

fn bcrypt_kind(text: &str) -> Result<Kind, String> {
    let wrong = || "not a bcrypt hash, which looks like $2b$10$ and 53 more characters".to_owned();
    if !["$2a$", "$2b$", "$2y$"].iter().any(|version| text.starts_with(version)) {
        return Err(wrong());
    }
    let parts: HashParts = text.parse().map_err(|_| wrong())?;
    let cost = parts.get_cost();
    // Two digits: the crate reads `+4` too, and takes a cost that there is not until it is to be hashed.
    let is_plain = text.get(4..6).is_some_and(|digits| digits.bytes().all(|b| b.is_ascii_digit()));
    if !is_plain || !BCRYPT_COSTS.contains(&cost) {
        return Err(format!("bcrypt has the costs {} to {}", BCRYPT_COSTS.start(), BCRYPT_COSTS.end()));
    }
    Ok(Kind::Bcrypt { cost, text: text.into() })
}

/// What passlib writes (`$pbkdf2-sha256$29000$salt$hash`, a dot for a plus) as a PHC string; `None` for other texts.
fn passlib_as_phc(text: &str) -> Option<String> {
    let mut parts = text.split('$');
    let (Some(""), Some(name), Some(rounds), Some(salt), Some(hash), None) =
        (parts.next(), parts.next(), parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return None;
    };
    let is_passlib = name.starts_with("pbkdf2-") && rounds.bytes().all(|b| b.is_ascii_digit());
    is_passlib.then(|| format!("${name}$i={rounds}${salt}${hash}").replace('.', "+"))
}

fn phc_kind(text: &str) -> Result<Kind, String> {
    let unreadable = || {
        "not a password hash: give a PHC string ($argon2id$, $scrypt$, $pbkdf2-sha256$) or a bcrypt \
         string ($2b$); make one with: lychgate hash-password"
            .to_owned()
    };
    let passlib = passlib_as_phc(text);
    let phc = Phc::new(passlib.as_deref().unwrap_or(text)).map_err(|_| unreadable())?;
    let name = phc.algorithm.as_str();
    let number = |key: &str| -> Result<u32, String> {
        phc.params.get_decimal(key).ok_or_else(|| format!("{name} needs the parameter `{key}`"))
    };
    let known: &[&str] = match name {
        "argon2id" => &["m", "t", "p", "keyid", "data"],
        "scrypt" => &["ln", "r", "p"],
        "pbkdf2-sha256" | "pbkdf2-sha512" => &["i", "l"],
        _ => {
            return Err(format!("{name} is not supported; use argon2id, scrypt, pbkdf2-sha256 or bcrypt"));
        }
    };
    if let Some((other, _)) = phc.params.iter().find(|(key, _)| !known.contains(&key.as_str())) {
        return Err(format!("{name} has no parameter `{other}`"));
    }
    let missing = || format!("{name} needs a salt and a hash");
    let salt: Box<[u8]> = phc.salt.as_ref().ok_or_else(missing)?.as_ref().into();
    let hash: Box<[u8]> = phc.hash.as_ref().ok_or_else(missing)?.as_bytes().into();
    if hash.len() < 16 {
        return Err(format!("{name}: a hash of {} bytes is too short; at least 16", hash.len()));
    }
    match name {
        "argon2id" => {
            if phc.version != Some(0x13) {
                return Err("argon2id needs v=19".into());
            }
            if phc.params.get("keyid").is_some() || phc.params.get("data").is_some() {
                return Err("argon2id with `keyid` or `data` is not supported".into());
            }
            let params = Params::new(number("m")?, number("t")?, number("p")?, Some(hash.len()));
            let params = params.map_err(|error| format!("argon2id: {error}"))?;
            Ok(Kind::Argon2id { params, salt, hash })
        }
        "scrypt" => {
            let log_n = u8::try_from(number("ln")?).unwrap_or(u8::MAX);
            let (r, p) = (number("r")?, number("p")?);
            let sane = (1..=24).contains(&log_n) && (1..=1024).contains(&r) && (1..=1024).contains(&p);
            let params = scrypt::Params::new(log_n, r, p).ok().filter(|_| sane);
            let params = params.ok_or("scrypt: parameters out of range (ln 1 to 24, r and p 1 to 1024)")?;
            Ok(Kind::Scrypt { params, cost: (log_n, r, p), salt, hash })
        }
        _ => {
            let digest = if name == "pbkdf2-sha256" { Digest::Sha256 } else { Digest::Sha512 };
            let rounds = number("i")?;
            if rounds < 1_000 {
                return Err(format!("{name}: i={rounds} is too weak; at least 1000"));
            }
            if phc.params.get_decimal("l").is_some_and(|l| usize::try_from(l) != Ok(hash.len())) {
                return Err(format!("{name}: `l` is not the length of the hash"));
            }
            Ok(Kind::Pbkdf2 { digest, rounds, salt, hash })
        }
    }
}

#[cfg(test)]
#[path = "password_tests.rs"]
mod tests;

//! The hashes were made by Python's argon2-cffi, hashlib and bcrypt.

use super::PasswordHash;

const HASHES: [&str; 8] = [
    "$argon2id$v=19$m=64,t=1,p=1$MDEyMzQ1Njc4OWFiY2RlZg$pbviq+1UUgwZCmLIr4Hgk7mEMsxnRLuOb2HfvIaBwGY",
    "$argon2id$v=19$m=128,t=2,p=4$MDEyMzQ1Njc4OWFiY2RlZg$IcAowjymXRl+e8PG5YSXO3/7UJ0tmJyOG5VibKcuJUY",
    "$argon2id$v=19$m=19456,t=2,p=1$MDEyMzQ1Njc4OWFiY2RlZg$8qPpaWig0H31wvibKAgpght2Ry2M8rtRQYtZ93ooMus",
    // The default of FastAPI's chapter (pwdlib).
    "$argon2id$v=19$m=65536,t=3,p=4$MDEyMzQ1Njc4OWFiY2RlZg$s7HDvht1s+JaAdJ1qoLH/2c4KCL7V5DME2Cyd+d1XPI",
    "$scrypt$ln=4,r=8,p=1$MDEyMzQ1Njc4OWFiY2RlZg$gEeb/KeWbm5g+kBQOFr1yJbkjBxxxDOkhSmrSXFFwOg",
    "$pbkdf2-sha256$i=1000,l=32$MDEyMzQ1Njc4OWFiY2RlZg$tiKWHy4FAGCWE8gn6GtKhaxD2OeeAUUWXFT/p1aaNl8",
    "$pbkdf2-sha512$i=1000,l=64$MDEyMzQ1Njc4OWFiY2RlZg$vgFvU7zWIDgDAUi7d8ayt+cfRiPWVVWfv8iQRsGZaZviWzsSNgWYXEE5PmvI/VELMsOmEbqLz0PKuePNjOk41A",
    "$2b$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW",
];

#[test]
fn hashes_of_other_makers_verify() {
    for text in HASHES {
        let hash = PasswordHash::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert!(hash.verifies(b"secret"), "{text}");
        for wrong in [&b"Secret"[..], b"", b"secret ", b"\xff"] {
            assert!(!hash.verifies(wrong), "{text}");
        }
    }
}

/// Hashes as passlib writes them were refused by a message that names them as accepted: rounds without a name, and a dot
/// for a plus.
#[test]
fn a_hash_that_passlib_wrote_verifies() {
    for text in [
        "$pbkdf2-sha256$29000$....................AQ$dQ9BSsPyhFBqRn9EKy6qFfqw0pG.aqtvh5K2ywEIl0Q",
        "$pbkdf2-sha512$29000$....................AQ$K5BwU1yhGsTc5i6cshnwgGkv7xrSLqrdCxBFhnBCx1DMSu9.gb3pFyD1lY48ZG9QPgGtXOF.KEgTykv0BSeQWQ",
    ] {
        let hash = PasswordHash::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert!(hash.verifies(b"secret") && !hash.verifies(b"Secret"), "{text}");
    }
    for text in [
        "$pbkdf2-sha256$29000$....................AQ",
        "$pbkdf2-sha256$+29000$....................AQ$dQ9BSsPyhFBqRn9EKy6qFfqw0pG.aqtvh5K2ywEIl0Q",
    ] {
        assert!(PasswordHash::parse(text).is_err(), "{text}");
    }
}

/// Found by fuzzing: HMAC fills up with NULs, and bcrypt repeats the password with a NUL between.
#[test]
fn a_password_with_nuls_behind_it_was_the_password_itself() {
    for text in HASHES {
        let hash = PasswordHash::parse(text).unwrap();
        for padded in [&b"secret\0"[..], b"secret\0\0\0\0", b"secret\0secret", b"secret\0secret\0secret"] {
            assert!(!hash.verifies(padded), "{text}: {padded:?}");
        }
    }
}

/// 72 times `a`, and further hashes of long passwords, by libxcrypt, hashlib and OpenSSL.
const A72: &str = "$2b$04$abcdefghijklmnopqrstuuBzzIgyKkz7xMWYSzkIjUSnxEQFQ0WNe";
const A71: &str = "$2b$04$abcdefghijklmnopqrstuuMCu.k1vM/ywQwiONaEn3oEMlZoCVBd6";
const A129: [&str; 3] = [
    "$pbkdf2-sha256$i=1000,l=32$MDEyMzQ1Njc4OWFiY2RlZg$8lJcJUG8i4nhFjQp5Xig5oJ4YI5nhNYTc+sWOtuvLm0",
    "$pbkdf2-sha512$i=1000,l=64$MDEyMzQ1Njc4OWFiY2RlZg$gYO/G/d0eZ4tnkpIGAnJv4N3N8rF8TjP8tYOoqBzsxJH/RP0ElYXN3cLWvd6wJ/q6G8ERT3pDprOkTLgoxhVVg",
    "$scrypt$ln=4,r=8,p=1$MDEyMzQ1Njc4OWFiY2RlZg$hf0ndtiqVeAngxekfB3C5ggugHNLoUthRxrVmkGNBOc",
];

/// bcrypt reads 72 bytes of a password, so that anything behind them was right.
#[test]
fn a_password_with_more_behind_its_72_bytes_was_the_password_itself() {
    for version in ["$2a$", "$2b$", "$2y$"] {
        let hash = PasswordHash::parse(&A72.replace("$2b$", version)).unwrap();
        assert!(hash.verifies(&[b'a'; 72]), "{version}");
        for length in [0, 71, 73, 144, 8192] {
            assert!(!hash.verifies(&vec![b'a'; length]), "{version}: {length}");
        }
        assert!(!hash.verifies(&[&[b'a'; 72][..], b"\0"].concat()));
        let shorter = PasswordHash::parse(&A71.replace("$2b$", version)).unwrap();
        assert!(shorter.verifies(&[b'a'; 71]) && !shorter.verifies(&[b'a'; 72]), "{version}");
    }
}

/// HMAC takes a key longer than its block for the digest of it. A client that knows the digest, from where it was
/// kept without salt, has no password for that.
#[test]
fn the_digest_of_a_long_password_is_not_the_password() {
    use sha2::{Digest as _, Sha256, Sha512};
    let long = [b'a'; 129];
    let digests =
        [Sha256::digest(long).to_vec(), Sha512::digest(long).to_vec(), Sha256::digest(long).to_vec()];
    for (text, digest) in A129.iter().zip(digests) {
        let hash = PasswordHash::parse(text).unwrap();
        assert!(hash.verifies(&long), "{text}");
        assert!(!hash.verifies(&digest), "{text}");
    }
}

#[test]
fn a_long_password_is_read_to_its_end_where_it_is_not_bcrypt() {
    for text in A129 {
        let hash = PasswordHash::parse(text).unwrap();
        for length in [64, 65, 72, 73, 128, 130] {
            assert!(!hash.verifies(&vec![b'a'; length]), "{text}: {length}");
        }
    }
}

#[test]
fn the_older_names_of_bcrypt_verify_too() {
    for version in ["$2a$", "$2y$"] {
        let hash = PasswordHash::parse(&HASHES[7].replace("$2b$", version)).unwrap();
        assert!(hash.verifies(b"secret"));
    }
    let utf8 = PasswordHash::parse("$2b$04$abcdefghijklmnopqrstuuhC0bPoUtF5o8bp2gaL0R3/vQ51MSUoO").unwrap();
    assert!(utf8.verifies("pä:ss".as_bytes()));
}

#[test]
fn a_hash_that_would_stall_a_worker_is_refused_with_the_limit() {
    let tail = "$MDEyMzQ1Njc4OWFiY2RlZg$gEeb/KeWbm5g+kBQOFr1yJbkjBxxxDOkhSmrSXFFwOg";
    for (text, says) in [
        ("$2b$13$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW".to_owned(), "cost 12 or less"),
        ("$2b$31$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW".to_owned(), "at most 500 ms"),
        (format!("$argon2id$v=19$m=65536,t=20,p=1{tail}"), "at most 500 ms"),
        (format!("$argon2id$v=19$m=262144,t=1,p=1{tail}"), "at most 128 MiB"),
        (format!("$argon2id$v=19$m=4294967295,t=4294967295,p=1{tail}"), "at most 128 MiB"),
        (format!("$scrypt$ln=20,r=8,p=1{tail}"), "at most 128 MiB"),
        (format!("$scrypt$ln=14,r=8,p=64{tail}"), "at most 500 ms"),
        (format!("$pbkdf2-sha256$i=4294967295{tail}"), "i=600000"),
    ] {
        let error = PasswordHash::parse(&text).unwrap_err();
        assert!(error.contains(says), "{text}: {error}");
    }
    // What is met in practice is allowed.
    for text in [
        "$2b$12$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW".to_owned(),
        format!("$scrypt$ln=15,r=8,p=1{tail}"),
        format!("$pbkdf2-sha256$i=600000{tail}"),
    ] {
        assert!(PasswordHash::parse(&text).is_ok(), "{text}");
    }
}

#[test]
fn what_is_no_hash_is_refused_and_never_quoted() {
    let tail = "$MDEyMzQ1Njc4OWFiY2RlZg$gEeb/KeWbm5g+kBQOFr1yJbkjBxxxDOkhSmrSXFFwOg";
    for (text, says) in [
        ("hunter2".to_owned(), "not a password hash"),
        ("$hunter2".to_owned(), "not supported"),
        ("5f4dcc3b5aa765d61d8327deb882cf99".to_owned(), "not a password hash"),
        ("$2b$10$hunter2".to_owned(), "not a bcrypt hash"),
        ("$2b$03$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW".to_owned(), "the costs 4 to 31"),
        ("$2b$00$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW".to_owned(), "the costs 4 to 31"),
        ("$2b$+4$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW".to_owned(), "the costs 4 to 31"),
        ("$2b$32$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW".to_owned(), "the costs 4 to 31"),
        (
            "$argon2id$v=19$m=64,t=1,p=1$MDEyMzQ1Ng$gEeb/KeWbm5g+kBQOFr1yJbkjBxxxDOkhSmrSXFFwOg".to_owned(),
            "password hash",
        ),
        ("$2x$10$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW".to_owned(), "not a bcrypt hash"),
        (format!("$argon2i$v=19$m=64,t=1,p=1{tail}"), "argon2i is not supported"),
        (format!("$argon2id$m=64,t=1,p=1{tail}"), "needs v=19"),
        (format!("$argon2id$v=16$m=64,t=1,p=1{tail}"), "needs v=19"),
        (format!("$argon2id$v=19$m=64,t=1{tail}"), "needs the parameter `p`"),
        (format!("$argon2id$v=19$m=64,t=1,p=1,x=1{tail}"), "no parameter `x`"),
        (format!("$argon2id$v=19$m=4,t=1,p=1{tail}"), "argon2id: "),
        ("$argon2id$v=19$m=64,t=1,p=1$MDEyMzQ1Njc4OWFiY2RlZg".to_owned(), "needs a salt and a hash"),
        ("$scrypt$ln=4,r=8,p=1$MDEyMzQ1Njc4OWFiY2RlZg$gEeb/KeWbm5g+kBQ".to_owned(), "too short"),
        (format!("$scrypt$ln=0,r=8,p=1{tail}"), "out of range"),
        (format!("$scrypt$ln=40,r=8,p=1{tail}"), "out of range"),
        (format!("$pbkdf2-sha256$i=1{tail}"), "is too weak"),
        (format!("$pbkdf2-sha256$i=1000,l=20{tail}"), "`l` is not the length"),
        (format!("$pbkdf2$i=1000{tail}"), "pbkdf2 is not supported"),
    ] {
        let error = PasswordHash::parse(&text).unwrap_err();
        assert!(error.contains(says), "{text}: {error}");
        assert!(!error.contains("gEeb") && (!text.contains("hunter2") || !error.contains("hunter2$")));
    }
}

/// A directory with hashes of a test was taken into production, and `check --strict` had no word for it.
#[test]
fn a_hash_that_is_cheap_to_guess_is_told() {
    for text in HASHES {
        let told = PasswordHash::parse(text).unwrap().weakness();
        let is_strong = text.contains("m=19456") || text.contains("m=65536");
        assert_eq!(told.is_none(), is_strong, "{text}: {told:?}");
    }
    let told = PasswordHash::parse(HASHES[5]).unwrap().weakness();
    assert_eq!(told.as_deref(), Some("pbkdf2-sha256 i=1000; take i=600000"));
}

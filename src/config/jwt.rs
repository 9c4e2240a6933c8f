//! `jwt`: where a token stands, and what it must say.

use super::fields::{non_empty, read_algorithm, read_own_header_name};
use super::key_source::{KeySource, read_key_source};
use super::node::{Node, Object};
use super::places::read_locations;
use super::remote::{IntrospectionConfig, RevocationConfig, read_revoked};
use crate::credential::CredentialLocation;
use crate::fetch::Revocations;
use crate::keys::Algorithm;
use crate::setting::Number;

/// How the tokens of one scheme are found and verified.
///
/// Its schema is what `jwt` and `introspection` have in common.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct JwtConfig {
    /// The keys.
    #[cfg_attr(feature = "schema", schemars(skip))]
    pub keys: KeySource,
    /// What `iss` must be. Left out: not checked, or as discovery says.
    #[cfg_attr(feature = "schema", schemars(length(min = 1)))]
    pub issuer: Option<String>,
    /// `aud` must name one of these (RFC 7519 section 4.1.3). Left out: not checked.
    #[cfg_attr(feature = "schema", schemars(length(min = 1), inner(length(min = 1))))]
    pub audiences: Option<Vec<String>>,
    /// Accepted algorithms. Left out: those of the keys.
    #[cfg_attr(feature = "schema", schemars(length(min = 1)))]
    pub algorithms: Option<Vec<Algorithm>>,
    /// Claims that a token must have. Left out: `exp` and `sub` in `jwt`, none in `introspection`.
    #[cfg_attr(feature = "schema", schemars(with = "Option<Vec<String>>", inner(length(min = 1))))]
    pub required_claims: Vec<String>,
    /// Tolerance for `exp`, `nbf` and `iat`, in seconds.
    #[cfg_attr(
        feature = "schema",
        schemars(
            with = "Option<u64>",
            range(min = LEEWAY_SECONDS.least, max = LEEWAY_SECONDS.most),
            extend("default" = LEEWAY_SECONDS.default),
        )
    )]
    pub leeway_seconds: u64,
    /// The longest token that is read, in bytes.
    #[cfg_attr(
        feature = "schema",
        schemars(
            with = "Option<u64>",
            range(min = MAX_TOKEN_BYTES.least, max = MAX_TOKEN_BYTES.most),
            extend("default" = MAX_TOKEN_BYTES.default),
        )
    )]
    pub max_token_bytes: usize,
    /// Claims that may hold the scopes: the first one present counts, an array of strings or a string
    /// with spaces (RFC 8693 section 4.2). Text that is no scope-token is no scope; more than 1,024 refuse the token.
    #[cfg_attr(
        feature = "schema",
        schemars(
            with = "Option<Vec<String>>",
            length(min = 1),
            inner(length(min = 1)),
            extend("default" = SCOPE_CLAIMS),
        )
    )]
    pub scope_claims: Vec<String>,
    /// Where the token may be. Left out: in `Authorization`, behind `Bearer `. Equal tokens in several of these places are
    /// one; different ones are refused, unless the scheme has `from_order: first`.
    #[cfg_attr(
        feature = "schema",
        schemars(
            with = "Option<Vec<super::places::written::CredentialPlace>>",
            length(min = 1),
            extend("examples" = [[{"header": "Authorization"}, {"cookie": "session"}]]),
        )
    )]
    pub from: Option<Vec<CredentialLocation>>,
    /// Claim, or dotted path, to the request header that it is copied to. Arrays are sent as values separated
    /// by commas, objects as JSON.
    #[cfg_attr(
        feature = "schema",
        schemars(
            with = "Option<std::collections::BTreeMap<String, written::HeaderName>>",
            extend("examples" = [{"email": "x-auth-email", "address.city": "x-auth-city"}]),
        )
    )]
    pub claims_to_headers: Vec<(String, String)>,
    /// Tokens that are revoked.
    #[cfg_attr(feature = "schema", schemars(with = "Option<Revocations>"))]
    pub revoked: Revocations,
    /// A list of further revoked tokens, polled.
    pub revocation: Option<RevocationConfig>,
}

const LEEWAY_SECONDS: Number<u64> = Number { least: 0, most: 86_400, default: 60 };
const MAX_TOKEN_BYTES: Number<usize> = Number { least: 64, most: 1_048_576, default: 8192 };
const SCOPE_CLAIMS: [&str; 3] = ["scopes", "scope", "scp"];

impl JwtConfig {
    /// Reads a `jwt` object.
    pub fn read(node: Node<'_>) -> Option<Self> {
        let object = node.object()?;
        let keys = read_key_source(&object);
        Self::read_with(object, keys, &["exp", "sub"])
    }

    /// Reads an `introspection` object, which is as `jwt` but for where the verdict comes from.
    pub fn read_introspection(node: Node<'_>) -> Option<Self> {
        let object = node.object()?;
        let keys = IntrospectionConfig::read(&object).map(KeySource::Introspection);
        Self::read_with(object, keys, &[])
    }

    fn read_with(object: Object<'_>, keys: Option<KeySource>, required: &[&str]) -> Option<Self> {
        let strings = |n: Node<'_>| n.list(|n| n.text());
        let issuer = object.optional("issuer", |n| n.text());
        let audiences = object.optional("audiences", |n| non_empty(n, strings));
        let algorithms = object.optional("algorithms", |n| non_empty(n, |n| n.list(read_algorithm)));
        let required_claims = object.optional("required_claims", strings);
        let leeway_seconds = object.number("leeway_seconds", &LEEWAY_SECONDS);
        let max_token_bytes = object.number("max_token_bytes", &MAX_TOKEN_BYTES);
        let scope_claims = object.optional("scope_claims", |n| non_empty(n, strings));
        let from = object.optional("from", |n| read_locations(n, "Bearer "));
        let claims_to_headers = object.optional("claims_to_headers", read_claims_to_headers);
        let revoked = object.optional("revoked", read_revoked).unwrap_or_default();
        let has_revocation = object.has("revocation");
        let revocation = object.optional("revocation", RevocationConfig::read);
        object.finish();
        if has_revocation && revocation.is_none() {
            return None;
        }
        let owned = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        Some(Self {
            keys: keys?,
            issuer,
            audiences,
            algorithms,
            required_claims: required_claims.unwrap_or_else(|| owned(required)),
            leeway_seconds,
            max_token_bytes,
            scope_claims: scope_claims.unwrap_or_else(|| owned(&SCOPE_CLAIMS)),
            from,
            claims_to_headers: claims_to_headers
                .unwrap_or_default()
                .into_iter()
                .filter_map(|(claim, header)| Some((claim, header?)))
                .collect(),
            revoked,
            revocation,
        })
    }
}

fn read_claims_to_headers(node: Node<'_>) -> Option<Vec<(String, Option<String>)>> {
    let headers = node.map(read_own_header_name)?;
    if headers.iter().any(|(claim, _)| claim.is_empty()) {
        return node.error("a claim has no name");
    }
    Some(headers)
}

/// The same as written, where the types above hold something else.
#[cfg(feature = "schema")]
#[expect(dead_code, reason = "schemas are derived from these types; values of them are never made")]
pub(super) mod written {
    use schemars::JsonSchema;

    use super::super::key_source::written::{Keys, with_cluster};
    use super::super::{IntrospectionConfig, IssuerConfig};
    use super::JwtConfig;

    /// How a JSON Web Token (RFC 7519) is found and verified. One of `keys`, `jwks`, `remote_jwks`, `cluster`
    /// and `issuers` gives the keys.
    #[derive(JsonSchema)]
    #[schemars(
        deny_unknown_fields,
        extend("oneOf" = [
            {"required": ["keys"]}, {"required": ["jwks"]}, {"required": ["remote_jwks"]}, {"required": ["cluster"]},
            {"required": ["issuers"]},
        ]),
        extend("dependentRequired" = with_cluster()),
        extend("examples" = [
            {"keys": [{"alg": "HS256", "secret": {"env": "LYCHGATE_SECRET"}}], "issuer": "https://idp.example"},
            {"cluster": "idp", "audiences": ["api"], "claims_to_headers": {"email": "x-auth-email"}},
        ]),
    )]
    pub struct Jwt {
        #[schemars(flatten)]
        keys: Keys,
        /// Several issuers, each with keys of its own.
        #[schemars(length(min = 1))]
        issuers: Option<Vec<IssuerConfig>>,
        #[schemars(flatten)]
        rest: JwtConfig,
    }

    /// Tokens that only their issuer can read: Lychgate asks it (RFC 7662), and remembers the answer.
    #[derive(JsonSchema)]
    #[schemars(deny_unknown_fields, extend("examples" = [{
        "uri": "https://idp.example/introspect", "cluster": "idp", "client_id": "gate", "client_secret": {"env": "GATE_SECRET"},
    }]))]
    pub struct Introspection {
        #[schemars(flatten)]
        own: IntrospectionConfig,
        #[schemars(flatten)]
        rest: JwtConfig,
    }

    /// The name of a header.
    #[derive(JsonSchema)]
    #[schemars(inline)]
    pub struct HeaderName(#[schemars(length(min = 1))] String);
}

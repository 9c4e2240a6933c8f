//! `jwt`: where a token stands, and what it must say.

use super::claims::{
    ClaimHeaderConfig, RolesConfig, ScopeMode, read_claims_to_headers, read_claims_to_metadata,
    read_conditions, read_references,
};
use super::fields::{non_empty, read_algorithm, read_own_header_name};
use super::key_source::{KeySource, read_key_source};
use super::node::{Node, Object};
use super::places::read_locations;
use super::proof::{Profile, ProofConfig};
use super::remote::{IntrospectionConfig, RevocationConfig, read_revoked};
use crate::claim::{ClaimCondition, ClaimReference};
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
    /// The value that `iss` must have. `{claim}` in it is replaced by the value of that claim of the same token, as in
    /// `https://login.example/{tid}/v2.0`; `{tenantid}`, which Entra's discovery document has, is `{tid}`. With discovery the
    /// document may have the issuer with or without a slash at its end, and `iss` must be equal to the document's. Left out: `iss`
    /// is not checked, or must be equal to the document's with discovery.
    #[cfg_attr(feature = "schema", schemars(length(min = 1)))]
    pub issuer: Option<String>,
    /// `aud` must name one of these (RFC 7519 section 4.1.3). Left out: not checked.
    #[cfg_attr(feature = "schema", schemars(length(min = 1), inner(length(min = 1))))]
    pub audiences: Option<Vec<String>>,
    /// Accepted algorithms. Left out: those of the keys.
    #[cfg_attr(feature = "schema", schemars(length(min = 1)))]
    pub algorithms: Option<Vec<Algorithm>>,
    /// Claims that a token must have. Left out: `exp` and the first of `subject_claims` in `jwt`, none in `introspection`.
    #[cfg_attr(feature = "schema", schemars(with = "Option<Vec<super::claims::written::Reference>>"))]
    pub required_claims: Vec<ClaimReference>,
    /// Conditions on claims; all must hold, or the token is not accepted.
    #[cfg_attr(
        feature = "schema",
        schemars(
            with = "Option<std::collections::BTreeMap<String, super::claims::written::Condition>>",
            extend("examples" = [{"token_use": "access", "client_id": ["app1", "app2"], "acct": {"not": "guest"}}]),
        )
    )]
    pub claims: Vec<ClaimCondition>,
    /// Claims that may have the subject. The first one that is present counts; its value must be a string.
    #[cfg_attr(
        feature = "schema",
        schemars(
            with = "Option<Vec<super::claims::written::Reference>>",
            length(min = 1),
            extend("default" = [SUBJECT_CLAIM]),
        )
    )]
    pub subject_claims: Vec<ClaimReference>,
    /// Accepted media types of the token.
    #[cfg_attr(feature = "schema", schemars(skip))]
    pub types: Option<Vec<String>>,
    /// A profile that tokens must have.
    #[cfg_attr(feature = "schema", schemars(skip))]
    pub profile: Option<Profile>,
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
    /// Claims that may have the scopes, each an array of strings or a string with spaces (RFC 8693 section 4.2). A string
    /// that is not a scope-token (RFC 6749 section 3.3) is no scope. A token with more than 1,024 scopes is refused.
    #[cfg_attr(
        feature = "schema",
        schemars(
            with = "Option<Vec<super::claims::written::Reference>>",
            length(min = 1),
            extend("default" = SCOPE_CLAIMS),
        )
    )]
    pub scope_claims: Vec<ClaimReference>,
    /// Which of the scope claims count.
    #[cfg_attr(feature = "schema", schemars(default))]
    pub scope_mode: ScopeMode,
    /// Roles of the token, and the scopes that each of them grants.
    pub roles: Option<RolesConfig>,
    /// The places where the token may be. Equal tokens in several places count as one. Different tokens are refused, unless the
    /// scheme has `from_order: first`. Left out: `{header: Authorization, prefix: "Bearer "}`.
    #[cfg_attr(
        feature = "schema",
        schemars(with = "Option<Vec<super::places::written::CredentialPlace>>", length(min = 1))
    )]
    pub from: Option<Vec<CredentialLocation>>,
    /// Claims, each with the request header that it is copied to. An array is sent as values separated by commas, an object as JSON.
    #[cfg_attr(
        feature = "schema",
        schemars(
            with = "Option<std::collections::BTreeMap<String, super::claims::written::ClaimHeader>>",
            extend("examples" = [{
                "email": "x-auth-email",
                "address.city": "x-auth-city",
                "name": {"header": "x-auth-name", "on_invalid": "percent_encode"},
            }]),
        )
    )]
    pub claims_to_headers: Vec<ClaimHeaderConfig>,
    /// The request header that gets the payload of the token.
    #[cfg_attr(feature = "schema", schemars(skip))]
    pub payload_to_header: Option<String>,
    /// Claims that the native module sets in the dynamic metadata `lychgate`, under these names: strings, numbers, booleans
    /// and arrays of strings as they are, others as JSON text. Envoy offers no dynamic metadata to Wasm modules.
    #[cfg_attr(
        feature = "schema",
        schemars(
            with = "Option<Vec<super::claims::written::Reference>>",
            extend("examples" = [["email", "realm_access.roles"]]),
        )
    )]
    pub claims_to_metadata: Vec<ClaimReference>,
    /// Proof of possession.
    #[cfg_attr(feature = "schema", schemars(flatten))]
    pub proof: ProofConfig,
    /// Tokens that are revoked.
    #[cfg_attr(feature = "schema", schemars(with = "Option<Revocations>"))]
    pub revoked: Revocations,
    /// A list of further revoked tokens, polled.
    pub revocation: Option<RevocationConfig>,
}

const LEEWAY_SECONDS: Number<u64> = Number { least: 0, most: 86_400, default: 60 };
const MAX_TOKEN_BYTES: Number<usize> = Number { least: 64, most: 1_048_576, default: 8192 };
const SUBJECT_CLAIM: &str = "sub";
const SCOPE_CLAIMS: [&str; 3] = ["scopes", "scope", "scp"];

/// The set of defaults.
#[derive(Clone, Copy)]
enum Default {
    /// Those of `jwt`.
    Token,
    /// Those of `introspection`.
    Answer,
}

impl JwtConfig {
    /// Reads a `jwt` object.
    pub fn read(node: Node<'_>) -> Option<Self> {
        let object = node.object()?;
        let keys = read_key_source(&object);
        Self::read_with(object, keys, Default::Token)
    }

    /// Reads an `introspection` object, which is as `jwt` but for where the verdict comes from.
    pub fn read_introspection(node: Node<'_>) -> Option<Self> {
        let object = node.object()?;
        let keys = IntrospectionConfig::read(&object).map(KeySource::Introspection);
        Self::read_with(object, keys, Default::Answer)
    }

    fn read_with(object: Object<'_>, keys: Option<KeySource>, default: Default) -> Option<Self> {
        let strings = |n: Node<'_>| n.list(|n| n.text());
        let issuer = object.optional("issuer", |n| n.text());
        let audiences = object.optional("audiences", |n| non_empty(n, strings));
        let algorithms = object.optional("algorithms", |n| non_empty(n, |n| n.list(read_algorithm)));
        let required_claims = object.optional("required_claims", read_references);
        let claims = object.optional("claims", read_conditions).unwrap_or_default();
        let subject_claims = object.optional("subject_claims", |n| non_empty(n, read_references));
        // An introspected token has no header and no payload that could be read.
        let is_read = match default {
            Default::Token => true,
            Default::Answer => false,
        };
        let types = is_read.then(|| object.optional("types", |n| non_empty(n, strings))).flatten();
        let profile =
            is_read.then(|| object.optional("profile", |n| n.enumeration(Profile::WORDS))).flatten();
        let leeway_seconds = object.number("leeway_seconds", &LEEWAY_SECONDS);
        let max_token_bytes = object.number("max_token_bytes", &MAX_TOKEN_BYTES);
        let scope_claims = object.optional("scope_claims", |n| non_empty(n, read_references));
        let scope_mode =
            object.optional("scope_mode", |n| n.enumeration(ScopeMode::WORDS)).unwrap_or_default();
        let has_roles = object.has("roles");
        let roles = object.optional("roles", RolesConfig::read);
        let from = object.optional("from", |n| read_locations(n, "Bearer "));
        let claims_to_headers = object.optional("claims_to_headers", read_claims_to_headers);
        let payload_to_header =
            is_read.then(|| object.optional("payload_to_header", read_own_header_name)).flatten();
        let claims_to_metadata = object.optional("claims_to_metadata", read_claims_to_metadata);
        let proof = ProofConfig::read(&object);
        let revoked = object.optional("revoked", read_revoked).unwrap_or_default();
        let has_revocation = object.has("revocation");
        let revocation = object.optional("revocation", RevocationConfig::read);
        object.finish();
        if (has_revocation && revocation.is_none()) || (has_roles && roles.is_none()) {
            return None;
        }
        let subject_claims = subject_claims.unwrap_or_else(|| vec![ClaimReference::named(SUBJECT_CLAIM)]);
        let required = || match default {
            Default::Token => {
                let first = subject_claims.first().cloned();
                std::iter::once(ClaimReference::named("exp")).chain(first).collect()
            }
            Default::Answer => Vec::new(),
        };
        Some(Self {
            keys: keys?,
            issuer,
            audiences,
            algorithms,
            required_claims: required_claims.unwrap_or_else(required),
            claims,
            subject_claims,
            types,
            profile,
            leeway_seconds,
            max_token_bytes,
            scope_claims: scope_claims.unwrap_or_else(|| SCOPE_CLAIMS.map(ClaimReference::named).into()),
            scope_mode,
            roles,
            from,
            claims_to_headers: claims_to_headers.unwrap_or_default(),
            payload_to_header,
            claims_to_metadata: claims_to_metadata.unwrap_or_default(),
            proof,
            revoked,
            revocation,
        })
    }
}

/// The same as written, where the types above hold something else.
#[cfg(feature = "schema")]
#[expect(dead_code, reason = "schemas are derived from these types; values of them are never made")]
pub(super) mod written {
    use schemars::JsonSchema;

    use super::super::key_source::written::{Keys, with_cluster};
    use super::super::{IntrospectionConfig, IssuerConfig};
    use super::{JwtConfig, Profile};

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
        /// Accepted media types of the token (`typ` of its header, RFC 7515 section 4.1.9), without `application/`, in any case;
        /// a token without `typ` is refused. Left out: every type but those that say that the token is neither an access token
        /// nor an ID token, such as `logout+jwt` and `dpop+jwt`.
        #[schemars(length(min = 1), inner(length(min = 1)), extend("examples" = [["at+jwt"]]))]
        types: Option<Vec<String>>,
        /// A profile that tokens must have: sets `types` and `required_claims`, and needs `audiences`.
        profile: Option<Profile>,
        /// The request header that gets the payload of the token, base64url as it is in the token.
        #[schemars(length(min = 1))]
        payload_to_header: Option<String>,
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
}

//! `schemes`: OpenAPI 3.1 Security Scheme Objects, and how each credential is verified.

use super::issue::IssueConfig;
use super::jwt::JwtConfig;
use super::node::{Node, Object};
use crate::credential::CredentialLocation;
use crate::http_syntax::is_token;

/// A Security Scheme Object with Lychgate's additions.
#[derive(Clone, Debug)]
pub struct SchemeConfig {
    /// What kind of credential, and how it is verified.
    pub kind: SchemeKind,
    /// OpenAPI's `description`.
    pub description: Option<String>,
    /// The status when the credential is missing: 401 or 403.
    pub missing_status: Option<u16>,
    /// The realm of the challenge (RFC 9110 section 11.5); unset: `lychgate`.
    pub realm: Option<String>,
    /// Whether the upstream gets to see the credential.
    pub forward: bool,
}

/// OpenAPI's `type`, with what belongs to each.
#[derive(Clone, Debug)]
pub enum SchemeKind {
    /// `type: http`, `scheme: bearer` (RFC 6750).
    Bearer {
        /// OpenAPI's hint at the form of the token.
        bearer_format: Option<String>,
        /// How the token is verified.
        jwt: JwtConfig,
        /// Those who must know the token's subject.
        users: Option<TokenUsersConfig>,
    },
    /// `type: http`, `scheme: basic` (RFC 7617).
    Basic {
        /// The directory under `users`.
        users: String,
    },
    /// `type: apiKey`.
    ApiKey {
        /// Where the key stands; a header in lower case.
        location: CredentialLocation,
        /// The name of the header, query parameter or cookie as it was written, for documents.
        written_name: String,
        /// The directory of keys under `api_keys`.
        directory: String,
    },
    /// `type: oauth2` (RFC 6749).
    OAuth2 {
        /// The flows, each as OpenAPI's OAuth Flow Object.
        flows: Flows,
        /// How the access token is verified.
        jwt: JwtConfig,
        /// Those who must know the token's subject.
        users: Option<TokenUsersConfig>,
        /// How tokens are issued, if here.
        issue: Option<IssueConfig>,
    },
    /// `type: openIdConnect` (OpenID Connect Discovery 1.0).
    OpenIdConnect {
        /// The discovery document.
        url: String,
        /// How the token is verified.
        jwt: JwtConfig,
        /// Those who must know the token's subject.
        users: Option<TokenUsersConfig>,
    },
}

/// `users` of a token: the directory that must know its subject, and what that means for its scopes.
#[derive(Clone, Debug)]
pub struct TokenUsersConfig {
    /// The directory under `users`.
    pub directory: String,
    /// `users_scopes`.
    pub scopes: UsersScopes,
}

/// `users_scopes`: which scopes of a token count where its user's are listed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UsersScopes {
    /// Those that the user has too, now.
    #[default]
    Cut,
    /// All of them.
    Token,
}

/// `in` of an `apiKey` scheme.
#[derive(Clone, Copy)]
enum In {
    Header,
    Query,
    Cookie,
}

/// OpenAPI's OAuth Flows Object.
#[derive(Clone, Debug, Default)]
pub struct Flows {
    /// Each flow that is there, by its OpenAPI name.
    pub flows: Vec<(&'static str, Flow)>,
}

/// OpenAPI's OAuth Flow Object.
#[derive(Clone, Debug)]
pub struct Flow {
    /// `authorizationUrl`, of the flows that have one.
    pub authorization_url: Option<String>,
    /// `tokenUrl`, of the flows that have one.
    pub token_url: Option<String>,
    /// `refreshUrl`.
    pub refresh_url: Option<String>,
    /// Scope to description.
    pub scopes: Vec<(String, String)>,
}

#[derive(Clone, Copy)]
enum Type {
    Http,
    ApiKey,
    OAuth2,
    OpenIdConnect,
}

impl SchemeConfig {
    /// Reads one entry of `schemes`.
    pub fn read(node: Node<'_>) -> Option<Self> {
        let object = node.object()?;
        let kind_word = object.required("type", |n| {
            n.enumeration(&[
                ("http", Type::Http),
                ("apiKey", Type::ApiKey),
                ("oauth2", Type::OAuth2),
                ("openIdConnect", Type::OpenIdConnect),
            ])
        })?;
        let description = object.optional("description", |n| n.string());
        let missing_status = object.optional("missing_status", |n| match n.integer(0..=999)? {
            401 => Some(401),
            403 => Some(403),
            other => n.error(format_args!("must be 401 or 403, got {other}")),
        });
        let realm = object.optional("realm", read_realm);
        let forward = object.optional("forward", |n| n.bool()).unwrap_or(false);
        let kind = match kind_word {
            Type::Http => read_http(&object),
            Type::ApiKey => read_api_key(&object),
            Type::OAuth2 => read_oauth2(&object),
            Type::OpenIdConnect => read_open_id_connect(&object),
        };
        object.finish();
        Some(Self { kind: kind?, description, missing_status, realm, forward })
    }
}

/// How the token is verified: by `jwt`, or by asking who issued it.
fn read_token(object: &Object<'_>) -> Option<JwtConfig> {
    if !object.has("introspection") {
        return object.required("jwt", JwtConfig::read);
    }
    match object.one_of(&["jwt", "introspection"])? {
        "jwt" => object.optional("jwt", JwtConfig::read),
        _ => object.optional("introspection", JwtConfig::read_introspection),
    }
}

/// The users behind tokens.
fn read_users(object: &Object<'_>) -> Option<TokenUsersConfig> {
    let directory = object.optional("users", |n| n.text());
    let scopes = object.optional("users_scopes", |n| {
        if !object.has("users") {
            return n.error("speaks of `users`, and there is none");
        }
        n.enumeration(&[("cut", UsersScopes::Cut), ("token", UsersScopes::Token)])
    });
    Some(TokenUsersConfig { directory: directory?, scopes: scopes.unwrap_or_default() })
}

fn read_http(object: &Object<'_>) -> Option<SchemeKind> {
    let is_basic = object.required("scheme", |n| {
        // RFC 9110 section 11.1: scheme names are case-insensitive.
        match n.string()?.to_ascii_lowercase().as_str() {
            "bearer" => Some(false),
            "basic" => Some(true),
            other => n.error(format_args!("unknown value {other:?}; known: `bearer`, `basic`")),
        }
    })?;
    if is_basic {
        return Some(SchemeKind::Basic { users: object.required("users", |n| n.text())? });
    }
    let bearer_format = object.optional("bearerFormat", |n| n.string());
    let users = read_users(object);
    let jwt = read_token(object);
    Some(SchemeKind::Bearer { bearer_format, jwt: jwt?, users })
}

fn read_api_key(object: &Object<'_>) -> Option<SchemeKind> {
    let location = object.required("in", |n| {
        n.enumeration(&[("header", In::Header), ("query", In::Query), ("cookie", In::Cookie)])
    });
    let written_name = object.required("name", |n| {
        let name = n.text()?;
        match location {
            Some(In::Header | In::Cookie) if !is_token(&name) => {
                n.error(format_args!("{name:?} is not a header or cookie name (RFC 9110 token)"))
            }
            _ => Some(name),
        }
    });
    let directory = object.required("api_keys", |n| n.text());
    let (location, written_name) = (location?, written_name?);
    let location = match location {
        In::Header => CredentialLocation::Header {
            name: written_name.to_ascii_lowercase().into(),
            prefix: String::new(),
        },
        In::Query => CredentialLocation::Query(written_name.clone()),
        In::Cookie => CredentialLocation::Cookie(written_name.clone()),
    };
    Some(SchemeKind::ApiKey { location, written_name, directory: directory? })
}

fn read_oauth2(object: &Object<'_>) -> Option<SchemeKind> {
    let flows = object.required("flows", read_flows);
    let users = read_users(object);
    let issues = object.has("issue");
    let issue = object.optional("issue", IssueConfig::read);
    let jwt = read_token(object);
    if issues && issue.is_none() {
        return None;
    }
    Some(SchemeKind::OAuth2 { flows: flows?, jwt: jwt?, users, issue })
}

fn read_open_id_connect(object: &Object<'_>) -> Option<SchemeKind> {
    let url = object.required("openIdConnectUrl", |n| n.text());
    let users = read_users(object);
    let jwt = read_token(object);
    Some(SchemeKind::OpenIdConnect { url: url?, jwt: jwt?, users })
}

/// The flows with the URLs that OpenAPI 3.1 requires of each.
const FLOWS: [(&str, bool, bool); 4] = [
    ("implicit", true, false),
    ("password", false, true),
    ("clientCredentials", false, true),
    ("authorizationCode", true, true),
];

fn read_flows(node: Node<'_>) -> Option<Flows> {
    let object = node.object()?;
    let mut flows = Vec::new();
    for (name, authorization_url, token_url) in FLOWS {
        if let Some(flow) = object.optional(name, |n| read_flow(n, authorization_url, token_url)) {
            flows.push((name, flow));
        }
    }
    object.finish();
    Some(Flows { flows })
}

fn read_flow(node: Node<'_>, authorization_url: bool, token_url: bool) -> Option<Flow> {
    let object = node.object()?;
    let url = |key, wanted: bool| {
        if wanted { object.required(key, |n| n.text()) } else { None }
    };
    let authorization_url = url("authorizationUrl", authorization_url);
    let token_url = url("tokenUrl", token_url);
    let refresh_url = object.optional("refreshUrl", |n| n.text());
    let scopes = object.required("scopes", |n| n.map(|n| n.string()));
    object.finish();
    let scopes = scopes?.into_iter();
    Some(Flow {
        authorization_url,
        token_url,
        refresh_url,
        scopes: scopes.map(|(name, text)| (name, text.unwrap_or_default())).collect(),
    })
}

/// A realm stands in a quoted string of a header of ours: what would need escaping is refused.
fn read_realm(node: Node<'_>) -> Option<String> {
    let realm = node.string()?;
    if realm.bytes().all(|b| matches!(b, b' '..=b'~') && b != b'"' && b != b'\\') {
        Some(realm)
    } else {
        node.error("may hold printable ASCII only, without quotes and backslashes")
    }
}

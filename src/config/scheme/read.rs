//! Each kind of scheme, read.

use super::super::fields::read_credential_header;
use super::super::flows::read_flows;
use super::super::issue::IssueConfig;
use super::super::jwt::JwtConfig;
use super::super::node::{Node, Object};
use super::{
    ApiKeySchemeConfig, BasicConfig, BearerConfig, KeyLocation, OAuth2Config, OpenIdConnectConfig,
    SchemeKind, TokenUsersConfig, UsersScopes,
};
use crate::credential::CredentialLocation;
use crate::http_syntax::is_token;

/// How the token is verified: by `jwt`, or by asking its issuer.
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
        n.enumeration(UsersScopes::WORDS)
    });
    Some(TokenUsersConfig { directory: directory?, scopes: scopes.unwrap_or_default() })
}

pub(super) fn read_http(object: &Object<'_>) -> Option<SchemeKind> {
    let is_basic = object.required("scheme", |n| {
        // RFC 9110 section 11.1: scheme names are case-insensitive.
        match n.string()?.to_ascii_lowercase().as_str() {
            "bearer" => Some(false),
            "basic" => Some(true),
            other => n.error(format_args!("unknown value {other:?}; known: `bearer`, `basic`")),
        }
    })?;
    if is_basic {
        return Some(SchemeKind::Basic(BasicConfig { users: object.required("users", |n| n.text())? }));
    }
    let bearer_format = object.optional("bearerFormat", |n| n.string());
    let has_keys = object.has("api_keys");
    let api_keys = object.optional("api_keys", |n| n.text());
    let users = read_users(object);
    if has_keys && !object.has("jwt") && !object.has("introspection") {
        let api_keys = Some(api_keys?);
        return Some(SchemeKind::Bearer(BearerConfig { bearer_format, jwt: None, users, api_keys }));
    }
    let jwt = Some(read_token(object)?);
    if has_keys && api_keys.is_none() {
        return None;
    }
    Some(SchemeKind::Bearer(BearerConfig { bearer_format, jwt, users, api_keys }))
}

pub(super) fn read_api_key(object: &Object<'_>) -> Option<SchemeKind> {
    let location = object.required("in", |n| n.enumeration(KeyLocation::WORDS));
    let written_name = object.required("name", |n| {
        let name = n.text()?;
        match location {
            Some(KeyLocation::Header | KeyLocation::Cookie) if !is_token(&name) => {
                n.error(format_args!("{name:?} is not a header or cookie name (RFC 9110 token)"))
            }
            Some(KeyLocation::Header) => read_credential_header(n).map(|_| name),
            Some(KeyLocation::Cookie | KeyLocation::Query) | None => Some(name),
        }
    });
    let directory = object.required("api_keys", |n| n.text());
    let (location, written_name) = (location?, written_name?);
    let location = match location {
        KeyLocation::Header => CredentialLocation::Header {
            name: written_name.to_ascii_lowercase().into(),
            prefix: String::new(),
        },
        KeyLocation::Query => CredentialLocation::Query(written_name.clone()),
        KeyLocation::Cookie => CredentialLocation::Cookie(written_name.clone()),
    };
    Some(SchemeKind::ApiKey(ApiKeySchemeConfig { location, written_name, directory: directory? }))
}

pub(super) fn read_oauth2(object: &Object<'_>) -> Option<SchemeKind> {
    let flows = object.required("flows", read_flows);
    let metadata_url = object.optional("oauth2MetadataUrl", |n| n.text());
    let users = read_users(object);
    let issues = object.has("issue");
    let issue = object.optional("issue", IssueConfig::read);
    let jwt = read_token(object);
    if issues && issue.is_none() {
        return None;
    }
    Some(SchemeKind::OAuth2(OAuth2Config { flows: flows?, metadata_url, jwt: jwt?, users, issue }))
}

pub(super) fn read_open_id_connect(object: &Object<'_>) -> Option<SchemeKind> {
    let url = object.required("openIdConnectUrl", |n| n.text());
    let users = read_users(object);
    let jwt = read_token(object);
    Some(SchemeKind::OpenIdConnect(OpenIdConnectConfig { url: url?, jwt: jwt?, users }))
}

/// The status of the answer if a credential is missing.
pub fn read_missing_status(node: Node<'_>) -> Option<u16> {
    match node.integer(0..=999)? {
        401 => Some(401),
        403 => Some(403),
        other => node.error(format_args!("must be 401 or 403, got {other}")),
    }
}

/// A realm is in a quoted string of a header: a character that needs escaping is refused.
pub(super) fn read_realm(node: Node<'_>) -> Option<String> {
    let realm = node.string()?;
    if realm.bytes().all(|b| matches!(b, b' '..=b'~') && b != b'"' && b != b'\\') {
        Some(realm)
    } else {
        node.error("may hold printable ASCII only, without quotes and backslashes")
    }
}

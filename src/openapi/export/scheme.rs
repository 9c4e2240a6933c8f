//! Security Scheme Objects (OpenAPI 3.1 section 4.8.27) in FastAPI's shapes.

use serde_json::{Value, json};

use crate::config::{
    ApiKeySchemeConfig, BearerConfig, Flow, Flows, OAuth2Config, OpenIdConnectConfig, SchemeConfig,
    SchemeKind,
};
use crate::credential::CredentialLocation;
use crate::json::object;

/// The Security Scheme Object of a scheme. How it is verified never appears.
#[must_use]
pub fn security_scheme(scheme: &SchemeConfig) -> Value {
    let mut object = match &scheme.kind {
        SchemeKind::Bearer(BearerConfig { bearer_format, .. }) => {
            let mut object = json!({"type": "http", "scheme": "bearer"});
            if let (Some(format), Some(object)) = (bearer_format, object.as_object_mut()) {
                object.insert("bearerFormat".into(), format.as_str().into());
            }
            object
        }
        SchemeKind::Basic(_) => json!({"type": "http", "scheme": "basic"}),
        SchemeKind::ApiKey(ApiKeySchemeConfig { location, written_name, .. }) => {
            let location = match location {
                CredentialLocation::Header { .. } | CredentialLocation::Subprotocol(_) => "header",
                CredentialLocation::Query(_) => "query",
                CredentialLocation::Cookie(_) => "cookie",
            };
            json!({"type": "apiKey", "in": location, "name": written_name})
        }
        SchemeKind::OAuth2(OAuth2Config { flows, metadata_url, .. }) => {
            let mut object = json!({"type": "oauth2", "flows": flows_object(flows)});
            if let (Some(url), Some(object)) = (metadata_url, object.as_object_mut()) {
                object.insert("oauth2MetadataUrl".into(), url.as_str().into());
            }
            object
        }
        SchemeKind::OpenIdConnect(OpenIdConnectConfig { url, .. }) => {
            json!({"type": "openIdConnect", "openIdConnectUrl": url})
        }
        SchemeKind::MutualTls(_) => json!({"type": "mutualTLS"}),
    };
    if let (Some(description), Some(object)) = (&scheme.description, object.as_object_mut()) {
        object.insert("description".into(), description.as_str().into());
    }
    if let (true, Some(object)) = (scheme.deprecated, object.as_object_mut()) {
        object.insert("deprecated".into(), true.into());
    }
    object
}

fn flows_object(flows: &Flows) -> Value {
    let flows = flows.flows.iter().map(|(name, flow)| ((*name).to_owned(), flow_object(flow)));
    object(flows)
}

fn flow_object(flow: &Flow) -> Value {
    let scopes = object(flow.scopes.iter().map(|(name, text)| (name.clone(), text.as_str().into())));
    let mut object = json!({"scopes": scopes});
    let urls = [
        ("authorizationUrl", &flow.authorization_url),
        ("tokenUrl", &flow.token_url),
        ("deviceAuthorizationUrl", &flow.device_authorization_url),
        ("refreshUrl", &flow.refresh_url),
    ];
    if let Some(object) = object.as_object_mut() {
        for (key, url) in urls {
            if let Some(url) = url {
                object.insert(key.into(), url.as_str().into());
            }
        }
    }
    object
}

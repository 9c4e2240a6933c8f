//! `flows` of an OAuth 2 scheme: where tokens come from, in OpenAPI's words.

use super::node::Node;

/// OpenAPI's OAuth Flows Object.
#[derive(Clone, Debug, Default)]
pub struct Flows {
    /// Each flow that is there, by its OpenAPI name.
    pub flows: Vec<(&'static str, Flow)>,
}

/// OpenAPI's OAuth Flow Object.
#[derive(Clone, Debug)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(rename_all = "camelCase", deny_unknown_fields)
)]
pub struct Flow {
    /// The authorisation endpoint.
    ///
    /// Of the flows that have one.
    #[cfg_attr(feature = "schema", schemars(length(min = 1)))]
    pub authorization_url: Option<String>,
    /// The token endpoint. With `issue` it is a path that Lychgate serves.
    ///
    /// Of the flows that have one.
    #[cfg_attr(feature = "schema", schemars(length(min = 1)))]
    pub token_url: Option<String>,
    /// Where a device asks for its code (RFC 8628 section 3.1).
    ///
    /// Of the flow that has one.
    #[cfg_attr(feature = "schema", schemars(length(min = 1)))]
    pub device_authorization_url: Option<String>,
    /// Where a token is renewed; for the document that is served.
    #[cfg_attr(feature = "schema", schemars(length(min = 1)))]
    pub refresh_url: Option<String>,
    /// Scope to description.
    #[cfg_attr(feature = "schema", schemars(with = "std::collections::BTreeMap<String, String>"))]
    pub scopes: Vec<(String, String)>,
}

/// The flows with the URLs that OpenAPI 3.2 requires of each: `authorizationUrl`, `tokenUrl`,
/// `deviceAuthorizationUrl`.
const FLOWS: [(&str, [bool; 3]); 5] = [
    ("implicit", [true, false, false]),
    ("password", [false, true, false]),
    ("clientCredentials", [false, true, false]),
    ("authorizationCode", [true, true, false]),
    ("deviceAuthorization", [false, true, true]),
];

/// Reads `flows`.
pub fn read_flows(node: Node<'_>) -> Option<Flows> {
    let object = node.object()?;
    let mut flows = Vec::new();
    for (name, urls) in FLOWS {
        if let Some(flow) = object.optional(name, |n| read_flow(n, urls)) {
            flows.push((name, flow));
        }
    }
    object.finish();
    Some(Flows { flows })
}

fn read_flow(node: Node<'_>, [authorization_url, token_url, device_url]: [bool; 3]) -> Option<Flow> {
    let object = node.object()?;
    let url = |key, wanted: bool| {
        if wanted { object.required(key, |n| n.text()) } else { None }
    };
    let authorization_url = url("authorizationUrl", authorization_url);
    let token_url = url("tokenUrl", token_url);
    let device_authorization_url = url("deviceAuthorizationUrl", device_url);
    let refresh_url = object.optional("refreshUrl", |n| n.text());
    let scopes = object.required("scopes", |n| n.map(|n| n.string()));
    object.finish();
    let scopes = scopes?.into_iter();
    Some(Flow {
        authorization_url,
        token_url,
        device_authorization_url,
        refresh_url,
        scopes: scopes.map(|(name, text)| (name, text.unwrap_or_default())).collect(),
    })
}

/// The schema: what a flow's name decides, which of the URLs it has.
#[cfg(feature = "schema")]
mod written {
    use std::borrow::Cow;

    use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
    use serde_json::Map;

    use super::super::scheme::written::{define, properties, require};
    use super::{FLOWS, Flow, Flows};

    impl JsonSchema for Flows {
        fn schema_name() -> Cow<'static, str> {
            "Flows".into()
        }

        fn json_schema(generator: &mut SchemaGenerator) -> Schema {
            let mut flows = Map::new();
            for (flow, [authorization_url, token_url, device_url]) in FLOWS {
                let (name, endpoints) = match (authorization_url, token_url) {
                    _ if device_url => ("DeviceFlow", "a token endpoint and one for devices"),
                    (true, true) => ("CodeFlow", "both endpoints"),
                    (true, false) => ("ImplicitFlow", "an authorisation endpoint"),
                    (false, true) => ("TokenFlow", "a token endpoint"),
                    (false, false) => ("Flow", "no endpoint"),
                };
                let mut schema = Flow::json_schema(generator);
                schema.insert(
                    "description".into(),
                    format!("OpenAPI's OAuth Flow Object, with {endpoints}.").into(),
                );
                let urls = [
                    ("authorizationUrl", authorization_url),
                    ("tokenUrl", token_url),
                    ("deviceAuthorizationUrl", device_url),
                ];
                for (url, is_there) in urls {
                    if is_there {
                        require(&mut schema, &[url]);
                    } else if let Some(properties) = properties(&mut schema) {
                        properties.remove(url);
                    }
                }
                let mut reference = define(generator, name, schema);
                let description = match flow {
                    "implicit" => "RFC 6749 section 4.2.",
                    "password" => {
                        "RFC 6749 section 4.3: a username and a password for a token. Lychgate can serve this flow itself."
                    }
                    "clientCredentials" => "RFC 6749 section 4.4.",
                    "deviceAuthorization" => "RFC 8628, of OpenAPI 3.2.",
                    _ => "RFC 6749 section 4.1.",
                };
                if let Some(reference) = reference.as_object_mut() {
                    reference.insert("description".into(), description.into());
                }
                flows.insert(flow.to_owned(), reference);
            }
            json_schema!({
                "description": "OpenAPI's OAuth Flows Object.",
                "type": "object",
                "properties": flows,
                "additionalProperties": false,
            })
        }
    }
}

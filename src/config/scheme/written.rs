//! The schema of a scheme, whose `type` decides which keys it has: a definition for each kind.
//!
//! The keys are those of the types that are read. What is added here is how they go together.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Map, Value, json};

use super::super::jwt::written::{Introspection, Jwt};
use super::super::mutual_tls::MutualTlsConfig;
use super::{ApiKeySchemeConfig, BasicConfig, BearerConfig, OAuth2Config, OpenIdConnectConfig, SchemeConfig};

/// The verification of tokens from an issuer.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "the schema is derived from this type; values of it are never made")]
pub struct Token {
    /// How the token is verified.
    jwt: Option<Jwt>,
    /// In place of `jwt`: the token is opaque, and Lychgate asks its issuer (RFC 7662).
    introspection: Option<Introspection>,
}

/// The properties of an object's schema.
pub fn properties(schema: &mut Schema) -> Option<&mut Map<String, Value>> {
    schema.get_mut("properties").and_then(Value::as_object_mut)
}

/// Adds `more` to the properties of `schema`.
fn add(schema: &mut Schema, more: Map<String, Value>) {
    if let Some(properties) = properties(schema) {
        properties.extend(more);
    }
}

/// Requires `keys`, which are among the properties.
pub fn require(schema: &mut Schema, keys: &[&str]) {
    let required = schema.ensure_object().entry("required").or_insert_with(|| json!([]));
    if let Some(required) = required.as_array_mut() {
        required.extend(keys.iter().map(|&key| key.into()));
    }
}

/// Makes `schema` a definition, and refers to it.
pub fn define(generator: &mut SchemaGenerator, name: &str, schema: Schema) -> Value {
    generator.definitions_mut().insert(name.to_owned(), schema.to_value());
    json!({"$ref": format!("#/$defs/{name}")})
}

/// `schemes`: a Security Scheme Object.
pub struct Scheme;

impl Scheme {
    /// The keys of one kind: its own, `type` and `scheme`, and those that all kinds have.
    fn kind<T: JsonSchema>(
        generator: &mut SchemaGenerator,
        kind: &str,
        http_scheme: Option<(&str, &str)>,
    ) -> Schema {
        let mut schema = T::json_schema(generator);
        let mut common = SchemeConfig::json_schema(generator);
        add(&mut schema, properties(&mut common).map(std::mem::take).unwrap_or_default());
        let mut fixed =
            json!({"type": {"description": "The kind of scheme.", "type": "string", "const": kind}});
        let mut required = vec!["type"];
        if let Some((name, pattern)) = http_scheme {
            required.push("scheme");
            let scheme = json!({
                "description": format!("`{name}`, in any case (RFC 9110 section 11.1)."),
                "type": "string",
                "pattern": pattern,
                "examples": [name],
            });
            if let Some(fixed) = fixed.as_object_mut() {
                fixed.insert("scheme".into(), scheme);
            }
        }
        if let Value::Object(fixed) = fixed {
            add(&mut schema, fixed);
        }
        require(&mut schema, &required);
        schema.insert("additionalProperties".into(), false.into());
        schema
    }

    /// A scheme whose OpenAPI part is in a document: it may have the keys of any kind, and has no `type`.
    fn described(kinds: &[(&str, Schema)]) -> Schema {
        let mut all = Map::new();
        for (_, kind) in kinds {
            let own = kind.get("properties").and_then(Value::as_object).into_iter().flatten();
            all.extend(own.map(|(key, property)| (key.clone(), property.clone())));
        }
        all.remove("type");
        let of_document = "In place of the document's.";
        all.insert("scheme".into(), json!({"description": of_document, "type": "string", "minLength": 1}));
        for (key, description) in [
            ("bearerFormat", of_document),
            ("in", of_document),
            ("name", of_document),
            ("flows", of_document),
            ("openIdConnectUrl", of_document),
            ("oauth2MetadataUrl", of_document),
            ("users", "As in the scheme of the document's type."),
            ("api_keys", "As in `apiKey`."),
            ("issue", "As in `oauth2`."),
            ("allow", "As in `mutualTLS`."),
        ] {
            if let Some(Value::Object(property)) = all.get_mut(key) {
                property.insert("description".into(), description.into());
            }
        }
        json_schema!({
            "description": "A scheme whose OpenAPI part is in `openapi.document` under the same name: only how the \
                credential is verified is written here.",
            "type": "object",
            "properties": all,
            "additionalProperties": false,
            "not": {"required": ["type"]},
            "anyOf": [
                {"required": ["jwt"]}, {"required": ["introspection"]}, {"required": ["api_keys"]},
                {"required": ["users"]}, {"required": ["allow"]},
            ],
            "examples": [{"api_keys": "partners"}],
        })
    }
}

impl JsonSchema for Scheme {
    fn schema_name() -> Cow<'static, str> {
        "Scheme".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let bearer = Some(("bearer", "^[Bb][Ee][Aa][Rr][Ee][Rr]$"));
        let basic = Some(("basic", "^[Bb][Aa][Ss][Ii][Cc]$"));
        let kinds = [
            ("Bearer", Self::kind::<BearerConfig>(generator, "http", bearer)),
            ("Basic", Self::kind::<BasicConfig>(generator, "http", basic)),
            ("ApiKeyScheme", Self::kind::<ApiKeySchemeConfig>(generator, "apiKey", None)),
            ("OAuth2", Self::kind::<OAuth2Config>(generator, "oauth2", None)),
            ("OpenIdConnect", Self::kind::<OpenIdConnectConfig>(generator, "openIdConnect", None)),
            ("MutualTls", Self::kind::<MutualTlsConfig>(generator, "mutualTLS", None)),
        ];
        let described = Self::described(&kinds);
        let kinds = kinds.into_iter().chain([("DescribedScheme", described)]);
        let kinds: Vec<_> = kinds.map(|(name, schema)| define(generator, name, schema)).collect();
        json_schema!({"description": "A kind of credential.", "anyOf": kinds})
    }
}

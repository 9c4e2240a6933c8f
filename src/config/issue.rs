//! `issue`: the token endpoint that the filter serves itself (RFC 6749 section 4.3).

use super::fields::{SecretSource, read_client_secret};
use super::node::Node;
use crate::normal_path::NormalPath;
use crate::setting::Number;

/// How Lychgate issues tokens: `POST tokenUrl` with a form of `username`, `password` and, if wanted,
/// `grant_type=password`, `scope`, `client_id`, `client_secret`.
#[derive(Clone, Debug)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(rename = "Issue", deny_unknown_fields, extend("examples" = [
        {"expires_in": 1800},
        {"clients": [{"client_id": "app", "client_secret": {"env": "APP_SECRET"}}]},
    ]))
)]
pub struct IssueConfig {
    /// Lifetime of a token, in seconds.
    #[cfg_attr(
        feature = "schema",
        schemars(
            with = "Option<u32>",
            range(min = Self::EXPIRES_IN.least, max = Self::EXPIRES_IN.most),
            extend("default" = Self::EXPIRES_IN.default),
        )
    )]
    pub expires_in: u32,
    /// The clients that may ask for a token. Left out: every client, and client credentials are ignored.
    #[cfg_attr(feature = "schema", schemars(length(min = 1)))]
    pub clients: Option<Vec<ClientConfig>>,
    /// For hosts that hold a request's body back together with its head (Istio's WasmPlugin, Envoy before 1.35,
    /// Envoy without `allow_on_headers_stop_iteration`): lets the head of a request for a token go on to the
    /// upstream, without credentials and body, so that the body can be read. If false, such requests are refused
    /// there with 408, and no part of them reaches the upstream.
    #[cfg_attr(feature = "schema", schemars(default))]
    pub release_head: bool,
}

/// A client (RFC 6749 section 2).
#[derive(Clone, Debug)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(rename = "Client", deny_unknown_fields)
)]
pub struct ClientConfig {
    /// Its identifier.
    #[cfg_attr(feature = "schema", schemars(rename = "client_id", length(min = 1)))]
    pub id: String,
    /// Its secret. A client without one is public (RFC 6749 section 2.1).
    #[cfg_attr(
        feature = "schema",
        schemars(rename = "client_secret", with = "Option<super::fields::written::Secret>")
    )]
    pub secret: Option<SecretSource>,
}

impl IssueConfig {
    const EXPIRES_IN: Number<u32> = Number { least: 1, most: 31_536_000, default: 900 };

    /// Reads `issue`.
    pub fn read(node: Node<'_>) -> Option<Self> {
        let object = node.object()?;
        let expires_in = object.number("expires_in", &Self::EXPIRES_IN);
        let has_clients = object.has("clients");
        let clients = object.optional("clients", read_clients);
        let release_head = object.optional("release_head", |n| n.bool()).unwrap_or_default();
        object.finish();
        if has_clients && clients.is_none() {
            return None;
        }
        Some(Self { expires_in, clients, release_head })
    }
}

fn read_clients(node: Node<'_>) -> Option<Vec<ClientConfig>> {
    let clients = node.list(read_client)?;
    if clients.is_empty() {
        return node.error("would refuse every client; leave it out to accept all");
    }
    for (index, client) in clients.iter().enumerate() {
        if clients.iter().take(index).any(|earlier| earlier.id == client.id) {
            return node.error(format_args!("two clients have the client_id {:?}", client.id));
        }
    }
    Some(clients)
}

fn read_client(node: Node<'_>) -> Option<ClientConfig> {
    let object = node.object()?;
    let id = object.required("client_id", |n| n.text());
    let has_secret = object.has("client_secret");
    let secret = object.optional("client_secret", read_client_secret);
    object.finish();
    if has_secret && secret.is_none() {
        return None;
    }
    Some(ClientConfig { id: id?, secret })
}

/// The path of a `tokenUrl` that the filter serves itself. FastAPI writes it relative to the root:
/// `token`.
///
/// # Errors
/// What is wrong with it: another host, a query, a path that no request in normal form can have.
pub fn served_path(url: &str) -> Result<String, String> {
    if url.contains("://") || url.starts_with("//") {
        return Err("with `issue` the filter serves it itself: give a path such as /token".into());
    }
    let relative = url.strip_prefix("./").unwrap_or(url);
    let path = if relative.starts_with('/') { relative.to_owned() } else { format!("/{relative}") };
    let is_plain = NormalPath::new(path.as_bytes()).is_ok();
    if !is_plain || path == "/" || path.contains(['%', '?', '{', '}']) {
        return Err(format!("{url:?} is not a plain path such as /token"));
    }
    Ok(path)
}

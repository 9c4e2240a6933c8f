//! `issue`: the token endpoint that the filter serves itself (RFC 6749 section 4.3).

use super::fields::{SecretSource, read_secret};
use super::node::Node;
use crate::normal_path::NormalPath;

/// How tokens are issued.
#[derive(Clone, Debug)]
pub struct IssueConfig {
    /// Lifetime of a token, in seconds.
    pub expires_in: u32,
    /// The clients that may ask for one; unset: every client, and client credentials are ignored.
    pub clients: Option<Vec<ClientConfig>>,
    /// Whether the head of a request for a token may go on to the upstream, without credentials, where the host
    /// cannot hold it back alone.
    pub release_head: bool,
}

/// A client (RFC 6749 section 2).
#[derive(Clone, Debug)]
pub struct ClientConfig {
    /// `client_id` (RFC 6749 section 2.2).
    pub id: String,
    /// `client_secret`; a client without one is public (RFC 6749 section 2.1).
    pub secret: Option<SecretSource>,
}

impl IssueConfig {
    /// Reads `issue`.
    pub fn read(node: Node<'_>) -> Option<Self> {
        let object = node.object()?;
        let expires_in = object.optional("expires_in", |n| n.integer(1..=31_536_000));
        let has_clients = object.has("clients");
        let clients = object.optional("clients", read_clients);
        let release_head = object.optional("release_head", |n| n.bool()).unwrap_or_default();
        object.finish();
        if has_clients && clients.is_none() {
            return None;
        }
        let expires_in = expires_in.and_then(|seconds| u32::try_from(seconds).ok()).unwrap_or(900);
        Some(Self { expires_in, clients, release_head })
    }
}

fn read_clients(node: Node<'_>) -> Option<Vec<ClientConfig>> {
    let clients = node.list(read_client)?;
    if clients.is_empty() {
        return node.error("would let no client in; leave it out to let in every one");
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
    let secret = object.optional("client_secret", read_secret);
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
        return Err("with `issue` the gate serves it itself: give a path such as /token".into());
    }
    let relative = url.strip_prefix("./").unwrap_or(url);
    let path = if relative.starts_with('/') { relative.to_owned() } else { format!("/{relative}") };
    let is_plain = NormalPath::new(path.as_bytes()).is_ok();
    if !is_plain || path == "/" || path.contains(['%', '?', '{', '}']) {
        return Err(format!("{url:?} is not a plain path such as /token"));
    }
    Ok(path)
}

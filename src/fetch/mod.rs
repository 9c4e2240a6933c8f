//! What comes from outside by HTTP: key sets, OpenID Connect discovery, revocation lists, and what
//! an issuer says of opaque tokens. Nothing here knows a host beyond [`crate::host::Host`].
//!
//! One worker fetches for all: the [`FetchState`] of a source is shared, and with it a lease. The others
//! take what was published by its version.

mod fetch_state;
mod fetcher;
mod headers;
mod introspection;
mod introspection_cache;
mod introspection_queue;
mod log_throttle;
mod pending_fetch;
mod remote_source;
mod revocation;
mod shared_data;
mod uri;

pub use fetch_state::{FetchState, Fetched, RefreshPolicy};
pub use fetcher::{Fetcher, Urgency};
pub use headers::FetchHeaders;
pub use introspection::{Introspection, IntrospectionResult, IntrospectionSettings, Introspector};
pub use pending_fetch::{PendingFetch, TokenDigest, TokenDigests};
pub use remote_source::{Content, Discovery, FetchStatus, KeyFormat, RemoteSource, SourceKind};
pub use revocation::Revocations;
pub use uri::{Uri, issuer_of, metadata_urls};

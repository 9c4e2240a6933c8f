//! What comes from outside by HTTP: key sets, OpenID Connect discovery, revocation lists, and what
//! an issuer says of opaque tokens. Nothing here knows a host beyond [`crate::host::Host`].
//!
//! One worker fetches for all: the [`Record`] of a source is shared, and with it a lease. The others
//! take what was published by its version.

mod awaited;
mod fetcher;
mod introspection;
mod lines;
mod memory;
mod queue;
mod record;
mod revocation;
mod shared;
mod source;
mod uri;

pub use awaited::{Awaited, TokenDigest, TokenDigests};
pub use fetcher::{Remotes, Wants};
pub use introspection::{Answer, Introspection, IntrospectionSettings, Introspector};
pub use record::{Fetched, Limits, Record};
pub use revocation::Revocations;
pub use source::{Content, Discovery, Source, SourceKind, Standing};
pub use uri::{Uri, issuer_of};

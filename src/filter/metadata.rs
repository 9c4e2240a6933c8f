//! Dynamic metadata: who a request comes from, for filters after this one, in values and not in text.

use crate::host::{Metadata, Stream};
use crate::identity::Identity;

const SUBJECT: &str = "subject";
const SCHEME: &str = "scheme";
const SCOPES: &str = "scopes";

/// Tells of a request that goes on, and was not only spared.
pub fn tell(stream: &dyn Stream, identity: &Identity) {
    if let Some(subject) = &identity.subject {
        stream.set_metadata(SUBJECT, Metadata::Text(subject));
    }
    match identity.schemes.as_slice() {
        [scheme] => stream.set_metadata(SCHEME, Metadata::Text(scheme)),
        schemes => stream.set_metadata(SCHEME, Metadata::Text(&schemes.join(","))),
    }
    if !identity.scopes.is_empty() {
        stream.set_metadata(SCOPES, Metadata::List(&identity.scopes));
    }
}

//! Protected resources (RFC 9728).

/// A protected resource.
#[derive(Debug)]
pub struct Resource {
    /// The path that requests for it have, with all below it; without a slash at the end.
    pub path: String,
    /// Where its metadata is served.
    pub metadata_path: String,
    /// The same as clients know it.
    pub metadata_url: String,
    /// The metadata, as JSON.
    pub metadata: Vec<u8>,
    /// By the number of a scheme: the condition that its tokens name the resource in `aud`; `None`: the scheme has audiences
    /// of its own, or no tokens.
    pub audiences: Vec<Option<usize>>,
}

impl Resource {
    /// Whether a request with this path, in normal form, is for it.
    #[must_use]
    pub fn covers(&self, path: &str) -> bool {
        path.strip_prefix(self.path.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }
}

/// The resource that a request with this path is for: the one with the longest path.
#[must_use]
pub fn resource_of<'r>(resources: &'r [Resource], path: &str) -> Option<&'r Resource> {
    let covering = resources.iter().filter(|resource| resource.covers(path));
    covering.max_by_key(|resource| resource.path.len())
}

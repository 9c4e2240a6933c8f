//! A header map as the ABI hands it over.

#[path = "../../src/proxy/map.rs"]
mod map;

/// What is read is what was written, and nothing else is read.
pub fn run(data: &[u8]) {
    let Some(headers) = map::parse(data) else { return };
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).ok();
    let texts: Option<Vec<_>> =
        headers.iter().map(|(name, value)| Some((text(name)?, text(value)?))).collect();
    // Only text is written.
    if let Some(texts) = texts.filter(|_| !data.is_empty()) {
        let written = map::serialize(&texts);
        assert_eq!(data.get(..written.len()), Some(written.as_slice()), "{texts:?}");
    }
}

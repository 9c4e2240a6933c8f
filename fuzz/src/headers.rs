//! A header map as the ABI hands it over.

#[path = "../../src/proxy/header_map.rs"]
mod header_map;

/// What is read is exactly what was written.
pub fn run(data: &[u8]) {
    let mut headers = header_map::HeaderPairs::new();
    if header_map::parse(data, &mut headers).is_none() {
        return;
    }
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).ok();
    let texts: Option<Vec<_>> =
        headers.iter().map(|(name, value)| Some((text(name)?, text(value)?))).collect();
    // Only text is written.
    if let Some(texts) = texts.filter(|_| !data.is_empty()) {
        let written = header_map::serialize(&texts);
        assert_eq!(data.get(..written.len()), Some(written.as_slice()), "{texts:?}");
    }
}

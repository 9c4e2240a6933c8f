//! Small changes of text.

/// A regular expression for this text.
pub fn regex_escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        if !(letter.is_ascii_alphanumeric() || "/_-~%!@,;:='\" ".contains(letter) || !letter.is_ascii()) {
            escaped.push('\\');
        }
        escaped.push(letter);
    }
    escaped
}

/// A claim reference for these steps: a name, or a JSON Pointer (RFC 6901) where there are several or where the name could
/// be read as several. With dots between them a claim whose own name has the dots would come first.
pub fn claim_reference(steps: &[&str]) -> String {
    match steps {
        [name] if !name.is_empty() && !name.contains(['.', '/', '~']) => (*name).to_owned(),
        _ => steps.iter().map(|step| format!("/{}", step.replace('~', "~0").replace('/', "~1"))).collect(),
    }
}

/// Another reference to the same claim: a JSON Pointer for a name, or the steps with dots for a JSON Pointer. The latter is
/// for conditions that allow: they are met by a claim with the dots in its name too, which the issuer would have to write.
pub fn other_reference(reference: &str) -> Option<String> {
    match reference.strip_prefix('/') {
        None => Some(format!("/{reference}")),
        Some(steps) if steps.contains(['.', '~']) => None,
        Some(steps) => Some(steps.replace('/', ".")),
    }
}

/// A name that can be that of a scheme, a directory or a scope: of an identifier's letters.
pub fn plain_name(text: &str) -> String {
    text.chars().map(|c| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '_' }).collect()
}

/// A duration of protobuf's JSON (`1.5s`) or of Kubernetes (`5m`, `1h30m`, `500ms`) in whole seconds, rounded up.
pub fn seconds(text: &str) -> Option<u64> {
    let mut rest = text;
    let mut sum = 0.0_f64;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !(c.is_ascii_digit() || c == '.'))?;
        let (number, after) = rest.split_at(end);
        let unit_end = after.find(|c: char| c.is_ascii_digit()).unwrap_or(after.len());
        let (unit, next) = after.split_at(unit_end);
        let factor = match unit {
            "h" => 3600.0,
            "m" => 60.0,
            "s" => 1.0,
            "ms" => 0.001,
            _ => return None,
        };
        sum += number.parse::<f64>().ok()? * factor;
        rest = next;
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "held within a year")]
    (0.0..=31_536_000.0).contains(&sum).then(|| sum.ceil() as u64)
}

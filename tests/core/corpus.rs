//! 2,639 public OpenAPI documents as policies: what the core answers is what another reading of them says.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use jsonschema::Validator;
use lychgate::config::{Config, Errors};
use lychgate::decision::Decision;
use lychgate::engine::Engine;
use lychgate::host::InMemoryHost;
use lychgate::openapi::export;
use lychgate::request::Request;
use lychgate_tests::corpus::{self, Reading};
use lychgate_tests::{python, rows, tokens};
use serde_json::Value;

/// Why documents are refused, and how many of this version of the package are. A reason is a part of the message.
const REASONS: [(&str, usize); 6] = [
    // `//`, and `;`, which the filter refuses in every request.
    ("can never match", 3),
    // Operations that differ in the names of their parameters alone.
    ("needs something else than", 3),
    // Two scopes with a space between.
    ("is not a scope", 1),
    // `{accountName}` as the value of `accountName`.
    ("the value of a variable is no part of a plain path", 2),
    // An API key in the header `Cookie`.
    ("a cookie is named by itself", 2),
    // The header `ADVICEment API Key`.
    ("is not a header or cookie name", 1),
];

/// What was seen.
#[derive(Default)]
struct Seen {
    documents: usize,
    requests: usize,
    wrong: Vec<String>,
    refused: BTreeMap<String, Vec<String>>,
    valid: usize,
    invalid: Vec<String>,
    lost: Vec<String>,
}

#[test]
fn public_documents_are_read_as_another_reading_has_them() {
    let Some(folder) = corpus::folder() else { return };
    let schemas = schemas();
    let readings = rows::chosen(corpus::readings(&folder), |reading| reading.file.clone());
    let is_whole = std::env::var_os("LYCHGATE_ROW").is_none();
    let (next, seen) = (AtomicUsize::new(0), Mutex::new(Seen::default()));
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some(reading) = readings.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let own = look_at(reading, &folder, &schemas);
                    seen.lock().expect("no thread has failed").add(own);
                }
            });
        }
    });
    let seen = seen.into_inner().expect("no thread has failed");
    let refused: usize = seen.refused.values().map(Vec::len).sum();
    println!(
        "corpus: {} documents, {refused} refused; {} requests, {} wrong answers; {} served documents valid, {} not; \
         {} operations that lost their security",
        seen.documents,
        seen.requests,
        seen.wrong.len(),
        seen.valid,
        seen.invalid.len(),
        seen.lost.len(),
    );
    for (reason, files) in &seen.refused {
        println!("corpus: {} refused: {reason}: {}", files.len(), files.join(", "));
    }
    let first = |lines: &[String]| lines.iter().take(20).cloned().collect::<Vec<_>>().join("\n");
    assert!(seen.wrong.is_empty(), "wrong answers:\n{}", first(&seen.wrong));
    assert!(seen.lost.is_empty(), "security lost:\n{}", first(&seen.lost));
    assert!(seen.invalid.is_empty(), "served documents invalid:\n{}", first(&seen.invalid));
    let counted: Vec<_> = seen.refused.iter().map(|(reason, files)| (reason.as_str(), files.len())).collect();
    let mut wanted = REASONS.to_vec();
    wanted.sort_unstable();
    assert!(!is_whole || counted == wanted, "{counted:?} instead of {wanted:?}");
    assert!(!is_whole || refused * 200 <= seen.documents, "fewer than 99.5 % are taken");
}

impl Seen {
    fn add(&mut self, other: Self) {
        self.documents += other.documents;
        self.requests += other.requests;
        self.valid += other.valid;
        self.wrong.extend(other.wrong);
        self.invalid.extend(other.invalid);
        self.lost.extend(other.lost);
        for (reason, files) in other.refused {
            self.refused.entry(reason).or_default().extend(files);
        }
    }
}

fn look_at(reading: &Reading, folder: &Path, schemas: &[(&str, Validator)]) -> Seen {
    let mut seen = Seen { documents: 1, ..Seen::default() };
    let document = reading.document(folder);
    let described = reading.as_described(&document).to_string();
    let keyed = Engine::compile(reading.with_keys(&document).to_string().as_bytes(), &|_| None);
    let (described_too, keyed) = match (Engine::compile(described.as_bytes(), &|_| None), keyed) {
        (Ok(_), Ok(keyed)) => (described, keyed),
        (Err(errors), _) | (_, Err(errors)) => {
            let text = errors.first().map(ToString::to_string).unwrap_or_default();
            let reason = REASONS.iter().find(|(reason, _)| text.contains(reason));
            let reason = reason.map_or_else(|| text.clone(), |(reason, _)| (*reason).to_owned());
            seen.refused.insert(reason, vec![reading.file.clone()]);
            return seen;
        }
    };
    let host = InMemoryHost::at(tokens::now());
    for asked in reading.asked() {
        let headers =
            [(":method", asked.method.as_str()), (":path", &asked.path), (":authority", "localhost")];
        let own = asked.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let headers: Vec<(&[u8], &[u8])> =
            headers.into_iter().chain(own).map(|(name, value)| (name.as_bytes(), value.as_bytes())).collect();
        let decision = keyed.engine.decide(&Request::new(&headers), &host, true);
        seen.requests += 1;
        if matches!(decision, Decision::Allow(_)) != asked.passes {
            let should = if asked.passes { "pass" } else { "be refused" };
            seen.wrong.push(format!(
                "{}: {} {} {} should {should}: {decision:?}",
                reading.file, asked.method, asked.path, asked.what
            ));
        }
    }
    served(reading, &document, &described_too, schemas, &mut seen);
    seen
}

/// What is served has every requirement, and is valid where the document was.
fn served(
    reading: &Reading,
    document: &Value,
    configuration: &str,
    schemas: &[(&str, Validator)],
    seen: &mut Seen,
) {
    let errors = Errors::default();
    let served = export::document(&Config::read(configuration.as_bytes(), &errors));
    let inherited = document.get("security");
    for (path, item) in document["paths"].as_object().into_iter().flatten() {
        let Some(item) = item.as_object().filter(|item| !item.contains_key("$ref")) else { continue };
        for (method, operation) in item.iter().filter(|(_, value)| value.get("responses").is_some()) {
            let security =
                operation.get("security").or(inherited).filter(|own| **own != serde_json::json!([]));
            let shown = served["paths"][path.as_str()][method.as_str()].get("security");
            if security.is_some() != shown.is_some() {
                seen.lost.push(format!("{}: {method} {path}: {security:?} and {shown:?}", reading.file));
            }
        }
    }
    let schema = schemas.iter().find(|(version, _)| reading.version.starts_with(version));
    if let Some((_, schema)) = schema.filter(|(_, schema)| schema.is_valid(document)) {
        match schema.validate(&served) {
            Ok(()) => seen.valid += 1,
            Err(error) => seen.invalid.push(format!("{}: {}: {error}", reading.file, error.instance_path())),
        }
    }
}

/// The official JSON Schemas, by the version that they are for.
pub(super) fn schemas() -> Vec<(&'static str, Validator)> {
    let Some(python) = python::python("tests/corpus/requirements.txt") else { return Vec::new() };
    let library = python.parent().and_then(Path::parent).expect("a venv").join("lib");
    let version = std::fs::read_dir(library).expect("a folder").flatten().next().expect("a Python").path();
    let resources = version.join("site-packages/openapi_spec_validator/resources/schemas");
    let of = |version: &'static str, folder: &str| {
        let text = std::fs::read(resources.join(folder).join("schema.json")).expect("a schema");
        let schema: Value = serde_json::from_slice(&text).expect("JSON");
        (version, jsonschema::validator_for(&schema).expect("a schema"))
    };
    vec![of("3.0", "v3.0"), of("3.1", "v3.1"), of("3.2", "v3.2")]
}

//! `lychgate bundle`: an OpenAPI document and the files that it refers to, as one document.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use serde_json::{Map, Value};

use crate::document::{self, Node};

/// The member of the bundled document that holds the other files.
const MEMBER: &str = "x-bundled";

/// Which document.
#[derive(Args)]
#[command(
    after_help = "The plugin reads one document and no other file. Here each file that a `$ref` names becomes a member of
`x-bundled`, and each `$ref` leads there. What is behind a URL is not fetched.

Examples:
  lychgate bundle openapi/index.yaml > openapi.json
  lychgate bundle openapi/index.yaml | lychgate import - > lychgate.yaml"
)]
pub struct Arguments {
    /// The OpenAPI document, JSON or YAML; `-` for standard input
    file: String,
}

/// Prints the document as JSON.
///
/// # Errors
/// If a file cannot be read, or a reference is to a URL.
pub fn run(arguments: &Arguments) -> Result<ExitCode, String> {
    let (_, document) = read(&arguments.file)?;
    let text = serde_json::to_string_pretty(&document).map_err(|error| error.to_string())?;
    println!("{text}");
    Ok(ExitCode::SUCCESS)
}

/// The document of a file with its lines, and what it is as one document.
///
/// # Errors
/// If a file cannot be read, or a reference is to a URL.
pub fn read(file: &str) -> Result<(Node, Value), String> {
    let node = one(file)?;
    let root = normal(Path::new(file));
    let mut document = node.value.to_value();
    let mut files = Files { root: root.clone(), waiting: Vec::new(), read: BTreeMap::new() };
    files.rewrite(&mut document, &root)?;
    while let Some(path) = files.waiting.pop() {
        let mut other = one(&path.to_string_lossy())?.value.to_value();
        files.rewrite(&mut other, &path)?;
        files.read.insert(name_of(&path), other);
    }
    if let (false, Some(members)) = (files.read.is_empty(), document.as_object_mut()) {
        members.insert(MEMBER.to_owned(), files.read.into_iter().collect::<Map<_, _>>().into());
    }
    Ok((node, document))
}

fn one(file: &str) -> Result<Node, String> {
    let text = crate::read_text(file)?;
    let documents = document::parse(&text).map_err(|error| format!("{file}: not YAML or JSON: {error}"))?;
    let count = documents.len();
    let [node] = <[Node; 1]>::try_from(documents)
        .map_err(|_| format!("{file}: one document is needed, there are {count}"))?;
    Ok(node)
}

struct Files {
    root: PathBuf,
    waiting: Vec<PathBuf>,
    read: BTreeMap<String, Value>,
}

impl Files {
    /// Makes each `$ref` of a file lead to where its target is in the bundle.
    fn rewrite(&mut self, value: &mut Value, file: &Path) -> Result<(), String> {
        match value {
            Value::Array(items) => items.iter_mut().try_for_each(|item| self.rewrite(item, file)),
            Value::Object(members) => {
                for (key, value) in members {
                    match value {
                        Value::String(reference) if key == "$ref" => {
                            *reference = self.target(reference, file)?
                        }
                        // A value of a request is not the document's.
                        _ if matches!(key.as_str(), "example" | "enum" | "const") => {}
                        value => self.rewrite(value, file)?,
                    }
                }
                Ok(())
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Ok(()),
        }
    }

    fn target(&mut self, reference: &str, file: &Path) -> Result<String, String> {
        let (other, pointer) = reference.split_once('#').unwrap_or((reference, ""));
        if other.contains("://") {
            let file = file.display();
            return Err(format!(
                "{file}: $ref {reference:?} is a URL; save what it names to a file, and name that"
            ));
        }
        let other = percent_decoded(other);
        let path = match other.as_str() {
            "" => file.to_owned(),
            other => normal(&file.parent().unwrap_or(Path::new("")).join(other)),
        };
        if path == self.root {
            return Ok(format!("#{pointer}"));
        }
        let name = name_of(&path);
        if !self.read.contains_key(&name) && !self.waiting.contains(&path) && path != file {
            self.waiting.push(path);
        }
        Ok(format!("#/{MEMBER}/{}{pointer}", name.replace('~', "~0").replace('/', "~1")))
    }
}

fn name_of(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let hex = after.get(..2).filter(|_| *first == b'%').and_then(|hex| std::str::from_utf8(hex).ok());
        match hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = after.get(2..).unwrap_or_default();
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// A path without `.` and `..`, as far as it goes without asking the file system.
fn normal(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir if normal.file_name().is_some_and(|name| name != "..") => drop(normal.pop()),
            Component::ParentDir | Component::Normal(_) | Component::RootDir | Component::Prefix(_) => {
                normal.push(component);
            }
        }
    }
    normal
}

//! The last step of building the module, after the linker: which callbacks it offers, and under which names.
//!
//! The crate `proxy-wasm` exports every callback of the ABI, and no flag of the linker takes one back. Envoy calls
//! each that is there, and each call costs a request a way into the VM and back. So here
//!
//! - a callback in which Lychgate has nothing to do is dropped ([`CALLBACKS`] are those that stay);
//! - an export `lychgate_on_*` takes the name and the place of `proxy_on_*`: it answers what the crate's cannot,
//!   and two functions of one name do not link;
//! - a function that nothing reaches any more is emptied. It keeps its number, so that nothing else changes.
//!
//! The same bytes in give the same bytes out.

mod error;
mod reach;

use std::collections::BTreeMap;
use std::ops::Range;

use wasm_encoder::{CodeSection, ExportKind, ExportSection, Function, Instruction, Module, RawSection};
use wasmparser::{ExternalKind, FunctionBody, Parser, Payload, Validator};

pub use error::Error;

/// The callbacks that the module offers, of those that the ABI has.
pub const CALLBACKS: [&str; 10] = [
    "proxy_on_configure",
    "proxy_on_context_create",
    "proxy_on_delete",
    "proxy_on_http_call_response",
    "proxy_on_memory_allocate",
    "proxy_on_request_body",
    "proxy_on_request_headers",
    "proxy_on_request_trailers",
    "proxy_on_response_headers",
    "proxy_on_tick",
];

/// What the name of a callback begins with, and of one that takes its place.
const CALLBACK: &str = "proxy_on_";
const IN_PLACE: &str = "lychgate_on_";

/// Exports by their names: what each is, and its number.
type Exports = BTreeMap<String, (ExternalKind, u32)>;

/// A section as it was, or what there is instead.
enum Section<'m> {
    AsItWas(RawSection<'m>),
    Exports,
    Code,
}

/// The module that the linker wrote, finished.
///
/// # Errors
/// If it is no valid module, lacks one of [`CALLBACKS`], or has an export `lychgate_on_*` for which the ABI's
/// callback is not there.
pub fn finish(module: &[u8]) -> Result<Vec<u8>, Error> {
    let mut sections = Vec::new();
    let mut exports = Exports::new();
    let mut bodies: Vec<FunctionBody<'_>> = Vec::new();
    let mut roots = Vec::new();
    let mut imported = 0_u32;
    for payload in Parser::new(0).parse_all(module) {
        let payload = payload?;
        match &payload {
            Payload::ImportSection(imports) => imported = reach::imported_functions(imports.clone())?,
            Payload::StartSection { func, .. } => roots.push(*func),
            Payload::ElementSection(elements) => roots.extend(reach::functions_of(elements.clone())?),
            Payload::GlobalSection(globals) => roots.extend(reach::functions_in(globals.clone())?),
            Payload::ExportSection(section) => {
                for export in section.clone() {
                    let export = export?;
                    exports.insert(export.name.to_owned(), (export.kind, export.index));
                }
                sections.push(Section::Exports);
                continue;
            }
            Payload::CodeSectionStart { .. } => {
                sections.push(Section::Code);
                continue;
            }
            Payload::CodeSectionEntry(body) => bodies.push(body.clone()),
            _ => {}
        }
        if let Some((id, range)) = payload.as_section() {
            let data = part(module, range)?;
            sections.push(Section::AsItWas(RawSection { id, data }));
        }
    }
    let exports = named(exports)?;
    let is_function = |(kind, index): &(ExternalKind, u32)| (*kind == ExternalKind::Func).then_some(*index);
    roots.extend(exports.values().filter_map(is_function));
    let reached = reach::from(roots, imported, &bodies)?;

    let mut finished = Module::new();
    for section in &sections {
        match section {
            Section::AsItWas(section) => finished.section(section),
            Section::Exports => finished.section(&export_section(&exports)?),
            Section::Code => finished.section(&code_section(module, &bodies, imported, &reached)?),
        };
    }
    let finished = finished.finish();
    Validator::new().validate_all(&finished)?;
    Ok(finished)
}

fn part(module: &[u8], range: Range<u64>) -> Result<&[u8], Error> {
    let place = |offset: u64| usize::try_from(offset).map_err(|_| Error::Truncated);
    module.get(place(range.start)?..place(range.end)?).ok_or(Error::Truncated)
}

/// The exports that stay, by the names that they are to have.
fn named(mut exports: Exports) -> Result<Exports, Error> {
    let in_place: Vec<String> = exports.keys().filter(|name| name.starts_with(IN_PLACE)).cloned().collect();
    for name in in_place {
        let callback = name.replacen(IN_PLACE, CALLBACK, 1);
        if !exports.contains_key(&callback) {
            return Err(Error::NothingToReplace { name, callback });
        }
        if let Some(own) = exports.remove(&name) {
            exports.insert(callback, own);
        }
    }
    exports.retain(|name, _| !name.starts_with(CALLBACK) || CALLBACKS.contains(&name.as_str()));
    match CALLBACKS.into_iter().find(|&callback| !exports.contains_key(callback)) {
        Some(callback) => Err(Error::NoCallback(callback)),
        None => Ok(exports),
    }
}

fn export_section(exports: &Exports) -> Result<ExportSection, Error> {
    let mut section = ExportSection::new();
    for (name, (kind, index)) in exports {
        let kind = match kind {
            ExternalKind::Func | ExternalKind::FuncExact => ExportKind::Func,
            ExternalKind::Table => ExportKind::Table,
            ExternalKind::Memory => ExportKind::Memory,
            ExternalKind::Global => ExportKind::Global,
            ExternalKind::Tag => ExportKind::Tag,
        };
        section.export(name, kind, *index);
    }
    Ok(section)
}

fn code_section(
    module: &[u8],
    bodies: &[FunctionBody<'_>],
    imported: u32,
    reached: &reach::Reached,
) -> Result<CodeSection, Error> {
    let mut section = CodeSection::new();
    for (number, body) in (imported..).zip(bodies) {
        if reached.contains(&number) {
            section.raw(part(module, body.range())?);
        } else {
            let mut empty = Function::new([]);
            empty.instruction(&Instruction::Unreachable).instruction(&Instruction::End);
            section.function(&empty);
        }
    }
    Ok(section)
}

#[cfg(test)]
#[path = "lib_tests.rs"]
mod tests;

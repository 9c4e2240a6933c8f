//! docs/observability.md, envoy.yaml and the module speak of the same stats.

use std::collections::{BTreeMap, BTreeSet};

use lychgate::engine::Engine;
use lychgate::metrics::{Definition, Kind, reasons};
use lychgate::policy::Policy;

use super::{parts, policy, text, yaml};

const PAGE: &str = "docs/observability.md";

/// The cells of each row of the tables of the page, without backticks.
fn rows() -> Vec<Vec<String>> {
    let cells = |line: &str| {
        let line = line.strip_prefix('|')?.strip_suffix('|')?;
        Some(line.split('|').map(|cell| cell.trim().replace('`', "")).collect())
    };
    text(PAGE).lines().filter_map(cells).collect()
}

fn list(cell: &str) -> Vec<String> {
    cell.split(", ").filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

fn definitions() -> Vec<Definition> {
    let compiled = Policy::compile(policy().to_string().as_bytes(), &|_| None);
    let policy = compiled.unwrap_or_else(|errors| panic!("{errors:?}")).policy;
    Engine::new(policy).metrics().definitions().to_vec()
}

#[test]
fn the_page_lists_just_the_stats_there_are() {
    let mut defined = BTreeMap::new();
    for Definition { kind, name } in definitions() {
        let kind = match kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
        };
        let (name, labels) = parts(&name);
        let labels: Vec<_> = labels.into_iter().map(|(key, _)| key).collect();
        assert_eq!(name.ends_with("_total"), kind == "counter", "{name}: Prometheus's names of counters");
        let before = defined.insert(name.clone(), (kind.to_owned(), labels.clone()));
        assert!(
            before.is_none_or(|before| before == (kind.to_owned(), labels)),
            "{name} is the same everywhere"
        );
    }
    let documented: BTreeMap<_, _> = rows()
        .into_iter()
        .filter(|row| row[0].starts_with("lychgate_"))
        .map(|row| (row[0].clone(), (row[1].clone(), list(&row[2]))))
        .collect();
    assert_eq!(documented, defined);
}

#[test]
fn the_page_lists_just_the_reasons_there_are() {
    let rows = rows();
    let table =
        rows.iter().skip_while(|row| row[0] != "reason").skip(2).take_while(|row| row[0] != "operator");
    let documented: BTreeSet<String> = table.flat_map(|row| list(&row[0])).collect();
    let defined: BTreeSet<_> = reasons().into_iter().map(str::to_owned).collect();
    assert_eq!(documented, defined);
}

#[test]
fn envoy_and_istio_are_told_of_every_label() {
    let labels: BTreeSet<_> =
        definitions().iter().flat_map(|own| parts(&own.name).1).map(|(key, _)| key).collect();
    let config = yaml("envoy.yaml");
    let tags = config["stats_config"]["stats_tags"].as_array().unwrap();
    let told: BTreeSet<_> = tags.iter().map(|tag| tag["tag_name"].as_str().unwrap().to_owned()).collect();
    assert_eq!(told, labels);
    for tag in tags {
        let name = tag["tag_name"].as_str().unwrap();
        assert_eq!(tag["regex"], format!(r"^wasmcustom\..*?({name}=\.=(.*?);\.;)"), "{name}");
    }
    let page = text(PAGE);
    let istio = page.split("extraStatTags: [").nth(1).unwrap().split(']').next().unwrap();
    assert_eq!(list(istio).into_iter().collect::<BTreeSet<_>>(), labels);
}

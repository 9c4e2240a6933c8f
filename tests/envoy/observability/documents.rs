//! docs/observability.md, envoy.yaml and the module speak of the same stats.

use std::collections::{BTreeMap, BTreeSet};

use lychgate::engine::Engine;
use lychgate::host::{StatDefinition, StatKind};
use lychgate::reason::Reason;

use super::{parts, policy, text, yaml};

const PAGE: &str = "docs/observability.md";

/// The cells of each row of the tables in the section of this title, without backticks and heads.
fn rows(title: &str) -> Vec<Vec<String>> {
    let page = text(PAGE);
    let section = page
        .split(&format!(
            "# {title}
"
        ))
        .nth(1)
        .unwrap_or_else(|| panic!("no section {title}"));
    let section = section
        .split(
            "
#",
        )
        .next()
        .unwrap();
    let cells = |line: &str| {
        let line = line.strip_prefix('|')?.strip_suffix('|')?;
        Some(line.split('|').map(|cell| cell.trim().replace('`', "")).collect::<Vec<_>>())
    };
    let rows: Vec<_> = section.lines().filter_map(cells).collect();
    let is_line = |row: &Vec<String>| row[0].starts_with("---");
    let head = |number: usize| rows.get(number + 1).is_some_and(is_line);
    let content = rows.iter().enumerate().filter(|(number, row)| !is_line(row) && !head(*number));
    content.map(|(_, row)| row.clone()).collect()
}

fn list(cell: &str) -> Vec<String> {
    cell.split(", ").filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

fn definitions() -> Vec<StatDefinition> {
    let compiled = Engine::compile(policy().to_string().as_bytes(), &|_| None);
    let engine = compiled.unwrap_or_else(|errors| panic!("{errors:?}")).engine;
    engine.metrics().definitions().to_vec()
}

#[test]
fn the_page_lists_just_the_stats_there_are() {
    let mut defined = BTreeMap::new();
    for StatDefinition { kind, name, .. } in definitions() {
        let kind = match kind {
            StatKind::Counter => "counter",
            StatKind::Gauge => "gauge",
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
    let documented: BTreeMap<_, _> = rows("Stats")
        .into_iter()
        .filter(|row| row[0].starts_with("lychgate_"))
        .map(|row| (row[0].clone(), (row[1].clone(), list(&row[2]))))
        .collect();
    assert_eq!(documented, defined);
}

/// docs/reasons.md is made of the same table, and the command's own tests hold it to that.
#[test]
fn every_reason_has_a_stat_and_every_denial_a_reason() {
    let denials = definitions().into_iter().map(|own| parts(&own.name));
    let denials = denials.filter(|(name, _)| name == "lychgate_denials_total");
    let counted: BTreeSet<_> = denials
        .flat_map(|(_, labels)| labels.into_iter().filter(|(key, _)| key == "reason").map(|(_, value)| value))
        .collect();
    let defined: BTreeSet<_> = Reason::ALL.iter().map(Reason::to_string).collect();
    assert_eq!(counted, defined);
}

#[test]
fn envoy_and_istio_know_every_label() {
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

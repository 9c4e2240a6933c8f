//! The repository's own envoy.yaml and examples at work, on ports of their own.

use std::fs;
use std::net::TcpListener;

use crate::envoy::{Envoy, root};

/// A running demonstration, as `make run` starts it.
pub struct Demonstration {
    envoy: Envoy,
    ports: Vec<(&'static str, &'static str, u16)>,
}

/// What a reader puts into envoy.yaml.
#[derive(Clone, Copy, Debug)]
pub enum Change<'c> {
    /// A plugin configuration, as YAML.
    Configuration(&'c str),
    /// An HTTP filter in the place of Lychgate, as YAML.
    Filter(&'c str),
}

/// The demonstration secret of `make run`.
///
/// # Panics
/// If it has none.
#[must_use]
pub fn secret() -> String {
    let makefile = fs::read_to_string(root().join("Makefile")).expect("the file is there");
    let secret = makefile.split("LYCHGATE_SECRET:-").nth(1).and_then(|rest| rest.split('}').next());
    secret.expect("make run has a demonstration secret").to_owned()
}

/// The text of envoy.yaml with a change in it.
///
/// # Panics
/// If envoy.yaml is not as it was.
#[must_use]
pub fn changed(change: &Change<'_>) -> String {
    let envoy = fs::read_to_string(root().join("envoy.yaml")).expect("the file is there");
    let (begin, end) = ("          - name: lychgate\n", "          - name: envoy.filters.http.router\n");
    let (before, rest) = envoy.split_once(begin).expect("Lychgate is in it");
    let (filter, after) = rest.split_once(end).expect("and the router after it");
    let middle = match change {
        Change::Configuration(text) => {
            let (head, _) = filter.split_once("                  value:\n").expect("a configuration");
            format!("{begin}{head}                  value:\n{}", indented(text, 20))
        }
        Change::Filter(text) => indented(text, 12).replacen("            ", "          - ", 1),
    };
    format!("{before}{middle}{end}{after}")
}

fn indented(text: &str, by: usize) -> String {
    text.lines().map(|line| format!("{}{line}\n", " ".repeat(by))).collect()
}

/// envoy.yaml with a filter before Lychgate or behind it.
///
/// # Panics
/// If envoy.yaml is not as it was.
#[must_use]
pub fn beside(envoy: &str, filter: &str, is_before: bool) -> String {
    let place = if is_before {
        "          - name: lychgate\n"
    } else {
        "          - name: envoy.filters.http.router\n"
    };
    let (before, after) = envoy.split_once(place).expect("the filters are in it");
    let filter = filter.lines().filter(|line| !line.starts_with('#')).collect::<Vec<_>>().join("\n");
    let filter = indented(&filter, 12).replacen("            ", "          - ", 1);
    format!("{before}{filter}{place}{after}")
}

/// Ports that are free, all different because all are held before any is let go.
fn free_ports<const N: usize>() -> [u16; N] {
    let held = [(); N].map(|()| TcpListener::bind("127.0.0.1:0").expect("a free port"));
    held.map(|listener| listener.local_addr().expect("a bound socket has an address").port())
}

impl Demonstration {
    /// Starts envoy.yaml with the secret of `make run`.
    ///
    /// # Panics
    /// If Envoy does not start.
    #[must_use]
    pub fn start() -> Self {
        Self::of("envoy.yaml", &[("LYCHGATE_SECRET", &secret())], None)
    }

    /// Starts envoy.yaml with another plugin configuration, or with another filter in Lychgate's place.
    ///
    /// # Panics
    /// As [`Demonstration::start`].
    #[must_use]
    pub fn with(change: &Change<'_>) -> Self {
        Self::of_text(&changed(change), &[("LYCHGATE_SECRET", &secret())], None)
    }

    /// Starts a configuration file of this repository. What it says of port 9000 is meant of
    /// `provider`.
    ///
    /// # Panics
    /// As [`Demonstration::start`].
    #[must_use]
    pub fn of(file: &str, environment: &[(&str, &str)], provider: Option<u16>) -> Self {
        let config = fs::read_to_string(root().join(file)).expect("the file is there");
        Self::of_text(&config, environment, provider)
    }

    /// Starts envoy.yaml as `change` writes it.
    ///
    /// # Panics
    /// As [`Demonstration::start`].
    #[must_use]
    pub fn rewritten(change: impl FnOnce(&str) -> String) -> Self {
        let envoy = fs::read_to_string(root().join("envoy.yaml")).expect("the file is there");
        Self::of_text(&change(&envoy), &[("LYCHGATE_SECRET", &secret())], None)
    }

    fn of_text(config: &str, environment: &[(&str, &str)], provider: Option<u16>) -> Self {
        // Others may be using the ports that the demonstration names.
        let [gate, upstream, admin] = free_ports();
        // By way of a mark, because a free port may itself read 49901.
        let mut ports =
            vec![("10000", "@gate@", gate), ("10001", "@upstream@", upstream), ("9901", "@admin@", admin)];
        ports.extend(provider.map(|provider| ("9000", "@provider@", provider)));
        let envoy = Envoy::start_with(1, &moved(&ports, config), "yaml", environment);
        Self { envoy: envoy.unwrap_or_else(|failure| panic!("{}", failure.log)), ports }
    }

    /// `text` with the ports of this demonstration in the place of those of envoy.yaml.
    #[must_use]
    pub fn moved(&self, text: &str) -> String {
        moved(&self.ports, text)
    }

    /// Host and port of the filter.
    #[must_use]
    pub fn gate(&self) -> String {
        self.moved("127.0.0.1:10000")
    }

    /// The Envoy.
    #[must_use]
    pub fn envoy(&self) -> &Envoy {
        &self.envoy
    }
}

fn moved(ports: &[(&str, &str, u16)], text: &str) -> String {
    let marked = ports.iter().fold(text.to_owned(), |text, (port, mark, _)| text.replace(port, mark));
    ports.iter().fold(marked, |text, (_, mark, free)| text.replace(mark, &free.to_string()))
}

//! The one configuration of a file, for the commands that work with one.

use lychgate::config::ConfigError;

use crate::document;
use crate::find::configurations;

/// A configuration, and the environment that its file gives it.
pub struct Configuration {
    file: String,
    text: String,
    environment: Vec<(String, String)>,
}

impl Configuration {
    /// The configuration in `file`.
    ///
    /// # Errors
    /// If the file cannot be read, or holds none or several.
    pub fn read(file: &str) -> Result<Self, String> {
        let text = crate::read_text(file)?;
        let documents =
            document::parse(&text).map_err(|error| format!("{file}: not YAML or JSON: {error}"))?;
        let mut found = documents.iter().flat_map(configurations);
        match (found.next(), found.next()) {
            (Some(found), None) => {
                Ok(Self { file: file.to_owned(), text: found.text, environment: found.environment })
            }
            (None, _) => Err(format!("{file}: no Lychgate configuration in it")),
            (Some(_), Some(_)) => Err(format!("{file}: several configurations in it; give a file with one")),
        }
    }

    /// What `compile` makes of it, with the environment of this process.
    ///
    /// # Errors
    /// The faults, one on each line.
    pub fn compile<T>(
        &self,
        compile: impl FnOnce(&[u8], &dyn Fn(&str) -> Option<String>) -> Result<T, Vec<ConfigError>>,
    ) -> Result<T, String> {
        let environment = |name: &str| {
            let given = self.environment.iter().find(|(own, _)| own == name).map(|(_, value)| value.clone());
            given.or_else(|| std::env::var(name).ok())
        };
        compile(self.text.as_bytes(), &environment).map_err(|errors| {
            let lines: Vec<_> = errors.iter().map(|error| format!("{}: {error}", self.file)).collect();
            lines.join("\n")
        })
    }
}

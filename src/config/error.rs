//! What is wrong in a configuration, where, and what to do about it.

use std::cell::RefCell;
use std::fmt;

/// One error in the configuration.
///
/// Its text never holds a secret: values of secrets are described by length, never quoted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    /// JSON path of the error, such as `schemes.oauth2.jwt.keys[0]`; `(root)` for the whole.
    pub path: String,
    /// What is wrong and the remedy.
    pub message: String,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.message)
    }
}

impl std::error::Error for ConfigError {}

/// Where in the JSON document the reader is. A chain on the stack: it costs nothing until
/// it is printed, and a directory of 100,000 keys has 500,000 places.
#[derive(Clone, Copy, Debug)]
pub enum Path<'p> {
    /// The whole document.
    Root,
    /// A member of an object.
    Key(&'p Path<'p>, &'p str),
    /// An item of an array.
    Index(&'p Path<'p>, usize),
    /// A place that was written down before.
    Text(&'p str),
}

impl<'p> Path<'p> {
    /// The path of member `name`.
    #[must_use]
    pub fn key(&'p self, name: &'p str) -> Path<'p> {
        Path::Key(self, name)
    }

    /// The path of item `index`.
    #[must_use]
    pub fn index(&'p self, index: usize) -> Path<'p> {
        Path::Index(self, index)
    }

    fn write(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Path::Root => Ok(()),
            Path::Text(text) => f.write_str(text),
            Path::Key(parent, name) => {
                parent.write(f)?;
                if is_plain(name) {
                    let dot = if matches!(parent, Path::Root) { "" } else { "." };
                    write!(f, "{dot}{name}")
                } else {
                    write!(f, "[{name:?}]")
                }
            }
            Path::Index(parent, index) => {
                parent.write(f)?;
                write!(f, "[{index}]")
            }
        }
    }
}

fn is_plain(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Path::Root => f.write_str("(root)"),
            _ => self.write(f),
        }
    }
}

/// Collects every error, so that a user mends a file once and not error by error.
#[derive(Debug, Default)]
pub struct Errors(RefCell<Vec<ConfigError>>);

impl Errors {
    /// Notes an error at `path`.
    pub fn add(&self, path: &Path<'_>, message: impl fmt::Display) {
        self.note(path, &message);
    }

    #[cold]
    #[inline(never)]
    fn note(&self, path: &Path<'_>, message: &dyn fmt::Display) {
        self.0.borrow_mut().push(ConfigError { path: path.to_string(), message: message.to_string() });
    }

    /// Notes the error if `result` is one.
    pub fn check<T, E: fmt::Display>(&self, path: &Path<'_>, result: Result<T, E>) -> Option<T> {
        result.map_err(|message| self.add(path, message)).ok()
    }

    /// Notes what was noted elsewhere.
    pub fn append(&self, others: Self) {
        self.0.borrow_mut().extend(others.into_vec());
    }

    /// All that were noted.
    pub fn into_vec(self) -> Vec<ConfigError> {
        self.0.into_inner()
    }

    /// `value`, unless an error was noted.
    ///
    /// # Errors
    /// All errors noted so far, in the order they were found.
    pub fn finish<T>(self, value: T) -> Result<T, Vec<ConfigError>> {
        let errors = self.0.into_inner();
        if errors.is_empty() { Ok(value) } else { Err(errors) }
    }
}

//! Why a module is not finished.

use std::fmt;

use wasmparser::BinaryReaderError;

/// Why a module is not finished.
#[derive(Debug)]
pub enum Error {
    /// It is no valid module, before or after.
    Invalid(BinaryReaderError),
    /// A part of it ends beyond its end.
    Truncated,
    /// It lacks this callback.
    NoCallback(&'static str),
    /// It has an export that is to take a callback's place, and not the callback.
    NothingToReplace {
        /// The export.
        name: String,
        /// The callback.
        callback: String,
    },
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Invalid(error) => write!(f, "not a valid module: {error}"),
            Self::Truncated => f.write_str("not a valid module: a part of it ends beyond its end"),
            Self::NoCallback(callback) => write!(f, "the module has no {callback}"),
            Self::NothingToReplace { name, callback } => {
                write!(f, "the module has {name}, and no {callback} whose place it could take")
            }
        }
    }
}

impl std::error::Error for Error {}

impl From<BinaryReaderError> for Error {
    fn from(error: BinaryReaderError) -> Self {
        Self::Invalid(error)
    }
}

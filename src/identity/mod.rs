//! Who may come in: API keys.

mod api_keys;

pub use api_keys::{ApiKey, ApiKeyDirectory, ApiKeyError};

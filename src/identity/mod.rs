//! Who may come in: users and API keys.

mod api_keys;
mod users;

pub use api_keys::{ApiKey, ApiKeyDirectory, ApiKeyError};
pub use users::{User, UserDirectory};

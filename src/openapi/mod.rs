//! OpenAPI both ways: a document becomes rules, and a policy becomes a document with interactive
//! documentation to it.

pub mod docs;
pub mod export;
pub mod import;
mod served;
pub mod skeleton;

pub use served::Served;

//! What is around the code: the documents, what is deployed, what is published, and the rules that the
//! sources keep to.

mod answers;
mod conventions;
mod deploy;
mod docs;
mod docs_browser;
mod envoy_lookup;
mod mcp;
mod modules;
mod readme;
mod schema;
mod supply_chain;

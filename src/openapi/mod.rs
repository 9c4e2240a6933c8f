//! OpenAPI out: a policy becomes a document, with interactive documentation to it; and a document becomes the
//! beginning of a configuration. How a document becomes rules is read in [`crate::config::openapi`].

pub mod docs;
pub mod export;
pub mod skeleton;

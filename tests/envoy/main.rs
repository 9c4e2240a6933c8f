//! The module in a real Envoy.

mod attacks;
mod behaviour;
mod capabilities;
mod chain;
mod config_faults;
mod corpus;
mod counterparts;
mod fastapi_compat;
mod faults;
mod issuer;
mod login;
mod native;
mod observability;
mod possession;
mod routes;
mod secrets;
mod vectors;
mod waiting;

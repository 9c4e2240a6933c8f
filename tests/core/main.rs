//! The core, natively: no Envoy, no module.

mod allocations;
mod behaviour;
mod config_faults;
mod corpus;
mod providers;
mod secrets;
mod served;
mod vectors;

//! Requests that wait, in a real Envoy: nothing of them reaches the upstream before they are allowed, what
//! is allowed arrives once and whole, and waiting requests take no worker down.

mod bed;
mod beside;
mod client;
mod forms;
mod load;
mod logins;
mod places;
mod released;
mod replaced;
mod shipped;
mod table;
mod ways;

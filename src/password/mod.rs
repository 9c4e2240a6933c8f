//! Passwords: hashes of bounded cost, failures throttled, the worker's time budgeted, verified
//! Basic credentials remembered.
//!
//! A hash takes tens of milliseconds, and the worker serves nobody meanwhile. So the throttle is
//! asked first, then the budget, and only then is a password hashed.

mod budget;
mod checker;
mod hash;
mod memory;
mod throttle;

pub use budget::Budget;
pub use checker::{Outcome, PasswordChecker};
pub use hash::PasswordHash;
pub use memory::Memory;

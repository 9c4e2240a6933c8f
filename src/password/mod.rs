//! Passwords: hashes of bounded cost, failures throttled, the worker's time budgeted, verified
//! Basic credentials remembered.
//!
//! A hash takes tens of milliseconds, and the worker serves nobody meanwhile. So the throttle is
//! asked first, then the budget, and only then is a password hashed. Who of those who ask at once gets
//! something of the budget is decided by what each has cost lately.

mod address;
mod admission;
mod budget;
mod checker;
mod hash;
mod memory;
mod throttle;
mod usage;

pub use budget::Budget;
pub use checker::{Admitted, Outcome, PasswordChecker};
pub use hash::PasswordHash;
pub use memory::Memory;
pub use throttle::Account;

//! Logins: failures throttled, the worker's time budgeted, verified Basic credentials remembered.
//!
//! A hash takes tens of milliseconds, and the worker serves nobody meanwhile. So the throttle is
//! asked first, then the budget, and only then is a password hashed. Which of the logins that
//! ask at once gets something of the budget is decided by what their addresses have cost lately.

mod admission;
mod away;
mod budget;
mod checker;
mod known;
mod memory;
mod settings;
mod throttle;
mod usage;

pub use admission::LoginMemory;
pub use away::{Login, LoginId};
pub use budget::Budget;
pub use checker::{Admitted, Outcome, PasswordChecker};
pub use memory::Memory;
pub use settings::PasswordSettings;
pub use throttle::Account;

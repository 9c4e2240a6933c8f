//! Logins: failures throttled, the worker's time budgeted, verified Basic credentials remembered.
//!
//! A hash takes tens of milliseconds, and the worker serves no request meanwhile. So the throttle is
//! asked first, then the budget, and only then is a password hashed. Which of the logins that
//! ask at once gets something of the budget is decided by what their addresses have cost lately.

mod admission;
mod budget;
mod checker;
mod deferred;
mod deferred_work;
mod each;
mod known_addresses;
mod settings;
mod throttle;
mod usage;
mod verified_password_cache;

pub use admission::LoginHistory;
pub use budget::Budget;
pub use checker::{Admitted, LoginOutcome, PasswordChecker};
pub use deferred::{DeferredLogin, LoginId, Settled};
pub use each::Try;
pub use settings::PasswordSettings;
pub use throttle::Account;
pub use verified_password_cache::VerifiedPasswordCache;

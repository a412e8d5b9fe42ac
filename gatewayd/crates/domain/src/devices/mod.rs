//! Which devices may come back without being asked again: their identity, the requests that wait for approval, and
//! the tokens they were given. [`DevicesTask`] owns the records and is the only one that writes them; [`Devices`] is
//! the handle everybody else holds.

mod admission;
pub mod authenticate;
mod core;
mod error;
mod handle;
pub mod identity;
mod meta;
mod operation;
mod record;
pub mod scopes;
mod table;
mod task;
mod token;
mod view;

pub use admission::{Admission, Admitted, Invalidated, Issued, Revoked};
pub use core::Phase;
pub use error::{Error, TokenError};
pub use handle::{Devices, DevicesOptions};
pub use meta::Meta;
pub use task::DevicesTask;

#[cfg(test)]
mod tests;

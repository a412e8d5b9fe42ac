//! Methods by domain. This layer knows callers and their rights, parameters and results; it knows no socket. A
//! transport hands it a frame and a caller and sends back what it answers.

mod api;
pub mod caller;
pub mod connect;
pub mod context;
pub mod dispatch;
pub mod domain;
pub mod error;
pub mod events;
pub mod methods;
pub mod metrics;
pub mod registry;

pub use api::Api;
pub use dispatch::{Answer, Outcome};

//! What the domain asks of the outside, as traits that the adapters implement and tests replace by fakes.

pub mod files;
pub mod store;
pub mod tailnet;

use std::future::Future;
use std::pin::Pin;

/// A boxed future, the form in which object-safe ports answer.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

//! Why a question has no answer.

use std::io;

use crate::exit::Failure;

/// Why there is no answer.
#[derive(Debug)]
pub enum Stop {
    /// The person does not want to go on, or the input is at its end.
    Cancelled,
    /// Asking failed.
    Failed(Failure),
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::Interrupted => Self::Cancelled,
            _ => Self::Failed(Failure::failed(format!("cannot ask: {error}"))),
        }
    }
}

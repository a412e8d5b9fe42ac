//! Domain errors to error frames, in one place. The caller gets the outermost text and a hint when to try again; the
//! chain goes to the log.

use gateway_base::error_chain::Chain;
use gateway_domain::devices;
use gateway_domain::ports::store;
use gateway_wire::error::ErrorShape;

/// How long to wait before a failed store is tried again, in milliseconds.
const STORE_RETRY_MS: u64 = 1_000;

/// An error of the device records.
pub fn device(error: &devices::Error) -> ErrorShape {
    use devices::Error;
    match error {
        Error::UnknownRequest | Error::UnknownDevice | Error::NotAllowed | Error::TooLong => {
            ErrorShape::invalid(error.to_string())
        }
        Error::TooManyRequests | Error::TooManyDevices | Error::Unreadable(_) | Error::Stopped => {
            ErrorShape::unavailable(error.to_string())
        }
        Error::Store(source) => store_failed(&error.to_string(), source),
    }
}

/// An error of the store behind `what`.
pub fn store(what: &str, error: &store::Error) -> ErrorShape {
    store_failed(what, error)
}

fn store_failed(what: &str, error: &store::Error) -> ErrorShape {
    tracing::error!(subsystem = "gateway/store", error = %Chain(error), "{what}");
    let text = format!("Error: {what}: {error}");
    match error {
        store::Error::Invalid(_) => ErrorShape::invalid(text),
        store::Error::Conflict { .. }
        | store::Error::Full
        | store::Error::ReadOnly
        | store::Error::Failed(_) => ErrorShape::unavailable(text).retry_after(STORE_RETRY_MS),
    }
}

/// Any other failure behind a method, in the form the original gives a thrown error.
pub fn thrown(error: &dyn std::fmt::Display) -> ErrorShape {
    const LONGEST: usize = 240;
    let text = format!("Error: {error}");
    match text.char_indices().nth(LONGEST) {
        Some((cut, _)) => ErrorShape::unavailable(format!("{}...", &text[..cut])),
        None => ErrorShape::unavailable(text),
    }
}

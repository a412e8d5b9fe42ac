//! What a person can do about a disk that refuses. The system's words say what happened; whoever reads them at three
//! in the morning also needs the next step.

use std::error::Error;
use std::io;

/// The next step after `error` or what caused it, when one is known.
#[must_use]
pub fn advice(error: &(dyn Error + 'static)) -> Option<&'static str> {
    let mut next = Some(error);
    while let Some(error) = next {
        match error.downcast_ref::<io::Error>().map(io::Error::kind) {
            Some(io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded) => {
                return Some("free some space and try again");
            }
            Some(io::ErrorKind::ReadOnlyFilesystem) => {
                return Some("make the disk writable and try again");
            }
            Some(io::ErrorKind::PermissionDenied) => {
                return Some("give this user the right to write there and try again");
            }
            _ => next = error.source(),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("outer")]
    struct Outer(#[source] io::Error);

    #[test]
    fn the_cause_decides() {
        let advice_for = |kind: io::ErrorKind| advice(&Outer(kind.into()));
        assert_eq!(advice_for(io::ErrorKind::StorageFull), Some("free some space and try again"));
        assert_eq!(advice_for(io::ErrorKind::NotFound), None);
    }
}

//! Times on their way to the wire, which counts from the epoch and never below it.

use gateway_base::clock::UnixMs;

/// `at` as the wire carries it; a time before 1970 becomes 0.
pub fn to_wire(at: UnixMs) -> u64 {
    u64::try_from(at).unwrap_or(0)
}

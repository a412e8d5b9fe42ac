//! The protocol version and its negotiation. There is exactly one supported version; the client offers a range.

/// The protocol version this crate speaks.
pub const PROTOCOL: u32 = 3;

/// Picks the version for a client that understands `min..=max`, or `None` when the ranges do not meet.
#[must_use]
pub fn negotiate(min: u64, max: u64) -> Option<u32> {
    let own = u64::from(PROTOCOL);
    (min <= own && own <= max).then_some(PROTOCOL)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_range_must_contain_three() {
        assert_eq!(negotiate(3, 3), Some(3));
        assert_eq!(negotiate(1, 9), Some(3));
        assert_eq!(negotiate(4, 9), None);
        assert_eq!(negotiate(1, 2), None);
        assert_eq!(negotiate(9, 1), None);
        assert_eq!(negotiate(u64::MAX, u64::MAX), None);
    }
}

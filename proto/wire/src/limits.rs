//! The limits and timers that clients rely on. They are part of the contract: some are announced in `hello-ok`,
//! others are only visible as the moment at which something stops working.

/// Largest accepted inbound message in bytes; one byte more closes the connection with 1009.
pub const MAX_PAYLOAD: usize = 524_288;
/// Bytes that may wait for one slow client before the slow-consumer rule applies.
pub const MAX_BUFFERED: usize = 1_572_864;
/// From socket open until a successful `connect`.
pub const HANDSHAKE_TIMEOUT_MS: u64 = 10_000;
/// Period of the `tick` event.
pub const TICK_INTERVAL_MS: u64 = 30_000;
/// Period of the health refresh, and the age up to which `health` answers from the cache.
pub const HEALTH_REFRESH_MS: u64 = 60_000;
/// Age at which an idempotency entry is dropped.
pub const DEDUPE_TTL_MS: u64 = 300_000;
/// Number of idempotency entries kept; the oldest go first.
pub const DEDUPE_MAX: usize = 1_000;
/// Period of the sweep that enforces the two limits above.
pub const DEDUPE_SWEEP_MS: u64 = 60_000;
/// Largest JSON size of `messages` in a `chat.history` answer; it may exceed [`MAX_PAYLOAD`].
pub const CHAT_HISTORY_MAX: usize = 6_291_456;
/// Minimum spacing of `chat` deltas of one run.
pub const CHAT_DELTA_THROTTLE_MS: u64 = 150;
/// How far a device signature's time may be from the server's, in both directions.
pub const SIGNATURE_SKEW_MS: u64 = 600_000;
/// Life of a pairing request of a device or node.
pub const PAIRING_TTL_MS: u64 = 300_000;
/// Age at which a presence entry is dropped.
pub const PRESENCE_TTL_MS: u64 = 300_000;
/// Number of presence entries kept.
pub const PRESENCE_MAX: usize = 200;
/// How long `node.invoke` waits when the caller names no time.
pub const NODE_INVOKE_TIMEOUT_MS: u64 = 30_000;
/// How long an exec approval waits when the caller names no time.
pub const EXEC_APPROVAL_TIMEOUT_MS: u64 = 120_000;
/// How long a finished run is remembered for `agent.wait`.
pub const AGENT_RUN_CACHE_MS: u64 = 600_000;
/// How long an aborted run is remembered, to suppress its late chat deltas.
pub const ABORTED_RUN_MEMORY_MS: u64 = 3_600_000;
/// Longest reason of a close frame, in bytes.
pub const CLOSE_REASON_MAX: usize = 120;

/// The reason to put into a close frame: at most [`CLOSE_REASON_MAX`] bytes, cut between characters.
#[must_use]
pub fn close_reason(reason: &str) -> &str {
    if reason.is_empty() {
        return "invalid handshake";
    }
    cut(reason, CLOSE_REASON_MAX)
}

/// The longest prefix of `text` that has at most `max` bytes and ends between characters.
pub(crate) fn cut(text: &str, max: usize) -> &str {
    text.get(..text.floor_char_boundary(max)).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_are_cut_between_characters() {
        assert_eq!(close_reason(""), "invalid handshake");
        assert_eq!(close_reason("pairing required"), "pairing required");
        assert_eq!(close_reason(&"x".repeat(120)).len(), 120);
        assert_eq!(close_reason(&"x".repeat(121)).len(), 120);
        let odd = format!("{}é", "x".repeat(119));
        assert_eq!(close_reason(&odd), "x".repeat(119));
        let even = format!("{}é and more", "x".repeat(118));
        assert_eq!(close_reason(&even), format!("{}é", "x".repeat(118)));
    }
}

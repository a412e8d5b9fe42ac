//! Limits on which two programs must agree: what the daemon keeps to, and what its service manager allows it. Each
//! pair is made from one value, so that a manager never kills a daemon that is still ending in order (rule R11).

use std::time::Duration;

/// What all steps of a stop together may take, beside a drain that was asked for.
pub const STOP: Duration = Duration::from_secs(5);

/// How long a service manager waits for the end of the daemon before it kills it. A longer drain is announced to the
/// manager by the daemon itself.
pub const SERVICE_STOP: Duration = Duration::from_secs(3 * STOP.as_secs());

/// How long a service manager waits for a sign of life before it takes the daemon for frozen.
pub const SERVICE_WATCHDOG: Duration = Duration::from_secs(30);

/// How long a service manager waits before it starts a daemon that failed again, the first time.
pub const SERVICE_PAUSE: Duration = Duration::from_secs(5);

/// The longest pause between two such starts.
pub const SERVICE_MAX_PAUSE: Duration = Duration::from_secs(300);

/// Exit code of a daemon whose port or lock is taken. Starting it again cannot help.
pub const EXIT_TAKEN: u8 = 69;

/// Exit code of a daemon whose configuration is wrong. Starting it again cannot help.
pub const EXIT_REFUSED: u8 = 78;

/// Open descriptors, each client takes one; the daemon raises its own limit up to what it is given.
pub const DESCRIPTORS: u64 = 1 << 19;

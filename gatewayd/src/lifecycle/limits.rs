//! The limit of open descriptors: each client takes one, and the default of many systems is far too low (rule R33).

/// Raises the limit of this process as far as it may. Returns the limit now in force, if it is known.
#[must_use]
pub fn raise_descriptors() -> Option<u64> {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
        /// More than any number of clients needs; some systems refuse "unlimited" here.
        const ENOUGH: u64 = 1 << 20;
        let before = getrlimit(Resource::Nofile);
        let goal = before.maximum.unwrap_or(ENOUGH).min(ENOUGH);
        let now = before.current.unwrap_or(ENOUGH);
        if now >= goal {
            return Some(now);
        }
        let raised = setrlimit(Resource::Nofile, Rlimit { current: Some(goal), maximum: before.maximum });
        Some(if raised.is_ok() { goal } else { now })
    }
    #[cfg(not(unix))]
    {
        None
    }
}

//! Why a service ended, in words, from the facts of its manager.

use gateway_base::limits::{EXIT_REFUSED, EXIT_TAKEN};

use super::status::Runtime;

/// What Windows says when there is no such file (0x80070002).
pub const FILE_MISSING: i32 = -2_147_024_894;
/// What Windows says when there is no such folder (0x80070003).
pub const PATH_MISSING: i32 = -2_147_024_893;

/// What the manager's facts mean.
#[must_use]
pub fn of(runtime: &Runtime) -> String {
    let status = runtime.last_exit_status.unwrap_or_default();
    match (runtime.result.as_deref(), status) {
        (Some("watchdog"), _) => "the gateway froze and was ended".to_owned(),
        (Some("timeout"), _) => "the gateway did not become ready in time".to_owned(),
        (Some("oom-kill"), _) => "the machine has no memory left for the gateway".to_owned(),
        (Some("signal" | "core-dump"), signal) => format!("the gateway was ended by signal {signal}"),
        (_, code) if code == i32::from(EXIT_TAKEN) => {
            format!("another gateway or program has its port or its lock (exit code {code})")
        }
        (_, code) if code == i32::from(EXIT_REFUSED) => {
            format!("the configuration does not allow the start (exit code {code})")
        }
        (_, FILE_MISSING | PATH_MISSING) => {
            format!("the program of the task is not there (code {status})")
        }
        (_, 203) => "the program of the service cannot be run (exit code 203)".to_owned(),
        (_, code @ 200..=243) => {
            format!("the service manager could not prepare the process (exit code {code})")
        }
        (_, 0) => "the gateway ended at once".to_owned(),
        (_, code) => format!("the gateway ended with exit code {code}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_end_has_its_words() {
        let said = |result: &str, status| {
            of(&Runtime {
                result: Some(result.to_owned()),
                last_exit_status: Some(status),
                ..Runtime::default()
            })
        };
        for (result, status, words) in [
            ("exit-code", 69, "another gateway or program has its port or its lock"),
            ("exit-code", 78, "the configuration does not allow the start"),
            ("exit-code", 1, "ended with exit code 1"),
            ("exit-code", 203, "cannot be run"),
            ("", FILE_MISSING, "is not there"),
            ("exit-code", 217, "could not prepare the process"),
            ("signal", 9, "ended by signal 9"),
            ("watchdog", 6, "froze"),
            ("success", 0, "ended at once"),
        ] {
            assert!(said(result, status).contains(words), "{result} {status}");
        }
    }
}

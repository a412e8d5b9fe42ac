//! Lingering: without it the services of a user end when the user logs out, and do not start with the machine
//! (operations 6.3.4).

use std::time::Duration;

use super::parse;
use crate::service::runner::{Call, Runner};

/// `sudo` may ask for a password on the terminal.
const PATIENCE: Duration = Duration::from_secs(60);

/// Whether it is on, when that can be known.
pub async fn is_on(user: &str, runner: &impl Runner) -> Option<bool> {
    let call = Call::new("loginctl", ["show-user", user, "-p", "Linger"]).within(Duration::from_secs(5));
    match runner.run(&call).await {
        Ok(ran) if ran.success => parse::linger(&ran.stdout),
        // A user who is not logged in and does not linger is not known at all.
        Ok(ran) if ran.said().contains("not logged in or lingering") => Some(false),
        _ => None,
    }
}

/// The calls that may switch it on, in the order in which they are tried: as it is, then with `sudo`, which asks
/// for a password only where a person can answer.
#[must_use]
pub fn calls(user: &str, can_answer: bool) -> [Call; 2] {
    let plain = Call::new("loginctl", ["enable-linger", user]).within(PATIENCE);
    let with_sudo = if can_answer {
        Call::new("sudo", ["loginctl", "enable-linger", user])
    } else {
        Call::new("sudo", ["-n", "loginctl", "enable-linger", user])
    };
    [plain, with_sudo.within(PATIENCE)]
}

/// Switches it on. The error is what the tools said.
pub async fn enable(user: &str, can_answer: bool, runner: &impl Runner) -> Result<(), String> {
    let mut said = String::new();
    for call in calls(user, can_answer) {
        match runner.run(&call).await {
            Ok(ran) if ran.success => return Ok(()),
            Ok(ran) if said.is_empty() => said = ran.said(),
            Err(error) if said.is_empty() => said = error.to_string(),
            Ok(_) | Err(_) => {}
        }
    }
    Err(said)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service::runner::{Ran, RunError};
    use crate::service::testing::Fake;

    #[tokio::test]
    async fn sudo_is_the_second_try_and_the_first_answer_is_told() {
        let denied = |call: &Call| match call.program {
            "loginctl" => Ok(Ran { stderr: "Access denied".to_owned(), ..Ran::default() }),
            other => Err(RunError::Missing(other.to_owned())),
        };
        let fake = Fake::answering(denied);
        assert_eq!(enable("you", false, &fake).await, Err("Access denied".to_owned()));
        assert_eq!(fake.calls(), ["loginctl enable-linger you", "sudo -n loginctl enable-linger you"]);
    }

    #[tokio::test]
    async fn unknown_is_not_off() {
        let say = |success, text: &str| {
            let text = text.to_owned();
            Fake::answering(move |_| Ok(Ran { success, stdout: text.clone(), ..Ran::default() }))
        };
        assert_eq!(is_on("you", &say(true, "Linger=yes\n")).await, Some(true));
        assert_eq!(is_on("you", &say(true, "Linger=no\n")).await, Some(false));
        assert_eq!(is_on("you", &say(true, "\u{1b}[2JLinger=maybe\n")).await, None);
        assert_eq!(is_on("you", &say(false, "Failed to connect to bus")).await, None);
        let nobody = "Failed to get user: User ID 1000 is not logged in or lingering";
        assert_eq!(is_on("you", &say(false, nobody)).await, Some(false));
    }
}

//! Names the piece that is missing when launchd refuses, and the command that mends it.

use crate::service::names::Names;

/// The words of this program for what can be done.
#[derive(Clone, Copy, Debug)]
pub struct Commands<'a> {
    /// The command that was typed, to type again.
    pub again: &'a str,
    /// Runs the daemon without a service manager.
    pub supervise: &'a str,
}

/// What launchd says when there is no desktop session of the user.
const NO_SESSION: [&str; 4] =
    ["125:", "domain does not support specified action", "could not find domain", "112:"];

/// What to do about an answer of `launchctl`.
#[must_use]
pub fn mend(said: &str, uid: u32, user: &str, names: &Names, commands: Commands<'_>) -> Vec<String> {
    let Commands { again, supervise } = commands;
    let lower = said.to_ascii_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    let alone =
        format!("Without a service manager, this starts the gateway again when it fails: {supervise}");
    if says(&["not available"]) {
        return vec!["launchctl belongs to macOS and is in /bin. Is /bin on the PATH?".to_owned(), alone];
    }
    if uid == 0 {
        return vec![format!(
            "root has no desktop session. As the user of the gateway, without sudo, run: {again}"
        )];
    }
    if says(&NO_SESSION) {
        return vec![
            format!(
                "{user} has no desktop session on this Mac, and a LaunchAgent lives in one. Log in as {user} at the \
                 screen, or by Screen Sharing, then run: {again}"
            ),
            "To have one after every start of the Mac: System Settings > Users & Groups > automatic login."
                .to_owned(),
            alone,
        ];
    }
    let file = names.agent_file.display();
    if says(&["not permitted", "permission denied"]) {
        return vec![
            format!(
                "macOS does not allow it. Look in System Settings > General > Login Items whether gatewayd is \
                 switched off, and at the owner of the file: ls -l '{file}'"
            ),
            format!("Then run: {again}"),
        ];
    }
    if says(&["bootstrap failed", "launchctl bootstrap"]) {
        return vec![
            format!("See what launchd dislikes: plutil -lint '{file}'"),
            format!("launchctl print-disabled gui/{uid} | grep {}", names.label),
            format!("Then run: {again}"),
        ];
    }
    vec![
        format!("See what launchd knows: launchctl print gui/{uid}/{}", names.label),
        format!("Then run: {again}"),
    ]
}

#[cfg(test)]
mod tests {
    use gateway_base::paths::Paths;

    use super::*;
    use crate::cmds::testing::{as_on_unix, env_at};

    #[test]
    fn every_missing_piece_has_its_command() {
        let env = env_at("/Users/you", &[]);
        let names = Names::new(&env, &Paths::resolve(&env, None).expect("HOME is set"));
        let commands = Commands { again: "gatewayctl install", supervise: "gatewayd --supervise" };
        for (uid, text, words) in [
            (
                501,
                "Could not print domain: 125: Domain does not support specified action",
                "by Screen Sharing",
            ),
            (501, "Bootstrap failed: 125: Domain does not support specified action", "gatewayd --supervise"),
            (0, "Bootstrap failed: 125: Domain does not support specified action", "without sudo"),
            (
                501,
                "launchctl bootstrap failed: Bootstrap failed: 5: Input/output error",
                "plutil -lint '/Users/you/",
            ),
            (501, "Bootstrap failed: 1: Operation not permitted", "Login Items"),
            (
                501,
                "launchctl kickstart failed: Could not kickstart service: 3",
                "launchctl print gui/501/com.clawdbot",
            ),
            (501, "launchctl not available; LaunchAgents are required on macOS.", "/bin"),
        ] {
            let said = as_on_unix(&mend(text, uid, "you", &names, commands).join("\n"));
            assert!(said.contains(words), "{text}: {said}");
        }
    }
}

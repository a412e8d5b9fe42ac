//! Names the piece that is missing when the Task Scheduler refuses, and the command that mends it. Its texts are
//! translated, so elevation is offered for every refusal that is not understood.

use crate::service::names::Names;

/// The words of this program for what can be done.
#[derive(Clone, Copy, Debug)]
pub struct Commands<'a> {
    /// The command that was typed, to type again.
    pub again: &'a str,
    /// Runs the daemon by hand.
    pub alone: &'a str,
}

/// What to do about an answer of `schtasks`.
#[must_use]
pub fn mend(said: &str, names: &Names, commands: Commands<'_>) -> Vec<String> {
    let Commands { again, alone } = commands;
    let lower = said.to_ascii_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    let alone = format!("Without a Scheduled Task, this runs the gateway in a window of its own: {alone}");
    if says(&["not available"]) {
        return vec![r"schtasks is in C:\Windows\System32. Is that on the PATH?".to_owned(), alone];
    }
    if says(&["still there", "did not answer"]) {
        return vec![
            "Look for its process: tasklist /FI \"IMAGENAME eq gatewayd.exe\"".to_owned(),
            format!("Then run: {again}"),
        ];
    }
    if says(&["service is not available", "not running", "rpc server is unavailable"]) {
        return vec![
            "The Task Scheduler does not run. As administrator, run: net start Schedule".to_owned(),
            format!("Then run: {again}"),
            alone,
        ];
    }
    let file = names.task_file.display();
    if says(&[
        "stub received bad data",
        "malformed",
        "unexpected node",
        "value which is incorrectly formatted",
    ]) {
        return vec![
            format!(
                "The Task Scheduler does not take the definition. See why: taskschd.msc, Import Task, {file}"
            ),
            format!("Or run it once as administrator: {again}"),
            alone,
        ];
    }
    vec![
        format!("Open PowerShell with \"Run as administrator\", and there run: {again}"),
        format!("See what the Task Scheduler knows: schtasks /Query /TN \"{}\" /V /FO LIST", names.task),
        alone,
    ]
}

#[cfg(test)]
mod tests {
    use gateway_base::paths::Paths;

    use super::*;
    use crate::cmds::testing::env_at;

    #[test]
    fn every_missing_piece_has_its_command() {
        let env = env_at("/Users/you", &[]);
        let names = Names::new(&env, &Paths::resolve(&env, None).expect("HOME is set"));
        let commands = Commands { again: "gatewayctl install", alone: "gatewayd" };
        for (text, words) in [
            ("schtasks create failed: ERROR: Access is denied.", "\"Run as administrator\""),
            ("schtasks create failed: FEHLER: Zugriff verweigert", "\"Run as administrator\""),
            ("schtasks not available; it belongs to Windows.", "System32"),
            ("ERROR: The RPC server is unavailable.", "net start Schedule"),
            ("ERROR: The stub received bad data.", "Import Task"),
            ("what was stopped is still there after 30 s", "tasklist"),
        ] {
            let said = mend(text, &names, commands).join("\n");
            assert!(said.contains(words), "{text}: {said}");
        }
    }
}

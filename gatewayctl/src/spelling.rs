//! The tutorial's spelling. `gatewayctl gateway status`, `gatewayctl daemon status` and the same words under the name
//! `clawdbot` mean `gatewayctl status`; `gateway` with no verb, or with `run`, is the daemon itself. The words are
//! rewritten before the command line is parsed, so that there is one definition of every command.

use std::ffi::{OsStr, OsString};
use std::path::Path;

/// What the words on the command line ask for.
#[derive(Debug, PartialEq, Eq)]
pub enum Plan {
    /// One of our own commands, in our own spelling, without the program's name.
    Control(Vec<OsString>),
    /// Become the daemon with the same words, which it knows itself.
    Daemon(Vec<OsString>),
}

/// The command words to suggest to the user, in the spelling the user typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Words {
    /// In front of a command of this program: `gatewayctl` or `clawdbot gateway`.
    pub control: &'static str,
    /// What starts the daemon: `gatewayd` or `clawdbot gateway`.
    pub daemon: &'static str,
}

impl Words {
    /// The spelling for a program that was called under this name.
    #[must_use]
    pub fn for_name(program: Option<&OsStr>) -> Self {
        let stem = program.map(Path::new).and_then(Path::file_stem);
        if stem == Some(OsStr::new("clawdbot")) {
            Self { control: "clawdbot gateway", daemon: "clawdbot gateway" }
        } else {
            Self { control: "gatewayctl", daemon: "gatewayd" }
        }
    }

    /// The name for usage lines.
    #[must_use]
    pub fn program(self) -> &'static str {
        self.control.split(' ').next().unwrap_or(self.control)
    }
}

/// Rewrites the words after the program's name.
#[must_use]
pub fn plan(words: Vec<OsString>) -> Plan {
    let at = root_options(&words);
    let word = words.get(at).and_then(|w| w.to_str());
    if !matches!(word, Some("gateway" | "daemon")) {
        return Plan::Control(words);
    }
    let verb = words.get(at + 1).and_then(|w| w.to_str());
    let runs = verb.is_none_or(|verb| verb == "run" || verb.starts_with('-'));
    if !runs || word == Some("daemon") {
        let mut words = words;
        words.remove(at);
        return Plan::Control(words);
    }
    Plan::Daemon(words)
}

/// How many leading words are root options and their values.
fn root_options(words: &[OsString]) -> usize {
    let mut at = 0;
    while let Some(word) = words.get(at).and_then(|w| w.to_str()) {
        match word {
            "--dev" | "--no-color" => at += 1,
            "--profile" => at += 2,
            _ if word.starts_with("--profile=") => at += 1,
            _ => break,
        }
    }
    at.min(words.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<OsString> {
        line.split_whitespace().map(OsString::from).collect()
    }

    fn control(line: &str) -> Plan {
        Plan::Control(words(line))
    }

    #[test]
    fn the_tutorials_words_mean_ours() {
        for (typed, meant) in [
            ("status", control("status")),
            ("gateway status --no-probe", control("status --no-probe")),
            ("daemon status", control("status")),
            ("--dev gateway status", control("--dev status")),
            ("--profile work gateway call health", control("--profile work call health")),
            ("--profile=gateway gateway health", control("--profile=gateway health")),
            ("gateway install", control("install")),
            ("daemon", control("")),
            ("call gateway", control("call gateway")),
            ("", control("")),
            ("--profile", control("--profile")),
        ] {
            assert_eq!(plan(words(typed)), meant, "{typed}");
        }
    }

    #[test]
    fn gateway_without_a_verb_is_the_daemon_itself() {
        for typed in [
            "gateway",
            "gateway run",
            "gateway --port 19001",
            "gateway --dev --reset",
            "gateway run --bind lan --token x",
            "--dev gateway",
            "--profile work --no-color gateway run --force",
        ] {
            assert_eq!(plan(words(typed)), Plan::Daemon(words(typed)), "{typed}");
        }
    }

    #[test]
    fn hints_use_the_name_that_was_typed() {
        assert_eq!(Words::for_name(Some(OsStr::new("/usr/bin/clawdbot"))).daemon, "clawdbot gateway");
        assert_eq!(Words::for_name(Some(OsStr::new("clawdbot"))).program(), "clawdbot");
        assert_eq!(Words::for_name(Some(OsStr::new("./gatewayctl"))).daemon, "gatewayd");
        assert_eq!(Words::for_name(None).control, "gatewayctl");
    }
}

//! systemd tells a service only that it is to end. Whether that is one half of a restart stands in its list of jobs,
//! and clients are told. Whoever cannot be asked in time leaves it at a stop.

use std::path::Path;
use std::time::Duration;

use gateway_base::env::Env;
use gateway_base::program::{self, Call, End, Variables};

/// How long the answer may take; the end waits for it.
const LIMIT: Duration = Duration::from_millis(500);
/// How much of it is read.
const MAX_SAID: usize = 4096;

/// The jobs of this service.
#[derive(Clone, Debug, Default)]
pub struct Jobs(Option<Question>);

#[derive(Clone, Debug)]
struct Question {
    unit: String,
    call: Call,
}

impl Jobs {
    /// Those of the unit that this process is the main one of; none where systemd did not start it.
    #[must_use]
    pub fn new(env: &Env) -> Self {
        Self(question(env, std::process::id()))
    }

    /// Whether the unit is being started anew.
    pub async fn is_restart(&self) -> bool {
        let Some(Question { unit, call }) = &self.0 else { return false };
        match program::run(call).await {
            Ok(ran) if ran.end == End::Success => has_restart(&ran.stdout, unit),
            _ => false,
        }
    }
}

fn question(env: &Env, pid: u32) -> Option<Question> {
    let is_own = env.get("SYSTEMD_EXEC_PID").is_none_or(|own| own == pid.to_string());
    if !is_own || env.get("NOTIFY_SOCKET").is_none() || env.get("INVOCATION_ID").is_none() {
        return None;
    }
    let unit = env.get("CLAWDBOT_SYSTEMD_UNIT")?.to_owned();
    let path = env.get("PATH").unwrap_or_default();
    let mut programs = path.split(':').map(|folder| Path::new(folder).join("systemctl"));
    // Only a user's manager names itself to its services.
    let scope = if env.get("MANAGERPID").is_some() { "--user" } else { "--system" };
    let words = [scope, "list-jobs", "--no-legend", "--plain", "--full", "--", &unit];
    let variables = ["XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS"];
    let variables = variables.iter().filter_map(|name| Some((*name, env.get(name)?)));
    let program = programs.find(|path| path.is_absolute() && path.is_file())?;
    let call = Call {
        variables: Variables::Whole(Env::from_pairs(variables)),
        time: LIMIT,
        size: MAX_SAID,
        ..Call::new(program, words)
    };
    Some(Question { unit, call })
}

/// `249 clawdbot-gateway.service restart running`
fn has_restart(said: &str, unit: &str) -> bool {
    let mut jobs = said.lines().map(|line| line.split_whitespace().skip(1));
    jobs.any(|mut job| job.next() == Some(unit) && job.next() == Some("restart"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const UNIT: &str = "clawdbot-gateway.service";

    #[test]
    fn only_a_restart_of_this_unit_is_one() {
        let restart = "249 clawdbot-gateway.service restart running\n";
        assert!(has_restart(restart, UNIT) && has_restart(&format!("1 x start waiting\n  {restart}"), UNIT));
        for said in [
            "",
            "249 clawdbot-gateway.service stop running\n",
            "249 clawdbot-gateway-work.service restart running\n",
            "restart clawdbot-gateway.service\n",
            "\u{1b}[2J\0",
        ] {
            assert!(!has_restart(said, UNIT), "{said:?}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn only_the_main_process_of_a_unit_asks() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().display().to_string();
        let env = |more: &[(&str, &str)]| {
            let usual = [
                ("NOTIFY_SOCKET", "/run/notify"),
                ("INVOCATION_ID", "1"),
                ("CLAWDBOT_SYSTEMD_UNIT", UNIT),
                ("CLAWDBOT_GATEWAY_TOKEN", "canary"),
                ("XDG_RUNTIME_DIR", "/run/user/7"),
                ("PATH", path.as_str()),
            ];
            Env::from_pairs(usual.iter().chain(more).copied())
        };
        assert!(question(&env(&[]), 7).is_none(), "there is no systemctl");
        std::fs::write(folder.path().join("systemctl"), "").expect("file");
        let asked = question(&env(&[("MANAGERPID", "1")]), 7).expect("a question");
        assert_eq!(asked.call.arguments[0], "--user");
        assert!(!format!("{asked:?}").contains("canary"));
        let asked = question(&env(&[("SYSTEMD_EXEC_PID", "7")]), 7).expect("a question");
        assert_eq!(asked.call.arguments[0], "--system");
        assert!(question(&env(&[("SYSTEMD_EXEC_PID", "8")]), 7).is_none(), "of another process");
        for name in ["NOTIFY_SOCKET", "INVOCATION_ID", "CLAWDBOT_SYSTEMD_UNIT"] {
            let mut less = env(&[]);
            less.remove(name);
            assert!(question(&less, 7).is_none(), "{name}");
        }
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn no_answer_is_a_stop() {
        let asked = |script: &str, time| {
            let variables = Variables::Whole(Env::from_pairs([("PATH", "/usr/bin:/bin")]));
            let call = Call { variables, time, size: MAX_SAID, ..Call::new("/bin/sh", ["-c", script]) };
            Jobs(Some(Question { unit: UNIT.to_owned(), call }))
        };
        let patient = Duration::from_secs(60);
        let line = format!("echo 7 {UNIT} restart running");
        assert!(asked(&line, patient).is_restart().await);
        assert!(!asked(&format!("{line}; exit 1"), patient).is_restart().await);
        assert!(!asked(&format!("{line}; sleep 100"), Duration::from_millis(10)).is_restart().await);
        assert!(!asked("yes restart", patient).is_restart().await);
        assert!(!Jobs::default().is_restart().await);
    }
}

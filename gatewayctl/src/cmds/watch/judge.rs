//! From the facts of one look to its verdict. Pure. The question that matters most is whether a gateway that is not
//! there was stopped on purpose: a service manager knows it, and where there is none, the lock tells: a gateway that
//! ends in order takes its lock file along, one that dies leaves it behind.

use super::record::{Kind, Verdict};
use crate::service::{Manager, RuntimeState, Service, cause};

/// What Windows calls a task that somebody ended (0x41306).
const ENDED_BY_USER: i32 = 0x0004_1306;

/// What asking the gateway gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asked {
    /// It serves.
    Serving {
        /// Its process.
        pid: u32,
        /// Whether something starts it again when it fails.
        kept: bool,
        /// What is missing, when something is.
        missing: Option<String>,
    },
    /// It is coming up.
    Starting(u32),
    /// It is going down, as it was asked to.
    Leaving,
    /// It is there, and gives no answer.
    Silent,
    /// It does not talk to this user.
    Refused(String),
    /// Nobody is there.
    Nobody,
}

/// What the lock of the gateway says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lock {
    /// This process holds it.
    Held {
        /// The process.
        pid: u32,
        /// It is about to end.
        leaving: bool,
    },
    /// Its owner is dead and had no time to give it back.
    LeftBehind,
    /// Nobody holds it.
    Free,
}

/// Everything a look finds out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// The gateway's own word.
    pub asked: Asked,
    /// The service.
    pub service: Service,
    /// The lock.
    pub lock: Lock,
    /// Whether the gateway was seen running before, and its log ends with an error.
    pub vanished: bool,
}

/// What the facts mean. `degraded` tells whether something missing counts.
#[must_use]
pub fn judge(facts: &Facts, degraded: bool) -> Verdict {
    let trouble = |kind, text: String| Verdict::Trouble(kind, text);
    match &facts.asked {
        Asked::Serving { missing: Some(missing), .. } if degraded => {
            trouble(Kind::Degraded, format!("the gateway runs, but {missing}"))
        }
        Asked::Serving { .. } => Verdict::Well,
        Asked::Leaving => Verdict::Unclear("the gateway is stopping".to_owned()),
        Asked::Refused(why) => Verdict::Unclear(why.clone()),
        Asked::Starting(pid) => {
            trouble(Kind::Wedged, format!("the gateway (pid {pid}) is starting and does not get to serve"))
        }
        Asked::Silent => trouble(Kind::Wedged, format!("the gateway{} does not answer", process(facts))),
        Asked::Nobody => absent(facts),
    }
}

fn process(facts: &Facts) -> String {
    let held = match facts.lock {
        Lock::Held { pid, .. } => Some(pid),
        _ => None,
    };
    let pid = held.or(facts.service.runtime.pid);
    pid.map(|pid| format!("'s process is there (pid {pid}), but it")).unwrap_or_default()
}

fn absent(facts: &Facts) -> Verdict {
    match facts.lock {
        Lock::Held { leaving: true, .. } => {
            return Verdict::Unclear("the gateway is about to end".to_owned());
        }
        Lock::Held { pid, .. } => {
            let text = format!("the gateway's process is there (pid {pid}), but nothing answers for it");
            return Verdict::Trouble(Kind::Wedged, text);
        }
        Lock::LeftBehind | Lock::Free => {}
    }
    let service = &facts.service;
    let is_there =
        service.command.is_some() || (service.runtime.state.is_some() && !service.runtime.missing_unit);
    if is_there && service.runtime.status != RuntimeState::Unknown {
        return if service.manager == Manager::Systemd { of_unit(service) } else { of_other(service) };
    }
    if facts.lock == Lock::LeftBehind || facts.vanished {
        let text = "the gateway is gone, and it was not stopped in order";
        return Verdict::Trouble(Kind::Dead, text.to_owned());
    }
    match &service.runtime.detail {
        Some(detail) if is_there => Verdict::Unclear(format!("the service cannot be asked: {detail}")),
        _ => Verdict::Off("no gateway runs here, and none was left behind".to_owned()),
    }
}

fn of_unit(service: &Service) -> Verdict {
    let runtime = &service.runtime;
    let because = || cause::of(runtime);
    let (state, sub) = (runtime.state.as_deref().unwrap_or_default(), runtime.sub_state.as_deref());
    if runtime.result.as_deref() == Some("start-limit-hit") {
        let text = "the gateway failed so often that its service manager gave up";
        return Verdict::Trouble(Kind::Looping, text.to_owned());
    }
    match (state, sub) {
        (_, Some("auto-restart" | "auto-restart-queued")) => {
            Verdict::Trouble(Kind::Looping, format!("{}, and its service manager keeps trying", because()))
        }
        ("failed", _) => Verdict::Trouble(Kind::Dead, because()),
        ("active", _) => {
            let pid = runtime.pid.map(|pid| format!(" (pid {pid})")).unwrap_or_default();
            Verdict::Trouble(Kind::Wedged, format!("the service runs{pid}, but no gateway answers"))
        }
        ("activating" | "reloading", _) => {
            Verdict::Trouble(Kind::Dead, "the gateway is started and does not come up".to_owned())
        }
        ("deactivating", _) => Verdict::Unclear("the service is stopping".to_owned()),
        _ => Verdict::Off("the service is stopped".to_owned()),
    }
}

fn of_other(service: &Service) -> Verdict {
    let runtime = &service.runtime;
    let failed = runtime.last_exit_status.is_some_and(|status| status != 0 && status != ENDED_BY_USER);
    match runtime.status {
        RuntimeState::Running => {
            Verdict::Trouble(Kind::Wedged, "the service runs, but no gateway answers".to_owned())
        }
        _ if !failed => Verdict::Off("the service is stopped".to_owned()),
        // launchd starts it again; the scheduler does so too, but it does not say.
        _ if service.manager == Manager::Launchd => {
            let text = format!("{}, and its service manager keeps trying", cause::of(runtime));
            Verdict::Trouble(Kind::Looping, text)
        }
        _ => Verdict::Trouble(Kind::Dead, cause::of(runtime)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service::{Command, Installed, Runtime, Scope};

    fn facts(asked: Asked, lock: Lock, manager: Manager, runtime: Option<Runtime>) -> Facts {
        let command = runtime.is_some().then(Command::default);
        let unknown = || Runtime { detail: Some("no bus".to_owned()), ..Runtime::default() };
        let runtime = runtime.unwrap_or_else(unknown);
        let service = Service { manager, scope: Scope::User, installed: Installed::Yes, command, runtime };
        Facts { asked, service, lock, vanished: false }
    }

    fn word(facts: &Facts) -> &'static str {
        match judge(facts, true) {
            Verdict::Well => "well",
            Verdict::Off(_) => "off",
            Verdict::Unclear(_) => "unclear",
            Verdict::Trouble(kind, _) => kind.word(),
        }
    }

    fn unit(state: &str, sub: &str, result: &str, status: i32) -> Option<Runtime> {
        let running = if state == "active" { RuntimeState::Running } else { RuntimeState::Stopped };
        Some(Runtime {
            status: running,
            state: Some(state.to_owned()),
            sub_state: Some(sub.to_owned()),
            result: Some(result.to_owned()),
            last_exit_status: Some(status),
            ..Runtime::default()
        })
    }

    #[test]
    fn the_gateways_own_word_counts_first() {
        let serving = |missing: Option<&str>| Asked::Serving {
            pid: 7,
            kept: true,
            missing: missing.map(str::to_owned),
        };
        for (asked, expected) in [
            (serving(None), "well"),
            (serving(Some("its store is failed")), "degraded"),
            (Asked::Starting(7), "wedged"),
            (Asked::Leaving, "unclear"),
            (Asked::Silent, "wedged"),
            (Asked::Refused("another user".to_owned()), "unclear"),
        ] {
            let facts = facts(asked, Lock::Free, Manager::Systemd, unit("failed", "failed", "exit-code", 1));
            assert_eq!(word(&facts), expected, "{facts:?}");
        }
        let well = facts(serving(Some("its store is failed")), Lock::Free, Manager::Systemd, None);
        assert_eq!(judge(&well, false), Verdict::Well);
    }

    #[test]
    fn a_manager_knows_whether_it_was_meant() {
        for (runtime, expected) in [
            (unit("inactive", "dead", "success", 0), "off"),
            (unit("failed", "failed", "signal", 9), "dead"),
            (unit("failed", "failed", "exit-code", 78), "dead"),
            (unit("failed", "failed", "start-limit-hit", 1), "looping"),
            (unit("activating", "auto-restart", "exit-code", 1), "looping"),
            (unit("activating", "start", "success", 0), "dead"),
            (unit("active", "running", "success", 0), "wedged"),
            (unit("deactivating", "stop-sigterm", "success", 0), "unclear"),
        ] {
            // A lock that was left behind may be that of a gateway outside of the service.
            let facts = facts(Asked::Nobody, Lock::LeftBehind, Manager::Systemd, runtime);
            assert_eq!(word(&facts), expected, "{facts:?}");
        }
        let stopped = |status| {
            Some(Runtime { status: RuntimeState::Stopped, last_exit_status: status, ..Runtime::default() })
        };
        for (manager, status, expected) in [
            (Manager::Launchd, Some(0), "off"),
            (Manager::Launchd, None, "off"),
            (Manager::Launchd, Some(1), "looping"),
            (Manager::Schtasks, Some(0), "off"),
            (Manager::Schtasks, Some(ENDED_BY_USER), "off"),
            (Manager::Schtasks, Some(1), "dead"),
        ] {
            let facts = facts(Asked::Nobody, Lock::Free, manager, stopped(status));
            assert_eq!(word(&facts), expected, "{facts:?}");
        }
    }

    #[test]
    fn without_a_manager_the_lock_tells() {
        for (lock, expected) in [
            (Lock::Held { pid: 7, leaving: false }, "wedged"),
            (Lock::Held { pid: 7, leaving: true }, "unclear"),
            (Lock::LeftBehind, "dead"),
            (Lock::Free, "off"),
        ] {
            let facts = facts(Asked::Nobody, lock, Manager::Systemd, None);
            assert_eq!(word(&facts), expected, "{facts:?}");
        }
        let gone = Facts { vanished: true, ..facts(Asked::Nobody, Lock::Free, Manager::Systemd, None) };
        assert_eq!(word(&gone), "dead");
        let mut unasked = facts(Asked::Nobody, Lock::Free, Manager::Systemd, Some(Runtime::default()));
        unasked.service.runtime.detail = Some("no bus".to_owned());
        assert_eq!(word(&unasked), "unclear");
    }
}

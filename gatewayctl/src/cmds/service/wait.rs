//! Waits for the state that an action promises. A tool's return proves nothing: what counts is what the manager and
//! the gateway say afterwards.

use std::time::Duration;

use gateway_base::limits;
use gateway_base::process;
use tokio::time::{Instant, sleep};

use super::health::{Answer, Health};
use super::reason;
use super::site::Site;
use crate::exit::Failure;
use crate::service::{Manager, Runner, Runtime, RuntimeState, Service, is_daemon};

/// How long a gateway may take from its start to serving.
const START: Duration = Duration::from_secs(90);
/// How long a manager may take beyond the stop time to notice that a process is gone.
const NOTICE: Duration = Duration::from_secs(15);
/// How often is asked.
const AGAIN: Duration = Duration::from_millis(100);

/// What a runtime means for somebody who waits for a start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Look {
    Ready,
    Ended,
    NotYet,
}

/// Which process is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Since {
    /// Any that serves.
    Ever,
    /// One that is not the one before, by the time at which it became ready, or by its number with a manager that does
    /// not tell the time.
    After(Duration, Option<u32>),
    /// One whose gateway says that it started at this time or later, in whichever process.
    Renewed(Duration),
}

impl Since {
    /// One that was started after `asked` and is not that of `before`.
    pub fn after(asked: Duration, before: &Service) -> Self {
        Self::After(asked, before.runtime.pid)
    }

    fn is_met(self, runtime: &Runtime) -> bool {
        match (self, runtime.ready_at) {
            (Self::Ever | Self::Renewed(_), _) => true,
            (Self::After(asked, _), Some(ready)) => ready >= asked,
            (Self::After(_, old), None) => runtime.pid.is_none() || runtime.pid != old,
        }
    }
}

/// A process that is to be replaced is not waited for.
fn look(service: &Service, since: Since) -> Look {
    let runtime = &service.runtime;
    let ended = runtime.last_exit_status.is_some();
    match runtime.state.as_deref().unwrap_or_default() {
        _ if runtime.status == RuntimeState::Running => {
            if since.is_met(runtime) {
                Look::Ready
            } else {
                Look::NotYet
            }
        }
        _ if service.manager != Manager::Systemd => {
            if ended && runtime.status == RuntimeState::Stopped {
                Look::Ended
            } else {
                Look::NotYet
            }
        }
        // With no job left nobody is starting it.
        "failed" | "inactive" if !runtime.busy => Look::Ended,
        _ if runtime.sub_state.as_deref() == Some("auto-restart") && !runtime.busy => Look::Ended,
        _ => Look::NotYet,
    }
}

/// Waits until the gateway serves, in a process that became ready after `since`.
pub async fn serving<R: Runner, H: Health>(site: &Site<'_, R, H>, since: Since) -> Result<Service, Failure> {
    let wait = async {
        let end = Instant::now() + START;
        let mut ended = 0;
        loop {
            let service = site.service().await;
            let look = look(&service, since);
            ended = if look == Look::Ended { ended + 1 } else { 0 };
            match look {
                Look::Ready if is_well(site, &service, since).await => return Ok(service),
                Look::Ended if ended >= looks(service.manager) => {
                    return Err(reason::ended(site, &service).await);
                }
                _ if Instant::now() >= end => return Err(reason::late(site, &service, START).await),
                _ => sleep(AGAIN).await,
            }
        }
    };
    site.app.out.during("waiting for the gateway to serve", wait).await
}

/// How often an end must be seen in a row. Only systemd says whether it is about to start something; with the others
/// an end may be that of the process before.
const fn looks(manager: Manager) -> u32 {
    match manager {
        Manager::Systemd => 1,
        Manager::Launchd | Manager::Schtasks => 15,
    }
}

/// When the process became ready: by the manager's word, else by that of the gateway, whose start is the latest time
/// that is certain.
pub async fn ready_at<R: Runner, H: Health>(site: &Site<'_, R, H>, service: &Service) -> Option<Duration> {
    match service.runtime.ready_at {
        Some(at) => Some(at),
        None => match site.health.ask(&site.paths(service)).await {
            Answer::Serving { pid, started } if service.runtime.pid == Some(pid) => Some(started),
            _ => None,
        },
    }
}

async fn is_well<R: Runner, H: Health>(site: &Site<'_, R, H>, service: &Service, since: Since) -> bool {
    let program = service.command.as_ref().and_then(|command| command.program_arguments.first());
    // A gateway of the original has no private socket to ask.
    if !program.is_some_and(|program| is_daemon(program)) {
        return true;
    }
    match site.health.ask(&site.paths(service)).await {
        Answer::Serving { pid, started } => {
            let is_new = !matches!(since, Since::Renewed(asked) if started < asked);
            service.runtime.pid == Some(pid) && is_new
        }
        // Another user's gateway told its manager that it serves, which is all that can be known from here.
        Answer::NotAllowed => true,
        Answer::NotYet => false,
    }
}

/// Waits until the service is stopped and its process is gone.
pub async fn gone<R: Runner, H: Health>(site: &Site<'_, R, H>, before: &Service) -> Result<Service, Failure> {
    let process = before.runtime.pid.map(|pid| (pid, process::start_time(pid)));
    let wait = async {
        let end = Instant::now() + limits::SERVICE_STOP + NOTICE;
        loop {
            let service = site.service().await;
            let runtime = &service.runtime;
            let lives = process
                .is_some_and(|(pid, started)| started.is_some() && process::start_time(pid) == started);
            if runtime.is_at_rest() && !lives {
                return Ok(service);
            }
            if Instant::now() >= end {
                let state = service.runtime_word();
                let pid = runtime.pid.map(|pid| format!(" (pid {pid})")).unwrap_or_default();
                let why = format!("the service is still {state}{pid}");
                return Err(site.failed(&why).hint(format!("Check: {}", site.app.suggest("status"))));
            }
            sleep(AGAIN).await;
        }
    };
    site.app.out.during("waiting for the gateway to stop", wait).await
}

/// Waits until the manager has forgotten the service.
pub async fn forgotten<R: Runner, H: Health>(site: &Site<'_, R, H>) -> Result<Service, Failure> {
    let end = Instant::now() + NOTICE;
    loop {
        let service = site.service().await;
        if service.command.is_none() && service.runtime.missing_unit {
            return Ok(service);
        }
        if Instant::now() >= end {
            let why = "Gateway service still loaded after uninstall.";
            return Err(Failure::failed(why).hint(format!("Check: {}", site.app.suggest("status"))));
        }
        sleep(AGAIN).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_between_two_is_waited_for_and_an_end_is_not() {
        let seen = |state: &str, sub: &str, busy, ready: u64| {
            let runtime = Runtime {
                status: if state == "active" { RuntimeState::Running } else { RuntimeState::Stopped },
                state: Some(state.to_owned()),
                sub_state: Some(sub.to_owned()),
                busy,
                ready_at: Some(Duration::from_secs(ready)),
                ..Runtime::default()
            };
            look(&of(Manager::Systemd, runtime), Since::After(Duration::from_secs(10), None))
        };
        assert_eq!(seen("active", "running", false, 11), Look::Ready);
        assert_eq!(seen("active", "running", true, 9), Look::NotYet, "the process that is to be replaced");
        assert_eq!(seen("deactivating", "stop-sigterm", true, 9), Look::NotYet);
        assert_eq!(seen("inactive", "dead", true, 9), Look::NotYet, "the job has not begun");
        assert_eq!(seen("failed", "failed", true, 9), Look::NotYet);
        assert_eq!(seen("failed", "failed", false, 9), Look::Ended);
        assert_eq!(seen("inactive", "dead", false, 9), Look::Ended);
        assert_eq!(seen("activating", "auto-restart", false, 9), Look::Ended);
        assert_eq!(seen("activating", "start", true, 9), Look::NotYet);
        for manager in [Manager::Systemd, Manager::Launchd, Manager::Schtasks] {
            let unknown = of(manager, Runtime::default());
            assert_eq!(look(&unknown, Since::Ever), Look::NotYet, "it could not be asked");
        }
    }

    #[test]
    fn a_manager_without_times_is_read_by_the_process() {
        let seen = |status, pid, exit, since| {
            let runtime = Runtime { status, pid, last_exit_status: exit, ..Runtime::default() };
            look(&of(Manager::Launchd, runtime), since)
        };
        let (running, stopped) = (RuntimeState::Running, RuntimeState::Stopped);
        let after = Since::After(Duration::from_secs(10), Some(7));
        assert_eq!(seen(running, Some(7), Some(78), Since::Ever), Look::Ready);
        assert_eq!(seen(running, Some(7), None, after), Look::NotYet, "the process that is to be replaced");
        assert_eq!(seen(running, Some(8), Some(0), after), Look::Ready);
        assert_eq!(seen(stopped, None, Some(78), after), Look::Ended);
        assert_eq!(seen(stopped, None, None, after), Look::NotYet, "it has not begun");
    }

    fn of(manager: Manager, runtime: Runtime) -> Service {
        let (installed, command) = (crate::service::Installed::Yes, None);
        Service { manager, scope: crate::service::Scope::User, installed, command, runtime }
    }
}

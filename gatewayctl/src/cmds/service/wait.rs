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
use crate::service::{Runner, Runtime, RuntimeState, Service};

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

/// A process that became ready before `since` is the one that is to be replaced.
fn look(runtime: &Runtime, since: Duration) -> Look {
    let state = runtime.state.as_deref().unwrap_or_default();
    match state {
        "active" if runtime.ready_at.unwrap_or_default() >= since => Look::Ready,
        // With no job left nobody is starting it.
        "failed" | "inactive" if !runtime.busy => Look::Ended,
        _ if runtime.sub_state.as_deref() == Some("auto-restart") && !runtime.busy => Look::Ended,
        _ => Look::NotYet,
    }
}

/// Waits until the gateway serves, in a process that became ready after `since`.
pub async fn serving<R: Runner, H: Health>(
    site: &Site<'_, R, H>,
    since: Duration,
) -> Result<Service, Failure> {
    let wait = async {
        let end = Instant::now() + START;
        loop {
            let service = site.service().await;
            match look(&service.runtime, since) {
                Look::Ready if is_well(site, &service).await => return Ok(service),
                Look::Ended => return Err(reason::ended(site, &service).await),
                _ if Instant::now() >= end => return Err(reason::late(site, &service, START).await),
                _ => sleep(AGAIN).await,
            }
        }
    };
    site.app.out.during("waiting for the gateway to serve", wait).await
}

async fn is_well<R: Runner, H: Health>(site: &Site<'_, R, H>, service: &Service) -> bool {
    let program = service.command.as_ref().and_then(|command| command.program_arguments.first());
    let is_ours = program.is_some_and(|program| program.ends_with("/gatewayd"));
    // A gateway of the original has no private socket to ask.
    if !is_ours {
        return true;
    }
    match site.health.ask(&site.paths(service)).await {
        Answer::Serving(pid) => service.runtime.pid == Some(pid),
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
            let stopped = runtime.status == RuntimeState::Stopped
                && matches!(runtime.state.as_deref(), Some("inactive" | "failed"));
            if stopped && !runtime.busy && runtime.pid.is_none() && !lives {
                return Ok(service);
            }
            if Instant::now() >= end {
                let state = runtime.state.as_deref().unwrap_or("unknown");
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
                state: Some(state.to_owned()),
                sub_state: Some(sub.to_owned()),
                busy,
                ready_at: Some(Duration::from_secs(ready)),
                ..Runtime::default()
            };
            look(&runtime, Duration::from_secs(10))
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
        assert_eq!(look(&Runtime::default(), Duration::ZERO), Look::NotYet, "it could not be asked");
    }
}

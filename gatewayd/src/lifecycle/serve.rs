//! The life after the start: waits for what ends it, reloads on request, and then runs the stop.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use gateway_base::task::{Failure, Kind, Tasks};
use tokio_util::sync::CancellationToken;

use super::binary_watch;
use super::handle::{Goal, Lifecycle, Phase, Request};
use super::jobs::Jobs;
use super::notify::Notifier;
use super::program::Program;
use super::signals::{Asked, Signals};
use super::stop::StopPlan;
use crate::handover::HandOver;
use crate::logging::LogHandle;

/// Reads the configuration again; ends when that is done.
pub type Reload = Arc<dyn Fn() -> Pin<Box<dyn Future<Output = ()> + Send>> + Send + Sync>;

/// What the composition hands over once everything serves.
pub struct Running {
    /// The steps that end it, in order.
    pub stop: StopPlan,
    /// What SIGHUP does beside opening the log anew.
    pub reload: Reload,
}

/// What the life depends on.
pub struct Life<'a> {
    /// The signals of this process.
    pub signals: &'a mut Signals,
    /// Requests and phases.
    pub lifecycle: Lifecycle,
    /// Everything that runs.
    pub tasks: Tasks,
    /// The service manager.
    pub notifier: Notifier,
    /// What the service manager is about to do.
    pub jobs: Jobs,
    /// The log.
    pub log: LogHandle,
    /// The sockets for the next image of the program.
    pub sockets: HandOver,
    /// The names of inherited sockets that are of no use any more.
    pub closed: Vec<String>,
}

/// How it ended.
#[derive(Debug)]
pub enum Ended {
    /// Somebody asked.
    Asked(Request),
    /// A part that everything depends on failed.
    Failed(Failure),
}

impl Life<'_> {
    /// Serves until the end is asked for or an essential task fails. `before_stop` runs when the stop begins. The sockets
    /// come back for a restart; otherwise they are closed when accepting ends.
    pub async fn run(
        mut self,
        running: Running,
        watched: Option<&Program>,
        before_stop: impl FnOnce(),
    ) -> (Ended, HandOver) {
        self.lifecycle.enter(Phase::Serving);
        let Running { stop, reload } = running;
        self.notifier.keep(&self.sockets, &self.closed);
        self.notifier.ready();
        self.notifier.watch(&self.tasks);
        if let Some(program) = watched {
            binary_watch::watch(program.file.clone(), &self.tasks, &self.lifecycle);
        }
        let ended = self.until_the_end(&reload).await;
        let request = match &ended {
            Ended::Asked(request) => request.clone(),
            Ended::Failed(failure) => {
                Request::new(Goal::Stop, format!("{}: {}", failure.task, failure.reason))
            }
        };
        before_stop();
        match request.goal {
            Goal::Stop | Goal::Return => self.notifier.stopping(request.drain),
            Goal::Restart => self.notifier.reloading(),
        }
        if request.goal != Goal::Restart {
            self.sockets = HandOver::default();
        }
        self.stop(stop, &request).await;
        (ended, self.sockets)
    }

    async fn until_the_end(&mut self, reload: &Reload) -> Ended {
        loop {
            let asked = tokio::select! {
                request = self.lifecycle.requested() => return Ended::Asked(request),
                failure = self.tasks.failed() => return Ended::Failed(failure),
                asked = self.signals.next() => asked,
            };
            let name = asked.name();
            if asked == Asked::Reload {
                // Before the next line, which is the first of the new file.
                self.log.reopen();
            }
            tracing::info!(subsystem = "gateway", "signal {name} received");
            match asked {
                Asked::Terminate | Asked::Interrupt => {
                    tracing::info!(subsystem = "gateway", "received {name}; shutting down");
                    let goal = if asked == Asked::Terminate { self.goal_of_end().await } else { Goal::Stop };
                    return Ended::Asked(Request::new(goal, format!("received {name}")));
                }
                Asked::Restart if self.lifecycle.takes_restart() => {
                    tracing::info!(subsystem = "gateway", "received {name}; restarting");
                    return Ended::Asked(Request::new(Goal::Restart, format!("received {name}")));
                }
                Asked::Restart => tracing::warn!(
                    subsystem = "gateway",
                    "SIGUSR1 restart ignored (not authorized; enable commands.restart or use gateway tool)."
                ),
                Asked::Reload => self.reload(reload.clone()),
            }
        }
    }

    async fn goal_of_end(&self) -> Goal {
        match self.lifecycle.goal_of_end() {
            Goal::Stop if self.jobs.is_restart().await => Goal::Return,
            goal => goal,
        }
    }

    /// Runs beside everything else, so that a stop is heard while a reload takes its time.
    fn reload(&self, reload: Reload) {
        let notifier = self.notifier.clone();
        self.tasks.spawn("reload", Kind::Request, async move {
            notifier.reloading();
            reload().await;
            notifier.ready();
        });
    }

    async fn stop(&mut self, plan: StopPlan, request: &Request) {
        let hurry = CancellationToken::new();
        let run = plan.run(request, &self.lifecycle, &hurry);
        tokio::pin!(run);
        loop {
            let asked = tokio::select! {
                _ = &mut run => return,
                asked = self.signals.next() => asked,
            };
            let name = asked.name();
            if asked.is_stop() {
                tracing::warn!(subsystem = "gateway", "received {name} during shutdown; skipping to the end");
                hurry.cancel();
            } else {
                tracing::info!(subsystem = "gateway", "received {name} during shutdown; ignoring");
            }
        }
    }
}

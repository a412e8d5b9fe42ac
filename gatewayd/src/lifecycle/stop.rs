//! The ordered stop: named steps, each with its own limit and one line in the log, all within one limit. A step that
//! fails or hangs never keeps the next one from running.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use gateway_base::limits;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::handle::{Lifecycle, Phase, Progress, Request};

/// The work of a step.
pub type Work = Pin<Box<dyn Future<Output = Result<(), String>> + Send>>;

/// The steps of a stop, in order.
#[derive(Default)]
pub struct StopPlan {
    steps: Vec<Step>,
}

struct Step {
    name: &'static str,
    limit: Duration,
    kind: Kind,
    work: Box<dyn FnOnce(&Request) -> Work + Send>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Left out when somebody is in a hurry.
    Polite,
    /// As polite, and it takes as long as the request allows.
    Drain,
    /// Always done.
    Needed,
}

impl StopPlan {
    /// Adds a step that a second signal leaves out.
    pub fn polite<F>(
        &mut self,
        name: &'static str,
        limit: Duration,
        work: impl FnOnce(&Request) -> F + Send + 'static,
    ) where
        F: Future<Output = Result<(), String>> + Send + 'static,
    {
        self.add(name, limit, Kind::Polite, work);
    }

    /// Adds the step that lets running work finish: for as long as the request says, else for `limit`.
    pub fn drain<F>(
        &mut self,
        name: &'static str,
        limit: Duration,
        work: impl FnOnce(&Request) -> F + Send + 'static,
    ) where
        F: Future<Output = Result<(), String>> + Send + 'static,
    {
        self.add(name, limit, Kind::Drain, work);
    }

    /// Adds a step that is done even when a second signal asks for the end at once.
    pub fn needed<F>(
        &mut self,
        name: &'static str,
        limit: Duration,
        work: impl FnOnce(&Request) -> F + Send + 'static,
    ) where
        F: Future<Output = Result<(), String>> + Send + 'static,
    {
        self.add(name, limit, Kind::Needed, work);
    }

    fn add<F>(
        &mut self,
        name: &'static str,
        limit: Duration,
        kind: Kind,
        work: impl FnOnce(&Request) -> F + Send + 'static,
    ) where
        F: Future<Output = Result<(), String>> + Send + 'static,
    {
        self.steps.push(Step { name, limit, kind, work: Box::new(move |request| Box::pin(work(request))) });
    }

    /// Runs the steps. Returns whether the overall limit was kept.
    pub(super) async fn run(
        self,
        request: &Request,
        lifecycle: &Lifecycle,
        hurry: &CancellationToken,
    ) -> bool {
        let end = Instant::now() + limits::STOP + request.drain.unwrap_or_default();
        let total = self.steps.len();
        for (done, step) in self.steps.into_iter().enumerate() {
            let phase = if step.kind == Kind::Drain { Phase::Draining } else { Phase::Stopping };
            let phase = phase.max(lifecycle.phase());
            lifecycle.advance(Progress { phase, step: Some(step.name), done, total });
            if step.kind != Kind::Needed && hurry.is_cancelled() {
                continue;
            }
            if Instant::now() >= end {
                tracing::error!(subsystem = "gateway", "shutdown timed out; exiting without full cleanup");
                lifecycle.advance(Progress { phase: Phase::Stopped, step: None, done, total });
                return false;
            }
            run_step(step, request, end, hurry).await;
        }
        lifecycle.advance(Progress { phase: Phase::Stopped, step: None, done: total, total });
        true
    }
}

async fn run_step(step: Step, request: &Request, end: Instant, hurry: &CancellationToken) {
    let Step { name, limit, kind, work } = step;
    let limit = if kind == Kind::Drain { request.drain.unwrap_or(limit) } else { limit };
    let began = Instant::now();
    let deadline = end.min(began + limit);
    let hurried = async {
        match kind {
            Kind::Needed => std::future::pending().await,
            Kind::Polite | Kind::Drain => hurry.cancelled().await,
        }
    };
    let outcome = tokio::select! {
        biased;
        outcome = work(request) => Some(outcome),
        () = tokio::time::sleep_until(deadline) => None,
        () = hurried => None,
    };
    let ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    match outcome {
        Some(Ok(())) => tracing::info!(subsystem = "gateway", "shutdown: {name} ({ms} ms)"),
        Some(Err(error)) => tracing::error!(subsystem = "gateway", "shutdown error: {name}: {error}"),
        None => tracing::warn!(subsystem = "gateway", "shutdown: {name} was cut off after {ms} ms"),
    }
}

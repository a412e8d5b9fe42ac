//! Lets a controller watch a stop: the phases of the daemon's life, told as steps of the admin contract.

use gateway_admin::{time, v1};
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use crate::lifecycle::{Phase, Progress};

/// Sends each step of a stop as it begins and ends, until the stop closes the stream. Steps that went by between two
/// looks are told too, in order.
pub(super) async fn report(
    mut progress: watch::Receiver<Progress>,
    steps: Vec<&'static str>,
    to: mpsc::Sender<v1::ShutdownResponse>,
    watching: CancellationToken,
) {
    let began = tokio::time::Instant::now();
    let mut told = 0;
    let mut running = None;
    loop {
        let now = *progress.borrow_and_update();
        let mut news = Vec::new();
        while told < now.done {
            if running.take() != Some(told) {
                news.push((told, v1::StepState::Running));
            }
            news.push((told, v1::StepState::Done));
            told += 1;
        }
        if now.step.is_some() && running != Some(told) {
            running = Some(told);
            news.push((told, v1::StepState::Running));
        }
        for (step, state) in news {
            let step = v1::ShutdownResponse {
                step: steps.get(step).copied().unwrap_or_default().to_owned(),
                state: state.into(),
                elapsed: Some(time::duration(began.elapsed())),
                ..v1::ShutdownResponse::default()
            };
            if to.send(step).await.is_err() {
                return;
            }
        }
        if now.phase == Phase::Stopped {
            return;
        }
        tokio::select! {
            biased;
            changed = progress.changed() => if changed.is_err() { return },
            () = watching.cancelled() => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn steps_that_went_by_unseen_are_told_in_order() {
        let names = crate::compose::stop::steps(false, true);
        let at = |done, step| Progress { phase: Phase::Stopping, step, done, total: names.len() };
        let (progress, from) = tokio::sync::watch::channel(at(0, Some(names[0])));
        let (to, mut told) = mpsc::channel(32);
        let watching = CancellationToken::new();
        let report = report(from, names.clone(), to, watching.clone());
        let drive = async {
            let mut steps = Vec::new();
            steps.extend(told.recv().await);
            progress.send_replace(at(3, Some(names[3])));
            for _ in 0..6 {
                steps.extend(told.recv().await);
            }
            watching.cancel();
            steps.into_iter().map(|s| (s.step, s.state)).collect::<Vec<_>>()
        };
        let both = async { tokio::join!(report, drive) };
        let ((), steps) = tokio::time::timeout(Duration::from_secs(30), both).await.expect("all are told");
        let running = i32::from(v1::StepState::Running);
        let done = i32::from(v1::StepState::Done);
        let want = [(0, running), (0, done), (1, running), (1, done), (2, running), (2, done), (3, running)];
        assert_eq!(steps, want.map(|(n, state)| (names[n].to_owned(), state)));
    }
}

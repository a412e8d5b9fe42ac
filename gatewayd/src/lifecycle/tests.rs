use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::*;

fn stop() -> Request {
    Request::new(Goal::Stop, "test")
}

/// A plan that notes which steps ran to their end.
fn plan(ran: &Arc<Mutex<Vec<&'static str>>>) -> StopPlan {
    let note = |name: &'static str| {
        let ran = ran.clone();
        move || ran.lock().expect("no panic").push(name)
    };
    let mut plan = StopPlan::default();
    let (tell, flush, close) = (note("tell"), note("flush"), note("close"));
    plan.polite("tell clients", Duration::from_millis(100), move |_| async move {
        tell();
        Ok(())
    });
    plan.drain("drain", Duration::from_millis(500), |_| std::future::pending());
    plan.polite("fail", Duration::from_millis(100), |_| async { Err("broken".to_owned()) });
    plan.needed("flush", Duration::from_millis(100), move |_| async move {
        flush();
        Ok(())
    });
    plan.polite("close", Duration::from_millis(100), move |_| async move {
        close();
        Ok(())
    });
    plan
}

async fn run(plan: StopPlan, request: &Request, hurry: &CancellationToken) -> (bool, Duration, Lifecycle) {
    let (lifecycle, began) = (Lifecycle::default(), Instant::now());
    let kept = plan.run(request, &lifecycle, hurry).await;
    (kept, began.elapsed(), lifecycle)
}

#[tokio::test(start_paused = true)]
async fn every_step_runs_within_its_limit_whatever_the_others_do() {
    let ran = Arc::default();
    let (kept, took, lifecycle) = run(plan(&ran), &stop(), &CancellationToken::new()).await;
    assert_eq!(*ran.lock().expect("no panic"), ["tell", "flush", "close"]);
    assert!(kept && took >= Duration::from_millis(500) && took < Duration::from_millis(600), "{took:?}");
    assert_eq!(
        *lifecycle.progress().borrow(),
        Progress { phase: Phase::Stopped, step: None, done: 5, total: 5 }
    );
}

#[tokio::test(start_paused = true)]
async fn the_drain_takes_as_long_as_the_request_allows() {
    let request = Request { drain: Some(Duration::from_secs(30)), ..stop() };
    let (kept, took, _) = run(plan(&Arc::default()), &request, &CancellationToken::new()).await;
    assert!(kept && took >= Duration::from_secs(30) && took < Duration::from_secs(31), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn a_hurry_leaves_out_everything_but_what_is_needed() {
    let (ran, hurry) = (Arc::default(), CancellationToken::new());
    let request = stop();
    let running = run(plan(&ran), &request, &hurry);
    let ((kept, took, _), ()) = tokio::join!(running, async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        hurry.cancel();
    });
    assert_eq!(*ran.lock().expect("no panic"), ["tell", "flush"]);
    assert!(kept && took < Duration::from_millis(100), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn the_overall_limit_ends_the_stop() {
    let mut plan = StopPlan::default();
    for _ in 0..4 {
        plan.needed("stuck", Duration::from_secs(2), |_| std::future::pending());
    }
    let (kept, took, lifecycle) = run(plan, &stop(), &CancellationToken::new()).await;
    assert!(!kept && took >= Duration::from_secs(5) && took < Duration::from_secs(6), "{took:?}");
    assert_eq!(lifecycle.phase(), Phase::Stopped);
}

#[tokio::test(start_paused = true)]
async fn the_first_request_counts_and_a_stop_replaces_a_waiting_restart() {
    let lifecycle = Lifecycle::default();
    let restart = |reason: &str| Request::new(Goal::Restart, reason);
    assert!(lifecycle.request(Duration::from_secs(2), restart("config")));
    assert!(!lifecycle.request(Duration::ZERO, restart("again")));
    let (request, ()) = tokio::join!(lifecycle.requested(), async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert!(lifecycle.request(Duration::ZERO, stop()));
    });
    assert_eq!(request, stop());
    assert!(!lifecycle.request(Duration::ZERO, restart("late")));
}

#[test]
fn a_request_during_a_stop_does_not_count() {
    let lifecycle = Lifecycle::default();
    for (phase, counts) in [(Phase::Draining, false), (Phase::Stopping, false), (Phase::Serving, true)] {
        lifecycle.enter(phase);
        assert_eq!(lifecycle.request(Duration::ZERO, stop()), counts, "{phase:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_delayed_restart_comes_after_its_delay() {
    let (lifecycle, began) = (Lifecycle::default(), Instant::now());
    lifecycle.request(Duration::from_secs(2), Request::new(Goal::Restart, "config"));
    assert_eq!(lifecycle.requested().await.reason, "config");
    assert!(began.elapsed() >= Duration::from_secs(2));
}

#[tokio::test(start_paused = true)]
async fn permits_are_used_up_and_expire() {
    let lifecycle = Lifecycle::default();
    assert!(!lifecycle.takes_restart());
    lifecycle.permit_restart(Duration::from_secs(7));
    assert!(lifecycle.takes_restart() && !lifecycle.takes_restart());
    lifecycle.permit_restart(Duration::from_secs(7));
    tokio::time::sleep(Duration::from_secs(8)).await;
    assert!(!lifecycle.takes_restart());
    lifecycle.permit_restart(Duration::from_secs(7));
    assert!(lifecycle.takes_restart() && !lifecycle.takes_restart());
    lifecycle.allow_restarts(true);
    assert!(lifecycle.takes_restart() && lifecycle.takes_restart());
}

#[tokio::test(start_paused = true)]
async fn an_announced_restart_makes_a_return_of_an_end_for_a_while() {
    let lifecycle = Lifecycle::default();
    assert_eq!(lifecycle.goal_of_end(), Goal::Stop);
    lifecycle.announce_restart(Duration::from_secs(10));
    tokio::time::sleep(Duration::from_secs(9)).await;
    assert_eq!(lifecycle.goal_of_end(), Goal::Return);
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(lifecycle.goal_of_end(), Goal::Stop);
}

#[cfg(unix)]
#[tokio::test]
async fn the_service_manager_is_asked_for_by_the_environment() {
    use gateway_base::env::Env;
    let notifier = Notifier::new(&Env::default());
    notifier.ready();
    assert_eq!(format!("{notifier:?}"), "Notifier { is_asked: false, watchdog: None }");
    let pid = std::process::id().to_string();
    for (pid, expected) in [(pid.as_str(), Some(Duration::from_secs(30))), ("1", None)] {
        let env =
            Env::from_pairs([("NOTIFY_SOCKET", "/x"), ("WATCHDOG_USEC", "30000000"), ("WATCHDOG_PID", pid)]);
        assert!(format!("{:?}", Notifier::new(&env)).contains(&format!("watchdog: {expected:?}")));
    }
}

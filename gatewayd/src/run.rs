//! The life of the daemon from its arguments to its exit code.

use std::time::Duration;

use gateway_base::clock::Clock;
use gateway_base::disk;
use gateway_base::env::Env;
use gateway_base::error_chain::Chain;
use gateway_base::task::{Kind, Tasks, panic_text};
use gateway_config::sections::Level;

use crate::args::Args;
use crate::exit::{Exit, Refusal};
use crate::handover::{HandOver, Inherited};
use crate::lifecycle::{Ended, FELL_BACK, Goal, Jobs, Life, Notifier, Program, Signals};
use crate::logging::{self, LogHandle};
use crate::start::{self, Boot, Facts, Started};
use crate::tunnel::Tunnel;
use crate::{compose, lifecycle, print, trial};

/// How long the last records may take to be written.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// What follows the end of [`run`].
#[derive(Debug)]
pub enum Next {
    /// The process ends.
    Exit(Exit),
    /// The process starts again in place, with these sockets.
    Restart(HandOver),
}

/// Starts, serves and ends. The locks are released when this returns.
pub async fn run(args: Args, env: Env, program: &Program, inherited: Inherited) -> Next {
    let log = match start_log(&args, &env) {
        Ok(log) => log,
        Err(error) => {
            return refuse(&Refusal::new(Exit::Failed, [format!("Gateway failed to start: Error: {error}")]));
        }
    };
    let next = match Signals::install() {
        Ok(mut signals) => live(args, &env, program, &log, &mut signals, inherited).await,
        Err(error) => {
            refuse(&Refusal::new(Exit::Failed, [format!("Gateway failed to start: Error: {error}")]))
        }
    };
    log.flush(LAST_WORDS);
    next
}

async fn live(
    args: Args,
    env: &Env,
    program: &Program,
    log: &LogHandle,
    signals: &mut Signals,
    mut inherited: Inherited,
) -> Next {
    if let Some(note) = env.get(FELL_BACK) {
        tracing::error!(subsystem = "gateway", "restarted with the program that ran before: {note}");
    }
    let rescue = |next, sockets| rescue(&args, env, program, next, sockets);
    let started = tokio::select! {
        biased;
        started = start::boot(args.clone(), env, program, log.clone(), &mut inherited) => started,
        () = stop_signal(signals) => return Next::Exit(Exit::Stopped),
    };
    let (mut boot, facts, mut locks) = match started {
        Ok(Started::Boot(boot, facts, locks)) => (*boot, facts, locks),
        Ok(Started::Print(text)) => {
            print::line(text.trim_end());
            return Next::Exit(Exit::Stopped);
        }
        Err(refusal) => return rescue(refuse(&refusal), HandOver::again(&inherited)),
    };
    let mut life = Life {
        lifecycle: boot.lifecycle.clone(),
        tasks: boot.tasks.clone(),
        notifier: Notifier::new(env),
        jobs: Jobs::new(env),
        log: log.clone(),
        signals,
        sockets: HandOver::of(&boot.listeners),
        closed: std::mem::take(&mut boot.closed),
    };
    let watched = boot.is_dev.then_some(program);
    let running = match compose(boot, facts, life.signals, &mut life.sockets).await {
        Ok(running) => running,
        Err(next) => return rescue(next, life.sockets),
    };
    let (ended, sockets) = life.run(running, watched, || locks.mark_stopping()).await;
    match ended {
        Ended::Asked(request) if request.goal == Goal::Restart => Next::Restart(sockets),
        Ended::Asked(_) => Next::Exit(Exit::Stopped),
        Ended::Failed(_) => rescue(Next::Exit(Exit::Failed), sockets),
    }
}

/// A daemon that failed with a config change on trial takes it back and starts again without it. The trial is over
/// then, so that cannot go round in circles.
fn rescue(args: &Args, env: &Env, program: &Program, next: Next, sockets: HandOver) -> Next {
    if matches!(next, Next::Exit(Exit::Stopped)) {
        return next;
    }
    let Some(done) = trial::rescue(args, env, &program.working_folder) else { return next };
    tracing::warn!(subsystem = "gateway/reload", "{done}");
    tracing::info!(subsystem = "gateway", "starting again with the old config");
    Next::Restart(sockets)
}

/// Puts the parts together, unless a signal asks for the end first.
async fn compose(
    boot: Boot,
    facts: Facts,
    signals: &mut Signals,
    sockets: &mut HandOver,
) -> Result<lifecycle::Running, Next> {
    if let Some(limit) = lifecycle::raise_descriptors() {
        tracing::debug!(subsystem = "gateway", limit, "limit of open descriptors");
    }
    let tasks = boot.tasks.clone();
    let composed = tokio::select! {
        biased;
        composed = compose::serve(boot, sockets) => composed,
        () = stop_signal(signals) => return Err(Next::Exit(Exit::Stopped)),
    };
    match composed {
        Ok((running, tunnel)) => {
            announce(facts, tunnel, &tasks);
            Ok(running)
        }
        Err(error) => {
            let text = format!("Gateway failed to start: Error: {}", Chain(&error));
            tracing::error!(subsystem = "gateway", file_only = true, "{text}");
            let fix = disk::advice(&error).map(|advice| format!("Fix: {advice}."));
            Err(refuse(&Refusal::new(error.exit(), std::iter::once(text).chain(fix))))
        }
    }
}

/// The lines of the start. With a tunnel its own lines come first when they come soon; nothing but these lines waits.
fn announce(facts: Facts, tunnel: Option<Tunnel>, tasks: &Tasks) {
    let Some(tunnel) = tunnel else { return start::announce(&facts) };
    tasks.spawn("lines of the start", Kind::Request, async move {
        tunnel.told().await;
        start::announce(&facts);
    });
}

async fn stop_signal(signals: &mut Signals) {
    while !signals.next().await.is_stop() {}
}

fn refuse(refusal: &Refusal) -> Next {
    print::refusal(refusal);
    Next::Exit(refusal.exit)
}

/// The log works from the first moment; what the configuration says about it comes later.
fn start_log(args: &Args, env: &Env) -> Result<LogHandle, std::io::Error> {
    let mut env = env.clone();
    if args.no_color {
        env.set("NO_COLOR", "1");
        env.set("FORCE_COLOR", "0");
    }
    let options = logging::Options {
        clock: Clock::system(),
        file_level: Level::Info,
        console_level: Level::Info,
        verbose: args.verbose,
        style: None,
        only: args.claude_cli_logs.then_some("agent/claude-cli"),
    };
    let (log, subscriber) = logging::start(options, &env)?;
    tracing::subscriber::set_global_default(subscriber).map_err(std::io::Error::other)?;
    log_panics(log.clone());
    Ok(log)
}

/// A panic is a record like any other, but one that must not be lost; what it ends is decided by whoever supervises
/// the task.
fn log_panics(log: LogHandle) {
    std::panic::set_hook(Box::new(move |info| {
        let at = info.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(subsystem = "gateway", at, "{}", panic_text(info.payload()));
        log.flush(Duration::from_millis(100));
    }));
}

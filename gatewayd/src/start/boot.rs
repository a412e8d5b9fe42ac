//! The start in its order: who we are, what we are allowed, what is ours. What comes out is everything the
//! composition needs; nothing has been served yet.

use std::net::SocketAddr;
use std::path::PathBuf;

use gateway_base::clock::Clock;
use gateway_base::env::Env;
use gateway_base::paths::Paths;
use gateway_base::task::Tasks;
use gateway_config::environment;
use gateway_config::sections::Bind;
use gateway_config::write::Trial;

use super::auth::Auth;
use super::configuration::{self, Loaded};
use super::exposure::Exposure;
use super::identity::Identity;
use super::ownership::{Locks, Ownership};
use super::{checks, claim};
use crate::args::Args;
use crate::bind::Listener;
use crate::dev;
use crate::exit::Refusal;
use crate::handover::{AdminSocket, Inherited};
use crate::lifecycle::{Lifecycle, Program};
use crate::logging::LogHandle;
use crate::trial::{self, Found};

/// Everything that is settled before the first part is built.
#[derive(Debug)]
pub struct Boot {
    /// This program's file.
    pub program: PathBuf,
    /// The flags.
    pub args: Args,
    /// The environment of this gateway and its children.
    pub env: Env,
    /// Where everything is.
    pub paths: Paths,
    /// Wall-clock time.
    pub clock: Clock,
    /// Development mode is on.
    pub is_dev: bool,
    /// The configuration.
    pub loaded: Loaded,
    /// The config change that stays on trial.
    pub trial: Option<Trial>,
    /// What clients must present.
    pub auth: Auth,
    /// To whom Tailscale publishes it.
    pub exposure: Exposure,
    /// The port.
    pub port: u16,
    /// The bind mode.
    pub bind: Bind,
    /// The open listeners; nobody has been accepted yet.
    pub listeners: Vec<Listener>,
    /// The admin socket, when it was handed over.
    pub admin: Option<AdminSocket>,
    /// The names of inherited listeners that were closed.
    pub closed: Vec<String>,
    /// What this instance may write.
    pub ownership: Ownership,
    /// The log.
    pub log: LogHandle,
    /// The spawner of this daemon.
    pub tasks: Tasks,
    /// Phases, and requests to stop or restart.
    pub lifecycle: Lifecycle,
}

/// What the success lines say.
#[derive(Clone, Debug)]
pub struct Facts {
    /// The model of the default agent.
    pub model: String,
    /// The addresses to show.
    pub shown: Vec<SocketAddr>,
    /// The second loopback address.
    pub alias: Option<SocketAddr>,
    /// The log file.
    pub log_file: PathBuf,
    /// TLS is on.
    pub tls: bool,
    /// Detail is asked for.
    pub verbose: bool,
    /// The configuration is managed from outside.
    pub nix: bool,
}

/// The outcome of a start.
#[derive(Debug)]
pub enum Started {
    /// Go on and serve.
    Boot(Box<Boot>, Facts, Locks),
    /// Print this on stdout and end well.
    Print(String),
}

/// Runs the checks and takes the lock and the port. Listeners are taken from `inherited` when it comes to the port; what
/// ends the start before leaves them there.
pub async fn boot(
    args: Args,
    process: &Env,
    program: &Program,
    log: LogHandle,
    inherited: &mut Inherited,
) -> Result<Started, Refusal> {
    let clock = Clock::system();
    checks::before_config(&args)?;
    let mut who = Identity::new(&args, process, &program.working_folder)?;
    if who.is_dev && !args.print_config {
        dev::prepare(&who.paths, &who.env, &clock, args.reset)?;
    }
    let found = if args.print_config { Found::default() } else { trial::find(&who.paths, &who.env, &clock) };
    let loaded = configuration::load(&who.paths, &who.env)?;
    if args.print_config {
        return Ok(Started::Print(configuration::print(&loaded)));
    }
    let config = loaded.snapshot.config.clone();
    log.configure(&config.logging);
    who.env = environment::with_section(&who.env, &loaded.snapshot.value);
    let allowed = checks::with_config(&args, loaded.snapshot.exists, &config.gateway, &who.env)?;
    let claimed = claim::claim(&who, &allowed, &config.gateway, &clock, args.force, inherited).await?;
    log.set_file(config.logging.file.clone());
    if let Some(note) = &found.note {
        tracing::warn!(subsystem = "gateway", "{note}");
    }
    for note in &inherited.notes {
        tracing::warn!(subsystem = "gateway", "{note}");
    }
    report(&who, &loaded);
    report_flags(&args);
    claim::report(&who, &allowed, &claimed);
    export(&mut who.env, &args, allowed.port.number);
    let facts = Facts {
        model: config.model_ref(),
        shown: claimed.bound.shown,
        alias: claimed.bound.alias,
        log_file: config.logging.file.clone(),
        tls: config.gateway.tls.enabled,
        verbose: args.verbose,
        nix: who.env.is_one("CLAWDBOT_NIX_MODE"),
    };
    let lifecycle = Lifecycle::default();
    lifecycle.allow_restarts(config.commands.restart);
    let boot = Boot {
        args,
        env: who.env,
        program: program.file.clone(),
        paths: who.paths,
        clock,
        is_dev: who.is_dev,
        loaded,
        trial: found.trial,
        auth: allowed.auth,
        exposure: allowed.exposure,
        port: allowed.port.number,
        bind: allowed.bind,
        listeners: claimed.bound.listeners,
        admin: inherited.admin.take(),
        closed: claimed.bound.closed,
        ownership: claimed.ownership,
        log,
        tasks: Tasks::default(),
        lifecycle,
    };
    Ok(Started::Boot(Box::new(boot), facts, claimed.locks))
}

/// What the configuration has to say for the log.
fn report(who: &Identity, loaded: &Loaded) {
    if let Some(reason) = loaded.degraded() {
        let copy = who.paths.tilde(&who.paths.last_good_config());
        tracing::error!(
            subsystem = "gateway",
            "running on the last good config ({copy}), because of an {reason}"
        );
    }
    for warning in &loaded.snapshot.warnings {
        tracing::warn!(subsystem = "gateway", "config: {}: {}", warning.path, warning.message);
    }
}

/// A flag that is accepted for the original's sake and has no effect yet must not be taken for one that works.
fn report_flags(args: &Args) {
    for flag in args.without_effect() {
        tracing::warn!(subsystem = "gateway", "{flag} is accepted, but has no effect in this version");
    }
}

/// What children of this gateway find in their environment.
fn export(env: &mut Env, args: &Args, port: u16) {
    env.set("CLAWDBOT_GATEWAY_PORT", port.to_string());
    if let Some(token) = args.token.as_ref().filter(|token| !token.is_blank()) {
        env.set("CLAWDBOT_GATEWAY_TOKEN", token.expose());
    }
}

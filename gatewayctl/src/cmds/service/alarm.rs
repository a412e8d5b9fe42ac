//! `watch install` and `watch uninstall`: the timer of the watch. It stands beside the gateway's service and needs none:
//! it is to notice when that one is latched, broken or gone.

use std::path::PathBuf;
use std::time::Duration;

use gateway_base::atomic_file;
use gateway_base::paths::Paths;
use tokio::time::{Instant, sleep};

use super::health::Health;
use super::install::identity;
use super::outcome::{Done, Outcome};
use super::power::is_there;
use super::program;
use super::site::Site;
use crate::args::{WatchInstallArgs, WatchUninstallArgs};
use crate::cmds::watch::Place;
use crate::cmds::watch::settings::Settings;
use crate::exit::{Exit, Failure};
use crate::service::systemd::linger;
use crate::service::timer::{self, Plan, Timer};
use crate::service::{Control, Manager, Parts, Runner, Scope, Service, Spec, Step, systemd};

/// How long a manager may take to show what it was told.
const NOTICE: Duration = Duration::from_secs(15);
/// How often is asked.
const AGAIN: Duration = Duration::from_millis(100);
/// The shortest pause of the Task Scheduler.
const MINUTE: Duration = Duration::from_secs(60);

/// Installs the timer.
pub async fn install<R: Runner, H: Health>(
    site: &Site<'_, R, H>,
    args: &WatchInstallArgs,
) -> Result<Outcome, Failure> {
    let settings = settings(site, args)?;
    let timer = Timer::new(&site.control, &site.names);
    let (spec, file) = look(site, &timer).await?;
    let plan = Plan { spec: &spec, every: args.every, after: settings.after() };
    let texts = timer.texts(plan, site.runner).await.map_err(|error| site.failed(&error))?;
    if site.dry_run {
        let mut outcome = Outcome::planned(timer.install(texts));
        outcome.hints.push(format!("The settings would be stored in {}.", file.display()));
        return Ok(outcome);
    }
    site.available().await?;
    let _held = site.lock().await?;
    let before = timer.query(site.runner).await;
    let text = settings.text()?;
    let same = std::fs::read_to_string(&file).is_ok_and(|old| old == text);
    let kind = site.control.kind().noun();
    if same && Timer::is_set(&before) && Timer::is_written(&texts) {
        let mut outcome = Outcome::new(Done::AlreadyInstalled);
        outcome.say(format!("The watch already looks every {}.", words(args.every)));
        outcome.service = Some(before);
        return Ok(outcome);
    }
    let stored = atomic_file::replace(&file, text.as_bytes());
    stored.map_err(|error| site.failed(&format!("{}: {error}", file.display())))?;
    site.take(&timer.install(texts)).await?;
    let service = wait(site, &timer, Timer::is_set, "the timer does not run").await?;
    let mut outcome = Outcome::new(Done::Installed);
    outcome.say(format!("Installed {kind}: {}", timer.file().display()));
    outcome.say(format!("The watch looks every {}.", words(args.every)));
    outcome.hints.push(format!("What it sees: {}", site.app.suggest("watch status")));
    outcome.service = Some(service);
    remarks(site, &mut outcome).await;
    Ok(outcome)
}

fn settings<R: Runner, H: Health>(
    site: &Site<'_, R, H>,
    args: &WatchInstallArgs,
) -> Result<Settings, Failure> {
    let usage = |text: &str, hint: &str| Failure::new(Exit::Usage, text).hint(hint.to_owned());
    let settings = Settings::from_options(&args.alarm, &site.app.env)?.every(args.every);
    if settings.channels().is_empty() {
        let text = "nobody would be told: give --exec, --webhook, --webhook-file or --notify";
        return Err(usage(text, &format!("Such as: {}", site.app.suggest("watch install --notify"))));
    }
    if settings.notify && site.scope() == Scope::System {
        let text = "a timer of the machine has no desktop to show a notification on";
        return Err(usage(text, "Use --exec or --webhook, or leave out --system."));
    }
    if site.control.kind() == Manager::Schtasks && args.every < MINUTE {
        return Err(usage("the Task Scheduler looks once a minute at most", "Leave out --every."));
    }
    Ok(settings)
}

/// What a look is, and the file of its settings. A timer of the machine gets them from root's own file.
async fn look<R: Runner, H: Health>(
    site: &Site<'_, R, H>,
    timer: &Timer,
) -> Result<(Spec, PathBuf), Failure> {
    let user = (site.scope() == Scope::System).then(|| owner(site)).flatten();
    let (user, env, paths) = identity(site, user.as_deref())?;
    let program = program::controller(site.app.own.as_deref(), &env)
        .ok_or_else(|| site.failed("the path of this program is not known"))?;
    let gateway = site.service().await;
    // A gateway that is installed says itself where its things are.
    let (env, paths) = match &gateway.command {
        Some(command) => command.place(&env, &paths),
        None => (env, paths),
    };
    let (file, source) = match timer.machine_settings() {
        Some(file) => (file, "-".to_owned()),
        None => {
            let file = Place::new(&paths).settings();
            let source = file.display().to_string();
            (file, source)
        }
    };
    let parts = Parts {
        manager: site.control.kind(),
        scope: site.scope(),
        names: &site.names,
        paths: &paths,
        env: &env,
        program: &program,
        port: 0,
        user: user.as_deref(),
    };
    Ok((timer::spec(parts, &source), file))
}

/// The user of the gateway's service of the machine.
fn owner<R: Runner, H: Health>(site: &Site<'_, R, H>) -> Option<String> {
    let text = crate::service::read_file(&site.control.file(&site.names))?;
    let lines = systemd::logical_lines(&text);
    lines.iter().rev().find_map(|line| line.strip_prefix("User=")).map(|user| user.trim().to_owned())
}

/// Removes the timer.
pub async fn uninstall<R: Runner, H: Health>(
    site: &Site<'_, R, H>,
    args: &WatchUninstallArgs,
) -> Result<Outcome, Failure> {
    let timer = Timer::new(&site.control, &site.names);
    if args.options.dry_run {
        let before = timer.query(site.runner).await;
        let mut outcome = Outcome::planned(timer.remove(&before));
        outcome.hints.push(format!("The folder would be removed: {}", place(site, &timer).folder.display()));
        return Ok(outcome);
    }
    site.available().await?;
    let held = site.lock().await?;
    let mut outcome = Outcome::new(Done::NotLoaded);
    if !clear(site, &mut outcome).await? {
        // What looks by hand have left behind goes too.
        forget(site, &place(site, &timer))?;
        outcome.say("There is no watch to remove.");
    }
    if let Some(held) = held.filter(|_| !site.control.file(&site.names).exists()) {
        held.remove();
    }
    Ok(outcome)
}

/// Removes the timer and what it knows, if there is one. Nothing can be told of a gateway that is no longer there.
pub async fn clear<R: Runner, H: Health>(
    site: &Site<'_, R, H>,
    outcome: &mut Outcome,
) -> Result<bool, Failure> {
    let timer = Timer::new(&site.control, &site.names);
    let before = timer.query(site.runner).await;
    if !timer.is_there(&before) {
        return Ok(false);
    }
    let place = place(site, &timer);
    site.take(&timer.remove(&before)).await?;
    let gone = |service: &Service| !is_there(service);
    wait(site, &timer, gone, "the timer is still there").await?;
    forget(site, &place)?;
    outcome.say(format!("Removed the watch: {}", timer.file().display()));
    if outcome.done == Done::NotLoaded {
        outcome.done = Done::Uninstalled;
    }
    Ok(true)
}

fn forget<R: Runner, H: Health>(site: &Site<'_, R, H>, place: &Place) -> Result<(), Failure> {
    place.remove().map_err(|error| site.failed(&format!("{}: {error}", place.folder.display())))
}

/// The steps that remove the timer, if there is one.
pub async fn removal<R: Runner, H: Health>(site: &Site<'_, R, H>) -> Vec<Step> {
    let timer = Timer::new(&site.control, &site.names);
    let before = timer.query(site.runner).await;
    if timer.is_there(&before) { timer.remove(&before) } else { Vec::new() }
}

/// Where the watch that is installed keeps its things.
fn place<R: Runner, H: Health>(site: &Site<'_, R, H>, timer: &Timer) -> Place {
    let command = timer.service_file().as_deref().and_then(timer::runs);
    let paths: Option<Paths> = command.map(|command| command.place(&site.app.env, &site.app.paths).1);
    Place::new(paths.as_ref().unwrap_or(&site.app.paths))
}

async fn wait<R: Runner, H: Health>(
    site: &Site<'_, R, H>,
    timer: &Timer,
    wanted: impl Fn(&Service) -> bool,
    otherwise: &str,
) -> Result<Service, Failure> {
    let end = Instant::now() + NOTICE;
    loop {
        let service = timer.query(site.runner).await;
        if wanted(&service) {
            return Ok(service);
        }
        if Instant::now() >= end {
            let state = service.runtime_word();
            let text = format!("{otherwise} ({}: {state})", timer.name());
            return Err(site.failed(&text).hint(format!("Check: {}", site.app.suggest("watch status"))));
        }
        sleep(AGAIN).await;
    }
}

async fn remarks<R: Runner, H: Health>(site: &Site<'_, R, H>, outcome: &mut Outcome) {
    let user = &site.around.user;
    if matches!(site.control, Control::Systemd(_))
        && site.scope() == Scope::User
        && linger::is_on(user, site.runner).await == Some(false)
    {
        outcome.warnings.push(format!(
            "Systemd lingering is disabled for {user}: nobody looks while you are logged out. Run: sudo loginctl \
             enable-linger {user}"
        ));
    }
}

/// A pause in words: `1 min`, `90 s`.
fn words(time: Duration) -> String {
    let seconds = time.as_secs();
    if seconds >= 60 && seconds.is_multiple_of(60) {
        format!("{} min", seconds / 60)
    } else {
        format!("{} s", time.as_secs_f64())
    }
}

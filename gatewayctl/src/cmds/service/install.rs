//! `install`: writes the service, starts it, and waits until it serves. Doing it again changes nothing unless it is
//! forced, and says what is different.

use std::fs;
use std::time::Duration;

use gateway_base::account::Account;
use gateway_base::env::Env;
use gateway_base::paths::Paths;
use tokio::time::{Instant, sleep};

use super::health::Health;
use super::outcome::{Done, Outcome};
use super::power::{registered, runtime};
use super::program;
use super::site::Site;
use super::wait::{self, Since};
use crate::args::InstallArgs;
use crate::cmds::config;
use crate::exit::Failure;
use crate::service::old::{self, Old};
use crate::service::systemd::{self, Manager, linger};
use crate::service::{
    Control, Installed, Names, Parts, Runner, RuntimeState, Scope, Service, Spec, Step, difference, launchd,
    read_file,
};
use crate::settings::Settings;
use crate::target;

/// How long a manager that lingering has just started may take to come up.
const COME_UP: Duration = Duration::from_secs(15);
/// How often is asked.
const AGAIN: Duration = Duration::from_millis(50);

/// What is to be installed.
struct Plan {
    text: String,
    port: u16,
    paths: Paths,
    old: Vec<Old>,
    /// Those of other profiles on the same port.
    siblings: Vec<Old>,
}

/// What is there before anything is installed.
struct Found {
    before: Service,
    difference: Vec<String>,
    is_installed: bool,
}

impl Found {
    async fn look<R: Runner, H: Health>(site: &Site<'_, R, H>, text: &str) -> Self {
        let before = site.service().await;
        let file = read_file(&site.control.file(&site.names));
        let lines = |text: &str| site.control.lines(text);
        let difference = file.as_deref().map(|old| difference(&lines(old), &lines(text))).unwrap_or_default();
        let is_complete = before.installed == Installed::Yes || !difference.is_empty();
        // A task of the original is registered without a file of ours.
        let is_there = file.is_some() || matches!(site.control, Control::Schtasks(_));
        Self { before, difference, is_installed: is_there && is_complete }
    }
}

/// Installs it.
pub async fn install<R: Runner, H: Health>(
    site: &mut Site<'_, R, H>,
    args: &InstallArgs,
) -> Result<Outcome, Failure> {
    let plan = plan(site, args).await?;
    let path = site.control.file(&site.names);
    if let Ok(target) = fs::read_link(&path) {
        let why = format!("{} is a link to {}, so the service is masked", path.display(), target.display());
        return Err(site.failed(&why).hint(site.remedy(&why)));
    }
    if site.dry_run {
        let found = Found::look(site, &plan.text).await;
        return Ok(planned(site, args, plan, &found));
    }
    if args.linger {
        let user = site.around.user.clone();
        linger_on(site, &user).await?;
        site.control = Control::Systemd(come_up(site).await);
    }
    site.available().await?;
    let _held = site.lock().await?;
    let found = Found::look(site, &plan.text).await;
    if found.is_installed && !args.force {
        return Ok(already(site, found));
    }
    let before = found.before;
    only_one(site, &plan)?;
    make_room(site, args, &plan).await?;
    store_token(site, args, &plan)?;
    let log = plan.paths.log_file();
    site.announce(&before).await;
    site.ease_out(&before).await;
    site.take(&site.control.install(&site.names, plan.text, &log)).await?;
    let service = wait::serving(site, Since::after(site.asked, &before)).await?;
    let mut outcome = Outcome::new(Done::Installed);
    registered(&mut outcome, &service, site);
    runtime(&mut outcome, &service);
    outcome.say(format!("Installed {}: {}", site.control.kind().noun(), path.display()));
    if !matches!(site.control, Control::Systemd(_)) {
        outcome.text.say(format!("Logs: {}", log.display()));
    }
    outcome.service = Some(service);
    remarks(site, args, plan.port, &mut outcome).await;
    Ok(outcome)
}

async fn plan<R: Runner, H: Health>(site: &Site<'_, R, H>, args: &InstallArgs) -> Result<Plan, Failure> {
    let app = site.app;
    let scope = site.scope();
    let (user, env, paths) = identity(site, args.run_as.as_deref())?;
    let settings = Settings::load(&paths, &env);
    let port = args.port.unwrap_or_else(|| target::port(&settings, &settings.extend(&env)));
    let program = program::daemon(app.own.as_deref(), &env).ok_or_else(|| {
        site.failed("there is no gatewayd beside this program or on the PATH")
            .hint("Put gatewayd into the same folder as gatewayctl.")
    })?;
    let spec = Spec::new(Parts {
        manager: site.control.kind(),
        scope,
        names: &site.names,
        paths: &paths,
        env: &env,
        program: &program,
        port,
        user: user.as_deref(),
    });
    let text = site.control.text(&site.names, &spec, &paths.log_file(), site.runner).await;
    let text = text.map_err(|error| site.failed(&error))?;
    // Those of the user it runs as, who may be another one.
    let (kind, names) = (site.control.kind(), Names::new(&env, &paths));
    let mut old = old::find(kind, &names, scope, paths.profile.as_ref());
    old.retain(|old| old.port == port);
    let mut siblings = old::siblings(kind, &names);
    siblings.retain(|sibling| sibling.port == port);
    Ok(Plan { text, port, paths, old, siblings })
}

/// The user of a service of the machine, and the environment and the places that go with the user.
pub fn identity<R: Runner, H: Health>(
    site: &Site<'_, R, H>,
    run_as: Option<&str>,
) -> Result<(Option<String>, Env, Paths), Failure> {
    let (app, around) = (site.app, &site.around);
    if site.scope() == Scope::User {
        return Ok((None, app.env.clone(), app.paths.clone()));
    }
    if around.uid != 0 && !site.dry_run {
        let why = "a service of the machine takes root";
        return Err(site.failed(why).hint(format!("Run: sudo {}", app.suggest(&site.typed))));
    }
    let name = run_as.or(around.sudo_user.as_deref()).unwrap_or(&around.user);
    let account = Account::by_name(name).ok_or_else(|| {
        site.failed(&format!("there is no user {name} on this machine"))
            .hint(format!("Make one: sudo useradd --create-home {name}"))
    })?;
    let mut env = app.env.clone();
    if account.uid != around.uid || env.get("HOME").is_none() {
        env.set("HOME", account.home.display().to_string());
    }
    let paths =
        Paths::resolve(&env, app.paths.profile.clone()).map_err(|error| site.failed(&error.to_string()))?;
    Ok((Some(account.name), env, paths))
}

fn planned<R: Runner, H: Health>(
    site: &Site<'_, R, H>,
    args: &InstallArgs,
    plan: Plan,
    found: &Found,
) -> Outcome {
    let mut steps = Vec::new();
    if args.linger {
        let [call, _] = linger::calls(&site.around.user, true);
        steps.push(Step::Run(call));
    }
    if args.replace_old {
        steps.extend(plan.old.iter().flat_map(|old| removal(site, old)));
    }
    steps.extend(site.control.install(&site.names, plan.text, &plan.paths.log_file()));
    let mut outcome = Outcome::planned(steps);
    if found.is_installed && !args.force {
        let force = site.app.suggest(&format!("{} --force", site.typed));
        outcome.hints.push(format!("It is installed already, so only this would do it: {force}"));
    }
    if args.token.is_some() {
        let path = plan.paths.tilde(&plan.paths.config);
        outcome.hints.push(format!("The token would be stored as gateway.auth.token in {path}."));
    }
    let asked = plan.old.iter().filter(|_| !args.replace_old);
    outcome.warnings = plan.siblings.iter().chain(asked).map(|old| in_the_way(old, plan.port)).collect();
    outcome
}

fn already<R: Runner, H: Health>(site: &Site<'_, R, H>, found: Found) -> Outcome {
    let Found { before, difference, .. } = found;
    let mut outcome = Outcome::new(Done::AlreadyInstalled);
    let word = if before.installed == Installed::Yes { before.installed_word() } else { "installed" };
    outcome.say(format!("Gateway service already {word}."));
    if !difference.is_empty() {
        outcome.say("Its file differs from the one that would be written (- installed, + new):");
    }
    outcome.difference = difference;
    let flag = site.scope_flag();
    outcome.hints.push(format!("Reinstall with: {}", site.app.suggest(&format!("install{flag} --force"))));
    if before.runtime.status != RuntimeState::Running {
        let start = site.app.suggest(&format!("start{flag}"));
        outcome.hints.push(format!("It does not run. Start it with: {start}"));
    }
    outcome.service = Some(before);
    outcome
}

/// Two profiles on one port would keep each other out at every start of the machine.
fn only_one<R: Runner, H: Health>(site: &Site<'_, R, H>, plan: &Plan) -> Result<(), Failure> {
    let Some(sibling) = plan.siblings.first() else { return Ok(()) };
    let own = site.app.suggest(&format!("{} --port N", site.typed));
    let hint = format!("Take another port: {own}\nOr remove that service: {}", by_hand(site, sibling));
    Err(site.failed(&in_the_way(sibling, plan.port)).hint(hint))
}

/// Removes older services that use the same port, with consent; without it the install ends here.
async fn make_room<R: Runner, H: Health>(
    site: &Site<'_, R, H>,
    args: &InstallArgs,
    plan: &Plan,
) -> Result<(), Failure> {
    for old in &plan.old {
        let what = in_the_way(old, plan.port);
        if old.scope == Scope::User && plan.paths.home != site.app.paths.home {
            // Only its owner reaches its manager.
            let hint = format!("As the owner of {}, run: gatewayctl uninstall", plan.paths.home.display());
            return Err(site.failed(&what).hint(hint));
        }
        if old.scope == Scope::System && site.around.uid != 0 {
            let again = site.app.suggest(&site.typed);
            let hint = format!("Remove it first: {}\nThen run: {again}", by_hand(site, old));
            return Err(site.failed(&what).hint(hint));
        }
        let question = format!("{what} Stop and remove it?");
        if !args.replace_old && !site.app.out.ask(&question, false) {
            let again = site.app.suggest(&format!("{} --replace-old", site.typed));
            let hint = format!("Remove it and install: {again}\nOr by hand: {}", by_hand(site, old));
            return Err(site.failed(&what).hint(hint));
        }
        site.take(&removal(site, old)).await?;
    }
    Ok(())
}

fn in_the_way(old: &Old, port: u16) -> String {
    let Old { unit, file, scope, .. } = old;
    format!("{unit} ({}, {}) already uses port {port}.", scope.word(), file.display())
}

/// The stop is waited for: its port must be free before the new service starts.
fn removal<R: Runner, H: Health>(site: &Site<'_, R, H>, old: &Old) -> Vec<Step> {
    if let Control::Launchd(manager) = &site.control {
        let names = Names { label: old.unit.clone(), agent_file: old.file.clone(), ..site.names.clone() };
        let mut steps = launchd::stop(manager, &names);
        steps.extend(launchd::remove(&names));
        return steps;
    }
    let manager = Manager::new(old.scope, &site.app.env);
    let stop = manager.systemctl(["disable", "--now", "--quiet", &old.unit]).within(COME_UP * 6);
    let mut steps = vec![Step::Try(stop)];
    steps.extend(systemd::remove(&manager, &old.unit, &old.file));
    steps
}

/// The removal as it could be typed.
fn by_hand<R: Runner, H: Health>(site: &Site<'_, R, H>, old: &Old) -> String {
    let sudo = if old.scope == Scope::System && site.around.uid != 0 { "sudo " } else { "" };
    let steps = removal(site, old);
    let lines: Vec<_> = steps.iter().filter_map(typed).map(|line| format!("{sudo}{line}")).collect();
    lines.join(" && ")
}

/// A step as it could be typed.
fn typed(step: &Step) -> Option<String> {
    match step {
        Step::Run(call) => Some(call.to_string()),
        Step::Try(call) if call.arguments.iter().any(|word| word == "--now" || word == "bootout") => {
            Some(call.to_string())
        }
        Step::Remove(path) => Some(format!("rm -f {}", path.display())),
        Step::Persist { call, .. } => Some(call.to_string()),
        Step::Try(_) | Step::Write { .. } | Step::Folder(_) | Step::Gone { .. } => None,
    }
}

/// The service file holds no secret, so a token that was given goes where the daemon and every client look for it.
fn store_token<R: Runner, H: Health>(
    site: &Site<'_, R, H>,
    args: &InstallArgs,
    plan: &Plan,
) -> Result<(), Failure> {
    let Some(token) = &args.token else { return Ok(()) };
    if plan.paths.config != site.app.paths.config {
        let why = format!("the token belongs in {}, which is another user's", plan.paths.config.display());
        return Err(site
            .failed(&why)
            .hint("As that user, run: gatewayctl config set gateway.auth.token TOKEN"));
    }
    config::store(site.app, "gateway.auth.token", token.expose())
        .map_err(|failure| failure.context("Gateway install failed"))
}

/// What is worth knowing afterwards: lingering, and a token that only this shell has.
async fn remarks<R: Runner, H: Health>(
    site: &Site<'_, R, H>,
    args: &InstallArgs,
    port: u16,
    outcome: &mut Outcome,
) {
    let app = site.app;
    let (settings, _) = app.settings();
    if app.env.get("CLAWDBOT_GATEWAY_TOKEN").is_some() && settings.text("gateway.auth.token").is_none() {
        let command = app.suggest("config set gateway.auth.token \"$CLAWDBOT_GATEWAY_TOKEN\"");
        outcome.warnings.push(format!(
            "CLAWDBOT_GATEWAY_TOKEN of this shell is not given to the service. Store it: {command}"
        ));
    }
    if site.scope() == Scope::System && args.run_as.as_deref().unwrap_or(&site.around.user) == "root" {
        let command = app.suggest("install --system --force --run-as USER");
        outcome.warnings.push(format!("The gateway runs as root. An ordinary user is safer: {command}"));
    }
    let script = site.app.paths.state.join("gateway.cmd");
    if matches!(site.control, Control::Schtasks(_)) && script.exists() {
        outcome.warnings.push(format!(
            "The script of the task before is no longer used, and it may hold a token. Remove it: del \"{}\"",
            script.display()
        ));
    }
    let others = crate::service::find_foreign(&site.names, true);
    outcome.warnings.extend(others.iter().map(|other| {
        let (label, detail) = (&other.label, &other.detail);
        format!("Another service looks like a gateway: {label} ({detail}). It must not use port {port}.")
    }));
    let user = &site.around.user;
    if matches!(site.control, Control::Systemd(_))
        && site.scope() == Scope::User
        && linger::is_on(user, site.runner).await == Some(false)
    {
        offer_linger(site, user, outcome).await;
    }
}

/// Asks a person; a script is told the command.
async fn offer_linger<R: Runner, H: Health>(site: &Site<'_, R, H>, user: &str, outcome: &mut Outcome) {
    let reason = "Systemd user services stop when you log out or go idle, which kills the Gateway.";
    let question = format!(
        "{reason}\nWe can enable lingering now (may require sudo; writes /var/lib/systemd/linger).\n\
         Enable systemd lingering for {user}?"
    );
    let out = &site.app.out;
    if !out.can_ask() {
        let own = site.app.suggest("install --linger --force");
        outcome.warnings.push(format!(
            "Systemd lingering is disabled for {user}: the Gateway stops when you log out, and does not start with \
             the machine. Run: sudo loginctl enable-linger {user} (or: {own})"
        ));
    } else if !out.ask(&question, true) {
        outcome.warnings.push("Without lingering, the Gateway will stop when you log out.".to_owned());
    } else if let Err(said) = linger::enable(user, true, site.runner).await {
        outcome.warnings.push(format!(
            "Failed to enable lingering: {said}\nRun manually: sudo loginctl enable-linger {user}"
        ));
    } else {
        outcome.say(format!("Enabled systemd lingering for {user}."));
    }
}

async fn linger_on<R: Runner, H: Health>(site: &Site<'_, R, H>, user: &str) -> Result<(), Failure> {
    if linger::is_on(user, site.runner).await == Some(true) {
        return Ok(());
    }
    let enabled = linger::enable(user, site.app.out.can_ask(), site.runner).await;
    enabled.map_err(|said| {
        site.failed(&format!("lingering cannot be enabled: {said}"))
            .hint(format!("Run manually: sudo loginctl enable-linger {user}"))
    })
}

/// Lingering starts the user's manager; it takes a moment until it can be asked.
async fn come_up<R: Runner, H: Health>(site: &Site<'_, R, H>) -> Manager {
    let end = Instant::now() + COME_UP;
    loop {
        let manager = Manager::new(Scope::User, &site.app.env);
        if manager.answers(site.runner).await.is_ok() || Instant::now() >= end {
            return manager;
        }
        sleep(AGAIN).await;
    }
}

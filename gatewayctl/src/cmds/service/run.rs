//! From the command line to one outcome, printed as text or as one document.

use gateway_base::clock::since_boot;

use super::alarm;
use super::health::{Health, Socket};
use super::install::install;
use super::outcome::{Action, Document, Outcome};
use super::power;
use super::site::Site;
use super::uninstall::{is_absent, uninstall};
use crate::app::App;
use crate::args::{
    ControlArgs, InstallArgs, ServiceOptions, UninstallArgs, WatchInstallArgs, WatchUninstallArgs,
};
use crate::exit::{Exit, Failure};
use crate::service::systemd::missing::Surroundings;
use crate::service::{Control, Manager, Names, Runner, Scope, System, timer};
use crate::text::{Style, Text};

/// What was typed.
#[derive(Clone, Copy, Debug)]
pub enum Request<'a> {
    /// `install`.
    Install(&'a InstallArgs),
    /// `start`.
    Start(&'a ControlArgs),
    /// `stop`.
    Stop(&'a ControlArgs),
    /// `restart`.
    Restart(&'a ControlArgs),
    /// `uninstall`.
    Uninstall(&'a UninstallArgs),
    /// `watch install`.
    WatchInstall(&'a WatchInstallArgs),
    /// `watch uninstall`.
    WatchUninstall(&'a WatchUninstallArgs),
}

impl Request<'_> {
    const fn action(self) -> Action {
        match self {
            Self::Install(_) => Action::Install,
            Self::Start(_) => Action::Start,
            Self::Stop(_) => Action::Stop,
            Self::Restart(_) => Action::Restart,
            Self::Uninstall(_) => Action::Uninstall,
            Self::WatchInstall(_) => Action::WatchInstall,
            Self::WatchUninstall(_) => Action::WatchUninstall,
        }
    }

    const fn options(&self) -> &ServiceOptions {
        match self {
            Self::Install(args) => &args.options,
            Self::Start(args) | Self::Stop(args) | Self::Restart(args) => &args.options,
            Self::Uninstall(args) => &args.options,
            Self::WatchInstall(args) => &args.options,
            Self::WatchUninstall(args) => &args.options,
        }
    }
}

/// Does what was asked on the real machine, and tells it.
pub async fn run(app: &App, request: Request<'_>) -> Result<Exit, Failure> {
    let done = perform(app, request).await;
    report(app, request.action(), done)
}

/// Does what was asked on the real machine, and leaves the telling to the caller.
pub async fn perform(app: &App, request: Request<'_>) -> Result<Outcome, Failure> {
    match refusal(app, request) {
        Some(refusal) => Err(refusal),
        None => Box::pin(act(&mut site(app, request, &System, &Socket), request)).await,
    }
}

/// What can be refused without looking at anything.
fn refusal(app: &App, request: Request<'_>) -> Option<Failure> {
    let action = request.action();
    if app.env.is_one("CLAWDBOT_NIX_MODE")
        && matches!(request, Request::Install(_) | Request::Uninstall(_) | Request::WatchInstall(_))
    {
        let text = format!("Nix mode detected; service {} is disabled.", action.word());
        return Some(Failure::failed(text));
    }
    wrong_words(Manager::native(), &Names::new(&app.env, &app.paths), request)
}

/// Names and options that this manager does not take.
pub fn wrong_words(manager: Manager, names: &Names, request: Request<'_>) -> Option<Failure> {
    let usage = |text: &str, hint: &str| Some(Failure::new(Exit::Usage, text).hint(hint));
    let linger = matches!(request, Request::Install(args) if args.linger);
    match manager {
        Manager::Systemd if !names.is_unit_name() => usage(
            "CLAWDBOT_SYSTEMD_UNIT is not the name of a service",
            "Use letters, digits, dots, colons, _ and -, such as clawdbot-gateway-two.",
        ),
        Manager::Launchd if !names.is_label() => usage(
            "CLAWDBOT_LAUNCHD_LABEL is not a label",
            "Use letters, digits, dots, _ and -, such as com.clawdbot.two.",
        ),
        Manager::Schtasks if !names.is_task_name() => usage(
            "CLAWDBOT_WINDOWS_TASK_NAME is not the name of a task",
            "Use letters, digits, spaces, dots, brackets, _ and -, such as Clawdbot Two.",
        ),
        Manager::Launchd | Manager::Schtasks if request.options().system => usage(
            "there are services of the machine only on Linux; here the gateway is a service of yours",
            "Leave out --system.",
        ),
        Manager::Launchd | Manager::Schtasks if linger => usage(
            "lingering is a matter of Linux; here the gateway starts when you log in",
            "Leave out --linger.",
        ),
        _ => None,
    }
}

/// The surroundings of an action.
pub fn site<'a, R: Runner, H: Health>(
    app: &'a App,
    request: Request<'_>,
    runner: &'a R,
    health: &'a H,
) -> Site<'a, R, H> {
    site_of(app, request.action(), request.options(), runner, health)
}

/// The surroundings of any action.
pub fn site_of<'a, R: Runner, H: Health>(
    app: &'a App,
    action: Action,
    options: &ServiceOptions,
    runner: &'a R,
    health: &'a H,
) -> Site<'a, R, H> {
    let names = Names::new(&app.env, &app.paths);
    let scope = match action {
        _ if options.system => Scope::System,
        Action::Install => Scope::User,
        Action::WatchUninstall => timer::scope(&names),
        _ => names.scope(),
    };
    let flag = if options.system { " --system" } else { "" };
    Site {
        app,
        action,
        typed: format!("{}{flag}", action.word()),
        names,
        control: Control::native(scope, &app.env),
        around: Surroundings::look(&app.env),
        runner,
        health,
        asked: since_boot(),
        dry_run: options.dry_run,
    }
}

/// Does what was asked.
pub async fn act<R: Runner, H: Health>(
    site: &mut Site<'_, R, H>,
    request: Request<'_>,
) -> Result<Outcome, Failure> {
    site.not_with_sudo()?;
    let is_begun = matches!(request, Request::Start(_) | Request::Restart(_));
    if site.dry_run && (is_begun || matches!(request, Request::Stop(_))) {
        let before = site.service().await;
        // What only runs, without a file, can be stopped and not begun anew.
        if is_absent(&before) || (is_begun && before.command.is_none() && before.runtime.missing_unit) {
            return Ok(Outcome::planned(Vec::new()));
        }
    }
    match request {
        Request::Install(args) => install(site, args).await,
        Request::Start(_) => power::start(site).await,
        Request::Stop(_) => power::stop(site).await,
        Request::Restart(_) => power::restart(site).await,
        Request::Uninstall(args) => uninstall(site, args).await,
        Request::WatchInstall(args) => alarm::install(site, args).await,
        Request::WatchUninstall(args) => alarm::uninstall(site, args).await,
    }
}

/// Prints what came of an action.
pub fn report(app: &App, action: Action, done: Result<Outcome, Failure>) -> Result<Exit, Failure> {
    let reason = match done {
        Ok(outcome) => {
            if app.out.is_json() {
                app.out.json(&Document::done(action, &outcome))?;
            } else {
                app.out.print(&outcome.render())?;
            }
            let mut notes = Text::default();
            for warning in &outcome.warnings {
                notes.styled(Style::Warn, warning);
            }
            app.out.note(&notes);
            return Ok(Exit::Ok);
        }
        Err(Failure::Failed(reason)) if app.out.is_json() => reason,
        Err(failure) => return Err(failure),
    };
    let hints: Vec<String> = reason.hint.iter().flat_map(|hint| hint.lines()).map(str::to_owned).collect();
    app.out.reason(&reason);
    app.out.json(&Document::failed(action, &reason, &hints))?;
    Err(Failure::Told(reason.exit))
}

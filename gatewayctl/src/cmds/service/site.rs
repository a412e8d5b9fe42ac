//! What every action works with: whose service it is, how its manager is reached, and when the action was asked for.

use std::path::Path;
use std::time::Duration;

use gateway_base::paths::Paths;
use tokio::time::{sleep, timeout};

use super::health::{Answer, Health};
use super::outcome::Action;
use crate::app::App;
use crate::exit::Failure;
use crate::service::lock::Held;
use crate::service::systemd::missing::{self, Commands, Surroundings};
use crate::service::{
    Control, Names, Runner, RuntimeState, Scope, Service, Step, StepError, launchd, schtasks, take,
};

/// How long a process may take to be gone after its last word.
const LAST_MOMENT: Duration = Duration::from_secs(5);
/// How often is asked.
const AGAIN: Duration = Duration::from_millis(100);

/// The surroundings of an action.
pub struct Site<'a, R, H> {
    /// The program's own surroundings.
    pub app: &'a App,
    /// The action.
    pub action: Action,
    /// The words that came after the program's name.
    pub typed: String,
    /// The names of the service.
    pub names: Names,
    /// Its manager.
    pub control: Control,
    /// The machine and the user.
    pub around: Surroundings,
    /// Runs tools.
    pub runner: &'a R,
    /// Asks the gateway.
    pub health: &'a H,
    /// When the action was asked for, since the start of the machine.
    pub asked: Duration,
    /// Whether only the plan is wanted.
    pub dry_run: bool,
}

impl<R: Runner, H: Health> Site<'_, R, H> {
    /// The service as its manager knows it now.
    pub async fn service(&self) -> Service {
        let mut service = self.control.query(&self.names, self.runner).await;
        let runs = service.runtime.status == RuntimeState::Running;
        // The Task Scheduler does not name the process; the gateway does.
        if let Control::Schtasks(_) = self.control
            && runs
            && let Answer::Serving { pid, .. } = self.health.ask(&self.paths(&service)).await
        {
            service.runtime.pid = Some(pid);
        }
        service
    }

    /// Where the gateway of `service` keeps its things.
    pub fn paths(&self, service: &Service) -> Paths {
        match &service.command {
            Some(command) => command.place(&self.app.env, &self.app.paths).1,
            None => self.app.paths.clone(),
        }
    }

    /// Fails unless the manager can be asked, with the commands that mend it.
    pub async fn available(&self) -> Result<(), Failure> {
        let Err(said) = self.control.check(&self.names, self.runner).await else { return Ok(()) };
        let mut hint = self.mend(&said);
        if let Some(outside) = self.outside(&self.app.paths).await {
            hint = format!("{outside}\n{hint}");
        }
        Err(Failure::failed(format!("Gateway service check failed: {said}")).hint(hint))
    }

    /// A gateway that works in these places and is not the service, and what to do about it. Somebody started it by
    /// hand, so it is none of the service's business, but it is worth knowing.
    pub async fn outside(&self, paths: &Paths) -> Option<String> {
        let Answer::Serving { pid, .. } = self.health.ask(paths).await else { return None };
        let (does, words) = match self.action {
            Action::Restart => ("Restart", "shutdown --restart"),
            _ => ("Stop", "shutdown"),
        };
        let command = self.app.suggest(words);
        Some(format!("A gateway outside of the service still runs (pid {pid}). {does} it with: {command}"))
    }

    /// Waits for the actions before this one.
    pub async fn lock(&self) -> Result<Option<Held>, Failure> {
        let path = self.control.lock_file(&self.names, &self.app.env, &self.app.paths);
        let Some(path) = path else { return Ok(None) };
        let held = self.app.out.during("waiting for another command on this service", Held::new(&path));
        match held.await {
            Ok(held) => Ok(Some(held)),
            // Whoever may not lock the machine's service may not change it either; the tool will say so.
            Err(crate::service::lock::Error::File(..)) if self.scope() == Scope::System => Ok(None),
            Err(error) => Err(self.failed(&error.to_string()).hint("Try again.")),
        }
    }

    /// Takes the steps.
    pub async fn take(&self, steps: &[Step]) -> Result<(), Failure> {
        match take(steps, self.runner).await {
            Ok(()) => Ok(()),
            Err(error) => {
                let said = error.to_string();
                let hint = match &error {
                    StepError::File { path, .. } => self.remedy_of_file(path, &said),
                    _ => self.remedy(&said),
                };
                Err(self.failed(&said).hint(hint))
            }
        }
    }

    /// The Task Scheduler ends a process without a word, so the gateway is asked to end in order before. Its process
    /// outlives its last word by a moment, in which it gives its lock back.
    pub async fn ease_out(&self, service: &Service) {
        if let Control::Schtasks(_) = self.control
            && service.runtime.status == RuntimeState::Running
            && self.health.end(&self.paths(service)).await
        {
            let ended = async {
                let runs = async || self.control.query(&self.names, self.runner).await.runtime.status;
                while runs().await == RuntimeState::Running {
                    sleep(AGAIN).await;
                }
            };
            let _ = timeout(LAST_MOMENT, ended).await;
        }
    }

    /// systemd tells a service only that it is to end, so a gateway that comes back is told before.
    pub async fn announce(&self, service: &Service) {
        if let Control::Systemd(_) = self.control
            && service.runtime.status == RuntimeState::Running
        {
            self.health.announce(&self.paths(service)).await;
        }
    }

    /// What to do about a step that failed.
    pub fn remedy(&self, said: &str) -> String {
        if !matches!(self.control, Control::Systemd(_)) {
            return self.mend(said);
        }
        if said.contains("masked") {
            let scope = if self.scope() == Scope::User { "systemctl --user" } else { "sudo systemctl" };
            return format!("Run: {scope} unmask {} && {}", self.names.unit, self.app.suggest(&self.typed));
        }
        if missing::is_missing(said) {
            return self.mend(said);
        }
        format!("Check: {}", self.app.suggest("status"))
    }

    /// What to do about a file that could not be changed.
    fn remedy_of_file(&self, path: &Path, said: &str) -> String {
        if said.contains("masked") || (self.scope() == Scope::System && self.around.uid != 0) {
            return self.remedy(said);
        }
        let folder = path.parent().unwrap_or(path).display();
        let again = self.app.suggest(&self.typed);
        format!("See that {} may write there: ls -ld \"{folder}\"\nThen run: {again}", self.around.user)
    }

    /// Fails when this is root by `sudo` and the service is a user's: root has a manager of its own.
    pub fn not_with_sudo(&self) -> Result<(), Failure> {
        let Some(user) = self.around.sudo_user.as_ref().filter(|_| self.scope() == Scope::User) else {
            return Ok(());
        };
        let why = format!("with sudo this would be about a service of root, not of {user}");
        let own = self.app.suggest(self.action.word());
        let mut hint = format!("For the service of {user}, run: {own}");
        if matches!(self.control, Control::Systemd(_)) {
            let system = self.app.suggest(&format!("{} --system", self.action.word()));
            hint.push_str(&format!("\nFor one of the machine, run: sudo {system}"));
        }
        Err(self.failed(&why).hint(hint))
    }

    /// A failure of this action.
    pub fn failed(&self, why: &str) -> Failure {
        Failure::failed(format!("Gateway {} failed: {why}", self.action.word()))
    }

    /// Whose service it is.
    pub const fn scope(&self) -> Scope {
        self.control.scope()
    }

    /// ` --system` when that is needed to mean this service.
    pub fn scope_flag(&self) -> &'static str {
        if self.scope() == Scope::System { " --system" } else { "" }
    }

    fn mend(&self, said: &str) -> String {
        let again = self.app.suggest(&self.typed);
        let supervise = self.supervise();
        let hints = match &self.control {
            Control::Systemd(manager) => self.mend_systemd(manager.scope, said, &again, &supervise),
            Control::Launchd(_) => {
                let commands = launchd::Commands { again: &again, supervise: &supervise };
                launchd::mend(said, self.around.uid, &self.around.user, &self.names, commands)
            }
            Control::Schtasks(_) => {
                let alone = self.app.suggest_start();
                let commands = schtasks::Commands { again: &again, alone: &alone };
                schtasks::mend(said, &self.names, commands)
            }
        };
        hints.join("\n")
    }

    fn mend_systemd(&self, scope: Scope, said: &str, again: &str, supervise: &str) -> Vec<String> {
        let installs = self.action == Action::Install;
        let linger = installs.then(|| self.app.suggest("install --linger"));
        let system = self.app.suggest(&format!("{} --system", self.action.word()));
        let commands = Commands { again, linger: linger.as_deref(), system: &system, supervise };
        missing::mend(scope, said, &self.around, commands)
    }

    /// How to run the gateway without a service manager.
    pub fn supervise(&self) -> String {
        format!("{} --supervise", self.app.suggest_start())
    }
}

//! The timer of the watch behind one face, whichever manager keeps it. Its names are those of the gateway's service
//! with a mark that no profile can have, so that no two gateways share one.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::control::Control;
use super::names::Names;
use super::runner::Runner;
use super::scope::Scope;
use super::spec::{Parts, Spec};
use super::status::{Installed, Manager, RuntimeState, Service};
use super::step::{Step, read};
use super::{launchd, schtasks, systemd};

/// What a look may take beyond the silence it waits for: deliveries, and a look before it.
const LOOK: Duration = Duration::from_secs(300);

/// The timer of one gateway.
#[derive(Clone, Debug)]
pub struct Timer {
    control: Control,
    names: Names,
}

/// What is to be installed.
#[derive(Clone, Copy, Debug)]
pub struct Plan<'a> {
    /// What a look is.
    pub spec: &'a Spec,
    /// The pause between two looks.
    pub every: Duration,
    /// How long silence must last.
    pub after: Duration,
}

/// The files of a timer, and what belongs in them.
pub type Texts = Vec<(PathBuf, String)>;

/// Whose timer is meant when nobody says: this user's, unless only the machine has one.
#[must_use]
pub fn scope(gateway: &Names) -> Scope {
    let names = names(gateway);
    let there = |scope| names.unit_path(scope).exists();
    match (there(Scope::User), there(Scope::System)) {
        (false, true) => Scope::System,
        (true, _) => Scope::User,
        (false, false) => gateway.scope(),
    }
}

fn names(gateway: &Names) -> Names {
    let stem = gateway.unit.trim_end_matches(".service");
    let unit = format!("{stem}.watch.timer");
    let label = format!("{}.watch", gateway.label);
    Names {
        unit_file: gateway.unit_file.with_file_name(&unit),
        unit,
        agent_file: gateway.agent_file.with_file_name(format!("{label}.plist")),
        label,
        task: format!("{} watch", gateway.task),
        task_file: gateway.task_file.with_file_name("gateway-watch-task.xml"),
    }
}

/// What a look is: this program, the gateway it is about, and where its settings are.
#[must_use]
pub fn spec(parts: Parts<'_>, settings: &str) -> Spec {
    let program = parts.program;
    let service = Spec::new(parts);
    let profile = service.arguments.iter().take_while(|word| *word != "gateway").cloned();
    let arguments = profile.chain(["watch", "--settings", settings].map(str::to_owned)).collect();
    let environment = service.environment.into_iter().filter(|(name, _)| name != "CLAWDBOT_GATEWAY_PORT");
    let environment = environment.map(|(name, value)| match name.as_str() {
        "CLAWDBOT_SERVICE_KIND" => (name, "watch".to_owned()),
        _ => (name, value),
    });
    Spec {
        description: service.description.replacen("Gateway", "Gateway watch", 1),
        program: program.to_path_buf(),
        arguments,
        environment: environment.collect(),
        ..service
    }
}

impl Timer {
    /// The timer of the gateway with these names.
    #[must_use]
    pub fn new(control: &Control, gateway: &Names) -> Self {
        Self { control: control.clone(), names: names(gateway) }
    }

    /// What the manager calls it.
    #[must_use]
    pub fn name(&self) -> String {
        self.control.name(&self.names)
    }

    /// The file that says when it looks.
    #[must_use]
    pub fn file(&self) -> PathBuf {
        self.control.file(&self.names)
    }

    /// The file of the service that it starts, with a manager that has one.
    #[must_use]
    pub fn service_file(&self) -> Option<PathBuf> {
        match &self.control {
            Control::Systemd(manager) => Some(systemd::timer::files(manager, &self.names)[0].clone()),
            Control::Launchd(_) | Control::Schtasks(_) => None,
        }
    }

    /// Where the settings of a timer of the machine are: in a file of root, not in a folder of the user.
    #[must_use]
    pub fn machine_settings(&self) -> Option<PathBuf> {
        (self.control.scope() == Scope::System).then(|| self.file().with_extension("json"))
    }

    /// What is known about it.
    pub async fn query(&self, runner: &impl Runner) -> Service {
        self.control.query(&self.names, runner).await
    }

    /// Whether it will look.
    #[must_use]
    pub fn is_set(service: &Service) -> bool {
        let waits = service.manager != Manager::Systemd || service.runtime.status == RuntimeState::Running;
        service.installed == Installed::Yes && waits
    }

    /// Whether there is anything of it.
    #[must_use]
    pub fn is_there(&self, service: &Service) -> bool {
        service.installed == Installed::Yes
            || self.file().exists()
            || self.service_file().is_some_and(|file| file.exists())
    }

    /// Its files.
    pub async fn texts(&self, plan: Plan<'_>, runner: &impl Runner) -> Result<Texts, String> {
        let Plan { spec, every, after } = plan;
        match &self.control {
            Control::Systemd(manager) => {
                let input = self.machine_settings();
                let service = systemd::timer::service(spec, after + LOOK, input.as_deref());
                let timer = systemd::timer::timer(spec, every);
                let [service_file, timer_file] = systemd::timer::files(manager, &self.names);
                let text =
                    |text: Result<String, systemd::RenderError>| text.map_err(|error| error.to_string());
                Ok(vec![(service_file, text(service)?), (timer_file, text(timer)?)])
            }
            Control::Launchd(_) => {
                let text = launchd::timer::agent(&self.names.label, spec, every);
                Ok(vec![(self.names.agent_file.clone(), text.map_err(|error| error.to_string())?)])
            }
            Control::Schtasks(manager) => {
                manager.check_places(runner).await?;
                let text = schtasks::timer::task(&self.names, spec, manager.user.as_deref(), every);
                Ok(vec![(self.names.task_file.clone(), text.map_err(|error| error.to_string())?)])
            }
        }
    }

    /// Whether these files are there as they are.
    #[must_use]
    pub fn is_written(texts: &Texts) -> bool {
        texts.iter().all(|(path, text)| read(path).as_ref() == Some(text))
    }

    /// Writes the files and sets the timer.
    #[must_use]
    pub fn install(&self, texts: Texts) -> Vec<Step> {
        let mut texts = texts.into_iter().map(|(_, text)| text);
        let mut next = || texts.next().unwrap_or_default();
        match &self.control {
            Control::Systemd(manager) => {
                let (service, timer) = (next(), next());
                systemd::timer::install(manager, &self.names, service, timer)
            }
            Control::Launchd(manager) => launchd::timer::install(manager, &self.names, next()),
            Control::Schtasks(manager) => schtasks::install(manager, &self.names, next()),
        }
    }

    /// Ends it and forgets it.
    #[must_use]
    pub fn remove(&self, before: &Service) -> Vec<Step> {
        let mut steps = match &self.control {
            Control::Systemd(manager) => systemd::timer::remove(manager, &self.names),
            Control::Launchd(manager) => launchd::timer::remove(manager, &self.names),
            Control::Schtasks(manager) => {
                let mut steps = schtasks::stop(manager, &self.names, before);
                steps.extend(schtasks::remove(manager, &self.names, before));
                steps
            }
        };
        steps.extend(self.machine_settings().map(Step::Remove));
        steps
    }
}

/// The folder that the service of a timer runs for, from its file.
#[must_use]
pub fn runs(service_file: &Path) -> Option<super::status::Command> {
    read(service_file).map(|text| systemd::read_unit(&text, service_file))
}

#[cfg(test)]
mod tests;

//! What is upgraded: the program of the service, or that of a gateway which somebody started by hand.

use std::path::{Path, PathBuf};

use super::alone::Alone;
use super::ask::Start;
use super::version::version;
use crate::admin::status_of;
use crate::cmds::service::{Health, Site, is_there};
use crate::exit::{Exit, Failure};
use crate::service::{Runner, RuntimeState, Service, is_daemon};

/// What is upgraded.
#[derive(Debug)]
pub enum Target {
    /// A service.
    Service(Box<Service>),
    /// A gateway without one.
    Alone(Alone),
}

impl Target {
    /// The service, unless it is stopped and another gateway runs.
    pub async fn find<R: Runner, H: Health>(site: &Site<'_, R, H>) -> Result<Self, Failure> {
        let service = site.service().await;
        let is_ours = is_there(&service) && program_of(&service).is_some_and(|program| is_daemon(&program));
        if is_ours && is_active(&service) {
            return Ok(Self::Service(Box::new(service)));
        }
        let answer = status_of(&site.app.paths).await;
        match answer.and_then(|status| Alone::new(&status, &site.app.env)) {
            Some(alone) => Ok(Self::Alone(alone)),
            None if is_ours => Ok(Self::Service(Box::new(service))),
            None => {
                let why = "there is no gateway to upgrade: no service of it is installed, and none runs";
                let hint = format!("Start with: {}", site.app.suggest("install"));
                Err(Failure::new(Exit::NotRunning, format!("Gateway upgrade failed: {why}")).hint(hint))
            }
        }
    }

    /// Whether it runs, or is about to.
    pub fn runs(&self) -> bool {
        match self {
            Self::Service(service) => is_active(service),
            Self::Alone(_) => true,
        }
    }

    /// The program as it is started.
    pub fn program(&self) -> PathBuf {
        match self {
            Self::Service(service) => program_of(service).map(PathBuf::from).unwrap_or_default(),
            Self::Alone(alone) => alone.program.clone(),
        }
    }

    /// How it is started.
    pub fn start<R, H>(&self, site: &Site<'_, R, H>) -> Start {
        match self {
            Self::Service(service) => {
                let command = service.command.clone().unwrap_or_default();
                let (env, _) = command.place(&site.app.env, &site.app.paths);
                Start {
                    arguments: command.program_arguments.into_iter().skip(1).collect(),
                    variables: env,
                    folder: command.working_directory.map(PathBuf::from),
                }
            }
            Self::Alone(alone) => alone.start.clone(),
        }
    }

    /// What runs now: the version that answers.
    pub async fn version<R: Runner, H: Health>(&self, site: &Site<'_, R, H>) -> Option<String> {
        let paths = match self {
            Self::Service(service) => site.paths(service),
            Self::Alone(_) => site.app.paths.clone(),
        };
        status_of(&paths).await.and_then(|status| version(&status))
    }
}

/// Whether it runs, or its manager is about to start it, as after a failure.
fn is_active(service: &Service) -> bool {
    service.runtime.status != RuntimeState::Unknown && !service.runtime.is_at_rest()
}

fn program_of(service: &Service) -> Option<String> {
    let command = service.command.as_ref()?;
    command.program_arguments.first().filter(|program| Path::new(program).is_absolute()).cloned()
}

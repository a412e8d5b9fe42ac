//! How the scheduler is reached, and for whom: the user who runs this, without elevation.

use gateway_base::env::Env;

use crate::service::names::Names;
use crate::service::runner::{Call, Runner};

/// Variables that move the gateway's places. A task has no variables of its own, so they must be those of the user.
const PLACES: [&str; 2] = ["CLAWDBOT_STATE_DIR", "CLAWDBOT_CONFIG_PATH"];

/// The scheduler of one user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manager {
    /// `DOMAIN\name`, when the environment says so.
    pub user: Option<String>,
    /// The variables of this shell that move the gateway's places.
    places: Vec<(&'static str, String)>,
}

impl Manager {
    /// For the user of this environment.
    #[must_use]
    pub fn new(env: &Env) -> Self {
        let user = ["USERNAME", "USER", "LOGNAME"].iter().find_map(|name| env.get(name)).map(str::trim);
        let domain = env.get("USERDOMAIN").map(str::trim).filter(|domain| !domain.is_empty());
        let user = user.filter(|user| !user.is_empty()).map(|user| match domain {
            Some(domain) if !user.contains('\\') => format!("{domain}\\{user}"),
            _ => user.to_owned(),
        });
        let places = PLACES.iter().filter_map(|name| Some((*name, env.get(name)?.trim().to_owned())));
        Self { user, places: places.collect() }
    }

    /// A call about the task.
    #[must_use]
    pub fn schtasks<'a>(&self, names: &'a Names, verb: &'a str, more: &[&'a str]) -> Call {
        let words = [verb, "/TN", &names.task].into_iter().chain(more.iter().copied());
        Call::new("schtasks", words)
    }

    /// Fails when this shell moves the gateway's places and the task would not: it sees what the registry holds.
    pub async fn check_places(&self, runner: &impl Runner) -> Result<(), String> {
        for (name, value) in &self.places {
            let call = Call::new("reg", ["query", "HKCU\\Environment", "/v", name]);
            let held = runner.run(&call).await.is_ok_and(|ran| {
                ran.success && ran.stdout.lines().any(|line| line.trim_end().ends_with(value.as_str()))
            });
            if !held {
                return Err(format!(
                    "{name} is set in this shell only, and a Scheduled Task has no variables of its own.\n\
                     Use a profile instead (--profile NAME), or set it for all your programs: setx {name} \"{value}\""
                ));
            }
        }
        Ok(())
    }
}

//! What a service is to run, the same for every manager: program, arguments and environment (operations 6.2). No
//! secret is among them; the daemon reads its own from its configuration (rule R24).

use std::path::PathBuf;

use gateway_base::env::Env;
use gateway_base::paths::Paths;

use super::names::Names;
use super::scope::Scope;
use super::search_path;
use super::status::Manager;

/// What a service is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spec {
    /// Whose it is.
    pub scope: Scope,
    /// Its description.
    pub description: String,
    /// The program.
    pub program: PathBuf,
    /// Its arguments.
    pub arguments: Vec<String>,
    /// Its variables, in the order in which they are written.
    pub environment: Vec<(String, String)>,
    /// The user it runs as, when the manager does not know that by itself.
    pub user: Option<String>,
}

/// What a spec is made of.
#[derive(Clone, Copy, Debug)]
pub struct Parts<'a> {
    /// Who manages the service.
    pub manager: Manager,
    /// Whose it is.
    pub scope: Scope,
    /// What it is called.
    pub names: &'a Names,
    /// The places of the gateway.
    pub paths: &'a Paths,
    /// The environment of the shell that installs.
    pub env: &'a Env,
    /// The daemon.
    pub program: &'a std::path::Path,
    /// Its port.
    pub port: u16,
    /// The user of a service of the machine.
    pub user: Option<&'a str>,
}

/// The version that a service file names.
const VERSION: &str = env!("CARGO_PKG_VERSION");

impl Spec {
    /// Puts the parts together. Names of the profile and places are written when this shell has them, so that the
    /// service finds what this shell would.
    #[must_use]
    pub fn new(parts: Parts<'_>) -> Self {
        let Parts { manager, scope, names, paths, env, program, port, user } = parts;
        let port = port.to_string();
        let profile = paths.profile.as_ref();
        let home = paths.home.display().to_string();
        let named = |name: &str| env.get(name).is_some() || profile.is_some();
        let place = |name: &str, path: &std::path::Path| named(name).then(|| path.display().to_string());
        let pairs = [
            ("HOME", Some(home)),
            ("PATH", Some(search_path::minimal(manager, &paths.home, env))),
            ("CLAWDBOT_PROFILE", profile.map(|profile| profile.name().to_owned())),
            ("CLAWDBOT_STATE_DIR", place("CLAWDBOT_STATE_DIR", &paths.state)),
            ("CLAWDBOT_CONFIG_PATH", place("CLAWDBOT_CONFIG_PATH", &paths.config)),
            ("CLAWDBOT_GATEWAY_PORT", Some(port.clone())),
            ("CLAWDBOT_LAUNCHD_LABEL", (manager == Manager::Launchd).then(|| names.label.clone())),
            ("CLAWDBOT_SYSTEMD_UNIT", Some(names.unit.clone())),
            ("CLAWDBOT_SERVICE_MARKER", Some("clawdbot".to_owned())),
            ("CLAWDBOT_SERVICE_KIND", Some("gateway".to_owned())),
            ("CLAWDBOT_SERVICE_VERSION", Some(VERSION.to_owned())),
        ];
        let mut arguments = ["gateway".to_owned(), "--port".to_owned(), port].to_vec();
        // A task has no variables, so its profile stands among its arguments.
        if let Some(profile) = profile.filter(|_| manager == Manager::Schtasks) {
            arguments.splice(0..0, ["--profile".to_owned(), profile.name().to_owned()]);
        }
        Self {
            scope,
            description: Names::description(profile, VERSION),
            program: program.to_path_buf(),
            arguments,
            environment: pairs
                .into_iter()
                .filter_map(|(name, value)| value.map(|value| (name.to_owned(), value)))
                .collect(),
            user: user.map(str::to_owned),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use gateway_base::profile::Profile;

    use super::*;
    use crate::cmds::testing::{as_on_unix, env_at};

    fn spec(profile: Option<&str>, env: &[(&str, &str)]) -> Spec {
        let env = env_at("/home/you", env);
        let profile = profile.map(|name| Profile::parse(name).expect("is valid"));
        let paths = Paths::resolve(&env, profile).expect("HOME is set");
        Spec::new(Parts {
            manager: Manager::Systemd,
            scope: Scope::User,
            names: &Names::new(&env, &paths),
            paths: &paths,
            env: &env,
            program: Path::new("/usr/bin/gatewayd"),
            port: 18789,
            user: None,
        })
    }

    #[test]
    fn the_profile_names_the_places_and_nothing_else_does() {
        let has = |spec: &Spec, name: &str| spec.environment.iter().any(|(n, _)| n == name);
        let plain = spec(None, &[]);
        assert_eq!(plain.arguments, ["gateway", "--port", "18789"]);
        assert!(!has(&plain, "CLAWDBOT_STATE_DIR") && !has(&plain, "CLAWDBOT_PROFILE"));
        let work = spec(Some("work"), &[]);
        for (name, value) in [
            ("CLAWDBOT_PROFILE", "work"),
            ("CLAWDBOT_STATE_DIR", "/home/you/.clawdbot-work"),
            ("CLAWDBOT_CONFIG_PATH", "/home/you/.clawdbot-work/clawdbot.json"),
            ("CLAWDBOT_SYSTEMD_UNIT", "clawdbot-gateway-work.service"),
        ] {
            let held = work.environment.iter().find(|(held, _)| held == name);
            assert_eq!(held.map(|(_, held)| as_on_unix(held)).as_deref(), Some(value), "{name}");
        }
        let moved = spec(None, &[("CLAWDBOT_STATE_DIR", "/srv/state")]);
        assert!(has(&moved, "CLAWDBOT_STATE_DIR") && !has(&moved, "CLAWDBOT_CONFIG_PATH"));
    }

    #[test]
    fn no_secret_is_taken_over() {
        let canary = [
            ("CLAWDBOT_GATEWAY_TOKEN", "canary"),
            ("CLAWDBOT_GATEWAY_PASSWORD", "canary"),
            ("OPENAI_API_KEY", "canary"),
        ];
        assert!(!format!("{:?}", spec(Some("work"), &canary)).contains("canary"));
    }
}

//! What is known of this machine before anything is asked.

use std::collections::BTreeSet;
use std::path::Path;

use gateway_base::env::Env;
use gateway_base::paths::{DEFAULT_PORT, Paths};
use gateway_base::secret::Secret;
use gateway_config::{Issue, load, path};
use serde_json::Value;

use crate::answers::{Auth, Bind, Mode, TailscaleMode, Word};
use crate::credentials;
use crate::providers::Choice;

/// Who asks, and what that host can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Host {
    /// A person's terminal or script; it can install the service and try keys.
    Terminal(Service),
    /// A running gateway, which is its own service and cannot throw away what it uses.
    Gateway,
}

/// The service of the operating system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    /// Its manager cannot be asked.
    Unavailable,
    /// It is not installed.
    Absent,
    /// It is.
    Installed,
}

/// The facts.
#[derive(Clone, Debug)]
pub struct Facts {
    /// Where things are.
    pub paths: Paths,
    /// The environment, in which keys may be.
    pub env: Env,
    /// Who asks.
    pub host: Host,
    /// Where the gateway serves now, if it does.
    pub serving: Option<String>,
    /// Whether Tailscale's program is there.
    pub tailscale: bool,
    /// How this user starts a check of the installation.
    pub doctor: String,
    /// A token, in case one is needed.
    pub fresh_token: Secret,
    /// Whether there is a configuration file.
    pub exists: bool,
    /// What is wrong with it.
    pub issues: Vec<Issue>,
    /// Providers whose keys are stored.
    pub stored: BTreeSet<String>,
    /// The configuration as it is in force.
    value: Value,
    /// The same as it was written.
    written: Value,
}

/// What only the host knows.
#[derive(Clone, Debug)]
pub struct Around {
    /// Who asks.
    pub host: Host,
    /// Where the gateway serves now, if it does.
    pub serving: Option<String>,
    /// Whether Tailscale's program is there.
    pub tailscale: bool,
    /// How this user starts a check of the installation.
    pub doctor: String,
    /// A token, in case one is needed.
    pub fresh_token: Secret,
}

/// Whether Tailscale's program is on the search path, or where macOS has it.
#[must_use]
pub fn has_tailscale(env: &Env) -> bool {
    let path = env.get("PATH").unwrap_or_default();
    let programs = std::env::split_paths(path).map(|folder| folder.join("tailscale"));
    let mut programs = programs.map(|program| program.with_extension(std::env::consts::EXE_EXTENSION));
    programs.any(|program| program.is_file()) || Path::new("/Applications/Tailscale.app").exists()
}

impl Facts {
    /// Reads the files. Blocks.
    #[must_use]
    pub fn read(paths: &Paths, env: &Env, around: Around) -> Self {
        let Around { host, serving, tailscale, doctor, fresh_token } = around;
        let snapshot = load::load(paths, env);
        Self {
            stored: credentials::stored(paths),
            paths: paths.clone(),
            env: env.clone(),
            host,
            serving,
            tailscale,
            doctor,
            fresh_token,
            exists: snapshot.exists,
            issues: snapshot.issues,
            value: snapshot.value,
            written: snapshot.merged,
        }
    }

    /// The same facts after the configuration has been thrown away.
    #[must_use]
    pub fn afresh(&self) -> Self {
        let empty = Value::Object(serde_json::Map::new());
        Self { exists: false, issues: Vec::new(), value: empty.clone(), written: empty, ..self.clone() }
    }

    /// The same facts after the stored keys are gone too.
    #[must_use]
    pub fn without_keys(self) -> Self {
        Self { stored: BTreeSet::new(), ..self }
    }

    /// The value in force at `path`, when the file itself sets it.
    #[must_use]
    pub fn get(&self, path: &[path::Segment]) -> Option<&Value> {
        path::get(&self.written, path)?;
        path::get(&self.value, path)
    }

    /// The same for a dotted path.
    #[must_use]
    pub fn dotted(&self, key: &str) -> Option<&Value> {
        path::get_dotted(&self.written, key)?;
        path::get_dotted(&self.value, key)
    }

    /// The text of a key, unless it is absent or blank.
    #[must_use]
    pub fn text(&self, key: &str) -> Option<&str> {
        self.dotted(key).and_then(Value::as_str).filter(|text| !text.trim().is_empty())
    }

    /// `gateway.mode`
    #[must_use]
    pub fn mode(&self) -> Option<Mode> {
        self.text("gateway.mode").and_then(Mode::of)
    }

    /// `gateway.port`, or the environment's, or the usual one.
    #[must_use]
    pub fn port(&self) -> u16 {
        let port = |number: u64| u16::try_from(number).ok().filter(|port| *port != 0);
        let from_env = || self.env.get("CLAWDBOT_GATEWAY_PORT").and_then(|raw| raw.trim().parse().ok());
        let from_file = self.dotted("gateway.port").and_then(Value::as_u64).and_then(port);
        from_file.or_else(|| from_env().and_then(port)).unwrap_or(DEFAULT_PORT)
    }

    /// `gateway.bind`, as far as it is one of the words.
    #[must_use]
    pub fn bind(&self) -> Bind {
        self.text("gateway.bind").and_then(Bind::of).unwrap_or(Bind::Loopback)
    }

    /// How clients prove today that they may connect; a file that says nothing gets a token.
    #[must_use]
    pub fn auth(&self) -> Auth {
        match self.text("gateway.auth.mode").and_then(Auth::of) {
            Some(mode) => mode,
            None if self.text("gateway.auth.token").is_none()
                && self.text("gateway.auth.password").is_some() =>
            {
                Auth::Password
            }
            None => Auth::Token,
        }
    }

    /// `gateway.tailscale.mode`
    #[must_use]
    pub fn tailscale_mode(&self) -> TailscaleMode {
        self.text("gateway.tailscale.mode").and_then(TailscaleMode::of).unwrap_or(TailscaleMode::Off)
    }

    /// `gateway.tailscale.resetOnExit`
    #[must_use]
    pub fn reset_on_exit(&self) -> bool {
        self.dotted("gateway.tailscale.resetOnExit").and_then(Value::as_bool).unwrap_or(false)
    }

    /// The workspace, as it is shown.
    #[must_use]
    pub fn workspace(&self) -> String {
        let folder = self.text("agents.defaults.workspace").map(|raw| self.paths.expand(raw));
        self.paths.tilde(&folder.unwrap_or_else(|| self.paths.workspace()))
    }

    /// The model that answers, when the file names one.
    #[must_use]
    pub fn model(&self) -> Option<&str> {
        self.text("agents.defaults.model.primary")
    }

    /// Whether the file says anything about how the gateway is reached.
    #[must_use]
    pub fn has_gateway(&self) -> bool {
        let keys =
            ["port", "bind", "auth.mode", "auth.token", "auth.password", "customBindHost", "tailscale.mode"];
        keys.iter().any(|key| self.dotted(&format!("gateway.{key}")).is_some())
    }

    /// The variable of this environment that holds a key for `choice`.
    #[must_use]
    pub fn variable(&self, choice: &Choice) -> Option<&'static str> {
        choice.variables.iter().copied().find(|name| self.env.get(name).is_some())
    }

    /// What is there, in a few lines.
    #[must_use]
    pub fn summary(&self) -> String {
        let mut rows = Vec::new();
        if let Some(workspace) = self.text("agents.defaults.workspace") {
            rows.push(format!("workspace: {}", self.paths.tilde(&self.paths.expand(workspace))));
        }
        if let Some(model) = self.model() {
            rows.push(format!("model: {model}"));
        }
        for key in [
            "gateway.mode",
            "gateway.port",
            "gateway.bind",
            "gateway.remote.url",
            "skills.install.nodeManager",
        ] {
            match self.dotted(key) {
                Some(Value::String(text)) => rows.push(format!("{key}: {text}")),
                Some(Value::Number(number)) => rows.push(format!("{key}: {number}")),
                _ => {}
            }
        }
        if rows.is_empty() { "No key settings detected.".to_owned() } else { rows.join("\n") }
    }
}

//! The small sections.

use std::path::PathBuf;

use gateway_base::secret::Secret;

use super::view::View;

/// `session`
#[derive(Clone, Debug)]
pub struct Session {
    /// Whose messages share a session.
    pub scope: Scope,
    /// Always `main`.
    pub main_key: String,
}

/// `session.scope`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// One session per sender.
    PerSender,
    /// One session for all.
    Global,
}

/// `cron`
#[derive(Clone, Copy, Debug)]
pub struct Cron {
    /// Run timed jobs.
    pub enabled: bool,
    /// How many at once.
    pub max_concurrent_runs: usize,
}

/// `commands`, as far as the daemon itself reads it.
#[derive(Clone, Copy, Debug)]
pub struct Commands {
    /// Restarts from chats and by SIGUSR1.
    pub restart: bool,
    /// Changes of the file from chats.
    pub config: bool,
}

/// `ui`
#[derive(Clone, Debug)]
pub struct Ui {
    /// Accent colour.
    pub seam_color: Option<String>,
    /// Name of the assistant.
    pub assistant_name: Option<String>,
    /// Picture of the assistant.
    pub assistant_avatar: Option<String>,
}

/// `talk`
#[derive(Clone, Debug)]
pub struct Talk {
    /// Voice.
    pub voice_id: Option<String>,
    /// Speech model.
    pub model_id: Option<String>,
    /// Key of the speech service.
    pub api_key: Option<Secret>,
}

/// `discovery`
#[derive(Clone, Copy, Debug)]
pub struct Discovery {
    /// Publish a zone in the tailnet.
    pub wide_area: bool,
    /// How much the local announcement tells.
    pub mdns: MdnsMode,
}

/// `discovery.mdns.mode`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MdnsMode {
    /// No announcement.
    Off,
    /// The least that is needed.
    Minimal,
    /// Everything.
    Full,
}

/// `canvasHost`
#[derive(Clone, Debug)]
pub struct CanvasHost {
    /// Serve it.
    pub enabled: bool,
    /// The folder.
    pub root: PathBuf,
    /// Reload pages when files change.
    pub live_reload: bool,
}

/// `hooks`, as far as the daemon itself reads it.
#[derive(Clone, Debug)]
pub struct Hooks {
    /// Accept webhooks.
    pub enabled: bool,
    /// Path under which they arrive.
    pub path: String,
    /// The secret callers send.
    pub token: Option<Secret>,
    /// Largest body in bytes.
    pub max_body_bytes: u64,
}

impl Session {
    pub(super) fn read(view: &View<'_>) -> Self {
        let scopes = [("per-sender", Scope::PerSender), ("global", Scope::Global)];
        Self {
            scope: view.choice("session.scope", &scopes).unwrap_or(Scope::PerSender),
            main_key: "main".to_owned(),
        }
    }
}

impl Cron {
    pub(super) fn read(view: &View<'_>) -> Self {
        Self {
            enabled: view.flag("cron.enabled"),
            max_concurrent_runs: view.number("cron.maxConcurrentRuns").unwrap_or(1),
        }
    }
}

impl Commands {
    pub(super) fn read(view: &View<'_>) -> Self {
        Self { restart: view.flag("commands.restart"), config: view.flag("commands.config") }
    }
}

impl Ui {
    pub(super) fn read(view: &View<'_>) -> Self {
        Self {
            seam_color: view.text("ui.seamColor"),
            assistant_name: view.text("ui.assistant.name"),
            assistant_avatar: view.text("ui.assistant.avatar"),
        }
    }
}

impl Talk {
    pub(super) fn read(view: &View<'_>) -> Self {
        Self {
            voice_id: view.text("talk.voiceId"),
            model_id: view.text("talk.modelId"),
            api_key: view.secret("talk.apiKey"),
        }
    }
}

impl Discovery {
    pub(super) fn read(view: &View<'_>) -> Self {
        let modes = [("off", MdnsMode::Off), ("minimal", MdnsMode::Minimal), ("full", MdnsMode::Full)];
        Self {
            wide_area: view.flag("discovery.wideArea.enabled"),
            mdns: view.choice("discovery.mdns.mode", &modes).unwrap_or(MdnsMode::Minimal),
        }
    }
}

impl CanvasHost {
    pub(super) fn read(view: &View<'_>) -> Self {
        Self {
            enabled: view.flag("canvasHost.enabled"),
            root: view.file("canvasHost.root").unwrap_or_else(|| view.paths.workspace().join("canvas")),
            live_reload: view.flag("canvasHost.liveReload"),
        }
    }
}

impl Hooks {
    pub(super) fn read(view: &View<'_>) -> Self {
        Self {
            enabled: view.flag("hooks.enabled"),
            path: view.text("hooks.path").unwrap_or_else(|| "/hooks".to_owned()),
            token: view.secret("hooks.token"),
            max_body_bytes: view.number("hooks.maxBodyBytes").unwrap_or(262_144),
        }
    }
}

//! The typed view: what the parts of this daemon read, with defaults filled in. It is built from a value that has
//! already been validated, so nothing here can fail; defaults come from the key table.

mod agents;
mod config;
mod duration;
mod features;
mod gateway;
mod heartbeat;
mod logging;
mod model_ref;
mod models;
mod network;
#[cfg(test)]
mod tests;
mod view;

pub(crate) use agents::agent_dir;
pub use agents::{Agent, AgentDefaults, Agents, Identity, ModelChoice, ModelEntry, normal_agent_id};
pub use config::Config;
pub use duration::parse_ms;
pub use features::{CanvasHost, Commands, Cron, Discovery, Hooks, MdnsMode, Scope, Session, Talk, Ui};
pub use gateway::{
    Auth, AuthMode, Bind, ControlUi, Gateway, Mode, Nodes, NotABind, ReloadMode, ReloadSettings, Remote,
    Tailscale, TailscaleMode, Tls,
};
pub use heartbeat::{ActiveHours, DEFAULT_PROMPT, Heartbeat};
pub use logging::{ConsoleStyle, Level, Logging};
pub use model_ref::{DEFAULT_MODEL, ModelRef};
pub use models::{Cost, Model, Models, Provider};
pub use network::{Network, NotANetwork};

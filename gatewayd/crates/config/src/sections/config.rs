//! All sections together.

use gateway_base::paths::Paths;
use serde_json::{Map, Value};

use super::agents::Agents;
use super::features::{CanvasHost, Commands, Cron, Discovery, Hooks, Session, Talk, Ui};
use super::gateway::Gateway;
use super::heartbeat::Heartbeat;
use super::logging::Logging;
use super::model_ref::ModelRef;
use super::models::Models;
use super::view::View;
use super::{Agent, heartbeat};

/// The typed view of a configuration.
#[derive(Clone, Debug)]
pub struct Config {
    /// `gateway`
    pub gateway: Gateway,
    /// `logging`
    pub logging: Logging,
    /// `session`
    pub session: Session,
    /// `agents`
    pub agents: Agents,
    /// `models`
    pub models: Models,
    /// `cron`
    pub cron: Cron,
    /// Ids of the blocks under `channels`, `defaults` left out.
    pub channels: Vec<String>,
    /// `commands`
    pub commands: Commands,
    /// `ui`
    pub ui: Ui,
    /// `talk`
    pub talk: Talk,
    /// `discovery`
    pub discovery: Discovery,
    /// `canvasHost`
    pub canvas_host: CanvasHost,
    /// `hooks`
    pub hooks: Hooks,
}

impl Config {
    /// The view of a validated `value`.
    #[must_use]
    pub fn from_value(value: &Value, paths: &Paths) -> Self {
        let view = View { value, paths };
        let channels = value.get("channels").and_then(Value::as_object);
        Self {
            gateway: Gateway::read(&view),
            logging: Logging::read(&view),
            session: Session::read(&view),
            agents: Agents::read(&view),
            models: Models::read(&view),
            cron: Cron::read(&view),
            channels: channels
                .into_iter()
                .flat_map(Map::keys)
                .filter(|id| *id != "defaults")
                .cloned()
                .collect(),
            commands: Commands::read(&view),
            ui: Ui::read(&view),
            talk: Talk::read(&view),
            discovery: Discovery::read(&view),
            canvas_host: CanvasHost::read(&view),
            hooks: Hooks::read(&view),
        }
    }

    /// The model that answers when nothing else is chosen, as `provider/model`.
    #[must_use]
    pub fn model_ref(&self) -> String {
        self.resolve_model(self.agents.defaults.model.primary.as_deref().unwrap_or("")).to_string()
    }

    /// What `text` means as a model: an alias, `provider/model`, or a bare name; the default when it is blank.
    #[must_use]
    pub fn resolve_model(&self, text: &str) -> ModelRef {
        let aliases = self.agents.defaults.models.iter();
        ModelRef::resolve(
            text,
            aliases.filter_map(|(name, entry)| Some((entry.alias.as_deref()?, name.as_str()))),
        )
    }

    /// All agents, at least one.
    #[must_use]
    pub fn agents(&self) -> &[Agent] {
        &self.agents.list
    }

    /// The agent with this id.
    #[must_use]
    pub fn agent(&self, id: &str) -> Option<&Agent> {
        self.agents.list.iter().find(|agent| agent.id == id)
    }

    /// The agent that gets what nothing else claims.
    #[must_use]
    pub fn default_agent_id(&self) -> &str {
        self.agents.default_id()
    }

    /// The heartbeat of `agent`, with everything it inherits.
    #[must_use]
    pub fn heartbeat(&self, agent: &str) -> Heartbeat {
        heartbeat::resolve(&self.agents, agent)
    }

    /// The agents that have heartbeats, in order.
    #[must_use]
    pub fn heartbeat_agents(&self) -> Vec<&str> {
        let all = self.agents.list.iter().map(|agent| agent.id.as_str());
        all.filter(|id| heartbeat::takes_part(&self.agents, id)).collect()
    }
}

impl Default for Config {
    /// The view of an empty configuration, with paths under `~` as they stand.
    fn default() -> Self {
        let home = std::path::PathBuf::from("~");
        let state = home.join(".clawdbot");
        let paths = Paths { config: state.join("clawdbot.json"), home, state, profile: None };
        Self::from_value(&Value::Object(Map::new()), &paths)
    }
}

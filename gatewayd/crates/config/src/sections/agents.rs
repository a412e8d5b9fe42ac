//! The `agents` section.

use std::path::PathBuf;

use gateway_base::paths::Paths;
use indexmap::IndexMap;
use serde_json::{Map, Value};

use super::view::{View, texts};

/// The `agents` section.
#[derive(Clone, Debug)]
pub struct Agents {
    /// Settings of every agent that does not say otherwise.
    pub defaults: AgentDefaults,
    /// The agents, at least one; without `agents.list` there is one implicit agent `main`.
    pub list: Vec<Agent>,
    /// Whether the list stands in the file.
    pub listed: bool,
}

/// `agents.defaults`
#[derive(Clone, Debug)]
pub struct AgentDefaults {
    /// The model that answers.
    pub model: ModelChoice,
    /// Models that may be chosen, by `provider/model`.
    pub models: IndexMap<String, ModelEntry>,
    /// Folder of the default agent.
    pub workspace: PathBuf,
    /// Do not put starter files into a new workspace.
    pub skip_bootstrap: bool,
    /// Context window to plan with, when it is set.
    pub context_tokens: Option<u64>,
    /// How many turns run at once.
    pub max_concurrent: usize,
    pub(super) heartbeat: Map<String, Value>,
}

/// A model and what is tried after it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ModelChoice {
    /// The first choice, as written.
    pub primary: Option<String>,
    /// The others in order; nothing when the key is absent, as an empty list has a meaning of its own.
    pub fallbacks: Option<Vec<String>>,
}

/// An entry of `agents.defaults.models`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ModelEntry {
    /// Short name.
    pub alias: Option<String>,
}

/// One agent.
#[derive(Clone, Debug)]
pub struct Agent {
    /// Its id, normalised.
    pub id: String,
    /// Whether it is marked as the default.
    pub default: bool,
    /// Name shown to people.
    pub name: Option<String>,
    /// Its folder.
    pub workspace: PathBuf,
    /// Folder of its credentials.
    pub agent_dir: PathBuf,
    /// Its own model, if any.
    pub model: Option<ModelChoice>,
    /// How it presents itself.
    pub identity: Identity,
    pub(super) heartbeat: Option<Map<String, Value>>,
}

/// How an agent presents itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identity {
    /// Its name.
    pub name: Option<String>,
    /// Its character.
    pub theme: Option<String>,
    /// Its emoji.
    pub emoji: Option<String>,
    /// Its picture, as written.
    pub avatar: Option<String>,
}

impl Agents {
    pub(super) fn read(view: &View<'_>) -> Self {
        let defaults = AgentDefaults::read(view);
        let entries = view.raw("agents.list").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let mut agents = Self { defaults, list: Vec::new(), listed: !entries.is_empty() };
        agents.list = entries.iter().map(|entry| Agent::read(entry, view.paths)).collect();
        if agents.list.is_empty() {
            agents.list.push(Agent::read(&Value::Null, view.paths));
        }
        let default = agents.default_id().to_owned();
        for (i, agent) in agents.list.iter_mut().enumerate() {
            let own = entries.get(i).and_then(|entry| entry.get("workspace")).and_then(Value::as_str);
            agent.workspace = match own.filter(|text| !text.trim().is_empty()) {
                Some(text) => view.paths.expand(text),
                None if agent.id == default => agents.defaults.workspace.clone(),
                None => view.paths.home.join(format!("clawd-{}", agent.id)),
            };
        }
        agents
    }

    /// The agent marked as default, else the first.
    pub(super) fn default_id(&self) -> &str {
        let marked = self.list.iter().find(|agent| agent.default).or_else(|| self.list.first());
        marked.map_or("main", |agent| &agent.id)
    }
}

impl AgentDefaults {
    fn read(view: &View<'_>) -> Self {
        let models = view.raw("agents.defaults.models").and_then(Value::as_object);
        Self {
            model: ModelChoice::read(view.raw("agents.defaults.model")).unwrap_or_default(),
            models: models
                .into_iter()
                .flatten()
                .map(|(name, entry)| (name.clone(), ModelEntry { alias: text(entry, "alias") }))
                .collect(),
            workspace: view.file("agents.defaults.workspace").unwrap_or_else(|| view.paths.workspace()),
            skip_bootstrap: view.flag("agents.defaults.skipBootstrap"),
            context_tokens: view.raw("agents.defaults.contextTokens").and_then(super::view::whole),
            max_concurrent: view.number("agents.defaults.maxConcurrent").unwrap_or(4),
            heartbeat: view.raw("agents.defaults.heartbeat").map(block).unwrap_or_default(),
        }
    }
}

/// A block as written; what is not an object counts as empty.
fn block(value: &Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap_or_default()
}

impl ModelChoice {
    fn read(value: Option<&Value>) -> Option<Self> {
        match value? {
            Value::String(primary) => {
                Some(Self { primary: Some(primary.trim().to_owned()), fallbacks: None })
            }
            value => Some(Self {
                primary: text(value, "primary"),
                fallbacks: value.get("fallbacks").map(|list| texts(Some(list))),
            }),
        }
    }
}

impl Agent {
    fn read(entry: &Value, paths: &Paths) -> Self {
        let id = normal_agent_id(entry.get("id").and_then(Value::as_str).unwrap_or("main"));
        let identity = entry.get("identity").unwrap_or(&Value::Null);
        Self {
            default: entry.get("default").and_then(Value::as_bool).unwrap_or(false),
            name: text(entry, "name"),
            workspace: PathBuf::new(),
            agent_dir: text(entry, "agentDir")
                .map_or_else(|| agent_dir(paths, &id), |dir| paths.expand(&dir)),
            model: ModelChoice::read(entry.get("model")),
            identity: Identity {
                name: text(identity, "name"),
                theme: text(identity, "theme"),
                emoji: text(identity, "emoji"),
                avatar: text(identity, "avatar"),
            },
            heartbeat: entry.get("heartbeat").map(block),
            id,
        }
    }
}

/// An agent id as it is used in session keys and paths: lower case, anything odd replaced by `-`, at most 64
/// characters, `main` when nothing is left.
#[must_use]
pub fn normal_agent_id(id: &str) -> String {
    let lower = id.trim().to_ascii_lowercase();
    let plain: String = lower
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || matches!(c, '_' | '-') { c } else { '-' })
        .take(64)
        .collect();
    let plain = plain.trim_matches('-');
    if plain.is_empty() { "main".to_owned() } else { plain.to_owned() }
}

/// `<state>/agents/<id>/agent`
pub(crate) fn agent_dir(paths: &Paths, id: &str) -> PathBuf {
    paths.state.join("agents").join(id).join("agent")
}

fn text(value: &Value, key: &str) -> Option<String> {
    value.get(key)?.as_str().map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned)
}

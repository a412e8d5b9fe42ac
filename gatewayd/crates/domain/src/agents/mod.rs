//! The agents of the configuration, as clients list them. What is on disk besides, folders of agents that were and
//! pictures of those that are, comes in from outside.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use gateway_config::Config;
use gateway_config::live::Live;
use gateway_config::sections::{Identity, Scope as SessionsScope};
use gateway_wire::session_key::{self, Scope};
use gateway_wire::types::agents::{AgentIdentity, AgentIdentityResult, AgentSummary, AgentsListResult};
use gateway_wire::types::connect::SessionDefaults;

/// Name of an agent that has none.
const ASSISTANT: &str = "Assistant";
/// Avatar of an agent that has none.
const AVATAR: &str = "A";

/// What was found on disk.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// Ids of agents that have a folder.
    pub ids: Vec<String>,
    /// Pictures from workspaces as data URLs, by agent id.
    pub pictures: Vec<(String, String)>,
}

/// The agents. Clones share them.
#[derive(Clone)]
pub struct Agents {
    live: Live,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    found: Arc<Found>,
    /// The list as it was last serialised, and for what.
    cached: Option<(Arc<Config>, Arc<Found>, Bytes)>,
    /// The session defaults of the same configuration.
    defaults: Option<(Arc<Config>, Arc<SessionDefaults>)>,
}

impl Agents {
    /// The agents of `live`.
    #[must_use]
    pub fn new(live: Live) -> Self {
        Self { live, state: Arc::default() }
    }

    /// Takes note of what is on disk.
    pub fn set_found(&self, found: Found) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if *state.found != found {
            state.found = Arc::new(found);
        }
    }

    /// The result of `agents.list`, serialised once per configuration.
    #[must_use]
    pub fn json(&self) -> Bytes {
        let config = self.live.config();
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((of, found, json)) = &state.cached
            && Arc::ptr_eq(of, &config)
            && Arc::ptr_eq(found, &state.found)
        {
            return json.clone();
        }
        let json: Bytes = serde_json::to_vec(&list(&config, &state.found)).unwrap_or_default().into();
        state.cached = Some((config, state.found.clone(), json.clone()));
        json
    }

    /// What `hello-ok` says about sessions.
    #[must_use]
    pub fn session_defaults(&self) -> Arc<SessionDefaults> {
        let config = self.live.config();
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((of, defaults)) = &state.defaults
            && Arc::ptr_eq(of, &config)
        {
            return defaults.clone();
        }
        let defaults = Arc::new(session_defaults(&config));
        state.defaults = Some((config, defaults.clone()));
        defaults
    }

    /// The result of `agent.identity.get`. Fails when the agent is not the one of the session key.
    pub fn identity(&self, agent: Option<&str>, session_key: Option<&str>) -> Result<AgentIdentityResult, String> {
        let config = self.live.config();
        let asked = agent.map(str::trim).filter(|a| !a.is_empty()).map(session_key::normalise_agent_id);
        let of_key = session_key.map(str::trim).filter(|k| !k.is_empty()).map(|key| {
            session_key::agent_of(key).unwrap_or_else(|| config.default_agent_id().to_owned())
        });
        if let (Some(asked), Some(of_key)) = (&asked, &of_key)
            && asked != of_key
        {
            return Err(format!("agent \"{asked}\" does not match session key agent \"{of_key}\""));
        }
        let id = asked.or(of_key).unwrap_or_else(|| config.default_agent_id().to_owned());
        let agent = config.agent(&id);
        let identity = agent.map(|agent| &agent.identity);
        let ui = &config.ui;
        let name = ui.assistant_name.clone().or_else(|| identity?.name.clone()).or_else(|| agent?.name.clone());
        let avatar = ui.assistant_avatar.clone().or_else(|| avatar(&config, &id, identity?));
        Ok(AgentIdentityResult {
            agent_id: id,
            name: name.unwrap_or_else(|| ASSISTANT.to_owned()),
            avatar: avatar.unwrap_or_else(|| AVATAR.to_owned()),
        })
    }
}

/// The avatar as a page can show it: an address, a data URL, an emoji, or the path that serves a workspace picture.
fn avatar(config: &Config, id: &str, identity: &Identity) -> Option<String> {
    match identity.avatar.as_deref().map(str::trim).filter(|a| !a.is_empty()) {
        Some(url) if is_url(url) => Some(url.to_owned()),
        Some(_) => Some(format!("{}/avatar/{id}", config.gateway.control_ui.base_path)),
        None => identity.emoji.clone(),
    }
}

fn is_url(text: &str) -> bool {
    ["http://", "https://", "data:"].iter().any(|scheme| text.starts_with(scheme))
}

fn session_defaults(config: &Config) -> SessionDefaults {
    let scope = scope(config);
    let main_key = session_key::normalise_main_key(&config.session.main_key);
    let agent = config.default_agent_id().to_owned();
    SessionDefaults {
        main_session_key: session_key::main_session_key(&main_key, &agent, scope),
        default_agent_id: agent,
        main_key,
        scope,
    }
}

fn scope(config: &Config) -> Scope {
    match config.session.scope {
        SessionsScope::PerSender => Scope::PerSender,
        SessionsScope::Global => Scope::Global,
    }
}

/// Default agent first, the others by id; without a list in the configuration also those that have a folder.
fn list(config: &Config, found: &Found) -> AgentsListResult {
    let default_id = config.default_agent_id().to_owned();
    let main_key = session_key::normalise_main_key(&config.session.main_key);
    let mut ids: Vec<String> = config.agents().iter().map(|agent| agent.id.clone()).collect();
    if !config.agents.listed {
        ids.extend(found.ids.iter().map(|id| session_key::normalise_agent_id(id)));
    }
    ids.retain(|id| *id != default_id);
    ids.sort_unstable();
    ids.dedup();
    ids.insert(0, default_id.clone());
    if !ids.contains(&main_key) {
        ids.push(main_key.clone());
    }
    let agents = ids.into_iter().map(|id| summary(config, found, id)).collect();
    AgentsListResult { default_id, main_key, scope: scope(config), agents }
}

fn summary(config: &Config, found: &Found, id: String) -> AgentSummary {
    let Some(agent) = config.agent(&id) else { return AgentSummary { id, ..AgentSummary::default() } };
    let identity = &agent.identity;
    let picture = found.pictures.iter().find(|(of, _)| *of == id).map(|(_, url)| url.clone());
    let shown = AgentIdentity {
        name: identity.name.clone(),
        theme: identity.theme.clone(),
        emoji: identity.emoji.clone(),
        avatar: identity.avatar.clone(),
        avatar_url: identity.avatar.clone().filter(|a| is_url(a)).or(picture),
    };
    let shown = (shown != AgentIdentity::default()).then_some(shown);
    AgentSummary { name: agent.name.clone(), identity: shown, id }
}

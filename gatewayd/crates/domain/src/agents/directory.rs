//! The list of agents. It comes from the configuration, and where that names none, from the folders of agents that
//! exist. Folders and pictures are read away from the workers, and the finished answer is kept for a while.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use gateway_config::Config;
use gateway_config::live::Live;
use gateway_config::sections;
use gateway_wire::session_key::{self, Scope};
use gateway_wire::types::agents::{AgentIdentity, AgentSummary, AgentsListResult};
use gateway_wire::types::connect::SessionDefaults;
use tokio::time::Instant;

use super::picture;
use crate::ports::files::AgentFiles;

/// How long a list is handed out while the configuration stays the same.
const KEEP: Duration = Duration::from_secs(10);

/// What the list needs.
pub struct AgentsOptions {
    /// The configuration in force.
    pub config: Live,
    /// Folders and pictures.
    pub files: Arc<dyn AgentFiles>,
}

/// The agents. Clones share everything.
#[derive(Clone)]
pub struct Agents {
    config: Live,
    files: Arc<dyn AgentFiles>,
    list: Arc<Mutex<Option<Kept>>>,
}

struct Kept {
    config: Arc<Config>,
    until: Instant,
    json: Bytes,
}

impl Agents {
    /// The agents of a configuration.
    #[must_use]
    pub fn new(options: AgentsOptions) -> Self {
        Self { config: options.config, files: options.files, list: Arc::default() }
    }

    /// The result of `agents.list` as JSON.
    pub async fn list(&self) -> Bytes {
        let config = self.config.config();
        if let Some(json) = self.kept(&config) {
            return json;
        }
        let (files, wanted) = (self.files.clone(), config.clone());
        let built = tokio::task::spawn_blocking(move || list(&wanted, &*files)).await;
        let Ok(result) = built else { return Bytes::from_static(b"null") };
        let json = Bytes::from(serde_json::to_vec(&result).unwrap_or_default());
        let kept = Kept { config, until: Instant::now() + KEEP, json: json.clone() };
        *self.list.lock().unwrap_or_else(PoisonError::into_inner) = Some(kept);
        json
    }

    /// What clients are told about sessions when they connect.
    #[must_use]
    pub fn session_defaults(&self) -> SessionDefaults {
        let config = self.config.config();
        let agent = config.default_agent_id();
        let (main_key, scope) = main_key(&config);
        SessionDefaults {
            default_agent_id: agent.to_owned(),
            main_session_key: session_key::main_session_key(&main_key, agent, scope),
            main_key,
            scope,
        }
    }

    /// The key of the default agent's main session.
    #[must_use]
    pub fn main_session_key(&self) -> String {
        self.session_defaults().main_session_key
    }

    pub(super) fn config(&self) -> Arc<Config> {
        self.config.config()
    }

    fn kept(&self, config: &Arc<Config>) -> Option<Bytes> {
        let list = self.list.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = list.as_ref()?;
        (Arc::ptr_eq(&kept.config, config) && Instant::now() < kept.until).then(|| kept.json.clone())
    }
}

fn list(config: &Config, files: &dyn AgentFiles) -> AgentsListResult {
    let default = config.default_agent_id().to_owned();
    let (main_key, scope) = main_key(config);
    let mut ids: Vec<String> = config.agents().iter().map(|agent| agent.id.clone()).collect();
    if !config.agents.listed {
        match files.ids() {
            Ok(found) => ids.extend(found.iter().map(|id| session_key::normalise_agent_id(id))),
            Err(error) => tracing::warn!(%error, "the folders of agents cannot be listed"),
        }
    }
    ids.sort_unstable_by(|a, b| (*a != default, a).cmp(&(*b != default, b)));
    ids.dedup();
    if !ids.contains(&main_key) {
        ids.push(main_key.clone());
    }
    let agents = ids.into_iter().map(|id| summary(config.agent(&id), id, files)).collect();
    AgentsListResult { default_id: default, main_key, scope, agents }
}

fn summary(agent: Option<&sections::Agent>, id: String, files: &dyn AgentFiles) -> AgentSummary {
    let Some(agent) = agent else { return AgentSummary { id, ..AgentSummary::default() } };
    let identity = AgentIdentity {
        name: agent.identity.name.clone(),
        theme: agent.identity.theme.clone(),
        emoji: agent.identity.emoji.clone(),
        avatar: agent.identity.avatar.clone(),
        avatar_url: agent.identity.avatar.as_deref().and_then(|a| picture::url(a, &agent.workspace, files)),
    };
    let identity = Some(identity).filter(|identity| *identity != AgentIdentity::default());
    AgentSummary { id, name: agent.name.clone(), identity }
}

fn main_key(config: &Config) -> (String, Scope) {
    let scope = match config.session.scope {
        sections::Scope::PerSender => Scope::PerSender,
        sections::Scope::Global => Scope::Global,
    };
    (session_key::normalise_main_key(&config.session.main_key), scope)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::testing::{MemoryFiles, live};

    async fn listed(config: Value, folders: &[&str]) -> Value {
        let files = MemoryFiles::default();
        files.set_ids(folders);
        files.put("/w/face.png", b"\x89PNG\r\n\x1a\nrest");
        let agents = Agents::new(AgentsOptions { config: live(config), files: Arc::new(files) });
        serde_json::from_slice(&agents.list().await).expect("JSON")
    }

    #[tokio::test]
    async fn without_a_list_there_is_main_and_what_has_a_folder() {
        let want = json!({
            "defaultId": "main", "mainKey": "main", "scope": "per-sender",
            "agents": [{"id": "main"}, {"id": "a-b"}, {"id": "work"}],
        });
        assert_eq!(listed(json!({}), &["work", "main", "A b"]).await, want);
    }

    #[tokio::test]
    async fn the_default_comes_first_and_the_main_key_last() {
        let config = json!({
            "session": {"scope": "global"},
            "agents": {"list": [
                {"id": "zoe", "name": "Zoe"},
                {"id": "Work", "default": true, "workspace": "/w",
                 "identity": {"name": "Otto", "emoji": "x", "avatar": "face.png"}},
                {"id": "abe"},
            ]},
        });
        let got = listed(config, &["ignored"]).await;
        assert_eq!((&got["defaultId"], &got["scope"]), (&json!("work"), &json!("global")));
        let ids: Vec<_> = got["agents"].as_array().expect("list").iter().map(|a| a["id"].clone()).collect();
        assert_eq!(ids, ["work", "abe", "zoe", "main"]);
        assert_eq!(
            got["agents"][0]["identity"],
            json!({"name": "Otto", "emoji": "x", "avatar": "face.png",
                   "avatarUrl": "data:image/png;base64,iVBORw0KGgpyZXN0"})
        );
        assert_eq!(got["agents"][2], json!({"id": "zoe", "name": "Zoe"}));
    }

    #[tokio::test]
    async fn session_defaults_follow_the_configuration() {
        let files = Arc::new(MemoryFiles::default());
        let agents = Agents::new(AgentsOptions { config: live(json!({})), files: files.clone() });
        assert_eq!(agents.main_session_key(), "agent:main:main");
        let global = json!({"session": {"scope": "global"}, "agents": {"list": [{"id": "x"}]}});
        let agents = Agents::new(AgentsOptions { config: live(global), files });
        let defaults = agents.session_defaults();
        assert_eq!(
            (defaults.default_agent_id.as_str(), defaults.main_session_key.as_str(), defaults.scope),
            ("x", "global", Scope::Global)
        );
    }

    #[tokio::test]
    async fn a_new_configuration_is_seen_at_once() {
        let config = live(json!({}));
        let agents =
            Agents::new(AgentsOptions { config: config.clone(), files: Arc::new(MemoryFiles::default()) });
        let before = agents.list().await;
        assert_eq!(before.as_ptr(), agents.list().await.as_ptr(), "made once");
        config.replace((*live(json!({"agents": {"list": [{"id": "new"}]}})).current()).clone());
        let after: Value = serde_json::from_slice(&agents.list().await).expect("JSON");
        assert_eq!(after["defaultId"], "new");
    }
}

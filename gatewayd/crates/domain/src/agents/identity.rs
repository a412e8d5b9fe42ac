//! `agent.identity.get`: the name and the picture that a client shows for an agent.

use gateway_wire::session_key::{self, normalise_agent_id};
use gateway_wire::types::agents::{AgentIdentityParams, AgentIdentityResult};

use super::Agents;
use super::picture::{Kind, kind};

const DEFAULT_NAME: &str = "Assistant";
const DEFAULT_AVATAR: &str = "A";

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The parameters name two different agents.
    #[error(
        "invalid agent.identity.get params: agent \"{asked}\" does not match session key agent \"{of_session}\""
    )]
    Mismatch {
        /// By `agentId`.
        asked: String,
        /// By `sessionKey`.
        of_session: String,
    },
}

impl Agents {
    /// How an agent presents itself. One that is not configured gets the defaults.
    pub fn identity(&self, params: &AgentIdentityParams) -> Result<AgentIdentityResult, Error> {
        let config = self.config();
        let asked =
            params.agent_id.as_deref().map(str::trim).filter(|id| !id.is_empty()).map(normalise_agent_id);
        let key = params.session_key.as_deref().map(str::trim).filter(|key| !key.is_empty());
        let of_session =
            key.map(|key| session_key::agent_of(key).unwrap_or_else(|| config.default_agent_id().to_owned()));
        let agent_id = match (asked, of_session) {
            (Some(asked), Some(of_session)) if asked != of_session => {
                return Err(Error::Mismatch { asked, of_session });
            }
            (asked, of_session) => {
                asked.or(of_session).unwrap_or_else(|| config.default_agent_id().to_owned())
            }
        };
        let own = config.agent(&agent_id).map(|agent| &agent.identity);
        let name = config.ui.assistant_name.as_ref().or_else(|| own?.name.as_ref());
        let avatar = config.ui.assistant_avatar.as_ref().or_else(|| own?.avatar.as_ref());
        let avatar = avatar.or_else(|| own?.emoji.as_ref()).map(|avatar| match kind(avatar) {
            Kind::File => {
                format!("{}/avatar/{agent_id}", config.gateway.control_ui.base_path.trim_end_matches('/'))
            }
            Kind::Address | Kind::Text => avatar.clone(),
        });
        Ok(AgentIdentityResult {
            name: name.cloned().unwrap_or_else(|| DEFAULT_NAME.to_owned()),
            avatar: avatar.unwrap_or_else(|| DEFAULT_AVATAR.to_owned()),
            agent_id,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::{Value, json};

    use super::*;
    use crate::agents::AgentsOptions;
    use crate::testing::{MemoryFiles, live};

    fn get(
        config: Value,
        agent: Option<&str>,
        session: Option<&str>,
    ) -> Result<(String, String, String), Error> {
        let agents =
            Agents::new(AgentsOptions { config: live(config), files: Arc::new(MemoryFiles::default()) });
        let params = AgentIdentityParams {
            agent_id: agent.map(str::to_owned),
            session_key: session.map(str::to_owned),
        };
        agents.identity(&params).map(|got| (got.agent_id, got.name, got.avatar))
    }

    fn texts(agent: &str, name: &str, avatar: &str) -> Result<(String, String, String), Error> {
        Ok((agent.to_owned(), name.to_owned(), avatar.to_owned()))
    }

    #[test]
    fn defaults_and_unknown_agents() {
        assert_eq!(get(json!({}), None, None), texts("main", "Assistant", "A"));
        assert_eq!(get(json!({}), Some("No One"), None), texts("no-one", "Assistant", "A"));
        assert_eq!(get(json!({}), None, Some("agent:work:main")), texts("work", "Assistant", "A"));
        assert_eq!(get(json!({}), Some(" "), Some("main")), texts("main", "Assistant", "A"));
    }

    #[test]
    fn two_agents_at_once_are_refused() {
        let error = get(json!({}), Some("a"), Some("agent:b:main")).expect_err("refused");
        assert_eq!(
            error.to_string(),
            r#"invalid agent.identity.get params: agent "a" does not match session key agent "b""#
        );
        assert!(get(json!({}), Some("B"), Some("agent:b:main")).is_ok());
    }

    #[test]
    fn the_configuration_names_and_shows() {
        let config = json!({"agents": {"list": [
            {"id": "a", "identity": {"name": "Ann", "avatar": "pics/ann.png", "emoji": "x"}},
            {"id": "b", "identity": {"emoji": "🦞"}},
            {"id": "c", "identity": {"avatar": "https://x/c.png"}},
        ]}});
        assert_eq!(get(config.clone(), Some("a"), None), texts("a", "Ann", "/avatar/a"));
        assert_eq!(get(config.clone(), Some("b"), None), texts("b", "Assistant", "🦞"));
        assert_eq!(get(config, Some("c"), None), texts("c", "Assistant", "https://x/c.png"));
        let ui = json!({"ui": {"assistant": {"name": "Uma", "avatar": "U"}}});
        assert_eq!(get(ui, None, None), texts("main", "Uma", "U"));
    }
}

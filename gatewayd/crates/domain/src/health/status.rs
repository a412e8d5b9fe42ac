//! The result of `status`.

use gateway_base::paths::Paths;
use gateway_config::Config;
use gateway_wire::types::status::{
    StatusAgentHeartbeat, StatusAgentSessions, StatusDefaults, StatusHeartbeat, StatusResult, StatusSessions,
};

/// Context window to report when the configuration names none.
const CONTEXT_TOKENS: u64 = 200_000;

/// What `status` says about `config`. Sessions are not kept yet, so there are none.
pub(super) fn result(config: &Config, paths: &Paths, problems: Vec<String>) -> StatusResult {
    let agents = config.agents();
    let store = |id: &str| paths.session_store(id).display().to_string();
    let heartbeat = |id: &str| {
        let heartbeat = config.heartbeat(id);
        StatusAgentHeartbeat {
            agent_id: id.to_owned(),
            enabled: heartbeat.enabled,
            every: heartbeat.every,
            every_ms: heartbeat.every_ms,
        }
    };
    StatusResult {
        link_channel: None,
        heartbeat: StatusHeartbeat {
            default_agent_id: config.default_agent_id().to_owned(),
            agents: agents.iter().map(|agent| heartbeat(&agent.id)).collect(),
        },
        channel_summary: Vec::new(),
        queued_system_events: Vec::new(),
        sessions: StatusSessions {
            paths: agents.iter().map(|agent| store(&agent.id)).collect(),
            count: 0,
            defaults: StatusDefaults {
                model: Some(config.resolve_model(config.agents.defaults.model.primary.as_deref().unwrap_or("")).model),
                context_tokens: Some(config.agents.defaults.context_tokens.unwrap_or(CONTEXT_TOKENS)),
            },
            recent: Vec::new(),
            by_agent: agents
                .iter()
                .map(|agent| StatusAgentSessions {
                    agent_id: agent.id.clone(),
                    path: store(&agent.id),
                    count: 0,
                    recent: Vec::new(),
                })
                .collect(),
        },
        problems,
    }
}

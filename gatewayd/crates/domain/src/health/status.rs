//! The result of `status`.

use gateway_base::paths::Paths;
use gateway_config::live::Current;
use gateway_wire::types::status::{
    StatusAgentHeartbeat, StatusAgentSessions, StatusDefaults, StatusHeartbeat, StatusResult, StatusSessions,
};

use super::sessions;
use crate::models;

/// Context window to report when neither the configuration nor the list of models names one.
const CONTEXT_TOKENS: u64 = 200_000;

/// What `status` says about the configuration in force.
pub(super) fn result(
    current: &Current,
    paths: &Paths,
    problems: Vec<String>,
    queued_system_events: Vec<String>,
) -> StatusResult {
    let config = &*current.config;
    let model = config.resolve_model(config.agents.defaults.model.primary.as_deref().unwrap_or_default());
    let context_tokens = config
        .agents
        .defaults
        .context_tokens
        .or_else(|| models::context_window(config, &model.provider, &model.model));
    let by_agent = config.agents().iter().map(|agent| StatusAgentSessions {
        agent_id: agent.id.clone(),
        path: sessions::path(current, paths, &agent.id),
        count: 0,
        recent: Vec::new(),
    });
    let by_agent: Vec<_> = by_agent.collect();
    let mut store_paths: Vec<_> = by_agent.iter().map(|agent| agent.path.clone()).collect();
    store_paths.dedup();
    StatusResult {
        link_channel: None,
        heartbeat: StatusHeartbeat {
            default_agent_id: config.default_agent_id().to_owned(),
            agents: config.agents().iter().map(|agent| heartbeat(current, &agent.id)).collect(),
        },
        channel_summary: Vec::new(),
        queued_system_events,
        sessions: StatusSessions {
            paths: store_paths,
            count: 0,
            defaults: StatusDefaults {
                model: Some(model.model),
                context_tokens: Some(context_tokens.unwrap_or(CONTEXT_TOKENS)),
            },
            recent: Vec::new(),
            by_agent,
        },
        problems,
    }
}

fn heartbeat(current: &Current, agent: &str) -> StatusAgentHeartbeat {
    let heartbeat = current.config.heartbeat(agent);
    StatusAgentHeartbeat {
        agent_id: agent.to_owned(),
        enabled: heartbeat.enabled,
        every: heartbeat.every,
        every_ms: heartbeat.every_ms,
    }
}

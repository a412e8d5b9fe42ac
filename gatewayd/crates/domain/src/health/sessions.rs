//! Sessions as far as health and status tell of them. None are kept yet, so there are none to count; clients still
//! learn where they will be.

use gateway_base::paths::Paths;
use gateway_config::live::Current;
use gateway_wire::types::health::SessionsHealth;
use serde_json::Value;

/// The path of an agent's session list.
pub(super) fn path(current: &Current, paths: &Paths, agent: &str) -> String {
    let configured = current.value.pointer("/session/store").and_then(Value::as_str).map(str::trim);
    let path = match configured.filter(|path| !path.is_empty()) {
        Some(path) => paths.expand(&path.replace("{agentId}", agent)),
        None => paths.session_store(agent),
    };
    path.display().to_string()
}

/// What health tells.
pub(super) fn health(current: &Current, paths: &Paths, agent: &str) -> SessionsHealth {
    SessionsHealth { path: path(current, paths, agent), count: 0, recent: Vec::new() }
}

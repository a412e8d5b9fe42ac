//! What changed between two configurations, and what each change costs.

use serde_json::{Map, Value};

use crate::keys::{Part, Reload, tree};
use crate::path::Segment;

/// The changed paths, sorted by what they cost.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// Read when needed: nothing to do.
    pub none: Vec<String>,
    /// Taken over by a part that is running.
    pub hot: Vec<(Part, String)>,
    /// In effect only after a restart.
    pub restart: Vec<String>,
}

impl Plan {
    /// The parts that must act, each once, in a fixed order.
    #[must_use]
    pub fn parts(&self) -> Vec<Part> {
        let mut parts: Vec<Part> = self.hot.iter().map(|(part, _)| *part).collect();
        parts.sort_unstable();
        parts.dedup();
        parts
    }
}

/// Dotted paths of the leaves that differ; lists are compared by content and named as a whole.
#[must_use]
pub fn changed(old: &Value, new: &Value) -> Vec<String> {
    let mut paths = Vec::new();
    walk(old, new, &mut String::new(), &mut paths);
    paths
}

/// Sorts changed paths by the reload class of their keys. A path the table does not know costs what the deepest
/// known key above it costs, and never more than nothing when even its section is unknown.
#[must_use]
pub fn plan(paths: &[String]) -> Plan {
    let mut plan = Plan::default();
    for path in paths {
        let segments: Vec<Segment> = path.split('.').map(|part| Segment::Key(part.to_owned())).collect();
        match tree().walk(&segments).0.reload {
            Reload::None => plan.none.push(path.clone()),
            Reload::Hot(part) => plan.hot.push((part, path.clone())),
            Reload::Restart => plan.restart.push(path.clone()),
        }
    }
    plan
}

/// The channel a [`Part::Channel`] path is about.
#[must_use]
pub fn channel_of(path: &str) -> &str {
    match path.strip_prefix("channels.") {
        Some(rest) => rest.split('.').next().unwrap_or(rest),
        None => "whatsapp",
    }
}

fn walk(old: &Value, new: &Value, path: &mut String, paths: &mut Vec<String>) {
    match (old, new) {
        (Value::Object(a), Value::Object(b)) => {
            let added = b.keys().filter(|key| !a.contains_key(*key));
            for key in a.keys().chain(added) {
                let length = path.len();
                if length > 0 {
                    path.push('.');
                }
                path.push_str(key);
                match (a.get(key), b.get(key)) {
                    (Some(x), Some(y)) => walk(x, y, path, paths),
                    (Some(Value::Object(only)), None) | (None, Some(Value::Object(only)))
                        if !only.is_empty() =>
                    {
                        walk(&Value::Object(only.clone()), &Value::Object(Map::new()), path, paths);
                    }
                    _ => paths.push(path.clone()),
                }
                path.truncate(length);
            }
        }
        _ if same(old, new) => {}
        _ => paths.push(path.clone()),
    }
}

/// Equality by content; numbers by value, so that `1` and `1.0` are the same.
pub(crate) fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(x), Value::Number(y)) => x == y || x.as_f64() == y.as_f64(),
        (Value::Array(x), Value::Array(y)) => x.len() == y.len() && x.iter().zip(y).all(|(a, b)| same(a, b)),
        (Value::Object(x), Value::Object(y)) => {
            x.len() == y.len() && x.iter().all(|(key, a)| y.get(key).is_some_and(|b| same(a, b)))
        }
        _ => a == b,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn strings(paths: &[&str]) -> Vec<String> {
        paths.iter().map(|p| (*p).to_owned()).collect()
    }

    #[test]
    fn leaves_and_lists() {
        let old = json!({"a": {"b": 1, "c": [{"x": 1}]}, "gone": {"y": 1}});
        let new = json!({"a": {"b": 1.0, "c": [{"x": 2}]}, "new": true});
        assert_eq!(changed(&old, &new), strings(&["a.c", "gone.y", "new"]));
        assert_eq!(changed(&old, &old.clone()), strings(&[]));
    }

    #[test]
    fn classes_of_all_kinds() {
        let cases = [
            ("gateway.port", "restart"),
            ("gateway.bind", "restart"),
            ("gateway.customBindHost", "restart"),
            ("gateway.tls.enabled", "restart"),
            ("gateway.unheard.of", "restart"),
            ("gateway.remote.url", "none"),
            ("gateway.reload.mode", "none"),
            ("gateway.auth.token", "hot Auth"),
            ("gateway.trustedProxies", "hot Proxies"),
            ("gateway.controlUi.allowedOrigins", "hot ControlUi"),
            ("gateway.nodes.denyCommands", "hot Nodes"),
            ("logging.file", "hot Logging"),
            ("hooks.token", "hot Hooks"),
            ("hooks.gmail.account", "hot Gmail"),
            ("agents.defaults.heartbeat.every", "hot Heartbeat"),
            ("agents.list", "hot Heartbeat"),
            ("agents.defaults.models.anthropic/claude-opus-4.5.alias", "none"),
            ("cron.enabled", "hot Cron"),
            ("browser.profiles.x.color", "hot Browser"),
            ("web.enabled", "hot Channel"),
            ("channels.telegram.accounts.x.botToken", "hot Channel"),
            ("channels.defaults.groupPolicy", "none"),
            ("plugins.entries.x.enabled", "restart"),
            ("discovery.mdns.mode", "restart"),
            ("canvasHost.root", "restart"),
            ("meta.lastTouchedAt", "none"),
            ("wizard.lastRunAt", "none"),
            ("commands.restart", "none"),
            ("approvals.exec.enabled", "none"),
            ("update.channel", "none"),
            ("media.preserveFilenames", "none"),
            ("broadcast.x", "none"),
            ("models.providers.x.apiKey", "none"),
            ("unheard.of", "none"),
        ];
        for (path, class) in cases {
            let plan = plan(&strings(&[path]));
            let found = match (plan.none.len(), plan.hot.first(), plan.restart.len()) {
                (1, None, 0) => "none".to_owned(),
                (0, Some((part, _)), 0) => format!("hot {part:?}"),
                _ => "restart".to_owned(),
            };
            assert_eq!(found, class, "{path}");
        }
    }

    #[test]
    fn channels_by_path() {
        assert_eq!(channel_of("channels.telegram.x"), "telegram");
        assert_eq!(channel_of("web.enabled"), "whatsapp");
    }
}

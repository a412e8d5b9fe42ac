//! What changed between two configurations, and what each change costs.

use serde_json::{Map, Value};

use crate::keys::{Part, Reload, tree};
use crate::path::Segment;
use crate::redact::redact;

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

/// One leaf that differs, with secrets masked.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// Its dotted path.
    pub path: String,
    /// What it was; nothing when it is new.
    pub before: Option<Value>,
    /// What it is; nothing when it is gone.
    pub after: Option<Value>,
}

/// Dotted paths of the leaves that differ; lists are compared by content and named as a whole.
#[must_use]
pub fn changed(old: &Value, new: &Value) -> Vec<String> {
    let mut paths = Vec::new();
    let plain = |value| Some(Side { value, shown: value });
    walk(plain(old), plain(new), &mut String::new(), &mut |path, _, _| paths.push(path.to_owned()));
    paths
}

/// The leaves that differ with their values, for people.
#[must_use]
pub fn changes(old: &Value, new: &Value) -> Vec<Change> {
    let (masked_old, masked_new) = (redact(old), redact(new));
    let old = Some(Side { value: old, shown: &masked_old });
    let new = Some(Side { value: new, shown: &masked_new });
    let mut found = Vec::new();
    walk(old, new, &mut String::new(), &mut |path, before, after| {
        let shown = |side: Option<Side<'_>>| side.map(|side| side.shown.clone());
        found.push(Change { path: path.to_owned(), before: shown(before), after: shown(after) });
    });
    found
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

/// A value and what people may see of it; both have the same keys.
#[derive(Clone, Copy)]
struct Side<'a> {
    value: &'a Value,
    shown: &'a Value,
}

impl<'a> Side<'a> {
    fn object(self) -> Option<&'a Map<String, Value>> {
        self.value.as_object()
    }

    fn get(self, key: &str) -> Option<Self> {
        Some(Self { value: self.value.get(key)?, shown: self.shown.get(key)? })
    }
}

type Found<'f> = dyn FnMut(&str, Option<Side<'_>>, Option<Side<'_>>) + 'f;

fn walk(old: Option<Side<'_>>, new: Option<Side<'_>>, path: &mut String, found: &mut Found<'_>) {
    let (a, b) = (old.and_then(Side::object), new.and_then(Side::object));
    let filled = |side: Option<&Map<_, _>>, other: &Option<Side<'_>>| {
        other.is_none() && side.is_some_and(|keys| !keys.is_empty())
    };
    if (a.is_some() && b.is_some()) || filled(a, &new) || filled(b, &old) {
        let (a, b) = (a.into_iter().flatten(), b.into_iter().flatten());
        let added = b.map(|(key, _)| key).filter(|key| old.is_none_or(|old| old.get(key).is_none()));
        for key in a.map(|(key, _)| key).chain(added) {
            let length = path.len();
            if length > 0 {
                path.push('.');
            }
            path.push_str(key);
            walk(old.and_then(|old| old.get(key)), new.and_then(|new| new.get(key)), path, found);
            path.truncate(length);
        }
        return;
    }
    match (old, new) {
        (Some(old), Some(new)) if same(old.value, new.value) => {}
        _ => found(path, old, new),
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
    fn values_are_shown_and_secrets_are_not() {
        let old = json!({"gateway": {"port": 1, "auth": {"token": "old-secret"}}, "env": {"vars": {"A": "x-secret"}}});
        let new = json!({"gateway": {"port": 2, "auth": {"token": "new-secret"}}, "ui": {}});
        let found = changes(&old, &new);
        assert!(!format!("{found:?}").contains("-secret"), "{found:?}");
        let brief: Vec<_> =
            found.iter().map(|c| (c.path.as_str(), c.before.clone(), c.after.clone())).collect();
        let hidden = Some(json!("__REDACTED__"));
        assert_eq!(
            brief,
            [
                ("gateway.port", Some(json!(1)), Some(json!(2))),
                ("gateway.auth.token", hidden.clone(), hidden.clone()),
                ("env.vars.A", hidden, None),
                ("ui", None, Some(json!({}))),
            ]
        );
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

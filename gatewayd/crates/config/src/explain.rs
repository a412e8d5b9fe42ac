//! What a key means, for people: from the same table that checks it.

use std::fmt::Write as _;

use crate::keys::{Bounds, Check, Key, Part, Reload, Type, tree};
use crate::path::{Segment, parse, show};
use crate::validate::{closest, elsewhere};

/// What is known about one key.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Explanation {
    /// The pattern of its path.
    pub path: String,
    /// Its type in words.
    #[serde(rename = "type")]
    pub type_text: String,
    /// What counts when it is absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default: Option<String>,
    /// The allowed words or the range.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allowed: Option<String>,
    /// Whether the object around it must have it.
    pub required: bool,
    /// What a change costs.
    pub reload: String,
    /// Whether its value must not be shown.
    pub sensitive: bool,
    /// What it is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub doc: Option<String>,
    /// The keys below it: name and type.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub children: Vec<(String, String)>,
}

/// There is no such key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no config key \"{path}\"{}", guess.as_ref().map(|g| format!("; did you mean \"{g}\"?")).unwrap_or_default())]
pub struct Unknown {
    /// What was asked for.
    pub path: String,
    /// The closest path that exists.
    pub guess: Option<String>,
}

/// Explains the key at `path`: a pattern as in the table, or a concrete path with names and positions filled in. An
/// empty path explains the whole file.
pub fn explain(path: &str) -> Result<Explanation, Unknown> {
    let unknown = |guess| Unknown { path: path.to_owned(), guess };
    if path.trim().is_empty() {
        return Ok(about(tree()));
    }
    if let Some(key) = tree().at_pattern(path.trim()) {
        return Ok(about(key));
    }
    // A pattern's `[]` is no concrete path, but a position in its place is.
    let segments = parse(&path.replace("[]", "[0]")).map_err(|_| unknown(None))?;
    let (key, whole) = tree().walk(&segments);
    if whole {
        return Ok(about(key));
    }
    if key.ty == Type::Any
        || matches!(key.ty, Type::Map(_)) && key.fields().is_empty() && key.other().is_none()
    {
        return Ok(Explanation { path: show(&segments), ..free(key) });
    }
    Err(unknown(guess(key, &segments)))
}

/// What a change of the key costs, in words.
#[must_use]
pub fn reload_text(reload: Reload) -> String {
    match reload {
        Reload::None => "none (read when needed)".to_owned(),
        Reload::Restart => "restart (takes effect after a restart of the gateway)".to_owned(),
        Reload::Hot(part) => format!("hot ({})", part_text(part)),
    }
}

fn part_text(part: Part) -> &'static str {
    match part {
        Part::Auth => "new connections use it at once",
        Part::Proxies => "new connections are judged by it",
        Part::ControlUi => "the control page takes it over",
        Part::Nodes => "node commands are judged by it",
        Part::Logging => "the log takes it over",
        Part::Heartbeat => "the heartbeat runner takes it over",
        Part::Hooks => "webhooks are read again",
        Part::Gmail => "the Gmail watcher restarts",
        Part::Cron => "the timer service restarts",
        Part::Browser => "the browser control service restarts",
        Part::Channel => "the channel restarts",
    }
}

fn about(key: &Key) -> Explanation {
    let row = key.row;
    let child = |name: &str, key: &Key| (name.to_owned(), type_text(key.ty));
    let mut children: Vec<_> = key.fields().iter().map(|(name, key)| child(name, key)).collect();
    children.extend(key.other().map(|key| child("<key>", key)));
    if let Some(item) = key.item() {
        children.extend(item.fields().iter().map(|(name, key)| child(&format!("[].{name}"), key)));
    }
    Explanation {
        path: if key.path.is_empty() { "<root>".to_owned() } else { key.path.clone() },
        type_text: type_text(key.ty),
        default: row.map(|row| row.default).filter(|d| *d != "-").map(str::to_owned),
        allowed: allowed(key.ty),
        required: row.is_some_and(|row| row.required),
        reload: reload_text(key.reload),
        sensitive: key.is_secret(),
        doc: row.map(|row| row.doc.to_owned()),
        children,
    }
}

/// A name inside a map or a free value: what holds for the whole holds for it.
fn free(key: &Key) -> Explanation {
    let ty = if let Type::Map(item) = key.ty { *item } else { Type::Any };
    Explanation {
        type_text: type_text(ty),
        allowed: allowed(ty),
        default: None,
        required: false,
        ..about(key)
    }
}

/// The path with its first unknown name replaced by the closest known one, or where else the last name occurs.
fn guess(deepest: &Key, segments: &[Segment]) -> Option<String> {
    let depth = (0..segments.len()).find(|n| !tree().walk(&segments[..=*n]).1)?;
    let Segment::Key(name) = segments.get(depth)? else { return None };
    let Some(found) = closest(name, deepest.fields().keys().copied()) else {
        return segments
            .last()
            .and_then(|last| if let Segment::Key(last) = last { elsewhere(last) } else { None });
    };
    let mut fixed = segments.to_vec();
    fixed[depth] = Segment::Key(found.to_owned());
    if !tree().walk(&fixed).1 {
        fixed.truncate(depth + 1);
    }
    Some(show(&fixed))
}

/// A type in words.
#[must_use]
pub fn type_text(ty: Type) -> String {
    match ty {
        Type::Any | Type::Like(_) => "anything".to_owned(),
        Type::Bool => "boolean".to_owned(),
        Type::Int(_) => "integer".to_owned(),
        Type::Number(_) => "number".to_owned(),
        Type::Text(..) | Type::Choice(_) => "string".to_owned(),
        Type::List(item) => format!("list of {}", type_text(*item)),
        Type::Map(item) => format!("map of {}", type_text(*item)),
        Type::Object => "object".to_owned(),
        Type::OneOf(types) => types.iter().map(|ty| type_text(*ty)).collect::<Vec<_>>().join(" or "),
    }
}

fn allowed(ty: Type) -> Option<String> {
    match ty {
        Type::Choice(choices) => {
            Some(choices.iter().map(|c| format!("\"{c}\"")).collect::<Vec<_>>().join(", "))
        }
        Type::Int(bounds) | Type::Number(bounds) => range(bounds),
        Type::Text(_, _, Check::HexColor) => Some("six hexadecimal digits, # in front allowed".to_owned()),
        Type::Text(_, _, Check::Bind) => {
            Some("\"auto\", \"lan\", \"loopback\", \"custom\", \"tailnet\", or an IP address".to_owned())
        }
        Type::Text(0, usize::MAX, _) => None,
        Type::Text(min, usize::MAX, _) => Some(format!("at least {min} character")),
        Type::Text(_, max, _) => Some(format!("at most {max} characters")),
        Type::List(item) | Type::Map(item) => allowed(*item),
        Type::OneOf(types) => types.iter().find_map(|ty| allowed(*ty)),
        _ => None,
    }
}

fn range(bounds: Bounds) -> Option<String> {
    let mut text = String::new();
    if let Some(min) = bounds.min {
        let word = if bounds.above_min { "above" } else { "from" };
        // Writing to a String cannot fail.
        let _ = write!(text, "{word} {min}");
    }
    if let Some(max) = bounds.max {
        let _ = write!(text, " to {max}");
    }
    (!text.is_empty()).then(|| text.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_leaf_says_everything() {
        let e = explain("gateway.port").expect("known");
        assert_eq!(
            (e.type_text.as_str(), e.default.as_deref(), e.allowed.as_deref()),
            ("integer", Some("18789"), Some("from 1 to 65535"))
        );
        assert!(e.reload.starts_with("restart"));
        assert!(e.doc.is_some_and(|doc| doc.contains("Port")));
        let e = explain("gateway.auth.token").expect("known");
        assert!(e.sensitive && e.reload.starts_with("hot"));
    }

    #[test]
    fn concrete_paths_and_patterns_mean_the_same() {
        for (concrete, pattern) in [
            ("agents.list[3].heartbeat.every", "agents.list[].heartbeat.every"),
            ("models.providers[my.own].models[0].id", "models.providers.<key>.models[].id"),
            ("channels.telegram.accounts.x.botToken", "channels.telegram.accounts.<key>.botToken"),
        ] {
            assert_eq!(explain(concrete), explain(pattern), "{concrete}");
            assert_eq!(explain(pattern).map(|e| e.path), Ok(pattern.to_owned()));
        }
    }

    #[test]
    fn parents_list_their_children() {
        let e = explain("gateway").expect("known");
        assert!(e.children.contains(&("port".to_owned(), "integer".to_owned())));
        let e = explain("agents.list").expect("known");
        assert!(e.children.iter().any(|(name, _)| name == "[].id"));
        assert!(explain("").is_ok_and(|e| e.children.len() > 25));
    }

    #[test]
    fn inside_maps_and_free_values() {
        assert_eq!(explain("env.vars.FOO").map(|e| e.type_text), Ok("string".to_owned()));
        assert_eq!(explain("channels.matrix.homeserver").map(|e| e.type_text), Ok("anything".to_owned()));
    }

    #[test]
    fn unknown_paths_get_a_guess() {
        for (path, guess) in [
            ("gatway.port", Some("gateway.port")),
            ("gateway.prot", Some("gateway.port")),
            ("gateway.auth.tokn", Some("gateway.auth.token")),
            ("debounceMs.x", None),
            ("qqqqqq", None),
        ] {
            assert_eq!(explain(path).map_err(|e| e.guess), Err(guess.map(str::to_owned)), "{path}");
        }
        let error = explain("gatway.port").map_err(|e| e.to_string());
        assert_eq!(error, Err("no config key \"gatway.port\"; did you mean \"gateway.port\"?".to_owned()));
    }
}

//! The line that apps send about themselves, taken apart and put together:
//! `Node: <host> (<ip>) · app <version> · last input <n>s ago · mode <mode> · reason <reason>`.

use gateway_wire::types::presence::PresenceEntry;
use gateway_wire::types::system::SystemEventParams;

/// What a beacon's line says.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Line<'a> {
    host: Option<&'a str>,
    ip: Option<&'a str>,
    version: Option<&'a str>,
    last_input_seconds: Option<u64>,
    mode: Option<&'a str>,
    reason: Option<&'a str>,
}

impl<'a> Line<'a> {
    /// Takes `text` apart; one of another form says nothing.
    pub fn parse(text: &'a str) -> Self {
        Self::parts(text.trim()).unwrap_or_default()
    }

    fn parts(text: &'a str) -> Option<Self> {
        let mut parts = after(text, "node:")?.splitn(5, '·');
        let (host, ip) = parts.next()?.split_once('(')?;
        let ip = ip.trim_end().strip_suffix(')')?;
        let version = after(parts.next()?, "app")?;
        let last_input = after(parts.next()?, "last input")?.strip_suffix("s ago")?;
        let mode = after(parts.next()?, "mode")?;
        let reason = after(parts.next()?, "reason")?;
        Some(Self {
            host: filled(host),
            ip: filled(ip),
            version: filled(version),
            last_input_seconds: last_input.trim().parse().ok(),
            mode: filled(mode),
            reason: filled(reason),
        })
    }

    /// The key of an entry that gives neither device nor installation.
    pub fn key(&self, text: &str) -> String {
        let name = self.host.or(self.ip).map(str::to_owned);
        key(name.as_deref()).unwrap_or_else(|| text.chars().take(64).collect::<String>().to_lowercase())
    }
}

/// The next entry: what the parameters say, else the line, else what was known.
pub fn merge(params: &SystemEventParams, line: &Line<'_>, known: &PresenceEntry) -> PresenceEntry {
    let pick = |given: &Option<String>, said: Option<&str>, known: &Option<String>| {
        given.as_deref().and_then(filled).or(said).map(str::to_owned).or_else(|| known.clone())
    };
    let given_seconds = params.last_input_seconds.and_then(seconds);
    PresenceEntry {
        host: pick(&params.host, line.host, &known.host),
        ip: pick(&params.ip, line.ip, &known.ip),
        version: pick(&params.version, line.version, &known.version),
        platform: pick(&params.platform, None, &known.platform),
        device_family: pick(&params.device_family, None, &known.device_family),
        model_identifier: pick(&params.model_identifier, None, &known.model_identifier),
        mode: pick(&params.mode, line.mode, &known.mode),
        last_input_seconds: given_seconds.or(line.last_input_seconds).or(known.last_input_seconds),
        reason: pick(&params.reason, line.reason, &known.reason),
        tags: None,
        text: Some(params.text.clone()),
        ts: known.ts,
        device_id: pick(&params.device_id, None, &known.device_id),
        roles: union(known.roles.as_ref(), params.roles.as_ref()),
        scopes: union(known.scopes.as_ref(), params.scopes.as_ref()),
        instance_id: pick(&params.instance_id, None, &known.instance_id),
    }
}

/// What the agent should hear of a beacon: nothing unless something other than the time changed. `addressed` says
/// whether the previous line in the agent's queue was about another device, so that this one must say its name.
pub fn news(known: &PresenceEntry, next: &PresenceEntry, addressed: bool) -> Option<String> {
    let reason = next.reason.as_deref().unwrap_or_default();
    let periodic = reason.to_lowercase().starts_with("periodic") || reason.eq_ignore_ascii_case("heartbeat");
    let (host, ip) = (known.host != next.host, known.ip != next.ip);
    let (version, mode) = (known.version != next.version, known.mode != next.mode);
    let reason_changed = known.reason != next.reason && !periodic;
    if !(host || ip || version || mode || reason_changed) {
        return None;
    }
    let mut parts = Vec::new();
    if addressed || host || ip {
        let name = next.host.as_deref().unwrap_or("Unknown");
        parts.push(match next.ip.as_deref() {
            Some(ip) => format!("Node: {name} ({ip})"),
            None => format!("Node: {name}"),
        });
    }
    if version {
        parts.push(format!("app {}", next.version.as_deref().unwrap_or("unknown")));
    }
    if mode {
        parts.push(format!("mode {}", next.mode.as_deref().unwrap_or("unknown")));
    }
    if reason_changed {
        parts.push(format!("reason {}", if reason.is_empty() { "event" } else { reason }));
    }
    Some(parts.join(" · "))
}

/// The key that a name stands for: trimmed, lower-case, and none when blank.
pub fn key(name: Option<&str>) -> Option<String> {
    name.and_then(filled).map(str::to_lowercase)
}

/// Both lists without repeats, the known one first; `None` when there is neither.
pub fn union(known: Option<&Vec<String>>, more: Option<&Vec<String>>) -> Option<Vec<String>> {
    if known.is_none() && more.is_none() {
        return None;
    }
    let mut all: Vec<String> = Vec::new();
    for item in known.into_iter().chain(more).flatten() {
        if filled(item).is_some() && !all.contains(item) {
            all.push(item.clone());
        }
    }
    Some(all)
}

fn filled(text: &str) -> Option<&str> {
    Some(text.trim()).filter(|text| !text.is_empty())
}

/// What follows `word`, which may be written in any case.
fn after<'a>(text: &'a str, word: &str) -> Option<&'a str> {
    let text = text.trim();
    let head = text.get(..word.len())?;
    head.eq_ignore_ascii_case(word).then(|| text.get(word.len()..).unwrap_or_default())
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked to be in range")]
fn seconds(given: f64) -> Option<u64> {
    (given.is_finite() && (0.0..9e15).contains(&given)).then_some(given as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str =
        "Node: Peters-Mac (192.0.2.7) · app 2.1 · last input 42s ago · mode ui · reason launch · really";

    #[test]
    fn a_line_is_taken_apart() {
        let want = Line {
            host: Some("Peters-Mac"),
            ip: Some("192.0.2.7"),
            version: Some("2.1"),
            last_input_seconds: Some(42),
            mode: Some("ui"),
            reason: Some("launch · really"),
        };
        assert_eq!(Line::parse(LINE), want);
        assert_eq!(Line::parse(&format!("  {} ", LINE.replace("Node:", "NODE:"))), want);
        for other in [
            "",
            "Node:",
            "hello",
            "Node: x",
            "Node: a (b) · app 1",
            "Nöde: ·····",
            "Node: x ) ( · · · ·",
            "é",
        ] {
            assert_eq!(Line::parse(other), Line::default(), "{other}");
        }
    }

    #[test]
    fn keys_fall_back_to_host_ip_and_text() {
        assert_eq!(Line::parse(LINE).key(LINE), "peters-mac");
        let long = "Ü".repeat(100);
        assert_eq!(Line::parse(&long).key(&long), "ü".repeat(64));
        assert_eq!(key(Some("  ")), None);
        assert_eq!(key(Some(" A ")), Some("a".to_owned()));
    }

    #[test]
    fn parameters_win_over_the_line_and_the_line_over_what_was_known() {
        let known = PresenceEntry {
            host: Some("old".to_owned()),
            platform: Some("macos 15".to_owned()),
            roles: Some(vec!["node".to_owned()]),
            last_input_seconds: Some(1),
            ..PresenceEntry::default()
        };
        let params = SystemEventParams {
            text: LINE.to_owned(),
            version: Some("3.0".to_owned()),
            mode: Some(" ".to_owned()),
            roles: Some(vec!["operator".to_owned(), "node".to_owned(), String::new()]),
            tags: Some(vec!["x".to_owned()]),
            last_input_seconds: Some(-1.0),
            ..SystemEventParams::default()
        };
        let next = merge(&params, &Line::parse(LINE), &known);
        assert_eq!(next.host.as_deref(), Some("Peters-Mac"));
        assert_eq!(next.version.as_deref(), Some("3.0"));
        assert_eq!(next.mode.as_deref(), Some("ui"), "a blank one says nothing");
        assert_eq!(next.platform.as_deref(), Some("macos 15"));
        assert_eq!(next.roles, Some(vec!["node".to_owned(), "operator".to_owned()]));
        assert_eq!(next.last_input_seconds, Some(42));
        assert_eq!((next.tags, next.text.as_deref()), (None, Some(LINE)));
    }

    #[test]
    fn only_changes_are_news() {
        let entry = |host: &str, reason: &str| PresenceEntry {
            host: Some(host.to_owned()),
            reason: Some(reason.to_owned()),
            ..PresenceEntry::default()
        };
        let known = entry("a", "launch");
        assert_eq!(news(&known, &known, true), None);
        assert_eq!(news(&known, &entry("a", "periodic 3"), true), None);
        assert_eq!(news(&known, &entry("a", "Heartbeat"), true), None);
        assert_eq!(news(&known, &entry("a", "wake"), false), Some("reason wake".to_owned()));
        assert_eq!(news(&known, &entry("a", "wake"), true), Some("Node: a · reason wake".to_owned()));
        let mut moved = entry("b", "launch");
        moved.ip = Some("192.0.2.7".to_owned());
        moved.version = Some("2".to_owned());
        assert_eq!(news(&known, &moved, false), Some("Node: b (192.0.2.7) · app 2".to_owned()));
    }
}

//! The grammar of session keys and the one place where a client's spelling becomes the key of a stored session.
//! Keys are canonicalised once, at the method boundary; events echo the client's own spelling.
//!
//! Canonical keys are `agent:<agent id>:<rest>`, `global` and `unknown`, all lower-case.

use serde::{Deserialize, Serialize};

use crate::limits::cut;

/// The agent, and the main key, that exist when nothing is configured.
pub const MAIN: &str = "main";
/// The key of the one session that everybody shares under [`Scope::Global`].
pub const GLOBAL: &str = "global";
/// The key of a session whose origin could not be told.
pub const UNKNOWN: &str = "unknown";

const AGENT_ID_MAX: usize = 64;

/// Whether senders have their own sessions or share one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scope {
    /// Each sender and agent has its own main session.
    #[default]
    PerSender,
    /// One session for all.
    Global,
}

/// The canonical form of `key`. A blank key (also one made of colons only) stays empty; callers refuse it.
///
/// `main_key` is the configured main key and `default_agent` the id of the default agent; blank ones mean `main`.
#[must_use]
pub fn canonical(key: &str, main_key: &str, default_agent: &str, scope: Scope) -> String {
    let key = key.trim().to_lowercase();
    if key == GLOBAL || key == UNKNOWN {
        return key;
    }
    let main_key = normalise_main_key(main_key);
    let (agent, rest) = match split(&key) {
        Some((agent, rest)) => (normalise_agent_id(agent), rest),
        None => (normalise_agent_id(default_agent), join_parts(&key)),
    };
    if rest.is_empty() {
        String::new()
    } else if rest == MAIN || rest == main_key {
        main_session_key(&main_key, &agent, scope)
    } else {
        format!("agent:{agent}:{rest}")
    }
}

/// The key of an agent's main session.
#[must_use]
pub fn main_session_key(main_key: &str, agent: &str, scope: Scope) -> String {
    match scope {
        Scope::Global => GLOBAL.to_owned(),
        Scope::PerSender => format!("agent:{}:{}", normalise_agent_id(agent), normalise_main_key(main_key)),
    }
}

/// The id of the agent that a key of the form `agent:<id>:<rest>` names; `None` for every other key.
#[must_use]
pub fn agent_of(key: &str) -> Option<String> {
    let key = key.trim().to_lowercase();
    split(&key).map(|(agent, _)| normalise_agent_id(agent))
}

/// The configured main key, lower-cased, or `main` when it is blank.
#[must_use]
pub fn normalise_main_key(key: &str) -> String {
    let key = join_parts(&key.trim().to_lowercase());
    if key.is_empty() { MAIN.to_owned() } else { key }
}

/// Makes any text a valid agent id: `[a-z0-9][a-z0-9_-]{0,63}`. Other characters collapse to `-`, and a text with
/// nothing usable in it becomes `main`.
#[must_use]
pub fn normalise_agent_id(id: &str) -> String {
    let mut out = String::with_capacity(id.len().min(AGENT_ID_MAX));
    let mut in_run = false;
    for c in id.trim().to_lowercase().chars() {
        let valid = matches!(c, 'a'..='z' | '0'..='9' | '_' | '-');
        if valid {
            out.push(c);
        } else if !in_run {
            out.push('-');
        }
        in_run = !valid;
    }
    let id = out.trim_start_matches(['-', '_']).trim_end_matches('-');
    let id = cut(id, AGENT_ID_MAX);
    if id.is_empty() { MAIN.to_owned() } else { id.to_owned() }
}

/// Splits `agent:<id>:<rest>`; empty parts do not count.
fn split(key: &str) -> Option<(&str, String)> {
    let mut parts = key.split(':').filter(|part| !part.is_empty());
    if parts.next() != Some("agent") {
        return None;
    }
    let agent = parts.next()?;
    let rest = parts.collect::<Vec<_>>().join(":");
    (!rest.is_empty()).then_some((agent, rest))
}

fn join_parts(key: &str) -> String {
    key.split(':').filter(|part| !part.is_empty()).collect::<Vec<_>>().join(":")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn per_sender(key: &str) -> String {
        canonical(key, "main", "main", Scope::PerSender)
    }

    #[test]
    fn canonical_forms() {
        for (given, want) in [
            ("main", "agent:main:main"),
            (" Main ", "agent:main:main"),
            ("global", "global"),
            ("unknown", "unknown"),
            ("agent:main:main", "agent:main:main"),
            ("agent:Work:Main", "agent:work:main"),
            ("agent:work:telegram:group:-1001", "agent:work:telegram:group:-1001"),
            ("agent:my agent:x", "agent:my-agent:x"),
            ("notes", "agent:main:notes"),
            ("subagent:1", "agent:main:subagent:1"),
            ("agent:main", "agent:main:agent:main"),
            ("agent::main::x", "agent:main:x"),
            ("", ""),
            ("  ", ""),
            (":::", ""),
        ] {
            assert_eq!(per_sender(given), want, "{given:?}");
        }
    }

    #[test]
    fn a_configured_main_key_is_an_alias_like_main() {
        let key = |key| canonical(key, "Home", "work", Scope::PerSender);
        assert_eq!(key("main"), "agent:work:home");
        assert_eq!(key("HOME"), "agent:work:home");
        assert_eq!(key("agent:x:main"), "agent:x:home");
        assert_eq!(key("agent:x:home"), "agent:x:home");
        assert_eq!(key("other"), "agent:work:other");
    }

    #[test]
    fn under_global_scope_every_main_alias_is_global() {
        let key = |key| canonical(key, "home", "main", Scope::Global);
        for alias in ["main", "home", "agent:main:main", "agent:x:home", "global"] {
            assert_eq!(key(alias), "global", "{alias}");
        }
        assert_eq!(key("agent:main:dm:bob"), "agent:main:dm:bob");
        assert_eq!(main_session_key("main", "main", Scope::Global), "global");
    }

    #[test]
    fn agents_of_keys() {
        assert_eq!(agent_of("agent:Work:main").as_deref(), Some("work"));
        assert_eq!(agent_of("agent:a b:main").as_deref(), Some("a-b"));
        for none in ["main", "global", "", "agent:", "agent:x", "agents:x:y", "x:agent:y:z"] {
            assert_eq!(agent_of(none), None, "{none}");
        }
    }

    #[test]
    fn agent_ids() {
        for (given, want) in [
            ("main", "main"),
            ("Work_2", "work_2"),
            ("my  agent!", "my-agent"),
            ("--x--", "x"),
            ("_x", "x"),
            ("é", "main"),
            ("", "main"),
            ("a-é-b", "a---b"),
        ] {
            assert_eq!(normalise_agent_id(given), want, "{given:?}");
        }
        assert_eq!(normalise_agent_id(&"x".repeat(500)).len(), 64);
        let cut_at_dash = format!("{}-y", "x".repeat(63));
        assert_eq!(normalise_agent_id(&cut_at_dash), format!("{}-", "x".repeat(63)));
    }

    #[test]
    fn odd_input_is_stable_under_a_second_pass() {
        let odd = [
            "İ",
            "agent:İ:x",
            "a:\u{0}:b",
            "agent:::",
            "::agent:x:main",
            "agent: :x",
            "\u{2028}",
            "agent:-:main",
        ];
        for given in odd.iter().map(|s| (*s).to_owned()).chain([":".repeat(10_000), "é".repeat(10_000)]) {
            for scope in [Scope::PerSender, Scope::Global] {
                let once = canonical(&given, "main", "main", scope);
                assert_eq!(canonical(&once, "main", "main", scope), once, "{given:?}");
            }
            let id = normalise_agent_id(&given);
            assert!(id.starts_with(|c: char| c.is_ascii_alphanumeric()) && id.len() <= 64);
        }
    }
}

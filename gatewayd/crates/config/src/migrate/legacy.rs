//! Finding old keys, with the texts people search for.

use serde_json::Value;

use crate::issue::Issue;

const ENDING: &str = "(auto-migrated on load).";

/// Old paths and what is said about them.
const MOVED: [(&str, &str); 26] = [
    ("whatsapp", "whatsapp config moved to channels.whatsapp"),
    ("telegram", "telegram config moved to channels.telegram"),
    ("discord", "discord config moved to channels.discord"),
    ("slack", "slack config moved to channels.slack"),
    ("signal", "signal config moved to channels.signal"),
    ("imessage", "imessage config moved to channels.imessage"),
    ("msteams", "msteams config moved to channels.msteams"),
    ("routing.allowFrom", "routing.allowFrom was removed; use channels.whatsapp.allowFrom instead"),
    ("routing.bindings", "routing.bindings was moved; use top-level bindings instead"),
    ("routing.agents", "routing.agents was moved; use agents.list instead"),
    ("routing.defaultAgentId", "routing.defaultAgentId was moved; use agents.list[].default instead"),
    ("routing.agentToAgent", "routing.agentToAgent was moved; use tools.agentToAgent instead"),
    (
        "routing.groupChat.requireMention",
        "routing.groupChat.requireMention was removed; use channels.whatsapp/telegram/imessage groups defaults \
         (e.g. channels.whatsapp.groups.\"*\".requireMention) instead",
    ),
    (
        "routing.groupChat.mentionPatterns",
        "routing.groupChat.mentionPatterns was moved; use agents.list[].groupChat.mentionPatterns or \
         messages.groupChat.mentionPatterns instead",
    ),
    ("routing.queue", "routing.queue was moved; use messages.queue instead"),
    ("routing.transcribeAudio", "routing.transcribeAudio was moved; use tools.media.audio.models instead"),
    (
        "telegram.requireMention",
        "telegram.requireMention was removed; use channels.telegram.groups.\"*\".requireMention instead",
    ),
    ("identity", "identity was moved; use agents.list[].identity instead"),
    ("agent", "agent.* was moved; use agents.defaults (and tools.* for tool/elevated/exec settings) instead"),
    ("tools.bash", "tools.bash was removed; use tools.exec instead"),
    ("agent.allowedModels", "agent.allowedModels was replaced by agents.defaults.models"),
    ("agent.modelAliases", "agent.modelAliases was replaced by agents.defaults.models.*.alias"),
    ("agent.modelFallbacks", "agent.modelFallbacks was replaced by agents.defaults.model.fallbacks"),
    (
        "agent.imageModelFallbacks",
        "agent.imageModelFallbacks was replaced by agents.defaults.imageModel.fallbacks",
    ),
    ("messages.tts.enabled", "messages.tts.enabled was replaced by messages.tts.auto"),
    ("gateway.token", "gateway.token is ignored; use gateway.auth.token instead"),
];

/// Old paths that are old only when they hold a text.
const OLD_AS_TEXT: [(&str, &str); 2] = [
    (
        "agent.model",
        "agent.model string was replaced by agents.defaults.model.primary/fallbacks and agents.defaults.models",
    ),
    (
        "agent.imageModel",
        "agent.imageModel string was replaced by agents.defaults.imageModel.primary/fallbacks",
    ),
];

/// One issue per old key in `value`.
#[must_use]
pub fn legacy_issues(value: &Value) -> Vec<Issue> {
    let at = |path: &str| path.split('.').try_fold(value, |value, name| value.get(name));
    let moved = MOVED.iter().filter(|(path, _)| at(path).is_some());
    let texts = OLD_AS_TEXT.iter().filter(|(path, _)| at(path).is_some_and(Value::is_string));
    moved.chain(texts).map(|(path, message)| Issue::new(*path, format!("{message} {ENDING}"))).collect()
}

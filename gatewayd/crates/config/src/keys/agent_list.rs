//! The agents and how each differs from the defaults.

use super::row::{
    BOOL, OBJECT, OBJECTS, POS, Part, Reload, TEXT, TEXT_OR_OBJECT, TEXTS, Type, keys, like, one,
};

const PROFILE: Type = one(&["minimal", "coding", "messaging", "full"]);

keys! {
    "agents.list": OBJECTS, "one implicit agent main", "The agents, one entry each.", reload(Reload::Hot(Part::Heartbeat));
    "agents.list[].id": TEXT, "-", "Name used in session keys and paths.", required;
    "agents.list[].default": BOOL, "first entry", "This is the agent that gets what no binding claims.";
    "agents.list[].name": TEXT, "-", "Name shown to people.";
    "agents.list[].workspace": TEXT, "defaults.workspace for the default agent, else ~/clawd-<id>", "Folder the agent works in.";
    "agents.list[].agentDir": TEXT, "<state>/agents/<id>/agent", "Folder of its credentials and model list.";
    "agents.list[].model": TEXT_OR_OBJECT, "-", "Its model.";
    "agents.list[].model.primary": TEXT, "-", "Model as `provider/model` or an alias.";
    "agents.list[].model.fallbacks": TEXTS, "-", "Models tried in order when the first one fails.";
    "agents.list[].identity": OBJECT, "-", "How the agent presents itself.";
    "agents.list[].identity.name": TEXT, "-", "Its name.";
    "agents.list[].identity.theme": TEXT, "-", "Its character in a few words.";
    "agents.list[].identity.emoji": TEXT, "-", "Its emoji.";
    "agents.list[].identity.avatar": TEXT, "-", "Its picture: a file in the workspace, an http(s) URL or a data URI.";
    "agents.list[].groupChat.mentionPatterns": TEXTS, "-", "Regular expressions that count as a mention.";
    "agents.list[].groupChat.historyLimit": POS, "50", "How many unanswered group messages are kept.";
    "agents.list[].subagents.allowAgents": TEXTS, "-", "Agents it may start; `*` for all.";
    "agents.list[].subagents.model": TEXT_OR_OBJECT, "-", "Model of the agents it starts.";
    "agents.list[].subagents.model.primary": TEXT, "-", "Model as `provider/model` or an alias.";
    "agents.list[].subagents.model.fallbacks": TEXTS, "-", "Models tried in order when the first one fails.";
    "agents.list[].tools.alsoAllow": TEXTS, "-", "Tools allowed beside the profile.";
    "agents.list[].memorySearch": like("agents.defaults.memorySearch"), "inherited", "Search in its notes.";
    "agents.list[].humanDelay": like("agents.defaults.humanDelay"), "inherited", "Its pauses between blocks.";
    "agents.list[].heartbeat": like("agents.defaults.heartbeat"), "inherited", "Its heartbeats; once one agent has this block, only agents with it have heartbeats.";
    "agents.list[].sandbox": like("agents.defaults.sandbox"), "inherited", "Its container.";
    "agents.list[].tools.profile": PROFILE, "inherited", "Its basic set of tools.";
    "agents.list[].tools.allow": TEXTS, "inherited", "Tools it may use; all others it may not.";
    "agents.list[].tools.deny": TEXTS, "inherited", "Tools it may never use.";
    "agents.list[].tools.byProvider": like("tools.byProvider"), "inherited", "Its rules per model or provider.";
    "agents.list[].tools.elevated": like("tools.elevated"), "inherited", "Its commands outside the sandbox; it can only narrow.";
    "agents.list[].tools.exec": like("tools.exec"), "inherited", "How it runs commands.";
    "agents.list[].tools.sandbox": like("tools.sandbox"), "inherited", "Its tools inside the sandbox.";
}

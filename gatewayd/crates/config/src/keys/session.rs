//! How chats become sessions.

use super::row::{OBJECT, OBJECT_MAP, OBJECTS, POS, TEXT, TEXTS, Type, int, keys, one};

const RESET_MODE: Type = one(&["daily", "idle"]);
const VERDICT: Type = one(&["allow", "deny"]);
const CHAT_TYPE: Type = one(&["direct", "group", "channel"]);

keys! {
    "session": OBJECT, "-", "How chats become sessions.";
    "session.scope": one(&["per-sender", "global"]), "\"per-sender\"", "One session per sender, or one for all.";
    "session.dmScope": one(&["main", "per-peer", "per-channel-peer", "per-account-channel-peer"]), "\"main\"", "Whether direct chats share the main session.";
    "session.identityLinks": Type::Map(&TEXTS), "-", "Person names and the channel ids that belong to them.";
    "session.resetTriggers": TEXTS, "[\"/new\", \"/reset\"]", "Words that start a new session.";
    "session.idleMinutes": POS, "-", "Older form of `session.reset.idleMinutes`.";
    "session.reset": OBJECT, "-", "When a session starts anew.";
    "session.reset.mode": RESET_MODE, "daily (idle when only idleMinutes is set)", "New session every day at an hour, or after idle time.";
    "session.reset.atHour": int(0.0, 23.0), "4", "Hour of the daily reset, local time.";
    "session.reset.idleMinutes": POS, "60 in idle mode", "Idle time before a new session, in minutes.";
    "session.resetByType": OBJECT, "-", "Reset rules per kind of chat.";
    "session.resetByType.dm.mode": RESET_MODE, "-", "New session every day at an hour, or after idle time.";
    "session.resetByType.dm.atHour": int(0.0, 23.0), "-", "Hour of the daily reset, local time.";
    "session.resetByType.dm.idleMinutes": POS, "-", "Idle time before a new session, in minutes.";
    "session.resetByType.group.mode": RESET_MODE, "-", "New session every day at an hour, or after idle time.";
    "session.resetByType.group.atHour": int(0.0, 23.0), "-", "Hour of the daily reset, local time.";
    "session.resetByType.group.idleMinutes": POS, "-", "Idle time before a new session, in minutes.";
    "session.resetByType.thread.mode": RESET_MODE, "-", "New session every day at an hour, or after idle time.";
    "session.resetByType.thread.atHour": int(0.0, 23.0), "-", "Hour of the daily reset, local time.";
    "session.resetByType.thread.idleMinutes": POS, "-", "Idle time before a new session, in minutes.";
    "session.resetByChannel": OBJECT_MAP, "-", "Reset rules per channel.";
    "session.resetByChannel.<key>.mode": RESET_MODE, "-", "New session every day at an hour, or after idle time.";
    "session.resetByChannel.<key>.atHour": int(0.0, 23.0), "-", "Hour of the daily reset, local time.";
    "session.resetByChannel.<key>.idleMinutes": POS, "-", "Idle time before a new session, in minutes.";
    "session.store": TEXT, "<state>/agents/{agentId}/sessions/sessions.json", "Path of the original's session list; `{agentId}` is filled in.";
    "session.typingIntervalSeconds": POS, "6", "How often the typing sign is renewed, in seconds.";
    "session.typingMode": one(&["never", "instant", "thinking", "message"]), "instant for direct chats and mentions, message for unmentioned groups", "When the typing sign is shown.";
    "session.mainKey": TEXT, "\"main\"", "Name of the main session; kept for old files and always `main`.";
    "session.sendPolicy.default": VERDICT, "\"allow\"", "Whether the assistant may send when no rule says otherwise.";
    "session.sendPolicy.rules": OBJECTS, "-", "Rules for sending, first match wins.";
    "session.sendPolicy.rules[].action": VERDICT, "-", "What the rule says.", required;
    "session.sendPolicy.rules[].match.channel": TEXT, "-", "Channel the rule is about.";
    "session.sendPolicy.rules[].match.chatType": CHAT_TYPE, "-", "Kind of chat the rule is about.";
    "session.sendPolicy.rules[].match.keyPrefix": TEXT, "-", "Start of the session keys the rule is about.";
    "session.agentToAgent.maxPingPongTurns": int(0.0, 5.0), "5", "How often two agents may answer each other.";
}

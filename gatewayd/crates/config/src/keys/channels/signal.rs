//! Signal.

use super::{CHUNK_MODE, DM_POLICY, GROUP_POLICY};
use crate::keys::row::{
    ANY_MAP, BOOL, IDS, NAT, OBJECT, OBJECT_MAP, POS, Part, Reload, TEXT, TEXTS, Type, int, keys, like, one,
};

keys! {
    "channels.signal": OBJECT, "-", "Signal.", reload(Reload::Hot(Part::Channel));
    "channels.signal.name": TEXT, "-", "Name shown to people.";
    "channels.signal.capabilities": TEXTS, "-", "Abilities to switch on.";
    "channels.signal.markdown": like("channels.telegram.markdown"), "-", "How Markdown is turned into what the channel shows.";
    "channels.signal.enabled": BOOL, "-", "Use it.";
    "channels.signal.configWrites": BOOL, "-", "Let the channel write to this file, for instance when a group moves.";
    "channels.signal.account": TEXT, "-", "Phone number of the account.";
    "channels.signal.httpUrl": TEXT, "-", "Address of a running signal-cli.";
    "channels.signal.httpHost": TEXT, "-", "Address signal-cli listens on.";
    "channels.signal.httpPort": POS, "-", "Port signal-cli listens on.";
    "channels.signal.cliPath": TEXT, "-", "Program that talks to the service.";
    "channels.signal.autoStart": BOOL, "-", "Start that program.";
    "channels.signal.startupTimeoutMs": int(1000.0, 120000.0), "-", "How long it may take to start, in milliseconds.";
    "channels.signal.receiveMode": one(&["on-start", "manual"]), "-", "When messages are fetched.";
    "channels.signal.ignoreAttachments": BOOL, "-", "Do not fetch attachments.";
    "channels.signal.ignoreStories": BOOL, "-", "Do not fetch stories.";
    "channels.signal.sendReadReceipts": BOOL, "-", "Tell senders that their message was read.";
    "channels.signal.dmPolicy": DM_POLICY, "\"pairing\"", "Who may write in direct chats.";
    "channels.signal.allowFrom": IDS, "-", "Senders that are allowed; `*` for all.";
    "channels.signal.groupAllowFrom": IDS, "-", "Senders that are allowed in groups.";
    "channels.signal.groupPolicy": GROUP_POLICY, "\"allowlist\"", "Which groups are answered.";
    "channels.signal.historyLimit": NAT, "-", "How many unanswered group messages are kept.";
    "channels.signal.dmHistoryLimit": NAT, "-", "How many earlier turns of a direct chat are kept.";
    "channels.signal.dms": Type::Map(&ANY_MAP), "-", "Settings per direct chat.";
    "channels.signal.textChunkLimit": POS, "-", "Longest message, in characters.";
    "channels.signal.chunkMode": CHUNK_MODE, "-", "Cut long answers by length or at line ends.";
    "channels.signal.blockStreaming": BOOL, "-", "Send finished paragraphs before the whole answer is ready.";
    "channels.signal.blockStreamingCoalesce": like("agents.defaults.blockStreamingCoalesce"), "-", "Joining small blocks.";
    "channels.signal.mediaMaxMb": POS, "-", "Largest attachment, in megabytes.";
    "channels.signal.reactionNotifications": one(&["off", "own", "all", "allowlist"]), "-", "Which reactions the assistant hears of.";
    "channels.signal.reactionAllowlist": IDS, "-", "Whose reactions the assistant hears of.";
    "channels.signal.actions": OBJECT, "-", "What the assistant may do here.";
    "channels.signal.actions.reactions": BOOL, "-", "Allow: reactions.";
    "channels.signal.reactionLevel": one(&["off", "ack", "minimal", "extensive"]), "-", "How freely the assistant reacts.";
    "channels.signal.heartbeat": like("channels.defaults.heartbeat"), "-", "What heartbeats show here.";
    "channels.signal.accounts": OBJECT_MAP, "-", "Several accounts, each with the same settings again.";
    "channels.signal.accounts.<key>": like("channels.signal"), "-", "An account.";
}

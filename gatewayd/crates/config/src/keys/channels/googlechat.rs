//! Google Chat.

use super::{CHUNK_MODE, DM_POLICY, GROUP_POLICY, REPLY_TO};
use crate::keys::row::{
    ANY_MAP, BOOL, IDS, NAT, OBJECT, OBJECT_MAP, POS, POS_NUMBER, Part, Reload, TEXT, TEXTS, Type, keys,
    like, one,
};

keys! {
    "channels.googlechat": OBJECT, "-", "Google Chat.", reload(Reload::Hot(Part::Channel));
    "channels.googlechat.name": TEXT, "-", "Name shown to people.";
    "channels.googlechat.capabilities": TEXTS, "-", "Abilities to switch on.";
    "channels.googlechat.enabled": BOOL, "-", "Use it.";
    "channels.googlechat.configWrites": BOOL, "-", "Let the channel write to this file, for instance when a group moves.";
    "channels.googlechat.allowBots": BOOL, "-", "Answer other bots.";
    "channels.googlechat.requireMention": BOOL, "-", "Answer in groups only when mentioned.";
    "channels.googlechat.groupPolicy": GROUP_POLICY, "\"allowlist\"", "Which groups are answered.";
    "channels.googlechat.groupAllowFrom": IDS, "-", "Senders that are allowed in groups.";
    "channels.googlechat.groups": Type::Map(&ANY_MAP), "-", "Settings per group; when not empty, other groups are not answered.";
    "channels.googlechat.serviceAccount": Type::OneOf(&[TEXT, ANY_MAP]), "-", "Service account, as JSON text or object.", secret;
    "channels.googlechat.serviceAccountFile": TEXT, "-", "File of the service account.";
    "channels.googlechat.audienceType": one(&["app-url", "project-number"]), "-", "How the caller proves itself.";
    "channels.googlechat.audience": TEXT, "-", "Value the proof must name.";
    "channels.googlechat.webhookPath": TEXT, "-", "Path under which updates arrive.";
    "channels.googlechat.webhookUrl": TEXT, "-", "Public address for updates; without it they are fetched.";
    "channels.googlechat.botUser": TEXT, "-", "User name of the bot.";
    "channels.googlechat.historyLimit": NAT, "-", "How many unanswered group messages are kept.";
    "channels.googlechat.dmHistoryLimit": NAT, "-", "How many earlier turns of a direct chat are kept.";
    "channels.googlechat.dms": Type::Map(&ANY_MAP), "-", "Settings per direct chat.";
    "channels.googlechat.textChunkLimit": POS, "-", "Longest message, in characters.";
    "channels.googlechat.chunkMode": CHUNK_MODE, "-", "Cut long answers by length or at line ends.";
    "channels.googlechat.blockStreaming": BOOL, "-", "Send finished paragraphs before the whole answer is ready.";
    "channels.googlechat.blockStreamingCoalesce": like("agents.defaults.blockStreamingCoalesce"), "-", "Joining small blocks.";
    "channels.googlechat.mediaMaxMb": POS_NUMBER, "-", "Largest attachment, in megabytes.";
    "channels.googlechat.replyToMode": REPLY_TO, "-", "Which answers quote the message they answer.";
    "channels.googlechat.actions": OBJECT, "-", "What the assistant may do here.";
    "channels.googlechat.actions.reactions": BOOL, "-", "Allow: reactions.";
    "channels.googlechat.dm": OBJECT, "-", "Direct chats.";
    "channels.googlechat.dm.allowFrom": IDS, "-", "Senders that are allowed; `*` for all.";
    "channels.googlechat.dm.enabled": BOOL, "-", "Take direct chats.";
    "channels.googlechat.dm.policy": DM_POLICY, "-", "Who may write in direct chats.";
    "channels.googlechat.typingIndicator": one(&["none", "message", "reaction"]), "-", "How typing is shown.";
    "channels.googlechat.accounts": OBJECT_MAP, "-", "Several accounts, each with the same settings again.";
    "channels.googlechat.accounts.<key>": like("channels.googlechat"), "-", "An account.";
    "channels.googlechat.defaultAccount": TEXT, "-", "Account used when none is named.";
}

//! iMessage.

use super::{CHUNK_MODE, DM_POLICY, GROUP_POLICY};
use crate::keys::row::{
    ANY_MAP, BOOL, IDS, NAT, OBJECT, OBJECT_MAP, POS, Part, Reload, TEXT, TEXTS, Type, keys, like, one,
};

keys! {
    "channels.imessage": OBJECT, "-", "iMessage.", reload(Reload::Hot(Part::Channel));
    "channels.imessage.name": TEXT, "-", "Name shown to people.";
    "channels.imessage.capabilities": TEXTS, "-", "Abilities to switch on.";
    "channels.imessage.markdown": like("channels.telegram.markdown"), "-", "How Markdown is turned into what the channel shows.";
    "channels.imessage.enabled": BOOL, "-", "Use it.";
    "channels.imessage.configWrites": BOOL, "-", "Let the channel write to this file, for instance when a group moves.";
    "channels.imessage.cliPath": TEXT, "-", "Program that talks to the service.";
    "channels.imessage.dbPath": TEXT, "-", "File of the message database.";
    "channels.imessage.remoteHost": TEXT, "-", "Host to fetch attachments from.";
    "channels.imessage.service": one(&["imessage", "sms", "auto"]), "-", "Service used for sending.";
    "channels.imessage.region": TEXT, "-", "Region for phone numbers without country code.";
    "channels.imessage.dmPolicy": DM_POLICY, "\"pairing\"", "Who may write in direct chats.";
    "channels.imessage.allowFrom": IDS, "-", "Senders that are allowed; `*` for all.";
    "channels.imessage.groupAllowFrom": IDS, "-", "Senders that are allowed in groups.";
    "channels.imessage.groupPolicy": GROUP_POLICY, "\"allowlist\"", "Which groups are answered.";
    "channels.imessage.historyLimit": NAT, "-", "How many unanswered group messages are kept.";
    "channels.imessage.dmHistoryLimit": NAT, "-", "How many earlier turns of a direct chat are kept.";
    "channels.imessage.dms": Type::Map(&ANY_MAP), "-", "Settings per direct chat.";
    "channels.imessage.includeAttachments": BOOL, "-", "Take attachments.";
    "channels.imessage.mediaMaxMb": POS, "-", "Largest attachment, in megabytes.";
    "channels.imessage.textChunkLimit": POS, "-", "Longest message, in characters.";
    "channels.imessage.chunkMode": CHUNK_MODE, "-", "Cut long answers by length or at line ends.";
    "channels.imessage.blockStreaming": BOOL, "-", "Send finished paragraphs before the whole answer is ready.";
    "channels.imessage.blockStreamingCoalesce": like("agents.defaults.blockStreamingCoalesce"), "-", "Joining small blocks.";
    "channels.imessage.groups": Type::Map(&ANY_MAP), "-", "Settings per group; when not empty, other groups are not answered.";
    "channels.imessage.heartbeat": like("channels.defaults.heartbeat"), "-", "What heartbeats show here.";
    "channels.imessage.accounts": OBJECT_MAP, "-", "Several accounts, each with the same settings again.";
    "channels.imessage.accounts.<key>": like("channels.imessage"), "-", "An account.";
}

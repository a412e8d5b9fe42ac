//! WhatsApp.

use super::{CHUNK_MODE, DM_POLICY, GROUP_POLICY};
use crate::keys::row::{
    ANY, ANY_MAP, BOOL, NAT, OBJECT, OBJECT_MAP, POS, Part, Reload, TEXT, TEXTS, Type, keys, like,
};

keys! {
    "channels.whatsapp": OBJECT, "-", "WhatsApp.", reload(Reload::Hot(Part::Channel));
    "channels.whatsapp.accounts": OBJECT_MAP, "-", "Several accounts, each with the same settings again.";
    "channels.whatsapp.accounts.<key>": like("channels.whatsapp"), "-", "An account.";
    "channels.whatsapp.accounts.<key>.enabled": BOOL, "-", "Use this account.";
    "channels.whatsapp.accounts.<key>.name": TEXT, "-", "Name shown to people.";
    "channels.whatsapp.accounts.<key>.authDir": TEXT, "-", "Folder of the linked session.";
    "channels.whatsapp.capabilities": TEXTS, "-", "Abilities to switch on.";
    "channels.whatsapp.markdown": like("channels.telegram.markdown"), "-", "How Markdown is turned into what the channel shows.";
    "channels.whatsapp.configWrites": BOOL, "-", "Let the channel write to this file, for instance when a group moves.";
    "channels.whatsapp.sendReadReceipts": BOOL, "-", "Tell senders that their message was read.";
    "channels.whatsapp.dmPolicy": DM_POLICY, "\"pairing\"", "Who may write in direct chats.";
    "channels.whatsapp.messagePrefix": TEXT, "-", "Put in front of every message that arrives.";
    "channels.whatsapp.selfChatMode": BOOL, "-", "The phone is your own and you write to yourself.";
    "channels.whatsapp.allowFrom": TEXTS, "-", "Senders that are allowed; `*` for all.";
    "channels.whatsapp.groupAllowFrom": TEXTS, "-", "Senders that are allowed in groups.";
    "channels.whatsapp.groupPolicy": GROUP_POLICY, "\"allowlist\"", "Which groups are answered.";
    "channels.whatsapp.historyLimit": NAT, "-", "How many unanswered group messages are kept.";
    "channels.whatsapp.dmHistoryLimit": NAT, "-", "How many earlier turns of a direct chat are kept.";
    "channels.whatsapp.dms": Type::Map(&ANY_MAP), "-", "Settings per direct chat.";
    "channels.whatsapp.textChunkLimit": POS, "-", "Longest message, in characters.";
    "channels.whatsapp.chunkMode": CHUNK_MODE, "-", "Cut long answers by length or at line ends.";
    "channels.whatsapp.mediaMaxMb": POS, "50", "Largest attachment, in megabytes.";
    "channels.whatsapp.blockStreaming": BOOL, "-", "Send finished paragraphs before the whole answer is ready.";
    "channels.whatsapp.blockStreamingCoalesce": like("agents.defaults.blockStreamingCoalesce"), "-", "Joining small blocks.";
    "channels.whatsapp.actions": OBJECT, "-", "What the assistant may do here.";
    "channels.whatsapp.actions.polls": BOOL, "-", "Allow: polls.";
    "channels.whatsapp.actions.reactions": BOOL, "-", "Allow: reactions.";
    "channels.whatsapp.actions.sendMessage": BOOL, "-", "Allow: send message.";
    "channels.whatsapp.groups": Type::Map(&ANY_MAP), "-", "Settings per group; when not empty, other groups are not answered.";
    "channels.whatsapp.ackReaction": OBJECT, "-", "The reaction that says a message was seen.";
    "channels.whatsapp.ackReaction.direct": BOOL, "-", "In direct chats.";
    "channels.whatsapp.ackReaction.emoji": TEXT, "-", "The emoji; empty for none.";
    "channels.whatsapp.ackReaction.group": ANY, "-", "In groups: always, mentions or never.";
    "channels.whatsapp.debounceMs": NAT, "0", "Join messages that arrive within this time, in milliseconds.";
    "channels.whatsapp.heartbeat": like("channels.defaults.heartbeat"), "-", "What heartbeats show here.";
}

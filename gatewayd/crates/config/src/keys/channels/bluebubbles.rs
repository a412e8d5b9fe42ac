//! BlueBubbles.

use super::{CHUNK_MODE, DM_POLICY, GROUP_POLICY};
use crate::keys::row::{
    ANY_MAP, BOOL, IDS, NAT, OBJECT, OBJECT_MAP, POS, Part, Reload, TEXT, TEXTS, Type, keys, like,
};

keys! {
    "channels.bluebubbles": OBJECT, "-", "BlueBubbles.", reload(Reload::Hot(Part::Channel));
    "channels.bluebubbles.name": TEXT, "-", "Name shown to people.";
    "channels.bluebubbles.capabilities": TEXTS, "-", "Abilities to switch on.";
    "channels.bluebubbles.markdown": like("channels.telegram.markdown"), "-", "How Markdown is turned into what the channel shows.";
    "channels.bluebubbles.configWrites": BOOL, "-", "Let the channel write to this file, for instance when a group moves.";
    "channels.bluebubbles.enabled": BOOL, "-", "Use it.";
    "channels.bluebubbles.serverUrl": TEXT, "-", "Address of the BlueBubbles server.";
    "channels.bluebubbles.password": TEXT, "-", "Password of the server.", secret;
    "channels.bluebubbles.webhookPath": TEXT, "-", "Path under which updates arrive.";
    "channels.bluebubbles.dmPolicy": DM_POLICY, "\"pairing\"", "Who may write in direct chats.";
    "channels.bluebubbles.allowFrom": IDS, "-", "Senders that are allowed; `*` for all.";
    "channels.bluebubbles.groupAllowFrom": IDS, "-", "Senders that are allowed in groups.";
    "channels.bluebubbles.groupPolicy": GROUP_POLICY, "\"allowlist\"", "Which groups are answered.";
    "channels.bluebubbles.historyLimit": NAT, "-", "How many unanswered group messages are kept.";
    "channels.bluebubbles.dmHistoryLimit": NAT, "-", "How many earlier turns of a direct chat are kept.";
    "channels.bluebubbles.dms": Type::Map(&ANY_MAP), "-", "Settings per direct chat.";
    "channels.bluebubbles.textChunkLimit": POS, "-", "Longest message, in characters.";
    "channels.bluebubbles.chunkMode": CHUNK_MODE, "-", "Cut long answers by length or at line ends.";
    "channels.bluebubbles.mediaMaxMb": POS, "-", "Largest attachment, in megabytes.";
    "channels.bluebubbles.sendReadReceipts": BOOL, "-", "Tell senders that their message was read.";
    "channels.bluebubbles.blockStreaming": BOOL, "-", "Send finished paragraphs before the whole answer is ready.";
    "channels.bluebubbles.blockStreamingCoalesce": like("agents.defaults.blockStreamingCoalesce"), "-", "Joining small blocks.";
    "channels.bluebubbles.groups": Type::Map(&ANY_MAP), "-", "Settings per group; when not empty, other groups are not answered.";
    "channels.bluebubbles.heartbeat": like("channels.defaults.heartbeat"), "-", "What heartbeats show here.";
    "channels.bluebubbles.accounts": OBJECT_MAP, "-", "Several accounts, each with the same settings again.";
    "channels.bluebubbles.accounts.<key>": like("channels.bluebubbles"), "-", "An account.";
    "channels.bluebubbles.actions": OBJECT, "-", "What the assistant may do here.";
    "channels.bluebubbles.actions.addParticipant": BOOL, "-", "Allow: add participant.";
    "channels.bluebubbles.actions.edit": BOOL, "-", "Allow: edit.";
    "channels.bluebubbles.actions.leaveGroup": BOOL, "-", "Allow: leave group.";
    "channels.bluebubbles.actions.reactions": BOOL, "-", "Allow: reactions.";
    "channels.bluebubbles.actions.removeParticipant": BOOL, "-", "Allow: remove participant.";
    "channels.bluebubbles.actions.renameGroup": BOOL, "-", "Allow: rename group.";
    "channels.bluebubbles.actions.reply": BOOL, "-", "Allow: reply.";
    "channels.bluebubbles.actions.sendAttachment": BOOL, "-", "Allow: send attachment.";
    "channels.bluebubbles.actions.sendWithEffect": BOOL, "-", "Allow: send with effect.";
    "channels.bluebubbles.actions.setGroupIcon": BOOL, "-", "Allow: set group icon.";
    "channels.bluebubbles.actions.unsend": BOOL, "-", "Allow: unsend.";
}

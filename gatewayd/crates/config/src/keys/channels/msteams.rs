//! Microsoft Teams.

use super::{CHUNK_MODE, DM_POLICY, GROUP_POLICY};
use crate::keys::row::{
    ANY_MAP, BOOL, NAT, OBJECT, POS, POS_NUMBER, Part, Reload, TEXT, TEXTS, Type, keys, like, one,
};

keys! {
    "channels.msteams": OBJECT, "-", "Microsoft Teams.", reload(Reload::Hot(Part::Channel));
    "channels.msteams.enabled": BOOL, "-", "Use it.";
    "channels.msteams.capabilities": TEXTS, "-", "Abilities to switch on.";
    "channels.msteams.markdown": like("channels.telegram.markdown"), "-", "How Markdown is turned into what the channel shows.";
    "channels.msteams.configWrites": BOOL, "-", "Let the channel write to this file, for instance when a group moves.";
    "channels.msteams.appId": TEXT, "-", "Id of the app.";
    "channels.msteams.appPassword": TEXT, "-", "Secret of the app.", secret;
    "channels.msteams.tenantId": TEXT, "-", "Id of the tenant.";
    "channels.msteams.webhook": OBJECT, "-", "Where events arrive.";
    "channels.msteams.webhook.path": TEXT, "-", "Path.";
    "channels.msteams.webhook.port": POS, "-", "Port.";
    "channels.msteams.dmPolicy": DM_POLICY, "\"pairing\"", "Who may write in direct chats.";
    "channels.msteams.allowFrom": TEXTS, "-", "Senders that are allowed; `*` for all.";
    "channels.msteams.groupAllowFrom": TEXTS, "-", "Senders that are allowed in groups.";
    "channels.msteams.groupPolicy": GROUP_POLICY, "\"allowlist\"", "Which groups are answered.";
    "channels.msteams.textChunkLimit": POS, "-", "Longest message, in characters.";
    "channels.msteams.chunkMode": CHUNK_MODE, "-", "Cut long answers by length or at line ends.";
    "channels.msteams.blockStreamingCoalesce": like("agents.defaults.blockStreamingCoalesce"), "-", "Joining small blocks.";
    "channels.msteams.mediaAllowHosts": TEXTS, "-", "Hosts attachments may come from.";
    "channels.msteams.requireMention": BOOL, "-", "Answer in groups only when mentioned.";
    "channels.msteams.historyLimit": NAT, "-", "How many unanswered group messages are kept.";
    "channels.msteams.dmHistoryLimit": NAT, "-", "How many earlier turns of a direct chat are kept.";
    "channels.msteams.dms": Type::Map(&ANY_MAP), "-", "Settings per direct chat.";
    "channels.msteams.replyStyle": one(&["thread", "top-level"]), "-", "Answer in the thread or in the channel.";
    "channels.msteams.teams": Type::Map(&ANY_MAP), "-", "Settings per team.";
    "channels.msteams.mediaMaxMb": POS_NUMBER, "-", "Largest attachment, in megabytes.";
    "channels.msteams.sharePointSiteId": TEXT, "-", "Site that takes files for groups.";
    "channels.msteams.heartbeat": like("channels.defaults.heartbeat"), "-", "What heartbeats show here.";
}

//! Discord.

use super::{CHUNK_MODE, DM_POLICY, GROUP_POLICY, REPLY_TO};
use crate::keys::row::{
    ANY_MAP, BOOL, IDS, NAT, OBJECT, OBJECT_MAP, POS, POS_NUMBER, Part, Reload, TEXT, TEXTS, Type, keys, like,
};

keys! {
    "channels.discord": OBJECT, "-", "Discord.", reload(Reload::Hot(Part::Channel));
    "channels.discord.name": TEXT, "-", "Name shown to people.";
    "channels.discord.capabilities": TEXTS, "-", "Abilities to switch on.";
    "channels.discord.markdown": like("channels.telegram.markdown"), "-", "How Markdown is turned into what the channel shows.";
    "channels.discord.enabled": BOOL, "-", "Use it.";
    "channels.discord.commands": like("channels.telegram.commands"), "-", "Commands of this channel.";
    "channels.discord.configWrites": BOOL, "-", "Let the channel write to this file, for instance when a group moves.";
    "channels.discord.token": TEXT, "-", "Token of the bot.", secret;
    "channels.discord.allowBots": BOOL, "-", "Answer other bots.";
    "channels.discord.groupPolicy": GROUP_POLICY, "\"allowlist\"", "Which groups are answered.";
    "channels.discord.historyLimit": NAT, "-", "How many unanswered group messages are kept.";
    "channels.discord.dmHistoryLimit": NAT, "-", "How many earlier turns of a direct chat are kept.";
    "channels.discord.dms": Type::Map(&ANY_MAP), "-", "Settings per direct chat.";
    "channels.discord.textChunkLimit": POS, "-", "Longest message, in characters.";
    "channels.discord.chunkMode": CHUNK_MODE, "-", "Cut long answers by length or at line ends.";
    "channels.discord.blockStreaming": BOOL, "-", "Send finished paragraphs before the whole answer is ready.";
    "channels.discord.blockStreamingCoalesce": like("agents.defaults.blockStreamingCoalesce"), "-", "Joining small blocks.";
    "channels.discord.maxLinesPerMessage": POS, "-", "Most lines of a message.";
    "channels.discord.mediaMaxMb": POS_NUMBER, "-", "Largest attachment, in megabytes.";
    "channels.discord.retry": like("channels.telegram.retry"), "-", "Repeating failed requests.";
    "channels.discord.actions": OBJECT, "-", "What the assistant may do here.";
    "channels.discord.actions.channelInfo": BOOL, "-", "Allow: channel info.";
    "channels.discord.actions.channels": BOOL, "-", "Allow: channels.";
    "channels.discord.actions.emojiUploads": BOOL, "-", "Allow: emoji uploads.";
    "channels.discord.actions.events": BOOL, "-", "Allow: events.";
    "channels.discord.actions.memberInfo": BOOL, "-", "Allow: member info.";
    "channels.discord.actions.messages": BOOL, "-", "Allow: messages.";
    "channels.discord.actions.moderation": BOOL, "-", "Allow: moderation.";
    "channels.discord.actions.permissions": BOOL, "-", "Allow: permissions.";
    "channels.discord.actions.pins": BOOL, "-", "Allow: pins.";
    "channels.discord.actions.polls": BOOL, "-", "Allow: polls.";
    "channels.discord.actions.reactions": BOOL, "-", "Allow: reactions.";
    "channels.discord.actions.roleInfo": BOOL, "-", "Allow: role info.";
    "channels.discord.actions.roles": BOOL, "-", "Allow: roles.";
    "channels.discord.actions.search": BOOL, "-", "Allow: search.";
    "channels.discord.actions.stickerUploads": BOOL, "-", "Allow: sticker uploads.";
    "channels.discord.actions.stickers": BOOL, "-", "Allow: stickers.";
    "channels.discord.actions.threads": BOOL, "-", "Allow: threads.";
    "channels.discord.actions.voiceStatus": BOOL, "-", "Allow: voice status.";
    "channels.discord.replyToMode": REPLY_TO, "-", "Which answers quote the message they answer.";
    "channels.discord.dm": OBJECT, "-", "Direct chats.";
    "channels.discord.dm.allowFrom": IDS, "-", "Senders that are allowed; `*` for all.";
    "channels.discord.dm.enabled": BOOL, "-", "Take direct chats.";
    "channels.discord.dm.groupChannels": IDS, "-", "Which of them.";
    "channels.discord.dm.groupEnabled": BOOL, "-", "Take group chats without a server.";
    "channels.discord.dm.policy": DM_POLICY, "-", "Who may write in direct chats.";
    "channels.discord.guilds": Type::Map(&ANY_MAP), "-", "Settings per server; when not empty, other servers are not answered.";
    "channels.discord.heartbeat": like("channels.defaults.heartbeat"), "-", "What heartbeats show here.";
    "channels.discord.execApprovals": OBJECT, "-", "Asking for approval of commands here.";
    "channels.discord.execApprovals.agentFilter": TEXTS, "-", "Only for these agents.";
    "channels.discord.execApprovals.approvers": IDS, "-", "Who may approve.";
    "channels.discord.execApprovals.enabled": BOOL, "-", "Ask here.";
    "channels.discord.execApprovals.sessionFilter": TEXTS, "-", "Only for sessions whose key contains or matches one of these.";
    "channels.discord.accounts": OBJECT_MAP, "-", "Several accounts, each with the same settings again.";
    "channels.discord.accounts.<key>": like("channels.discord"), "-", "An account.";
    "channels.discord.intents": OBJECT, "-", "What the bot is told about.";
    "channels.discord.intents.presence": BOOL, "-", "Who is online.";
    "channels.discord.intents.guildMembers": BOOL, "-", "Who joins and leaves.";
}

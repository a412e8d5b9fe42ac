//! Slack.

use super::{CHUNK_MODE, DM_POLICY, GROUP_POLICY, REPLY_TO};
use crate::keys::row::{
    ANY_MAP, BOOL, IDS, NAT, OBJECT, OBJECT_MAP, POS, POS_NUMBER, Part, Reload, TEXT, TEXTS, Type, keys,
    like, one,
};

keys! {
    "channels.slack": OBJECT, "-", "Slack.", reload(Reload::Hot(Part::Channel));
    "channels.slack.name": TEXT, "-", "Name shown to people.";
    "channels.slack.mode": one(&["socket", "http"]), "\"socket\"", "How events arrive.";
    "channels.slack.signingSecret": TEXT, "-", "Secret that signs events.", secret;
    "channels.slack.webhookPath": TEXT, "\"/slack/events\"", "Path under which updates arrive.";
    "channels.slack.capabilities": TEXTS, "-", "Abilities to switch on.";
    "channels.slack.markdown": like("channels.telegram.markdown"), "-", "How Markdown is turned into what the channel shows.";
    "channels.slack.enabled": BOOL, "-", "Use it.";
    "channels.slack.commands": like("channels.telegram.commands"), "-", "Commands of this channel.";
    "channels.slack.configWrites": BOOL, "-", "Let the channel write to this file, for instance when a group moves.";
    "channels.slack.botToken": TEXT, "-", "Token of the bot.", secret;
    "channels.slack.appToken": TEXT, "-", "Token of the app, for socket mode.", secret;
    "channels.slack.userToken": TEXT, "-", "Token of a user, for reading more.", secret;
    "channels.slack.userTokenReadOnly": BOOL, "true", "Use the user token for reading only.";
    "channels.slack.allowBots": BOOL, "-", "Answer other bots.";
    "channels.slack.requireMention": BOOL, "-", "Answer in groups only when mentioned.";
    "channels.slack.groupPolicy": GROUP_POLICY, "\"allowlist\"", "Which groups are answered.";
    "channels.slack.historyLimit": NAT, "-", "How many unanswered group messages are kept.";
    "channels.slack.dmHistoryLimit": NAT, "-", "How many earlier turns of a direct chat are kept.";
    "channels.slack.dms": Type::Map(&ANY_MAP), "-", "Settings per direct chat.";
    "channels.slack.textChunkLimit": POS, "-", "Longest message, in characters.";
    "channels.slack.chunkMode": CHUNK_MODE, "-", "Cut long answers by length or at line ends.";
    "channels.slack.blockStreaming": BOOL, "-", "Send finished paragraphs before the whole answer is ready.";
    "channels.slack.blockStreamingCoalesce": like("agents.defaults.blockStreamingCoalesce"), "-", "Joining small blocks.";
    "channels.slack.mediaMaxMb": POS_NUMBER, "-", "Largest attachment, in megabytes.";
    "channels.slack.reactionNotifications": one(&["off", "own", "all", "allowlist"]), "-", "Which reactions the assistant hears of.";
    "channels.slack.reactionAllowlist": IDS, "-", "Whose reactions the assistant hears of.";
    "channels.slack.replyToMode": REPLY_TO, "-", "Which answers quote the message they answer.";
    "channels.slack.replyToModeByChatType": OBJECT, "-", "The same per kind of chat.";
    "channels.slack.replyToModeByChatType.channel": REPLY_TO, "-", "In chats of this kind.";
    "channels.slack.replyToModeByChatType.direct": REPLY_TO, "-", "In chats of this kind.";
    "channels.slack.replyToModeByChatType.group": REPLY_TO, "-", "In chats of this kind.";
    "channels.slack.thread": OBJECT, "-", "Threads.";
    "channels.slack.thread.historyScope": one(&["thread", "channel"]), "-", "Whose history a thread gets.";
    "channels.slack.thread.inheritParent": BOOL, "-", "A thread starts with the history of its channel.";
    "channels.slack.actions": OBJECT, "-", "What the assistant may do here.";
    "channels.slack.actions.channelInfo": BOOL, "-", "Allow: channel info.";
    "channels.slack.actions.emojiList": BOOL, "-", "Allow: emoji list.";
    "channels.slack.actions.memberInfo": BOOL, "-", "Allow: member info.";
    "channels.slack.actions.messages": BOOL, "-", "Allow: messages.";
    "channels.slack.actions.permissions": BOOL, "-", "Allow: permissions.";
    "channels.slack.actions.pins": BOOL, "-", "Allow: pins.";
    "channels.slack.actions.reactions": BOOL, "-", "Allow: reactions.";
    "channels.slack.actions.search": BOOL, "-", "Allow: search.";
    "channels.slack.slashCommand": OBJECT, "-", "The slash command.";
    "channels.slack.slashCommand.enabled": BOOL, "-", "Offer it.";
    "channels.slack.slashCommand.ephemeral": BOOL, "-", "Show the answer to the caller only.";
    "channels.slack.slashCommand.name": TEXT, "-", "Its name.";
    "channels.slack.slashCommand.sessionPrefix": TEXT, "-", "Start of its session keys.";
    "channels.slack.dm": OBJECT, "-", "Direct chats.";
    "channels.slack.dm.allowFrom": IDS, "-", "Senders that are allowed; `*` for all.";
    "channels.slack.dm.enabled": BOOL, "-", "Take direct chats.";
    "channels.slack.dm.groupChannels": IDS, "-", "Which of them.";
    "channels.slack.dm.groupEnabled": BOOL, "-", "Take group chats without a server.";
    "channels.slack.dm.policy": DM_POLICY, "-", "Who may write in direct chats.";
    "channels.slack.dm.replyToMode": REPLY_TO, "-", "Which answers quote the message they answer.";
    "channels.slack.channels": Type::Map(&ANY_MAP), "-", "Settings per channel; when not empty, other channels are not answered.";
    "channels.slack.heartbeat": like("channels.defaults.heartbeat"), "-", "What heartbeats show here.";
    "channels.slack.accounts": OBJECT_MAP, "-", "Several accounts, each with the same settings again.";
    "channels.slack.accounts.<key>": like("channels.slack"), "-", "An account.";
}

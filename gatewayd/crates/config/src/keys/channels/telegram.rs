//! Telegram.

use super::{CHUNK_MODE, DM_POLICY, GROUP_POLICY, REPLY_TO};
use crate::keys::row::{
    ANY_MAP, BOOL, BOOL_OR_AUTO, IDS, NAT, OBJECT, OBJECT_MAP, POS, POS_NUMBER, Part, RATIO, Reload, TEXT,
    TEXTS, Type, keys, like, one,
};

keys! {
    "channels.telegram": OBJECT, "-", "Telegram.", reload(Reload::Hot(Part::Channel));
    "channels.telegram.name": TEXT, "-", "Name shown to people.";
    "channels.telegram.capabilities": Type::OneOf(&[TEXTS, ANY_MAP]), "-", "Abilities to switch on.";
    "channels.telegram.markdown": OBJECT, "-", "How Markdown is turned into what the channel shows.";
    "channels.telegram.markdown.tables": one(&["off", "bullets", "code"]), "-", "How tables are shown.";
    "channels.telegram.enabled": BOOL, "-", "Use it.";
    "channels.telegram.commands": OBJECT, "-", "Commands of this channel.";
    "channels.telegram.commands.native": BOOL_OR_AUTO, "-", "Register commands with the channel.";
    "channels.telegram.commands.nativeSkills": BOOL_OR_AUTO, "-", "Register skills as commands too.";
    "channels.telegram.customCommands": Type::List(&ANY_MAP), "-", "More entries of the command menu.";
    "channels.telegram.configWrites": BOOL, "-", "Let the channel write to this file, for instance when a group moves.";
    "channels.telegram.dmPolicy": DM_POLICY, "\"pairing\"", "Who may write in direct chats.";
    "channels.telegram.botToken": TEXT, "-", "Token of the bot.", secret;
    "channels.telegram.tokenFile": TEXT, "-", "File that holds the token.";
    "channels.telegram.replyToMode": REPLY_TO, "-", "Which answers quote the message they answer.";
    "channels.telegram.groups": Type::Map(&ANY_MAP), "-", "Settings per group; when not empty, other groups are not answered.";
    "channels.telegram.allowFrom": IDS, "-", "Senders that are allowed; `*` for all.";
    "channels.telegram.groupAllowFrom": IDS, "-", "Senders that are allowed in groups.";
    "channels.telegram.groupPolicy": GROUP_POLICY, "\"allowlist\"", "Which groups are answered.";
    "channels.telegram.historyLimit": NAT, "-", "How many unanswered group messages are kept.";
    "channels.telegram.dmHistoryLimit": NAT, "-", "How many earlier turns of a direct chat are kept.";
    "channels.telegram.dms": Type::Map(&ANY_MAP), "-", "Settings per direct chat.";
    "channels.telegram.textChunkLimit": POS, "-", "Longest message, in characters.";
    "channels.telegram.chunkMode": CHUNK_MODE, "-", "Cut long answers by length or at line ends.";
    "channels.telegram.blockStreaming": BOOL, "-", "Send finished paragraphs before the whole answer is ready.";
    "channels.telegram.draftChunk": like("agents.defaults.blockStreamingChunk"), "-", "Size of the pieces of a draft.";
    "channels.telegram.blockStreamingCoalesce": like("agents.defaults.blockStreamingCoalesce"), "-", "Joining small blocks.";
    "channels.telegram.streamMode": one(&["off", "partial", "block"]), "\"partial\"", "How an answer grows on the screen.";
    "channels.telegram.mediaMaxMb": POS_NUMBER, "-", "Largest attachment, in megabytes.";
    "channels.telegram.timeoutSeconds": POS, "-", "Time limit of a request, in seconds.";
    "channels.telegram.retry": OBJECT, "-", "Repeating failed requests.";
    "channels.telegram.retry.attempts": POS, "-", "How often.";
    "channels.telegram.retry.jitter": RATIO, "-", "Random part of the pause.";
    "channels.telegram.retry.maxDelayMs": NAT, "-", "Longest pause, in milliseconds.";
    "channels.telegram.retry.minDelayMs": NAT, "-", "Shortest pause, in milliseconds.";
    "channels.telegram.proxy": TEXT, "-", "Proxy for requests.";
    "channels.telegram.webhookUrl": TEXT, "-", "Public address for updates; without it they are fetched.";
    "channels.telegram.webhookSecret": TEXT, "-", "Secret that updates must carry.", secret;
    "channels.telegram.webhookPath": TEXT, "-", "Path under which updates arrive.";
    "channels.telegram.actions": OBJECT, "-", "What the assistant may do here.";
    "channels.telegram.actions.deleteMessage": BOOL, "-", "Allow: delete message.";
    "channels.telegram.actions.reactions": BOOL, "-", "Allow: reactions.";
    "channels.telegram.actions.sendMessage": BOOL, "-", "Allow: send message.";
    "channels.telegram.reactionNotifications": one(&["off", "own", "all"]), "-", "Which reactions the assistant hears of.";
    "channels.telegram.reactionLevel": one(&["off", "ack", "minimal", "extensive"]), "-", "How freely the assistant reacts.";
    "channels.telegram.heartbeat": like("channels.defaults.heartbeat"), "-", "What heartbeats show here.";
    "channels.telegram.linkPreview": BOOL, "-", "Show previews of links.";
    "channels.telegram.accounts": OBJECT_MAP, "-", "Several accounts, each with the same settings again.";
    "channels.telegram.accounts.<key>": like("channels.telegram"), "-", "An account.";
    "channels.telegram.network": OBJECT, "-", "Connection details.";
    "channels.telegram.network.autoSelectFamily": BOOL, "-", "Try IPv4 and IPv6 side by side.";
}

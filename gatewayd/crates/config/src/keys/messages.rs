//! Messages in and out: queues, speech, bindings, attachments, looks of the apps.

use super::row::{
    BOOL, COLOR, NAT, OBJECT, OBJECTS, POS, RATIO, TEXT, TEXT_MAP, TEXTS, Type, int, keys, number, one,
    short_text,
};

const QUEUE_MODE: Type =
    one(&["steer", "followup", "collect", "steer-backlog", "steer+backlog", "queue", "interrupt"]);

keys! {
    "ui": OBJECT, "-", "Looks of the apps.";
    "ui.seamColor": COLOR, "-", "Accent colour, six hexadecimal digits.";
    "ui.assistant.name": short_text(50), "-", "Name of the assistant in the apps.";
    "ui.assistant.avatar": short_text(200), "-", "Picture of the assistant: emoji, text, path or URL.";
    "messages": OBJECT, "-", "How messages are taken and sent.";
    "messages.messagePrefix": TEXT, "-", "Put in front of every message that arrives.";
    "messages.responsePrefix": TEXT, "-", "Put in front of every answer.";
    "messages.groupChat.mentionPatterns": TEXTS, "-", "Regular expressions that count as a mention.";
    "messages.groupChat.historyLimit": POS, "50", "How many unanswered group messages are kept.";
    "messages.queue.mode": QUEUE_MODE, "\"collect\"", "What happens to messages that arrive during a turn.";
    "messages.queue.byChannel": OBJECT, "-", "The same per channel.";
    "messages.queue.byChannel.whatsapp": QUEUE_MODE, "-", "What happens to messages of this channel that arrive during a turn.";
    "messages.queue.byChannel.telegram": QUEUE_MODE, "-", "What happens to messages of this channel that arrive during a turn.";
    "messages.queue.byChannel.discord": QUEUE_MODE, "-", "What happens to messages of this channel that arrive during a turn.";
    "messages.queue.byChannel.slack": QUEUE_MODE, "-", "What happens to messages of this channel that arrive during a turn.";
    "messages.queue.byChannel.mattermost": QUEUE_MODE, "-", "What happens to messages of this channel that arrive during a turn.";
    "messages.queue.byChannel.signal": QUEUE_MODE, "-", "What happens to messages of this channel that arrive during a turn.";
    "messages.queue.byChannel.imessage": QUEUE_MODE, "-", "What happens to messages of this channel that arrive during a turn.";
    "messages.queue.byChannel.msteams": QUEUE_MODE, "-", "What happens to messages of this channel that arrive during a turn.";
    "messages.queue.byChannel.webchat": QUEUE_MODE, "-", "What happens to messages of this channel that arrive during a turn.";
    "messages.queue.debounceMs": NAT, "1000", "Quiet time before waiting messages are taken, in milliseconds.";
    "messages.queue.debounceMsByChannel": Type::Map(&NAT), "-", "The same per channel.";
    "messages.queue.cap": POS, "20", "How many messages wait.";
    "messages.queue.drop": one(&["old", "new", "summarize"]), "\"summarize\"", "What happens to those beyond.";
    "messages.inbound.debounceMs": NAT, "0", "Join messages that arrive within this time, in milliseconds.";
    "messages.inbound.byChannel": Type::Map(&NAT), "-", "The same per channel.";
    "messages.ackReaction": TEXT, "identity emoji, else 👀", "Emoji that says a message was seen; empty for none.";
    "messages.ackReactionScope": one(&["group-mentions", "group-all", "direct", "all"]), "\"group-mentions\"", "Which messages get it.";
    "messages.removeAckAfterReply": BOOL, "false", "Take it away after the answer.";
    "messages.tts": OBJECT, "-", "Answers as speech.";
    "messages.tts.auto": one(&["off", "always", "inbound", "tagged"]), "\"off\"", "When answers are spoken.";
    "messages.tts.enabled": BOOL, "-", "Older form of `auto`.";
    "messages.tts.mode": one(&["final", "all"]), "\"final\"", "Speak the final answer or every block.";
    "messages.tts.provider": one(&["elevenlabs", "openai", "edge"]), "-", "Who speaks.";
    "messages.tts.summaryModel": TEXT, "-", "Model that shortens long answers.";
    "messages.tts.modelOverrides.enabled": BOOL, "-", "Let the model choose how it is spoken.";
    "messages.tts.modelOverrides.allowText": BOOL, "-", "Let it choose the spoken text.";
    "messages.tts.modelOverrides.allowProvider": BOOL, "-", "Let it choose who speaks.";
    "messages.tts.modelOverrides.allowVoice": BOOL, "-", "Let it choose the voice.";
    "messages.tts.modelOverrides.allowModelId": BOOL, "-", "Let it choose the speech model.";
    "messages.tts.modelOverrides.allowVoiceSettings": BOOL, "-", "Let it choose voice settings.";
    "messages.tts.modelOverrides.allowNormalization": BOOL, "-", "Let it choose how numbers are read.";
    "messages.tts.modelOverrides.allowSeed": BOOL, "-", "Let it choose the seed.";
    "messages.tts.elevenlabs.apiKey": TEXT, "-", "Key for ElevenLabs.", secret;
    "messages.tts.elevenlabs.baseUrl": TEXT, "-", "Address of ElevenLabs.";
    "messages.tts.elevenlabs.voiceId": TEXT, "-", "Voice.";
    "messages.tts.elevenlabs.modelId": TEXT, "\"eleven_multilingual_v2\"", "Speech model.";
    "messages.tts.elevenlabs.seed": int(0.0, 4294967295.0), "-", "Seed for repeatable speech.";
    "messages.tts.elevenlabs.applyTextNormalization": one(&["auto", "on", "off"]), "-", "How numbers and the like are read.";
    "messages.tts.elevenlabs.languageCode": TEXT, "-", "Language.";
    "messages.tts.elevenlabs.voiceSettings.stability": RATIO, "-", "Evenness of the voice.";
    "messages.tts.elevenlabs.voiceSettings.similarityBoost": RATIO, "-", "Closeness to the original voice.";
    "messages.tts.elevenlabs.voiceSettings.style": RATIO, "-", "Strength of style.";
    "messages.tts.elevenlabs.voiceSettings.useSpeakerBoost": BOOL, "-", "Stay closer to the speaker.";
    "messages.tts.elevenlabs.voiceSettings.speed": number(0.5, 2.0), "-", "Speed of speech.";
    "messages.tts.openai.apiKey": TEXT, "-", "Key for OpenAI.", secret;
    "messages.tts.openai.model": TEXT, "\"gpt-4o-mini-tts\"", "Speech model.";
    "messages.tts.openai.voice": TEXT, "\"alloy\"", "Voice.";
    "messages.tts.edge.enabled": BOOL, "true", "Allow the free Edge voices.";
    "messages.tts.edge.voice": TEXT, "\"en-US-MichelleNeural\"", "Voice.";
    "messages.tts.edge.lang": TEXT, "\"en-US\"", "Language.";
    "messages.tts.edge.outputFormat": TEXT, "\"audio-24khz-48kbitrate-mono-mp3\"", "Sound format.";
    "messages.tts.edge.pitch": TEXT, "-", "Pitch.";
    "messages.tts.edge.rate": TEXT, "-", "Speed.";
    "messages.tts.edge.volume": TEXT, "-", "Volume.";
    "messages.tts.edge.saveSubtitles": BOOL, "-", "Keep subtitles beside the sound.";
    "messages.tts.edge.proxy": TEXT, "-", "Proxy.";
    "messages.tts.edge.timeoutMs": int(1000.0, 120000.0), "-", "Time limit, in milliseconds.";
    "messages.tts.prefsPath": TEXT, "-", "File of the speech preferences.";
    "messages.tts.maxTextLength": POS, "4000", "Longest text that is spoken, in characters.";
    "messages.tts.timeoutMs": int(1000.0, 120000.0), "30000", "Time limit, in milliseconds.";
    "talk": OBJECT, "-", "Talk mode of the phone and desktop apps.";
    "talk.voiceId": TEXT, "-", "Voice.";
    "talk.voiceAliases": TEXT_MAP, "-", "Short names of voices.";
    "talk.modelId": TEXT, "-", "Speech model.";
    "talk.outputFormat": TEXT, "-", "Sound format.";
    "talk.apiKey": TEXT, "-", "Key for ElevenLabs.", secret;
    "talk.interruptOnSpeech": BOOL, "-", "Stop speaking when the user speaks.";
    "bindings": OBJECTS, "-", "Which agent answers which chats, first match wins.";
    "bindings[].agentId": TEXT, "-", "The agent.", required;
    "bindings[].match.channel": TEXT, "-", "Channel.", required;
    "bindings[].match.accountId": TEXT, "-", "Account on that channel.";
    "bindings[].match.peer.kind": one(&["dm", "group", "channel"]), "-", "Kind of chat.", required;
    "bindings[].match.peer.id": TEXT, "-", "Id of the chat.", required;
    "bindings[].match.guildId": TEXT, "-", "Discord server.";
    "bindings[].match.teamId": TEXT, "-", "Team of Slack or Teams.";
    "broadcast": OBJECT, "-", "Chats that several agents answer.";
    "broadcast.strategy": one(&["parallel", "sequential"]), "\"parallel\"", "Whether they answer at once or one after another.";
    "broadcast.<key>": TEXTS, "-", "Agents that answer this chat.";
    "audio": OBJECT, "-", "Speech to text, older form.";
    "audio.transcription.command": TEXTS, "-", "Program and arguments; `{{MediaPath}}` is filled in.", required;
    "audio.transcription.timeoutSeconds": POS, "-", "Time limit, in seconds.";
    "media": OBJECT, "-", "Attachments.";
    "media.preserveFilenames": BOOL, "false", "Keep the names of attachments.";
    "bindings[].match": OBJECT, "-", "Which chats it is about.", required;
}

//! Chat networks: what all have in common here, and a file for each network.

pub(super) mod bluebubbles;
pub(super) mod discord;
pub(super) mod googlechat;
pub(super) mod imessage;
pub(super) mod msteams;
pub(super) mod plugins;
pub(super) mod signal;
pub(super) mod slack;
pub(super) mod telegram;
pub(super) mod whatsapp;

use super::row::{BOOL, OBJECT, Type, keys, one};

const DM_POLICY: Type = one(&["pairing", "allowlist", "open", "disabled"]);
const GROUP_POLICY: Type = one(&["open", "disabled", "allowlist"]);
const REPLY_TO: Type = one(&["off", "first", "all"]);
const CHUNK_MODE: Type = one(&["length", "newline"]);

keys! {
    "channels": OBJECT, "-", "Chat networks.";
    "channels.defaults": OBJECT, "-", "Fallbacks for all channels.";
    "channels.defaults.groupPolicy": GROUP_POLICY, "\"open\"", "Which groups are answered.";
    "channels.defaults.heartbeat": OBJECT, "-", "What heartbeats show.";
    "channels.defaults.heartbeat.showOk": BOOL, "false", "Send the bare acknowledgement too.";
    "channels.defaults.heartbeat.showAlerts": BOOL, "true", "Send what needs attention.";
    "channels.defaults.heartbeat.useIndicator": BOOL, "true", "Show a sign in the apps.";
}

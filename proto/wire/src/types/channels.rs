//! The state of the chat networks.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

use super::integer;

/// The parameters of `channels.status`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ChannelsStatusParams {
    /// Whether to ask the networks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probe: Option<bool>,
    /// How long to wait for each; 10000 when absent, and never less than 1000.
    #[serde(default, deserialize_with = "integer::optional", skip_serializing_if = "Option::is_none")]
    pub timeout_ms: Option<u64>,
}

/// The result of `channels.status`. Without channels every list and map is empty.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ChannelsStatusResult {
    /// When it was made.
    pub ts: u64,
    /// The channels in the order to show.
    pub channel_order: Vec<String>,
    /// Names for people.
    pub channel_labels: BTreeMap<String, String>,
    /// Longer names for people.
    pub channel_detail_labels: BTreeMap<String, String>,
    /// Names of system icons.
    pub channel_system_images: BTreeMap<String, String>,
    /// The same three, as a list.
    pub channel_meta: Vec<ChannelMeta>,
    /// Per channel a summary of its own form, with `configured`.
    pub channels: BTreeMap<String, Value>,
    /// Per channel its accounts.
    pub channel_accounts: BTreeMap<String, Vec<ChannelAccountSnapshot>>,
    /// Per channel the account that is meant when none is named.
    pub channel_default_account_id: BTreeMap<String, String>,
}

/// How to show a channel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ChannelMeta {
    /// The channel.
    pub id: String,
    /// Its name.
    pub label: String,
    /// Its longer name.
    pub detail_label: String,
    /// The name of its system icon.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system_image: Option<String>,
}

/// The state of one account. A field may be absent, `null` ("known to be none"), or set.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ChannelAccountSnapshot {
    /// The account.
    pub account_id: String,
    /// Its name for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Whether it may run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// Whether it has what it needs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub configured: Option<bool>,
    /// Whether it is linked by pairing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub linked: Option<bool>,
    /// Whether it runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub running: Option<bool>,
    /// Whether it is connected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connected: Option<bool>,
    /// How often it has tried to reconnect.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reconnect_attempts: Option<u64>,
    /// When it last connected.
    #[serde(default, deserialize_with = "nullable", skip_serializing_if = "Option::is_none")]
    pub last_connected_at: Option<Option<u64>>,
    /// How it last lost its connection.
    #[serde(default, deserialize_with = "nullable", skip_serializing_if = "Option::is_none")]
    pub last_disconnect: Option<Option<Value>>,
    /// When the last message came.
    #[serde(default, deserialize_with = "nullable", skip_serializing_if = "Option::is_none")]
    pub last_message_at: Option<Option<u64>>,
    /// When the last event came.
    #[serde(default, deserialize_with = "nullable", skip_serializing_if = "Option::is_none")]
    pub last_event_at: Option<Option<u64>>,
    /// What went wrong last.
    #[serde(default, deserialize_with = "nullable", skip_serializing_if = "Option::is_none")]
    pub last_error: Option<Option<String>>,
    /// When it was last started.
    #[serde(default, deserialize_with = "nullable", skip_serializing_if = "Option::is_none")]
    pub last_start_at: Option<Option<u64>>,
    /// When it was last stopped.
    #[serde(default, deserialize_with = "nullable", skip_serializing_if = "Option::is_none")]
    pub last_stop_at: Option<Option<u64>>,
    /// When something last came in.
    #[serde(default, deserialize_with = "nullable", skip_serializing_if = "Option::is_none")]
    pub last_inbound_at: Option<Option<u64>>,
    /// When something last went out.
    #[serde(default, deserialize_with = "nullable", skip_serializing_if = "Option::is_none")]
    pub last_outbound_at: Option<Option<u64>>,
    /// When it was last probed.
    #[serde(default, deserialize_with = "nullable", skip_serializing_if = "Option::is_none")]
    pub last_probe_at: Option<Option<u64>>,
    /// How it receives, such as `polling` or `webhook`.
    #[serde(default, deserialize_with = "nullable", skip_serializing_if = "Option::is_none")]
    pub mode: Option<Option<String>>,
    /// Who may write to it directly.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dm_policy: Option<String>,
    /// Who is on its list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allow_from: Option<Vec<String>>,
    /// Where its token comes from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_source: Option<String>,
    /// Where its bot token comes from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bot_token_source: Option<String>,
    /// Where its app token comes from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub app_token_source: Option<String>,
    /// Where its credentials come from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential_source: Option<String>,
    /// Which kind of audience its webhook expects.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audience_type: Option<String>,
    /// The audience its webhook expects.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audience: Option<String>,
    /// The path of its webhook.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub webhook_path: Option<String>,
    /// The address of its webhook.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub webhook_url: Option<String>,
    /// The address of its service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base_url: Option<String>,
    /// Whether it reads group messages that do not mention it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allow_unmentioned_groups: Option<bool>,
    /// The program it uses.
    #[serde(default, deserialize_with = "nullable", skip_serializing_if = "Option::is_none")]
    pub cli_path: Option<Option<String>>,
    /// The database it reads.
    #[serde(default, deserialize_with = "nullable", skip_serializing_if = "Option::is_none")]
    pub db_path: Option<Option<String>>,
    /// The port it listens on.
    #[serde(default, deserialize_with = "nullable", skip_serializing_if = "Option::is_none")]
    pub port: Option<Option<u64>>,
    /// What the probe found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probe: Option<Value>,
    /// What the audit found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audit: Option<Value>,
    /// The application at the network.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub application: Option<Value>,
    /// The bot at the network.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bot: Option<Value>,
    /// Whatever else the channel tells.
    #[serde(flatten)]
    pub more: Map<String, Value>,
}

/// Keeps `null` apart from absent.
fn nullable<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

//! What a device says about itself.

use serde::{Deserialize, Serialize};

/// What a device said about itself when it last connected; for people, never for decisions.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Meta {
    /// `client.displayName`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// `client.platform`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform: Option<String>,
    /// `client.id`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    /// `client.mode`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_mode: Option<String>,
    /// Its address, unless an untrusted proxy hides it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remote_ip: Option<String>,
}

impl Meta {
    /// Bytes of text in it.
    pub fn text_len(&self) -> usize {
        let texts = [&self.display_name, &self.platform, &self.client_id, &self.client_mode, &self.remote_ip];
        texts.into_iter().flatten().map(String::len).sum()
    }
}

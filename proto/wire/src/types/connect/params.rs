//! The parameters of `connect`: who the client is, what it offers and how it proves itself.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::types::integer;

/// The parameters of `connect`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ConnectParams {
    /// Lowest protocol version the client understands.
    #[serde(deserialize_with = "integer::required")]
    pub min_protocol: u64,
    /// Highest protocol version the client understands.
    #[serde(deserialize_with = "integer::required")]
    pub max_protocol: u64,
    /// Who the client is.
    pub client: Client,
    /// Capabilities of a node.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub caps: Option<Vec<String>>,
    /// Commands a node can execute.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commands: Option<Vec<String>>,
    /// Which permissions a node was granted by its operating system.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub permissions: Option<BTreeMap<String, bool>>,
    /// A node's search path.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path_env: Option<String>,
    /// `operator`, which is the default, or `node`; anything else is refused after validation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// The requested scopes. They are what a device signs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scopes: Option<Vec<String>>,
    /// The device's identity and signature.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<Device>,
    /// The secrets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth: Option<Auth>,
    /// Accepted and not used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locale: Option<String>,
    /// Accepted and not used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_agent: Option<String>,
}

impl ConnectParams {
    /// The role, with its default.
    #[must_use]
    pub fn role(&self) -> &str {
        self.role.as_deref().unwrap_or("operator")
    }

    /// The scopes as sent, empty when none were.
    #[must_use]
    pub fn requested_scopes(&self) -> &[String] {
        self.scopes.as_deref().unwrap_or_default()
    }

    /// The token as sent, if it is not empty.
    #[must_use]
    pub fn token(&self) -> Option<&str> {
        self.auth.as_ref()?.token.as_deref().filter(|token| !token.is_empty())
    }

    /// The password as sent, if it is not empty.
    #[must_use]
    pub fn password(&self) -> Option<&str> {
        self.auth.as_ref()?.password.as_deref().filter(|password| !password.is_empty())
    }
}

/// The program on the other side.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Client {
    /// Which program it is.
    pub id: ClientId,
    /// A name for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// Its version.
    pub version: String,
    /// Its operating system, as free text.
    pub platform: String,
    /// The family of the device, such as `iPhone`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device_family: Option<String>,
    /// The model of the device.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model_identifier: Option<String>,
    /// What it is used as.
    pub mode: ClientMode,
    /// The id of this installation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance_id: Option<String>,
}

impl Client {
    /// Whether it is a web chat, by its mode or its id.
    #[must_use]
    pub fn is_webchat(&self) -> bool {
        self.mode.is_webchat() || self.id.is_webchat()
    }

    /// Whether it is the Control UI.
    #[must_use]
    pub fn is_control_ui(&self) -> bool {
        self.id.is_control_ui()
    }

    /// The name to show: the display name, or else the id.
    #[must_use]
    pub fn label(&self) -> &str {
        self.display_name.as_deref().unwrap_or_else(|| self.id.as_str())
    }
}

macro_rules! names {
    ($(#[$doc:meta])* $type:ident { $($(#[$variant_doc:meta])* $variant:ident = $name:literal),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum $type {
            $($(#[$variant_doc])* #[serde(rename = $name)] $variant),*
        }

        impl $type {
            /// Every value.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The name on the wire.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $name),*
                }
            }
        }

        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

names! {
    /// The programs that may connect.
    ClientId {
        /// The web chat page.
        WebchatUi = "webchat-ui",
        /// The Control UI.
        ControlUi = "clawdbot-control-ui",
        /// Another web chat.
        Webchat = "webchat",
        /// The command line.
        Cli = "cli",
        /// A program that uses the client library.
        GatewayClient = "gateway-client",
        /// The macOS app.
        Macos = "clawdbot-macos",
        /// The iOS app.
        Ios = "clawdbot-ios",
        /// The Android app.
        Android = "clawdbot-android",
        /// The headless node.
        NodeHost = "node-host",
        /// A test.
        Test = "test",
        /// A fingerprint check.
        Fingerprint = "fingerprint",
        /// The probe of the command line.
        Probe = "clawdbot-probe",
    }
}

impl ClientId {
    /// Whether it is the Control UI.
    #[must_use]
    pub fn is_control_ui(self) -> bool {
        self == Self::ControlUi
    }

    /// Whether it is the web chat page. The id `webchat` alone does not count; its mode does.
    #[must_use]
    pub fn is_webchat(self) -> bool {
        self == Self::WebchatUi
    }
}

names! {
    /// What a client is used as.
    ClientMode {
        /// A web chat.
        Webchat = "webchat",
        /// A call of the command line.
        Cli = "cli",
        /// A user interface.
        Ui = "ui",
        /// A program without one.
        Backend = "backend",
        /// A device node.
        Node = "node",
        /// A probe.
        Probe = "probe",
        /// A test.
        Test = "test",
    }
}

impl ClientMode {
    /// Whether it is a web chat.
    #[must_use]
    pub fn is_webchat(self) -> bool {
        self == Self::Webchat
    }

    /// Whether it is a call of the command line.
    #[must_use]
    pub fn is_cli(self) -> bool {
        self == Self::Cli
    }
}

/// A device's identity and its signature over this connect.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Device {
    /// The id derived from the key.
    pub id: String,
    /// The key, as base64url of its 32 bytes or as PEM.
    pub public_key: String,
    /// The signature, as base64url.
    pub signature: String,
    /// When it was signed.
    #[serde(deserialize_with = "integer::required")]
    pub signed_at: u64,
    /// The challenge that was signed with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nonce: Option<String>,
}

/// The secrets of a connect. They do not show in debug output.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Auth {
    /// The shared token or a device token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    /// The password.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<String>,
}

impl std::fmt::Debug for Auth {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Auth")
            .field("token", &self.token.as_ref().map(|_| "***"))
            .field("password", &self.password.as_ref().map(|_| "***"))
            .finish()
    }
}

/// The payload of `connect.challenge`, sent as soon as a socket opens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConnectChallenge {
    /// Fresh for each connection.
    pub nonce: String,
    /// The server's clock.
    pub ts: u64,
}

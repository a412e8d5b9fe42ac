//! The `gateway` section.

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
use std::str::FromStr;

use gateway_base::paths::DEFAULT_PORT;
use gateway_base::secret::Secret;

use super::network::Network;
use super::view::View;
use crate::validate::bind_address;

/// The `gateway` section.
#[derive(Clone, Debug)]
pub struct Gateway {
    /// Port for everything.
    pub port: u16,
    /// Local or remote; unset refuses the start.
    pub mode: Option<Mode>,
    /// Where to listen.
    pub bind: Bind,
    /// The address of bind mode `custom`.
    pub custom_bind_host: Option<String>,
    /// How clients prove that they may connect.
    pub auth: Auth,
    /// Proxies whose forwarding headers are believed; entries that are no addresses are left out.
    pub trusted_proxies: Vec<Network>,
    /// The control page.
    pub control_ui: ControlUi,
    /// TLS on the port.
    pub tls: Tls,
    /// What a change of the file does.
    pub reload: ReloadSettings,
    /// The remote gateway that clients use.
    pub remote: Remote,
    /// Exposure through Tailscale.
    pub tailscale: Tailscale,
    /// Rules for device nodes.
    pub nodes: Nodes,
}

/// `gateway.mode`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// The gateway runs here.
    Local,
    /// Clients here use one elsewhere.
    Remote,
}

/// `gateway.bind`, and the value of `--bind`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bind {
    /// Local and, with a secret, the LAN.
    Auto,
    /// All addresses.
    Lan,
    /// This machine only.
    Loopback,
    /// `gateway.customBindHost`
    Custom,
    /// The Tailscale address.
    Tailnet,
    /// Exactly this address.
    Address(IpAddr),
}

/// `gateway.auth`
#[derive(Clone, Debug)]
pub struct Auth {
    /// The mode, when it is set.
    pub mode: Option<AuthMode>,
    /// The shared token; empty counts as absent.
    pub token: Option<Secret>,
    /// The shared password; empty counts as absent.
    pub password: Option<Secret>,
    /// Whether Tailscale identities count, when it is set.
    pub allow_tailscale: Option<bool>,
}

/// `gateway.auth.mode`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuthMode {
    /// A shared token.
    Token,
    /// A shared password.
    Password,
}

/// `gateway.controlUi`
#[derive(Clone, Debug)]
pub struct ControlUi {
    /// Whether the page is served.
    pub enabled: bool,
    /// Empty, or a path with a leading and without a trailing slash.
    pub base_path: String,
    /// Token alone over plain HTTP.
    pub allow_insecure_auth: bool,
    /// No device identity at all.
    pub dangerously_disable_device_auth: bool,
    /// Origins allowed beside those of this host.
    pub allowed_origins: Vec<String>,
}

/// `gateway.tls`
#[derive(Clone, Debug)]
pub struct Tls {
    /// Serve wss and https.
    pub enabled: bool,
    /// Make a certificate when there is none.
    pub auto_generate: bool,
    /// Certificate file.
    pub cert_path: PathBuf,
    /// Key file.
    pub key_path: PathBuf,
    /// CA file for client certificates.
    pub ca_path: Option<PathBuf>,
}

/// `gateway.reload`
#[derive(Clone, Copy, Debug)]
pub struct ReloadSettings {
    /// The mode.
    pub mode: ReloadMode,
    /// Quiet time in milliseconds.
    pub debounce_ms: u64,
}

/// `gateway.reload.mode`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReloadMode {
    /// Changes are ignored.
    Off,
    /// Every change restarts.
    Restart,
    /// Nothing restarts.
    Hot,
    /// Apply what can be applied, restart for the rest.
    Hybrid,
}

/// `gateway.remote`
#[derive(Clone, Debug)]
pub struct Remote {
    /// WebSocket URL.
    pub url: Option<String>,
    /// `ssh` or `direct`.
    pub transport: Option<String>,
    /// Token.
    pub token: Option<Secret>,
    /// Password.
    pub password: Option<Secret>,
    /// Fingerprint of the certificate.
    pub tls_fingerprint: Option<String>,
    /// `user@host` of the tunnel.
    pub ssh_target: Option<String>,
    /// Key file of the tunnel.
    pub ssh_identity: Option<String>,
}

/// `gateway.tailscale`
#[derive(Clone, Copy, Debug)]
pub struct Tailscale {
    /// The mode.
    pub mode: TailscaleMode,
    /// Take the settings back at the end.
    pub reset_on_exit: bool,
}

/// `gateway.tailscale.mode`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TailscaleMode {
    /// Not published.
    Off,
    /// In the tailnet.
    Serve,
    /// On the internet.
    Funnel,
}

/// `gateway.nodes`
#[derive(Clone, Debug)]
pub struct Nodes {
    /// Commands allowed beyond those of the platform.
    pub allow_commands: Vec<String>,
    /// Commands never allowed.
    pub deny_commands: Vec<String>,
}

impl Gateway {
    pub(super) fn read(view: &View<'_>) -> Self {
        let tls = view.paths.state.join("gateway").join("tls");
        Self {
            port: view.number("gateway.port").unwrap_or(DEFAULT_PORT),
            mode: view.choice("gateway.mode", &[("local", Mode::Local), ("remote", Mode::Remote)]),
            bind: view.text("gateway.bind").and_then(|text| text.parse().ok()).unwrap_or(Bind::Loopback),
            custom_bind_host: view.text("gateway.customBindHost"),
            auth: Auth {
                mode: view.choice(
                    "gateway.auth.mode",
                    &[("token", AuthMode::Token), ("password", AuthMode::Password)],
                ),
                token: view.secret("gateway.auth.token"),
                password: view.secret("gateway.auth.password"),
                allow_tailscale: view.raw("gateway.auth.allowTailscale").and_then(serde_json::Value::as_bool),
            },
            trusted_proxies: view
                .texts("gateway.trustedProxies")
                .iter()
                .filter_map(|t| t.parse().ok())
                .collect(),
            control_ui: ControlUi {
                enabled: view.flag("gateway.controlUi.enabled"),
                base_path: base_path(&view.text("gateway.controlUi.basePath").unwrap_or_default()),
                allow_insecure_auth: view.flag("gateway.controlUi.allowInsecureAuth"),
                dangerously_disable_device_auth: view.flag("gateway.controlUi.dangerouslyDisableDeviceAuth"),
                allowed_origins: view.texts("gateway.controlUi.allowedOrigins"),
            },
            tls: Tls {
                enabled: view.flag("gateway.tls.enabled"),
                auto_generate: view.flag("gateway.tls.autoGenerate"),
                cert_path: view.file("gateway.tls.certPath").unwrap_or_else(|| tls.join("gateway-cert.pem")),
                key_path: view.file("gateway.tls.keyPath").unwrap_or_else(|| tls.join("gateway-key.pem")),
                ca_path: view.file("gateway.tls.caPath"),
            },
            reload: ReloadSettings {
                mode: view.choice("gateway.reload.mode", &RELOAD_MODES).unwrap_or(ReloadMode::Hybrid),
                debounce_ms: view.number("gateway.reload.debounceMs").unwrap_or(300),
            },
            remote: Remote {
                url: view.text("gateway.remote.url"),
                transport: view.text("gateway.remote.transport"),
                token: view.secret("gateway.remote.token"),
                password: view.secret("gateway.remote.password"),
                tls_fingerprint: view.text("gateway.remote.tlsFingerprint"),
                ssh_target: view.text("gateway.remote.sshTarget"),
                ssh_identity: view.text("gateway.remote.sshIdentity"),
            },
            tailscale: Tailscale {
                mode: view.choice("gateway.tailscale.mode", &TAILSCALE_MODES).unwrap_or(TailscaleMode::Off),
                reset_on_exit: view.flag("gateway.tailscale.resetOnExit"),
            },
            nodes: Nodes {
                allow_commands: view.texts("gateway.nodes.allowCommands"),
                deny_commands: view.texts("gateway.nodes.denyCommands"),
            },
        }
    }
}

const RELOAD_MODES: [(&str, ReloadMode); 4] = [
    ("off", ReloadMode::Off),
    ("restart", ReloadMode::Restart),
    ("hot", ReloadMode::Hot),
    ("hybrid", ReloadMode::Hybrid),
];

const TAILSCALE_MODES: [(&str, TailscaleMode); 3] =
    [("off", TailscaleMode::Off), ("serve", TailscaleMode::Serve), ("funnel", TailscaleMode::Funnel)];

const BIND_MODES: [(&str, Bind); 5] = [
    ("auto", Bind::Auto),
    ("lan", Bind::Lan),
    ("loopback", Bind::Loopback),
    ("custom", Bind::Custom),
    ("tailnet", Bind::Tailnet),
];

/// The text is neither a bind word nor an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not \"loopback\", \"lan\", \"tailnet\", \"auto\", \"custom\" or an IP address")]
pub struct NotABind;

impl FromStr for Bind {
    type Err = NotABind;

    fn from_str(text: &str) -> Result<Self, NotABind> {
        let word = BIND_MODES.iter().find(|(name, _)| *name == text).map(|(_, bind)| *bind);
        word.or_else(|| bind_address(text).map(Self::Address)).ok_or(NotABind)
    }
}

impl fmt::Display for Bind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(address) => address.fmt(f),
            word => {
                f.write_str(BIND_MODES.iter().find(|(_, bind)| bind == word).map_or("", |(name, _)| name))
            }
        }
    }
}

fn base_path(text: &str) -> String {
    let inner = text.trim_matches('/');
    if inner.is_empty() { String::new() } else { format!("/{inner}") }
}

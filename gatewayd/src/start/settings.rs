//! What the start needs to know from the configuration, as plain values, so that the checks stay pure.

use gateway_base::secret::Secret;

/// The part of the configuration that decides whether and how the gateway may start.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// The configuration file exists.
    pub present: bool,
    /// `gateway.mode`.
    pub mode: Option<String>,
    /// `gateway.port`.
    pub port: Option<u16>,
    /// `gateway.bind`.
    pub bind: Option<String>,
    /// `gateway.customBindHost`.
    pub custom_host: Option<String>,
    /// `gateway.auth.mode`.
    pub auth_mode: Option<String>,
    /// `gateway.auth.token`.
    pub token: Option<Secret>,
    /// `gateway.auth.password`.
    pub password: Option<Secret>,
    /// The file holds `gateway.token`, which belongs to an older release.
    pub has_stray_token: bool,
    /// The file holds `gateway.remote.token`, which is for clients.
    pub has_remote_token: bool,
    /// `gateway.tls.enabled`.
    pub tls: bool,
}

//! How the control plane answered the probe.

use serde::Serialize;

/// How the control plane answered.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Rpc {
    /// Whether it did.
    pub ok: bool,
    /// Why it did not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// What was connected to.
    pub url: String,
    /// From the socket's start to the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latency_ms: Option<u64>,
    /// What kind of failure it was.
    #[serde(skip)]
    pub failure: Option<RpcFailure>,
    /// With what we came.
    #[serde(skip)]
    pub secret: &'static str,
}

/// The kinds of failure that mean different things.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RpcFailure {
    /// The handshake was refused: secret or pairing.
    Refused,
    /// We are in, but may not ask this.
    Scope,
    /// Nobody listens.
    NobodyThere,
    /// Anything else.
    Other,
}

//! What a client says in its first request, for each kind of client that exists.

use gateway_base::clock::Clock;
use serde_json::{Value, json};

use crate::device::{Claim, Device};
use crate::home::TOKEN;

/// The parameters of a `connect` request and the headers of its upgrade.
#[derive(Clone, Debug)]
pub struct Connect {
    client_id: String,
    client_mode: String,
    role: Option<String>,
    scopes: Vec<String>,
    token: Option<String>,
    password: Option<String>,
    device: Option<Device>,
    sign_nonce: bool,
    signed_at: Option<i64>,
    patches: Vec<(String, Value)>,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) path: String,
}

impl Connect {
    fn kind(client_id: &str, client_mode: &str) -> Self {
        Self {
            client_id: client_id.to_owned(),
            client_mode: client_mode.to_owned(),
            role: None,
            scopes: Vec::new(),
            token: Some(TOKEN.to_owned()),
            password: None,
            device: None,
            sign_nonce: true,
            signed_at: None,
            patches: Vec::new(),
            headers: Vec::new(),
            path: "/".to_owned(),
        }
    }

    /// The command line: the shared token, no device.
    #[must_use]
    pub fn cli() -> Self {
        Self::kind("cli", "cli")
    }

    /// The web page, which always has a device.
    #[must_use]
    pub fn ui(device: Device) -> Self {
        Self::kind("clawdbot-control-ui", "webchat").device(device)
    }

    /// A prober.
    #[must_use]
    pub fn probe() -> Self {
        Self::kind("clawdbot-probe", "probe")
    }

    /// A device node.
    #[must_use]
    pub fn node(device: Device) -> Self {
        let mut node = Self::kind("node-host", "node").device(device);
        node.role = Some("node".to_owned());
        node
    }

    /// With this shared secret or device token.
    #[must_use]
    pub fn token(mut self, token: impl Into<String>) -> Self {
        self.token = Some(token.into());
        self
    }

    /// With this password and no token.
    #[must_use]
    pub fn password(mut self, password: impl Into<String>) -> Self {
        self.token = None;
        self.password = Some(password.into());
        self
    }

    /// Without any credential.
    #[must_use]
    pub fn anonymous(mut self) -> Self {
        self.token = None;
        self.password = None;
        self
    }

    /// In this role.
    #[must_use]
    pub fn role(mut self, role: &str) -> Self {
        self.role = Some(role.to_owned());
        self
    }

    /// Asking for these scopes.
    #[must_use]
    pub fn scopes(mut self, scopes: &[&str]) -> Self {
        self.scopes = scopes.iter().map(|&s| s.to_owned()).collect();
        self
    }

    /// With this device's signature.
    #[must_use]
    pub fn device(mut self, device: Device) -> Self {
        self.device = Some(device);
        self
    }

    /// Signing the first form, without the challenge.
    #[must_use]
    pub fn without_nonce(mut self) -> Self {
        self.sign_nonce = false;
        self
    }

    /// Signing as if it were this time, in milliseconds.
    #[must_use]
    pub fn signed_at(mut self, ms: i64) -> Self {
        self.signed_at = Some(ms);
        self
    }

    /// With a header on the upgrade request.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Upgrading on this path.
    #[must_use]
    pub fn path(mut self, path: &str) -> Self {
        self.path = path.to_owned();
        self
    }

    /// Puts `value` at a JSON pointer of the parameters after everything else, signature included.
    #[must_use]
    pub fn with(mut self, pointer: &str, value: Value) -> Self {
        self.patches.push((pointer.to_owned(), value));
        self
    }

    /// The parameters, signed for this challenge.
    #[must_use]
    pub fn params(&self, nonce: &str) -> Value {
        let mut params = json!({
            "minProtocol": 3, "maxProtocol": 3,
            "client": {
                "id": self.client_id, "version": "2026.1.24-3", "platform": std::env::consts::OS,
                "mode": self.client_mode,
            },
        });
        if let Some(role) = &self.role {
            params["role"] = role.as_str().into();
        }
        if !self.scopes.is_empty() {
            params["scopes"] = self.scopes.clone().into();
        }
        for (key, secret) in [("token", &self.token), ("password", &self.password)] {
            if let Some(secret) = secret {
                params["auth"][key] = secret.as_str().into();
            }
        }
        if let Some(device) = &self.device {
            params["device"] = device.claim(&Claim {
                client_id: &self.client_id,
                client_mode: &self.client_mode,
                role: self.role.as_deref().unwrap_or("operator"),
                scopes: &self.scopes,
                signed_at: self.signed_at.unwrap_or_else(|| Clock::system().now()),
                token: self.token.as_deref().unwrap_or_default(),
                nonce: self.sign_nonce.then_some(nonce),
            });
        }
        for (pointer, value) in &self.patches {
            put(&mut params, pointer, value.clone());
        }
        params
    }
}

/// Sets the value at a JSON pointer and makes the objects on the way.
fn put(root: &mut Value, pointer: &str, value: Value) {
    let mut place = root;
    for key in pointer.split('/').skip(1) {
        if !place.is_object() {
            *place = json!({});
        }
        place = &mut place[key];
    }
    *place = value;
}

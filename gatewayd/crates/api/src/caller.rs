//! Who calls, and what that allows. This is the only rights check: every transport makes a [`Caller`] and every call
//! passes [`Caller::authorise`] before the method is even looked up (ws-protocol 4.1).

use std::net::IpAddr;

use gateway_wire::error::ErrorShape;
use gateway_wire::events::Guard;
use gateway_wire::methods::{self, Access, Method};
use gateway_wire::types::connect::{ClientId, ClientMode};

/// Kind of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// A person's client.
    Operator,
    /// A device that offers commands.
    Node,
}

impl Role {
    /// Reads a role as `connect` spells it.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "operator" => Some(Self::Operator),
            "node" => Some(Self::Node),
            _ => None,
        }
    }

    /// The name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Operator => "operator",
            Self::Node => "node",
        }
    }
}

/// The scope that includes every other.
pub const ADMIN: &str = "operator.admin";

/// One authenticated connection.
#[derive(Debug)]
pub struct Caller {
    /// Id of the connection, a UUID.
    pub conn_id: String,
    /// Operator or node.
    pub role: Role,
    /// What was granted.
    pub scopes: Vec<String>,
    /// What program it is.
    pub client_id: ClientId,
    /// What it is used as.
    pub client_mode: ClientMode,
    /// The client's name for people.
    pub display_name: Option<String>,
    /// Id of the device, when one proved itself.
    pub device_id: Option<String>,
    /// What let it in.
    pub grant: Grant,
    /// Whether it is on this machine beyond doubt.
    pub is_local: bool,
    /// The address to show, unless an untrusted proxy hides it.
    pub ip: Option<IpAddr>,
    /// Key of its presence entry, when it has one.
    pub presence_key: Option<String>,
}

/// What let a caller in; rotating or revoking it ends the session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grant {
    /// No authentication is configured.
    Open,
    /// The shared token or password.
    SharedSecret,
    /// A name of the tailnet that this machine's Tailscale confirmed.
    Tailscale,
    /// The device's own token.
    DeviceToken,
    /// The admin socket, where the kernel vouches for the user.
    LocalUser,
}

impl Caller {
    /// The caller behind the admin socket: the user who runs the daemon may do everything an operator can.
    #[must_use]
    pub fn local_admin() -> Self {
        Self {
            conn_id: gateway_base::id::uuid(),
            role: Role::Operator,
            scopes: vec![ADMIN.to_owned()],
            client_id: ClientId::Cli,
            client_mode: ClientMode::Cli,
            display_name: Some("gatewayctl".to_owned()),
            device_id: None,
            grant: Grant::LocalUser,
            is_local: true,
            ip: None,
            presence_key: None,
        }
    }

    /// Whether `scope` was granted, by itself or with `operator.admin`.
    #[must_use]
    pub fn has(&self, scope: &str) -> bool {
        self.scopes.iter().any(|s| s == scope || s == ADMIN)
    }

    /// Whether events behind `guard` may reach it.
    #[must_use]
    pub fn may_see(&self, guard: Guard) -> bool {
        let operator = self.role == Role::Operator;
        match guard {
            Guard::Everyone => true,
            Guard::Approvals => operator && self.has("operator.approvals"),
            Guard::Pairing => operator && self.has("operator.pairing"),
            Guard::Directed => false,
        }
    }

    /// Whether the shared secret let it in, or that there was none.
    #[must_use]
    pub fn is_by_shared_secret(&self) -> bool {
        matches!(self.grant, Grant::SharedSecret | Grant::Open)
    }

    /// Whether this is a chat page, for the rules that single it out.
    #[must_use]
    pub fn is_webchat(&self) -> bool {
        self.client_mode.is_webchat() || self.client_id.is_webchat()
    }

    /// The method called `name`, if this caller may call it. Rights are judged first, so that a caller learns
    /// nothing about names it may not call.
    pub fn authorise(&self, name: &str) -> Result<&'static Method, ErrorShape> {
        let method = methods::find(name);
        let access = method.map_or(Access::Admin, |m| m.access);
        let node_method = access == Access::Node;
        if node_method != (self.role == Role::Node) {
            return Err(ErrorShape::invalid(format!("unauthorized role: {}", self.role.as_str())));
        }
        let allowed = match access {
            Access::Node => true,
            Access::Read => self.has("operator.read") || self.has("operator.write"),
            Access::Approvals | Access::Pairing | Access::Write | Access::Admin => {
                access.scope().is_some_and(|scope| self.has(scope))
            }
        };
        if !allowed {
            let scope = access.scope().unwrap_or(ADMIN);
            return Err(ErrorShape::invalid(format!("missing scope: {scope}")));
        }
        method.ok_or_else(|| ErrorShape::invalid(format!("unknown method: {}", shown(name))))
    }
}

/// A foreign name, cut so that an error cannot be made huge.
fn shown(name: &str) -> &str {
    match name.char_indices().nth(200) {
        Some((cut, _)) => &name[..cut],
        None => name,
    }
}

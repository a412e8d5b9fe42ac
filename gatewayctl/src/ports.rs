//! Who listens on a port (operations 4.4): the processes with their command lines, or at least whether the port is
//! taken.

use std::io;
use std::net::TcpListener;

use gateway_base::env::Env;
use serde::Serialize;

use crate::text::Text;

/// What is known about a port.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PortReport {
    /// The port.
    pub port: u16,
    /// Whether it is taken.
    pub status: PortStatus,
    /// Who listens there, each process once.
    pub listeners: Vec<PortListener>,
    /// What that means.
    pub hints: Vec<String>,
}

/// Whether a port is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum PortStatus {
    /// Somebody listens.
    Busy,
    /// Nobody does.
    Free,
    /// It could not be found out.
    Unknown,
}

impl PortStatus {
    /// The word for people.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Busy => "busy",
            Self::Free => "free",
            Self::Unknown => "unknown",
        }
    }
}

/// A process that listens.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PortListener {
    /// Its number.
    pub pid: u32,
    /// Its name.
    pub command: String,
    /// Where it listens, comma-separated.
    pub address: String,
    /// Its command line, secrets left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub command_line: Option<String>,
    /// Whose it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// Whether it is a service manager, which only keeps the port for somebody else.
    #[serde(skip)]
    pub keeps: bool,
}

impl PortListener {
    /// The command line, or the name, or `unknown`.
    fn shown(&self) -> &str {
        let name = Some(self.command.as_str()).filter(|name| !name.is_empty());
        self.command_line.as_deref().filter(|line| !line.is_empty()).or(name).unwrap_or("unknown")
    }

    /// Whether it is a process of the user who asks.
    #[must_use]
    pub fn is_ours(&self, env: &Env) -> bool {
        self.user.is_some() && self.user == user_of(std::process::id(), env)
    }

    /// Whether it is one of this family's gateways, as far as its name tells.
    #[must_use]
    pub fn is_gateway(&self) -> bool {
        let text = self.shown().to_ascii_lowercase();
        text.contains("clawdbot") || text.contains("gatewayd")
    }
}

/// Looks at `port`. `stop` is the command that stops a gateway.
#[must_use]
pub fn inspect(port: u16, env: &Env, stop: &str) -> PortReport {
    let listeners = listeners_on(port, env);
    let status = if listeners.is_empty() { try_bind(port) } else { PortStatus::Busy };
    let hints = hints(&listeners, status, stop);
    PortReport { port, status, listeners, hints }
}

impl PortReport {
    /// The block that is shown when the port is in the way.
    #[must_use]
    pub fn render(&self) -> Text {
        let mut text = Text::default();
        if self.status != PortStatus::Busy {
            text.say(format!("Port {} is {}.", self.port, self.status.word()));
            return text;
        }
        text.say(format!("Port {} is already in use.", self.port));
        for listener in &self.listeners {
            let user = listener.user.as_deref().map(|user| format!(" {user}")).unwrap_or_default();
            text.push(
                format!("- pid {}{user}: {} ({})", listener.pid, listener.shown(), listener.address).into(),
            );
        }
        for hint in &self.hints {
            text.push(format!("- {hint}").into());
        }
        text
    }
}

/// The processes that listen on `port`, as far as they can be seen. A service manager that keeps the sockets of a service
/// is named only when the service does not run.
#[must_use]
pub fn listeners_on(port: u16, env: &Env) -> Vec<PortListener> {
    let found = gateway_base::listeners::on_port(port).unwrap_or_default();
    let rows = found.into_iter().map(|holder| {
        let addresses: Vec<_> = holder.addresses.iter().map(ToString::to_string).collect();
        let name = holder.name.unwrap_or_default();
        PortListener { address: addresses.join(", "), ..describe(holder.pid, &name, env) }
    });
    rows.collect()
}

fn describe(pid: u32, name: &str, env: &Env) -> PortListener {
    let command_line = std::fs::read(format!("/proc/{pid}/cmdline")).ok().map(|raw| {
        let words: Vec<String> = raw
            .split(|byte| *byte == 0)
            .filter(|word| !word.is_empty())
            .map(|word| String::from_utf8_lossy(word).into_owned())
            .collect();
        without_secrets(&words).join(" ")
    });
    PortListener {
        pid,
        command: name.to_owned(),
        address: String::new(),
        command_line,
        user: user_of(pid, env),
        keeps: gateway_base::listeners::is_keeper(pid),
    }
}

/// The words of a command line with the values of secret options replaced.
#[must_use]
pub fn without_secrets(words: &[String]) -> Vec<String> {
    const SECRET: [&str; 2] = ["--token", "--password"];
    let mut out = Vec::with_capacity(words.len());
    let mut hide = false;
    for word in words {
        let glued =
            SECRET.iter().find(|name| word.strip_prefix(**name).is_some_and(|rest| rest.starts_with('=')));
        match glued {
            _ if hide => out.push("***".to_owned()),
            Some(name) => out.push(format!("{name}=***")),
            None => out.push(word.clone()),
        }
        hide = !hide && SECRET.contains(&word.as_str());
    }
    out
}

#[cfg(unix)]
fn user_of(pid: u32, env: &Env) -> Option<String> {
    use std::os::unix::fs::MetadataExt;
    let uid = |path: String| std::fs::metadata(path).ok().map(|meta| meta.uid());
    let theirs = uid(format!("/proc/{pid}"))?;
    let own = uid("/proc/self".to_owned())?;
    let name = env.get("USER").or_else(|| env.get("LOGNAME")).filter(|_| theirs == own);
    Some(name.map_or_else(|| format!("uid {theirs}"), str::to_owned))
}

#[cfg(not(unix))]
fn user_of(_: u32, _: &Env) -> Option<String> {
    None
}

/// Whether the port can be had, when nobody is seen on it: another user's process may hold it.
fn try_bind(port: u16) -> PortStatus {
    let mut unknown = false;
    for host in ["127.0.0.1", "0.0.0.0", "::1", "::"] {
        match TcpListener::bind((host, port)) {
            Ok(_) => {}
            Err(error) => match error.kind() {
                io::ErrorKind::AddrInUse => return PortStatus::Busy,
                io::ErrorKind::AddrNotAvailable | io::ErrorKind::Unsupported => {}
                // Linux without IPv6 has no such address family.
                _ if host.contains(':') => {}
                _ => unknown = true,
            },
        }
    }
    if unknown { PortStatus::Unknown } else { PortStatus::Free }
}

fn hints(listeners: &[PortListener], status: PortStatus, stop: &str) -> Vec<String> {
    if status != PortStatus::Busy {
        return Vec::new();
    }
    if listeners.is_empty() {
        return vec![
            "Port is in use but process details are unavailable (run as the user who owns it, or as root)."
                .into(),
        ];
    }
    let is_ssh = |listener: &&PortListener| !listener.is_gateway() && listener.shown().contains("ssh");
    let mut hints = Vec::new();
    if listeners.iter().any(PortListener::is_gateway) {
        hints.push(format!("Gateway already running locally. Stop it ({stop}) or use a different port."));
    }
    if listeners.iter().any(|listener| is_ssh(&listener)) {
        hints.push(
            "SSH tunnel already bound to this port. Close the tunnel or use a different local port in -L."
                .to_owned(),
        );
    }
    if listeners.iter().any(|listener| !listener.is_gateway() && !is_ssh(&listener)) {
        hints.push("Another process is listening on this port.".to_owned());
    }
    if listeners.len() > 1 {
        hints.push("Multiple listeners detected; ensure only one gateway/tunnel per port unless intentionally running isolated profiles.".to_owned());
    }
    hints
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listener(line: &str) -> PortListener {
        PortListener {
            pid: 12345,
            command: "x".to_owned(),
            address: "127.0.0.1:18789".to_owned(),
            command_line: Some(line.to_owned()),
            user: Some("you".to_owned()),
            keeps: false,
        }
    }

    fn report(listeners: Vec<PortListener>) -> PortReport {
        let hints = hints(&listeners, PortStatus::Busy, "gatewayctl shutdown");
        PortReport { port: 18789, status: PortStatus::Busy, listeners, hints }
    }

    #[test]
    fn a_busy_port_is_explained() {
        insta::assert_snapshot!(report(vec![listener("/usr/bin/gatewayd")]).render().plain(), @r"
        Port 18789 is already in use.
        - pid 12345 you: /usr/bin/gatewayd (127.0.0.1:18789)
        - Gateway already running locally. Stop it (gatewayctl shutdown) or use a different port.
        ");
        let strangers = report(vec![listener("ssh -N -L x"), listener("node server.js")]);
        assert_eq!(strangers.hints.len(), 3);
        assert!(strangers.hints[0].starts_with("SSH tunnel") && strangers.hints[2].starts_with("Multiple"));
        assert!(report(Vec::new()).hints[0].contains("details are unavailable"));
        let hostile = report(vec![listener("x\u{1b}[2J\ny")]).render().plain();
        assert!(hostile.contains(r"x\u{1b}[2J\ny (127"), "{hostile}");
    }

    #[test]
    fn secrets_on_a_command_line_are_left_out() {
        let words = ["gatewayd", "--token", "--password", "--password", "p", "--token=t", "--tokens=x"];
        let words: Vec<String> = words.iter().map(|w| (*w).to_owned()).collect();
        assert_eq!(
            without_secrets(&words),
            ["gatewayd", "--token", "***", "--password", "***", "--token=***", "--tokens=x"]
        );
    }

    #[test]
    fn our_own_listener_is_found() {
        let own = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
        let port = own.local_addr().expect("is bound").port();
        let report = inspect(port, &Env::default(), "stop");
        assert_eq!(report.status, PortStatus::Busy);
        if cfg!(target_os = "linux") {
            assert_eq!(report.listeners.iter().map(|l| l.pid).collect::<Vec<_>>(), [std::process::id()]);
        }
    }
}

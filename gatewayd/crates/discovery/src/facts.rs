//! What a gateway says of itself: the keys of its TXT record, in the local network and in the zone.

use crate::names;
use crate::service::LOCAL;

/// The longest string of a TXT record.
const STRING: usize = 255;

/// A gateway as it wants to be found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// What people call the machine.
    pub display_name: String,
    /// The machine's name in the network, with or without a domain.
    pub machine: String,
    /// The gateway's port.
    pub port: u16,
    /// With TLS, the SHA-256 of the certificate.
    pub tls_fingerprint: Option<String>,
    /// The machine's name in the tailnet.
    pub tailnet_dns: Option<String>,
    /// The controller's program.
    pub cli_path: Option<String>,
    /// The port of the machine's SSH server.
    pub ssh_port: Option<u16>,
}

type Pairs = Vec<(&'static str, String)>;

impl Facts {
    /// The name that is announced, unless somebody has it already.
    #[must_use]
    pub fn instance(&self) -> String {
        names::instance(&self.display_name)
    }

    /// The host that is announced, without its domain, unless somebody has it already.
    #[must_use]
    pub fn host(&self) -> String {
        names::host(&self.machine)
    }

    /// The TXT record of the local network, published under the host name `host`.
    pub(crate) fn local_txt(&self, host: &str) -> Pairs {
        let mut pairs = vec![
            ("role", "gateway".to_owned()),
            ("gatewayPort", self.port.to_string()),
            ("lanHost", format!("{host}.{}", LOCAL.trim_end_matches('.'))),
            ("displayName", names::without_suffix(&self.instance()).to_owned()),
        ];
        pairs.extend(self.tls());
        pairs.extend(self.known_to_the_tailnet());
        pairs.extend(self.cli_path.clone().map(|path| ("cliPath", path)));
        pairs.extend(self.ssh_port.map(|port| ("sshPort", port.to_string())));
        pairs.push(("transport", "gateway".to_owned()));
        fitting(pairs)
    }

    /// The TXT record of the zone.
    pub(crate) fn zone_txt(&self) -> Pairs {
        let mut pairs = vec![
            ("displayName", self.instance()),
            ("role", "gateway".to_owned()),
            ("transport", "gateway".to_owned()),
            ("gatewayPort", self.port.to_string()),
        ];
        pairs.extend(self.tls());
        pairs.extend(self.known_to_the_tailnet());
        pairs.extend(self.ssh_port.map(|port| ("sshPort", port.to_string())));
        pairs.extend(self.cli_path.clone().map(|path| ("cliPath", path)));
        fitting(pairs)
    }

    fn tls(&self) -> Pairs {
        let Some(fingerprint) = &self.tls_fingerprint else { return Vec::new() };
        vec![("gatewayTls", "1".to_owned()), ("gatewayTlsSha256", fingerprint.clone())]
    }

    fn known_to_the_tailnet(&self) -> Option<(&'static str, String)> {
        self.tailnet_dns.clone().map(|name| ("tailnetDns", name))
    }
}

/// Without what does not fit into a string of DNS: a part of a path would name another file.
fn fitting(mut pairs: Pairs) -> Pairs {
    pairs.retain(|(key, value)| key.len() + 1 + value.len() <= STRING);
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(pairs: Pairs) -> Vec<String> {
        pairs.into_iter().map(|(key, value)| format!("{key}={value}")).collect()
    }

    #[test]
    fn the_keys_are_those_of_the_reference_in_its_order() {
        let mut facts = Facts {
            display_name: "Studio".to_owned(),
            machine: "studio".to_owned(),
            port: 18789,
            ..Facts::default()
        };
        let minimal = ["role=gateway", "gatewayPort=18789", "lanHost=studio.local", "displayName=Studio"];
        assert_eq!(text(facts.local_txt("studio")), [&minimal[..], &["transport=gateway"]].concat());
        facts.tls_fingerprint = Some("ab12".to_owned());
        facts.tailnet_dns = Some("studio.tail1.ts.net".to_owned());
        facts.cli_path = Some("/usr/bin/gatewayctl".to_owned());
        facts.ssh_port = Some(22);
        let more = [
            "gatewayTls=1",
            "gatewayTlsSha256=ab12",
            "tailnetDns=studio.tail1.ts.net",
            "cliPath=/usr/bin/gatewayctl",
            "sshPort=22",
            "transport=gateway",
        ];
        assert_eq!(text(facts.local_txt("studio")), [&minimal[..], &more].concat());
        assert_eq!(
            text(facts.zone_txt()),
            [
                "displayName=Studio (Clawdbot)",
                "role=gateway",
                "transport=gateway",
                "gatewayPort=18789",
                "gatewayTls=1",
                "gatewayTlsSha256=ab12",
                "tailnetDns=studio.tail1.ts.net",
                "sshPort=22",
                "cliPath=/usr/bin/gatewayctl",
            ]
        );
    }

    #[test]
    fn what_does_not_fit_is_left_out() {
        let facts = Facts { cli_path: Some("/".repeat(250)), ..Facts::default() };
        assert!(facts.local_txt("studio").iter().all(|(key, _)| *key != "cliPath"));
    }
}

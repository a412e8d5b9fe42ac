//! A gateway as it was found. Everything in it was said by whoever answered: texts are bounded here, and what becomes
//! part of an address or of a command to copy is checked to be nothing else. They are shown as what they are by whoever
//! prints them.

use std::collections::BTreeMap;

use serde::Serialize;

/// The most keys of one TXT record that are read.
const KEYS: usize = 32;
/// The longest key.
const KEY: usize = 64;
/// The longest value; DNS itself ends before.
const VALUE: usize = 255;
/// The longest host name.
const HOST: usize = 253;

/// A gateway that was found.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Beacon {
    /// The name of the service instance.
    pub instance_name: String,
    /// The domain it was found in.
    pub domain: String,
    /// The name for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// The host that the service is on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// The port that the service is on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// Its name in the local network.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lan_host: Option<String>,
    /// Its name in the tailnet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tailnet_dns: Option<String>,
    /// The gateway's port, as it says itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gateway_port: Option<u16>,
    /// The port of its SSH server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ssh_port: Option<u16>,
    /// Whether it speaks TLS.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gateway_tls: Option<bool>,
    /// The fingerprint it claims. Never pinned without asking.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gateway_tls_fingerprint_sha256: Option<String>,
    /// Where the controller's program is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cli_path: Option<String>,
    /// What it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// How it is spoken to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transport: Option<String>,
    /// Everything it says.
    pub txt: BTreeMap<String, String>,
}

impl Beacon {
    /// A beacon of what the records of an instance say.
    pub(crate) fn read<'a>(
        instance: &str,
        domain: &str,
        service: Option<(&str, u16)>,
        strings: impl IntoIterator<Item = (&'a [u8], &'a [u8])>,
    ) -> Self {
        let txt = txt(strings);
        let text = |key: &str| txt.get(key).map(|value| value.trim()).filter(|value| !value.is_empty());
        let host = |key: &str| text(key).and_then(host_name);
        let port = |key: &str| text(key).and_then(|value| value.parse().ok()).filter(|port| *port > 0);
        Self {
            instance_name: instance.to_owned(),
            domain: domain.to_owned(),
            display_name: text("displayName").map(str::to_owned),
            host: service.and_then(|(host, _)| host_name(host)),
            port: service.map(|(_, port)| port).filter(|port| *port > 0),
            lan_host: host("lanHost"),
            tailnet_dns: host("tailnetDns"),
            gateway_port: port("gatewayPort"),
            ssh_port: port("sshPort"),
            gateway_tls: text("gatewayTls").map(is_yes),
            gateway_tls_fingerprint_sha256: text("gatewayTlsSha256").and_then(fingerprint),
            cli_path: text("cliPath").map(str::to_owned),
            role: text("role").map(str::to_owned),
            transport: text("transport").map(str::to_owned),
            txt,
        }
    }

    /// The name for people.
    #[must_use]
    pub fn name(&self) -> &str {
        self.display_name.as_deref().unwrap_or(&self.instance_name)
    }

    /// The host to reach it by: its name in the tailnet works from everywhere, its name in the local network is its
    /// own, the host of the service is what is left.
    #[must_use]
    pub fn best_host(&self) -> Option<&str> {
        [&self.tailnet_dns, &self.lan_host, &self.host].into_iter().find_map(Option::as_deref)
    }

    /// The address of its control plane, as far as its word goes.
    #[must_use]
    pub fn ws_url(&self) -> Option<String> {
        let scheme = if self.gateway_tls == Some(true) { "wss" } else { "ws" };
        let port = self.gateway_port.or(self.port)?;
        Some(format!("{scheme}://{}:{port}", self.best_host()?))
    }
}

/// Keys are the letters of ASCII; of a key that comes twice the first counts.
fn txt<'a>(strings: impl IntoIterator<Item = (&'a [u8], &'a [u8])>) -> BTreeMap<String, String> {
    let mut read = BTreeMap::new();
    for (key, value) in strings.into_iter().take(KEYS) {
        let Ok(key) = std::str::from_utf8(key) else { continue };
        let printable = |c: char| c.is_ascii_graphic() || c == ' ';
        if key.is_empty() || key.len() > KEY || !key.chars().all(printable) {
            continue;
        }
        let value = String::from_utf8_lossy(value.get(..VALUE).unwrap_or(value)).into_owned();
        read.entry(key.to_owned()).or_insert(value);
    }
    read
}

/// A name that can stand in an address and in a command without meaning anything else there.
fn host_name(text: &str) -> Option<String> {
    let name = text.trim_end_matches('.');
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    let good =
        !name.is_empty() && name.len() <= HOST && !name.starts_with(['-', '.']) && name.chars().all(fits);
    good.then(|| name.to_owned())
}

fn fingerprint(text: &str) -> Option<String> {
    let digits: String = text.trim_start_matches("sha256:").chars().filter(|c| *c != ':').collect();
    let good = digits.len() == 64 && digits.chars().all(|c| c.is_ascii_hexdigit());
    good.then(|| digits.to_ascii_lowercase())
}

fn is_yes(text: &str) -> bool {
    matches!(text.to_ascii_lowercase().as_str(), "1" | "true" | "yes")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(service: Option<(&str, u16)>, pairs: &[(&str, &str)]) -> Beacon {
        let pairs = pairs.iter().map(|(key, value)| (key.as_bytes(), value.as_bytes()));
        Beacon::read("Studio (Clawdbot)", "local.", service, pairs)
    }

    #[test]
    fn the_best_address_is_the_one_that_works_from_everywhere() {
        let mut pairs =
            vec![("gatewayPort", "18789"), ("lanHost", "studio.local"), ("tailnetDns", "studio.ts.net")];
        assert_eq!(read(None, &pairs).ws_url().as_deref(), Some("ws://studio.ts.net:18789"));
        pairs.pop();
        pairs.push(("gatewayTls", "1"));
        assert_eq!(read(None, &pairs).ws_url().as_deref(), Some("wss://studio.local:18789"));
        let bare = read(Some(("box.local.", 7)), &[]);
        assert_eq!(
            (bare.host.as_deref(), bare.ws_url().as_deref()),
            (Some("box.local"), Some("ws://box.local:7"))
        );
        assert_eq!(read(None, &[("gatewayPort", "1")]).ws_url(), None);
        assert_eq!(read(Some(("box.local.", 0)), &[]).ws_url(), None);
    }

    #[test]
    fn a_host_that_is_a_command_is_none() {
        for host in [
            "a b",
            "$(id)",
            "a;id",
            "-oProxyCommand=id",
            "a/b",
            "a@b",
            "a:1",
            "\u{e9}.local",
            "",
            ".",
            "`id`",
        ] {
            let beacon = read(Some((host, 1)), &[("lanHost", host), ("tailnetDns", host)]);
            assert_eq!((beacon.best_host(), beacon.ws_url()), (None, None), "{host}");
        }
    }

    #[test]
    fn the_first_of_two_values_counts_and_all_is_bounded() {
        let beacon = read(None, &[("role", "gateway"), ("role", "other"), ("sshPort", "70000"), ("", "x")]);
        assert_eq!((beacon.role.as_deref(), beacon.ssh_port, beacon.txt.len()), (Some("gateway"), None, 2));
        let many: Vec<(String, String)> = (0..1000).map(|n| (format!("k{n}"), "v".repeat(2000))).collect();
        let beacon = read(None, &many.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect::<Vec<_>>());
        assert_eq!(beacon.txt.len(), KEYS);
        assert!(beacon.txt.values().all(|value| value.len() == VALUE));
    }

    #[test]
    fn a_fingerprint_is_one_or_none() {
        let hex = "ab".repeat(32);
        for (text, good) in [
            (hex.clone(), true),
            (format!("sha256:{hex}"), true),
            ("xy".repeat(32), false),
            ("ab".into(), false),
        ] {
            let beacon = read(None, &[("gatewayTlsSha256", &text)]);
            assert_eq!(beacon.gateway_tls_fingerprint_sha256, good.then(|| hex.clone()), "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_record_panics_and_no_address_escapes(
            host in ".{0,80}",
            port in any::<u16>(),
            pairs in prop::collection::vec((prop_oneof![
                Just(b"lanHost".to_vec()), Just(b"tailnetDns".to_vec()), Just(b"gatewayPort".to_vec()),
                Just(b"gatewayTls".to_vec()), prop::collection::vec(any::<u8>(), 0..70),
            ], prop::collection::vec(any::<u8>(), 0..300)), 0..40),
        ) {
            let strings = pairs.iter().map(|(key, value)| (key.as_slice(), value.as_slice()));
            let beacon = Beacon::read("x", "local.", Some((&host, port)), strings);
            if let Some(url) = beacon.ws_url() {
                let rest = url.split_once("://").map(|(_, rest)| rest).unwrap_or_default();
                prop_assert!(rest.chars().all(|c| c.is_ascii_alphanumeric() || ".-_:".contains(c)), "{url}");
            }
            prop_assert!(beacon.txt.len() <= KEYS);
        }
    }
}

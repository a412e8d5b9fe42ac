//! The DNS zone of a tailnet (operations 9.2) as the text of a master file. A DNS server on the gateway's machine serves
//! it; the tailnet sends questions about the domain there.

use std::fmt::Write;
use std::net::{Ipv4Addr, Ipv6Addr};

use crate::facts::Facts;
use crate::names;
use crate::service::{SERVICE, WIDE_AREA};

const HASH: &str = "; clawdbot-content-hash: ";
const SOA: &str = "@ IN SOA ns1 hostmaster ";
const TIMES: &str = " 7200 3600 1209600 60";

/// What is in the zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Zone {
    /// The gateway.
    pub facts: Facts,
    /// Its address in the tailnet.
    pub ipv4: Ipv4Addr,
    /// Its other address there.
    pub ipv6: Option<Ipv6Addr>,
}

impl Zone {
    /// The text that replaces `old` on `day` (UTC, `20260129`), or `None` when `old` says the same already.
    #[must_use]
    pub fn update(&self, old: Option<&str>, day: &str) -> Option<String> {
        let hash = fnv1a(&self.body("SERIAL"));
        if old.and_then(hash_in) == Some(hash.as_str()) {
            return None;
        }
        let serial = next_serial(old.and_then(serial_in), day);
        Some(format!("{HASH}{hash}\n{}", self.body(&serial.to_string())))
    }

    fn body(&self, serial: &str) -> String {
        let host = names::label(&self.facts.host(), "clawdbot");
        let instance = names::label(&format!("{host}-gateway"), "clawdbot-gw");
        let mut lines = vec![
            format!("$ORIGIN {WIDE_AREA}"),
            "$TTL 60".to_owned(),
            format!("{SOA}{serial}{TIMES}"),
            "@ IN NS ns1".to_owned(),
            format!("ns1 IN A {}", self.ipv4),
            format!("{host} IN A {}", self.ipv4),
        ];
        lines.extend(self.ipv6.map(|ip| format!("{host} IN AAAA {ip}")));
        let txt: Vec<_> =
            self.facts.zone_txt().iter().map(|(key, value)| quoted(&format!("{key}={value}"))).collect();
        lines.push(format!("{SERVICE} IN PTR {instance}.{SERVICE}"));
        lines.push(format!("{instance}.{SERVICE} IN SRV 0 0 {} {host}", self.facts.port));
        lines.push(format!("{instance}.{SERVICE} IN TXT {}", txt.join(" ")));
        lines.join("\n") + "\n"
    }
}

/// A string of a master file. Outside ASCII and among control characters every byte is written as its number, which
/// every server reads in the same way.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for byte in text.bytes() {
        match byte {
            b'"' | b'\\' => out.extend(['\\', char::from(byte)]),
            b' '..=b'~' => out.push(char::from(byte)),
            // Writing to a String cannot fail.
            _ => drop(write!(out, "\\{byte:03}")),
        }
    }
    out.push('"');
    out
}

/// 32-bit FNV-1a over the UTF-16 units, as the original takes it.
fn fnv1a(text: &str) -> String {
    let hash = text
        .encode_utf16()
        .fold(2_166_136_261_u32, |hash, unit| (hash ^ u32::from(unit)).wrapping_mul(16_777_619));
    format!("{hash:08x}")
}

fn hash_in(zone: &str) -> Option<&str> {
    zone.lines().find_map(|line| line.strip_prefix(HASH)).map(str::trim)
}

fn serial_in(zone: &str) -> Option<u32> {
    let rest = zone.lines().find_map(|line| line.strip_prefix(SOA))?;
    rest.split_whitespace().next()?.parse().ok()
}

/// A serial only grows, or servers that copy the zone would keep the old one.
fn next_serial(old: Option<u32>, day: &str) -> u32 {
    let first = format!("{day}01").parse().unwrap_or(1);
    old.map_or(first, |old| first.max(old.saturating_add(1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn zone() -> Zone {
        Zone {
            facts: Facts {
                display_name: "Studio".to_owned(),
                machine: "studio.local".to_owned(),
                port: 18789,
                tailnet_dns: Some("studio.your-tailnet.ts.net".to_owned()),
                ssh_port: Some(22),
                cli_path: Some("/usr/bin/gatewayctl".to_owned()),
                ..Facts::default()
            },
            ipv4: Ipv4Addr::new(100, 64, 0, 10),
            ipv6: "fd7a:115c:a1e0::10".parse().ok(),
        }
    }

    #[test]
    fn the_text_is_that_of_the_reference() {
        let text = zone().update(None, "20260129").expect("there was none");
        let (hash, body) = text.split_once('\n').expect("a first line");
        assert_eq!(
            body,
            "$ORIGIN clawdbot.internal.\n\
             $TTL 60\n\
             @ IN SOA ns1 hostmaster 2026012901 7200 3600 1209600 60\n\
             @ IN NS ns1\n\
             ns1 IN A 100.64.0.10\n\
             studio IN A 100.64.0.10\n\
             studio IN AAAA fd7a:115c:a1e0::10\n\
             _clawdbot-gw._tcp IN PTR studio-gateway._clawdbot-gw._tcp\n\
             studio-gateway._clawdbot-gw._tcp IN SRV 0 0 18789 studio\n\
             studio-gateway._clawdbot-gw._tcp IN TXT \"displayName=Studio (Clawdbot)\" \"role=gateway\" \
             \"transport=gateway\" \"gatewayPort=18789\" \"tailnetDns=studio.your-tailnet.ts.net\" \"sshPort=22\" \
             \"cliPath=/usr/bin/gatewayctl\"\n"
        );
        let digits = hash.strip_prefix("; clawdbot-content-hash: ").expect("the hash comes first");
        assert_eq!(digits, fnv1a(&body.replace("2026012901", "SERIAL")));
    }

    #[test]
    fn the_hash_is_the_published_one() {
        for (text, hash) in [("", "811c9dc5"), ("a", "e40c292c"), ("foobar", "bf9cf968")] {
            assert_eq!(fnv1a(text), hash, "{text}");
        }
    }

    #[test]
    fn what_says_the_same_is_not_written_again() {
        let first = zone().update(None, "20260129").expect("new");
        assert_eq!(zone().update(Some(&first), "20260130"), None);
        let mut moved = zone();
        moved.facts.port = 1;
        let second = moved.update(Some(&first), "20260129").expect("changed");
        assert_eq!(serial_in(&second), Some(2_026_012_902));
        assert_eq!(
            serial_in(&zone().update(Some(&second), "20260130").expect("changed")),
            Some(2_026_013_001)
        );
        assert_eq!(
            serial_in(&zone().update(Some(&second), "20250101").expect("changed")),
            Some(2_026_012_903),
            "a clock that was set back makes no older zone"
        );
        assert_eq!(
            serial_in(&zone().update(Some("nonsense"), "20260129").expect("new")),
            Some(2_026_012_901)
        );
    }

    #[test]
    fn nothing_escapes_from_a_string() {
        let mut zone = zone();
        zone.facts.cli_path = Some("/a \"b\"\\c\n$INCLUDE /etc/passwd\u{e9}".to_owned());
        zone.facts.display_name = "x\ny IN A 1.2.3.4".to_owned();
        zone.facts.machine = "evil\nname IN A 6.6.6.6".to_owned();
        let text = zone.update(None, "20260129").expect("new");
        assert!(text.contains(r#""cliPath=/a \"b\"\\c\010$INCLUDE /etc/passwd\195\169""#), "{text}");
        assert_eq!(text.lines().count(), 11, "{text}");
        assert!(text.contains("evil-name-in-a-6 IN A 100.64.0.10\n"), "{text}");
    }
}

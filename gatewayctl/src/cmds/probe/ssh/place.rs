//! Which host a tunnel leads to: the one that is named, else the configured one, else the host of the configured
//! address; or the first gateway that was found. A name reaches `ssh` only when it can be nothing but a name.

use std::net::IpAddr;

use gateway_base::env::Env;
use gateway_discovery::Beacon;

use crate::settings::Settings;

/// A host to reach with `ssh`, as it was written: an alias of the user's configuration is one too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The user; `ssh` knows who else.
    pub user: Option<String>,
    /// The host.
    pub host: String,
    /// The port; `ssh` knows which else.
    pub port: Option<u16>,
    /// Whether only the network says that a gateway is there.
    pub is_hearsay: bool,
}

/// The host to tunnel to: `named` by `--ssh`, or configured. Nothing when no tunnel is asked for; an error when one is
/// and cannot be had.
pub fn choose(named: Option<&str>, settings: &Settings, env: &Env) -> Result<Option<Place>, String> {
    let configured = || settings.text("gateway.remote.sshTarget");
    if let Some(text) = named.or_else(configured) {
        return Place::parse(text).map(Some);
    }
    Ok(settings.text("gateway.remote.url").and_then(|url| of_address(url, env)))
}

/// The host of the configured address, as the user who asks. This machine needs no tunnel.
fn of_address(url: &str, env: &Env) -> Option<Place> {
    let rest = url.strip_prefix("wss://").or_else(|| url.strip_prefix("ws://"))?;
    let authority = rest.split(['/', '?']).next()?;
    let host = match authority.strip_prefix('[') {
        Some(rest) => rest.split(']').next()?,
        None => authority.split(':').next()?,
    };
    let is_here = host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
    let user = env.get("USER").or_else(|| env.get("LOGNAME")).map(str::to_owned);
    let place = Place {
        user: user.filter(|user| is_user(user)),
        host: host.to_owned(),
        port: None,
        is_hearsay: false,
    };
    (!is_here && is_host(host)).then_some(place)
}

impl Place {
    /// The host of a gateway that was found. Whoever is in the network may have said so.
    pub fn of_beacon(beacon: &Beacon) -> Result<Self, String> {
        let host = beacon.best_host();
        let host = host.ok_or_else(|| format!("the gateway {:?} tells no host", beacon.instance_name))?;
        let mut place = Self::parse(host)?;
        place.port = beacon.ssh_port.or(place.port);
        place.is_hearsay = true;
        Ok(place)
    }

    /// Reads `[user@]host[:port]`; an address of IPv6 with a port is written in brackets.
    pub fn parse(text: &str) -> Result<Self, String> {
        let bad = || format!("{text:?} is not an ssh target; write [user@]host[:port]");
        let trimmed = text.trim();
        let trimmed = trimmed.strip_prefix("ssh ").unwrap_or(trimmed).trim();
        let (user, rest) = match trimmed.rsplit_once('@') {
            Some((user, rest)) => (Some(user.to_owned()), rest),
            None => (None, trimmed),
        };
        let (host, port) = match rest.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((host, "")) => (host, None),
            Some((host, after)) => (host, Some(after.strip_prefix(':').ok_or_else(bad)?)),
            // More colons than one are an address of IPv6.
            None => match rest.split_once(':') {
                Some((host, port)) if !port.contains(':') => (host, Some(port)),
                _ => (rest, None),
            },
        };
        let port = port.map(|port| port.parse::<u16>().ok().filter(|port| *port != 0).ok_or_else(bad));
        if !is_host(host) || user.as_deref().is_some_and(|user| !is_user(user)) {
            return Err(bad());
        }
        Ok(Self { user, host: host.to_owned(), port: port.transpose()?, is_hearsay: false })
    }

    /// `user@host`, as `ssh` takes it.
    #[must_use]
    pub fn destination(&self) -> String {
        self.user.as_ref().map_or_else(|| self.host.clone(), |user| format!("{user}@{}", self.host))
    }
}

/// A name or address and nothing else: no option, and nothing that a `ProxyCommand` would give to a shell.
fn is_host(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || ".-_:".contains(c);
    !text.is_empty() && text.len() <= 255 && !text.starts_with('-') && text.chars().all(plain)
}

fn is_user(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || ".-_".contains(c);
    !text.is_empty() && text.len() <= 64 && !text.starts_with('-') && text.chars().all(plain)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn place(user: Option<&str>, host: &str, port: Option<u16>) -> Place {
        Place { user: user.map(str::to_owned), host: host.to_owned(), port, is_hearsay: false }
    }

    #[test]
    fn targets_are_read_as_people_write_them() {
        for (text, user, host, port) in [
            ("studio", None, "studio", None),
            ("ssh me@studio", Some("me"), "studio", None),
            (" me@studio:2222 ", Some("me"), "studio", Some(2222)),
            ("[fe80::1]:22", None, "fe80::1", Some(22)),
            ("fe80::1", None, "fe80::1", None),
            ("me@192.168.1.2", Some("me"), "192.168.1.2", None),
        ] {
            assert_eq!(Place::parse(text), Ok(place(user, host, port)), "{text}");
        }
    }

    #[test]
    fn what_could_be_an_option_or_a_command_is_refused() {
        for text in [
            "-oProxyCommand=touch /tmp/x",
            "ssh -oProxyCommand=x",
            "-l@studio",
            "me@-studio",
            "studio;id",
            "$(id)@studio",
            "studio `id`",
            "me@studio:0",
            "me@studio:x",
            "me@studio:70000",
            "@studio",
            "me@",
            "",
            "stu\ndio",
            "%h",
        ] {
            let refused = Place::parse(text).expect_err(text);
            assert!(refused.contains("is not an ssh target"), "{refused}");
        }
    }

    fn chosen(named: Option<&str>, config: serde_json::Value) -> Result<Option<Place>, String> {
        choose(named, &Settings::from_value(config), &Env::from_pairs([("USER", "me")]))
    }

    #[test]
    fn the_first_source_that_knows_a_host_wins() {
        let both = json!({"gateway": {"remote": {"sshTarget": "you@lab", "url": "wss://studio:18789/x"}}});
        let url = json!({"gateway": {"remote": {"url": "wss://studio:18789/x"}}});
        let here = json!({"gateway": {"remote": {"url": "ws://127.0.0.1:18789"}}});
        assert_eq!(chosen(Some("attic"), both.clone()), Ok(Some(place(None, "attic", None))));
        assert_eq!(chosen(None, both), Ok(Some(place(Some("you"), "lab", None))));
        assert_eq!(chosen(None, url), Ok(Some(place(Some("me"), "studio", None))));
        assert_eq!(chosen(None, here), Ok(None));
        assert_eq!(chosen(None, json!({})), Ok(None));
        assert!(chosen(Some("-oX=y"), json!({})).is_err());
    }

    #[test]
    fn a_gateway_that_was_found_is_a_place_when_it_tells_a_host_and_nothing_else() {
        let beacon = Beacon {
            instance_name: "Studio".to_owned(),
            lan_host: Some("studio.local".to_owned()),
            host: Some("10.0.0.5".to_owned()),
            ssh_port: Some(2222),
            ..Beacon::default()
        };
        let found = Place { is_hearsay: true, ..place(None, "studio.local", Some(2222)) };
        assert_eq!(Place::of_beacon(&beacon), Ok(found));
        let hostile = Beacon { host: Some("-oProxyCommand=x".to_owned()), ..Beacon::default() };
        assert!(Place::of_beacon(&hostile).is_err());
        assert!(Place::of_beacon(&Beacon::default()).is_err_and(|why| why.contains("tells no host")));
    }
}

//! Which host a tunnel leads to: the one that is named, else the configured one, else the host of the configured
//! address, else the first gateway that was found. A name reaches `ssh` only when it can be nothing but a name.

use std::net::IpAddr;

use gateway_base::env::Env;

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
}

/// A gateway that was found on the network.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Beacon {
    /// How it calls itself.
    pub name: String,
    /// Its name on the tailnet, its name on the local network, its host: the first that is known is used.
    pub hosts: [Option<String>; 3],
    /// The port of its `ssh`.
    pub ssh_port: Option<u16>,
}

/// What was asked for on the command line.
#[derive(Clone, Copy, Debug)]
pub struct Choice<'a> {
    /// `--ssh`.
    pub named: Option<&'a str>,
    /// `--ssh-auto`.
    pub auto: bool,
    /// What browsing the network found; nothing when nobody browsed.
    pub found: Option<&'a [Beacon]>,
}

/// The host to tunnel to. Nothing when no tunnel is asked for; an error when one is and cannot be had.
pub fn choose(choice: Choice<'_>, settings: &Settings, env: &Env) -> Result<Option<Place>, String> {
    let configured = || settings.text("gateway.remote.sshTarget");
    if let Some(text) = choice.named.or_else(configured) {
        return Place::parse(text).map(Some);
    }
    if let Some(place) = settings.text("gateway.remote.url").and_then(|url| of_address(url, env)) {
        return Ok(Some(place));
    }
    if !choice.auto {
        return Ok(None);
    }
    match choice.found {
        None => Err("--ssh-auto takes the first gateway that was found, and this program does not browse the network yet; name the host with --ssh".to_owned()),
        Some([]) => Err("--ssh-auto takes the first gateway that was found, and none was found; name the host with --ssh".to_owned()),
        Some([first, ..]) => of_beacon(first).map(Some),
    }
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
    let place = Place { user: user.filter(|user| is_user(user)), host: host.to_owned(), port: None };
    (!is_here && is_host(host)).then_some(place)
}

fn of_beacon(beacon: &Beacon) -> Result<Place, String> {
    let host = beacon.hosts.iter().flatten().next();
    let host = host.ok_or_else(|| format!("the gateway {} tells no host", beacon.name))?;
    let mut place = Place::parse(host)?;
    place.port = beacon.ssh_port.or(place.port);
    Ok(place)
}

impl Place {
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
        Ok(Self { user, host: host.to_owned(), port: port.transpose()? })
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
        Place { user: user.map(str::to_owned), host: host.to_owned(), port }
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

    fn chosen(choice: Choice<'_>, config: serde_json::Value) -> Result<Option<Place>, String> {
        choose(choice, &Settings::from_value(config), &Env::from_pairs([("USER", "me")]))
    }

    #[test]
    fn the_first_source_that_knows_a_host_wins() {
        let none = Choice { named: None, auto: false, found: None };
        let both = json!({"gateway": {"remote": {"sshTarget": "you@lab", "url": "wss://studio:18789/x"}}});
        let url = json!({"gateway": {"remote": {"url": "wss://studio:18789/x"}}});
        let here = json!({"gateway": {"remote": {"url": "ws://127.0.0.1:18789"}}});
        let named = Choice { named: Some("attic"), ..none };
        assert_eq!(chosen(named, both.clone()), Ok(Some(place(None, "attic", None))));
        assert_eq!(chosen(none, both), Ok(Some(place(Some("you"), "lab", None))));
        assert_eq!(chosen(none, url), Ok(Some(place(Some("me"), "studio", None))));
        assert_eq!(chosen(none, here), Ok(None));
        assert_eq!(chosen(none, json!({})), Ok(None));
        assert!(chosen(Choice { named: Some("-oX=y"), ..none }, json!({})).is_err());
    }

    #[test]
    fn the_first_found_gateway_is_taken_when_that_is_asked_for() {
        let beacon = Beacon {
            name: "Studio".to_owned(),
            hosts: [None, Some("studio.local".to_owned()), Some("10.0.0.5".to_owned())],
            ssh_port: Some(2222),
        };
        let auto = |found| Choice { named: None, auto: true, found };
        let found = [beacon];
        assert_eq!(chosen(auto(Some(&found)), json!({})), Ok(Some(place(None, "studio.local", Some(2222)))));
        let hostile =
            [Beacon { hosts: [Some("-oProxyCommand=x".to_owned()), None, None], ..Beacon::default() }];
        assert!(chosen(auto(Some(&hostile)), json!({})).is_err());
        assert!(chosen(auto(Some(&[])), json!({})).is_err_and(|why| why.contains("none was found")));
        assert!(chosen(auto(None), json!({})).is_err_and(|why| why.contains("does not browse")));
    }
}

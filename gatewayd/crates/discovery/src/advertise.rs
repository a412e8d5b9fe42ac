//! Announces a gateway in the local network until it is told to stop.
//!
//! Only interfaces whose IPv4 addresses are all private take part. Behind an address that the internet can reach there is
//! no local network, and whoever listens there for mDNS answers strangers too. Of IPv6 nothing is said: the machine's own
//! responder announces a choice of its addresses under the same host name, and any other choice would be a conflict.
//!
//! The library finds another name when ours is taken. What it found is taken over by starting anew with it, because
//! the TXT record names the host too.

use std::net::IpAddr;
use std::time::Duration;

use gateway_base::net;
use mdns_sd::{
    DaemonEvent, DnsNameChange, IfKind, IfPredicate, RRType, Receiver, ServiceDaemon, ServiceInfo,
};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use crate::facts::Facts;
use crate::names::{self, Names};
use crate::service::{LOCAL, local_type};

/// How often the machine's addresses are looked at: a laptop changes its network. Also how long an announcement may
/// take before it is tried anew.
const WATCH: Duration = Duration::from_secs(60);
/// How long a goodbye may take.
const GOODBYE: Duration = Duration::from_millis(400);
/// Other names that are tried in a row before there is a pause.
const RENAMES: u32 = 10;

/// What becomes of an announcement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The network knows it now.
    Announced {
        /// The whole name of the service.
        fqdn: String,
        /// The host.
        host: String,
    },
    /// Somebody has the instance's name; this is the new one.
    Renamed(String),
    /// Somebody has the host's name; this is the new one.
    HostRenamed(String),
    /// There is no local network to tell, which may change.
    Alone,
    /// It is not known after a while, and is tried anew.
    Unannounced,
    /// It cannot be announced.
    Failed(String),
}

/// How one attempt ended.
enum End {
    Stopped,
    Taken(Names),
    Broken,
}

/// Announces until `stop` is cancelled, and has withdrawn everything when it returns. `tell` hears what happens.
pub async fn advertise(facts: &Facts, stop: &CancellationToken, mut tell: impl FnMut(Event) + Send) {
    let mut names = Names { instance: facts.instance(), host: facts.host() };
    let mut renames = 0;
    loop {
        match attempt(facts, &names, stop, &mut tell).await {
            End::Stopped => return,
            End::Taken(other) if renames < RENAMES => {
                names = other;
                renames += 1;
            }
            End::Taken(_) | End::Broken => {
                renames = 0;
                if stop.run_until_cancelled(sleep(WATCH)).await.is_none() {
                    return;
                }
            }
        }
    }
}

async fn attempt(
    facts: &Facts,
    names: &Names,
    stop: &CancellationToken,
    tell: &mut (impl FnMut(Event) + Send),
) -> End {
    let (daemon, events) = match start(facts, names) {
        Ok(started) => started,
        Err(error) => {
            tell(Event::Failed(error.to_string()));
            return End::Broken;
        }
    };
    let end = stop.run_until_cancelled(follow(&events, names, tell)).await.unwrap_or(End::Stopped);
    if let Ok(ended) = daemon.shutdown() {
        let _ = timeout(GOODBYE, ended.recv_async()).await;
    }
    end
}

fn start(facts: &Facts, names: &Names) -> Result<(ServiceDaemon, Receiver<DaemonEvent>), mdns_sd::Error> {
    let txt = facts.local_txt(&names.host);
    let instance = names::instance_label(&names.instance);
    let host = format!("{}.{LOCAL}", names.host);
    let service = ServiceInfo::new(&local_type(), &instance, &host, (), facts.port, txt.as_slice())?;
    let daemon = ServiceDaemon::new()?;
    match register(&daemon, service) {
        Ok(events) => Ok((daemon, events)),
        Err(error) => {
            let _ = daemon.shutdown();
            Err(error)
        }
    }
}

fn register(daemon: &ServiceDaemon, service: ServiceInfo) -> Result<Receiver<DaemonEvent>, mdns_sd::Error> {
    let events = daemon.monitor()?;
    daemon.set_ip_check_interval(u32::try_from(WATCH.as_secs()).unwrap_or(u32::MAX))?;
    daemon.disable_interface(IfKind::All)?;
    daemon.enable_interface(IfKind::Predicate(IfPredicate::new(|interface| {
        takes_part(&interface.name, interface.ip())
    })))?;
    daemon.register(service.enable_addr_auto())?;
    Ok(events)
}

/// Whether `ip` of the interface `name` is announced.
fn takes_part(name: &str, ip: IpAddr) -> bool {
    ip.is_ipv4() && net::shared_interfaces().is_ok_and(|all| all.get(name).is_some_and(|own| is_local(own)))
}

/// Whether an interface with these addresses is in a local network and nowhere else.
fn is_local(addresses: &[IpAddr]) -> bool {
    let mut v4 = addresses.iter().filter(|ip| ip.is_ipv4()).peekable();
    v4.peek().is_some() && v4.all(|ip| is_private(*ip))
}

/// Whether the internet cannot reach `ip`, and others can.
fn is_private(ip: IpAddr) -> bool {
    matches!(ip, IpAddr::V4(v4) if v4.is_private() || v4.is_link_local() || net::is_tailnet(ip))
}

/// Whether this machine is in a local network at all.
fn has_network() -> bool {
    net::shared_interfaces().is_ok_and(|all| all.values().any(|own| is_local(own)))
}

/// Follows what the library does until it has to be started anew.
async fn follow(events: &Receiver<DaemonEvent>, names: &Names, tell: &mut (impl FnMut(Event) + Send)) -> End {
    let mut other = names.clone();
    let mut announced = false;
    let mut had_network = has_network();
    if !had_network {
        tell(Event::Alone);
    }
    loop {
        let next = events.recv_async();
        let event = match if announced { Ok(next.await) } else { timeout(WATCH, next).await } {
            Ok(Ok(event)) => event,
            Ok(Err(_)) => {
                tell(Event::Failed("its thread ended".to_owned()));
                return End::Broken;
            }
            // The library may not have seen a network yet that was not there the last time.
            Err(_) => {
                let knew = std::mem::replace(&mut had_network, has_network());
                if !(knew && had_network) {
                    continue;
                }
                tell(Event::Unannounced);
                return End::Taken(other);
            }
        };
        match event {
            DaemonEvent::Error(error) => tell(Event::Failed(error.to_string())),
            DaemonEvent::NameChange(change) => take_over(&mut other, &change),
            DaemonEvent::Announce(fqdn, _) if other == *names && !announced => {
                announced = true;
                tell(Event::Announced { fqdn, host: format!("{}.{LOCAL}", names.host) });
            }
            DaemonEvent::Announce(..) if other != *names => {
                if other.instance != names.instance {
                    tell(Event::Renamed(other.instance.clone()));
                }
                if other.host != names.host {
                    tell(Event::HostRenamed(other.host.clone()));
                }
                return End::Taken(other);
            }
            _ => {}
        }
    }
}

fn take_over(names: &mut Names, change: &DnsNameChange) {
    if matches!(change.rr_type, RRType::A | RRType::AAAA) {
        if let Some(host) = change.new_name.strip_suffix(&format!(".{LOCAL}")) {
            host.clone_into(&mut names.host);
        }
    } else if let Some(instance) = change.new_name.strip_suffix(&format!(".{}", local_type())) {
        instance.clone_into(&mut names.instance);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_local_networks_are_told() {
        for (addresses, expected) in [
            (&["192.168.1.2", "fe80::1", "2001:db8::1"][..], true),
            (&["10.0.0.1"], true),
            (&["172.16.0.1"], true),
            (&["169.254.1.1"], true),
            (&["192.168.1.2", "100.64.0.1"], true),
            (&["127.0.0.1"], false),
            (&["203.0.113.7"], false),
            (&["203.0.113.7", "10.16.0.5"], false),
            (&["fe80::1", "fd00::1"], false),
            (&[], false),
        ] {
            let parsed: Vec<_> = addresses.iter().map(|ip| ip.parse().expect("an address")).collect();
            assert_eq!(is_local(&parsed), expected, "{addresses:?}");
        }
    }

    #[test]
    fn a_name_that_is_taken_is_replaced_by_what_the_library_found() {
        let mut names = Names { instance: "Studio (Clawdbot)".to_owned(), host: "studio".to_owned() };
        let change = |new: &str, rr_type| DnsNameChange {
            original: String::new(),
            new_name: new.to_owned(),
            rr_type,
            intf_name: "eth0".to_owned(),
        };
        take_over(&mut names, &change("Studio (Clawdbot) (2)._clawdbot-gw._tcp.local.", RRType::SRV));
        take_over(&mut names, &change("studio-2.local.", RRType::A));
        take_over(&mut names, &change("nonsense", RRType::A));
        take_over(&mut names, &change("nonsense", RRType::TXT));
        assert_eq!(
            names,
            Names { instance: "Studio (Clawdbot) (2)".to_owned(), host: "studio-2".to_owned() }
        );
    }
}

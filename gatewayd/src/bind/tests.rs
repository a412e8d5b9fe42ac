use std::io::Read;
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};

use gateway_config::sections::Bind;

use super::*;

fn ip(text: &str) -> IpAddr {
    text.parse().expect("an address")
}

const NO_FACTS: Facts<'static> = Facts { custom_host: None, interfaces: &[], has_auth: false };

fn planned(mode: &str, facts: Facts<'_>) -> (Vec<String>, Vec<String>) {
    let plan = Plan::new(mode.parse::<Bind>().expect(mode), facts).expect("a plan");
    let texts = |ips: Vec<IpAddr>| ips.iter().map(ToString::to_string).collect();
    (texts(plan.wanted), texts(plan.fallback))
}

#[test]
fn modes_mean_these_addresses() {
    let interfaces = [ip("192.168.1.5"), ip("fd7a:115c:a1e0::9"), ip("100.100.1.2"), ip("100.10.1.2")];
    let with_auth = Facts { custom_host: Some("10.1.2.3"), interfaces: &interfaces, has_auth: true };
    let loopback = ["127.0.0.1", "::1"].map(str::to_owned).to_vec();
    let cases: &[(&str, Facts<'_>, &[&str], bool)] = &[
        ("loopback", NO_FACTS, &["127.0.0.1", "::1"], false),
        ("auto", NO_FACTS, &["127.0.0.1", "::1"], false),
        ("auto", with_auth, &["0.0.0.0", "::"], false),
        ("lan", with_auth, &["0.0.0.0", "::"], false),
        ("tailnet", with_auth, &["100.100.1.2", "fd7a:115c:a1e0::9"], true),
        ("custom", with_auth, &["10.1.2.3"], false),
        ("192.168.1.5", with_auth, &["192.168.1.5"], false),
        ("[::]", with_auth, &["::"], false),
        ("0.0.0.0", with_auth, &["0.0.0.0"], false),
    ];
    for (mode, facts, wanted, falls_back) in cases {
        let (found, fallback) = planned(mode, *facts);
        assert_eq!(found, *wanted, "{mode}");
        assert_eq!(fallback, if *falls_back { loopback.clone() } else { Vec::new() }, "{mode}");
    }
}

#[test]
fn custom_without_an_address_says_what_is_wrong() {
    for (host, expected) in [(None, "not set"), (Some("  "), "not set"), (Some("10.0.0.05"), "\"10.0.0.05\"")]
    {
        let facts = Facts { custom_host: host, ..NO_FACTS };
        let error = Plan::new(Bind::Custom, facts).expect_err("refused").to_string();
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn only_loopback_addresses_are_loopback_only() {
    for (text, expected) in [
        ("loopback", true),
        ("127.0.0.2", true),
        ("::1", true),
        ("0.0.0.0", false),
        ("auto", false),
        ("custom", false),
    ] {
        assert_eq!(is_loopback_only(text.parse().expect(text)), expected, "{text}");
    }
}

#[test]
fn nothing_reachable_opens_without_a_secret() {
    for mode in ["lan", "0.0.0.0", "::", "192.168.1.5", "custom", "tailnet"] {
        let facts =
            Facts { custom_host: Some("192.168.1.5"), interfaces: &[ip("100.100.1.2")], has_auth: false };
        let opened = open(mode.parse::<Bind>().expect(mode), 0, facts, &mut Vec::new());
        assert!(matches!(opened, Err(Error::NoAuth(_))), "{mode}");
    }
}

#[test]
fn loopback_listens_and_a_second_one_is_told_who_has_the_port() {
    let bound = open(Bind::Loopback, 0, NO_FACTS, &mut Vec::new()).expect("loopback");
    let Listener { address, socket: listener, .. } = &bound.listeners[0];
    assert_eq!(bound.shown, [*address]);
    listener.set_nonblocking(false).expect("blocking");
    let mut client = TcpStream::connect(address).expect("connected");
    drop(listener.accept().expect("accepted"));
    assert_eq!(client.read(&mut [0; 1]).expect("closed"), 0);
    let second = open(Bind::Loopback, address.port(), NO_FACTS, &mut Vec::new());
    assert!(matches!(second, Err(Error::Taken(taken)) if taken == *address));
}

#[test]
fn an_address_of_another_machine_is_not_available() {
    let facts = Facts { custom_host: Some("192.0.2.1"), interfaces: &[], has_auth: true };
    let custom = open(Bind::Custom, 0, facts, &mut Vec::new()).expect_err("not here").to_string();
    assert_eq!(custom, "gateway.customBindHost 192.0.2.1 is not available on this machine");
    assert!(matches!(
        open(Bind::Address(ip("192.0.2.1")), 0, facts, &mut Vec::new()),
        Err(Error::NotHere { .. })
    ));
}

#[test]
fn a_tailnet_that_is_not_there_falls_back_to_loopback_and_says_so() {
    let facts = Facts { custom_host: None, interfaces: &[], has_auth: true };
    let bound = open(Bind::Tailnet, 0, facts, &mut Vec::new()).expect("loopback");
    assert_eq!(bound.notes[0], "bind=tailnet address unavailable; using 127.0.0.1");
    assert!(bound.listeners.iter().all(|l| l.address.ip().is_loopback()));
}

#[test]
fn all_addresses_are_shown_as_those_a_person_can_type() {
    let interfaces = [ip("192.168.1.100"), ip("10.0.0.5"), ip("fe80::1")];
    let facts = Facts { custom_host: None, interfaces: &interfaces, has_auth: true };
    let bound = open(Bind::Lan, 0, facts, &mut Vec::new()).expect("all addresses");
    let port = bound.listeners[0].address.port();
    let expected: Vec<SocketAddr> =
        ["192.168.1.100", "10.0.0.5"].iter().map(|host| SocketAddr::new(ip(host), port)).collect();
    assert_eq!((bound.shown, bound.alias), (expected, None));
    let alone =
        open(Bind::Lan, 0, Facts { interfaces: &[], ..facts }, &mut Vec::new()).expect("all addresses");
    assert!(alone.shown[0].ip().is_unspecified());
}

/// A listener as an earlier image of the program, or somebody else, hands it over.
fn handed_over(address: &str, name: Option<&str>) -> Listener {
    let socket = TcpListener::bind(address).expect("a port");
    let address = socket.local_addr().expect("its address");
    let own = Listener::opened(socket, address);
    Listener { name: name.map_or(own.name.clone(), str::to_owned), ..own }
}

#[test]
fn inherited_listeners_are_used_in_the_order_of_the_plan_and_the_others_are_closed() {
    let first = handed_over("127.0.0.1:0", None);
    let port = first.address.port();
    let old = handed_over("127.0.0.1:0", None);
    let (old_address, old_name) = (old.address, old.name.clone());
    let mut inherited = vec![old];
    inherited.extend(TcpListener::bind(("::1", port)).ok().map(|socket| {
        let address = socket.local_addr().expect("its address");
        Listener::opened(socket, address)
    }));
    let expected = inherited.len();
    inherited.push(first);
    let bound = open(Bind::Loopback, port, NO_FACTS, &mut inherited).expect("all of it is there");
    assert_eq!(bound.listeners[0].address, SocketAddr::new(ip("127.0.0.1"), port));
    assert_eq!(bound.listeners.len(), expected);
    assert_eq!((bound.closed.as_slice(), inherited.len()), ([old_name].as_slice(), 0));
    assert!(TcpStream::connect(old_address).is_err(), "nobody listens there any more");
}

#[test]
fn the_loopback_of_ipv6_goes_along_with_that_of_ipv4() {
    let first = handed_over("127.0.0.1:0", None);
    let port = first.address.port();
    // A machine without IPv6 has no such address.
    let Ok(socket) = TcpListener::bind(("::1", port)) else { return };
    let alias = Listener::opened(socket, SocketAddr::new(ip("::1"), port));
    let mode = Bind::Address(ip("127.0.0.1"));
    let bound = open(mode, port, NO_FACTS, &mut vec![first, alias]).expect("both are there");
    assert_eq!(bound.alias, Some(SocketAddr::new(ip("::1"), port)));
    assert!(bound.closed.is_empty(), "{:?}", bound.closed);
}

#[test]
fn an_inherited_listener_that_is_in_the_way_is_closed_first() {
    let everywhere = handed_over("0.0.0.0:0", None);
    let port = everywhere.address.port();
    let bound = open(Bind::Loopback, port, NO_FACTS, &mut vec![everywhere]).expect("it made room");
    assert!(bound.listeners.iter().all(|listener| listener.address.ip().is_loopback()));
    assert_eq!(bound.closed, [format!("gatewayd-tcp-0.0.0.0-{port}")]);
}

#[test]
fn a_foreign_listener_elsewhere_on_the_port_is_refused_and_on_another_port_is_named() {
    let everywhere = handed_over("0.0.0.0:0", Some("some.socket"));
    let port = everywhere.address.port();
    let refused =
        open(Bind::Loopback, port, NO_FACTS, &mut vec![everywhere]).expect_err("refused").to_string();
    assert!(
        refused.contains(&format!("listens on 0.0.0.0:{port}, but gateway.bind is loopback")),
        "{refused}"
    );
    assert!(refused.contains(&format!("listen on 127.0.0.1:{port}")), "{refused}");
    let other = handed_over("127.0.0.1:0", Some("some.socket"));
    let named = format!("the inherited socket on {} is not used", other.address);
    let bound = open(Bind::Loopback, 0, NO_FACTS, &mut vec![other]).expect("loopback");
    assert!(bound.notes.iter().any(|note| note.starts_with(&named)), "{:?}", bound.notes);
    assert!(bound.closed.is_empty());
}

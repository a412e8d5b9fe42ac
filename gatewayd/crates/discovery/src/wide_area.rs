//! Reads the zone of a tailnet by asking its DNS servers (operations 9.3): many for the instances, the first that knows
//! any for the rest.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use futures_util::future::join_all;
use futures_util::stream::{self, StreamExt};
use simple_dns::rdata::{RData, SRV};
use simple_dns::{Name, TYPE};

use crate::beacon::Beacon;
use crate::dns::ask;
use crate::service::{SERVICE, WIDE_AREA};

/// Servers that are asked at once.
const AT_ONCE: usize = 6;
/// For a first answer.
const FIRST: Duration = Duration::from_millis(250);
/// For each further one.
const FURTHER: Duration = Duration::from_millis(350);
/// The most instances that are asked about.
const INSTANCES: usize = 32;
/// The port of DNS.
const PORT: u16 = 53;

/// The gateways that the servers know.
pub async fn browse(servers: &[Ipv4Addr]) -> Vec<Beacon> {
    let servers: Vec<SocketAddr> = servers.iter().map(|ip| (*ip, PORT).into()).collect();
    read(&servers).await
}

async fn read(servers: &[SocketAddr]) -> Vec<Beacon> {
    let text = format!("{SERVICE}.{}", WIDE_AREA.trim_end_matches('.'));
    let Ok(service) = Name::new(&text) else { return Vec::new() };
    let asked = stream::iter(servers).map(|server| instances(*server, &service)).buffer_unordered(AT_ONCE);
    let mut known = asked.filter_map(std::future::ready).boxed();
    let Some((server, instances)) = known.next().await else { return Vec::new() };
    drop(known);
    join_all(instances.iter().map(|name| beacon(server, name))).await.into_iter().flatten().collect()
}

/// The instances that a server names, when there is at least one.
async fn instances(server: SocketAddr, service: &Name<'_>) -> Option<(SocketAddr, Vec<Name<'static>>)> {
    let records = ask(server, service, TYPE::PTR, FIRST).await?;
    let mut names: Vec<Name<'static>> = Vec::new();
    for record in records {
        let RData::PTR(target) = record else { continue };
        let inside = target.0.get_labels().len() == service.get_labels().len() + 1;
        if inside && target.0.is_subdomain_of(service) && !names.contains(&target.0) {
            names.push(target.0);
        }
    }
    names.truncate(INSTANCES);
    (!names.is_empty()).then_some((server, names))
}

async fn beacon(server: SocketAddr, name: &Name<'_>) -> Option<Beacon> {
    let (services, texts) =
        tokio::join!(ask(server, name, TYPE::SRV, FURTHER), ask(server, name, TYPE::TXT, FURTHER));
    let SRV { target, port, .. } = services?.into_iter().find_map(|record| match record {
        RData::SRV(service) => Some(service),
        _ => None,
    })?;
    let texts = texts.unwrap_or_default();
    let txt = texts.iter().find_map(|record| match record {
        RData::TXT(txt) => Some(txt),
        _ => None,
    });
    let instance = name.as_bytes().next().map(String::from_utf8_lossy)?;
    let strings =
        txt.iter().flat_map(|txt| txt.iter_raw()).map(|(key, value)| (key, value.unwrap_or_default()));
    Some(Beacon::read(&instance, WIDE_AREA, Some((&target.to_string(), port)), strings))
}

#[cfg(test)]
mod tests {
    use simple_dns::rdata::{PTR, TXT};
    use simple_dns::{CLASS, Packet, ResourceRecord};
    use tokio::net::UdpSocket;

    use super::*;

    /// A server that answers every question of a kind with these records.
    async fn server(answers: Vec<(TYPE, RData<'static>)>) -> (SocketAddr, impl Future<Output = ()>) {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a socket");
        let address = socket.local_addr().expect("an address");
        let serving = async move {
            let mut buffer = [0; 2000];
            loop {
                let (read, from) = socket.recv_from(&mut buffer).await.expect("a question");
                let mut packet = Packet::parse(&buffer[..read]).expect("a question").into_reply();
                let question = packet.questions[0].clone();
                for (kind, data) in &answers {
                    if question.qtype == (*kind).into() {
                        let record = ResourceRecord::new(question.qname.clone(), CLASS::IN, 60, data.clone());
                        packet.answers.push(record);
                    }
                }
                let bytes = packet.build_bytes_vec().expect("an answer");
                socket.send_to(&bytes, from).await.expect("sent");
            }
        };
        (address, serving)
    }

    fn name(text: &'static str) -> Name<'static> {
        Name::new(text).expect("a name")
    }

    fn zone() -> Vec<(TYPE, RData<'static>)> {
        let txt = TXT::new().with_string("gatewayPort=18789").and_then(|txt| txt.with_string("role=gateway"));
        let service = SRV { priority: 0, weight: 0, port: 18789, target: name("studio.clawdbot.internal") };
        vec![
            (TYPE::PTR, RData::PTR(PTR(name("studio-gateway._clawdbot-gw._tcp.clawdbot.internal")))),
            (TYPE::PTR, RData::PTR(PTR(name("elsewhere._clawdbot-gw._tcp.example.com")))),
            (TYPE::SRV, RData::SRV(service)),
            (TYPE::TXT, RData::TXT(txt.expect("a record"))),
        ]
    }

    async fn read_of(answers: Vec<(TYPE, RData<'static>)>) -> Vec<Beacon> {
        let (address, serving) = server(answers).await;
        let silent = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a socket");
        let servers = [silent.local_addr().expect("an address"), address];
        tokio::select! {
            found = read(&servers) => found,
            () = serving => Vec::new(),
        }
    }

    #[tokio::test]
    async fn the_first_server_that_knows_is_asked_for_the_rest() {
        let found = read_of(zone()).await;
        assert_eq!(found.len(), 1, "{found:?}");
        let beacon = &found[0];
        assert_eq!(beacon.instance_name, "studio-gateway");
        assert_eq!(beacon.ws_url().as_deref(), Some("ws://studio.clawdbot.internal:18789"));
        assert_eq!((beacon.domain.as_str(), beacon.role.as_deref()), ("clawdbot.internal.", Some("gateway")));
    }

    #[tokio::test]
    async fn a_server_that_knows_no_service_finds_none() {
        let without = |kind| zone().into_iter().filter(|(of, _)| *of != kind).collect::<Vec<_>>();
        assert_eq!(read_of(without(TYPE::SRV)).await, []);
        assert_eq!(read_of(without(TYPE::PTR)).await, []);
        assert_eq!(read_of(without(TYPE::TXT)).await.len(), 1);
        assert_eq!(read(&[]).await, []);
    }
}

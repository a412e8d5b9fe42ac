//! One question to one DNS server over UDP. What comes back may have been sent by anybody: it counts only when it is the
//! answer to this very question.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use simple_dns::rdata::{OPT, RData};
use simple_dns::{CLASS, Name, Packet, PacketFlag, QCLASS, QTYPE, Question, RCODE, SimpleDnsError, TYPE};
use tokio::net::UdpSocket;
use tokio::time::{Instant, timeout_at};

/// What fits through every network without being split.
const SIZE: u16 = 1232;
/// Answers that are read of one packet.
const ANSWERS: usize = 64;

/// Asks `server` for the records of type `kind` at `name`. `None` when there is no usable answer within `limit`.
pub async fn ask(
    server: SocketAddr,
    name: &Name<'_>,
    kind: TYPE,
    limit: Duration,
) -> Option<Vec<RData<'static>>> {
    let id = number()?;
    let packet = question(id, name, kind).ok()?;
    let end = Instant::now() + limit;
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).await.ok()?;
    socket.connect(server).await.ok()?;
    socket.send(&packet).await.ok()?;
    let mut buffer = vec![0; usize::from(SIZE)];
    loop {
        let read = timeout_at(end, socket.recv(&mut buffer)).await.ok()?.ok()?;
        match answer(buffer.get(..read)?, id, name, kind) {
            Answer::Foreign => {}
            Answer::Refused => return None,
            Answer::Records(records) => return Some(records),
        }
    }
}

/// What a packet is.
#[derive(Debug, PartialEq, Eq)]
enum Answer {
    /// Not the answer to this question; the answer may still come.
    Foreign,
    /// The server has nothing to say.
    Refused,
    /// The records.
    Records(Vec<RData<'static>>),
}

fn question(id: u16, name: &Name<'_>, kind: TYPE) -> Result<Vec<u8>, SimpleDnsError> {
    let mut packet = Packet::new_query(id);
    // A server that only passes questions on needs to be asked to.
    packet.set_flags(PacketFlag::RECURSION_DESIRED);
    packet.questions.push(Question::new(name.clone(), QTYPE::TYPE(kind), QCLASS::CLASS(CLASS::IN), false));
    *packet.opt_mut() = Some(OPT { opt_codes: Vec::new(), udp_packet_size: SIZE, version: 0 });
    packet.build_bytes_vec()
}

fn answer(bytes: &[u8], id: u16, name: &Name<'_>, kind: TYPE) -> Answer {
    let Ok(packet) = Packet::parse(bytes) else { return Answer::Foreign };
    let asked =
        matches!(packet.questions.as_slice(), [one] if one.qname == *name && one.qtype == QTYPE::TYPE(kind));
    if packet.id() != id || !packet.has_flags(PacketFlag::RESPONSE) || !asked {
        return Answer::Foreign;
    }
    if packet.rcode() != RCODE::NoError || packet.has_flags(PacketFlag::TRUNCATION) {
        return Answer::Refused;
    }
    let ours =
        packet.answers.into_iter().filter(|record| record.name == *name && record.rdata.type_code() == kind);
    Answer::Records(ours.take(ANSWERS).map(|record| record.rdata.into_owned()).collect())
}

fn number() -> Option<u16> {
    let mut bytes = [0; 2];
    getrandom::fill(&mut bytes).ok()?;
    Some(u16::from_be_bytes(bytes))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use simple_dns::ResourceRecord;
    use simple_dns::rdata::PTR;

    use super::*;

    const NAME: &str = "_clawdbot-gw._tcp.clawdbot.internal";

    fn name() -> Name<'static> {
        Name::new(NAME).expect("a name")
    }

    fn reply(id: u16, owner: &'static str) -> Packet<'static> {
        let mut packet = Packet::new_reply(id);
        packet.questions = vec![Question::new(name(), TYPE::PTR.into(), CLASS::IN.into(), false)];
        let target = RData::PTR(PTR(Name::new("a._clawdbot-gw._tcp.clawdbot.internal").expect("a name")));
        packet.answers.push(ResourceRecord::new(Name::new(owner).expect("a name"), CLASS::IN, 60, target));
        packet
    }

    fn read(packet: &Packet<'_>) -> Answer {
        answer(&packet.build_bytes_vec_compressed().expect("written"), 7, &name(), TYPE::PTR)
    }

    #[test]
    fn only_the_answer_to_the_question_counts() {
        assert!(matches!(read(&reply(7, NAME)), Answer::Records(records) if records.len() == 1));
        assert!(matches!(read(&reply(7, "other.internal")), Answer::Records(records) if records.is_empty()));
        assert_eq!(read(&reply(8, NAME)), Answer::Foreign);
        let mut other = reply(7, NAME);
        other.questions.clear();
        assert_eq!(read(&other), Answer::Foreign);
        let mut refused = reply(7, NAME);
        *refused.rcode_mut() = RCODE::NameError;
        assert_eq!(read(&refused), Answer::Refused);
        assert_eq!(
            answer(&question(7, &name(), TYPE::PTR).expect("written"), 7, &name(), TYPE::PTR),
            Answer::Foreign
        );
    }

    proptest! {
        #[test]
        fn no_packet_panics(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
            let _ = answer(&bytes, 7, &name(), TYPE::PTR);
        }

        #[test]
        fn no_damaged_answer_panics(at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<prop::sample::Index>()) {
            let mut bytes = reply(7, NAME).build_bytes_vec_compressed().expect("written");
            let place = at.index(bytes.len());
            bytes[place] = byte;
            bytes.truncate(cut.index(bytes.len()) + 1);
            for kind in [TYPE::PTR, TYPE::SRV, TYPE::TXT] {
                let _ = answer(&bytes, 7, &name(), kind);
            }
        }
    }
}

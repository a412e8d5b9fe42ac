//! Yardstick F: one thread, one epoll set, no library between it and the sockets. What one turn of the loop brings
//! leaves as one write per client; a client whose socket is full keeps its own copy of the rest.

use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::fd::OwnedFd;

use anyhow::{Context, Result};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rustix::buffer::spare_capacity;
use rustix::event::epoll;
use sha1::{Digest, Sha1};

use super::answers::{self, Asked};
use crate::codec::{self, push_server_frame};

const LISTENER: u64 = u64::MAX;
/// Bytes that may wait for one client before it misses events.
const MOST_WAITING: usize = 1_572_864;

struct Client {
    stream: TcpStream,
    upgraded: bool,
    member: bool,
    /// The start of a frame whose rest has not arrived.
    carry: Vec<u8>,
    /// What the socket had no room for.
    waiting: Vec<u8>,
}

struct Server {
    epoll: OwnedFd,
    listener: TcpListener,
    clients: Vec<Option<Client>>,
    free: Vec<usize>,
    scratch: Vec<u8>,
    reply: Vec<u8>,
    /// Events of this turn, for everybody.
    events: Vec<u8>,
    hello: String,
    seq: u64,
    announce_leave: bool,
}

pub fn run(port: u16, announce_leave: bool) -> Result<()> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).context("cannot listen")?;
    rustix::net::listen(&listener, 4096)?;
    listener.set_nonblocking(true)?;
    let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
    epoll::add(&epoll, &listener, epoll::EventData::new_u64(LISTENER), epoll::EventFlags::IN)?;
    let mut server = Server {
        epoll,
        listener,
        clients: Vec::new(),
        free: Vec::new(),
        scratch: vec![0; 64 * 1024],
        reply: Vec::new(),
        events: Vec::new(),
        hello: answers::hello_ok(),
        seq: 1,
        announce_leave,
    };
    let mut ready = Vec::with_capacity(1024);
    loop {
        ready.clear();
        match epoll::wait(&server.epoll, spare_capacity(&mut ready), None) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        for event in &ready {
            let (flags, data) = (event.flags, event.data);
            server.serve(data.u64(), flags)?;
        }
        server.tell_all();
    }
}

impl Server {
    fn serve(&mut self, token: u64, flags: epoll::EventFlags) -> Result<()> {
        if token == LISTENER {
            return self.accept();
        }
        let Ok(place) = usize::try_from(token) else { return Ok(()) };
        let Some(mut client) = self.clients.get_mut(place).and_then(Option::take) else { return Ok(()) };
        let mut alive = true;
        if flags.contains(epoll::EventFlags::OUT) {
            alive = write(&self.epoll, place, &mut client, &[]);
        }
        if alive && flags.intersects(epoll::EventFlags::IN | epoll::EventFlags::HUP | epoll::EventFlags::ERR)
        {
            alive = self.read(place, &mut client);
        }
        if alive {
            self.clients[place] = Some(client);
        } else {
            self.free.push(place);
            if client.member && self.announce_leave {
                push_server_frame(&mut self.events, codec::TEXT, &answers::leave(self.seq));
                self.seq += 1;
            }
        }
        Ok(())
    }

    fn accept(&mut self) -> Result<()> {
        loop {
            let stream = match self.listener.accept() {
                Ok((stream, _)) => stream,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error).context("cannot accept"),
            };
            stream.set_nonblocking(true)?;
            stream.set_nodelay(true)?;
            let place = self.free.pop().unwrap_or_else(|| {
                self.clients.push(None);
                self.clients.len() - 1
            });
            epoll::add(&self.epoll, &stream, epoll::EventData::new_u64(place as u64), epoll::EventFlags::IN)?;
            let client =
                Client { stream, upgraded: false, member: false, carry: Vec::new(), waiting: Vec::new() };
            self.clients[place] = Some(client);
        }
    }

    /// Reads once and answers all of it with one write; false when the client is gone.
    fn read(&mut self, place: usize, client: &mut Client) -> bool {
        let mut scratch = std::mem::take(&mut self.scratch);
        self.reply.clear();
        let mut goodbye = false;
        let alive = match (&client.stream).read(&mut scratch) {
            Ok(0) => false,
            Ok(read) if client.carry.is_empty() => {
                let used = self.consume(client, &mut scratch[..read], &mut goodbye);
                client.carry.extend_from_slice(&scratch[used..read]);
                true
            }
            Ok(read) => {
                let mut whole = std::mem::take(&mut client.carry);
                whole.extend_from_slice(&scratch[..read]);
                let used = self.consume(client, &mut whole, &mut goodbye);
                client.carry = whole.split_off(used);
                true
            }
            Err(error) => error.kind() == ErrorKind::WouldBlock,
        };
        self.scratch = scratch;
        alive && write(&self.epoll, place, client, &self.reply) && !goodbye
    }

    fn consume(&mut self, client: &mut Client, data: &mut [u8], goodbye: &mut bool) -> usize {
        let mut at = 0;
        if !client.upgraded {
            let Some(end) = codec::find(data, b"\r\n\r\n") else { return 0 };
            upgrade(&mut self.reply, &data[..end]);
            push_server_frame(&mut self.reply, codec::TEXT, answers::CHALLENGE.as_bytes());
            client.upgraded = true;
            at = end + 4;
        }
        while let Some(head) = codec::header(&data[at..]).filter(|head| at + head.end <= data.len()) {
            let payload = &mut data[at + head.start..at + head.end];
            at += head.end;
            if let Some(mask) = head.mask {
                codec::unmask(payload, mask);
            }
            match head.opcode {
                codec::TEXT => self.request(client, payload),
                codec::CLOSE => {
                    push_server_frame(&mut self.reply, codec::CLOSE, payload);
                    *goodbye = true;
                }
                _ => {}
            }
        }
        at
    }

    fn request(&mut self, client: &mut Client, request: &[u8]) {
        let Some((id, asked)) = answers::read(request) else { return };
        let answer = match asked {
            Asked::Connect => {
                client.member = true;
                answers::answer(id, &self.hello)
            }
            Asked::Event(phase) => {
                push_server_frame(&mut self.events, codec::TEXT, &answers::event(phase, self.seq));
                self.seq += 1;
                answers::small(id)
            }
            Asked::Other => answers::small(id),
        };
        push_server_frame(&mut self.reply, codec::TEXT, &answer);
    }

    fn tell_all(&mut self) {
        if self.events.is_empty() {
            return;
        }
        for (place, slot) in self.clients.iter_mut().enumerate() {
            if let Some(client) = slot.as_mut().filter(|client| client.member)
                && client.waiting.len() <= MOST_WAITING
            {
                write(&self.epoll, place, client, &self.events);
            }
        }
        self.events.clear();
    }
}

/// Answers the upgrade request, whose key is the only thing read of it.
fn upgrade(reply: &mut Vec<u8>, request: &[u8]) {
    let text = String::from_utf8_lossy(request);
    let key = text.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("sec-websocket-key").then(|| value.trim())
    });
    let digest = Sha1::digest(format!("{}258EAFA5-E914-47DA-95CA-C5AB0DC85B11", key.unwrap_or_default()));
    let accept = STANDARD.encode(digest);
    reply.extend_from_slice(
        format!("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n\r\n")
            .as_bytes(),
    );
}

/// Writes what waits and then `bytes`, and keeps what the socket has no room for; false when the client is gone.
fn write(epoll: &OwnedFd, place: usize, client: &mut Client, bytes: &[u8]) -> bool {
    let waited = !client.waiting.is_empty();
    let mut rest = bytes;
    if waited {
        client.waiting.extend_from_slice(bytes);
        rest = &client.waiting;
    }
    let mut written = 0;
    while written < rest.len() {
        match (&client.stream).write(&rest[written..]) {
            Ok(n) => written += n,
            Err(error) if error.kind() == ErrorKind::WouldBlock => break,
            Err(_) => return false,
        }
    }
    if waited {
        client.waiting.drain(..written);
    } else if written < rest.len() {
        client.waiting = rest[written..].to_vec();
    }
    let waits = !client.waiting.is_empty();
    if waits != waited {
        let out = if waits { epoll::EventFlags::OUT } else { epoll::EventFlags::empty() };
        if !waits {
            client.waiting = Vec::new();
        }
        let data = epoll::EventData::new_u64(place as u64);
        return epoll::modify(epoll, &client.stream, data, epoll::EventFlags::IN | out).is_ok();
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_accept_key_is_that_of_the_rfc() {
        let mut reply = Vec::new();
        upgrade(&mut reply, b"GET / HTTP/1.1\r\nHost: x\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==");
        assert!(
            String::from_utf8(reply)
                .unwrap()
                .contains("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n")
        );
    }
}

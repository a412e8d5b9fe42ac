//! The connected clients of one server and the loop that serves them. A client's number is its place; the place
//! of a client that said goodbye is free for the next.

use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, TcpStream};
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rustix::buffer::spare_capacity;
use rustix::event::{PollFd, PollFlags, Timespec, epoll};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketType, sockopt};

use super::client::{Client, Out, Seen};
use super::login::{Device, Login};

/// How many loopback addresses the clients come from, so that ports never run out.
const SOURCES: usize = 200;
/// How long nothing may happen before a measurement gives up.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// Clients of one server.
pub struct Pool {
    epoll: OwnedFd,
    server: SocketAddrV4,
    clients: Vec<Option<Client>>,
    free: Vec<usize>,
    devices: Vec<Device>,
    scratch: Vec<u8>,
    ready: Vec<epoll::Event>,
    upgrade: Vec<u8>,
    opened: usize,
}

impl Pool {
    /// A pool without clients.
    pub fn new(server: SocketAddrV4) -> Result<Self> {
        let upgrade = format!(
            "GET / HTTP/1.1\r\nHost: {server}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        );
        Ok(Self {
            epoll: epoll::create(epoll::CreateFlags::CLOEXEC)?,
            server,
            clients: Vec::new(),
            free: Vec::new(),
            devices: Vec::new(),
            scratch: vec![0; 256 * 1024],
            ready: Vec::with_capacity(1024),
            upgrade: upgrade.into_bytes(),
            opened: 0,
        })
    }

    /// The identities that [`Login::Device`] counts in.
    pub fn set_devices(&mut self, devices: Vec<Device>) {
        self.devices = devices;
    }

    /// How many clients are logged in.
    #[must_use]
    pub fn len(&self) -> usize {
        self.clients.iter().flatten().filter(|client| client.is_open()).count()
    }

    /// Whether nobody is logged in.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes of events that all present clients got so far.
    #[must_use]
    pub fn unasked(&self) -> u64 {
        self.clients.iter().flatten().map(|client| client.unasked).sum()
    }

    /// Opens a connection and begins its handshake; `receive_buffer` limits the kernel's buffer for a client that
    /// is going to stall. Returns its place.
    pub fn open(&mut self, login: Login, receive_buffer: Option<usize>) -> Result<usize> {
        let stream = self.dial(receive_buffer)?;
        let place = self.free.pop().unwrap_or_else(|| {
            self.clients.push(None);
            self.clients.len() - 1
        });
        epoll::add(&self.epoll, &stream, epoll::EventData::new_u64(place as u64), epoll::EventFlags::IN)?;
        self.clients[place] = Some(Client::new(stream, login, &self.upgrade));
        self.flush(place)?;
        Ok(place)
    }

    fn dial(&mut self, receive_buffer: Option<usize>) -> Result<TcpStream> {
        let mut last = Errno::ADDRNOTAVAIL;
        for _ in 0..16 {
            self.opened += 1;
            let source = u8::try_from(1 + self.opened % SOURCES).unwrap_or(1);
            let socket = rustix::net::socket(AddressFamily::INET, SocketType::STREAM, None)?;
            sockopt::set_socket_reuseaddr(&socket, true)?;
            if let Some(size) = receive_buffer {
                sockopt::set_socket_recv_buffer_size(&socket, size)?;
            }
            rustix::net::bind(&socket, &SocketAddrV4::new(Ipv4Addr::new(127, 0, 0, source), 0))?;
            match rustix::net::connect(&socket, &SocketAddr::V4(self.server)) {
                Ok(()) => {
                    let stream = TcpStream::from(socket);
                    stream.set_nonblocking(true)?;
                    stream.set_nodelay(true)?;
                    return Ok(stream);
                }
                Err(error @ (Errno::ADDRNOTAVAIL | Errno::ADDRINUSE)) => last = error,
                Err(error) => return Err(std::io::Error::from(error)).context("cannot connect"),
            }
        }
        Err(std::io::Error::from(last)).context("no free source port for a client")
    }

    /// Logs in `count` more clients, at most 16 of them at a time.
    pub fn connect(&mut self, count: usize, login: Login) -> Result<()> {
        let (mut begun, mut ready) = (0, 0);
        let mut progress = Instant::now();
        while ready < count {
            while begun < count && begun - ready < 16 {
                self.open(login, None)?;
                begun += 1;
            }
            let before = ready;
            self.turn(Duration::from_millis(100), |_, seen, _| {
                ready += usize::from(matches!(seen, Seen::Ready))
            })?;
            if ready > before {
                progress = Instant::now();
            } else if progress.elapsed() > PATIENCE {
                bail!("only {ready} of {count} clients were let in, then none for {PATIENCE:?}");
            }
        }
        Ok(())
    }

    /// Waits up to `timeout` for something to read and tells `tell` about everything that came: the client's
    /// place, what was seen, and where its next requests go.
    pub fn turn(&mut self, timeout: Duration, mut tell: impl FnMut(usize, Seen<'_>, &mut Out)) -> Result<()> {
        let nothing = Timespec { tv_sec: 0, tv_nsec: 0 };
        let mut timeout = Timespec::try_from(timeout).unwrap_or(nothing);
        if timeout.tv_nsec % 1_000_000 != 0 {
            // An epoll wait counts in whole milliseconds; a poll on the epoll set itself does not.
            match rustix::event::poll(&mut [PollFd::new(&self.epoll, PollFlags::IN)], Some(&timeout)) {
                Ok(_) | Err(Errno::INTR) => timeout = nothing,
                Err(error) => return Err(error).context("poll failed"),
            }
        }
        self.ready.clear();
        match epoll::wait(&self.epoll, spare_capacity(&mut self.ready), Some(&timeout)) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(error).context("epoll wait failed"),
        }
        for at in 0..self.ready.len() {
            let event = self.ready[at];
            let (flags, data) = (event.flags, event.data);
            let place = usize::try_from(data.u64()).unwrap_or(usize::MAX);
            let Some(client) = self.clients.get_mut(place).and_then(Option::as_mut) else { continue };
            let inward = epoll::EventFlags::IN | epoll::EventFlags::HUP | epoll::EventFlags::ERR;
            if flags.intersects(inward)
                && !client.receive(&mut self.scratch, &self.devices, &mut |seen, out: &mut Out| {
                    tell(place, seen, out)
                })?
            {
                tell(place, Seen::Closed, &mut Out::default());
                self.clients[place] = None;
                self.free.push(place);
                continue;
            }
            self.flush(place)?;
        }
        Ok(())
    }

    /// Where the next requests of the client at `place` go; [`Pool::flush`] sends them.
    pub fn out(&mut self, place: usize) -> Result<&mut Out> {
        let client = self.clients.get_mut(place).and_then(Option::as_mut);
        Ok(&mut client.with_context(|| format!("there is no client {place}"))?.out)
    }

    /// Sends what waits at `place`, now or when its socket has room.
    pub fn flush(&mut self, place: usize) -> Result<()> {
        let Some(client) = self.clients.get_mut(place).and_then(Option::as_mut) else { return Ok(()) };
        let wants_write = !client.flush()?;
        if wants_write != client.wants_write {
            client.wants_write = wants_write;
            let out = if wants_write { epoll::EventFlags::OUT } else { epoll::EventFlags::empty() };
            let data = epoll::EventData::new_u64(place as u64);
            epoll::modify(&self.epoll, &client.stream, data, epoll::EventFlags::IN | out)?;
        }
        Ok(())
    }

    /// The client at `place` stops reading, as one on a dead phone does.
    pub fn stall(&mut self, place: usize) -> Result<()> {
        let client = self.clients.get(place).and_then(Option::as_ref).context("no such client")?;
        Ok(epoll::delete(&self.epoll, &client.stream)?)
    }

    /// Reads and ignores until nothing came for `quiet`, or for a minute.
    pub fn settle(&mut self, quiet: Duration) -> Result<()> {
        let begin = Instant::now();
        let mut last = begin;
        while last.elapsed() < quiet && begin.elapsed() < Duration::from_secs(60) {
            self.turn(quiet, |_, _, _| last = Instant::now())?;
        }
        Ok(())
    }

    /// Reads and ignores for `time`.
    pub fn idle(&mut self, time: Duration) -> Result<()> {
        let begin = Instant::now();
        while let Some(left) = time.checked_sub(begin.elapsed()) {
            self.turn(left, |_, _, _| {})?;
        }
        Ok(())
    }
}

/// Lets `time` pass without holding anything, while a server starts.
pub fn pause(time: Duration) {
    if let Ok(timeout) = Timespec::try_from(time) {
        let _ = rustix::event::poll(&mut [], Some(&timeout));
    }
}

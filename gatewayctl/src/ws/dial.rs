//! From an address to an open socket: parsing, TCP, TLS, upgrade.

use std::net::SocketAddr;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, lookup_host};
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Error as WsError;
use tokio_tungstenite::tungstenite::http::Uri;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;

use super::error::{Error, TlsProblem};
use super::timing::{Lap, Timing};
use super::tls;

/// The largest answer that is taken from a gateway; the original's clients take as much, so none sends more.
const MAX_MESSAGE: usize = 25 << 20;

/// Anything a WebSocket can run over.
pub trait Socket: AsyncRead + AsyncWrite + Send + Unpin {}
impl<S: AsyncRead + AsyncWrite + Send + Unpin> Socket for S {}

/// The open connection.
pub type Stream = WebSocketStream<Box<dyn Socket>>;

/// Opens a WebSocket to `url`; with TLS it trusts `pin`, or the system's authorities. `timing` tells how far it came.
pub async fn dial(url: &str, pin: Option<&str>, timing: &mut Timing) -> Result<Stream, Error> {
    let address = Address::parse(url)?;
    let mut lap = Lap::start();
    let found: Vec<SocketAddr> = lookup_host((address.host.as_str(), address.port))
        .await
        .map_err(|source| Error::Resolve { host: address.host.clone(), source })?
        .collect();
    timing.resolve = Some(lap.next());
    let connect = |source| Error::Connect { address: address.shown(), source };
    let tcp = TcpStream::connect(found.as_slice()).await.map_err(connect)?;
    timing.tcp = Some(lap.next());
    tcp.set_nodelay(true).map_err(connect)?;
    let socket: Box<dyn Socket> = if address.tls {
        let stream = tls::connector(pin)?.connect(address.name()?, tcp).await;
        let stream = stream.map_err(|error| tls::failure(&error))?;
        timing.tls = Some(lap.next());
        Box::new(stream)
    } else {
        Box::new(tcp)
    };
    let limits =
        WebSocketConfig::default().max_message_size(Some(MAX_MESSAGE)).max_frame_size(Some(MAX_MESSAGE));
    match tokio_tungstenite::client_async_with_config(url, socket, Some(limits)).await {
        Ok((stream, _)) => {
            timing.upgrade = Some(lap.next());
            Ok(stream)
        }
        Err(error) => Err(upgrade_failure(url, &address, error).await),
    }
}

/// Why there is no WebSocket. Whoever is spoken to in clear and wants TLS often just hangs up, so that is asked.
async fn upgrade_failure(url: &str, address: &Address, error: WsError) -> Error {
    if !address.tls && tls::is_spoken(&address.host, address.port).await {
        return Error::Tls { problem: TlsProblem::Expected, why: format!("{} speaks TLS", address.shown()) };
    }
    match error {
        WsError::Http(answer) => Error::NotAGateway(format!("{} ({})", address.shown(), answer.status())),
        WsError::Io(source) => Error::Connect { address: address.shown(), source },
        WsError::Url(why) => Error::Url { url: url.to_owned(), why: why.to_string() },
        _ => Error::NotAGateway(address.shown()),
    }
}

#[derive(Debug, PartialEq, Eq)]
struct Address {
    tls: bool,
    host: String,
    port: u16,
}

impl Address {
    fn parse(url: &str) -> Result<Self, Error> {
        let bad = |why: &str| Error::Url { url: url.to_owned(), why: why.to_owned() };
        let uri: Uri = url.parse().map_err(|_| bad("it is not a URL"))?;
        let tls = match uri.scheme_str() {
            Some("ws") => false,
            Some("wss") => true,
            _ => return Err(bad("it must begin with ws:// or wss://")),
        };
        let host = uri.host().filter(|host| !host.is_empty()).ok_or_else(|| bad("it names no host"))?;
        let host = host.strip_prefix('[').and_then(|h| h.strip_suffix(']')).unwrap_or(host);
        let authority = uri.authority().map(|a| a.as_str()).unwrap_or_default();
        if authority.contains('@') {
            return Err(bad("it must not hold a user name"));
        }
        let port = uri.port_u16().unwrap_or(if tls { 443 } else { 80 });
        Ok(Self { tls, host: host.to_owned(), port })
    }

    fn name(&self) -> Result<ServerName<'static>, Error> {
        ServerName::try_from(self.host.clone())
            .map_err(|error| Error::Tls { problem: TlsProblem::Other, why: error.to_string() })
    }

    fn shown(&self) -> String {
        if self.host.contains(':') {
            format!("[{}]:{}", self.host, self.port)
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_and_shown() {
        let parsed = Address::parse("wss://[::1]:19001/path").expect("is an address");
        assert_eq!(parsed, Address { tls: true, host: "::1".to_owned(), port: 19001 });
        assert_eq!(parsed.shown(), "[::1]:19001");
        assert_eq!(Address::parse("ws://studio").expect("is an address").port, 80);
        for bad in ["http://x", "studio:18789", "ws://", "ws://a b", "", "ws://u:p@host:1"] {
            assert!(matches!(Address::parse(bad), Err(Error::Url { .. })), "{bad}");
        }
    }
}

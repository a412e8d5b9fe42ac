//! One request to a web service and its answer: what asks a model provider, a chat network or a webhook. There is no
//! pool and no session, because nothing here asks twice. Redirects are not followed: a request may carry a secret,
//! and that goes where it was addressed to. Proxies are not used.
//!
//! Addresses and headers may be secrets, so errors name the host alone.

use std::error::Error as _;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use gateway_base::error_chain::Chain;
use gateway_base::redact::Redactor;
use gateway_base::secret::Secret;
use http::header::{self, HeaderName, HeaderValue};
use http::{HeaderMap, Method, StatusCode, Uri};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioIo;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};
use tower::ServiceExt;

use crate::authorities;

/// How long everything may take, unless the request says otherwise.
const LIMIT: Duration = Duration::from_secs(10);
/// How large an answer may be, unless the request says otherwise.
const MAX_ANSWER: usize = 1 << 20;
/// How much of a refusal is repeated in its error.
const MAX_SAID: usize = 300;

/// A request to be sent once.
pub struct Request {
    method: Method,
    url: Secret,
    headers: Vec<(String, Secret)>,
    body: Bytes,
    limit: Duration,
    max_answer: usize,
    roots: Option<RootCertStore>,
}

impl Request {
    /// Asks for `url`, which begins with `http://` or `https://`.
    #[must_use]
    pub fn get(url: &str) -> Self {
        Self::new(Method::GET, url)
    }

    /// Sends something to `url`.
    #[must_use]
    pub fn post(url: &str) -> Self {
        Self::new(Method::POST, url)
    }

    fn new(method: Method, url: &str) -> Self {
        let (headers, body) = (Vec::new(), Bytes::new());
        Self {
            method,
            url: Secret::new(url),
            headers,
            body,
            limit: LIMIT,
            max_answer: MAX_ANSWER,
            roots: None,
        }
    }

    /// Adds a header. Its value is never shown.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), Secret::new(value)));
        self
    }

    /// Adds `Authorization: Bearer <token>`.
    #[must_use]
    pub fn bearer(self, token: &Secret) -> Self {
        let value = format!("Bearer {}", token.expose());
        self.header(header::AUTHORIZATION.as_str(), &value)
    }

    /// Sends `document` as JSON.
    pub fn json(self, document: &impl Serialize) -> Result<Self, Error> {
        let body = serde_json::to_vec(document).map_err(|error| Error::Request(error.to_string()))?;
        Ok(self.bytes("application/json", body))
    }

    /// Sends these bytes, which are of this type.
    #[must_use]
    pub fn bytes(mut self, kind: &str, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self.header(header::CONTENT_TYPE.as_str(), kind)
    }

    /// How long everything together may take.
    #[must_use]
    pub const fn within(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// How many bytes the body of the answer may have.
    #[must_use]
    pub const fn at_most(mut self, bytes: usize) -> Self {
        self.max_answer = bytes;
        self
    }

    /// Trusts these authorities instead of the system's.
    #[must_use]
    pub fn trusting(mut self, roots: RootCertStore) -> Self {
        self.roots = Some(roots);
        self
    }

    /// Sends it and takes the answer, whatever its status is.
    pub async fn send(self) -> Result<Answer, Error> {
        let place = Place::parse(self.url.expose())?;
        let late = Error::Late { host: place.host.clone(), limit: self.limit };
        tokio::time::timeout(self.limit, self.exchange(&place)).await.map_err(|_| late)?
    }

    async fn exchange(self, place: &Place) -> Result<Answer, Error> {
        let tcp = connect(place).await?;
        if !place.tls {
            return self.over(tcp, place).await;
        }
        let tls = |why: String| Error::Tls { host: place.host.clone(), why };
        let roots = self.roots.clone().or_else(authorities::of_system);
        let roots = roots.ok_or_else(|| tls("this system has no certificate authorities".to_owned()))?;
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| tls(error.to_string()))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let name = ServerName::try_from(place.name.clone()).map_err(|error| tls(error.to_string()))?;
        let stream = TlsConnector::from(Arc::new(config)).connect(name, tcp).await;
        self.over(stream.map_err(|error| tls(error.to_string()))?, place).await
    }

    async fn over<S>(self, stream: S, place: &Place) -> Result<Answer, Error>
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let broken = |source| Error::Broken { host: place.host.clone(), source };
        let max = self.max_answer;
        let request = self.into_http(place)?;
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(broken)?;
        let exchange = async move {
            let (head, body) = sender.send_request(request).await.map_err(broken)?.into_parts();
            let body = Limited::new(body, max).collect().await.map_err(|error| match error.downcast() {
                Ok(error) => broken(*error),
                Err(error) if error.is::<LengthLimitError>() => {
                    Error::TooLong { host: place.host.clone(), max }
                }
                Err(error) => Error::Request(error.to_string()),
            })?;
            let (host, body) = (place.host.clone(), body.to_bytes());
            Ok(Answer { host, status: head.status, headers: head.headers, body })
        };
        let mut exchange = pin!(exchange);
        tokio::select! {
            biased;
            done = &mut exchange => done,
            // The connection may end before its last bytes were taken; what went wrong, the exchange is told.
            _ = connection => exchange.await,
        }
    }

    fn into_http(self, place: &Place) -> Result<http::Request<Full<Bytes>>, Error> {
        let bad = |error: http::Error| Error::Request(error.to_string());
        let agent = concat!("gatewayctl/", env!("CARGO_PKG_VERSION"));
        let mut request = http::Request::builder()
            .method(self.method)
            .uri(place.path.as_str())
            .header(header::HOST, &place.host)
            .header(header::USER_AGENT, agent)
            .body(Full::new(self.body))
            .map_err(bad)?;
        for (name, value) in self.headers {
            let mut value = HeaderValue::from_str(value.expose()).map_err(|_| {
                Error::Request(format!(
                    "the value of the header {name} holds a character that is not allowed"
                ))
            })?;
            value.set_sensitive(true);
            let name = HeaderName::from_bytes(name.as_bytes())
                .map_err(|_| Error::Request(format!("{name:?} is not the name of a header")))?;
            request.headers_mut().insert(name, value);
        }
        Ok(request)
    }
}

/// Host and port of an address, if a request can be sent there.
pub fn host_of(url: &str) -> Result<String, Error> {
    Place::parse(url).map(|place| place.host)
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    host: String,
    /// The status code.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The whole body.
    pub body: Bytes,
}

impl Answer {
    /// The answer, if its status says that all went well.
    pub fn success(self) -> Result<Self, Error> {
        if self.status.is_success() {
            return Ok(self);
        }
        Err(Error::Status { status: self.status, said: self.said(), host: self.host })
    }

    /// The body as text; what is no text is replaced by marks.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Error> {
        let bad =
            |error: serde_json::Error| Error::NotJson { host: self.host.clone(), why: error.to_string() };
        serde_json::from_slice(&self.body).map_err(bad)
    }

    /// What there is to say about a refusal: where it points, or the beginning of its text.
    fn said(&self) -> String {
        if let Some(elsewhere) = self.headers.get(header::LOCATION) {
            let elsewhere = String::from_utf8_lossy(elsewhere.as_bytes()).into_owned();
            let host =
                Place::parse(&elsewhere).map_or_else(|_| "another path".to_owned(), |place| place.host);
            return format!("; it points to {host}, and redirects are not followed");
        }
        let text = self.text();
        let text = Redactor::shared().apply(&text);
        let words: Vec<&str> = text.split_whitespace().collect();
        let text: String = words.join(" ").chars().take(MAX_SAID).collect();
        if text.is_empty() || text.starts_with('<') { String::new() } else { format!(": {text}") }
    }
}

/// Why there is no answer, or not the one that was hoped for.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The address makes no sense. It is not repeated: it may be a secret.
    #[error("the address is not usable: {0}")]
    Url(&'static str),
    /// The request could not be made.
    #[error("the request cannot be sent: {0}")]
    Request(String),
    /// The host has no address.
    #[error("{host} cannot be found: {why}; check the spelling and this machine's network")]
    Name {
        /// Host and port.
        host: String,
        /// What the system said.
        why: String,
    },
    /// The connection could not be opened.
    #[error("{host} cannot be reached: {}", reach_words(.source))]
    Connect {
        /// Host and port.
        host: String,
        /// What the system said.
        source: io::Error,
    },
    /// No trustworthy encrypted connection.
    #[error("no trustworthy connection to {host}: {why}")]
    Tls {
        /// Host and port.
        host: String,
        /// What is wrong.
        why: String,
    },
    /// No answer in time.
    #[error("{host} did not answer within {} s", .limit.as_secs_f32())]
    Late {
        /// Host and port.
        host: String,
        /// How long was waited.
        limit: Duration,
    },
    /// The connection ended, or what came over it is not HTTP.
    #[error("{host} broke the conversation off: {}", Chain(.source))]
    Broken {
        /// Host and port.
        host: String,
        /// What happened.
        source: hyper::Error,
    },
    /// The answer is larger than what is taken.
    #[error("{host} sent more than {max} bytes")]
    TooLong {
        /// Host and port.
        host: String,
        /// The limit.
        max: usize,
    },
    /// The answer says that it did not go well.
    #[error("{host} answered {status}{said}")]
    Status {
        /// Host and port.
        host: String,
        /// The status.
        status: StatusCode,
        /// What it said about it, with what joins it to the sentence.
        said: String,
    },
    /// The body is not the JSON that was expected.
    #[error("{host} answered something unexpected: {why}")]
    NotJson {
        /// Host and port.
        host: String,
        /// What is wrong with it.
        why: String,
    },
}

fn reach_words(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => "nothing listens there (connection refused)".to_owned(),
        _ => error.to_string(),
    }
}

/// Opens a connection to the host, over whichever of its addresses answers first.
async fn connect(place: &Place) -> Result<tokio::net::TcpStream, Error> {
    let mut connector = HttpConnector::new();
    connector.enforce_http(false);
    connector.set_nodelay(true);
    let host = place.host.clone();
    match connector.oneshot(place.uri.clone()).await {
        Ok(stream) => Ok(stream.into_inner()),
        Err(error) => match error.source().and_then(|source| source.downcast_ref::<io::Error>()) {
            // A system's own refusal to connect has a number; a name that was not found has only words, or on Windows
            // one of four numbers.
            Some(source) if source.raw_os_error().is_some_and(|code| !is_about_names(code)) => {
                let source =
                    source.raw_os_error().map_or_else(|| source.kind().into(), io::Error::from_raw_os_error);
                Err(Error::Connect { host, source })
            }
            Some(source) if source.kind() == io::ErrorKind::TimedOut => {
                Err(Error::Connect { host, source: io::ErrorKind::TimedOut.into() })
            }
            source => {
                Err(Error::Name { host, why: source.map_or_else(|| error.to_string(), ToString::to_string) })
            }
        },
    }
}

/// Whether a number says that a name was not found: from `WSAHOST_NOT_FOUND` to `WSANO_DATA`.
fn is_about_names(code: i32) -> bool {
    cfg!(windows) && (11_001..=11_004).contains(&code)
}

/// Where a request goes.
#[derive(Debug, PartialEq, Eq)]
struct Place {
    tls: bool,
    /// Without a port and without brackets.
    name: String,
    /// As the `Host` header has it.
    host: String,
    path: String,
    uri: Uri,
}

impl Place {
    fn parse(url: &str) -> Result<Self, Error> {
        let uri: Uri = url.trim().parse().map_err(|_| Error::Url("it is not a URL"))?;
        let tls = match uri.scheme_str() {
            Some("http") => false,
            Some("https") => true,
            _ => return Err(Error::Url("it must begin with http:// or https://")),
        };
        let authority = uri.authority().ok_or(Error::Url("it names no host"))?;
        if authority.as_str().contains('@') {
            return Err(Error::Url("it must not hold a user name; use a header"));
        }
        let host = authority.host();
        let name = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host).to_owned();
        if name.is_empty() {
            return Err(Error::Url("it names no host"));
        }
        let path = uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
        let path = if path.starts_with('/') { path } else { format!("/{path}") };
        Ok(Self { tls, name, host: authority.as_str().to_owned(), path, uri })
    }
}

#[cfg(test)]
mod tests;

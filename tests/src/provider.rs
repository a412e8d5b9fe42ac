//! A stand-in for a model provider: answers every request with one status, and remembers what it was asked.

use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Result;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// A provider on this machine. Dropping it ends it.
#[derive(Debug)]
pub struct Provider {
    port: u16,
    heads: Arc<Mutex<Vec<String>>>,
    server: JoinHandle<()>,
}

impl Provider {
    /// Starts one that answers with this status and body.
    pub async fn start(status: u16, body: &'static str) -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let port = listener.local_addr()?.port();
        let heads = Arc::<Mutex<Vec<String>>>::default();
        let seen = heads.clone();
        #[allow(clippy::disallowed_methods, reason = "a test has no supervised tasks")]
        let server = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                // A client that breaks off is its own test's business.
                let _ = answer(stream, status, body, &seen).await;
            }
        });
        Ok(Self { port, heads, server })
    }

    /// Its address.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The heads of the requests so far, in lower case.
    #[must_use]
    pub fn heads(&self) -> Vec<String> {
        self.heads.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

async fn answer(mut stream: TcpStream, status: u16, body: &str, seen: &Mutex<Vec<String>>) -> Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await?);
    }
    let head = String::from_utf8_lossy(&head).to_ascii_lowercase();
    seen.lock().unwrap_or_else(PoisonError::into_inner).push(head);
    let length = body.len();
    let answer =
        format!("HTTP/1.1 {status} X\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}");
    stream.write_all(answer.as_bytes()).await?;
    stream.shutdown().await?;
    Ok(())
}

impl Drop for Provider {
    fn drop(&mut self) {
        self.server.abort();
    }
}

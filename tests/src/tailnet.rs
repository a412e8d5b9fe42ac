//! A tailnet that exists only in a test: a program in Tailscale's place that follows its reference, and a reverse proxy
//! that does with a request what Tailscale's own does.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use crate::home::Home;

/// The name of this machine.
pub const HOST: &str = "box.tail1.ts.net";
/// A device of Ada's.
pub const ADA: &str = "100.64.0.7";
/// Ada, as whois spells her.
pub const LOGIN: &str = "ada@example.com";

/// The answer of a machine that is connected.
pub const STATUS: &str = r#"{ "Version": "1.80.3", "TUN": true, "BackendState": "Running", "HaveNodeKey": true, "AuthURL": "",
  "TailscaleIPs": ["100.64.0.1", "fd7a:115c:a1e0::1"],
  "Self": { "ID": "n1", "HostName": "box", "DNSName": "box.tail1.ts.net.", "OS": "linux", "UserID": 1,
    "TailscaleIPs": ["100.64.0.1", "fd7a:115c:a1e0::1"], "Tags": null, "Online": true,
    "CapMap": { "https": null, "funnel": null, "https://tailscale.com/cap/funnel-ports?ports=443,8443,10000": null } },
  "Health": [], "MagicDNSSuffix": "tail1.ts.net", "CertDomains": ["box.tail1.ts.net"],
  "CurrentTailnet": { "Name": "example.com", "MagicDNSSuffix": "tail1.ts.net", "MagicDNSEnabled": true },
  "Peer": null, "User": { "1": { "ID": 1, "LoginName": "ada@example.com" } }, "ClientVersion": null }"#;

const PROGRAM: &str = r#"#!/bin/sh
here=$(dirname "$0")
echo "$@" >> "$here/calls"
if [ -e "$here/$1.sh" ]; then . "$here/$1.sh"; fi
case "$*" in
"status --json") cat "$here/status.json" ;;
"whois --json 100.64.0.7") echo '{ "Node": { "ID": 7, "Name": "phone.tail1.ts.net.", "Tags": null },
  "UserProfile": { "ID": 1, "LoginName": "ada@example.com", "DisplayName": "Ada" }, "CapMap": null }' ;;
"whois --json "*) echo 'peer not found' >&2; exit 1 ;;
"serve --https=443 off"|"funnel --https=443 off") rm "$here/published" ;;
"serve --bg --yes "*) echo "$*" > "$here/published"; echo 'Available within your tailnet:' ;;
"funnel --bg --yes "*) echo "$*" > "$here/published"; echo 'Available on the internet:' ;;
*) echo "unknown: $*" >&2; exit 2 ;;
esac
"#;

/// A folder with the program.
#[derive(Debug)]
pub struct Tailscale {
    folder: PathBuf,
}

impl Tailscale {
    /// Puts the program into a home folder.
    pub fn install(home: &Home) -> Result<Self> {
        home.write("tools/status.json", STATUS)?;
        home.write("tools/program", PROGRAM)?;
        let folder = home.path().join("tools");
        // Copied by another process: a file that this one has open for writing could not be run.
        let (from, to) = (folder.join("program"), folder.join("tailscale"));
        let copied = Command::new("install").args(["-m", "755"]).arg(from).arg(to).status()?;
        ensure!(copied.success(), "the program is in place");
        Ok(Self { folder })
    }

    /// Lets the subcommand `word` begin with these lines of shell.
    pub fn script(&self, word: &str, lines: &str) -> Result<()> {
        Ok(std::fs::write(self.folder.join(format!("{word}.sh")), lines)?)
    }

    /// The search path with the program first.
    #[must_use]
    pub fn path(&self) -> String {
        format!("{}:{}", self.folder.display(), std::env::var("PATH").unwrap_or_default())
    }

    /// The words it was called with, call by call.
    #[must_use]
    pub fn calls(&self) -> Vec<String> {
        let text = std::fs::read_to_string(self.folder.join("calls")).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    /// The command that published something, unless it was taken back.
    #[must_use]
    pub fn published(&self) -> Option<String> {
        std::fs::read_to_string(self.folder.join("published")).ok().map(|text| text.trim().to_owned())
    }
}

/// Who is said to send the requests.
#[derive(Clone, Debug)]
pub struct Sender {
    /// Their address.
    pub address: String,
    /// Their login, unless their device has none.
    pub login: Option<String>,
    /// They come from the internet.
    pub funnel: bool,
}

impl Sender {
    /// Somebody of the tailnet.
    #[must_use]
    pub fn new(address: &str, login: &str) -> Self {
        Self { address: address.to_owned(), login: Some(login.to_owned()), funnel: false }
    }

    fn headers(&self) -> String {
        let mut text = format!(
            "X-Forwarded-For: {}\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: {HOST}\r\n",
            self.address
        );
        if self.funnel {
            text += "Tailscale-Funnel-Request: ?1\r\n";
        } else if let Some(login) = &self.login {
            text += &format!("Tailscale-User-Login: {login}\r\nTailscale-User-Name: Somebody\r\n");
            text += "Tailscale-Headers-Info: https://tailscale.com/s/serve-headers\r\n";
        }
        text
    }
}

/// A reverse proxy on this machine. It ends with this value.
#[derive(Debug)]
pub struct Proxy {
    /// Where it listens.
    pub port: u16,
    serving: JoinHandle<()>,
}

impl Proxy {
    /// Forwards to the daemon on `gateway` in the name of `sender`.
    pub async fn start(gateway: u16, sender: Sender) -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let port = listener.local_addr()?.port();
        #[allow(clippy::disallowed_methods, reason = "a test has no supervisor")]
        let serving = tokio::spawn(async move {
            let mut open = tokio::task::JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                open.spawn(forward(client, gateway, sender.clone()));
            }
        });
        Ok(Self { port, serving })
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn forward(mut client: TcpStream, gateway: u16, sender: Sender) -> Result<()> {
    let mut read = Vec::new();
    let end = loop {
        if let Some(at) = read.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
            break at;
        }
        if client.read_buf(&mut read).await? == 0 {
            bail!("the request has no end");
        }
    };
    let head = std::str::from_utf8(read.get(..end).context("a head")?)?;
    let ours = |line: &&str| {
        let name = line.split(':').next().unwrap_or_default().to_ascii_lowercase();
        name == "host" || name.starts_with("tailscale-") || name.starts_with("x-forwarded")
    };
    let kept: Vec<&str> = head.split("\r\n").filter(|line| !ours(line)).collect();
    let head = format!("{}\r\nHost: {HOST}\r\n{}\r\n", kept.join("\r\n"), sender.headers());
    let mut server = TcpStream::connect(("127.0.0.1", gateway)).await?;
    server.write_all(head.as_bytes()).await?;
    server.write_all(read.get(end + 4..).unwrap_or_default()).await?;
    tokio::io::copy_bidirectional(&mut client, &mut server).await?;
    Ok(())
}

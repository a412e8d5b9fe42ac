//! What the gateway says about the machine it runs on.

use std::net::IpAddr;
use std::time::Duration;

use gateway_base::env::Env;
use gateway_base::net;
use gateway_base::program::{self, Call, End, Variables};
use gateway_domain::presence::Own;

/// This machine and this gateway, for the presence list and `hello-ok`.
#[must_use]
pub fn own(env: &Env, addresses: &[IpAddr]) -> Own {
    let (host, release) = system(env);
    let (os, family) = match std::env::consts::OS {
        "macos" => ("macos", "Mac"),
        "windows" => ("windows", "Windows"),
        "linux" => ("linux", "Linux"),
        other => (other, other),
    };
    Own {
        host,
        ip: net::lan_addresses(addresses).first().map(ToString::to_string),
        version: env.get("CLAWDBOT_VERSION").unwrap_or(env!("CARGO_PKG_VERSION")).to_owned(),
        platform: format!("{os} {release}").trim_end().to_owned(),
        device_family: family.to_owned(),
        model_identifier: architecture().to_owned(),
    }
}

/// The machine's name.
#[must_use]
pub fn name(env: &Env) -> String {
    system(env).0
}

/// The name that people gave the machine, where the system keeps one beside that of the network.
pub async fn given_name() -> Option<String> {
    if !cfg!(target_os = "macos") {
        return None;
    }
    for kind in ["ComputerName", "LocalHostName"] {
        let call = Call {
            variables: Variables::Whole(Env::default()),
            time: Duration::from_secs(1),
            size: 1024,
            ..Call::new("/usr/sbin/scutil", ["--get", kind])
        };
        if let Ok(ran) = program::run(&call).await
            && ran.end == End::Success
            && !ran.stdout.trim().is_empty()
        {
            return Some(ran.stdout.trim().to_owned());
        }
    }
    None
}

/// The machine's name and the release of its system.
#[cfg(unix)]
fn system(_: &Env) -> (String, String) {
    let system = rustix::system::uname();
    (system.nodename().to_string_lossy().into_owned(), system.release().to_string_lossy().into_owned())
}

/// The machine's name. The release of the system cannot be asked for without a call into its library.
#[cfg(not(unix))]
fn system(env: &Env) -> (String, String) {
    (env.get("COMPUTERNAME").unwrap_or("localhost").to_owned(), String::new())
}

/// The processor in the words clients know.
fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "x64",
        "aarch64" => "arm64",
        "x86" => "ia32",
        other => other,
    }
}

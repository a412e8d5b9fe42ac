//! What is to be told, and to whom, as the configuration and the environment say at the start.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use gateway_adapters::tailscale::Tailscale;
use gateway_base::clock::Clock;
use gateway_base::env::Env;
use gateway_base::net;
use gateway_config::sections::{self, MdnsMode};
use gateway_discovery::Facts;
use gateway_server::tls::Tls;

use crate::machine;
use crate::start::{Boot, Ownership};

/// How long the start of an announcement waits for the machine's name in the tailnet.
const TAILNET_NAME: Duration = Duration::from_millis(1500);
/// The port of an SSH server that does not say otherwise.
const SSH: u16 = 22;
/// The controller's program.
const CLI: &str = "gatewayctl";

/// What is told, and to whom.
#[derive(Clone)]
pub struct Options {
    /// What the local network hears.
    pub local: Option<Facts>,
    /// What the tailnet reads.
    pub zone: Option<ZoneOptions>,
    /// Asked for the machine's name in the tailnet.
    tailscale: Option<Tailscale>,
}

/// What the zone is made of.
#[derive(Clone)]
pub struct ZoneOptions {
    /// Where it is written.
    pub path: PathBuf,
    /// What it says.
    pub facts: Facts,
    /// The machine's first address in the tailnet.
    pub ipv4: Option<Ipv4Addr>,
    /// Its first other address there.
    pub ipv6: Option<Ipv6Addr>,
    /// Numbers its versions.
    pub clock: Clock,
}

impl Options {
    /// What this start asks for, or `None` when nothing is to be told. A second instance in the same state folder
    /// leaves the zone to the first.
    #[must_use]
    pub fn of(
        boot: &Boot,
        config: sections::Discovery,
        tls: Option<&Tls>,
        addresses: &[IpAddr],
        tailscale: &Tailscale,
    ) -> Option<Self> {
        let env = &boot.env;
        let machine = machine::name(env);
        let tailnet_dns = env.get("CLAWDBOT_TAILNET_DNS").map(|name| name.trim_end_matches('.').to_owned());
        let asks = boot.exposure.reach.is_some() && tailnet_dns.is_none();
        let ssh_port = env.get("CLAWDBOT_SSH_PORT").and_then(|port| port.trim().parse().ok());
        let facts = Facts {
            display_name: machine.strip_suffix(".local").unwrap_or(&machine).to_owned(),
            machine,
            port: boot.port,
            tls_fingerprint: tls.map(|tls| tls.fingerprint.clone()),
            tailnet_dns,
            cli_path: cli(env, &boot.program),
            ssh_port,
        };
        let local = match config.mdns {
            _ if env.truthy("CLAWDBOT_DISABLE_BONJOUR") => None,
            MdnsMode::Off => None,
            MdnsMode::Minimal => Some(Facts { cli_path: None, ssh_port: None, ..facts.clone() }),
            MdnsMode::Full => Some(Facts { ssh_port: ssh_port.or(Some(SSH)), ..facts.clone() }),
        };
        let wanted = config.wide_area && matches!(boot.ownership, Ownership::Primary);
        let mut tailnet = addresses.iter().copied().filter(|ip| net::is_tailnet(*ip));
        let zone = wanted.then(|| ZoneOptions {
            path: boot.paths.state.join("dns").join("clawdbot.internal.db"),
            facts,
            ipv4: tailnet.clone().find_map(|ip| match ip {
                IpAddr::V4(ip) => Some(ip),
                IpAddr::V6(_) => None,
            }),
            ipv6: tailnet.find_map(|ip| match ip {
                IpAddr::V6(ip) => Some(ip),
                IpAddr::V4(_) => None,
            }),
            clock: boot.clock.clone(),
        });
        let tailscale = asks.then(|| tailscale.clone());
        (local.is_some() || zone.is_some()).then_some(Self { local, zone, tailscale })
    }

    /// The machine's name in the tailnet, where that has to be asked for.
    pub async fn tailnet_name(&self) -> Option<String> {
        let status = tokio::time::timeout(TAILNET_NAME, self.tailscale.as_ref()?.status()).await;
        status.ok()?.ok()?.name
    }
}

fn cli(env: &Env, program: &Path) -> Option<String> {
    let beside =
        || program.parent().map(|folder| folder.join(CLI).with_extension(std::env::consts::EXE_EXTENSION));
    let found =
        env.get("CLAWDBOT_CLI_PATH").map(PathBuf::from).or_else(|| beside().filter(|path| path.exists()));
    found.map(|path| path.display().to_string())
}

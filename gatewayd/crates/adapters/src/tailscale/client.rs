//! Calls the program. It is looked for at every call, because it may be installed while the gateway runs.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use gateway_base::env::Env;
use gateway_base::net;
use gateway_base::program::{self, Call, End, Ran, Variables};
use gateway_domain::ports::BoxFuture;
use gateway_domain::ports::tailnet::{Unknown, User, Whois};

use super::Reach;
use super::answer::{self, Status};
use super::problem::Problem;

/// The program inside the application of macOS, which puts none on the `PATH`.
const APPLICATION: &str = "/Applications/Tailscale.app/Contents/MacOS/Tailscale";

const ASK: Duration = Duration::from_secs(5);
const CHANGE: Duration = Duration::from_secs(15);
/// The status names every device of the tailnet.
const STATUS_SIZE: usize = 8 * 1024 * 1024;
const SIZE: usize = 1024 * 1024;

/// The port that a name of the tailnet is reached by.
const PUBLIC_PORT: &str = "--https=443";

/// The program, as it is found in this environment.
#[derive(Clone, Debug)]
pub struct Tailscale {
    env: Env,
}

/// Where the gateway listens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target {
    /// A loopback address.
    pub address: SocketAddr,
    /// It speaks TLS, with a certificate that nobody else knows.
    pub tls: bool,
}

impl Target {
    /// The form that Tailscale takes; a port alone means plain HTTP on 127.0.0.1.
    pub(super) fn argument(self) -> String {
        let (host, port) = (net::url_host(self.address.ip()), self.address.port());
        match (self.tls, self.address.ip()) {
            (false, IpAddr::V4(Ipv4Addr::LOCALHOST)) => port.to_string(),
            (false, _) => format!("http://{host}:{port}"),
            (true, _) => format!("https+insecure://{host}:{port}"),
        }
    }
}

impl Tailscale {
    /// Found through the `PATH` of `env`. The gateway's own variables, which may be secret, are not passed on.
    #[must_use]
    pub fn new(env: &Env) -> Self {
        let passed = env.iter().filter(|(name, _)| !name.starts_with("CLAWDBOT_"));
        Self { env: Env::from_pairs(passed) }
    }

    /// How this machine's Tailscale is. One that is not connected is a problem.
    pub async fn status(&self) -> Result<Status, Problem> {
        let arguments = ["status", "--json"];
        let ran = self.tailscale(&arguments, ASK, STATUS_SIZE).await?;
        // A service that is not connected may end with an error although it says how it is.
        match answer::status(&ran.stdout) {
            Some(status) if ran.end != End::TooMuch => {
                Problem::of_backend(&status.backend).map_or(Ok(status), Err)
            }
            _ if ran.end == End::Success => Err(nonsense(&arguments)),
            _ => Err(Problem::of_run(&typed(&arguments), ASK.as_secs(), &ran)),
        }
    }

    /// Publishes `target`. `status` helps to tell why it did not work.
    pub async fn publish(&self, reach: Reach, target: Target, status: &Status) -> Result<(), Problem> {
        let target = target.argument();
        let outcome = self.change(&[reach.word(), "--bg", "--yes", &target]).await;
        outcome.map_err(|problem| problem.given(status, reach == Reach::Funnel))
    }

    /// Takes back what was published, and nothing that others published.
    pub async fn withdraw(&self, reach: Reach) -> Result<(), Problem> {
        self.change(&[reach.word(), PUBLIC_PORT, "off"]).await
    }

    /// Changes the settings, once more through `sudo` where this user has no right to and needs no password for that.
    async fn change(&self, arguments: &[&str]) -> Result<(), Problem> {
        let ran = self.tailscale(arguments, CHANGE, SIZE).await?;
        if ran.end == End::Success {
            return Ok(());
        }
        let problem = Problem::of_run(&typed(arguments), CHANGE.as_secs(), &ran);
        if problem == Problem::NoRights
            && let (Some(sudo), Some(program)) = (self.on_path("sudo"), self.program())
        {
            let program = program.display().to_string();
            let all: Vec<&str> = ["-n", &program].into_iter().chain(arguments.iter().copied()).collect();
            let again = program::run(&self.call(sudo, &all, CHANGE, SIZE)).await;
            if again.is_ok_and(|ran| ran.end == End::Success) {
                return Ok(());
            }
        }
        Err(problem)
    }

    async fn tailscale(&self, arguments: &[&str], time: Duration, size: usize) -> Result<Ran, Problem> {
        let program = self.program().ok_or(Problem::Missing)?;
        let shown = program.display().to_string();
        let call = self.call(program, arguments, time, size);
        program::run(&call).await.map_err(|error| Problem::Broken(format!("{shown} ({error})")))
    }

    fn call(&self, program: PathBuf, arguments: &[&str], time: Duration, size: usize) -> Call {
        let mut variables = self.env.clone();
        // Answers are compared with words, so they must not be translated.
        variables.set("LC_ALL", "C");
        Call {
            variables: Variables::Whole(variables),
            time,
            size,
            ..Call::new(program, arguments.iter().copied())
        }
    }

    fn program(&self) -> Option<PathBuf> {
        let application = || Some(PathBuf::from(APPLICATION)).filter(|path| is_program(path));
        self.on_path("tailscale").or_else(application)
    }

    /// Folders that are not absolute would depend on where the gateway was started.
    fn on_path(&self, name: &str) -> Option<PathBuf> {
        let folders = std::env::split_paths(self.env.get("PATH")?).filter(|folder| folder.is_absolute());
        folders.map(|folder| folder.join(name)).find(|path| is_program(path))
    }
}

impl Whois for Tailscale {
    fn whois(&self, address: IpAddr) -> BoxFuture<'_, Result<Option<User>, Unknown>> {
        Box::pin(async move {
            let address = address.to_string();
            let arguments = ["whois", "--json", &address];
            let unknown = |problem: Problem| Unknown(problem.to_string());
            let ran = self.tailscale(&arguments, ASK, SIZE).await.map_err(unknown)?;
            match ran.end {
                End::Success => answer::whois(&ran.stdout).map_err(|()| unknown(nonsense(&arguments))),
                End::Failure(_) if ran.stderr.contains("peer not found") => Ok(None),
                _ => Err(unknown(Problem::of_run(&typed(&arguments), ASK.as_secs(), &ran))),
            }
        })
    }
}

fn is_program(path: &Path) -> bool {
    let Ok(about) = path.metadata() else { return false };
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        about.is_file() && about.permissions().mode() & 0o111 != 0
    }
    #[cfg(not(unix))]
    {
        about.is_file()
    }
}

fn typed(arguments: &[&str]) -> String {
    format!("tailscale {}", arguments.join(" "))
}

fn nonsense(arguments: &[&str]) -> Problem {
    Problem::Nonsense { command: typed(arguments), why: "gave an answer that cannot be read" }
}

//! The states of a machine, each produced for real: daemons, disks, clocks, keys and servers as they fail.

use std::any::Any;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command as Plain, Stdio};
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use gateway_tests::binaries;
use gateway_tests::daemon::{Daemon, free_port};
use gateway_tests::faults::{Faults, Hang};
use gateway_tests::home::{Home, TOKEN};
use gateway_tests::program::Program;
use gateway_tests::wait::until;
use rustix::io::Errno;
use rustix::process::Signal;
use serde_json::{Value, json};
use tokio::process::{Child, Command};

/// A state of the machine that lasts as long as this does, and how to ask about it.
pub struct Scene {
    pub home: Arc<Home>,
    pub args: Vec<String>,
    pub env: Vec<(String, String)>,
    alive: Vec<Box<dyn Any>>,
}

impl Scene {
    /// Nothing runs in this home. A service manager cannot be asked, as in a container.
    pub fn new(home: Arc<Home>) -> Result<Self> {
        let systemctl = home.path().join("tools/systemctl");
        home.write(
            "tools/systemctl",
            "#!/bin/sh\necho 'Failed to connect to bus: No medium found' >&2\nexit 1\n",
        )?;
        fs::set_permissions(&systemctl, fs::Permissions::from_mode(0o755))?;
        let tools = home.path().join("tools").display().to_string();
        let env = vec![("PATH".to_owned(), tools)];
        Ok(Self { home, args: Vec::new(), env, alive: Vec::new() }.port(free_port()?))
    }

    /// A daemon runs.
    pub fn of(daemon: Daemon) -> Result<Self> {
        let (home, port) = (daemon.home.clone(), daemon.port);
        Ok(Self::new(home)?.port(port).with(daemon))
    }

    /// The same, asked with these words.
    pub fn args<S: Into<String>>(mut self, args: impl IntoIterator<Item = S>) -> Self {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }

    /// The same, where the shell names this port.
    pub fn port(mut self, port: u16) -> Self {
        self.env.retain(|(name, _)| name != "CLAWDBOT_GATEWAY_PORT");
        self.env.push(("CLAWDBOT_GATEWAY_PORT".to_owned(), port.to_string()));
        self
    }

    /// The same, as long as this lives too.
    pub fn with(mut self, alive: impl Any) -> Self {
        self.alive.push(Box::new(alive));
        self
    }

    /// A client elsewhere that knows only an address.
    pub fn at(url: String) -> Result<Self> {
        Ok(Self::new(Arc::new(Home::new()?))?.args(["--url".to_owned(), url]))
    }
}

/// Nothing runs.
pub fn nothing() -> Result<Scene> {
    Scene::new(Arc::new(Home::configured()?))
}

/// The user's unit runs this program.
pub async fn service(program: Option<&str>) -> Result<Scene> {
    let scene = nothing()?;
    let own = binaries::folder().await?.join("gatewayd").display().to_string();
    let unit = format!("[Service]\nExecStart={} gateway\n", program.unwrap_or(&own));
    scene.home.write(".config/systemd/user/clawdbot-gateway.service", &unit)?;
    Ok(scene)
}

/// The configuration file is broken, and nothing runs.
pub fn broken() -> Result<Scene> {
    let scene = nothing()?;
    scene.home.write_config("{ gateway: {")?;
    Ok(scene)
}

/// A daemon runs.
pub async fn running() -> Result<Scene> {
    Scene::of(Daemon::start().await?)
}

/// A daemon runs, and its private socket is gone.
pub async fn without_socket() -> Result<Scene> {
    let scene = running().await?;
    fs::remove_file(scene.home.state().join("run/admin.sock"))?;
    Ok(scene)
}

/// A daemon runs, without a private socket and on a port that nobody knows here.
pub async fn lost() -> Result<Scene> {
    Ok(without_socket().await?.port(free_port()?))
}

/// Nothing of this home runs, and the daemon of another home has the port. It has another secret, or the same.
pub async fn other_gateway(same_secret: bool) -> Result<Scene> {
    let other = Daemon::start().await?;
    let scene = nothing()?.port(other.port);
    if !same_secret {
        scene.home.write_config("{ gateway: { mode: 'local', auth: { token: 'another' } } }")?;
    }
    Ok(scene.with(other))
}

/// A daemon runs, and the daemon of another home has the port that the shell names.
pub async fn two_gateways() -> Result<Scene> {
    let other = Daemon::start().await?;
    let port = other.port;
    Ok(running().await?.port(port).with(other))
}

/// Two daemons run from one configuration.
pub async fn two_of_one() -> Result<Scene> {
    let first = Daemon::start().await?;
    let second = Daemon::builder().home(first.home.clone()).start().await?;
    Ok(Scene::of(first)?.with(second))
}

/// A change was on trial when the power went.
pub async fn cut_off_trial() -> Result<Scene> {
    let mut daemon = Daemon::start().await?;
    try_change(&daemon).await?;
    daemon.kill().await?;
    Scene::of(daemon)
}

/// A signal stopped the daemon, and it can do nothing.
pub async fn frozen() -> Result<Scene> {
    let daemon = Daemon::start().await?;
    daemon.signal(Signal::STOP)?;
    Ok(Scene::of(daemon)?.args(["--timeout", "1000"]))
}

/// Starts a daemon of this scene and does not wait until it is ready.
async fn spawn(scene: &Scene, program: Option<&Path>, faults: Option<&Faults>) -> Result<Child> {
    let mut command = Program::Gatewayd.command(&scene.home).await?;
    if let Some(program) = program {
        let (mut own, env) = (Command::new(program), command.as_std().get_envs());
        own.env_clear()
            .envs(env.filter_map(|(name, value)| Some((name, value?))))
            .current_dir(scene.home.path());
        command = own;
    }
    for (name, value) in faults.map(Faults::environment).unwrap_or_default() {
        command.env(name, value);
    }
    let port = scene.env.iter().find(|(name, _)| name == "CLAWDBOT_GATEWAY_PORT").context("a port")?;
    command.args(["--port", &port.1]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.kill_on_drop(true).spawn().context("starting gatewayd")
}

/// The disk of the store does not answer, so a daemon cannot finish its start.
pub async fn starting() -> Result<Scene> {
    let scene = nothing()?;
    let faults = Faults::of(&scene.home).await?;
    faults.hangs(Hang::Store)?;
    let child = spawn(&scene, None, Some(&faults)).await?;
    let socket = scene.home.state().join("run/admin.sock");
    until("the daemon's socket", || async { Ok(socket.exists().then_some(())) }).await?;
    Ok(scene.args(["--timeout", "1000"]).with((child, faults)))
}

/// The disk of the lock does not answer, so a daemon that was asked to stop cannot finish its end.
pub async fn stopping() -> Result<Scene> {
    let home = Arc::new(Home::configured()?);
    let faults = Faults::of(&home).await?;
    faults.hangs(Hang::Lock)?;
    let daemon = Daemon::builder().home(home).faults(&faults).start().await?;
    daemon.signal(Signal::TERM)?;
    let socket = daemon.home.state().join("run/admin.sock");
    until("the daemon's socket to be gone", || async { Ok((!socket.exists()).then_some(())) }).await?;
    Ok(Scene::of(daemon)?.with(faults))
}

/// A daemon runs from a program that was replaced on disk since.
pub async fn replaced() -> Result<Scene> {
    let scene = nothing()?;
    let own = binaries::folder().await?.join("gatewayd");
    let installed = scene.home.path().join("gatewayd");
    fs::copy(&own, &installed)?;
    let child = spawn(&scene, Some(&installed), None).await?;
    serves(&scene).await?;
    let new = scene.home.path().join("gatewayd.new");
    fs::write(&new, "another release")?;
    fs::rename(new, installed)?;
    Ok(scene.with(child))
}

/// A daemon of another release runs: the same program, with another number in it.
pub async fn other_version() -> Result<Scene> {
    let scene = nothing()?;
    let own = binaries::folder().await?.join("gatewayd");
    let old = scene.home.path().join("gatewayd");
    let number = env!("CARGO_PKG_VERSION");
    let edit = format!("s/{}/{}/g", number.replace('.', r"\."), "0.0.9");
    ensure!(number.len() == "0.0.9".len(), "nothing else may move in the file");
    let file = fs::File::create(&old)?;
    let edited = Plain::new("sed").arg(edit).arg(own).env("LC_ALL", "C").stdout(file).status()?;
    ensure!(edited.success(), "sed ends with {edited}");
    fs::set_permissions(&old, fs::Permissions::from_mode(0o755))?;
    let child = spawn(&scene, Some(&old), None).await?;
    serves(&scene).await?;
    Ok(scene.with(child))
}

async fn serves(scene: &Scene) -> Result<()> {
    until("the daemon to serve", || async {
        let seen = Program::Gatewayctl.run(&scene.home, &["health", "--ready"]).await?;
        Ok((seen.code == Some(0)).then_some(()))
    })
    .await
}

/// The disk answers `error` to every write.
pub async fn disk(error: Errno) -> Result<Scene> {
    let (scene, faults) = bad_disk(error).await?;
    Ok(scene.with(faults))
}

async fn bad_disk(error: Errno) -> Result<(Scene, Faults)> {
    let home = Arc::new(Home::configured()?);
    let faults = Faults::of(&home).await?;
    let daemon = Daemon::builder().home(home).faults(&faults).start().await?;
    // The device of the controller is known before.
    daemon.ctl(&["status"]).await?;
    faults.disk(error)?;
    // Whether a write fails is known once one is tried.
    daemon
        .admin()
        .await?
        .call("voicewake.set", &json!({ "triggers": ["x"] }))
        .await
        .err()
        .context("refused")?;
    until("the store's trouble", || async {
        let seen = daemon.ctl(&["health", "--part", "store", "--json"]).await?;
        Ok(seen.stdout.contains("degraded").then_some(()))
    })
    .await?;
    Ok((Scene::of(daemon)?, faults))
}

/// The controller's own first steps fail on such a disk too.
pub async fn no_room_for_a_key() -> Result<Scene> {
    let (mut scene, faults) = bad_disk(Errno::NOSPC).await?;
    fs::remove_dir_all(scene.home.state().join("identity")).context("what the controller made")?;
    scene.env.extend(faults.environment().iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
    Ok(scene.with(faults))
}

/// The controller cannot make its key.
pub async fn no_key() -> Result<Scene> {
    let scene = running().await?;
    scene.home.write(".clawdbot/identity", "a file where a folder should be")?;
    Ok(scene)
}

/// A full disk, and a client elsewhere whose device is new.
pub async fn no_room_for_a_device() -> Result<Scene> {
    let full = disk(Errno::NOSPC).await?;
    let port = full.env.iter().find(|(name, _)| name == "CLAWDBOT_GATEWAY_PORT").context("a port")?;
    let url = format!("ws://127.0.0.1:{}", port.1);
    Ok(Scene::at(url)?.args(["--token", TOKEN]).with(full))
}

/// The file is broken and the daemon was started with it.
pub async fn last_good() -> Result<Scene> {
    let mut daemon = Daemon::start().await?;
    daemon.stop().await?;
    daemon.home.write_config("{ gateway: {")?;
    daemon.start_again().await?;
    Scene::of(daemon)
}

/// The file was broken under the running daemon.
pub async fn broken_reload() -> Result<Scene> {
    let daemon = Daemon::start().await?;
    daemon.home.write_config("{ gateway: {")?;
    daemon.ctl(&["reload"]).await?;
    Scene::of(daemon)
}

/// A change waits to be confirmed.
pub async fn on_trial() -> Result<Scene> {
    let daemon = Daemon::start().await?;
    try_change(&daemon).await?;
    Scene::of(daemon)
}

async fn try_change(daemon: &Daemon) -> Result<()> {
    let new = "{ gateway: { mode: 'local', auth: { mode: 'token', token: 'new' } } }\n";
    daemon.home.write("new.json5", new)?;
    let seen = daemon.ctl(&["config", "apply", "new.json5", "--confirm-within", "60m"]).await?;
    ensure!(seen.code == Some(0), "{seen:?}");
    Ok(())
}

/// The clock of the daemon is a day off.
pub async fn clock() -> Result<Scene> {
    let home = Arc::new(Home::configured()?);
    let faults = Faults::of(&home).await?;
    let daemon = Daemon::builder().home(home).faults(&faults).start().await?;
    faults.clock(24 * 60 * 60)?;
    Ok(Scene::of(daemon)?.with(faults))
}

/// The log cannot be written.
pub async fn no_log() -> Result<Scene> {
    let home = Arc::new(Home::new()?);
    // A folder where the file should be.
    fs::create_dir_all(home.path().join("gateway.log"))?;
    let log = home.path().join("gateway.log");
    home.write_config(&format!(
        "{{ gateway: {{ mode: 'local', auth: {{ token: '{TOKEN}' }} }}, logging: {{ file: '{}' }} }}",
        log.display()
    ))?;
    Scene::of(Daemon::builder().home(home).start().await?)
}

/// There is no program for the tunnel that the daemon is to open.
pub async fn no_tunnel() -> Result<Scene> {
    let builder = Daemon::builder().args(["--tailscale", "serve"]).env("PATH", "/no/such/folder");
    let scene = Scene::of(builder.start().await?)?;
    until("the tunnel's trouble", || async {
        let seen = Program::Gatewayctl.run(&scene.home, &["health", "--part", "tailscale"]).await?;
        Ok(seen.stdout.contains("failed").then_some(()))
    })
    .await?;
    Ok(scene)
}

/// A daemon that speaks TLS.
pub async fn with_tls() -> Result<Scene> {
    let config =
        format!("{{ gateway: {{ mode: 'local', auth: {{ token: '{TOKEN}' }}, tls: {{ enabled: true }} }} }}");
    let scene = Scene::of(Daemon::builder().config(config).ready_by_port().start().await?)?;
    serves(&scene).await?;
    Ok(scene)
}

/// A client elsewhere asks the gateway of `scene` by its address.
pub fn from_afar(scene: Scene, scheme: &str) -> Result<Scene> {
    let port = scene.env.iter().find(|(name, _)| name == "CLAWDBOT_GATEWAY_PORT").context("a port")?;
    Ok(Scene::at(format!("{scheme}://127.0.0.1:{}", port.1))?.with(scene))
}

/// A client elsewhere that trusts another authority only.
pub async fn untrusted() -> Result<Scene> {
    let (trusted, other) = (with_tls().await?, with_tls().await?);
    let mut far = from_afar(other, "wss")?;
    let certificate = trusted.home.state().join("gateway/tls/gateway-cert.pem");
    far.env.push(("SSL_CERT_FILE".to_owned(), certificate.display().to_string()));
    Ok(far.with(trusted))
}

/// A client elsewhere that expects another certificate.
pub async fn other_certificate() -> Result<Scene> {
    let far = from_afar(with_tls().await?, "wss")?;
    let url = far.args.last().context("an address")?;
    far.home.write_config(&format!(
        "{{ gateway: {{ remote: {{ url: '{url}', tlsFingerprint: '{}' }} }} }}",
        "ab".repeat(32)
    ))?;
    Ok(far)
}

/// A client elsewhere whose own token does not let it ask.
pub async fn without_scope() -> Result<Scene> {
    let daemon = Daemon::start().await?;
    let far = Scene::at(format!("ws://127.0.0.1:{}", daemon.port))?;
    let url = far.args.last().context("an address")?.clone();
    let paired = Program::Gatewayctl.run(&far.home, &["status", "--url", &url, "--token", TOKEN]).await?;
    ensure!(paired.code == Some(0), "{paired:?}");
    let file = far.home.state().join("identity/device-auth.json");
    let mut tokens: Value = serde_json::from_str(&fs::read_to_string(&file)?)?;
    let id = tokens["deviceId"].as_str().context("a device")?.to_owned();
    let narrowed =
        ["devices", "rotate", "--device", &id, "--role", "operator", "--scope", "operator.pairing"];
    let seen = daemon.ctl(&[&narrowed[..], &["--json"]].concat()).await?;
    let answer: Value = serde_json::from_str(&seen.stdout).with_context(|| format!("{seen:?}"))?;
    for key in ["token", "scopes"] {
        tokens["tokens"]["operator"][key] = answer[key].clone();
    }
    fs::write(&file, tokens.to_string())?;
    Ok(far.with(daemon))
}

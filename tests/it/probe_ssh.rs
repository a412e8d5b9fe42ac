//! `gatewayctl probe` through ssh tunnels: with a real sshd on loopback, and with a stand-in for what goes wrong. Where
//! no sshd is installed, the tests with it are skipped; with `GATEWAY_TESTS_NO_SKIP=1` that is a failure.

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;

use anyhow::{Context, Result, bail, ensure};
use gateway_tests::daemon::{Daemon, free_port};
use gateway_tests::home::{Home, TOKEN};
use gateway_tests::program::{Finished, Program};
use gateway_tests::wait::{until, within};
use serde_json::Value;
use tokio::process::{Child, Command};

const SSHD: &str = "/usr/sbin/sshd";

/// An sshd of this user on a port of its own, with keys and a configuration of its own.
struct Sshd {
    folder: PathBuf,
    port: u16,
    user: String,
    _child: Child,
}

impl Sshd {
    /// Starts one in `home`. Nothing where none is installed.
    async fn start(home: &Home) -> Result<Option<Self>> {
        if !Path::new(SSHD).exists() {
            let why = format!("{SSHD} is not there (on Debian: apt-get install openssh-server)");
            if std::env::var_os("GATEWAY_TESTS_NO_SKIP").is_some() {
                bail!("{why}");
            }
            // Straight to the stream: what a test prints is hidden when it passes, and this must be seen.
            let _ = writeln!(std::io::stderr(), "SKIPPED: {why}");
            return Ok(None);
        }
        let folder = home.path().join("sshd");
        fs::create_dir(&folder)?;
        for name in ["host", "client"] {
            run("ssh-keygen", &["-q", "-t", "ed25519", "-N", "", "-f", &shown(&folder.join(name))]).await?;
        }
        fs::copy(folder.join("client.pub"), folder.join("allowed"))?;
        let port = free_port()?;
        let config = format!(
            "Port {port}\nListenAddress 127.0.0.1\nHostKey {0}/host\nAuthorizedKeysFile {0}/allowed\n\
             PidFile none\nStrictModes no\nUsePAM no\nPasswordAuthentication no\nLogLevel VERBOSE\n",
            folder.display()
        );
        fs::write(folder.join("config"), config)?;
        let log = fs::File::create(folder.join("log"))?;
        // Run by root, it insists on this folder.
        if rustix::process::geteuid().is_root() {
            fs::create_dir_all("/run/sshd")?;
        }
        let child = Command::new(SSHD)
            .args(["-D", "-e", "-f", &shown(&folder.join("config"))])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .kill_on_drop(true)
            .spawn()?;
        until("sshd to listen", || async {
            Ok(tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_ok().then_some(()))
        })
        .await?;
        let user = run("id", &["-un"]).await?.trim().to_owned();
        Ok(Some(Self { folder, port, user, _child: child }))
    }

    fn target(&self) -> String {
        format!("{}@127.0.0.1:{}", self.user, self.port)
    }

    fn key(&self) -> String {
        shown(&self.folder.join("client"))
    }
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

async fn run(program: &str, args: &[&str]) -> Result<String> {
    let mut command = Command::new(program);
    command.args(args).kill_on_drop(true);
    let output = within(program, command.output()).await?.with_context(|| program.to_owned())?;
    ensure!(output.status.success(), "{program} {args:?}: {output:?}");
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// A home whose gateway is elsewhere, at `port` over there. ssh keeps its known hosts in it, because it asks the
/// system for the user's home and not the environment.
fn client(port: u16) -> Result<Arc<Home>> {
    let home = Arc::new(Home::new()?);
    home.write_config(&format!(
        "{{ gateway: {{ port: {port}, auth: {{ token: '{TOKEN}' }}, remote: {{ token: '{TOKEN}' }} }} }}"
    ))?;
    let tools = home.path().join("tools");
    fs::create_dir(&tools)?;
    let hosts = home.path().join("known_hosts");
    let real = "#!/bin/sh\nPATH=${PATH#*:}\nexec ssh -F none -o UserKnownHostsFile=HOSTS -o GlobalKnownHostsFile=/dev/null \"$@\"\n";
    script(&tools.join("ssh"), &real.replace("HOSTS", &shown(&hosts)))?;
    Ok(home)
}

fn script(path: &Path, text: &str) -> Result<()> {
    fs::write(path, text)?;
    Ok(fs::set_permissions(path, fs::Permissions::from_mode(0o755))?)
}

/// Probes with the ssh of this home.
async fn probe(home: &Home, args: &[&str]) -> Result<Finished> {
    let path = std::env::var("PATH").unwrap_or_default();
    let path = format!("{}:{path}", home.path().join("tools").display());
    Program::Gatewayctl.run_with(home, &[&["probe"], args].concat(), &[("PATH", &path), ("USER", "me")]).await
}

/// The same, again as long as the machine is too busy for everything to be in time.
async fn in_time(home: &Home, args: &[&str]) -> Result<Finished> {
    until("a tunnel in time", || async {
        let seen = probe(home, args).await?;
        let late =
            ["no tunnel within", "\"error\": \"timeout\"", "failed - timeout", "gateway timeout after"];
        Ok((!late.iter().any(|words| seen.stdout.contains(words))).then_some(seen))
    })
    .await
}

fn document(seen: &Finished) -> Result<Value> {
    serde_json::from_str(&seen.stdout).with_context(|| format!("one document: {seen:?}"))
}

fn ids(report: &Value) -> Vec<&str> {
    report["targets"].as_array().into_iter().flatten().filter_map(|target| target["id"].as_str()).collect()
}

#[test]
fn a_gateway_behind_ssh_is_reached_through_a_tunnel_that_ends_with_the_command() {
    gateway_tests::run(async {
        let daemon = Daemon::start().await?;
        let home = client(daemon.port)?;
        let Some(sshd) = Sshd::start(&home).await? else { return Ok(()) };
        let (target, key) = (sshd.target(), sshd.key());
        let seen =
            in_time(&home, &["--ssh", &target, "--ssh-identity", &key, "--json", "--timeout", "20000"])
                .await?;
        let report = document(&seen)?;
        ensure!(seen.code == Some(0), "{report:#}\n{}", fs::read_to_string(sshd.folder.join("log"))?);
        let far = &report["targets"][0];
        ensure!(far["id"] == "sshTunnel" && far["connect"]["ok"] == true, "{far:#}");
        ensure!(far["tunnel"]["target"] == target.as_str() && far["tunnel"]["kind"] == "ssh", "{far:#}");
        ensure!(far["tunnel"]["remotePort"] == daemon.port, "{far:#}");
        ensure!(far["tunnel"]["localPort"] != daemon.port, "the gateway has that port: {far:#}");
        ensure!(far["self"]["host"].is_string() && far["server"]["protocol"] == 3, "{far:#}");
        for step in
            ["resolve", "tcp", "upgrade", "hello", "health", "status", "system-presence", "config.get"]
        {
            ensure!(far["timing"][step].is_number(), "{step}: {far:#}");
        }
        ensure!(report["primaryTargetId"] == "sshTunnel", "{report:#}");
        ensure!(report["warnings"][0]["code"] == "multiple_gateways", "the same one, seen twice: {report:#}");
        let pid = far["tunnel"]["pid"].as_u64().context("a pid")?;
        ensure!(!Path::new(&format!("/proc/{pid}")).exists(), "ssh is gone");
        let hosts = fs::read_to_string(home.path().join("known_hosts"))?;
        ensure!(hosts.contains("127.0.0.1"), "the new host's key is kept: {hosts}");

        let text = in_time(
            &home,
            &["--ssh", &format!("ssh {target}"), "--ssh-identity", &key, "--timeout", "20000"],
        )
        .await?;
        for line in ["Remote over SSH ws://127.0.0.1:", &format!("  ssh: {target}"), "  Timing: resolve "] {
            ensure!(text.stdout.contains(line), "{line}: {text:?}");
        }
        let heads = text.stdout.lines().find(|line| line.starts_with("Target ")).context("side by side")?;
        ensure!(heads.contains("Latency") && heads.contains("Version"), "{heads}");
        Ok(())
    });
}

#[test]
fn a_host_that_changed_its_key_and_a_key_that_is_not_allowed_are_refused() {
    gateway_tests::run(async {
        let daemon = Daemon::start().await?;
        let home = client(daemon.port)?;
        let Some(sshd) = Sshd::start(&home).await? else { return Ok(()) };
        let (target, key) = (sshd.target(), sshd.key());
        fs::write(sshd.folder.join("allowed"), "")?;
        let args = ["--ssh", &target, "--ssh-identity", &key, "--json"];
        let report = document(&in_time(&home, &args).await?)?;
        let said = &report["warnings"][0];
        ensure!(said["code"] == "ssh_tunnel_failed", "{report:#}");
        ensure!(said["message"].as_str().is_some_and(|text| text.contains("Permission denied")), "{said}");
        ensure!(ids(&report) == ["localLoopback"], "the direct probes go on: {report:#}");

        fs::copy(sshd.folder.join("client.pub"), sshd.folder.join("allowed"))?;
        let other = fs::read_to_string(sshd.folder.join("client.pub"))?;
        let other: Vec<&str> = other.split(' ').take(2).collect();
        let line = format!("[127.0.0.1]:{} {}\n", sshd.port, other.join(" "));
        fs::write(home.path().join("known_hosts"), line)?;
        let report = document(&in_time(&home, &args).await?)?;
        let said = report["warnings"][0]["message"].as_str().context("a warning")?;
        ensure!(said.contains("Host key verification failed"), "{said}");
        Ok(())
    });
}

#[test]
fn what_goes_wrong_with_ssh_is_a_warning_with_its_reason() {
    gateway_tests::run(async {
        let port = free_port()?;
        let home = client(port)?;
        let ssh = home.path().join("tools/ssh");
        let resolves = "#!/bin/sh\nif [ \"$1\" = -G ]; then echo 'user me'; echo 'hostname studio.lan'; echo 'port 22'; exit 0; fi\n";
        for (lines, reason) in [
            (
                "echo 'ssh: connect to host studio port 22: Connection refused' >&2; exit 255",
                "SSH tunnel failed: ssh: connect to host studio port 22: Connection refused",
            ),
            ("exit 255", "SSH tunnel failed to start; falling back to direct probes."),
            ("exec sleep 300", "SSH tunnel failed: no tunnel within 1500 ms"),
        ] {
            script(&ssh, &format!("{resolves}{lines}\n"))?;
            let seen = probe(&home, &["--ssh", "studio"]).await?;
            ensure!(
                seen.code == Some(1) && seen.stdout.contains(&format!("Warning:\n- {reason}\n")),
                "{seen:?}"
            );
            ensure!(seen.stdout.contains("connect ECONNREFUSED"), "the direct probes go on: {seen:?}");
        }
        fs::remove_file(&ssh)?;
        let env = [("PATH", "/nonexistent")];
        let seen = Program::Gatewayctl.run_with(&home, &["probe", "--ssh", "studio"], &env).await?;
        ensure!(seen.stdout.contains("SSH tunnel failed: ssh is not installed"), "{seen:?}");
        Ok(())
    });
}

#[test]
fn ssh_is_given_exactly_what_is_needed_and_never_an_option_of_somebody_else() {
    gateway_tests::run(async {
        let port = free_port()?;
        let home = client(port)?;
        let calls = home.path().join("calls");
        let record = format!(
            "#!/bin/sh\nfor word; do printf '%s\\n' \"$word\"; done >> {0}\necho . >> {0}\n[ \"$1\" = -G ] && echo 'port 2222'\nexit 255\n",
            calls.display()
        );
        script(&home.path().join("tools/ssh"), &record.replace("exit 255", "[ \"$1\" = -G ] || exit 255"))?;
        let expected = format!(
            "-G -i /key -- you@studio . -N -L 127.0.0.1:{port}:127.0.0.1:{port} -p 2222 -o ExitOnForwardFailure=yes \
             -o BatchMode=yes -o StrictHostKeyChecking=accept-new -o UpdateHostKeys=yes -o ConnectTimeout=5 \
             -o ServerAliveInterval=15 -o ServerAliveCountMax=3 -i /key -- you@studio ."
        );
        // A machine that is too busy for the first call in time does without its answer.
        until("both calls", || async {
            fs::remove_file(&calls).ok();
            probe(&home, &["--ssh", "you@studio", "--ssh-identity", "/key"]).await?;
            let said = fs::read_to_string(&calls)?;
            ensure!(said.contains("-N"), "{said}");
            Ok(said.split_whitespace().eq(expected.split_whitespace()).then_some(()))
        })
        .await?;

        fs::remove_file(&calls)?;
        let touched = home.path().join("touched");
        for target in
            [format!("-oProxyCommand=touch {}", touched.display()), format!("$(touch {})", touched.display())]
        {
            let seen = probe(&home, &[&format!("--ssh={target}"), "--json"]).await?;
            let report = document(&seen)?;
            let said = report["warnings"][0]["message"].as_str().unwrap_or_default();
            ensure!(said.contains("is not an ssh target"), "{report:#}");
        }
        ensure!(!calls.exists() && !touched.exists(), "ssh was not even started");
        let seen = probe(&home, &["--ssh-auto"]).await?;
        ensure!(seen.stdout.contains("--ssh-auto takes the first gateway that was found"), "{seen:?}");
        ensure!(!calls.exists(), "there was nobody to reach");
        Ok(())
    });
}

#[test]
fn a_tunnel_that_does_not_hear_is_killed() {
    gateway_tests::run(async {
        let home = client(free_port()?)?;
        let pid = home.path().join("pid");
        let deaf = format!(
            "#!/bin/sh\n[ \"$1\" = -G ] && exit 0\ntrap '' TERM\necho $$ > {}\nwhile :; do sleep 1; done\n",
            pid.display()
        );
        script(&home.path().join("tools/ssh"), &deaf)?;
        let seen = probe(&home, &["--ssh", "studio"]).await?;
        ensure!(seen.stdout.contains("no tunnel within"), "{seen:?}");
        let pid = fs::read_to_string(pid)?;
        until("it to be gone", || async {
            Ok((!Path::new(&format!("/proc/{}", pid.trim())).exists()).then_some(()))
        })
        .await
    });
}

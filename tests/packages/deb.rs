//! The `.deb`: what is in it, and that dpkg installs and removes it in a folder of its own.

use std::fs;
use std::path::Path;
use std::process::Stdio;

use anyhow::{Context, ensure};
use gateway_tests::daemon::free_port;
use gateway_tests::home::Home;
use gateway_tests::wait::{until, within};
use rustix::process::{Pid, Signal, kill_process};
use tokio::process::Command;

use crate::made::{can_unshare, good, is_root, only, packages, run};

const FILES: [&str; 10] = [
    "./usr/bin/gatewayctl",
    "./usr/bin/gatewayd",
    "./usr/share/bash-completion/completions/gatewayctl",
    "./usr/share/doc/gatewayd/changelog.gz",
    "./usr/share/doc/gatewayd/copyright",
    "./usr/share/doc/gatewayd/examples/clawdbot-gateway.service",
    "./usr/share/fish/vendor_completions.d/gatewayctl.fish",
    "./usr/share/man/man1/gatewayctl.1.gz",
    "./usr/share/man/man1/gatewayd.1.gz",
    "./usr/share/zsh/vendor-completions/_gatewayctl",
];

#[test]
fn it_holds_what_it_should_with_the_rights_it_should() {
    gateway_tests::run(async {
        let deb = only(packages().await?, ".deb")?;
        let listing = good(Command::new("dpkg-deb").arg("-c").arg(&deb)).await?;
        let mut files = Vec::new();
        for line in listing.lines() {
            let mut words = line.split_whitespace();
            let (rights, owner) = (words.next().context("rights")?, words.next().context("an owner")?);
            let name = words.last().context("a name")?;
            let expected = match () {
                () if name.ends_with('/') => "drwxr-xr-x",
                () if name.starts_with("./usr/bin/") => "-rwxr-xr-x",
                () => "-rw-r--r--",
            };
            ensure!(rights == expected && owner == "root/root", "{line}");
            if !name.ends_with('/') {
                files.push(name);
            }
        }
        files.sort_unstable();
        // The pages of the commands are read from the first one.
        let (pages, files): (Vec<_>, Vec<_>) =
            files.into_iter().partition(|name| name.starts_with("./usr/share/man/man1/gatewayctl-"));
        ensure!(files == FILES, "{files:#?}");
        ensure!(pages.len() > 15, "{pages:#?}");
        for page in pages.iter().chain(&FILES[7..9]) {
            let shown = "dpkg-deb --fsys-tarfile \"$0\" | tar -xO \"$1\" | gunzip";
            let text = good(Command::new("sh").args(["-c", shown]).arg(&deb).arg(page)).await?;
            for other in text.split("(1)").filter_map(|text| text.rsplit([' ', '\n']).next()) {
                let other = other.replace('\\', "");
                let there = format!("./usr/share/man/man1/{other}.1.gz");
                let is_there = FILES.contains(&there.as_str()) || pages.contains(&there.as_str());
                ensure!(is_there || !other.starts_with("gateway"), "{page} refers to {other}");
            }
        }

        let field = async |name: &str| good(Command::new("dpkg-deb").arg("-f").arg(&deb).arg(name)).await;
        let depends = field("Depends").await?;
        ensure!(depends.starts_with("libc6 (>= 2.") && depends.contains("libgcc-s1"), "{depends}");
        let maintainer = field("Maintainer").await?;
        ensure!(maintainer.trim() == "gatewayd authors <gatewayd@localhost>", "{maintainer}");
        ensure!(field("Version").await?.trim() == env!("CARGO_PKG_VERSION"), "the version");
        let unit = good(
            Command::new("sh")
                .args(["-c", "dpkg-deb --fsys-tarfile \"$0\" | tar -xO \"$1\""])
                .arg(&deb)
                .arg(FILES[5]),
        )
        .await?;
        let whole =
            unit.starts_with("# Written by gatewayctl") && unit.ends_with("WantedBy=default.target\n");
        ensure!(whole && unit.contains("\nExecStart=/usr/bin/gatewayd gateway"), "{unit}");
        ensure!(!unit.contains("/home/") && unit.contains("Environment=HOME=%h\n"), "{unit}");
        Ok(())
    });
}

/// dpkg with a database and a root of its own.
fn dpkg(root: &Path) -> Command {
    let mut command = if is_root() {
        Command::new("dpkg")
    } else {
        let mut command = Command::new("unshare");
        command.args(["--map-root-user", "dpkg"]);
        command
    };
    command.arg("--root").arg(root).args(["--force-script-chrootless", "--force-depends"]);
    command.arg("--log").arg(root.join("log"));
    command
}

#[test]
fn it_is_installed_and_removed_and_state_stays() {
    gateway_tests::run(async {
        if !is_root() && !can_unshare(&["--map-root-user"]).await? {
            return Ok(());
        }
        let deb = only(packages().await?, ".deb")?;
        let home = Home::configured()?;
        let root = home.path().join("root");
        for folder in ["var/lib/dpkg/info", "var/lib/dpkg/updates", "etc/systemd/system"] {
            fs::create_dir_all(root.join(folder))?;
        }
        fs::write(root.join("var/lib/dpkg/status"), "")?;
        let said = good(dpkg(&root).arg("-i").arg(&deb)).await?;
        ensure!(said.contains("gatewayctl install"), "it says what comes next: {said}");
        let enabled = fs::read_dir(root.join("etc/systemd/system"))?.count();
        ensure!(enabled == 0 && !root.join("usr/lib").exists(), "nothing starts by itself");
        let again = good(dpkg(&root).arg("-i").arg(&deb)).await?;
        ensure!(again.contains("gatewayctl restart"), "{again}");

        let unit = "[Service]\nExecStart=/usr/bin/gatewayd gateway\n[Install]\nWantedBy=multi-user.target\n";
        let system = root.join("etc/systemd/system");
        fs::write(system.join("clawdbot-gateway.service"), unit)?;
        let wants = system.join("multi-user.target.wants");
        fs::create_dir(&wants)?;
        let link = wants.join("clawdbot-gateway.service");
        std::os::unix::fs::symlink("/etc/systemd/system/clawdbot-gateway.service", &link)?;

        let program = |name: &str| {
            let mut command = Command::new(root.join("usr/bin").join(name));
            command.env_clear().env("HOME", home.path()).env("TMPDIR", home.path()).kill_on_drop(true);
            command
        };
        let port = free_port()?.to_string();
        let mut daemon = program("gatewayd");
        let mut daemon =
            daemon.args(["--port", &port]).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
        until("the installed gateway to be healthy", || async {
            let health = run(program("gatewayctl").arg("health")).await?;
            Ok((health.code == Some(0)).then_some(()))
        })
        .await?;

        let said = good(dpkg(&root).args(["-r", "gatewayd"])).await?;
        if !is_root() {
            // The root of a name space may not look at processes outside of it.
            let pid = daemon.id().and_then(|id| Pid::from_raw(id.cast_signed())).context("it runs")?;
            kill_process(pid, Signal::TERM)?;
        }
        let ended = within("the gateway to end", daemon.wait()).await??;
        ensure!(ended.code() == Some(0), "removal stops it: {ended}");
        ensure!(said.contains("stays") && said.contains("do nothing without gatewayd"), "{said}");
        ensure!(home.state().join("gateway.sqlite").is_file(), "state stays");
        ensure!(!root.join("usr/bin/gatewayd").exists(), "the programs are gone");
        if run(Command::new("systemctl").arg("--version")).await.is_ok() {
            ensure!(fs::symlink_metadata(&link).is_err(), "its unit no longer starts with the machine");
        }
        // What gatewayctl wrote goes with the last trace of the package, and what somebody else wrote stays.
        let (ours, theirs) = (system.join("ours.service"), system.join("clawdbot-gateway.service"));
        fs::write(&ours, format!("# Written by gatewayctl. `x`\n{unit}"))?;
        good(dpkg(&root).args(["-P", "gatewayd"])).await?;
        ensure!(!ours.exists() && theirs.exists(), "after the purge");
        let left = good(Command::new("find").arg(&root).args(["-path", "*/usr/*", "-type", "f"])).await?;
        ensure!(left.is_empty(), "{left}");
        Ok(())
    });
}

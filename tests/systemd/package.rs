//! The `.deb` on a machine with a real systemd: installed, used for a service of the machine and for one of a user,
//! upgraded, removed, installed again, purged.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Result, ensure};
use gateway_tests::packages::{only, packages};

use crate::machine::{Machine, UNIT, USER, on_a_machine};

/// Everything that packages put somewhere.
const LISTING: &str = "find /usr /etc /opt /var/lib/systemd -xdev ! -path '*/dpkg/*' ! -name '*.cache' ! -path '/etc/ld.so.cache' | sort";

async fn dpkg(machine: &Machine, words: &str, deb: &Path) -> Result<String> {
    machine
        .root(&format!("DEBIAN_FRONTEND=noninteractive dpkg --force-depends {words} {}", deb.display()))
        .await
}

/// Root's commands about the gateway of the user.
const HEALTH: &str =
    "setpriv --reuid tester --regid tester --init-groups env HOME=/home/tester gatewayctl health --ready";

#[test]
fn it_is_installed_used_upgraded_removed_and_purged() {
    on_a_machine(|machine| async move {
        let deb = only(packages().await?, ".deb")?;
        let name = Path::new("gatewayd");
        // Only the package's own programs are there.
        machine.root("rm /usr/local/bin/gatewayd /usr/local/bin/gatewayctl").await?;
        machine.linger().await?;
        let before = machine.root(LISTING).await?;
        let said = dpkg(&machine, "-i", &deb).await?;
        ensure!(said.contains("gatewayctl install"), "{said}");
        machine.root("man -w gatewayctl-config-set >/dev/null || test ! -x /usr/bin/man").await?;

        // A service of the machine, through an upgrade.
        machine.root(&format!("gatewayctl install --system --run-as {USER}")).await?;
        ensure!(machine.try_root(HEALTH).await?.code == Some(0), "it serves");
        let said = dpkg(&machine, "-i", &deb).await?;
        ensure!(said.contains("gatewayctl restart"), "{said}");
        machine.root("gatewayctl restart --system").await?;
        ensure!(machine.try_root(HEALTH).await?.code == Some(0), "it serves after the upgrade");
        machine.root("gatewayctl uninstall --system").await?;

        // A service of a user, which survives the package and waits for it without an error.
        machine.as_user("gatewayctl install").await?;
        ensure!(machine.property("FragmentPath").await?.starts_with("/home/"), "its own");
        let pid = machine.property("MainPID").await?;
        dpkg(&machine, "-r", name).await?;
        ensure!(machine.try_root(&format!("kill -0 {pid}")).await?.code != Some(0), "its process is gone");
        ensure!(machine.property("ActiveState").await? == "inactive", "it ended in order");
        machine.as_user("systemctl --user restart clawdbot-gateway").await?;
        for (what, value) in [("ActiveState", "inactive"), ("NRestarts", "0"), ("ConditionResult", "no")] {
            let seen = machine.property(what).await?;
            ensure!(seen == value, "{what}: {seen}");
        }
        let failed = machine.as_user("systemctl --user list-units --failed --plain --no-legend").await?;
        ensure!(!failed.contains("clawdbot"), "{failed}");
        dpkg(&machine, "-i", &deb).await?;
        machine.as_user("gatewayctl start").await?;
        ensure!(machine.try_user("gatewayctl health --ready").await?.code == Some(0), "it serves again");

        // The program alone is gone: whoever asks is told.
        machine.as_user("gatewayctl stop").await?;
        machine.root("mv /usr/bin/gatewayd /usr/bin/gatewayd.away").await?;
        let told = machine.try_user("gatewayctl start").await?;
        let why = "Gateway start failed: the program of the service, /usr/bin/gatewayd, is not there.";
        ensure!(told.code == Some(1) && told.stderr.contains(why), "{told:?}");
        machine.root("mv /usr/bin/gatewayd.away /usr/bin/gatewayd").await?;
        machine.as_user("gatewayctl uninstall").await?;

        // A service of the machine that nobody uninstalled goes with the last trace of the package.
        machine.root(&format!("gatewayctl install --system --run-as {USER}")).await?;
        dpkg(&machine, "-P", name).await?;
        let left = machine.root(&format!("systemctl show {UNIT} -P LoadState")).await?;
        ensure!(left.trim() == "not-found", "{left}");
        let after = machine.root(LISTING).await?;
        let (before, after): (BTreeSet<_>, BTreeSet<_>) = (before.lines().collect(), after.lines().collect());
        let new: Vec<_> = after.difference(&before).collect();
        ensure!(new.is_empty(), "left behind: {new:#?}");
        // systemd takes a folder of its links along with the last of them.
        let gone: Vec<_> = before.difference(&after).filter(|line| !line.ends_with(".wants")).collect();
        ensure!(gone.is_empty(), "taken along: {gone:#?}");
        Ok(())
    });
}

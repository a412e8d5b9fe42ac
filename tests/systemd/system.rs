//! A service of the machine, which runs as a user.

use anyhow::{Context, ensure};

use crate::machine::{UNIT, USER, on_a_machine};

#[test]
fn a_service_of_the_machine_outlives_reboots_and_power_cuts() {
    on_a_machine(|machine| async move {
        let denied = machine.without_session("gatewayctl install --system").await?;
        ensure!(denied.code == Some(1), "{denied:?}");
        ensure!(denied.stderr.contains("Run: sudo gatewayctl install --system"), "{denied:?}");
        let sudo = format!("SUDO_USER={USER} gatewayctl");
        for line in ["install", "start"] {
            let wrong = machine.try_root(&format!("{sudo} {line}")).await?;
            ensure!(wrong.code == Some(1) && wrong.stderr.contains("a service of root"), "{wrong:?}");
        }
        let installed = machine.try_root(&format!("{sudo} install --system")).await?;
        let path = format!("/etc/systemd/system/{UNIT}");
        ensure!(
            installed.stdout
                == format!(
                    "✓ systemd service enabled\n✓ service runtime: active\nInstalled systemd service: {path}\n"
                ),
            "{installed:?}"
        );
        let owner = machine.root(&format!("ps -o user= -p $(systemctl show {UNIT} -P MainPID)")).await?;
        ensure!(owner.trim() == USER, "{owner}");
        let verified = machine.try_root(&format!("systemd-analyze verify {path}")).await?;
        ensure!(verified.code == Some(0) && verified.stderr.is_empty(), "{verified:?}");
        let rated = machine.root(&format!("systemd-analyze security --no-pager {UNIT} | tail -1")).await?;
        let score: Option<f64> = rated.split_whitespace().find_map(|word| word.parse().ok());
        ensure!(score.context("a score")? < 3.0, "{rated}");
        for boot in ["reboot", "power cut"] {
            if boot == "reboot" {
                machine.reboot().await?
            } else {
                machine.pull_the_plug().await?
            }
            machine
                .until("the service to be back", || async {
                    let health =
                        format!("setpriv --reuid {USER} --regid {USER} --init-groups env HOME=/home/{USER}");
                    let ready = machine.try_root(&format!("{health} gatewayctl health --ready")).await?;
                    Ok((ready.code == Some(0)).then_some(()))
                })
                .await
                .context(boot)?;
        }
        let seen = machine.without_session("gatewayctl status").await?;
        ensure!(seen.stdout.contains("Service: systemd (enabled)"), "it is seen from the user: {seen:?}");
        ensure!(seen.stdout.contains(&path), "{seen:?}");
        for (line, said) in [
            ("restart", "✓ service runtime: active"),
            ("stop", "✓ service runtime: inactive"),
            ("start", "✓ service runtime: active"),
            ("uninstall", "Removed systemd service"),
        ] {
            let seen = machine.try_root(&format!("{sudo} {line}")).await?;
            ensure!(seen.code == Some(0) && seen.stdout.contains(said), "{line}: {seen:?}");
        }
        let left = machine.root("find /etc/systemd /run -name '*clawdbot-gateway*'").await?;
        ensure!(left.is_empty(), "{left}");
        Ok(())
    });
}

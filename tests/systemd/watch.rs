//! The alarm by a real timer: it fires for a gateway that crashes in a loop or is latched, leaves one that was stopped
//! on purpose alone, and goes without a trace.

use anyhow::ensure;
use serde_json::Value;

use crate::machine::{Machine, UNIT, USER, on_a_machine};

/// A program that writes down what it was told.
const PAGER: &str = "printf '#!/bin/sh\\necho $GATEWAY_WATCH_EVENT $GATEWAY_WATCH_KIND $1 >> ~/pages\\n' > ~/page && chmod +x ~/page";

const INSTALL: &str = "gatewayctl watch install --every 2s --after 1s --settle 1 --restarts 2 --within 30s --on-recovery --exec ~/page 'a b%h$HOME'";

/// What stands in the pager's book with the tests' argument.
async fn pages(machine: &Machine) -> anyhow::Result<String> {
    Ok(machine.try_user("cat ~/pages").await?.stdout.replace(" a b%h$HOME\n", ","))
}

async fn paged(machine: &Machine, wanted: &str) -> anyhow::Result<()> {
    let what = format!("the pages {wanted}");
    machine.until(&what, || async { Ok((pages(machine).await? == wanted).then_some(())) }).await
}

#[test]
fn a_crash_loop_is_told_once_and_nothing_is_left_after_uninstall() {
    on_a_machine(|machine| async move {
        machine.linger().await?;
        machine.as_user(PAGER).await?;
        machine.as_user("gatewayctl install").await?;
        let installed = machine.try_user(INSTALL).await?;
        let folder = format!("/home/{USER}/.config/systemd/user");
        let said = format!("Installed systemd service: {folder}/clawdbot-gateway.watch.timer\n");
        ensure!(installed.code == Some(0) && installed.stdout.starts_with(&said), "{installed:?}");
        let verified = machine
            .try_user(&format!("systemd-analyze --user verify {folder}/clawdbot-gateway.watch.*"))
            .await?;
        ensure!(verified.code == Some(0) && verified.stderr.is_empty(), "{verified:?}");
        let well = |status: &Value| status["looked"]["state"] == "well";
        machine
            .until("a good look", || async {
                let status = machine.try_user("gatewayctl watch status --json").await?;
                let status: Value = serde_json::from_str(&status.stdout)?;
                Ok((status["ok"] == true && well(&status)).then_some(()))
            })
            .await?;
        // A program that ends at once in its place.
        let drop_in = format!("{folder}/{UNIT}.d");
        machine
            .as_user(&format!(
                "mkdir {drop_in} && printf '[Service]\\nType=simple\\nExecStart=\\nExecStart=/bin/false\\nRestartSec=200ms\\n' > \
                 {drop_in}/bad.conf && systemctl --user daemon-reload && systemctl --user restart {UNIT}"
            ))
            .await?;
        paged(&machine, "alarm looping,").await?;
        let before = machine.property("NRestarts").await?;
        machine
            .until("more looks", || async {
                let status = machine.as_user("gatewayctl watch status --json || true").await?;
                let status: Value = serde_json::from_str(&status)?;
                let now: u64 = machine.property("NRestarts").await?.parse().unwrap_or_default();
                let later = now > before.parse::<u64>().unwrap_or_default() + 3;
                Ok((later && status["incident"]["kind"] == "looping").then_some(()))
            })
            .await?;
        ensure!(pages(&machine).await? == "alarm looping,", "it is told once");
        machine
            .as_user(&format!("rm -r {drop_in} && systemctl --user daemon-reload && gatewayctl restart"))
            .await?;
        paged(&machine, "alarm looping,recovery looping,").await?;
        let state = machine.as_user("gatewayctl watch status").await?;
        ensure!(state.starts_with("✓ the watch looks") && state.contains("tells: exec /home"), "{state}");
        let removed = machine.as_user("gatewayctl uninstall").await?;
        ensure!(removed.contains("Removed the watch: "), "{removed}");
        let left = machine
            .try_user("find ~/.config/systemd ~/.clawdbot/watch $XDG_RUNTIME_DIR -name '*watch*' 2>/dev/null")
            .await?;
        ensure!(left.stdout.is_empty(), "{left:?}");
        let known = machine.as_user("systemctl --user list-units --all --no-legend '*.watch.*'").await?;
        ensure!(known.trim().is_empty(), "{known}");
        Ok(())
    });
}

#[test]
fn a_latched_gateway_is_told_and_a_stopped_one_is_not() {
    on_a_machine(|machine| async move {
        machine.linger().await?;
        machine.as_user(PAGER).await?;
        machine.as_user("gatewayctl install").await?;
        machine.as_user(INSTALL).await?;
        machine.as_user("gatewayctl stop").await?;
        let looked = |wanted: &'static str| {
            let machine = &machine;
            async move {
                machine
                    .until(wanted, || async {
                        let status = machine.as_user("gatewayctl watch status --json").await?;
                        let status: Value = serde_json::from_str(&status)?;
                        Ok((status["looked"]["state"] == wanted).then_some(()))
                    })
                    .await
            }
        };
        looked("off").await?;
        machine.as_user("gatewayctl start").await?;
        looked("well").await?;
        // With the mark of a service that is not tried again.
        machine.as_user("echo '{}' > ~/.clawdbot/clawdbot.json").await?;
        ensure!(machine.try_user("gatewayctl restart").await?.code == Some(1), "it cannot start");
        paged(&machine, "alarm dead,").await?;
        let record = machine.as_user("cat ~/.clawdbot/watch/record.json").await?;
        ensure!(record.contains("exit code 78"), "{record}");
        machine.as_user("gatewayctl config set gateway.mode local && gatewayctl start").await?;
        paged(&machine, "alarm dead,recovery dead,").await?;
        Ok(())
    });
}

#[test]
fn a_timer_of_the_machine_keeps_its_settings_with_root() {
    on_a_machine(|machine| async move {
        machine.root(&format!("gatewayctl install --system --run-as {USER}")).await?;
        machine.as_user(PAGER).await?;
        let page = format!("/home/{USER}/page");
        let install = format!(
            "gatewayctl watch install --system --every 2s --after 1s --webhook http://127.0.0.1:9/canary --exec {page} 'a b%h$HOME'"
        );
        machine.root(&install).await?;
        let seen = machine.root("systemctl cat clawdbot-gateway.watch.service").await?;
        ensure!(seen.contains(&format!("User={USER}")) && !seen.contains("canary"), "{seen}");
        let secret = "/etc/systemd/system/clawdbot-gateway.watch.json";
        ensure!(
            machine.root(&format!("stat -c '%a %U' {secret}")).await?.trim() == "600 root",
            "it is root's"
        );
        ensure!(machine.try_user(&format!("cat {secret}")).await?.code != Some(0), "the user cannot read it");
        let pid = machine.root(&format!("systemctl show {UNIT} -p MainPID --value")).await?;
        let fast = "mkdir -p /etc/systemd/system/clawdbot-gateway.service.d && printf '[Service]\\nRestart=no\\n' > \
                    /etc/systemd/system/clawdbot-gateway.service.d/no.conf && systemctl daemon-reload";
        machine.root(fast).await?;
        machine.root(&format!("kill -KILL {}", pid.trim())).await?;
        paged(&machine, "alarm dead,").await?;
        machine.root("gatewayctl watch uninstall --system").await?;
        machine.root(&format!("test ! -e {secret} && test ! -e /home/{USER}/.clawdbot/watch")).await?;
        Ok(())
    });
}

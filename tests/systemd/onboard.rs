//! From an empty home folder to a service that answers, in one command.

use anyhow::ensure;
use serde_json::Value;

use crate::machine::{UNIT, on_a_machine};

#[test]
fn a_fresh_machine_ends_with_a_service_and_a_status_that_works() {
    on_a_machine(|machine| async move {
        machine.linger().await?;
        machine.as_user("rm -rf ~/.clawdbot").await?;
        let line = "gatewayctl onboard --non-interactive --accept-risk --install-daemon";
        let seen = machine.try_user(line).await?;
        ensure!(seen.code == Some(0), "{seen:?}");
        for said in [
            "Updated ~/.clawdbot/clawdbot.json\nWorkspace OK: ~/clawd\n",
            "✓ systemd service enabled\n✓ service runtime: active\n",
            "Service: systemd (enabled)",
            "Status: ✓ connected",
            "Dashboard URL: http://127.0.0.1:18789/\n",
        ] {
            ensure!(seen.stdout.contains(said), "{said}: {seen:?}");
        }
        machine.as_user("test -d ~/clawd/.git || ! command -v git").await?;
        let pid = machine.property("MainPID").await?;
        let config = machine.as_user("cat ~/.clawdbot/clawdbot.json").await?;
        // Once more, with the same answers: nothing is different, and nothing is restarted.
        let again = machine.try_user(line).await?;
        ensure!(again.code == Some(0) && again.stdout.contains("Unchanged: "), "{again:?}");
        ensure!(again.stdout.contains("Gateway service already enabled."), "{again:?}");
        ensure!(machine.as_user("cat ~/.clawdbot/clawdbot.json").await? == config, "not one byte");
        ensure!(machine.property("MainPID").await? == pid, "the same process");
        // Another port is in the configuration and in the unit, and the gateway answers there.
        let moved = machine.try_user(&format!("{line} --gateway-port 18999")).await?;
        ensure!(moved.code == Some(0) && moved.stdout.contains("ws://127.0.0.1:18999"), "{moved:?}");
        let unit = machine.as_user(&format!("cat ~/.config/systemd/user/{UNIT}")).await?;
        ensure!(unit.contains("18999"), "{unit}");
        let document = machine.as_user(&format!("{line} --json")).await?;
        let document: Value = serde_json::from_str(&document)?;
        ensure!(document["installDaemon"] == true && document["changed"] == false, "{document}");
        let config: Value = serde_json::from_str(&machine.as_user("cat ~/.clawdbot/clawdbot.json").await?)?;
        let token = config["gateway"]["auth"]["token"].as_str().unwrap_or_default();
        let journal = machine.root(&format!("journalctl --no-pager | grep -c '{token}' || true")).await?;
        ensure!(token.len() == 48 && journal.trim() == "0", "{journal}");
        Ok(())
    });
}

#[test]
fn a_person_gets_a_service_by_answering_three_questions() {
    on_a_machine(|machine| async move {
        machine.linger().await?;
        machine.as_user("rm -rf ~/.clawdbot").await?;
        let seen = machine.try_user("printf 'y\\n\\nskip\\n' | gatewayctl onboard --plain").await?;
        ensure!(seen.code == Some(0) && seen.stdout.contains("Status: ✓ connected"), "{seen:?}");
        ensure!(seen.stderr.contains("The service is installed and started."), "{seen:?}");
        let pid = machine.property("MainPID").await?;
        // Once more: the service is there, and is restarted as proposed.
        let seen = machine.try_user("printf 'y\\n\\n\\nskip\\n\\n' | gatewayctl onboard --plain").await?;
        ensure!(seen.code == Some(0) && seen.stdout.contains("Status: ✓ connected"), "{seen:?}");
        ensure!(seen.stderr.contains("Gateway service already installed"), "{seen:?}");
        ensure!(machine.property("MainPID").await? != pid, "restarted");
        Ok(())
    });
}

#[test]
fn without_a_service_manager_it_says_so_and_goes_on() {
    on_a_machine(|machine| async move {
        machine.root("rm -rf /home/tester/.clawdbot").await?;
        let line = "gatewayctl onboard --non-interactive --accept-risk --install-daemon --skip-health";
        let seen = machine.without_session(line).await?;
        let said = "Systemd user services are unavailable; skipping service install.\n";
        ensure!(seen.code == Some(0) && seen.stderr.contains(said), "{seen:?}");
        ensure!(seen.stdout.contains("Updated ~/.clawdbot/clawdbot.json\n"), "{seen:?}");
        Ok(())
    });
}

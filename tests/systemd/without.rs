//! What is missing is named, and the command that is named mends it.

use anyhow::ensure;

use crate::machine::{USER, on_a_machine};

#[test]
fn without_a_session_the_way_to_one_is_shown_and_works() {
    on_a_machine(|machine| async move {
        let denied = machine.without_session("gatewayctl install").await?;
        ensure!(denied.code == Some(1) && denied.stdout.is_empty(), "{denied:?}");
        ensure!(denied.stderr.contains("and install: gatewayctl install --linger"), "{denied:?}");
        ensure!(denied.stderr.contains(&format!("sudo loginctl enable-linger {USER}")), "{denied:?}");
        let installed = machine.without_session("gatewayctl install --linger").await?;
        ensure!(installed.code == Some(0) && installed.stderr.is_empty(), "{installed:?}");
        // Another user's bus in the environment, as `su` leaves it, does not lead astray.
        let seen = machine.without_session("XDG_RUNTIME_DIR=/run/user/0 gatewayctl restart").await?;
        ensure!(seen.code == Some(0), "{seen:?}");
        machine.reboot().await?;
        machine
            .until("the user's service after a reboot without a log-in", || async {
                let ready = machine.without_session("gatewayctl health --ready").await?;
                Ok((ready.code == Some(0)).then_some(()))
            })
            .await
    });
}

#[test]
fn root_gets_a_session_with_its_consent() {
    on_a_machine(|machine| async move {
        machine.root("mkdir -p /root/.clawdbot && echo '{gateway:{mode:\"local\"}}' > /root/.clawdbot/clawdbot.json").await?;
        let denied = machine.try_root("gatewayctl install").await?;
        ensure!(denied.code == Some(1), "{denied:?}");
        ensure!(denied.stderr.contains("run: gatewayctl install --system"), "{denied:?}");
        let installed = machine.try_root("gatewayctl install --linger").await?;
        ensure!(
            installed.code == Some(0) && installed.stdout.starts_with("✓ systemd service enabled\n"),
            "{installed:?}"
        );
        ensure!(installed.stderr.is_empty(), "nothing is left to warn of: {installed:?}");
        let homeless = machine.try_root("env -u HOME gatewayctl status").await?;
        ensure!(
            homeless.code == Some(2) && homeless.stderr.contains("Try: HOME=/root gatewayctl"),
            "{homeless:?}"
        );
        Ok(())
    });
}

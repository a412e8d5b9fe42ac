//! The listening sockets outlive the process: no client is refused while the service restarts, whoever restarts it.

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use crate::machine::{Machine, UNIT, USER, on_a_machine};

const PORT: u16 = 18789;

/// Runs `command` as the user under a load of connecting clients.
async fn under_load(machine: &Machine, command: &str) -> Result<Value> {
    let script = gateway_tests::workspace::root().join("tests/systemd/load.py");
    let code = std::fs::read_to_string(script)?.replace('\'', r"'\''");
    let command = command.replace('\'', r"'\''");
    let printed = machine.as_user(&format!("python3 -c '{code}' {PORT} '{command}'")).await?;
    Ok(serde_json::from_str(&printed)?)
}

/// Lets the load in.
async fn with_token(machine: &Machine) -> Result<()> {
    let text = "{ gateway: { mode: 'local', auth: { token: 'token-of-the-box' } } }";
    machine.as_user(&format!("echo \"{text}\" > ~/.clawdbot/clawdbot.json")).await.map(drop)
}

/// The listeners that the manager keeps for the service.
async fn kept(machine: &Machine) -> Result<String> {
    machine.property("NFileDescriptorStore").await
}

fn restarting() -> Value {
    json!([{ "reason": "gateway restarting", "restartExpectedMs": 1500 }])
}

#[test]
fn no_connect_is_refused_while_the_service_restarts() {
    on_a_machine(|machine| async move {
        machine.linger().await?;
        with_token(&machine).await?;
        machine.as_user("gatewayctl install").await?;
        let first = machine.property("MainPID").await?;
        ensure!(kept(&machine).await? == "2", "both loopback addresses");
        let seen = under_load(&machine, "gatewayctl restart").await?;
        ensure!(seen["code"] == 0 && seen["refused"] == 0 && seen["broken"] == 0, "{seen}");
        ensure!(seen["shutdown"] == restarting() && seen["closed"] == json!([1012]), "{seen}");
        println!("gatewayctl restart: back after {} ms", seen["back_ms"][0]);
        let second = machine.property("MainPID").await?;
        ensure!(second != first, "another process");
        // systemd says only that it is to end, and what it is about to do when it is asked.
        let seen = under_load(&machine, &format!("systemctl --user restart {UNIT}")).await?;
        ensure!(seen["code"] == 0 && seen["refused"] == 0 && seen["broken"] == 0, "{seen}");
        ensure!(seen["shutdown"] == restarting(), "{seen}");
        println!("systemctl restart: back after {} ms", seen["back_ms"][0]);
        let stop = format!("systemctl --user stop {UNIT}; systemctl --user start {UNIT}");
        let seen = under_load(&machine, &stop).await?;
        let stopping = json!([{ "reason": "gateway stopping", "restartExpectedMs": null }]);
        ensure!(seen["code"] == 0 && seen["shutdown"] == stopping, "{seen}");
        // In place, in the same process.
        let third = machine.property("MainPID").await?;
        let seen = under_load(&machine, "gatewayctl shutdown --restart").await?;
        ensure!(seen["code"] == 0 && seen["refused"] == 0 && seen["broken"] == 0, "{seen}");
        ensure!(seen["shutdown"] == restarting(), "{seen}");
        ensure!(machine.property("MainPID").await? == third && kept(&machine).await? == "2", "the same");
        // What was under way in a process that is killed is lost; nobody else is.
        let seen =
            under_load(&machine, &format!("kill -KILL $(systemctl --user show {UNIT} -P MainPID)")).await?;
        ensure!(seen["code"] == 0 && seen["refused"] == 0, "{seen}");
        println!("killed: back after {} ms", seen["back_ms"][0]);
        ensure!(machine.property("MainPID").await? != third, "started again");
        ensure!(machine.property("NRestarts").await? == "1", "by its manager");
        machine.as_user("gatewayctl stop").await?;
        ensure!(kept(&machine).await? == "0", "nothing is kept of a service that is stopped");
        let closed = machine.try_user(&format!("bash -c 'exec 3<>/dev/tcp/127.0.0.1/{PORT}'")).await?;
        ensure!(closed.code != Some(0), "the port is closed: {closed:?}");
        Ok(())
    });
}

#[test]
fn a_changed_port_leaves_nothing_open() {
    on_a_machine(|machine| async move {
        machine.linger().await?;
        machine.as_user("gatewayctl install").await?;
        machine.as_user("gatewayctl install --force --port 19789").await?;
        ensure!(kept(&machine).await? == "2", "those of the new port");
        let open = machine.as_user("ss -Hltn").await?;
        ensure!(open.contains(":19789") && !open.contains(&format!(":{PORT}")), "{open}");
        let status = machine.as_user("gatewayctl status").await?;
        ensure!(!status.contains("systemd --user"), "the manager is not taken for the listener: {status}");
        // Ending the manager would end everything it runs.
        machine.as_user(&format!("kill -KILL {}", machine.property("MainPID").await?)).await?;
        let forced = machine.try_user("gatewayd --force --port 19789").await?;
        ensure!(forced.stderr.contains("keeps port 19789 open for a service"), "{forced:?}");
        machine.serves_anew("0").await.map(drop)
    });
}

#[test]
fn a_socket_unit_starts_the_gateway() {
    on_a_machine(|machine| async move {
        machine.linger().await?;
        with_token(&machine).await?;
        machine.as_user("gatewayctl install && gatewayctl stop").await?;
        let folder = format!("/home/{USER}/.config/systemd/user");
        let socket = UNIT.replace(".service", ".socket");
        let unit = |listen: &str| format!("[Socket]\\nListenStream={listen}\\nBindIPv6Only=both\\n");
        let install = |listen: &str| {
            format!(
                "printf '{}' > {folder}/{socket} && systemctl --user daemon-reload && \
                 systemctl --user restart {socket}",
                unit(listen)
            )
        };
        machine.as_user(&install(&format!("127.0.0.1:{PORT}"))).await?;
        ensure!(machine.property("ActiveState").await? == "inactive", "nobody has connected yet");
        let seen = under_load(&machine, "gatewayctl restart").await?;
        ensure!(seen["code"] == 0 && seen["refused"] == 0 && seen["broken"] == 0, "{seen}");
        ensure!(seen["shutdown"] == restarting(), "{seen}");
        // The socket unit keeps its own; only the second address is the service's.
        ensure!(kept(&machine).await? == "1", "{}", kept(&machine).await?);
        machine.as_user(&format!("systemctl --user stop {UNIT} {socket}")).await?;
        // A socket unit is no way around the rule that nobody gets in without a secret.
        machine.configure(".clawdbot").await?;
        machine.as_user(&install(&PORT.to_string())).await?;
        machine.try_user(&format!("systemctl --user start {UNIT}")).await?;
        ensure!(machine.property("ExecMainStatus").await? == "78", "refused");
        let journal = machine.as_user(&format!("journalctl --user -u {UNIT} -o cat --no-pager")).await?;
        ensure!(journal.contains("passed a socket that listens on [::]:18789"), "{journal}");
        Ok(())
    });
}

#[test]
fn a_version_that_does_not_serve_is_taken_back_and_nobody_is_refused() {
    on_a_machine(|machine| async move {
        machine.linger().await?;
        with_token(&machine).await?;
        let real = "/usr/local/bin/gatewayd";
        machine
            .as_user(&format!("mkdir -p ~/.local/bin && cp {real} /usr/local/bin/gatewayctl ~/.local/bin/"))
            .await?;
        machine.as_user("~/.local/bin/gatewayctl install").await?;
        let first = machine.property("MainPID").await?;
        let unit = machine.as_user(&format!("systemctl --user cat {UNIT}")).await?;
        ensure!(unit.contains("/.local/bin/gatewayd"), "it runs from the user's own folder: {unit}");
        machine.as_user(&format!("cp {real} ~/newer && echo newer >> ~/newer && chmod 755 ~/newer")).await?;
        let seen = under_load(&machine, "gatewayctl upgrade --binary ~/newer").await?;
        ensure!(seen["code"] == 0 && seen["refused"] == 0 && seen["broken"] == 0, "{seen}");
        ensure!(seen["shutdown"] == restarting(), "{seen}");
        println!("upgrade: back after {} ms", seen["back_ms"][0]);
        let second = machine.property("MainPID").await?;
        ensure!(second != first, "another process");
        machine.as_user("cmp ~/newer ~/.local/bin/gatewayd").await?;
        for (does, said) in [
            ("exit 1", "the gateway ended with exit code 1"),
            ("kill -SEGV $$", "the gateway was ended by signal 11"),
            ("exec sleep 1000", "the gateway does not serve after 5 s"),
        ] {
            let answers = format!("case \"$*\" in *--version*|*--check*) exec {real} \"$@\";; esac");
            let script = format!("#!/bin/sh\n{answers}\n{does}\n").replace('\'', r"'\''");
            machine.as_user(&format!("printf '%s' '{script}' > ~/liar && chmod 755 ~/liar")).await?;
            let seen = under_load(&machine, "gatewayctl upgrade --binary ~/liar --wait 5s").await?;
            let stderr = seen["stderr"].as_str().unwrap_or_default();
            ensure!(seen["code"] == 1 && stderr.contains(said), "{does}: {seen}");
            ensure!(stderr.contains("was put back and serves."), "{does}: {seen}");
            ensure!(seen["refused"] == 0 && seen["broken"] == 0, "{does}: {seen}");
            machine.as_user("cmp ~/newer ~/.local/bin/gatewayd").await?;
        }
        let seen = under_load(&machine, "gatewayctl upgrade --rollback").await?;
        ensure!(seen["code"] == 0 && seen["refused"] == 0 && seen["broken"] == 0, "{seen}");
        machine.as_user(&format!("cmp {real} ~/.local/bin/gatewayd")).await?;
        // One that is stopped stays so.
        let line =
            "gatewayctl stop && gatewayctl upgrade --binary ~/newer && cmp ~/newer ~/.local/bin/gatewayd";
        let replaced = machine.as_user(line).await?;
        ensure!(replaced.contains("The service is stopped and stays so."), "{replaced}");
        ensure!(machine.property("ActiveState").await? == "inactive", "it stays stopped");
        machine.as_user("gatewayctl start").await.map(drop)
    });
}

//! The life of a user's service.

use anyhow::ensure;
use serde_json::Value;

use crate::machine::{UNIT, USER, on_a_machine};

#[test]
fn a_service_is_installed_started_stopped_and_removed() {
    on_a_machine(|machine| async move {
        machine.linger().await?;
        let planned = machine.as_user("gatewayctl install --dry-run").await?;
        let installed = machine.try_user("gatewayctl install").await?;
        let path = format!("/home/{USER}/.config/systemd/user/{UNIT}");
        let lines = format!(
            "✓ systemd service enabled\n✓ service runtime: active\nInstalled systemd service: {path}\n"
        );
        ensure!(installed.code == Some(0) && installed.stdout == lines, "{installed:?}");
        ensure!(installed.stderr.is_empty(), "{installed:?}");
        let unit = machine.as_user(&format!("cat {path}")).await?;
        ensure!(unit.lines().all(|line| planned.contains(line)), "{planned}\n{unit}");
        let verified = machine.try_user(&format!("systemd-analyze --user verify {path}")).await?;
        ensure!(verified.code == Some(0) && verified.stderr.is_empty(), "{verified:?}");
        ensure!(machine.try_user("gatewayctl health --ready").await?.code == Some(0), "it serves");
        let first = machine.property("MainPID").await?;
        for (line, said) in [
            ("gatewayctl install", "Gateway service already enabled."),
            ("gatewayctl start", "✓ service runtime: active"),
            ("gatewayctl status", "Service: systemd (enabled)"),
        ] {
            let seen = machine.try_user(line).await?;
            ensure!(seen.code == Some(0) && seen.stdout.contains(said), "{line}: {seen:?}");
        }
        ensure!(machine.property("MainPID").await? == first, "none of these starts it anew");
        machine.as_user("gatewayctl restart").await?;
        let second = machine.property("MainPID").await?;
        ensure!(second != first && second != "0", "{first} {second}");
        let stopped = machine.as_user("gatewayctl stop").await?;
        ensure!(
            stopped == format!("Stopped systemd service: {UNIT}\n✓ service runtime: inactive\n"),
            "{stopped}"
        );
        ensure!(machine.try_root(&format!("kill -0 {second}")).await?.code != Some(0), "its process is gone");
        let removed = machine.as_user("gatewayctl uninstall").await?;
        ensure!(removed == format!("Removed systemd service: {path}\n"), "{removed}");
        let left = "find ~/.config/systemd $XDG_RUNTIME_DIR -name '*clawdbot-gateway*' 2>/dev/null";
        let left = machine.try_user(left).await?;
        ensure!(left.stdout.is_empty(), "{left:?}");
        machine.as_user("test -f ~/.clawdbot/clawdbot.json").await?;
        let again = machine.as_user("gatewayctl uninstall").await?;
        ensure!(again == format!("Systemd service not found at {path}\n"), "{again}");
        machine.as_user("gatewayctl uninstall --purge").await?;
        machine.as_user("test ! -e ~/.clawdbot").await.map(drop)
    });
}

#[test]
fn a_gateway_that_dies_or_freezes_comes_back() {
    on_a_machine(|machine| async move {
        machine.linger().await?;
        machine.as_user("gatewayctl install").await?;
        ensure!(machine.property("WatchdogUSec").await? == "30s", "the usual limit");
        let first = machine.property("MainPID").await?;
        let began = std::time::Instant::now();
        machine.as_user(&format!("kill -KILL {first}")).await?;
        let second = machine.serves_anew(&first).await?;
        let took = began.elapsed().as_secs_f64();
        ensure!((4.5..60.0).contains(&took), "the pause is 5 s, and some room for a busy machine: {took}");
        // The same with less patience, so that the test need not have much either.
        let drop_in = format!("~/.config/systemd/user/{UNIT}.d");
        machine
            .as_user(&format!(
                "mkdir {drop_in} && printf '[Service]\\nWatchdogSec=2\\nRestartSec=100ms\\n' > {drop_in}/fast.conf && \
                 systemctl --user daemon-reload && gatewayctl restart"
            ))
            .await?;
        let third = machine.property("MainPID").await?;
        ensure!(third != second, "restarted");
        machine.as_user(&format!("kill -STOP {third}")).await?;
        machine.serves_anew(&third).await?;
        let journal = machine.as_user(&format!("journalctl --user -u {UNIT} -o cat --no-pager")).await?;
        ensure!(journal.contains("Watchdog timeout"), "{journal}");
        let kept = machine.try_user("gatewayctl uninstall").await?;
        ensure!(kept.stderr.contains("Your own settings for the service stay"), "{kept:?}");
        Ok(())
    });
}

#[test]
fn fifty_restarts_at_once_are_one() {
    on_a_machine(|machine| async move {
        machine.linger().await?;
        machine.as_user("gatewayctl install").await?;
        let script = gateway_tests::workspace::root().join("tests/systemd/restart_together.py");
        let code = std::fs::read_to_string(script)?.replace('\'', r"'\''");
        let seen: Value = serde_json::from_str(&machine.as_user(&format!("python3 -c '{code}'")).await?)?;
        let all = |key: &str, good: &Value| {
            seen[key].as_array().is_some_and(|list| list.len() == 50 && list.iter().all(|one| one == good))
        };
        ensure!(all("codes", &Value::from(0)) && all("results", &Value::from("restarted")), "{seen}");
        ensure!(seen["starts"] == 1, "{seen}");
        ensure!(machine.property("NRestarts").await? == "0", "none of them failed");
        Ok(())
    });
}

#[test]
fn a_start_that_cannot_work_says_why_and_is_not_repeated() {
    on_a_machine(|machine| async move {
        machine.linger().await?;
        machine.as_user("echo '{}' > ~/.clawdbot/clawdbot.json").await?;
        let refused = machine.try_user("gatewayctl install").await?;
        ensure!(refused.code == Some(1), "{refused:?}");
        for said in ["(exit code 78)", "Gateway start blocked", "gatewayctl config set gateway.mode local"] {
            ensure!(refused.stderr.contains(said), "{said}: {refused:?}");
        }
        machine.as_user("gatewayctl config set gateway.mode local && gatewayctl start").await?;
        machine.as_user("gatewayctl stop").await?;
        machine.as_user("systemd-run --user --quiet --unit=foreground gatewayd --port 18789").await?;
        machine
            .until("the other gateway", || async {
                let ready = machine.try_user("gatewayctl health --ready").await?;
                Ok((ready.code == Some(0)).then_some(()))
            })
            .await?;
        let taken = machine.try_user("gatewayctl start --json").await?;
        let document: Value = serde_json::from_str(&taken.stdout)?;
        let error = document["error"].as_str().unwrap_or_default();
        ensure!(taken.code == Some(1) && error.contains("(exit code 69)"), "{taken:?}");
        ensure!(error.contains("already running"), "{error}");
        ensure!(machine.property("NRestarts").await? == "0", "it is not tried again");
        let stopped = machine.try_user("gatewayctl stop").await?;
        ensure!(stopped.stderr.contains("A gateway outside of the service still runs"), "{stopped:?}");
        machine.as_user("systemctl --user stop foreground && gatewayctl start").await?;
        Ok(())
    });
}

#[test]
fn an_older_service_makes_room_with_consent_and_no_secret_is_written() {
    on_a_machine(|machine| async move {
        machine.linger().await?;
        let folder = "~/.config/systemd/user";
        let unit = "[Service]\nExecStart=/usr/bin/python3 -m http.server 18789\n[Install]\nWantedBy=default.target\n";
        machine
            .as_user(&format!(
                "mkdir -p {folder} && printf '{unit}' > {folder}/moltbot-gateway.service && \
                 systemctl --user daemon-reload && systemctl --user enable --now --quiet moltbot-gateway"
            ))
            .await?;
        let refused = machine.try_user("gatewayctl install").await?;
        ensure!(refused.code == Some(1) && refused.stderr.contains("already uses port 18789"), "{refused:?}");
        ensure!(refused.stderr.contains("gatewayctl install --replace-old"), "{refused:?}");
        machine.as_user(&format!("test ! -e {folder}/{UNIT}")).await?;
        let install = "CLAWDBOT_GATEWAY_PASSWORD=canary-1 gatewayctl install --replace-old --token canary-2";
        machine.as_user(install).await?;
        machine.as_user("test ! -e ~/.config/systemd/user/moltbot-gateway.service").await?;
        machine.as_user("grep -q canary-2 ~/.clawdbot/clawdbot.json").await?;
        let pid = machine.property("MainPID").await?;
        let seen = machine
            .try_user(&format!(
                "grep -l canary -r ~/.config ~/.clawdbot/logs /proc/{pid}/environ /proc/{pid}/cmdline"
            ))
            .await?;
        ensure!(seen.stdout.is_empty(), "{seen:?}");
        let journal = machine.root("journalctl --no-pager | grep -c canary || true").await?;
        ensure!(journal.trim() == "0", "{journal}");
        Ok(())
    });
}

#[test]
fn what_its_owner_did_by_hand_is_seen() {
    on_a_machine(|machine| async move {
        machine.linger().await?;
        let folder = "~/.config/systemd/user";
        let nothing_left = || async {
            let left = "find ~/.config/systemd -name '*clawdbot-gateway*' ! -name '*.d'; pgrep gatewayd";
            let left = machine.try_user(left).await?;
            ensure!(left.stdout.is_empty(), "{left:?}");
            anyhow::Ok(())
        };
        // The file is removed and forgotten, and the gateway runs on.
        let without_its_file =
            format!("gatewayctl install && rm {folder}/{UNIT} && systemctl --user daemon-reload");
        machine.as_user(&without_its_file).await?;
        machine.as_user("gatewayctl stop").await?;
        ensure!(machine.try_user("pgrep gatewayd").await?.code == Some(1), "its process is gone");
        machine.as_user("gatewayctl uninstall").await?;
        nothing_left().await?;
        machine.as_user(&format!("{without_its_file} && gatewayctl uninstall")).await?;
        nothing_left().await?;
        // It is masked.
        machine
            .as_user(&format!(
                "gatewayctl install && gatewayctl stop && rm {folder}/{UNIT} && \
                 systemctl --user mask --quiet {UNIT} && gatewayctl uninstall"
            ))
            .await?;
        nothing_left().await?;
        // A drop-in moves it to other places.
        machine.configure("other").await?;
        let line = format!("[Service]\\nEnvironment=CLAWDBOT_STATE_DIR=/home/{USER}/other\\n");
        machine
            .as_user(&format!(
                "gatewayctl install && mkdir {folder}/{UNIT}.d && printf '{line}' > {folder}/{UNIT}.d/a.conf && \
                 systemctl --user daemon-reload && gatewayctl restart && test -e ~/other/gateway.sqlite && \
                 gatewayctl restart && gatewayctl uninstall"
            ))
            .await?;
        nothing_left().await?;
        // Another profile has the port.
        machine.configure(".clawdbot-work").await?;
        machine.as_user("gatewayctl install").await?;
        let taken = machine.try_user("gatewayctl --profile work install").await?;
        let next = "Take another port: gatewayctl --profile work install --port N";
        ensure!(taken.code == Some(1) && taken.stderr.contains(next), "{taken:?}");
        machine.as_user("gatewayctl --profile work install --port 19001").await?;
        let seen = machine.as_user("gatewayctl --profile work uninstall && gatewayctl uninstall").await?;
        ensure!(seen.matches("Removed systemd service").count() == 2, "{seen}");
        nothing_left().await
    });
}

#[test]
fn systemd_reads_odd_values_as_they_were_meant() {
    on_a_machine(|machine| async move {
        machine.linger().await?;
        let state = "/home/tester/a b%h $HOME \"q\" \\ ;#é";
        machine.configure(state).await?;
        machine.as_user(&format!("CLAWDBOT_STATE_DIR='{state}' gatewayctl install")).await?;
        let pid = machine.property("MainPID").await?;
        let environ = machine.as_user(&format!("tr '\\0' '\\n' < /proc/{pid}/environ")).await?;
        let line = format!("CLAWDBOT_STATE_DIR={state}");
        ensure!(environ.lines().any(|one| one == line), "{environ}");
        // The path of the program stands in the command, which splits words, and in a condition, which does not.
        let folder = "/opt/a b%h $HOME @ ;#é";
        machine.root(&format!("mkdir '{folder}' && cp /usr/local/bin/gateway* '{folder}'")).await?;
        machine.as_user(&format!("'{folder}/gatewayctl' install --force")).await?;
        let pid = machine.property("MainPID").await?;
        let program = machine.root(&format!("readlink /proc/{pid}/exe")).await?;
        ensure!(program.trim_end() == format!("{folder}/gatewayd"), "{program}");
        let line = machine.as_user(&format!("tr '\\0' ' ' < /proc/{pid}/cmdline")).await?;
        ensure!(line == format!("{folder}/gatewayd gateway --port 18789 "), "{line}");
        for quote in ["\"", "\\"] {
            let folder = format!("/opt/a{quote}b");
            machine.root(&format!("mkdir '{folder}' && cp /usr/local/bin/gateway* '{folder}'")).await?;
            let seen = machine.try_user(&format!("'{folder}/gatewayctl' install --force")).await?;
            ensure!(seen.code == Some(1) && seen.stderr.contains("move it to a path without"), "{seen:?}");
        }
        // 10 kB, which no daemon could use as a path, are given to a program that prints them.
        let long = machine
            .as_user(
                "CLAWDBOT_CONFIG_PATH=/x/$(printf 'y \"%%\" %.0s' {1..1700}) gatewayctl install --dry-run --json | \
                 python3 -c 'import json, sys; print(json.load(sys.stdin)[\"plan\"][\"files\"][0][\"content\"])' | \
                 sed -E 's|^ExecStart=.*|ExecStart=/usr/bin/env -0\\nStandardOutput=file:%h/seen|; s/^Type=.*/Type=oneshot/; \
                 /^(Restart|Watchdog|NotifyAccess)/d' > ~/.config/systemd/user/long.service && \
                 systemctl --user daemon-reload && systemctl --user start long && \
                 tr '\\0' '\\n' < ~/seen | grep ^CLAWDBOT_CONFIG_PATH=",
            )
            .await?;
        let expected = format!("CLAWDBOT_CONFIG_PATH=/x/{}", "y \"%\" ".repeat(1700));
        ensure!(long.trim_end() == expected.trim_end(), "{long:.300}");
        for bad in ["a\nExecStartPre=/bin/false", "a\rb"] {
            let seen = machine
                .try_user(&format!("CLAWDBOT_STATE_DIR='/tmp/{bad}' gatewayctl install --force"))
                .await?;
            ensure!(seen.code == Some(1) && seen.stderr.contains("control character"), "{seen:?}");
        }
        Ok(())
    });
}

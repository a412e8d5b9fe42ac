//! `gatewayctl` against a gateway that runs and one that does not: the exit codes that its help promises, and exactly
//! one JSON document where one was asked for.

use std::process::Stdio;

use anyhow::{Context, Result, ensure};
use gateway_admin::v1::PartState;
use gateway_tests::binaries;
use gateway_tests::daemon::{Daemon, free_port};
use gateway_tests::home::Home;
use gateway_tests::program::Program;
use gateway_tests::wait::within;
use serde_json::Value;
use tokio::process::Command;

/// `from_str` refuses anything after the first document.
fn document(stdout: &str) -> Result<Value> {
    serde_json::from_str(stdout).with_context(|| format!("one JSON document: {stdout}"))
}

#[test]
fn what_it_says_of_a_running_gateway() {
    gateway_tests::run(async {
        let daemon = Daemon::start().await?;
        for (args, text) in [
            (&["status"][..], "connected"),
            (&["status", "--no-probe"], "Runtime: running"),
            (&["health"], "Gateway is healthy"),
            (&["health", "--live"], "live: yes"),
            (&["health", "--ready"], "ready: yes"),
            (&["health", "--startup"], "yes"),
            (&["health", "--part", "store"], "part store: yes"),
            (&["call", "health"], "Gateway call: health"),
            (&["probe"], "Reachable: yes"),
            (&["logs", "--limit", "5"], "Log file: "),
            (&["devices", "list"], "Paired ("),
            (&["reload"], "Nothing changed."),
        ] {
            let seen = daemon.ctl(args).await?;
            ensure!(seen.code == Some(0) && seen.stdout.contains(text), "{args:?}: {seen:?}");
        }
        Ok(())
    });
}

#[test]
fn both_programs_and_the_status_tell_which_build_they_are() {
    gateway_tests::run(async {
        let daemon = Daemon::start().await?;
        let home = &daemon.home;
        let said = Program::Gatewayd.run(home, &["--version"]).await?.stdout;
        let build = said.trim_end().strip_prefix("gatewayd ").context("the name of the program")?;
        let status = document(&daemon.ctl(&["status", "--json"]).await?.stdout)?;
        let part = |name: &str| status["daemon"][name].as_str().unwrap_or_default();
        let (version, commit, date) = (part("version"), part("commit"), part("buildDate"));
        ensure!(
            build == format!("{version} (commit {commit}, built {date})"),
            "{build}: {}",
            status["daemon"]
        );
        ensure!(version == env!("CARGO_PKG_VERSION"), "{version}");
        ensure!(!commit.is_empty() && date.len() == "2026-01-29".len(), "{build}");
        let seen = daemon.ctl(&["status"]).await?.stdout;
        ensure!(seen.lines().any(|line| line == format!("Version: {build}")), "{seen}");
        let seen = daemon.ctl(&["--version"]).await?.stdout;
        let same = format!("gatewayctl {version} (commit {commit}, built 20");
        ensure!(seen.starts_with(&same), "{seen}, and the daemon is {build}");
        Ok(())
    });
}

#[test]
fn a_part_can_be_asked_by_every_name_and_has_one_state() {
    gateway_tests::run(async {
        let daemon = Daemon::start().await?;
        let help = daemon.ctl(&["health", "--help"]).await?.stdout;
        let list = help.split("Only this part: ").nth(1).and_then(|rest| rest.split('.').next());
        let listed: Vec<_> = list
            .context("the help lists the parts")?
            .split([',', ' ', '\n'])
            .filter(|w| !w.is_empty())
            .collect();
        for part in daemon.admin().await?.health().await?.parts {
            ensure!(listed.contains(&part.name.as_str()), "{}: {listed:?}", part.name);
            let seen = daemon.ctl(&["health", "--part", &part.name]).await?;
            let ok = part.state() == PartState::Serving;
            ensure!(seen.code == Some(i32::from(!ok)), "{}: {seen:?}", part.name);
        }
        daemon.home.write_config("{ gateway: {")?;
        ensure!(daemon.ctl(&["reload"]).await?.code != Some(0), "a broken file is refused");
        let seen = daemon.ctl(&["health", "--part", "config"]).await?;
        ensure!(seen.code == Some(0) && seen.stdout.contains("degraded"), "{seen:?}");
        ensure!(!seen.stdout.contains("serving"), "{seen:?}");
        let seen = document(&daemon.ctl(&["health", "--part", "config", "--json"]).await?.stdout)?;
        ensure!(seen["state"] == "degraded" && seen["parts"][0]["state"] == "degraded", "{seen}");
        Ok(())
    });
}

#[test]
fn json_of_a_running_gateway_is_one_document() {
    gateway_tests::run(async {
        let daemon = Daemon::start().await?;
        for args in
            [&["status"][..], &["health"], &["call", "health"], &["probe"], &["devices", "list"], &["reload"]]
        {
            let seen = daemon.ctl(&[args, &["--json"]].concat()).await?;
            ensure!(seen.code == Some(0), "{args:?}: {seen:?}");
            ensure!(document(&seen.stdout)?.is_object(), "{args:?}: {}", seen.stdout);
        }
        let logs = daemon.ctl(&["logs", "--limit", "3", "--json"]).await?;
        ensure!(logs.code == Some(0) && logs.stdout.lines().count() > 1, "{logs:?}");
        for line in logs.stdout.lines() {
            document(line)?;
        }
        let unknown = daemon.ctl(&["call", "nope", "--json"]).await?;
        let refusal = document(&unknown.stdout)?;
        ensure!(unknown.code == Some(1) && refusal["ok"] == false, "{unknown:?}");
        ensure!(refusal["error"]["message"] == "Gateway call failed: unknown method: nope", "{refusal}");
        Ok(())
    });
}

#[test]
fn a_gateway_that_does_not_run_is_code_3() {
    gateway_tests::run(async {
        let home = Home::configured()?;
        // Not the usual port: a gateway of this machine may be there.
        let port = free_port()?.to_string();
        let environment = [("CLAWDBOT_GATEWAY_PORT", port.as_str())];
        for args in [&["health"][..], &["call", "health"], &["devices", "list"], &["reload"], &["shutdown"]] {
            let seen = Program::Gatewayctl.run_with(&home, args, &environment).await?;
            ensure!(seen.code == Some(3) && seen.stdout.is_empty(), "{args:?}: {seen:?}");
            ensure!(
                seen.stderr.contains("The gateway is not running; start it with: gatewayd"),
                "{args:?}: {seen:?}"
            );
            let seen =
                Program::Gatewayctl.run_with(&home, &[args, &["--json"]].concat(), &environment).await?;
            let document = document(&seen.stdout)?;
            ensure!(
                document["error"]["kind"] == "not-running" && document["error"]["exit"] == 3,
                "{args:?}: {document}"
            );
        }
        let status =
            Program::Gatewayctl.run_with(&home, &["status", "--json", "--no-probe"], &environment).await?;
        ensure!(status.code == Some(3) && document(&status.stdout)?.is_object(), "{status:?}");
        Ok(())
    });
}

#[test]
fn a_wrong_secret_is_code_4_and_a_wrong_word_is_code_2() {
    gateway_tests::run(async {
        let daemon = Daemon::start().await?;
        let url = format!("ws://127.0.0.1:{}", daemon.port);
        let wrong = daemon.ctl(&["call", "health", "--url", &url, "--token", "not-it"]).await?;
        ensure!(wrong.code == Some(4) && wrong.stderr.contains("gateway token mismatch"), "{wrong:?}");
        for args in [&["bogus"][..], &["call"], &["health", "--bogus"], &["health", "--part", "engine"]] {
            let seen = daemon.ctl(args).await?;
            ensure!(seen.code == Some(2) && seen.stdout.is_empty(), "{args:?}: {seen:?}");
        }
        Ok(())
    });
}

#[test]
fn edits_keep_what_people_wrote() {
    let text = "// mine\n{\n  gateway: {\n    mode: 'local', // stays\n    port: 18790,\n  },\n}\n";
    gateway_tests::run(async move {
        let home = Home::new()?;
        home.write_config(text)?;
        for (args, code, said) in [
            (&["config", "get", "gateway.port"][..], 0, "18790"),
            (&["config", "set", "gateway.port", "18791"], 0, "Updated gateway.port."),
            (&["config", "set", "gateway.port", "door"], 78, ""),
            (&["config", "set", "gateway.bogus", "1"], 78, ""),
            (&["config", "unset", "gateway.nothing"], 1, ""),
            (&["config", "validate"], 0, "Config valid"),
            (&["config", "explain", "gateway.reload.mode"], 0, "default:  \"hybrid\""),
            (&["config", "explain", "gateway.nothing"], 1, ""),
        ] {
            let seen = Program::Gatewayctl.run(&home, args).await?;
            ensure!(seen.code == Some(code) && seen.stdout.contains(said), "{args:?}: {seen:?}");
        }
        let after = std::fs::read_to_string(home.config())?;
        ensure!(after == text.replace("18790", "18791"), "{after}");
        let unset = Program::Gatewayctl.run(&home, &["config", "unset", "gateway.port"]).await?;
        let after = std::fs::read_to_string(home.config())?;
        ensure!(unset.code == Some(0) && !after.contains("port"), "{unset:?} {after}");
        ensure!(after.contains("// mine") && after.contains("// stays"), "{after}");
        let backup = home.read(".clawdbot/clawdbot.json.bak")?;
        ensure!(backup == text.replace("18790", "18791"), "the copy before the last edit: {backup}");
        Ok(())
    });
}

#[test]
fn a_broken_file_is_code_78() {
    gateway_tests::run(async {
        let home = Home::new()?;
        home.write_config("{ gateway: ")?;
        let seen = Program::Gatewayctl.run(&home, &["config", "validate"]).await?;
        ensure!(
            seen.code == Some(78) && (seen.stdout + &seen.stderr).contains("at 1:12"),
            "the place is named"
        );
        Ok(())
    });
}

#[test]
fn shutdown_watches_the_end() {
    gateway_tests::run(async {
        let mut daemon = Daemon::start().await?;
        let seen = daemon.ctl(&["shutdown"]).await?;
        ensure!(seen.code == Some(0) && seen.stdout.ends_with("✓ gateway stopped\n"), "{seen:?}");
        ensure!(daemon.ended().await?.code() == Some(0), "it ends well");
        ensure!(daemon.ctl(&["shutdown"]).await?.code == Some(3), "there is nothing left to stop");
        Ok(())
    });
}

#[test]
fn help_for_shells_and_readers_is_printed() {
    gateway_tests::run(async {
        let home = Home::new()?;
        for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
            let seen = Program::Gatewayctl.run(&home, &["completions", shell]).await?;
            ensure!(seen.code == Some(0) && seen.stdout.contains("gatewayctl"), "{shell}: {seen:?}");
        }
        for (program, words, title) in
            [(Program::Gatewayctl, "man", ".TH gatewayctl"), (Program::Gatewayd, "--man", ".TH gatewayd")]
        {
            let man = program.run(&home, &[words]).await?;
            ensure!(man.code == Some(0) && man.stdout.contains(title), "{man:?}");
        }
        let none = Program::Gatewayctl.run(&home, &["man", "--to", "pages"]).await?;
        ensure!(none.code == Some(1) && none.stderr.contains("mkdir -p 'pages'"), "{none:?}");
        std::fs::create_dir(home.path().join("pages"))?;
        let pages = Program::Gatewayctl.run(&home, &["man", "--to", "pages"]).await?;
        ensure!(pages.code == Some(0) && pages.stdout.is_empty(), "{pages:?}");
        ensure!(
            home.read("pages/gatewayctl-devices-list.1")?.contains(".TH gatewayctl-devices-list"),
            "a page"
        );
        let help = Program::Gatewayctl.run(&home, &["--help"]).await?;
        ensure!(help.code == Some(0) && help.stdout.contains("Exit codes:"), "{help:?}");
        Ok(())
    });
}

#[test]
fn the_older_spelling_works() {
    gateway_tests::run(async {
        let daemon = Daemon::start().await?;
        let health = daemon.ctl(&["gateway", "health"]).await?;
        ensure!(health.code == Some(0) && health.stdout.contains("Gateway is healthy"), "{health:?}");
        for words in [&["gateway", "--reset"][..], &["gateway", "run", "--reset"]] {
            let refused = daemon.ctl(words).await?;
            ensure!(refused.code == Some(78) && refused.stderr == "Use --reset with --dev.\n", "{refused:?}");
        }
        Ok(())
    });
}

#[cfg(unix)]
#[test]
fn a_frozen_gateway_keeps_no_command_waiting() {
    gateway_tests::run(async {
        let daemon = Daemon::start().await?;
        daemon.signal(rustix::process::Signal::STOP)?;
        for args in [
            &["health", "--timeout", "1000"][..],
            &["health", "--token", "x", "--timeout", "1000"],
            &["health", "--ready", "--timeout", "1000"],
            &["call", "health", "--timeout", "1000"],
            &["call", "health", "--token", "x", "--timeout", "1000"],
            &["devices", "list", "--timeout", "1000"],
            &["reload", "--timeout", "1000"],
            &["logs", "--timeout", "1000"],
            &["logs", "--follow", "--timeout", "1000"],
            &["shutdown"],
        ] {
            let seen = daemon.ctl(args).await?;
            // It is there, so it must not be said that it does not run.
            let is_told = seen.stderr.contains("The gateway did not answer in time.\n");
            ensure!(seen.code == Some(1) && is_told, "{args:?}: {seen:?}");
        }
        Ok(())
    });
}

#[cfg(unix)]
#[test]
fn the_older_name_works() {
    gateway_tests::run(async {
        let home = Home::configured()?;
        let clawdbot = home.path().join("clawdbot");
        std::os::unix::fs::symlink(binaries::folder().await?.join("gatewayctl"), &clawdbot)?;
        let mut command = Command::new(&clawdbot);
        command.args(["gateway", "health"]).env_clear().env("HOME", home.path()).kill_on_drop(true);
        let output = within("clawdbot gateway health to end", command.output()).await??;
        ensure!(output.status.code() == Some(3), "{output:?}");
        let mut command = Command::new(&clawdbot);
        command.args(["gateway", "--reset"]).env_clear().env("HOME", home.path()).kill_on_drop(true);
        let output = within("clawdbot gateway --reset to end", command.output()).await??;
        ensure!(
            output.status.code() == Some(78) && output.stderr == b"Use --reset with --dev.\n",
            "{output:?}"
        );
        Ok(())
    });
}

#[test]
fn a_reader_that_is_gone_ends_a_command_quietly() {
    gateway_tests::run(async {
        let home = Home::new()?;
        for args in [&["status"][..], &["--help"], &["config", "schema"], &["call", "health", "--json"]] {
            let (reader, writer) = std::io::pipe()?;
            drop(reader);
            let mut command = Program::Gatewayctl.command(&home).await?;
            let child = command.args(args).stdout(writer).stderr(Stdio::piped()).spawn()?;
            let output = within("the command to end", child.wait_with_output()).await??;
            let said = String::from_utf8_lossy(&output.stderr);
            ensure!(output.status.code() == Some(0) && !said.contains("panicked"), "{args:?}: {output:?}");
        }
        Ok(())
    });
}

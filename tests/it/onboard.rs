//! `gatewayctl onboard` on home folders of its own: with flags, with lines, with keys on a terminal. The service of this
//! machine is left alone in all of them.

use std::process::Stdio;

use anyhow::{Context, Result, ensure};
use gateway_tests::connect::Connect;
use gateway_tests::daemon::Daemon;
use gateway_tests::device::Device;
use gateway_tests::home::Home;
use gateway_tests::program::{Finished, Program};
use gateway_tests::provider::Provider;
use gateway_tests::terminal::Terminal;
use gateway_tests::wait::within;
use serde_json::Value;
use tokio::io::AsyncWriteExt;

const BY_FLAGS: [&str; 4] = ["onboard", "--non-interactive", "--accept-risk", "--no-install-daemon"];

async fn by_flags(home: &Home, flags: &[&str]) -> Result<Finished> {
    Program::Gatewayctl.run(home, &[&BY_FLAGS, flags].concat()).await
}

/// Runs it with these lines on standard input.
async fn by_lines(home: &Home, flags: &[&str], lines: &str) -> Result<Finished> {
    let mut command = Program::Gatewayctl.command(home).await?;
    command.args(["onboard", "--plain", "--no-install-daemon"]).args(flags);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn()?;
    // Who ended before has closed its end.
    let _ = child.stdin.take().context("its input")?.write_all(lines.as_bytes()).await;
    let output = within("onboard to end", child.wait_with_output()).await??;
    Ok(Finished {
        code: output.status.code(),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        took: std::time::Duration::ZERO,
    })
}

fn token(home: &Home) -> Result<String> {
    let config: Value = serde_json::from_str(&home.read(".clawdbot/clawdbot.json")?)?;
    Ok(config["gateway"]["auth"]["token"].as_str().context("a token")?.to_owned())
}

#[test]
fn a_new_machine_is_set_up_by_flags_alone() {
    gateway_tests::run(async {
        let home = Home::new()?;
        let seen = by_flags(&home, &["--skip-health", "--skip-ui"]).await?;
        let lines = "Updated ~/.clawdbot/clawdbot.json\nWorkspace OK: ~/clawd\n\
                     Sessions OK: ~/.clawdbot/agents/main/sessions\n";
        ensure!(seen.code == Some(0) && seen.stdout == lines, "{seen:?}");
        let text = home.read(".clawdbot/clawdbot.json")?;
        let token = token(&home)?;
        ensure!(token.len() == 48 && token.bytes().all(|b| b.is_ascii_hexdigit()), "{token}");
        for file in
            ["AGENTS.md", "SOUL.md", "TOOLS.md", "IDENTITY.md", "USER.md", "HEARTBEAT.md", "BOOTSTRAP.md"]
        {
            home.read(&format!("clawd/{file}"))?;
        }
        let again = by_flags(&home, &["--skip-health", "--skip-ui"]).await?;
        ensure!(again.code == Some(0) && again.stdout.starts_with("Unchanged: "), "{again:?}");
        ensure!(home.read(".clawdbot/clawdbot.json")? == text, "not one byte");
        let port = by_flags(&home, &["--skip-health", "--gateway-port", "19555", "--json"]).await?;
        let document: Value = serde_json::from_str(&port.stdout)?;
        ensure!(document["changed"] == true && document["gateway"]["port"] == 19555, "{document}");
        ensure!(token == self::token(&home)?, "the token stays");
        Ok(())
    });
}

#[test]
fn it_ends_with_a_status_that_works_or_says_what_is_missing() {
    gateway_tests::run(async {
        let daemon = Daemon::start().await?;
        let seen = by_flags(&daemon.home, &["--gateway-port", &daemon.port.to_string()]).await?;
        ensure!(seen.code == Some(0) && seen.stdout.contains("✓ connected"), "{seen:?}");
        ensure!(seen.stdout.contains("Dashboard URL: http://127.0.0.1:"), "{seen:?}");
        ensure!(!seen.stdout.contains("?token="), "output that is no terminal ends in logs: {seen:?}");
        let before = daemon.home.read(".clawdbot/clawdbot.json")?;
        // A running gateway takes over at once what was changed.
        let changed = ["--gateway-auth", "password", "--gateway-password", "new-password"];
        let seen = by_flags(&daemon.home, &changed).await?;
        ensure!(seen.code == Some(0) && seen.stdout.contains("auth password"), "{seen:?}");
        daemon.connect(Connect::cli().device(Device::seeded(1)).password("new-password")).await?;
        ensure!(before != daemon.home.read(".clawdbot/clawdbot.json")?, "it was written");
        let alone = Home::new()?;
        let seen = by_flags(&alone, &["--health-wait", "50"]).await?;
        ensure!(seen.code == Some(1), "{seen:?}");
        ensure!(seen.stderr.contains("Start the gateway with: gatewayd"), "{seen:?}");
        ensure!(alone.config().exists(), "the configuration is written all the same");
        Ok(())
    });
}

#[test]
fn a_restart_that_the_new_settings_need_is_waited_for() {
    gateway_tests::run(async {
        let mut daemon = Daemon::builder().config("{ gateway: { mode: 'local', bind: 'loopback', auth: { mode: 'token', token: 'token-of-the-tests' } } }").start().await?;
        let seen = by_flags(&daemon.home, &["--gateway-bind", "auto", "--gateway-port", "19556"]).await?;
        ensure!(seen.code == Some(0) && seen.stdout.contains("✓ connected"), "{seen:?}");
        ensure!(seen.stdout.contains("Listening: "), "{seen:?}");
        daemon.stop().await.map(drop)
    });
}

#[test]
fn what_is_wrong_is_said_in_the_known_words() {
    gateway_tests::run(async {
        let home = Home::new()?;
        let plain = &["onboard", "--non-interactive"][..];
        let all = &BY_FLAGS[..];
        for (base, flags, code, said) in [
            (plain, &[][..], 1, "Non-interactive onboarding requires explicit risk acknowledgement.\nRead: "),
            (all, &["--mode", "x"], 1, "Invalid --mode \"x\" (use local|remote).\n"),
            (all, &["--mode", "remote"], 1, "Missing --remote-url for remote mode.\n"),
            (all, &["--gateway-port", "18789abc"], 1, "Invalid --gateway-port\n"),
            (all, &["--gateway-auth", "password"], 1, "Missing --gateway-password for password auth.\n"),
            (all, &["--gateway-bind", "custom"], 1, "Missing gateway.customBindHost"),
            (all, &["--daemon-runtime", "deno"], 1, "Invalid --daemon-runtime (use node or bun)\n"),
            (all, &["--auth-choice", "nonsense"], 1, "Invalid --auth-choice \"nonsense\" (use apiKey|"),
            (
                all,
                &["--auth-choice", "apiKey"],
                1,
                "Missing --anthropic-api-key (or ANTHROPIC_API_KEY in env, or existing anthropic API-key profile).\n",
            ),
            (all, &["--auth-choice", "token"], 1, "Missing --token-provider for --auth-choice token.\n"),
            (all, &["--auth-choice", "token", "--token-provider", "anthropic"], 1, "Missing --token for"),
            (
                all,
                &["--auth-choice", "setup-token", "--token", "abc"],
                1,
                "--token: Expected token starting with sk-ant-oat01-\n",
            ),
            (all, &["--auth-choice", "claude-cli"], 1, "No Claude Code CLI credentials found at ~/.claude/"),
            (all, &["--auth-choice", "chutes"], 1, "--auth-choice chutes signs in with a browser"),
            (&["onboard"], &[], 2, "onboard asks questions, and standard input is no terminal\n"),
            (&["onboard"], &["--json"], 2, "--json needs --non-interactive\n"),
        ] {
            let seen = Program::Gatewayctl.run(&home, &[base, flags].concat()).await?;
            ensure!(seen.code == Some(code) && seen.stderr.starts_with(said), "{flags:?}: {seen:?}");
            ensure!(!home.state().exists(), "{flags:?} writes nothing");
        }
        home.write_config("{ gateway: { port: 'door' } }")?;
        let seen = by_flags(&home, &["--json"]).await?;
        let document: Value = serde_json::from_str(&seen.stdout)?;
        ensure!(seen.code == Some(78) && document["error"]["kind"] == "bad-config", "{seen:?}");
        let said = "Config invalid. Run `gatewayctl doctor` to repair it, then re-run onboarding.";
        ensure!(document["error"]["message"] == said, "{document}");
        Ok(())
    });
}

#[test]
fn a_key_is_tried_before_anything_is_written() {
    gateway_tests::run(async {
        for (status, body, code, word) in [
            (200, "{\"data\":[]}", 0, "good"),
            (401, "{\"error\":\"no\"}", 1, "refused"),
            (429, "{}", 0, "exhausted"),
            (500, "", 0, "unknown"),
        ] {
            let provider = Provider::start(status, body).await?;
            let home = Home::new()?;
            let config = format!(
                "// mine\n{{ models: {{ providers: {{ anthropic: {{ baseUrl: '{}', models: [] }} }} }} }}\n",
                provider.url()
            );
            home.write_config(&config)?;
            home.write("key", "canary-key\n")?;
            let flags = ["--auth-choice", "apiKey", "--key-file", "key", "--skip-health", "--json"];
            let seen = by_flags(&home, &flags).await?;
            ensure!(seen.code == Some(code), "{status}: {seen:?}");
            ensure!(!format!("{seen:?}").contains("canary"), "{seen:?}");
            let heads = provider.heads();
            let [head] = heads.as_slice() else { anyhow::bail!("one request: {heads:?}") };
            ensure!(head.starts_with("get /v1/models http/1.1\r\n"), "{head}");
            ensure!(
                head.contains("x-api-key: canary-key\r\n") && head.contains("anthropic-version: "),
                "{head}"
            );
            let store = home.state().join("agents/main/agent/auth-profiles.json");
            if code == 0 {
                let document: Value = serde_json::from_str(&seen.stdout)?;
                ensure!(document["keyCheck"] == word, "{document}");
                ensure!(home.read(".clawdbot/clawdbot.json")?.starts_with("// mine\n"), "comments stay");
                ensure!(std::fs::read_to_string(&store)?.contains("canary-key"), "stored");
                // The stored one is enough from now on, and is tried as well.
                let flags = ["--auth-choice", "apiKey", "--skip-health", "--json"];
                let again: Value = serde_json::from_str(&by_flags(&home, &flags).await?.stdout)?;
                ensure!(again["keyCheck"] == word && again["changed"] == false, "{again}");
                ensure!(provider.heads().len() == 2, "{:?}", provider.heads());
                continue;
            }
            ensure!(seen.stderr.contains("refuses the Anthropic API key (401"), "{seen:?}");
            ensure!(!store.exists() && home.read(".clawdbot/clawdbot.json")? == config, "nothing is written");
            let seen = by_flags(&home, &[&flags[..], &["--skip-key-check"]].concat()).await?;
            ensure!(seen.code == Some(0) && store.exists() && provider.heads().len() == 1, "{seen:?}");
        }
        Ok(())
    });
}

#[test]
fn a_key_that_is_refused_is_asked_again_and_kept_only_when_meant() {
    gateway_tests::run(async {
        let provider = Provider::start(401, "{}").await?;
        let home = Home::new()?;
        let openai = format!("openai: {{ baseUrl: '{}', models: [] }}", provider.url());
        home.write_config(&format!("{{ models: {{ providers: {{ {openai} }} }} }}"))?;
        // Risk, flow, handling, provider, key, not kept, key, kept, model.
        let lines = "y\n1\n1\nopenai\nfirst\nn\nsecond\ny\n\n";
        let seen = by_lines(&home, &["--skip-health"], lines).await?;
        ensure!(seen.code == Some(0), "{seen:?}");
        let said = "refuses the OpenAI API key (401 Unauthorized). Store it all the same? [y/N]";
        ensure!(seen.stderr.matches(said).count() == 2, "{seen:?}");
        ensure!(home.read(".clawdbot/.env")? == "OPENAI_API_KEY=second\n" && provider.heads().len() == 2);
        Ok(())
    });
}

#[test]
fn tokens_and_logins_of_other_programs_are_profiles_too() {
    gateway_tests::run(async {
        let home = Home::new()?;
        let token = format!("sk-ant-oat01-{}", "x".repeat(70));
        home.write("token", &token)?;
        let flags = [
            ["--auth-choice", "token"],
            ["--token-provider", "anthropic"],
            ["--key-file", "token"],
            ["--token-profile-id", "anthropic:work"],
            ["--token-expires-in", "1d"],
            ["--skip-key-check", "--skip-health"],
        ]
        .concat();
        let seen = by_flags(&home, &flags).await?;
        ensure!(seen.code == Some(0), "{seen:?}");
        let store: Value =
            serde_json::from_str(&home.read(".clawdbot/agents/main/agent/auth-profiles.json")?)?;
        let profile = &store["profiles"]["anthropic:work"];
        ensure!(profile["type"] == "token" && profile["token"] == token.as_str(), "{store}");
        ensure!(profile["expires"].as_u64().is_some_and(|at| at > 1_700_000_000_000), "{store}");
        home.write(".claude/.credentials.json", "{}")?;
        let seen = by_flags(&home, &["--auth-choice", "claude-cli", "--skip-health"]).await?;
        ensure!(seen.code == Some(0), "{seen:?}");
        let flags = ["--zai-api-key", "canary-key", "--skip-key-check", "--skip-health", "--json"];
        let document: Value = serde_json::from_str(&by_flags(&home, &flags).await?.stdout)?;
        ensure!(document["authChoice"] == "zai-api-key", "one key flag says which way is meant: {document}");
        let config: Value = serde_json::from_str(&home.read(".clawdbot/clawdbot.json")?)?;
        let profiles = &config["auth"]["profiles"];
        ensure!(profiles["anthropic:work"]["mode"] == "token", "{config:#}");
        ensure!(profiles["anthropic:claude-cli"]["mode"] == "oauth", "{config:#}");
        Ok(())
    });
}

#[test]
fn a_machine_without_a_network_is_set_up_all_the_same() {
    gateway_tests::run(async {
        let home = Home::new()?;
        let gone = Provider::start(200, "").await?.url();
        home.write_config(&format!(
            "{{ models: {{ providers: {{ openai: {{ baseUrl: '{gone}', models: [] }} }} }} }}"
        ))?;
        let environment = [("OPENAI_API_KEY", "canary-key")];
        let words = [&BY_FLAGS[..], &["--auth-choice", "openai-api-key", "--skip-health"]].concat();
        let seen = Program::Gatewayctl.run_with(&home, &words, &environment).await?;
        ensure!(seen.code == Some(0), "{seen:?}");
        ensure!(seen.stdout.starts_with("Saved OPENAI_API_KEY to ~/.clawdbot/.env\n"), "{seen:?}");
        ensure!(seen.stderr.contains("The OpenAI API key could not be tried: 127.0.0.1:"), "{seen:?}");
        ensure!(home.read(".clawdbot/.env")? == "OPENAI_API_KEY=canary-key\n");
        let environment = [("CLAWDBOT_GATEWAY_TOKEN", "another")];
        let words = [&BY_FLAGS[..], &["--skip-health"]].concat();
        let seen = Program::Gatewayctl.run_with(&home, &words, &environment).await?;
        ensure!(seen.stderr.contains("CLAWDBOT_GATEWAY_TOKEN of this shell is not the token"), "{seen:?}");
        Ok(())
    });
}

#[test]
fn secrets_are_in_no_output_and_in_no_log() {
    gateway_tests::run(async {
        let mut daemon = Daemon::start().await?;
        let home = daemon.home.clone();
        home.write("token", "canary-token")?;
        let environment =
            [("ANTHROPIC_API_KEY", "canary-key"), ("CLAWDBOT_GATEWAY_PASSWORD", "canary-password")];
        let mut printed = String::new();
        for flags in [
            &[
                "--auth-choice",
                "apiKey",
                "--skip-key-check",
                "--gateway-token-file",
                "token",
                "--skip-health",
            ][..],
            &["--gateway-auth", "password", "--skip-health", "--json"],
            &["--gateway-auth", "token"],
            &["--mode", "remote", "--remote-url", "ws://h", "--remote-token", "canary-remote"],
        ] {
            let words = [&BY_FLAGS, flags].concat();
            let seen = Program::Gatewayctl.run_with(&home, &words, &environment).await?;
            ensure!(seen.code == Some(0), "{flags:?}: {seen:?}");
            printed += &format!("{}{}", seen.stdout, seen.stderr);
        }
        daemon.stop().await?;
        printed += &format!(
            "{}{}{}",
            daemon.stdout()?,
            daemon.stderr()?,
            std::fs::read_to_string(daemon.log_file())?
        );
        ensure!(!printed.contains("canary"), "{printed}");
        ensure!(printed.contains("Remote gateway: ws://h\nAuth: token\n"), "{printed}");
        let config = home.read(".clawdbot/clawdbot.json")?;
        for canary in ["canary-token", "canary-password", "canary-remote"] {
            ensure!(config.contains(canary), "{canary} belongs into the configuration");
        }
        ensure!(!config.contains("canary-key"), "the key does not");
        Ok(())
    });
}

#[test]
fn lines_answer_the_questions() {
    gateway_tests::run(async {
        let home = Home::new()?;
        // Risk, flow, mode, workspace, provider, port, bind, auth, tailscale, token.
        let lines = "yes\n2\n1\n~/work\nskip\n19557\nlan\n\noff\nmy-token\n";
        let seen = by_lines(&home, &["--skip-health"], lines).await?;
        ensure!(seen.code == Some(0), "{seen:?}");
        for question in [
            "Onboarding mode\n",
            "  2) Manual",
            "Gateway port [18789]:",
            "Gateway token (blank to generate):",
        ] {
            ensure!(seen.stderr.contains(question), "{question}: {}", seen.stderr);
        }
        let config: Value = serde_json::from_str(&home.read(".clawdbot/clawdbot.json")?)?;
        let gateway = &config["gateway"];
        ensure!(gateway["port"] == 19557 && gateway["bind"] == "lan", "{config:#}");
        ensure!(gateway["auth"]["token"] == "my-token", "{config:#}");
        home.read("work/SOUL.md")?;
        // Once more, keeping everything.
        let text = home.read(".clawdbot/clawdbot.json")?;
        let seen = by_lines(&home, &["--skip-health"], "y\n\n\nskip\n").await?;
        ensure!(seen.code == Some(0) && seen.stderr.contains("Existing config detected"), "{seen:?}");
        ensure!(home.read(".clawdbot/clawdbot.json")? == text, "not one byte");
        Ok(())
    });
}

#[test]
fn who_stops_or_answers_wrong_has_written_nothing() {
    gateway_tests::run(async {
        for (lines, code, said) in [
            ("no\n", 0, "Setup cancelled.\n"),
            ("", 0, "Continue? [y/N] \nSetup cancelled.\n"),
            ("y\n2\n1\n", 0, "Setup cancelled.\n"),
            ("y\n7\n", 1, "Onboarding mode: Onboarding mode: choose one of quickstart, advanced\n"),
            ("y\n2\n1\n\nskip\n99999\n", 1, "Gateway port: Invalid port\n"),
        ] {
            let home = Home::new()?;
            let seen = by_lines(&home, &[], lines).await?;
            ensure!(seen.code == Some(code) && seen.stderr.ends_with(said), "{lines:?}: {seen:?}");
            ensure!(!home.state().exists(), "{lines:?} writes nothing");
        }
        Ok(())
    });
}

async fn on_a_terminal(home: &Home, flags: &[&str]) -> Result<Terminal> {
    let mut command = Program::Gatewayctl.command(home).await?;
    command.args(["onboard", "--no-install-daemon", "--skip-key-check"]).args(flags).env("TERM", "xterm");
    Terminal::start(command)
}

const UP: &str = "\u{1b}[A";
const DOWN: &str = "\u{1b}[B";
const CTRL_C: &str = "\u{3}";

#[test]
fn keys_on_a_terminal_answer_too() {
    gateway_tests::run(async {
        let home = Home::new()?;
        let mut terminal = on_a_terminal(&home, &[]).await?;
        terminal.answer("Continue?", "y").await?;
        terminal.answer("QuickStart", "\r").await?;
        terminal.answer("Model/auth provider", DOWN).await?;
        terminal.answer("36mOpenAI", "\r").await?;
        terminal.answer("Enter OpenAI API key:", "canary-kez\u{7f}y\r").await?;
        terminal.answer("Default model", "\r").await?;
        let status = terminal.ended().await?;
        let drawn = terminal.drawn();
        ensure!(status.code() == Some(0), "{status}: {drawn}");
        ensure!(!drawn.contains("canary"), "a key is not shown: {drawn}");
        ensure!(home.read(".clawdbot/.env")? == "OPENAI_API_KEY=canary-key\n");
        ensure!(drawn.contains("Updated ~/.clawdbot/clawdbot.json"), "{drawn}");
        let link = format!("Dashboard URL: http://127.0.0.1:18789/?token={}", token(&home)?);
        ensure!(drawn.contains(&link) && drawn.contains('▀'), "the link and its code: {drawn}");
        let mut terminal = on_a_terminal(&home, &["--skip-ui"]).await?;
        terminal.answer("Continue?", "y").await?;
        terminal.answer("QuickStart", "\r").await?;
        terminal.answer("Config handling", "\r").await?;
        terminal.answer("Model/auth provider", UP).await?;
        terminal.answer("36mSkip for now", "\r").await?;
        let status = terminal.ended().await?;
        ensure!(status.code() == Some(0) && !terminal.drawn().contains("?token="), "{}", terminal.drawn());
        Ok(())
    });
}

#[test]
fn a_dumb_terminal_gets_lines_and_shows_no_secret_either() {
    gateway_tests::run(async {
        let home = Home::new()?;
        let mut command = Program::Gatewayctl.command(&home).await?;
        let flags = ["onboard", "--no-install-daemon", "--skip-key-check", "--skip-health", "--skip-ui"];
        command.args(flags).args(["--accept-risk", "--flow", "quickstart"]).env("TERM", "dumb");
        let mut terminal = Terminal::start(command)?;
        terminal.answer("Number [1]:", "openai\r").await?;
        terminal.answer("Enter OpenAI API key:", "canary-key\r").await?;
        terminal.answer("Number [2]:", "\r").await?;
        let status = terminal.ended().await?;
        let drawn = terminal.drawn();
        ensure!(status.code() == Some(0) && drawn.contains("Updated ~/.clawdbot/clawdbot.json"), "{drawn}");
        ensure!(!drawn.contains("canary") && !drawn.contains('\u{1b}'), "{drawn:?}");
        ensure!(home.read(".clawdbot/.env")? == "OPENAI_API_KEY=canary-key\n");
        let config: Value = serde_json::from_str(&home.read(".clawdbot/clawdbot.json")?)?;
        let model = &config["agents"]["defaults"]["model"]["primary"];
        ensure!(model == "openai/gpt-5.2", "a model that the key pays for: {config:#}");
        Ok(())
    });
}

#[test]
fn ctrl_c_leaves_the_terminal_as_it_was() {
    gateway_tests::run(async {
        for at in ["Continue?", "QuickStart", "Enter OpenAI API key:", "Gateway port"] {
            let home = Home::new()?;
            let manual = at == "Gateway port";
            let flow = if manual { "manual" } else { "quickstart" };
            let flags: &[&str] = if at == "QuickStart" { &[] } else { &["--flow", flow, "--mode", "local"] };
            let mut terminal = on_a_terminal(&home, flags).await?;
            let steps: &[(&str, &str)] = match at {
                "Continue?" => &[],
                "QuickStart" => &[("Continue?", "y")],
                "Gateway port" => &[
                    ("Continue?", "y"),
                    ("Workspace directory", "\r"),
                    ("Model/auth provider", UP),
                    ("36mSkip for now", "\r"),
                ],
                _ => &[("Continue?", "y"), ("Model/auth provider", DOWN), ("36mOpenAI", "\r")],
            };
            for (text, keys) in steps {
                terminal.answer(text, keys).await?;
            }
            terminal.answer(at, CTRL_C).await?;
            let status = terminal.ended().await?;
            let drawn = terminal.drawn();
            ensure!(
                status.code() == Some(0) && drawn.contains("Setup cancelled."),
                "{at}: {status}: {drawn}"
            );
            let (hidden, shown) = (drawn.rfind("\u{1b}[?25l"), drawn.rfind("\u{1b}[?25h"));
            ensure!(hidden <= shown, "{at}: the cursor comes back: {drawn:?}");
            ensure!(!home.state().exists(), "{at}: nothing is written");
        }
        Ok(())
    });
}

#[test]
fn a_reset_moves_to_the_trash_and_not_under_a_running_gateway() {
    gateway_tests::run(async {
        let mut daemon = Daemon::start().await?;
        let refused = by_flags(&daemon.home, &["--reset", "--skip-health"]).await?;
        ensure!(refused.code == Some(1) && refused.stderr.contains("a gateway is running on"), "{refused:?}");
        ensure!(refused.stderr.contains("Stop it with: gatewayctl shutdown"), "{refused:?}");
        daemon.stop().await?;
        daemon.home.write("clawd/SOUL.md", "mine")?;
        let done = by_flags(&daemon.home, &["--reset", "--skip-health"]).await?;
        ensure!(done.code == Some(0), "{done:?}");
        for line in ["Moved to Trash: ~/.clawdbot/clawdbot.json\n", "Moved to Trash: ~/clawd\n"] {
            ensure!(done.stdout.contains(line), "{done:?}");
        }
        ensure!(daemon.home.read("clawd/SOUL.md")? != "mine", "a new workspace");
        ensure!(token(&daemon.home)? != gateway_tests::home::TOKEN, "a new token");
        Ok(())
    });
}

#[test]
fn setup_writes_the_least_and_dashboard_shows_the_link() {
    gateway_tests::run(async {
        let home = Home::new()?;
        let wrote = Program::Gatewayctl.run(&home, &["setup"]).await?;
        let lines = "Wrote ~/.clawdbot/clawdbot.json\nWorkspace OK: ~/clawd\n\
                     Sessions OK: ~/.clawdbot/agents/main/sessions\n";
        ensure!(wrote.code == Some(0) && wrote.stdout == lines, "{wrote:?}");
        let again = Program::Gatewayctl.run(&home, &["setup"]).await?;
        ensure!(again.stdout.starts_with("Config OK: ~/.clawdbot/clawdbot.json\n"), "{again:?}");
        Daemon::builder().home(std::sync::Arc::new(home)).start().await?.stop().await?;

        let home = Home::configured()?;
        let seen = Program::Gatewayctl.run(&home, &["dashboard", "--no-open", "--qr"]).await?;
        let url = format!("Dashboard URL: http://127.0.0.1:18789/?token={}\n", gateway_tests::home::TOKEN);
        ensure!(
            seen.code == Some(0) && seen.stdout.starts_with(&url) && seen.stdout.contains('▀'),
            "{seen:?}"
        );
        let end = "Copy to clipboard unavailable.\nBrowser launch disabled (--no-open). Use the URL above.\n";
        ensure!(seen.stdout.ends_with(end), "{seen:?}");
        let opened = Program::Gatewayctl.run(&home, &["dashboard"]).await?;
        ensure!(opened.stdout.contains("ssh -N -L 18789:127.0.0.1:18789 "), "{opened:?}");
        let json = Program::Gatewayctl.run(&home, &["dashboard", "--json"]).await?;
        let document: Value = serde_json::from_str(&json.stdout)?;
        ensure!(document["url"] == "http://127.0.0.1:18789/" && document["needsToken"] == true, "{document}");
        Ok(())
    });
}

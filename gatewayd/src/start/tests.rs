use std::ffi::OsString;

use gateway_adapters::tailscale::Reach;
use gateway_base::env::Env;
use gateway_base::paths::Paths;
use gateway_base::secret::Secret;
use gateway_config::Config;
use gateway_config::sections::Gateway;
use serde_json::{Value, json};

use super::auth::Auth;
use super::checks::{Allowed, Port, before_config, with_config};
use super::exposure::{Exposure, names_count};
use super::identity::Identity;
use crate::args::{Args, Parsed};
use crate::exit::{Exit, Refusal};

mod matrix;

fn args(line: &str) -> Args {
    match Args::parse_from_os(std::iter::once("gatewayd").chain(line.split_whitespace()).map(OsString::from))
    {
        Ok(Parsed::Run(args)) => *args,
        other => panic!("{line}: {other:?}"),
    }
}

fn gateway(value: Value) -> Gateway {
    let env = Env::from_pairs([("HOME", "/h")]);
    let paths = Paths::resolve(&env, None).expect("paths");
    Config::from_value(&json!({ "gateway": value }), &paths).gateway
}

fn check(line: &str, config: Value, env: &[(&str, &str)]) -> Result<Allowed, Refusal> {
    let args = args(line);
    before_config(&args)?;
    with_config(&args, true, &gateway(config), &Env::from_pairs(env.iter().copied()))
}

fn refused(line: &str, config: Value) -> Vec<String> {
    let refusal = check(line, config, &[]).expect_err(line);
    assert_eq!(refusal.exit, Exit::Refused, "{line}");
    refusal.lines
}

#[test]
fn every_refusal_has_its_exact_words() {
    let local = || json!({"mode": "local"});
    let cases = [
        ("--reset", local(), "Use --reset with --dev."),
        ("--ws-log loud", local(), "Invalid --ws-log (use \"auto\", \"full\", \"compact\")"),
        ("--port 0", local(), "Invalid port"),
        ("--port 65536", local(), "Invalid port"),
        ("--port 18789abc", local(), "Invalid port"),
        ("--port -1", local(), "Invalid port"),
        ("--port +1", local(), "Invalid port"),
        ("--auth none", local(), "Invalid --auth (use \"token\" or \"password\")"),
        (
            "--bind public",
            local(),
            "Invalid --bind (use \"loopback\", \"lan\", \"tailnet\", \"auto\", or \"custom\")",
        ),
        (
            "",
            json!({}),
            "Gateway start blocked: set gateway.mode=local (current: unset) or pass --allow-unconfigured.",
        ),
        (
            "",
            json!({"mode": "remote"}),
            "Gateway start blocked: set gateway.mode=local (current: remote) or pass --allow-unconfigured.",
        ),
    ];
    for (line, config, text) in cases {
        assert_eq!(refused(line, config), [text], "{line}");
    }
}

#[test]
fn a_missing_file_gets_both_messages() {
    let refusal = with_config(&args(""), false, &gateway(json!({})), &Env::default()).expect_err("refused");
    assert_eq!(
        refusal.lines,
        [
            "Missing config. Run `clawdbot setup` or set gateway.mode=local (or pass --allow-unconfigured).",
            "Gateway start blocked: set gateway.mode=local (current: unset) or pass --allow-unconfigured.",
        ]
    );
    assert!(with_config(&args("--allow-unconfigured"), false, &gateway(json!({})), &Env::default()).is_ok());
}

#[test]
fn the_first_wrong_thing_is_the_one_that_is_told() {
    assert_eq!(refused("--port x --auth y --bind z", json!({})), ["Invalid port"]);
    assert!(refused("--auth y --bind z", json!({}))[0].starts_with("Invalid --auth"));
    assert!(refused("--bind z", json!({}))[0].starts_with("Gateway start blocked"));
    assert!(refused("--bind z --auth token", json!({"mode": "local"}))[0].starts_with("Invalid --bind"));
}

#[test]
fn nothing_reachable_starts_without_a_secret() {
    for bind in ["lan", "tailnet", "custom", "0.0.0.0", "::", "192.168.1.5"] {
        let expected = [
            format!("Refusing to bind gateway to {bind} without auth."),
            "Set gateway.auth.token/password (or CLAWDBOT_GATEWAY_TOKEN/CLAWDBOT_GATEWAY_PASSWORD) or pass --token/--password.".to_owned(),
        ];
        assert_eq!(refused(&format!("--bind {bind}"), json!({"mode": "local"})), expected);
        assert_eq!(refused("", json!({"mode": "local", "bind": bind, "auth": {"token": "  "}})), expected);
        for secret in ["--token x", "--password x"] {
            assert!(
                check(&format!("--bind {bind} {secret}"), json!({"mode": "local"}), &[]).is_ok(),
                "{bind}"
            );
        }
    }
    for bind in ["loopback", "auto", "127.0.0.1", "::1"] {
        let allowed = check(&format!("--bind {bind}"), json!({"mode": "local"}), &[]).expect(bind);
        assert!(allowed.auth.is_none());
    }
    let hinted = refused("--bind lan", json!({"mode": "local", "remote": {"token": "x"}}));
    assert_eq!(
        hinted[2],
        "\"gateway.remote.token\" is for remote CLI calls; it does not enable local gateway auth."
    );
}

#[test]
fn a_demanded_secret_must_be_there() {
    let token = [
        "Gateway auth is set to token, but no token is configured.",
        "Set gateway.auth.token (or CLAWDBOT_GATEWAY_TOKEN), or pass --token.",
    ];
    let password = [
        "Gateway auth is set to password, but no password is configured.",
        "Set gateway.auth.password (or CLAWDBOT_GATEWAY_PASSWORD), or pass --password.",
    ];
    assert_eq!(refused("--auth token --password x", json!({"mode": "local"})), token);
    assert_eq!(refused("", json!({"mode": "local", "auth": {"mode": "token"}})), token);
    assert_eq!(refused("--auth password --token x", json!({"mode": "local"})), password);
    assert_eq!(refused("--token x", json!({"mode": "local", "auth": {"mode": "password"}})), password);
}

#[test]
fn secrets_come_from_flag_then_file_then_environment() {
    let env = [("CLAWDBOT_GATEWAY_TOKEN", "env"), ("CLAWDBOT_GATEWAY_PASSWORD", "")];
    let token = |text: &str| Auth::Token(Secret::new(text));
    let password = |text: &str| Auth::Password(Secret::new(text));
    let cases = [
        ("", json!({}), token("env")),
        ("", json!({"auth": {"token": "file"}}), token("file")),
        ("--token flag", json!({"auth": {"token": "file"}}), token("flag")),
        ("", json!({"auth": {"password": "file"}}), password("file")),
        ("--token flag", json!({"auth": {"password": "file"}}), password("file")),
        ("--auth token", json!({"auth": {"password": "file"}}), token("env")),
        ("--token flag", json!({"auth": {"mode": "password", "password": "file"}}), password("file")),
    ];
    for (line, config, expected) in cases {
        let line = format!("{line} --allow-unconfigured");
        assert_eq!(check(&line, config, &env).expect(&line).auth, expected, "{line}");
    }
}

#[test]
fn the_port_comes_from_flag_then_environment_then_file() {
    let port = |line: &str, config: Value, env: &[(&str, &str)]| {
        check(&format!("{line} --allow-unconfigured"), config, env).expect(line).port
    };
    let named = |number, configured| Port { number, is_explicit: true, configured };
    let env = [("CLAWDBOT_GATEWAY_PORT", "7000")];
    assert_eq!(port("--port 9000", json!({"port": 8000}), &env), named(9000, 8000));
    assert_eq!(port("", json!({"port": 8000}), &env), named(7000, 8000));
    for bad in ["x", "0", "70000", ""] {
        let found = port("", json!({"port": 8000}), &[("CLAWDBOT_GATEWAY_PORT", bad)]);
        assert_eq!(found, Port { number: 8000, is_explicit: false, configured: 8000 }, "{bad}");
    }
    assert_eq!(port("", json!({}), &[]).number, 18789);
}

#[test]
fn profiles_and_dev_move_the_paths_and_the_root_option_the_port() {
    let home = tempfile::tempdir().expect("folder");
    let text = home.path().display().to_string();
    let process = Env::from_pairs([("HOME", text.as_str())]);
    let who = |line: &str| Identity::new(&args(line), &process, home.path()).expect(line);
    for (line, state, port, is_dev) in [
        ("", ".clawdbot", None, false),
        ("--profile work", ".clawdbot-work", None, false),
        ("gateway --dev", ".clawdbot-dev", None, true),
        ("--dev gateway", ".clawdbot-dev", Some("19001"), true),
        ("--profile dev", ".clawdbot-dev", Some("19001"), true),
        ("--profile default", ".clawdbot", None, false),
    ] {
        let who = who(line);
        assert_eq!(who.paths.state, home.path().join(state), "{line}");
        assert_eq!((who.env.get("CLAWDBOT_GATEWAY_PORT"), who.is_dev), (port, is_dev), "{line}");
    }
    let explicit = Env::from_pairs([("HOME", text.as_str()), ("CLAWDBOT_STATE_DIR", "~/elsewhere")]);
    let found = Identity::new(&args("--profile work"), &explicit, home.path()).expect("paths");
    assert_eq!(found.paths.state, home.path().join("elsewhere"));
    assert_eq!(found.env.get("CLAWDBOT_PROFILE"), Some("work"));
}

#[test]
fn a_broken_file_is_explained_with_its_path_and_refused() {
    let home = tempfile::tempdir().expect("folder");
    let env = Env::from_pairs([("HOME", home.path().display().to_string())]);
    let paths = Paths::resolve(&env, None).expect("paths");
    std::fs::create_dir_all(&paths.state).expect("folder");
    std::fs::write(&paths.config, "{\n  gateway: { port: }\n}").expect("written");
    let refusal = super::configuration::load(&paths, &env).expect_err("broken");
    assert_eq!(refusal.exit, Exit::Refused);
    assert_eq!(refusal.lines[..3], ["Config invalid", "File: ~/.clawdbot/clawdbot.json", "Problem:"]);
    assert!(refusal.lines[3].starts_with("  - <root>: JSON5 parse failed:"), "{:?}", refusal.lines);
    assert!(refusal.lines[3].contains("2:"), "{:?}", refusal.lines);
    assert_eq!(refusal.lines.last().map(String::as_str), Some("Run: clawdbot doctor --fix"));
}

#[test]
fn tailscale_publishes_only_what_is_safe() {
    let loopback =
        ["Gateway failed to start: Error: tailscale serve/funnel requires gateway bind=loopback (127.0.0.1)"];
    let password = [
        "Gateway failed to start: Error: tailscale funnel requires gateway auth mode=password (set gateway.auth.password or CLAWDBOT_GATEWAY_PASSWORD)",
    ];
    let local = |auth: Value| json!({"mode": "local", "auth": auth});
    assert_eq!(
        refused("--auth y --tailscale z", json!({"mode": "local"}))[0],
        "Invalid --auth (use \"token\" or \"password\")"
    );
    assert_eq!(
        refused("--tailscale on", json!({})),
        ["Invalid --tailscale (use \"off\", \"serve\", or \"funnel\")"]
    );
    for bind in ["lan", "tailnet", "auto", "0.0.0.0", "192.168.1.5"] {
        let line = format!("--tailscale serve --token x --bind {bind}");
        assert_eq!(refused(&line, json!({"mode": "local"})), loopback, "{bind}");
    }
    for bind in ["loopback", "127.0.0.1", "::1"] {
        let line = format!("--tailscale serve --token x --bind {bind}");
        assert!(check(&line, json!({"mode": "local"}), &[]).is_ok(), "{bind}");
    }
    let custom = |host: &str| json!({"mode": "local", "bind": "custom", "customBindHost": host});
    assert!(check("--tailscale serve --token x", custom("127.0.0.1"), &[]).is_ok());
    assert_eq!(refused("--tailscale serve --token x", custom("10.0.0.1")), loopback);
    for auth in [json!({}), json!({"token": "x"}), json!({"token": "x", "allowTailscale": true})] {
        assert_eq!(refused("--tailscale funnel", local(auth)), password);
    }
    assert!(check("--tailscale funnel", local(json!({"password": "x"})), &[]).is_ok());
    assert!(check("--tailscale serve", local(json!({})), &[]).is_ok());
    let nobody = refused("--tailscale serve", local(json!({"allowTailscale": false})));
    assert!(nobody[0].contains("gateway.auth.allowTailscale"), "{nobody:?}");
    let unsafe_both = refused("--tailscale funnel --bind lan", json!({"mode": "local"}));
    assert_eq!(unsafe_both[0], "Refusing to bind gateway to lan without auth.");
}

#[test]
fn a_flag_about_tailscale_changes_only_what_it_says() {
    let file = |mode: &str, reset: bool| json!({"mode": "local", "auth": {"password": "x"}, "tailscale": {"mode": mode, "resetOnExit": reset}});
    let cases = [
        ("", file("off", false), None, false),
        ("--tailscale serve", file("off", true), Some(Reach::Serve), true),
        ("--tailscale-reset-on-exit", file("serve", false), Some(Reach::Serve), true),
        ("--tailscale off", file("funnel", true), None, true),
        ("--tailscale funnel", file("serve", false), Some(Reach::Funnel), false),
        ("", file("funnel", false), Some(Reach::Funnel), false),
    ];
    for (line, config, reach, reset_on_exit) in cases {
        let exposure = check(line, config, &[]).expect(line).exposure;
        assert_eq!(exposure, Exposure { reach, reset_on_exit }, "{line}");
    }
}

#[test]
fn names_of_the_tailnet_count_by_default_only_with_serve_and_without_a_password() {
    let (none, token, password) =
        (Auth::None, Auth::Token(Secret::new("x")), Auth::Password(Secret::new("x")));
    for (reach, auth, expected) in [
        (Some(Reach::Serve), &none, true),
        (Some(Reach::Serve), &token, true),
        (Some(Reach::Serve), &password, false),
        (Some(Reach::Funnel), &password, false),
        (Some(Reach::Funnel), &token, false),
        (None, &token, false),
    ] {
        let count = |config: Value| names_count(reach, auth, &gateway(config));
        assert_eq!(count(json!({})), expected, "{reach:?} {auth:?}");
        for set in [true, false] {
            assert_eq!(count(json!({"auth": {"allowTailscale": set}})), set);
        }
    }
}

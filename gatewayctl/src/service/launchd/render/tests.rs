use gateway_base::paths::Paths;
use gateway_base::profile::Profile;
use serde_json::Value as Json;

use super::*;
use crate::cmds::testing::{assert_golden, env_at};
use crate::service::launchd::parse;
use crate::service::names::Names;
use crate::service::scope::Scope;
use crate::service::spec::Parts;
use crate::service::status::Manager;
use crate::service::testing::read_by_python;

const LOG: &str = "/Users/you/.clawdbot/logs/gateway.log";

fn spec(profile: Option<&str>, extra: &[(&str, &str)]) -> (Names, Spec) {
    let env = env_at("/Users/you", extra);
    let profile = profile.and_then(|name| Profile::parse(name).ok());
    let paths = Paths::resolve(&env, profile).expect("HOME is set");
    let names = Names::new(&env, &paths);
    let spec = Spec::new(Parts {
        manager: Manager::Launchd,
        scope: Scope::User,
        names: &names,
        paths: &paths,
        env: &env,
        program: Path::new("/usr/local/bin/gatewayd"),
        port: 18789,
        user: None,
    });
    (names, spec)
}

fn text(spec: &Spec) -> Result<String, Error> {
    agent("com.clawdbot.gateway", spec, Path::new(LOG))
}

/// The lists as read by a parser that has nothing in common with ours.
fn read_all(texts: &[String]) -> Vec<Json> {
    read_by_python("import plistlib\ndef read(text): return plistlib.loads(text.encode())", texts)
}

#[cfg(unix)]
#[test]
fn the_lists_are_reviewed() {
    let golden = |name: &str, profile| {
        let (names, spec) = spec(profile, &[]);
        let text = agent(&names.label, &spec, Path::new(LOG)).expect("is written");
        assert_golden(name, &text.replace(env!("CARGO_PKG_VERSION"), "0.0.0"));
    };
    golden("launchd", None);
    golden("launchd-profile", Some("work"));
}

#[test]
fn two_parsers_read_what_was_meant() {
    let (_, spec) = spec(Some("Work"), &[]);
    let text = text(&spec).expect("is written");
    let command = parse::agent(&text, Path::new("/p"));
    assert_eq!(command.program_arguments, ["/usr/local/bin/gatewayd", "gateway", "--port", "18789"]);
    assert_eq!(command.environment, spec.environment.iter().cloned().collect());
    let list = &read_all(std::slice::from_ref(&text))[0];
    assert_eq!(list["ProgramArguments"], serde_json::json!(command.program_arguments));
    assert_eq!(list["EnvironmentVariables"], serde_json::json!(command.environment));
    assert_eq!(list["RunAtLoad"], true);
    assert_eq!(list["KeepAlive"]["SuccessfulExit"], false);
    assert_eq!(list["ExitTimeOut"], limits::SERVICE_STOP.as_secs());
    assert!(limits::SERVICE_STOP > limits::STOP, "launchd waits longer than the daemon takes");
    assert_eq!(list["StandardErrorPath"], "/Users/you/.clawdbot/logs/gateway.err.log");
    assert_eq!(list["Umask"], 63);
}

#[test]
fn a_list_of_ours_has_no_finding() {
    let (_, spec) = spec(None, &[]);
    let text = text(&spec).expect("is written");
    let command = parse::agent(&text, Path::new("/p"));
    let audit = crate::service::audit(Manager::Launchd, Some(&command), &text, |_| true);
    assert!(audit.ok, "{audit:?}");
    let codes = |text: &str| -> Vec<&str> {
        let audit = crate::service::audit(Manager::Launchd, Some(&command), text, |_| true);
        audit.issues.iter().map(|finding| finding.code).collect()
    };
    let both = ["launchd-run-at-load", "launchd-keep-alive"];
    assert_eq!(codes("<plist><dict/></plist>"), both);
    assert_eq!(codes(&text.replace("<key>RunAtLoad</key>", "<key>X</key>")), both[..1]);
    assert_eq!(codes(&text.replace("<key>SuccessfulExit</key>", "<key>X</key>")), both[1..]);
}

#[test]
fn what_cannot_be_run_is_refused() {
    let (_, mut named) = spec(None, &[]);
    named.environment.push(("a\nb".to_owned(), "x".to_owned()));
    assert!(matches!(text(&named), Err(Error::Control(_))));
    let (_, mut long) = spec(None, &[]);
    long.program = PathBuf::from(format!("/{}", "x".repeat(10_000)));
    assert!(matches!(text(&long), Err(Error::Long(..))));
    long.program = PathBuf::from("gatewayd");
    assert!(matches!(text(&long), Err(Error::Relative(_))));
}

#[test]
fn no_secret_of_the_shell_is_in_it() {
    let canary = [
        ("CLAWDBOT_GATEWAY_TOKEN", "canary"),
        ("CLAWDBOT_GATEWAY_PASSWORD", "canary"),
        ("ANTHROPIC_API_KEY", "canary"),
    ];
    let (_, spec) = spec(Some("work"), &canary);
    assert!(!text(&spec).expect("is written").contains("canary"));
}

use std::fs;

use gateway_base::secret::Secret;

use super::*;
use crate::answers::{Answers, Auth, Provider};
use crate::facts::{Host, Service};
use crate::providers;
use crate::testing::{FRESH, Home};

fn place(home: &Home) -> Place {
    Place { paths: home.paths.clone(), env: home.env.clone(), now: 0, command: "onboard" }
}

async fn run(home: &Home, answers: &Answers) -> Result<Done, Error> {
    let plan = Plan::new(&home.facts(Host::Terminal(Service::Absent)), answers).expect("a plan");
    apply(plan, place(home)).await
}

#[tokio::test]
async fn a_new_machine_gets_everything_once() {
    let home = Home::new(None);
    let done = run(&home, &Answers::default()).await.expect("done");
    assert!(done.changed);
    let lines = [
        "Updated ~/.clawdbot/clawdbot.json",
        "Workspace OK: ~/clawd",
        "Sessions OK: ~/.clawdbot/agents/main/sessions",
    ];
    assert_eq!(done.lines, lines);
    let text = home.config();
    for part in [FRESH, "lastRunMode", "lastTouchedVersion", "18789"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = |path: &Path| fs::metadata(path).expect("there").permissions().mode() & 0o777;
        assert_eq!((mode(&home.paths.config), mode(&home.paths.state)), (0o600, 0o700));
    }
    let again = run(&home, &Answers::default()).await.expect("done");
    assert!(!again.changed && again.lines[0] == "Unchanged: ~/.clawdbot/clawdbot.json", "{again:?}");
    assert_eq!(home.config(), text, "not one byte");
    assert!(config::history(&home.paths).is_empty(), "no copy either");
}

#[tokio::test]
async fn an_existing_file_keeps_its_comments_and_changes_where_it_was_answered() {
    let text = "// mine\n{\n  gateway: {\n    mode: 'local', // why\n    port: 19000,\n    bind: 'loopback',\n    \
                auth: { mode: 'token', token: \"${MINE}\" },\n    tailscale: { mode: 'off', resetOnExit: false },\n  },\n  \
                agents: { defaults: { workspace: '~/clawd' } },\n}\n";
    let home = Home::new(Some(text)).with("MINE", "mine");
    let done = run(&home, &Answers::default()).await.expect("done");
    assert!(!done.changed);
    assert_eq!(home.config(), text);
    let done = run(&home, &Answers { port: Some(19001), ..Answers::default() }).await.expect("done");
    assert!(done.changed);
    let (before, _) =
        home.config().split_once("wizard").map(|(a, b)| (a.to_owned(), b.to_owned())).expect("noted");
    assert!(before.starts_with(&text.replace("19000", "19001")[..text.len() - 3]), "{before}");
    assert_eq!(config::history(&home.paths).len(), 1);
}

#[tokio::test]
async fn a_key_goes_into_its_own_file_and_nowhere_else() {
    let home = Home::new(None);
    let choice = providers::find("apiKey").expect("a row");
    let key = crate::answers::Key { choice, secret: Secret::new("canary"), profile: None, expires: None };
    let answers = Answers { provider: Some(Provider::Key(key)), ..Answers::default() };
    let done = run(&home, &answers).await.expect("done");
    let saved = "Saved anthropic:default to ~/.clawdbot/agents/main/agent/auth-profiles.json";
    assert_eq!(done.lines[0], saved);
    assert!(!home.config().contains("canary"));
    let again = run(&home, &answers).await.expect("done");
    assert!(again.lines[0].starts_with("Unchanged: anthropic:default in "), "{again:?}");
}

#[tokio::test]
async fn authentication_can_be_switched_off() {
    let home = Home::new(Some("{ gateway: { auth: { token: 't' } } }"));
    run(&home, &Answers { auth: Some(Auth::Off), ..Answers::default() }).await.expect("done");
    assert!(!home.config().contains("token"), "{}", home.config());
}

#[tokio::test]
async fn what_stands_in_an_included_file_is_not_written_over() {
    let home = Home::new(Some("{ gateway: { $include: './gateway.json' } }"));
    fs::write(home.paths.state.join("gateway.json"), "{ mode: 'local', port: 1 }").expect("file");
    let choice = providers::find("apiKey").expect("a row");
    let key = crate::answers::Key { choice, secret: Secret::new("canary"), profile: None, expires: None };
    let answers = Answers { port: Some(2), provider: Some(Provider::Key(key)), ..Answers::default() };
    let error = run(&home, &answers).await.expect_err("refused");
    assert!(error.to_string().contains("gateway.json"), "{error}");
    assert!(!credentials::profiles_file(&home.paths).exists(), "no key is kept either");
    assert_eq!(home.config(), "{ gateway: { $include: './gateway.json' } }");
}

#[tokio::test]
async fn a_workspace_that_cannot_be_made_is_named() {
    let home = Home::new(None);
    fs::write(home.dir.path().join("clawd"), "a file").expect("file");
    let error = run(&home, &Answers::default()).await.expect_err("refused");
    assert_eq!(error.to_string(), "cannot make ~/clawd");
}

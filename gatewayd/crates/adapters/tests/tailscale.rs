//! Tailscale's program, with scripts in its place. It is a process of its own, because a child keeps every open file
//! until it has become another program, the lock of a store that is opened again beside it as well.

#![cfg(unix)]
#![cfg(test)]

use std::net::IpAddr;

use gateway_adapters::tailscale::{Problem, Reach, Status, Tailscale, Target};
use gateway_base::env::Env;
use gateway_domain::ports::tailnet::Whois;

/// A folder with programs that are shell scripts, found through `PATH`.
struct Tools {
    folder: tempfile::TempDir,
}

impl Tools {
    fn new(script: &str) -> Self {
        let tools = Self { folder: tempfile::tempdir().expect("folder") };
        tools.add("tailscale", script);
        tools
    }

    fn add(&self, name: &str, script: &str) {
        use std::os::unix::fs::PermissionsExt;
        let file = self.folder.path().join(name);
        let called = self.folder.path().join("called");
        let text = format!("#!/bin/sh\necho {name} \"$@\" >> '{}'\n{script}\n", called.display());
        let draft = file.with_extension("draft");
        std::fs::write(&draft, text).expect("written");
        std::fs::set_permissions(&draft, std::fs::Permissions::from_mode(0o755)).expect("a program");
        // A file that is open for writing cannot be run, and a child that another test starts just now keeps it open.
        let copied = std::process::Command::new("cp").arg(&draft).arg(&file).status().expect("cp runs");
        assert!(copied.success());
    }

    fn tailscale(&self) -> Tailscale {
        let folder = self.folder.path().display();
        Tailscale::new(&Env::from_pairs([
            ("PATH", format!(".:{folder}:/usr/bin:/bin").as_str()),
            ("CLAWDBOT_GATEWAY_TOKEN", "secret"),
        ]))
    }

    fn called(&self) -> Vec<String> {
        let text = std::fs::read_to_string(self.folder.path().join("called")).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    async fn serve(&self) -> Result<(), Problem> {
        self.tailscale().publish(Reach::Serve, plain(), &Status::default()).await
    }
}

fn plain() -> Target {
    Target { address: "127.0.0.1:18789".parse().expect("address"), tls: false }
}

fn ip(text: &str) -> IpAddr {
    text.parse().expect("address")
}

#[tokio::test]
async fn the_program_gets_the_words_of_the_reference_and_no_secret() {
    let tools = Tools::new("test -z \"$CLAWDBOT_GATEWAY_TOKEN\"");
    let tailscale = tools.tailscale();
    tailscale.publish(Reach::Serve, plain(), &Status::default()).await.expect("served");
    tailscale.publish(Reach::Funnel, plain(), &Status::default()).await.expect("on the internet");
    tailscale.withdraw(Reach::Serve).await.expect("taken back");
    let asked = ["serve --bg --yes 18789", "funnel --bg --yes 18789", "serve --https=443 off"];
    assert_eq!(tools.called(), asked.map(|words| format!("tailscale {words}")));
}

#[tokio::test]
async fn every_failure_of_a_change_is_named_with_its_remedy() {
    let cases = [
        ("Access denied: serve config denied", "sudo tailscale set --operator=$USER"),
        ("failed to connect to local tailscaled; is tailscaled running?", "sudo systemctl start tailscaled"),
        (
            "Serve is not enabled on your tailnet.\nTo enable, visit:\n\n  https://login.tailscale.com/f/serve?node=n1",
            "Serve is not enabled on the tailnet; enable it: https://login.tailscale.com/f/serve?node=n1",
        ),
        ("Funnel not available; HTTPS must be enabled. See https://tailscale.com/s/https.", "admin/dns"),
        ("Funnel not available; \"funnel\" node attribute not set.", "tailscale.com/s/no-funnel"),
        ("You are logged out.", "sudo tailscale up"),
        ("port 443 is already serving TCP", "tailscale serve status"),
        ("boom\u{1b}[2J", "`tailscale serve --bg --yes 18789` failed: boom\\u{1b}[2J; try it by hand"),
    ];
    for (said, remedy) in cases {
        let tools = Tools::new(&format!("cat >&2 <<'END'\n{said}\nEND\nexit 1"));
        tools.add("sudo", "exit 1");
        let problem = tools.serve().await.expect_err(said).to_string();
        assert!(problem.contains(remedy), "{said}: {problem}");
    }
    let status = Status { https: Some(false), ..Status::default() };
    let tools = Tools::new("exit 1");
    let publish = async |reach, status: &Status| tools.tailscale().publish(reach, plain(), status).await;
    assert_eq!(publish(Reach::Serve, &status).await, Err(Problem::NoHttps));
    let status = Status { https: Some(true), funnel: Some(false), ..Status::default() };
    assert_eq!(publish(Reach::Funnel, &status).await, Err(Problem::NoFunnel));
}

#[tokio::test]
async fn a_state_that_is_not_connected_is_named_with_its_remedy() {
    for (state, remedy) in [
        ("NeedsLogin", "sudo tailscale up"),
        ("Stopped", "sudo tailscale up"),
        ("NeedsMachineAuth", "admin/machines"),
        ("NoState", "tailscale status"),
        ("Starting", "tailscale status"),
        ("InUseOtherUser", "sudo tailscale up"),
    ] {
        let tools = Tools::new(&format!("echo '{{\"BackendState\":\"{state}\"}}'; exit 1"));
        let problem = tools.tailscale().status().await.expect_err(state).to_string();
        assert!(problem.contains(remedy), "{state}: {problem}");
    }
}

#[tokio::test]
async fn rights_that_are_missing_are_tried_once_through_sudo() {
    let tools = Tools::new("echo 'access denied' >&2; exit 1");
    tools.add("sudo", "exit 0");
    tools.serve().await.expect("sudo may");
    let program = tools.folder.path().join("tailscale");
    let again = format!("sudo -n {} serve --bg --yes 18789", program.display());
    assert_eq!(tools.called(), ["tailscale serve --bg --yes 18789".to_owned(), again]);
}

#[tokio::test]
async fn answers_that_are_none_are_survived() {
    for script in [
        "echo not json",
        "head -c 3000 /dev/zero",
        "printf '\\377\\376{'",
        "yes '{\"BackendState\":'",
        "yes '{' | head -c 9000000",
        "kill -9 $$",
    ] {
        let tools = Tools::new(script);
        tools.tailscale().status().await.expect_err(script);
        let asked = tools.tailscale().whois(ip("100.64.0.7")).await;
        asked.expect_err(script);
    }
}

#[tokio::test]
async fn an_address_that_nobody_has_is_nobody_and_no_failure() {
    let tools = Tools::new("echo 'peer not found' >&2; exit 1");
    assert_eq!(tools.tailscale().whois(ip("100.64.0.7")).await, Ok(None));
    assert_eq!(tools.called(), ["tailscale whois --json 100.64.0.7"]);
}

#[tokio::test]
async fn a_program_that_is_not_there_or_no_program_is_named() {
    let nowhere = Tailscale::new(&Env::from_pairs([("PATH", ".:/no/such/folder:")]));
    assert_eq!(nowhere.status().await, Err(Problem::Missing));
    let tools = Tools::new("");
    let file = tools.folder.path().join("tailscale");
    std::fs::write(&file, b"\x7fELF nonsense").expect("written");
    let problem = tools.tailscale().status().await.expect_err("no program").to_string();
    assert!(problem.contains("cannot be started") && problem.contains("download"), "{problem}");
}

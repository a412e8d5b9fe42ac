use std::net::IpAddr;

use gateway_base::env::Env;
use gateway_domain::ports::tailnet::Whois;
use serde_json::json;

use super::answer::{self, Backend, Status};
use super::{Problem, Reach, Tailscale, Target};

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

#[test]
fn a_status_is_read_whatever_is_missing_in_it() {
    let full = json!({
        "Version": "1.80.0", "BackendState": "Running", "AuthURL": "", "TailscaleIPs": ["100.64.0.1"],
        "Self": { "DNSName": "box.tail1.ts.net.", "TailscaleIPs": ["100.64.0.1"], "CapMap": { "https": null, "funnel": null } },
        "CertDomains": ["box.tail1.ts.net"], "Peer": { "nodekey:1": { "DNSName": "x" } },
    });
    let status = answer::status(&format!("# warning\n{full}\nbye")).expect("read");
    assert_eq!(status.host().as_deref(), Some("box.tail1.ts.net"));
    assert_eq!((status.https, status.funnel, status.backend), (Some(true), Some(true), Backend::Running));
    let nulls = json!({ "BackendState": "NeedsLogin", "AuthURL": "https://login.tailscale.com/a/1", "Self": null,
        "CertDomains": null, "TailscaleIPs": null });
    let status = answer::status(&nulls.to_string()).expect("read");
    assert_eq!(status.backend, Backend::LoggedOut(Some("https://login.tailscale.com/a/1".into())));
    assert_eq!((status.host(), status.https, status.funnel), (None, None, None));
    let unnamed = json!({ "Self": { "DNSName": "", "TailscaleIPs": ["fd7a:115c:a1e0::1"], "CapMap": { "ssh": null } } });
    let status = answer::status(&unnamed.to_string()).expect("read");
    assert_eq!(status.host().as_deref(), Some("[fd7a:115c:a1e0::1]"));
    assert_eq!((status.https, status.funnel), (Some(false), Some(false)));
    let hostile = json!({ "Self": { "DNSName": "box\u{1b}[2J.ts.net" } });
    assert_eq!(answer::status(&hostile.to_string()).expect("read").host(), None);
    for text in ["", "no", "}{", "{", "{\"Self\": 1}", "[1]"] {
        assert_eq!(answer::status(text), None, "{text}");
    }
    assert_eq!(answer::status(&"{\"a\":".repeat(100_000)), None);
}

#[test]
fn a_login_is_found_under_every_name_and_not_for_a_tagged_device() {
    for profile in [
        json!({ "UserProfile": { "LoginName": "ada@x.org", "DisplayName": "Ada" } }),
        json!({ "userProfile": { "Login": "ada@x.org" } }),
        json!({ "User": { "login": " ada@x.org " } }),
        json!({ "LoginName": "ada@x.org" }),
        json!({ "Node": { "Tags": null }, "UserProfile": { "LoginName": "ada@x.org" } }),
    ] {
        let user = answer::whois(&profile.to_string()).expect("read").expect("somebody");
        assert_eq!(user.login, "ada@x.org");
    }
    let tagged =
        json!({ "Node": { "Tags": ["tag:server"] }, "UserProfile": { "LoginName": "tagged-devices" } });
    assert_eq!(answer::whois(&tagged.to_string()), Ok(None));
    for text in ["", "null", "{}", "{\"UserProfile\":{\"LoginName\":7}}", "\u{0}\u{1}"] {
        assert_eq!(answer::whois(text), Err(()), "{text}");
    }
}

#[test]
fn the_target_says_what_a_port_alone_would_not() {
    let target = |text: &str, tls| Target { address: text.parse().expect("address"), tls }.argument();
    assert_eq!(target("127.0.0.1:18789", false), "18789");
    assert_eq!(target("[::1]:18789", false), "http://[::1]:18789");
    assert_eq!(target("127.0.0.1:18789", true), "https+insecure://127.0.0.1:18789");
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

use serde_json::json;

use super::Target;
use super::answer::{self, Backend};

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

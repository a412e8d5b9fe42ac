//! The lines of a successful start, as the tutorial shows them: on stdout with a tick, in the log file with the same
//! words.

use std::net::SocketAddr;

use gateway_base::net;

use super::boot::Facts;
use crate::print;

/// Prints and logs the lines: model, one per address, log file.
pub fn announce(facts: &Facts) {
    for body in lines(facts) {
        print::success(&body);
        tracing::info!(subsystem = "gateway", file_only = true, "{body}");
    }
    if let Some(alias) = facts.alias.filter(|_| !facts.verbose) {
        tracing::info!(subsystem = "gateway", file_only = true, "listening on {}", url(facts.tls, alias));
    }
    if facts.nix {
        print::line("gateway: running in Nix mode (config managed externally)");
    }
}

fn lines(facts: &Facts) -> Vec<String> {
    let mut lines = vec![format!("agent model: {}", facts.model)];
    let alias = facts.alias.filter(|_| facts.verbose);
    for (n, address) in facts.shown.iter().copied().chain(alias).enumerate() {
        let pid = if n == 0 { format!(" (PID {})", std::process::id()) } else { String::new() };
        lines.push(format!("listening on {}{pid}", url(facts.tls, address)));
    }
    lines.push(format!("log file: {}", facts.log_file.display()));
    lines
}

fn url(tls: bool, address: SocketAddr) -> String {
    let scheme = if tls { "wss" } else { "ws" };
    format!("{scheme}://{}:{}", net::url_host(address.ip()), address.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(shown: &[&str], alias: Option<&str>) -> Facts {
        let address = |text: &str| text.parse().expect("an address");
        Facts {
            model: "anthropic/claude-opus-4-5".into(),
            shown: shown.iter().map(|text| address(text)).collect(),
            alias: alias.map(address),
            log_file: "/h/.clawdbot/logs/gateway.log".into(),
            tls: false,
            verbose: false,
            nix: false,
        }
    }

    #[test]
    fn the_lines_are_those_of_the_tutorial() {
        let pid = std::process::id();
        assert_eq!(
            lines(&facts(&["127.0.0.1:18789"], Some("[::1]:18789"))),
            [
                "agent model: anthropic/claude-opus-4-5".to_owned(),
                format!("listening on ws://127.0.0.1:18789 (PID {pid})"),
                "log file: /h/.clawdbot/logs/gateway.log".to_owned(),
            ]
        );
        let lan = Facts { tls: true, ..facts(&["192.168.1.100:18789", "10.0.0.5:18789"], None) };
        assert_eq!(
            lines(&lan)[1..3],
            [
                format!("listening on wss://192.168.1.100:18789 (PID {pid})"),
                "listening on wss://10.0.0.5:18789".into()
            ]
        );
    }

    #[test]
    fn the_alias_is_shown_when_detail_is_asked_for() {
        let verbose = Facts { verbose: true, ..facts(&["127.0.0.1:1"], Some("[::1]:1")) };
        assert_eq!(lines(&verbose)[2], "listening on ws://[::1]:1");
    }
}

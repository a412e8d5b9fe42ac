//! What is probed, in order, each address once, and with which secrets.

use gateway_base::env::Env;

use super::kind::Kind;
use crate::args::ProbeArgs;
use crate::settings::Settings;
use crate::target::{self, Secrets, Target};
use crate::ws;

/// The targets; `tunnel` is the port of this machine that leads to a gateway elsewhere.
pub fn targets(
    args: &ProbeArgs,
    settings: &Settings,
    env: &Env,
    local: &Target,
    tunnel: Option<u16>,
) -> Vec<(Kind, Target)> {
    let given = (args.token.is_some() || args.password.is_some()).then(|| Secrets {
        token: args.token.clone(),
        password: args.password.clone(),
        explicit: true,
    });
    let secrets =
        |remote| given.clone().unwrap_or_else(|| target::remote_or_local_secrets(settings, env, remote));
    let far = |url: &str, source: &str, secrets, pin: Option<String>| Target {
        url: url.to_owned(),
        source: source.to_owned(),
        bind: None,
        local: false,
        config: local.config.clone(),
        secrets,
        pin,
    };
    let remote = settings.text("gateway.remote.url");
    let pin = settings.text("gateway.remote.tlsFingerprint").map(ws::normalise_fingerprint);
    let mut out: Vec<(Kind, Target)> = Vec::new();
    if let Some(port) = tunnel {
        let target = far(&format!("ws://127.0.0.1:{port}"), "ssh tunnel", secrets(true), None);
        out.push((Kind::Ssh, target));
    }
    if let Some(url) = args.url.as_deref().filter(|url| is_address(url)) {
        let pin = pin.clone().filter(|_| remote == Some(url));
        out.push((Kind::Explicit, far(url, "cli --url", secrets(remote == Some(url)), pin)));
    }
    if let Some(url) = remote {
        let kind = Kind::Remote { active: settings.is_remote() };
        out.push((kind, far(url, "config gateway.remote.url", secrets(true), pin)));
    }
    out.push((Kind::Local, Target { secrets: secrets(false), ..local.clone() }));
    let mut seen = Vec::new();
    out.retain(|(_, target)| {
        let new = !seen.contains(&target.url);
        seen.push(target.url.clone());
        new
    });
    out
}

/// Whether it is an address that can be probed at all.
pub fn is_address(url: &str) -> bool {
    url.starts_with("ws://") || url.starts_with("wss://")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use gateway_base::paths::Paths;
    use serde_json::json;

    use super::*;
    use crate::cmds::testing::env_at;

    #[test]
    fn targets_come_in_order_and_once() {
        let env = env_at("/home/you", &[("CLAWDBOT_GATEWAY_TOKEN", "env")]);
        let paths = Paths::resolve(&env, None).expect("HOME is set");
        let settings =
            Settings::from_value(json!({"gateway": {"remote": {"url": "ws://studio:1", "token": "far"}}}));
        let local = Target::local(&settings, &env, &paths, None);
        let args = |url: &str| ProbeArgs {
            url: Some(url.to_owned()),
            ssh: None,
            ssh_identity: None,
            ssh_auto: false,
            token: None,
            password: None,
            timeout: Duration::from_secs(3),
            json: false,
        };
        let targets = |url: &str, tunnel| targets(&args(url), &settings, &env, &local, tunnel);
        let found = targets("wss://other:2", Some(5));
        let ids: Vec<_> = found.iter().map(|(kind, target)| (kind.id(), target.url.as_str())).collect();
        assert_eq!(
            ids,
            [
                ("sshTunnel", "ws://127.0.0.1:5"),
                ("explicit", "wss://other:2"),
                ("configRemote", "ws://studio:1"),
                ("localLoopback", "ws://127.0.0.1:18789")
            ]
        );
        let token = |index: usize| found[index].1.secrets.token.as_ref().map(|t| t.expose().to_owned());
        assert_eq!((token(0).as_deref(), token(2).as_deref()), (Some("far"), Some("far")));
        assert_eq!(token(3).as_deref(), Some("env"));
        assert_eq!(targets("ws://127.0.0.1:18789", None).len(), 2);
        assert_eq!(targets("http://x", None).len(), 2);
        let own_port = targets("http://x", Some(18789));
        assert_eq!(
            own_port.iter().map(|(kind, _)| kind.id()).collect::<Vec<_>>(),
            ["sshTunnel", "configRemote"]
        );
    }
}

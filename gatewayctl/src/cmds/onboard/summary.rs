//! The one document of `onboard --json`: the fields of the original, and what else a script may want to know. Nothing
//! in it is a secret.

use gateway_onboard::answers::{Mode, Word};
use gateway_onboard::plan::Plan;
use serde::Serialize;

use super::flags;
use crate::args::OnboardArgs;

/// The document for a gateway of this machine.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Local<'a> {
    mode: &'static str,
    workspace: String,
    auth_choice: String,
    gateway: Gateway,
    install_daemon: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    daemon_runtime: Option<&'a str>,
    skip_skills: bool,
    skip_health: bool,
    /// Whether the configuration is another one now.
    changed: bool,
    /// What became of the key; absent when none was tried.
    #[serde(skip_serializing_if = "Option::is_none")]
    key_check: Option<&'static str>,
    /// What is worth knowing.
    warnings: Vec<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Gateway {
    port: u16,
    bind: &'static str,
    auth_mode: &'static str,
    tailscale_mode: &'static str,
}

/// The document for a gateway elsewhere.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Remote<'a> {
    mode: &'static str,
    remote_url: &'a str,
    auth: &'static str,
    changed: bool,
}

/// What else goes into the document.
#[derive(Debug, Default)]
pub struct Seen {
    /// Whether the configuration is another one now.
    pub changed: bool,
    /// What became of the key.
    pub key_check: Option<&'static str>,
    /// What is worth knowing.
    pub warnings: Vec<String>,
}

impl<'a> Local<'a> {
    /// The document of a plan that was taken.
    pub fn new(args: &'a OnboardArgs, plan: &Plan, seen: Seen) -> Self {
        let workspace = plan.workspace.as_ref().map(|(folder, _)| folder.display().to_string());
        let gateway = &plan.gateway;
        Self {
            mode: Mode::Local.word(),
            workspace: workspace.unwrap_or_default(),
            auth_choice: flags::chosen(args),
            gateway: Gateway {
                port: gateway.port,
                bind: gateway.bind.word(),
                auth_mode: gateway.auth.word(),
                tailscale_mode: gateway.tailscale.word(),
            },
            install_daemon: args.install_daemon && !args.no_install_daemon,
            daemon_runtime: args.daemon_runtime.as_deref().filter(|_| args.install_daemon),
            skip_skills: args.skip_skills,
            skip_health: args.skip_health,
            changed: seen.changed,
            key_check: seen.key_check,
            warnings: seen.warnings,
        }
    }
}

impl<'a> Remote<'a> {
    /// The document of a remote gateway.
    pub const fn new(remote_url: &'a str, auth: &'static str, changed: bool) -> Self {
        Self { mode: "remote", remote_url, auth, changed }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use gateway_base::env::Env;
    use gateway_base::paths::Paths;
    use gateway_base::secret::Secret;
    use gateway_onboard::answers::Answers;
    use gateway_onboard::facts::{Around, Facts, Host};

    use super::*;
    use crate::args::{Cli, Command};
    use crate::cmds::testing::assert_schema;

    #[test]
    fn every_document_has_its_schema() {
        let home = tempfile::tempdir().expect("folder");
        let env = Env::from_pairs([("HOME", home.path().display().to_string())]);
        let paths = Paths::resolve(&env, None).expect("HOME is set");
        let (doctor, fresh_token) = (String::new(), Secret::new("canary"));
        let around = Around { host: Host::Gateway, serving: None, tailscale: false, doctor, fresh_token };
        let facts = Facts::read(&paths, &env, around);
        let plan = Plan::new(&facts, &Answers::default()).expect("a plan");
        for line in [
            "gatewayctl onboard",
            "gatewayctl onboard --auth-choice apiKey --install-daemon --daemon-runtime node",
        ] {
            let Command::Onboard(args) = Cli::parse_from(line.split(' ')).command else { panic!("{line}") };
            let warnings = vec!["w".to_owned()];
            let seen = Seen { changed: true, key_check: Some("good"), warnings };
            let document = Local::new(&args, &plan, seen);
            assert_schema("onboard", &document);
            assert!(!serde_json::to_string(&document).expect("JSON").contains("canary"));
        }
        assert_schema("onboard", &Remote::new("ws://h", "none", false));
    }
}

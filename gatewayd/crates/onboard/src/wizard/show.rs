//! The questions in words, in those of the original where it has them.

use gateway_config::load::ALIASES;
use gateway_config::sections::{DEFAULT_MODEL, ModelRef};

use super::state::{Question, State};
use crate::answers::{Auth, Bind, Mode, Provider, TailscaleMode, Wish, Word};
use crate::facts::{Facts, Host};
use crate::plan::{Gateway, Plan};
use crate::providers::{self, CHOICES};
use crate::step::{Choice, Step};

const SECURITY: &str = "\
Please read: https://docs.clawd.bot/security

Your assistant can run commands, read and write files, and use every tool that you switch on.
Whoever can talk to it can try to talk it into something.

Begin with few rights and add more as you need them.";

const NO_TAILSCALE: &str = "\
There is no Tailscale program on this machine. Install it from https://tailscale.com/download.
You can go on; the gateway is published once the program is there.";

/// The step of a question.
pub fn show(state: &State, question: Question) -> Step {
    use Question as Q;
    let facts = &state.after_reset();
    match question {
        Q::Intro => Step::note("Clawdbot onboarding", ""),
        Q::Security => Step::note("Security", SECURITY),
        Q::Risk => Step::confirm("I understand this is powerful and inherently risky. Continue?", false),
        Q::BrokenConfig => Step::note("Invalid config", state.facts.summary()),
        Q::ConfigIssues => {
            let issues: Vec<String> = state.facts.issues.iter().map(|issue| format!("- {issue}")).collect();
            Step::note("Config issues", issues.join("\n"))
        }
        Q::Flow => flow(),
        Q::OnlyLocal => {
            Step::note("QuickStart", "QuickStart only supports local gateways. Switching to Manual mode.")
        }
        Q::Existing => Step::note("Existing config detected", state.facts.summary()),
        Q::Handling => handling(state),
        Q::ResetScope => reset_scope(),
        Q::QuickStart => Step::note("QuickStart", quickstart(facts, &state.gateway())),
        Q::Mode => mode(facts),
        Q::RemoteUrl => {
            let known = facts.text("gateway.remote.url").unwrap_or("ws://127.0.0.1:18789");
            Step::text("Gateway WebSocket URL", known)
        }
        Q::RemoteAuth => remote_auth(facts),
        Q::RemoteToken => Step::secret(match facts.text("gateway.remote.token") {
            Some(_) => "Gateway token (blank to keep the present one)",
            None => "Gateway token",
        }),
        Q::Workspace => Step::text("Workspace directory", facts.workspace()),
        Q::Group => group(),
        Q::Choice => way(state),
        Q::UseVariable | Q::UseStored | Q::Key => key(state, question),
        Q::Model => model(state, facts),
        Q::ModelName => Step::text("Model", facts.model().unwrap_or_default())
            .placeholder("provider/model, such as anthropic/claude-opus-4-5"),
        _ => gateway(state, facts, question),
    }
}

/// The questions about the gateway itself, and the end.
fn gateway(state: &State, facts: &Facts, question: Question) -> Step {
    use Question as Q;
    match question {
        Q::Port => Step::text("Gateway port", facts.port().to_string()),
        Q::Bind => bind(facts),
        Q::CustomHost => {
            Step::text("Custom IP address", facts.text("gateway.customBindHost").unwrap_or_default())
                .placeholder("192.168.1.100")
        }
        Q::Auth => auth(facts),
        Q::Tailscale => tailscale(facts),
        Q::NoTailscale => Step::note("Tailscale Warning", NO_TAILSCALE),
        Q::ResetOnExit => Step::confirm("Reset Tailscale serve/funnel on exit?", facts.reset_on_exit()),
        Q::Corrections => Step::note("Note", state.gateway().corrections.join("\n")),
        Q::Token => Step::secret(match facts.text("gateway.auth.token") {
            Some(_) => "Gateway token (blank to keep the present one)",
            None => "Gateway token (blank to generate)",
        })
        .placeholder("Needed for multi-machine or non-loopback access"),
        Q::Password => Step::secret(match facts.text("gateway.auth.password") {
            Some(_) => "Gateway password (blank to keep the present one)",
            None => "Gateway password",
        }),
        Q::NoService => Step::note(
            "Gateway service",
            "The service manager of this machine cannot be asked, so no service is installed. Start the gateway with: gatewayd",
        ),
        Q::Install => Step::confirm("Install Gateway service (recommended)", true),
        Q::Installed => Step::select(
            "Gateway service already installed",
            vec![
                Choice::new("restart", "Restart"),
                Choice::new("reinstall", "Reinstall"),
                Choice::new("skip", "Skip"),
            ],
            "restart",
        ),
        _ => Step::note("Ready", ready(state)),
    }
}

fn flow() -> Step {
    let options = vec![
        Choice::new("quickstart", "QuickStart")
            .hint("Asks for the model only; details can be changed later."),
        Choice::new("advanced", "Manual").hint("Configure port, network, Tailscale, and auth options."),
    ];
    Step::select("Onboarding mode", options, "quickstart")
}

fn handling(state: &State) -> Step {
    let mut options =
        vec![Choice::new("keep", "Use existing values"), Choice::new("modify", "Update values")];
    // A gateway cannot throw away what it is running on.
    if state.facts.host != Host::Gateway {
        options.push(Choice::new("reset", "Reset"));
    }
    Step::select("Config handling", options, "keep")
}

fn reset_scope() -> Step {
    let options = vec![
        Choice::new("config", "Config only"),
        Choice::new("config+creds+sessions", "Config + creds + sessions"),
        Choice::new("full", "Full reset (config + creds + sessions + workspace)"),
    ];
    Step::select("Reset scope", options, "config")
}

fn mode(facts: &Facts) -> Step {
    let local = match &facts.serving {
        Some(url) => format!("Gateway reachable ({url})"),
        None => format!("No gateway detected (ws://127.0.0.1:{})", facts.port()),
    };
    let remote = match facts.text("gateway.remote.url") {
        Some(url) => format!("Configured ({url})"),
        None => "No remote URL configured yet".to_owned(),
    };
    let options = vec![
        Choice::new("local", "Local gateway (this machine)").hint(local),
        Choice::new("remote", "Remote gateway (info-only)").hint(remote),
    ];
    Step::select("What do you want to set up?", options, facts.mode().unwrap_or(Mode::Local).word())
}

fn remote_auth(facts: &Facts) -> Step {
    let options = vec![Choice::new("token", "Token (recommended)"), Choice::new("off", "No auth")];
    let has = |key: &str| facts.text(&format!("gateway.remote.{key}")).is_some();
    let open = has("url") && !has("token");
    Step::select("Gateway auth", options, if open { "off" } else { "token" })
}

fn quickstart(facts: &Facts, gateway: &Gateway) -> String {
    let mut rows = Vec::new();
    if facts.has_gateway() {
        rows.push("Keeping your current gateway settings:".to_owned());
    }
    rows.push(format!("Gateway port: {}", gateway.port));
    rows.push(format!("Gateway bind: {}", bind_name(gateway.bind)));
    rows.extend(gateway.custom_host.as_ref().map(|host| format!("Gateway custom IP: {host}")));
    rows.push(format!("Gateway auth: {}", auth_name(gateway.auth)));
    rows.push(format!("Tailscale exposure: {}", tailscale_name(gateway.tailscale)));
    rows.join("\n")
}

fn group() -> Step {
    let mut options: Vec<Choice> =
        providers::groups().map(|group| Choice::new(group.id, group.label).hint(group.hint)).collect();
    options.push(Choice::new("skip", "Skip for now"));
    Step::select("Model/auth provider", options, "anthropic")
}

fn way(state: &State) -> Step {
    let id = state.aside.group.as_deref().unwrap_or_default();
    let label = providers::groups().find(|group| group.id == id).map_or(id, |group| group.label);
    let of_group = CHOICES.iter().filter(|choice| choice.group.id == id);
    let mut options: Vec<Choice> = of_group
        .map(|choice| Choice {
            value: choice.value.to_owned(),
            label: choice.label.to_owned(),
            hint: choice.hint.map(str::to_owned),
        })
        .collect();
    let first = options.first().map(|choice| choice.value.clone()).unwrap_or_default();
    options.push(Choice::new("__back", "Back"));
    Step::select(format!("{label} auth method"), options, &first)
}

fn key(state: &State, question: Question) -> Step {
    let Some(choice) = state.open_choice() else { return Step::note("Model", "") };
    match question {
        Question::UseVariable => {
            let name = state.facts.variable(choice).unwrap_or_default();
            Step::confirm(format!("Use existing {name} (from the environment)?"), true)
        }
        Question::UseStored => Step::confirm(format!("Keep the stored key of {}?", choice.group.label), true),
        _ if choice.store == providers::Store::Token => {
            Step::secret(format!("Paste {}", choice.key)).placeholder("run `claude setup-token` elsewhere")
        }
        _ => Step::secret(format!("Enter {}", choice.key)),
    }
}

fn model(state: &State, facts: &Facts) -> Step {
    let keep = match facts.model() {
        Some(model) => format!("Keep current ({model})"),
        None => format!("Keep current (default: {DEFAULT_MODEL})"),
    };
    let present = facts.model().unwrap_or(DEFAULT_MODEL);
    let names = models(state);
    let mut options = vec![Choice::new("__keep__", keep)];
    options.extend(names.iter().filter(|name| **name != present).map(|name| Choice::new(*name, *name)));
    options.push(Choice::new("__manual__", "Enter model manually"));
    // A key pays for its own provider's models; and a model that came with another way to pay goes with it.
    let provider = |name: &str| ModelRef::parse(name).provider;
    let came_along = CHOICES.iter().any(|choice| choice.model.is_some_and(|(name, _)| name == present));
    let is_better = |name: &&&str| provider(name) != provider(present) || (came_along && **name != present);
    let first = names.first().filter(is_better);
    Step::select("Default model", options, first.copied().unwrap_or("__keep__"))
}

/// Models that the chosen way pays for: its own first, then those that have a short name.
fn models(state: &State) -> Vec<&'static str> {
    let choice = match &state.answers.provider {
        Some(Provider::Key(key)) => key.choice,
        Some(Provider::Stored(choice)) => choice,
        _ => return Vec::new(),
    };
    let own = choice.model.map(|(name, _)| name);
    let known = ALIASES.iter().map(|(_, name)| *name);
    let of_provider = known.filter(|name| ModelRef::parse(name).provider == choice.provider);
    own.into_iter().chain(of_provider.filter(|name| Some(*name) != own)).collect()
}

fn bind(facts: &Facts) -> Step {
    let options = vec![
        Choice::new("loopback", "Loopback (127.0.0.1)"),
        Choice::new("lan", "LAN (0.0.0.0)"),
        Choice::new("tailnet", "Tailnet (Tailscale IP)"),
        Choice::new("auto", "Auto (Loopback → LAN)"),
        Choice::new("custom", "Custom IP"),
    ];
    Step::select("Gateway bind", options, facts.bind().word())
}

fn auth(facts: &Facts) -> Step {
    let options = vec![
        Choice::new("off", "Off (loopback only)")
            .hint("Not recommended unless you fully trust local processes"),
        Choice::new("token", "Token").hint("Recommended default (local + remote)"),
        Choice::new("password", "Password"),
    ];
    Step::select("Gateway auth", options, facts.auth().word())
}

fn tailscale(facts: &Facts) -> Step {
    let options = vec![
        Choice::new("off", "Off").hint("No Tailscale exposure"),
        Choice::new("serve", "Serve").hint("Private HTTPS for your tailnet (devices on Tailscale)"),
        Choice::new("funnel", "Funnel").hint("Public HTTPS via Tailscale Funnel (internet)"),
    ];
    Step::select("Tailscale exposure", options, facts.tailscale_mode().word())
}

/// What will be done, before it is done.
fn ready(state: &State) -> String {
    let paths = &state.facts.paths;
    let config = paths.tilde(&paths.config);
    let plan = match Plan::new(&state.facts, &state.answers) {
        Ok(plan) => plan,
        Err(error) => return error.to_string(),
    };
    let mut rows = Vec::new();
    if let Some((scope, _)) = &plan.reset {
        rows.push(format!("Reset ({}): what is there moves to the trash folder.", scope.word()));
    }
    match (plan.mode, plan.edits.is_empty()) {
        (_, true) => rows.push(format!("{config} stays as it is.")),
        (Mode::Local, false) => rows.push(format!("The settings go into {config}.")),
        (Mode::Remote, false) => {
            rows.push(format!("The remote gateway goes into {config}."));
            if state.facts.host == Host::Gateway {
                rows.push("This gateway will not start here again: gateway.mode becomes remote.".to_owned());
            }
        }
    }
    if let Some((folder, _)) = &plan.workspace {
        rows.push(format!("Workspace: {}", paths.tilde(folder)));
    }
    rows.extend(match plan.service {
        Wish::Leave => None,
        Wish::Install => Some("The service is installed and started.".to_owned()),
        Wish::Reinstall => Some("The service is installed anew.".to_owned()),
        Wish::Restart => Some("The service is restarted.".to_owned()),
    });
    if state.facts.host == Host::Gateway && !plan.credentials.is_empty() {
        rows.push("The key is stored without being tried; a turn of the assistant will show it.".to_owned());
    }
    rows.extend(plan.missing_key.clone());
    if plan.mode == Mode::Local {
        rows.push("Channels, skills and hooks are not set up here yet.".to_owned());
    }
    rows.join("\n")
}

fn bind_name(bind: Bind) -> &'static str {
    match bind {
        Bind::Loopback => "Loopback (127.0.0.1)",
        Bind::Lan => "LAN",
        Bind::Custom => "Custom IP",
        Bind::Tailnet => "Tailnet (Tailscale IP)",
        Bind::Auto => "Auto",
    }
}

fn auth_name(auth: Auth) -> &'static str {
    match auth {
        Auth::Off => "Off (loopback only)",
        Auth::Token => "Token (default)",
        Auth::Password => "Password",
    }
}

fn tailscale_name(mode: TailscaleMode) -> &'static str {
    match mode {
        TailscaleMode::Off => "Off",
        TailscaleMode::Serve => "Serve",
        TailscaleMode::Funnel => "Funnel",
    }
}

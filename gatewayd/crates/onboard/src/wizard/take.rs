//! Takes answers: reads them as generously as the original where that is safe, and refuses what cannot be meant.

use std::net::Ipv4Addr;

use gateway_base::secret::Secret;
use gateway_config::sections::DEFAULT_MODEL;
use serde_json::Value;

use super::show::show;
use super::state::{Question, State};
use crate::answers::{Auth, Bind, Flow, Key, Mode, Provider, TailscaleMode, Wish, Word};
use crate::facts::{Facts, Host, Service};
use crate::providers;
use crate::reset::Scope;
use crate::step::{line, yes};

/// Takes the answer to an open question.
pub fn take(state: &mut State, question: Question, answer: &Value) -> Result<(), String> {
    use Question as Q;
    match question {
        Q::Risk => state.aside.declined = !yes(answer),
        Q::OnlyLocal => state.answers.flow = Some(Flow::Manual),
        Q::Flow => state.answers.flow = Some(word::<Flow>(state, question, answer)?),
        Q::Handling => match choice(state, question, answer)?.as_str() {
            "reset" => state.aside.wants_reset = true,
            picked => state.answers.keep = Some(picked == "keep"),
        },
        Q::ResetScope => state.answers.reset = Some(word::<Scope>(state, question, answer)?),
        Q::Mode => state.answers.mode = Some(word::<Mode>(state, question, answer)?),
        Q::RemoteUrl => state.answers.remote_url = Some(remote_url(&line(answer))?),
        Q::RemoteAuth => {
            let without = choice(state, question, answer)? == "off";
            state.answers.remote_token = without.then(|| Secret::new(""));
        }
        Q::RemoteToken => {
            let kept = state.after_reset().text("gateway.remote.token").is_some();
            state.answers.remote_token = secret(answer, kept)?;
        }
        Q::Workspace => {
            let typed = line(answer);
            state.answers.workspace = Some(typed).filter(|typed| !typed.trim().is_empty());
        }
        Q::Group | Q::Choice | Q::UseVariable | Q::UseStored | Q::Key | Q::Model | Q::ModelName => {
            return model(state, question, answer);
        }
        Q::Port
        | Q::Bind
        | Q::CustomHost
        | Q::Auth
        | Q::Tailscale
        | Q::ResetOnExit
        | Q::Token
        | Q::Password
        | Q::Install
        | Q::Installed => return gateway(state, question, answer),
        Q::Intro
        | Q::Security
        | Q::BrokenConfig
        | Q::ConfigIssues
        | Q::Existing
        | Q::QuickStart
        | Q::NoTailscale
        | Q::Corrections
        | Q::NoService
        | Q::Ready => {}
    }
    Ok(())
}

/// Fills in what the short run does not ask.
pub fn settle(state: &mut State) {
    if state.answers.flow != Some(Flow::Quick) {
        return;
    }
    state.answers.mode.get_or_insert(Mode::Local);
    if state.facts.host == Host::Terminal(Service::Absent) {
        state.answers.service.get_or_insert(Wish::Install);
    }
}

fn model(state: &mut State, question: Question, answer: &Value) -> Result<(), String> {
    match question {
        Question::Group => match choice(state, question, answer)?.as_str() {
            "skip" => state.answers.provider = Some(Provider::Skip),
            group => {
                let mut ways = providers::CHOICES.iter().filter(|choice| choice.group.id == group);
                let (first, more) = (ways.next(), ways.next().is_some());
                state.aside.choice = first.filter(|_| !more);
                state.aside.group = Some(group.to_owned());
            }
        },
        Question::Choice => {
            let value = choice(state, question, answer)?;
            state.aside.choice = providers::find(&value);
            if state.aside.choice.is_none() {
                // "Back"
                state.aside.group = None;
            }
        }
        Question::UseVariable if yes(answer) => {
            let Some(choice) = state.open_choice() else { return Ok(()) };
            let name = state.facts.variable(choice);
            let secret = name.and_then(|name| state.facts.env.get(name)).map(Secret::new);
            state.answers.provider = secret.map(|secret| key(choice, secret));
        }
        Question::UseStored if yes(answer) => {
            state.answers.provider = state.open_choice().map(Provider::Stored);
        }
        Question::Key => {
            let Some(choice) = state.open_choice() else { return Ok(()) };
            let secret = Secret::new(line(answer).trim());
            choice.look_at(&secret)?;
            state.answers.provider = Some(key(choice, secret));
        }
        Question::Model => match choice(state, question, answer)?.as_str() {
            "__keep__" => state.answers.model = Some(present_model(&state.after_reset())),
            "__manual__" => state.aside.other_model = true,
            name => state.answers.model = Some(name.to_owned()),
        },
        Question::ModelName => {
            let name = line(answer).trim().to_owned();
            if name.is_empty() {
                return Err("Required".to_owned());
            }
            state.answers.model = Some(name);
        }
        _ => {}
    }
    Ok(())
}

fn gateway(state: &mut State, question: Question, answer: &Value) -> Result<(), String> {
    let facts = state.after_reset();
    match question {
        Question::Port => state.answers.port = Some(port(&line(answer))?),
        Question::Bind => state.answers.bind = Some(word::<Bind>(state, question, answer)?),
        Question::CustomHost => state.answers.custom_host = Some(host(&line(answer))?),
        Question::Auth => state.answers.auth = Some(word::<Auth>(state, question, answer)?),
        Question::Tailscale => {
            state.answers.tailscale = Some(word::<TailscaleMode>(state, question, answer)?);
        }
        Question::ResetOnExit => state.answers.reset_on_exit = Some(yes(answer)),
        Question::Token => state.answers.token = secret(answer, true)?,
        Question::Password => {
            let kept = facts.text("gateway.auth.password").is_some();
            state.answers.password = secret(answer, kept)?;
        }
        Question::Install => {
            state.answers.service = Some(if yes(answer) { Wish::Install } else { Wish::Leave });
        }
        Question::Installed => {
            state.answers.service = Some(match choice(state, question, answer)?.as_str() {
                "restart" => Wish::Restart,
                "reinstall" => Wish::Reinstall,
                _ => Wish::Leave,
            });
        }
        _ => {}
    }
    Ok(())
}

/// The model that answers today.
fn present_model(facts: &Facts) -> String {
    facts.model().unwrap_or(DEFAULT_MODEL).to_owned()
}

fn key(choice: &'static providers::Choice, secret: Secret) -> Provider {
    Provider::Key(Key { choice, secret, profile: None, expires: None })
}

/// One of the options that were shown.
fn choice(state: &State, question: Question, answer: &Value) -> Result<String, String> {
    let step = show(state, question);
    let picked = line(answer);
    let known = step.options.iter().any(|option| option.value == picked);
    let values = || step.options.iter().map(|option| option.value.as_str()).collect::<Vec<_>>().join(", ");
    if known { Ok(picked) } else { Err(format!("{}: choose one of {}", step.message, values())) }
}

fn word<W: Word>(state: &State, question: Question, answer: &Value) -> Result<W, String> {
    let picked = choice(state, question, answer)?;
    W::of(&picked).ok_or(picked)
}

/// A port as a whole number; what is not one is refused, not shortened.
pub fn port(text: &str) -> Result<u16, String> {
    text.trim().parse().ok().filter(|port| *port != 0).ok_or_else(|| "Invalid port".to_owned())
}

fn host(text: &str) -> Result<String, String> {
    let text = text.trim();
    if text.is_empty() {
        return Err("IP address is required for custom bind mode".to_owned());
    }
    match text.parse::<Ipv4Addr>() {
        Ok(address) => Ok(address.to_string()),
        Err(_) if is_four_numbers(text) => Err("Invalid IPv4 address (each octet must be 0-255)".to_owned()),
        Err(_) => Err("Invalid IPv4 address (e.g., 192.168.1.100)".to_owned()),
    }
}

fn is_four_numbers(text: &str) -> bool {
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    text.split('.').count() == 4 && text.split('.').all(is_number)
}

fn remote_url(text: &str) -> Result<String, String> {
    let text = text.trim();
    let address = text.strip_prefix("ws://").or_else(|| text.strip_prefix("wss://"));
    match address {
        Some(address) if !address.is_empty() => Ok(text.to_owned()),
        _ => Err("URL must start with ws:// or wss://".to_owned()),
    }
}

/// A secret; blank is nothing where something is there already or can be made.
fn secret(answer: &Value, may_be_blank: bool) -> Result<Option<Secret>, String> {
    let secret = Secret::new(line(answer).trim());
    match (secret.is_blank(), may_be_blank) {
        (false, _) => Ok(Some(secret)),
        (true, true) => Ok(None),
        (true, false) => Err("Required".to_owned()),
    }
}

//! When each question is open.

use super::state::{ORDER, Question, State};
use crate::answers::{Auth, Bind, Flow, Mode, Provider, TailscaleMode};
use crate::facts::{Host, Service};

/// The first question that is open.
pub fn first_open(state: &State) -> Option<Question> {
    ORDER.iter().copied().find(|question| !state.asked.contains(question) && is_open(state, *question))
}

fn is_open(state: &State, question: Question) -> bool {
    use Question as Q;
    let State { facts, answers, aside, .. } = state;
    let broken = !facts.issues.is_empty();
    match question {
        Q::Intro => return true,
        Q::Security | Q::Risk => return !answers.risk,
        Q::BrokenConfig | Q::ConfigIssues => return broken,
        _ if broken => return false,
        _ => {}
    }
    let manual = answers.flow == Some(Flow::Manual);
    let keeps = answers.keep == Some(true);
    let local = answers.mode == Some(Mode::Local);
    let remote = answers.mode == Some(Mode::Remote);
    let asks_gateway = local && manual && !keeps;
    match question {
        Q::Flow => answers.flow.is_none(),
        Q::OnlyLocal => remote && answers.flow == Some(Flow::Quick),
        Q::Existing => facts.exists,
        Q::Handling => facts.exists && answers.keep.is_none() && answers.reset.is_none(),
        Q::ResetScope => aside.wants_reset && answers.reset.is_none(),
        Q::QuickStart => !manual && !remote,
        Q::Mode => answers.mode.is_none(),
        Q::RemoteUrl => remote && answers.remote_url.is_none(),
        Q::RemoteAuth => remote && answers.remote_token.is_none(),
        Q::RemoteToken => remote && answers.remote_token.is_none(),
        Q::Workspace => asks_gateway && answers.workspace.is_none(),
        Q::Group => local && answers.provider.is_none() && aside.choice.is_none(),
        Q::Choice => local && answers.provider.is_none() && aside.group.is_some() && aside.choice.is_none(),
        Q::UseVariable => state.open_choice().is_some_and(|choice| facts.variable(choice).is_some()),
        Q::UseStored => {
            let stored = &state.after_reset().stored;
            state.open_choice().is_some_and(|choice| stored.contains(choice.provider))
        }
        Q::Key => state.open_choice().is_some(),
        Q::Model => {
            let chosen = matches!(answers.provider, Some(Provider::Key(_) | Provider::Stored(_)));
            local && chosen && answers.model.is_none() && state.asked.contains(&Q::Group)
        }
        Q::ModelName => aside.other_model && answers.model.is_none(),
        Q::Port => asks_gateway && answers.port.is_none(),
        Q::Bind => asks_gateway && answers.bind.is_none(),
        Q::CustomHost => local && lacks_host(state),
        Q::Auth => asks_gateway && answers.auth.is_none(),
        Q::Tailscale => asks_gateway && answers.tailscale.is_none(),
        Q::NoTailscale => local && !facts.tailscale && state.gateway().tailscale != TailscaleMode::Off,
        Q::ResetOnExit => {
            asks_gateway && answers.reset_on_exit.is_none() && state.gateway().tailscale != TailscaleMode::Off
        }
        Q::Corrections => local && !state.gateway().corrections.is_empty(),
        Q::Token => asks_gateway && answers.token.is_none() && state.gateway().auth == Auth::Token,
        Q::Password => local && asks_password(state, asks_gateway),
        Q::NoService => {
            local && answers.service.is_none() && facts.host == Host::Terminal(Service::Unavailable)
        }
        Q::Install => {
            asks_gateway && answers.service.is_none() && facts.host == Host::Terminal(Service::Absent)
        }
        Q::Installed => {
            local && answers.service.is_none() && facts.host == Host::Terminal(Service::Installed)
        }
        Q::Ready => true,
        Q::Intro | Q::Security | Q::Risk | Q::BrokenConfig | Q::ConfigIssues => false,
    }
}

fn lacks_host(state: &State) -> bool {
    let gateway = state.gateway();
    let answered_now = state.asked.contains(&Question::Bind);
    let known = if answered_now { &state.answers.custom_host } else { &gateway.custom_host };
    gateway.bind == Bind::Custom && known.is_none()
}

fn asks_password(state: &State, asks_gateway: bool) -> bool {
    let gateway = state.gateway();
    let lacks = gateway.lacks_password(&state.after_reset(), &state.answers);
    lacks || (asks_gateway && gateway.auth == Auth::Password && state.answers.password.is_none())
}

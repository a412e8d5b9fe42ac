//! Which questions there are, in their order, and when each is open.

use super::Wizard;
use crate::answers::{Auth, Bind, Flow, Mode, Provider, TailscaleMode};
use crate::facts::{Host, Service};
use crate::plan::Gateway;

/// The questions in the order in which they are asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Question {
    /// A greeting.
    Intro,
    /// What an assistant may do.
    Security,
    /// Whether that is understood.
    Risk,
    /// What a broken file says.
    BrokenConfig,
    /// What is wrong with it.
    ConfigIssues,
    /// How much is asked.
    Flow,
    /// That a remote gateway is set up by hand.
    OnlyLocal,
    /// What is there.
    Existing,
    /// What becomes of it.
    Handling,
    /// How much of it goes.
    ResetScope,
    /// How the gateway will be reached without asking.
    QuickStart,
    /// Local or remote.
    Mode,
    /// The remote gateway.
    RemoteUrl,
    /// Whether it wants a token.
    RemoteAuth,
    /// The token.
    RemoteToken,
    /// The assistant's folder.
    Workspace,
    /// Whose models.
    Group,
    /// Which way to pay for them.
    Choice,
    /// Whether the key of the environment is used.
    UseVariable,
    /// Whether the key that is stored is kept.
    UseStored,
    /// The key.
    Key,
    /// The model that answers.
    Model,
    /// Its name.
    ModelName,
    /// `gateway.port`
    Port,
    /// `gateway.bind`
    Bind,
    /// `gateway.customBindHost`
    CustomHost,
    /// `gateway.auth`
    Auth,
    /// `gateway.tailscale.mode`
    Tailscale,
    /// That Tailscale's program is missing.
    NoTailscale,
    /// `gateway.tailscale.resetOnExit`
    ResetOnExit,
    /// What of it cannot be together.
    Corrections,
    /// `gateway.auth.token`
    Token,
    /// `gateway.auth.password`
    Password,
    /// That there is no service manager.
    NoService,
    /// Whether the service is installed.
    Install,
    /// What becomes of the one that is there.
    Installed,
    /// What will be done.
    Ready,
}

const ORDER: [Question; 37] = {
    use Question::*;
    [
        Intro,
        Security,
        Risk,
        BrokenConfig,
        ConfigIssues,
        Flow,
        OnlyLocal,
        Existing,
        Handling,
        ResetScope,
        QuickStart,
        Mode,
        RemoteUrl,
        RemoteAuth,
        RemoteToken,
        Workspace,
        Group,
        Choice,
        UseVariable,
        UseStored,
        Key,
        Model,
        ModelName,
        Port,
        Bind,
        CustomHost,
        Auth,
        Tailscale,
        NoTailscale,
        ResetOnExit,
        Corrections,
        Token,
        Password,
        NoService,
        Install,
        Installed,
        Ready,
    ]
};

/// The first question that is open.
pub fn first_open(wizard: &Wizard) -> Option<Question> {
    ORDER.into_iter().find(|question| !wizard.asked.contains(question) && is_open(wizard, *question))
}

fn is_open(wizard: &Wizard, question: Question) -> bool {
    use Question as Q;
    let Wizard { facts, answers, aside, .. } = wizard;
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
        Q::UseVariable => wizard.open_choice().is_some_and(|choice| facts.variable(choice).is_some()),
        Q::UseStored => {
            let stored = &wizard.after_reset().stored;
            wizard.open_choice().is_some_and(|choice| stored.contains(choice.provider))
        }
        Q::Key => wizard.open_choice().is_some(),
        Q::Model => {
            let chosen = matches!(answers.provider, Some(Provider::Key(_) | Provider::Stored(_)));
            local && chosen && answers.model.is_none() && wizard.asked.contains(&Q::Group)
        }
        Q::ModelName => aside.other_model && answers.model.is_none(),
        Q::Port => asks_gateway && answers.port.is_none(),
        Q::Bind => asks_gateway && answers.bind.is_none(),
        Q::CustomHost => local && lacks_host(wizard),
        Q::Auth => asks_gateway && answers.auth.is_none(),
        Q::Tailscale => asks_gateway && answers.tailscale.is_none(),
        Q::NoTailscale => local && !facts.tailscale && wizard.gateway().tailscale != TailscaleMode::Off,
        Q::ResetOnExit => {
            asks_gateway
                && answers.reset_on_exit.is_none()
                && wizard.gateway().tailscale != TailscaleMode::Off
        }
        Q::Corrections => local && !wizard.gateway().corrections.is_empty(),
        Q::Token => asks_gateway && answers.token.is_none() && wizard.gateway().auth == Auth::Token,
        Q::Password => local && asks_password(wizard, asks_gateway),
        Q::NoService => local && facts.host == Host::Terminal(Service::Unavailable),
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

fn lacks_host(wizard: &Wizard) -> bool {
    let gateway = wizard.gateway();
    let answered_now = wizard.asked.contains(&Question::Bind);
    let known = if answered_now { &wizard.answers.custom_host } else { &gateway.custom_host };
    gateway.bind == Bind::Custom && known.is_none()
}

fn asks_password(wizard: &Wizard, asks_gateway: bool) -> bool {
    let gateway = wizard.gateway();
    let lacks = gateway.lacks_password(&wizard.after_reset(), &wizard.answers);
    lacks || (asks_gateway && gateway.auth == Auth::Password && wizard.answers.password.is_none())
}

impl Wizard {
    /// How the gateway will be reached with the answers so far.
    pub(super) fn gateway(&self) -> Gateway {
        Gateway::of(&self.after_reset(), &self.answers)
    }

    /// The way to pay that still wants its key.
    pub(super) fn open_choice(&self) -> Option<&'static crate::providers::Choice> {
        self.aside.choice.filter(|_| self.answers.provider.is_none())
    }
}

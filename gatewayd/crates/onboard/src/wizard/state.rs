//! The questions, and how far a run through them has come.

use crate::answers::Answers;
use crate::facts::Facts;
use crate::plan::Gateway;
use crate::providers::Choice;
use crate::reset::Scope;

/// Declares the questions and, from the same list, the order in which they are asked; so none can be missing from it.
macro_rules! questions {
    ($($(#[$about:meta])+ $name:ident,)+) => {
        /// The questions.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Question {
            $($(#[$about])+ $name,)+
        }

        /// All of them, in the order in which they are asked.
        pub const ORDER: &[Question] = &[$(Question::$name),+];
    };
}

questions! {
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

/// How far a run has come.
#[derive(Clone, Debug)]
pub struct State {
    /// What is known of the machine.
    pub facts: Facts,
    /// What was answered.
    pub answers: Answers,
    /// Questions that were answered, in order.
    pub asked: Vec<Question>,
    /// What only leads to other questions.
    pub aside: Aside,
}

/// Answers that are no settings.
#[derive(Clone, Debug, Default)]
pub struct Aside {
    /// The risk was not accepted.
    pub declined: bool,
    /// Something is to be thrown away.
    pub wants_reset: bool,
    /// Whose models.
    pub group: Option<String>,
    /// Which way to pay for them.
    pub choice: Option<&'static Choice>,
    /// The model is named by hand.
    pub other_model: bool,
}

impl State {
    /// How the gateway will be reached with the answers so far.
    pub fn gateway(&self) -> Gateway {
        Gateway::of(&self.after_reset(), &self.answers)
    }

    /// The way to pay that still wants its key.
    pub fn open_choice(&self) -> Option<&'static Choice> {
        self.aside.choice.filter(|_| self.answers.provider.is_none())
    }

    /// The facts that hold once a chosen reset is done.
    pub fn after_reset(&self) -> Facts {
        match self.answers.reset {
            None => self.facts.clone(),
            Some(Scope::Config) => self.facts.afresh(),
            Some(Scope::Sessions | Scope::Full) => self.facts.afresh().without_keys(),
        }
    }
}

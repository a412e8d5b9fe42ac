//! What was answered, by flags or by a person. What is absent was not asked or not answered, and stays as it is.

use gateway_base::secret::Secret;
pub use gateway_config::sections::{Mode, TailscaleMode};

use crate::providers::Choice;
use crate::reset::Scope;

/// The answers.
#[derive(Clone, Debug, Default)]
pub struct Answers {
    /// Whether the risk was accepted.
    pub risk: bool,
    /// How much is asked.
    pub flow: Option<Flow>,
    /// Whether existing values are kept without asking.
    pub keep: Option<bool>,
    /// What is thrown away first.
    pub reset: Option<Scope>,
    /// Local or remote.
    pub mode: Option<Mode>,
    /// The workspace, as typed.
    pub workspace: Option<String>,
    /// How the model is paid for.
    pub provider: Option<Provider>,
    /// The model that answers, as `provider/model`.
    pub model: Option<String>,
    /// `gateway.port`
    pub port: Option<u16>,
    /// `gateway.bind`
    pub bind: Option<Bind>,
    /// `gateway.customBindHost`
    pub custom_host: Option<String>,
    /// How clients prove that they may connect.
    pub auth: Option<Auth>,
    /// The shared token.
    pub token: Option<Secret>,
    /// The shared password.
    pub password: Option<Secret>,
    /// Exposure through Tailscale.
    pub tailscale: Option<TailscaleMode>,
    /// Whether that is taken back at the end.
    pub reset_on_exit: Option<bool>,
    /// The remote gateway.
    pub remote_url: Option<String>,
    /// Its token.
    pub remote_token: Option<Secret>,
    /// `skills.install.nodeManager`
    pub node_manager: Option<String>,
    /// What becomes of the service.
    pub service: Option<Wish>,
}

/// How much is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// As little as possible.
    Quick,
    /// Everything.
    Manual,
}

/// How the model is paid for.
#[derive(Clone, Debug)]
pub enum Provider {
    /// Not now.
    Skip,
    /// With a key that is stored.
    Key(Key),
    /// With a key that is stored already.
    Stored(&'static Choice),
    /// With the login of another program: profile and provider.
    Borrowed(&'static str, &'static str),
}

/// A key to store.
#[derive(Clone, Debug)]
pub struct Key {
    /// Its row in the table.
    pub choice: &'static Choice,
    /// The key.
    pub secret: Secret,
    /// The profile to store it in, when it is not the usual one.
    pub profile: Option<String>,
    /// When it ends, in milliseconds since 1970.
    pub expires: Option<i64>,
}

/// `gateway.bind` in the words of the configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bind {
    /// This machine only.
    Loopback,
    /// All addresses.
    Lan,
    /// The Tailscale address.
    Tailnet,
    /// Local and, with a secret, the LAN.
    Auto,
    /// `gateway.customBindHost`
    Custom,
}

/// How clients prove that they may connect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Auth {
    /// Not at all.
    Off,
    /// With a token.
    Token,
    /// With a password.
    Password,
}

/// What becomes of the service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    /// Nothing.
    Leave,
    /// It is installed and started.
    Install,
    /// It is written again.
    Reinstall,
    /// It is restarted.
    Restart,
}

/// A closed set of words.
pub trait Word: Copy + PartialEq + 'static {
    /// All of them, with their words.
    const WORDS: &'static [(&'static str, Self)];

    /// The one that `text` names.
    #[must_use]
    fn of(text: &str) -> Option<Self> {
        Self::WORDS.iter().find(|(word, _)| *word == text).map(|(_, value)| *value)
    }

    /// Its word.
    #[must_use]
    fn word(self) -> &'static str {
        Self::WORDS.iter().find(|(_, value)| *value == self).map_or("", |(word, _)| word)
    }
}

impl Word for Flow {
    const WORDS: &'static [(&'static str, Self)] =
        &[("quickstart", Self::Quick), ("advanced", Self::Manual), ("manual", Self::Manual)];
}

impl Word for Mode {
    const WORDS: &'static [(&'static str, Self)] = &[("local", Self::Local), ("remote", Self::Remote)];
}

impl Word for Bind {
    const WORDS: &'static [(&'static str, Self)] = &[
        ("loopback", Self::Loopback),
        ("lan", Self::Lan),
        ("tailnet", Self::Tailnet),
        ("auto", Self::Auto),
        ("custom", Self::Custom),
    ];
}

impl Word for Auth {
    const WORDS: &'static [(&'static str, Self)] =
        &[("off", Self::Off), ("token", Self::Token), ("password", Self::Password)];
}

impl Word for TailscaleMode {
    const WORDS: &'static [(&'static str, Self)] =
        &[("off", Self::Off), ("serve", Self::Serve), ("funnel", Self::Funnel)];
}

impl Word for Scope {
    const WORDS: &'static [(&'static str, Self)] =
        &[("config", Self::Config), ("config+creds+sessions", Self::Sessions), ("full", Self::Full)];
}

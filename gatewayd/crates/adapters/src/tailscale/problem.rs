//! What can go wrong with Tailscale, told from what the program said, each with what to do about it. The program's own
//! words are shown only where they are all there is, cleaned and cut.

use gateway_base::printable::printable;
use gateway_base::program::{End, Ran};

use super::answer::{Backend, Status};

/// How much of the program's words is shown.
const SHOWN: usize = 300;

/// Why something did not work, and what helps.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// There is no such program.
    #[error("there is no tailscale program on the PATH; install it: https://tailscale.com/download")]
    Missing,
    /// The program cannot be started.
    #[error("{0} cannot be started; install Tailscale anew: https://tailscale.com/download")]
    Broken(String),
    /// The service behind the program does not run.
    #[error("the Tailscale service does not run; run: sudo systemctl start tailscaled")]
    NoService,
    /// Nobody is logged in.
    #[error("this machine is not logged in to Tailscale; {}", .0.as_ref().map_or("run: sudo tailscale up".to_owned(), |url| format!("open {url} or run: sudo tailscale up")))]
    LoggedOut(Option<String>),
    /// It is switched off.
    #[error("Tailscale is switched off on this machine; run: sudo tailscale up")]
    Stopped,
    /// An administrator has to act.
    #[error(
        "this machine waits to be approved for the tailnet; approve it: https://login.tailscale.com/admin/machines"
    )]
    Unapproved,
    /// It is not connected yet.
    #[error("Tailscale is not connected yet; if that lasts, run: tailscale status")]
    Starting,
    /// It belongs to somebody else.
    #[error("another user of this machine is logged in to Tailscale; run: sudo tailscale up")]
    OtherUser,
    /// The tailnet gives no certificates.
    #[error("HTTPS is not enabled for the tailnet; enable it: https://login.tailscale.com/admin/dns")]
    NoHttps,
    /// The tailnet's policy does not allow Funnel here.
    #[error(
        "the tailnet's policy does not allow Funnel for this machine; add the node attribute \"funnel\": https://tailscale.com/s/no-funnel"
    )]
    NoFunnel,
    /// A feature has to be switched on, on a page that the program names.
    #[error("{feature} is not enabled on the tailnet; enable it: {url}")]
    NotEnabled {
        /// Serve or Funnel.
        feature: &'static str,
        /// Where.
        url: String,
    },
    /// The user of the gateway may not change the settings.
    #[error("this user may not change the settings of Tailscale; run: sudo tailscale set --operator=$USER")]
    NoRights,
    /// The port is used for something else in Tailscale's settings.
    #[error("port 443 is already published for something else; see: tailscale serve status")]
    Taken,
    /// It took too long.
    #[error("`{command}` did not end within {seconds} s{}; try it by hand", shown(.said))]
    TooLate {
        /// As it could be typed.
        command: String,
        /// The limit.
        seconds: u64,
        /// What it had said until then.
        said: String,
    },
    /// The answer is no answer.
    #[error(
        "`{command}` {why}; look at it by hand, or install Tailscale anew: https://tailscale.com/download"
    )]
    Nonsense {
        /// As it could be typed.
        command: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// Anything else.
    #[error("`{command}` failed{}; try it by hand", shown(.said))]
    Failed {
        /// As it could be typed.
        command: String,
        /// What it said.
        said: String,
    },
}

fn shown(text: &str) -> String {
    if text.is_empty() { String::new() } else { format!(": {text}") }
}

/// Texts that mean a lack of rights.
const RIGHTS: [&str; 9] = [
    "permission denied",
    "access denied",
    "operation not permitted",
    "not permitted",
    "requires root",
    "must be run as root",
    "must be run with sudo",
    "requires sudo",
    "need sudo",
];

impl Problem {
    /// What keeps a backend in this state from being used.
    pub(super) fn of_backend(backend: &Backend) -> Option<Self> {
        Some(match backend {
            Backend::Running => return None,
            Backend::LoggedOut(url) => Self::LoggedOut(url.clone()),
            Backend::Stopped => Self::Stopped,
            Backend::Unapproved => Self::Unapproved,
            Backend::Starting => Self::Starting,
            Backend::OtherUser => Self::OtherUser,
        })
    }

    /// What a run without success means.
    pub(super) fn of_run(command: &str, seconds: u64, ran: &Ran) -> Self {
        let command = command.to_owned();
        if ran.end == End::TooMuch {
            return Self::Nonsense { command, why: "never stops talking" };
        }
        let words = if ran.stderr.trim().is_empty() { &ran.stdout } else { &ran.stderr };
        let said = printable(words.trim(), SHOWN).into_owned();
        let all = format!("{}\n{}", ran.stderr, ran.stdout);
        Self::of_words(&all).unwrap_or(match ran.end {
            End::TooLate => Self::TooLate { command, seconds, said },
            _ => Self::Failed { command, said },
        })
    }

    /// The same, where it is known what the tailnet allows: a program that waits for a person does not always say so.
    pub(super) fn given(self, status: &Status, is_funnel: bool) -> Self {
        match self {
            Self::TooLate { .. } | Self::Failed { .. } if status.https == Some(false) => Self::NoHttps,
            Self::TooLate { .. } | Self::Failed { .. } if is_funnel && status.funnel == Some(false) => {
                Self::NoFunnel
            }
            other => other,
        }
    }

    fn of_words(text: &str) -> Option<Self> {
        let lower = text.to_ascii_lowercase();
        let says = |words: &[&str]| words.iter().any(|word| lower.contains(word));
        let feature = if lower.contains("funnel is not enabled") { "Funnel" } else { "Serve" };
        Some(match () {
            () if says(&RIGHTS) => Self::NoRights,
            () if says(&[
                "is tailscaled running",
                "failed to connect to local tailscale",
                "tailscaled.sock",
            ]) =>
            {
                Self::NoService
            }
            () if says(&["is not enabled on your tailnet"]) && link(text).is_some() => {
                Self::NotEnabled { feature, url: link(text).unwrap_or_default() }
            }
            () if says(&["https must be enabled", "https is not enabled", "tailscale.com/s/https"]) => {
                Self::NoHttps
            }
            () if says(&[
                "funnel not available",
                "\"funnel\" node attribute",
                "tailscale.com/s/no-funnel",
            ]) =>
            {
                Self::NoFunnel
            }
            () if says(&["logged out", "not logged in", "needslogin"]) => Self::LoggedOut(None),
            () if says(&["already serving", "listener already exists"]) => Self::Taken,
            () => return None,
        })
    }
}

/// The first page that a text names; only Tailscale's own, because people open it.
fn link(text: &str) -> Option<String> {
    let links = text.split_whitespace().filter(|word| word.starts_with("https://login.tailscale.com/"));
    links.map(|link| printable(link, SHOWN).into_owned()).next()
}

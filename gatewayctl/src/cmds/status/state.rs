//! The words of the verdict, and the exit code of each. A state of the machine has exactly one word, and a word has
//! exactly one code; both are listed in `status --help`.

use serde::Serialize;

use crate::exit::Exit;

/// What the facts mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// Everything works.
    Running,
    /// It works, on a configuration that will be taken back unless somebody confirms it.
    OnTrial,
    /// It works, with something missing.
    Degraded,
    /// It works, and its store does not take or know everything.
    StoreDegraded,
    /// It works, and is of another release than this program.
    OtherVersion,
    /// It works, and its program on disk is another one by now.
    Replaced,
    /// It works, and is not the process of the installed service.
    OutsideService,
    /// It works, and another gateway has the port that this shell would use.
    TwoGateways,
    /// It is coming up.
    Starting,
    /// It is going down.
    Stopping,
    /// Its service crashes and is started again.
    Restarting,
    /// One of its parts failed.
    Unhealthy,
    /// It is there and answers nothing.
    Wedged,
    /// The process answers, the control plane does not.
    ControlPlaneSilent,
    /// The service runs, and nothing listens.
    NotListening,
    /// Our own key cannot be read or made, so the control plane was not asked.
    NoIdentity,
    /// Nobody answers, and a process holds the lock.
    LockHeld,
    /// Something listens, and it was not asked what it is.
    Unproven,
    /// It cannot take anybody now.
    Unavailable,
    /// Whoever answers is no gateway.
    NotAGateway,
    /// It speaks another protocol.
    ProtocolMismatch,
    /// It speaks TLS, and we did not.
    TlsExpected,
    /// We speak TLS, and it does not.
    TlsNotSpoken,
    /// Its certificate is not the one that is pinned.
    CertificateMismatch,
    /// Nobody vouches for its certificate.
    CertificateUntrusted,
    /// TLS failed in another way.
    TlsFailed,
    /// No way leads there.
    Unreachable,
    /// Nobody listens there.
    NobodyThere,
    /// The name has no address.
    UnknownHost,
    /// Somebody accepts there and says nothing.
    NoAnswer,
    /// The address makes no sense.
    BadAddress,
    /// There is none.
    NotRunning,
    /// There is none, and no service that would run it.
    NotInstalled,
    /// The service was stopped.
    Stopped,
    /// The service failed.
    Failed,
    /// The service failed too often and is not started any more.
    Latched,
    /// The program of the service is gone.
    ProgramMissing,
    /// Another program has the port.
    PortTaken,
    /// The gateway of another state folder has the port.
    OtherGateway,
    /// The secret is wrong or missing.
    Refused,
    /// This device has to be let in first.
    PairingRequired,
    /// Its clock and ours differ.
    ClockSkew,
    /// It let us in and does not let us ask.
    NotAllowed,
    /// It is another user's.
    OtherUser,
    /// It works, on the last good copy of a configuration that is broken.
    LastGoodConfig,
    /// There is none, and its configuration is broken.
    ConfigBroken,
}

impl State {
    /// Each of them, in the order of the help.
    #[cfg(test)]
    pub const ALL: [Self; 46] = [
        Self::Running,
        Self::OnTrial,
        Self::Degraded,
        Self::StoreDegraded,
        Self::OtherVersion,
        Self::Replaced,
        Self::OutsideService,
        Self::TwoGateways,
        Self::Starting,
        Self::Stopping,
        Self::Restarting,
        Self::Unhealthy,
        Self::Wedged,
        Self::ControlPlaneSilent,
        Self::NotListening,
        Self::NoIdentity,
        Self::LockHeld,
        Self::Unproven,
        Self::Unavailable,
        Self::NotAGateway,
        Self::ProtocolMismatch,
        Self::TlsExpected,
        Self::TlsNotSpoken,
        Self::CertificateMismatch,
        Self::CertificateUntrusted,
        Self::TlsFailed,
        Self::Unreachable,
        Self::NobodyThere,
        Self::UnknownHost,
        Self::NoAnswer,
        Self::BadAddress,
        Self::NotRunning,
        Self::NotInstalled,
        Self::Stopped,
        Self::Failed,
        Self::Latched,
        Self::ProgramMissing,
        Self::PortTaken,
        Self::OtherGateway,
        Self::Refused,
        Self::PairingRequired,
        Self::ClockSkew,
        Self::NotAllowed,
        Self::OtherUser,
        Self::LastGoodConfig,
        Self::ConfigBroken,
    ];

    /// The exit code: whether clients are served, and if not, of which kind the trouble is.
    pub const fn exit(self) -> Exit {
        match self {
            Self::Running
            | Self::OnTrial
            | Self::Degraded
            | Self::StoreDegraded
            | Self::OtherVersion
            | Self::Replaced
            | Self::OutsideService
            | Self::TwoGateways => Exit::Ok,
            Self::BadAddress => Exit::Usage,
            Self::NotRunning
            | Self::NotInstalled
            | Self::Stopped
            | Self::Failed
            | Self::Latched
            | Self::ProgramMissing
            | Self::PortTaken
            | Self::OtherGateway => Exit::NotRunning,
            Self::Refused | Self::PairingRequired | Self::ClockSkew | Self::NotAllowed | Self::OtherUser => {
                Exit::Refused
            }
            Self::LastGoodConfig | Self::ConfigBroken => Exit::BadConfig,
            Self::Starting
            | Self::Stopping
            | Self::Restarting
            | Self::Unhealthy
            | Self::Wedged
            | Self::ControlPlaneSilent
            | Self::NotListening
            | Self::NoIdentity
            | Self::LockHeld
            | Self::Unproven
            | Self::Unavailable
            | Self::NotAGateway
            | Self::ProtocolMismatch
            | Self::TlsExpected
            | Self::TlsNotSpoken
            | Self::CertificateMismatch
            | Self::CertificateUntrusted
            | Self::TlsFailed
            | Self::Unreachable
            | Self::NobodyThere
            | Self::UnknownHost
            | Self::NoAnswer => Exit::Failed,
        }
    }

    /// The word.
    pub fn word(self) -> String {
        let value = serde_json::to_value(self).ok();
        value.and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::args::Cli;

    #[test]
    fn every_word_is_in_the_help_beside_its_code() {
        let mut cli = Cli::command();
        let status = cli.find_subcommand_mut("status").expect("there is such a command");
        let help = status.get_after_help().expect("it lists the codes").to_string();
        let block = help.split("Examples:").next().expect("codes come first");
        let mut codes = std::collections::BTreeMap::<u8, String>::new();
        let mut code = 0;
        for line in block.lines() {
            if let Some(number) = line.get(..4).and_then(|start| start.trim().parse().ok()) {
                code = number;
            }
            codes.entry(code).or_default().push_str(&format!(" {line}"));
        }
        for state in State::ALL {
            let words = codes.get(&state.exit().code()).expect("the code is listed");
            let is_listed = words.split([' ', ',']).any(|word| word == state.word());
            assert!(is_listed, "{}: {words}", state.word());
        }
    }
}

//! The command line. It takes the words of the original (`gateway`, `run`) so that what its users typed keeps
//! working, and answers mistakes in the words of the original.

use std::ffi::OsString;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{CommandFactory, FromArgMatches, Parser};
use gateway_base::profile::{self, Profile};
use gateway_base::secret::Secret;
use gateway_server::ws::traffic::Style;

use crate::exit::{Exit, Refusal};

const EXAMPLES: &str = "\
Examples:
  gatewayd                                   run with ~/.clawdbot/clawdbot.json on port 18789
  gatewayd --dev                             make and use a development configuration
  gatewayd --bind lan --token \"your-token\"   let devices on the local network connect
  gatewayd --force                           free the port first
  gatewayd --tailscale serve                 let your devices connect through Tailscale
  gatewayd --profile work --port 19789       a second gateway, with its own state
  gatewayd --supervise                       start it again when it fails (containers)
  gatewayd --check                           would it start? takes and changes nothing

To run it as a service, to look at it and to set it up: gatewayctl --help

Exit codes: 0 asked to stop; 1 failed; 2 a root option is wrong; 69 the port or the lock is taken;
78 the configuration or a flag's value is wrong, or a safety rule refused the start.";

/// The options of the daemon as typed. Values are checked later, in the order of the original.
#[derive(Clone, Debug, Parser)]
#[command(
    name = "gatewayd",
    about = "The always-on control plane of a personal AI assistant",
    after_help = EXAMPLES,
    args_override_self = true,
    disable_version_flag = true
)]
pub struct Args {
    /// WebSocket and HTTP port, 1 to 65535 [default: CLAWDBOT_GATEWAY_PORT, gateway.port, or 18789]
    #[arg(long, value_name = "port", allow_hyphen_values = true)]
    pub port: Option<String>,

    /// Where to listen: loopback, lan, tailnet, auto, custom, or an address [default: gateway.bind, or loopback]
    #[arg(long, value_name = "mode", allow_hyphen_values = true)]
    pub bind: Option<String>,

    /// Shared secret of auth mode token [default: gateway.auth.token, or CLAWDBOT_GATEWAY_TOKEN]
    #[arg(long, value_name = "token", allow_hyphen_values = true, value_parser = secret)]
    pub token: Option<Secret>,

    /// Required kind of secret: token or password [default: gateway.auth.mode, or by the secret that is known]
    #[arg(long, value_name = "mode", allow_hyphen_values = true)]
    pub auth: Option<String>,

    /// Shared secret of auth mode password [default: gateway.auth.password, or CLAWDBOT_GATEWAY_PASSWORD]
    #[arg(long, value_name = "password", allow_hyphen_values = true, value_parser = secret)]
    pub password: Option<Secret>,

    /// Publish the gateway in the tailnet (serve), on the internet (funnel), or not (off) [default:
    /// gateway.tailscale.mode, or off]
    #[arg(long, value_name = "mode", allow_hyphen_values = true)]
    pub tailscale: Option<String>,

    /// Take the Tailscale settings back on exit [default: gateway.tailscale.resetOnExit]
    #[arg(long)]
    pub tailscale_reset_on_exit: bool,

    /// Start although gateway.mode is not "local"
    #[arg(long)]
    pub allow_unconfigured: bool,

    /// Make and use a development configuration and workspace
    #[arg(long)]
    pub dev: bool,

    /// With --dev: move the development state to the trash first
    #[arg(long)]
    pub reset: bool,

    /// End whatever listens on the port, then start
    #[arg(long)]
    pub force: bool,

    /// Start the daemon again when it fails, for machines without a service manager
    #[arg(long)]
    pub supervise: bool,

    /// Debug detail on the console, with lines about the WebSocket traffic; without it these tell only of answers that
    /// failed or took 50 ms or more
    #[arg(long)]
    pub verbose: bool,

    /// Show only the records of agent/claude-cli on the console
    #[arg(long)]
    pub claude_cli_logs: bool,

    /// With --verbose, the WebSocket traffic: compact, a line for each request with its answer, full, a line for each
    /// frame, or auto, which is compact
    #[arg(long, value_name = "style", default_value = "auto", allow_hyphen_values = true)]
    pub ws_log: String,

    /// The same as --ws-log compact, and wins over it
    #[arg(long)]
    pub compact: bool,

    /// Write raw model stream events to a file
    #[arg(long)]
    pub raw_stream: bool,

    /// File for --raw-stream [default: logs/raw-stream.jsonl in the state folder]
    #[arg(long, value_name = "path", allow_hyphen_values = true)]
    pub raw_stream_path: Option<String>,

    /// Use a separate configuration and state folder of this name
    #[arg(long, value_name = "name", allow_hyphen_values = true)]
    profile: Option<String>,

    /// Print the effective configuration, secrets masked, and exit
    #[arg(long)]
    pub print_config: bool,

    /// Go through everything that can refuse a start, take and change nothing, and exit
    #[arg(long)]
    pub check: bool,

    /// No colours
    #[arg(long)]
    pub no_color: bool,

    /// Print version, commit and build date
    #[arg(short = 'V', short_alias = 'v', long)]
    pub version: bool,

    /// Print the manual page, for packages
    #[arg(long, hide = true)]
    man: bool,

    /// The words `gateway` and `run` of the original
    #[arg(hide = true)]
    words: Vec<String>,

    /// `--dev` stood before the word `gateway`: the profile `dev` with its own port
    #[arg(skip)]
    root_dev: bool,
}

/// What the command line asks for.
#[derive(Debug)]
pub enum Parsed {
    /// Run with these options.
    Run(Box<Args>),
    /// Print this text on stdout and end well.
    Print(String),
}

impl Args {
    /// Reads the arguments, the program's name first.
    pub fn parse_from_os(arguments: impl IntoIterator<Item = OsString>) -> Result<Parsed, Refusal> {
        let matches = match Self::command().try_get_matches_from(arguments) {
            Ok(matches) => matches,
            Err(error) if error.kind() == ErrorKind::DisplayHelp => {
                return Ok(Parsed::Print(error.render().to_string()));
            }
            Err(error) => return Err(explain(&error)),
        };
        let mut args = Self::from_arg_matches(&matches).map_err(|error| explain(&error))?;
        if args.version {
            return Ok(Parsed::Print(format!("{}\n", version())));
        }
        if args.man {
            return Ok(Parsed::Print(manual()));
        }
        check_words(&args.words)?;
        let gateway =
            matches.index_of("words").filter(|_| args.words.first().is_some_and(|w| w == "gateway"));
        args.root_dev =
            args.dev && gateway.is_some_and(|word| matches.index_of("dev").is_some_and(|dev| dev < word));
        Ok(Parsed::Run(Box::new(args)))
    }

    /// The profile these options choose. `--dev` as an option of the subcommand means the paths of profile `dev`
    /// but not its port.
    pub fn profile(&self) -> Result<Option<Profile>, profile::Error> {
        match Profile::from_options(self.root_dev, self.profile.as_deref())? {
            None if self.dev => Ok(Some(Profile::dev())),
            chosen => Ok(chosen),
        }
    }

    /// Whether the default port is that of the profile `dev` (19001).
    #[must_use]
    pub fn has_dev_port(&self) -> bool {
        self.root_dev || self.profile.as_deref() == Some("dev")
    }

    /// What is told of the WebSocket traffic.
    #[must_use]
    pub fn traffic(&self) -> Style {
        match self.ws_log.as_str() {
            _ if !self.verbose => Style::Optimized,
            "full" if !self.compact => Style::Full,
            _ => Style::Compact,
        }
    }

    /// The flags given for which this version has nothing to do: it runs no agents.
    pub fn without_effect(&self) -> impl Iterator<Item = &'static str> {
        let given =
            [("--raw-stream", self.raw_stream), ("--raw-stream-path", self.raw_stream_path.is_some())];
        given.into_iter().filter_map(|(flag, is_given)| is_given.then_some(flag))
    }
}

/// `gatewayd 0.1.0 (commit 1a2b3c4, built 2026-01-29)`; commit and date come from `build.rs`.
#[must_use]
pub fn version() -> String {
    let (version, commit, built) =
        (env!("CARGO_PKG_VERSION"), env!("GATEWAYD_COMMIT"), env!("GATEWAYD_BUILD_DATE"));
    format!("gatewayd {version} (commit {commit}, built {built})")
}

/// The manual page, in roff.
fn manual() -> String {
    let mut page = Vec::new();
    // Nothing can fail that writes to memory.
    let _ = clap_mangen::Man::new(Args::command().version(env!("CARGO_PKG_VERSION"))).render(&mut page);
    String::from_utf8_lossy(&page).into_owned()
}

#[allow(clippy::unnecessary_wraps, reason = "clap wants a fallible parser")]
fn secret(text: &str) -> Result<Secret, std::convert::Infallible> {
    Ok(Secret::new(text))
}

fn check_words(words: &[String]) -> Result<(), Refusal> {
    let rest = words.strip_prefix(&["gateway".to_owned()]).unwrap_or(words);
    let rest = rest.strip_prefix(&["run".to_owned()]).unwrap_or(rest);
    let Some(word) = rest.first() else { return Ok(()) };
    let mut lines = vec![format!("error: unknown command '{word}'")];
    if CONTROLLER_WORDS.contains(&word.as_str()) {
        lines.push(format!("This is a command of the controller. Run: gatewayctl {word}"));
    }
    Err(Refusal::new(Exit::Failed, lines))
}

const CONTROLLER_WORDS: &[&str] = &[
    "call",
    "config",
    "devices",
    "discover",
    "doctor",
    "health",
    "install",
    "logs",
    "onboard",
    "probe",
    "reload",
    "restart",
    "shutdown",
    "start",
    "status",
    "stop",
    "uninstall",
    "upgrade",
    "usage-cost",
];

/// A mistake in the words of the original.
fn explain(error: &clap::Error) -> Refusal {
    let context = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => text.clone(),
        _ => String::new(),
    };
    let invalid = context(ContextKind::InvalidArg);
    let line = match error.kind() {
        ErrorKind::UnknownArgument => format!("error: unknown option '{invalid}'"),
        ErrorKind::InvalidValue | ErrorKind::TooFewValues | ErrorKind::WrongNumberOfValues
            if invalid.starts_with("--profile") =>
        {
            return profile_refusal(profile::Error::MissingValue);
        }
        ErrorKind::InvalidValue | ErrorKind::TooFewValues | ErrorKind::WrongNumberOfValues => {
            format!("error: option '{invalid}' argument missing")
        }
        ErrorKind::TooManyValues => format!("error: option '{invalid}' takes no value"),
        ErrorKind::InvalidUtf8 => "error: an argument is not valid UTF-8".to_owned(),
        _ => error.render().to_string().lines().next().unwrap_or("error: the arguments are wrong").to_owned(),
    };
    let mut lines = vec![line];
    if let Some(ContextValue::String(guess)) = error.get(ContextKind::SuggestedArg) {
        lines.push(format!("(Did you mean {guess}?)"));
    }
    Refusal::new(Exit::Failed, lines)
}

/// A wrong profile, as every program of the family says it.
#[must_use]
pub fn profile_refusal(error: profile::Error) -> Refusal {
    Refusal::new(Exit::Usage, [format!("[clawdbot] {error}")])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Parsed, Refusal> {
        Args::parse_from_os(std::iter::once("gatewayd").chain(line.split_whitespace()).map(OsString::from))
    }

    fn args(line: &str) -> Args {
        match parse(line) {
            Ok(Parsed::Run(args)) => *args,
            other => panic!("{line}: {other:?}"),
        }
    }

    #[test]
    fn dev_before_the_word_gateway_is_the_profile_with_its_port() {
        for (line, dev_port) in [
            ("--dev gateway", true),
            ("--dev gateway run --verbose", true),
            ("gateway --dev", false),
            ("gateway run --dev", false),
            ("--dev", false),
            ("--dev run", false),
            ("--profile dev gateway", true),
            ("--profile=dev", true),
        ] {
            let args = args(line);
            assert_eq!(args.has_dev_port(), dev_port, "{line}");
            assert_eq!(
                args.profile().map(|p| p.map(|p| p.name().to_owned())),
                Ok(Some("dev".into())),
                "{line}"
            );
        }
    }

    #[test]
    fn values_named_like_the_words_are_values() {
        let args = args("--token gateway --port run gateway run --token -x --dev");
        assert_eq!((args.port.as_deref(), args.has_dev_port()), (Some("run"), false));
        assert_eq!(args.token, Some(Secret::new("-x")));
    }

    #[test]
    fn profiles_are_refused_with_exit_2() {
        assert_eq!(args("--dev --profile work gateway").profile(), Err(profile::Error::DevAndProfile));
        assert_eq!(args("--profile a/b").profile(), Err(profile::Error::Invalid));
        let refusal = parse("--profile").expect_err("refused");
        assert_eq!(refusal, Refusal::new(Exit::Usage, ["[clawdbot] --profile requires a value"]));
    }

    #[test]
    fn mistakes_are_answered_in_the_words_of_the_original() {
        for (line, first) in [
            ("--bogus", "error: unknown option '--bogus'"),
            ("--port", "error: option '--port <port>' argument missing"),
            ("gateway bogus", "error: unknown command 'bogus'"),
            ("gateway status", "error: unknown command 'status'"),
            ("run gateway", "error: unknown command 'gateway'"),
        ] {
            let refusal = parse(line).expect_err(line);
            assert_eq!((refusal.lines[0].as_str(), refusal.exit), (first, Exit::Failed), "{line}");
        }
        assert!(parse("gateway status").expect_err("refused").lines[1].ends_with("gatewayctl status"));
    }

    #[test]
    fn the_last_of_two_equal_options_counts() {
        assert_eq!(args("--port 1 --port 2 --verbose --verbose").port.as_deref(), Some("2"));
    }

    #[test]
    fn the_style_of_the_traffic_lines_follows_three_flags() {
        for (line, style) in [
            ("", Style::Optimized),
            ("--ws-log full", Style::Optimized),
            ("--compact", Style::Optimized),
            ("--verbose", Style::Compact),
            ("--verbose --ws-log compact", Style::Compact),
            ("--verbose --ws-log full", Style::Full),
            ("--verbose --ws-log full --compact", Style::Compact),
        ] {
            assert_eq!(args(line).traffic(), style, "{line}");
        }
    }

    #[test]
    fn flags_without_effect_are_known() {
        let given = |line| args(line).without_effect().collect::<Vec<_>>();
        assert_eq!(given("--verbose --ws-log full --compact"), [""; 0]);
        assert_eq!(given("--raw-stream --raw-stream-path x"), ["--raw-stream", "--raw-stream-path"]);
    }

    #[test]
    fn help_and_version_are_printed() {
        let Ok(Parsed::Print(help)) = parse("--help") else { panic!("help") };
        assert!(
            help.contains("--allow-unconfigured") && help.contains("Examples:") && !help.contains("words")
        );
        for line in ["-V", "-v", "--version", "gateway --version"] {
            let Ok(Parsed::Print(text)) = parse(line) else { panic!("{line}") };
            assert!(text.starts_with("gatewayd 0."), "{text}");
        }
    }
}

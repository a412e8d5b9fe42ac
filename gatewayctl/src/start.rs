//! From the process's words to an exit code: spelling, parsing, profile, paths, and only then a runtime. What needs
//! no gateway (help, version, completions) never gets that far.

use std::ffi::OsString;
use std::io;
use std::path::PathBuf;

use clap::error::ErrorKind;
use clap::{CommandFactory, FromArgMatches};
use gateway_base::account::Account;
use gateway_base::clock::Clock;
use gateway_base::env::Env;
use gateway_base::paths::{self, DEV_PORT, Paths};
use gateway_base::profile::{self, Profile};

use crate::app::App;
use crate::args::{Cli, Command};
use crate::become_daemon::become_daemon;
use crate::cmds::offline;
use crate::dispatch;
use crate::exit::{Exit, Failure};
use crate::output::Output;
use crate::spelling::{Plan, Words, plan};

/// Runs the program. `words` are all words, the program's name first; `own` is the program's file.
#[must_use]
pub fn run(words: Vec<OsString>, own: Option<PathBuf>, env: Env) -> u8 {
    let mut words = words.into_iter();
    let spelling = Words::for_name(words.next().as_deref());
    let arguments = match plan(words.collect()) {
        Plan::Control(arguments) => arguments,
        Plan::Daemon(arguments) => {
            return become_daemon(own, arguments)
                .unwrap_or_else(|failure| Output::new(&env, false, false).failure(&failure).code());
        }
    };
    let json = arguments.iter().any(|word| word == "--json");
    if arguments.last().is_some_and(|word| word == "--profile") {
        let failure = wrong_profile(profile::Error::MissingValue);
        return Output::new(&env, false, json).failure(&failure).code();
    }
    let cli = match parse(spelling, arguments) {
        Ok(cli) => cli,
        Err(error) => return clap_answer(&Output::new(&env, false, json), &error).code(),
    };
    let out = Output::new(&env, cli.no_color, cli.command.is_json());
    let done = match &cli.command {
        Command::Completions { shell } => offline::completions(&out, spelling, *shell),
        Command::Man { to } => offline::man(&out, to.as_deref()),
        Command::Version(_) => offline::version(&out),
        _ => online(cli, spelling, out, env, own),
    };
    done.unwrap_or_else(|failure| out.failure(&failure)).code()
}

fn parse(spelling: Words, arguments: Vec<OsString>) -> Result<Cli, clap::Error> {
    let command = Cli::command().bin_name(spelling.program());
    let name = OsString::from(spelling.program());
    let matches = command.try_get_matches_from(std::iter::once(name).chain(arguments))?;
    Cli::from_arg_matches(&matches)
}

/// Help and version go to standard output and are no failure; everything else is a wrong command line.
fn clap_answer(out: &Output, error: &clap::Error) -> Exit {
    let text = error.render().to_string();
    if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        return out.verbatim(&text).map_or_else(|failure| out.failure(&failure), |()| Exit::Ok);
    }
    let failure = Failure::new(Exit::Usage, text.trim_end());
    out.failure(&match error.kind() {
        ErrorKind::InvalidSubcommand => failure.hint(format!("Commands: {}", command_names().join(", "))),
        _ => failure,
    })
}

fn wrong_profile(error: profile::Error) -> Failure {
    Failure::new(Exit::Usage, format!("[clawdbot] {error}"))
}

fn command_names() -> Vec<String> {
    Cli::command().get_subcommands().map(|command| command.get_name().to_owned()).collect()
}

fn online(cli: Cli, words: Words, out: Output, mut env: Env, own: Option<PathBuf>) -> Result<Exit, Failure> {
    let profile = Profile::from_options(cli.dev, cli.profile.as_deref()).map_err(wrong_profile)?;
    if profile.as_ref().is_some_and(|profile| profile.name() == "dev") {
        env.set_if_absent("CLAWDBOT_GATEWAY_PORT", DEV_PORT.to_string());
    }
    let paths = Paths::resolve(&env, profile).map_err(|error| no_paths(&error, words))?;
    if let Ok(folder) = std::env::current_dir() {
        env = gateway_config::environment::with_files(&env, &folder, &paths);
    }
    let app = App { env, paths, out, words, clock: Clock::system(), own };
    to_its_end(dispatch::run(&app, cli)).map_err(|error| Failure::failed(format!("cannot start: {error}")))?
}

/// Runs `work`, and no longer. What it gave up, a name that nobody resolves or on Windows the output of a tool that
/// hangs, may still be waited for by a thread, which would hold the result back.
fn to_its_end<T>(work: impl Future<Output = T>) -> io::Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let done = runtime.block_on(work);
    runtime.shutdown_background();
    Ok(done)
}

/// Without a home folder there is no place for anything; as root in a bare shell it is often only not named.
fn no_paths(error: &paths::Error, words: Words) -> Failure {
    let failure = Failure::new(Exit::Usage, error.to_string());
    match Account::own().filter(|own| own.home.is_dir()) {
        Some(own) => failure.hint(format!("Try: HOME={} {} ...", own.home.display(), words.control)),
        None => failure,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::time::Duration;

    use super::*;
    use crate::cmds::testing::env_at;

    fn words(line: &str) -> Vec<OsString> {
        line.split_whitespace().map(OsString::from).collect()
    }

    #[test]
    fn what_was_given_up_is_not_waited_for() {
        let (release, held) = mpsc::sync_channel::<()>(1);
        let (done, seen) = mpsc::sync_channel(1);
        std::thread::spawn(move || {
            let work = async {
                let (begun, begins) = tokio::sync::oneshot::channel();
                tokio::task::spawn_blocking(move || {
                    let _ = begun.send(());
                    let _ = held.recv();
                });
                begins.await.is_ok()
            };
            let _ = done.send(to_its_end(work).expect("it starts"));
        });
        assert_eq!(seen.recv_timeout(Duration::from_secs(60)), Ok(true));
        drop(release);
    }

    #[test]
    fn an_unknown_command_is_an_error_that_lists_what_there_is() {
        let env = Env::default();
        for line in ["gatewayctl bogus", "gatewayctl gateway bogus", "clawdbot gateway bogus", "gatewayctl"] {
            assert_eq!(run(words(line), None, env.clone()), 2, "{line}");
        }
        assert!(command_names().contains(&"usage-cost".to_owned()));
    }

    #[test]
    fn a_wrong_profile_is_a_wrong_command_line() {
        let env = env_at("/home/you", &[]);
        for line in [
            "gatewayctl --dev --profile work status",
            "gatewayctl --profile a/b status",
            "gatewayctl --profile",
        ] {
            assert_eq!(run(words(line), None, env.clone()), 2, "{line}");
        }
    }
}

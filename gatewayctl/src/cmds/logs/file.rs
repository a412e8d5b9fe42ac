//! The log straight from its file, when no daemon runs that could be asked.

use std::io;
use std::path::Path;

use super::show::Printer;
use crate::admin;
use crate::app::App;
use crate::args::LogsArgs;
use crate::exit::{Exit, Failure, Reason};
use crate::logfile::{Record, added, tail};

/// How much is read at once, in bytes.
const STEP: u64 = 1 << 20;

/// Prints the end of the file; with `--follow`, what is added to it.
pub async fn run(app: &App, args: &LogsArgs, path: &Path, printer: &mut Printer) -> Result<Exit, Failure> {
    let shown = path.display().to_string();
    let first = tail(path, args.max_bytes.into()).map_err(|error| unreadable(app, &shown, &error))?;
    printer.notice(&format!(
        "The gateway is not running; this is its log file as it was left. Start it with: {}",
        app.suggest_start()
    ))?;
    printer.head(&shown, first.size, first.size)?;
    let wanted: Vec<&String> = first.lines.iter().filter(|line| is_wanted(line, args)).collect();
    let limit = usize::try_from(args.limit).unwrap_or(usize::MAX);
    printer.gaps(false, first.truncated && wanted.len() < limit)?;
    for line in wanted.iter().skip(wanted.len().saturating_sub(limit)) {
        printer.line(Record::parse(line).as_ref(), line)?;
    }
    if !args.follow {
        return Ok(Exit::Ok);
    }
    let mut seen = first.size;
    loop {
        tokio::time::sleep(args.interval).await;
        seen = print_new(args, path, printer, seen)?;
    }
}

/// Prints what was added since `seen` and returns how far the file has been read.
fn print_new(args: &LogsArgs, path: &Path, printer: &Printer, mut seen: u64) -> Result<u64, Failure> {
    // A file that is being replaced is there again next time.
    let Ok(size) = std::fs::metadata(path).map(|meta| meta.len()) else { return Ok(seen) };
    if size < seen {
        printer.gaps(true, false)?;
        seen = 0;
    }
    while let Ok(new) = added(path, seen, STEP) {
        if new.end == seen {
            break;
        }
        for line in new.lines.iter().filter(|line| is_wanted(line, args)) {
            printer.line(Record::parse(line).as_ref(), line)?;
        }
        seen = new.end;
    }
    Ok(seen)
}

fn is_wanted(line: &str, args: &LogsArgs) -> bool {
    Record::parse(line).is_none_or(|record| record.is_at_least(args.level))
}

fn unreadable(app: &App, path: &str, error: &io::Error) -> Failure {
    let Failure::Failed(Reason { exit, message, .. }) = admin::not_running(app) else {
        return admin::not_running(app);
    };
    let left = if error.kind() == io::ErrorKind::NotFound {
        format!("There is no log file at {path} either.")
    } else {
        format!("Its log file {path} cannot be read: {error}")
    };
    Failure::new(exit, message).hint(left)
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use gateway_base::clock::Clock;
    use gateway_base::env::Env;
    use gateway_base::paths::Paths;

    use super::*;
    use crate::args::{Cli, Command};
    use crate::output::Output;
    use crate::spelling::Words;

    #[test]
    fn a_file_that_was_replaced_is_read_from_its_beginning() {
        let dir = tempfile::tempdir().expect("folder");
        let path = dir.path().join("log");
        let env = Env::from_pairs([("HOME", dir.path().to_string_lossy().into_owned())]);
        let (paths, out) = (Paths::resolve(&env, None).expect("paths"), Output::new(&env, true, false));
        let app = App { env, paths, out, words: Words::for_name(None), clock: Clock::manual(0), own: None };
        let Command::Logs(args) = Cli::parse_from(["gatewayctl", "logs", "--follow"]).command else {
            panic!("the command is logs")
        };
        let printer = Printer::new(&app, &args);
        let read = |seen| print_new(&args, &path, &printer, seen).expect("is printed");
        assert_eq!(read(7), 7, "it is being replaced");
        std::fs::write(&path, "one\ntwo\nth").expect("file");
        assert_eq!((read(100), read(4), read(8)), (8, 8, 8));
    }
}

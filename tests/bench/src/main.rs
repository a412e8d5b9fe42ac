//! The command: reads its options and the environment, measures, prints.

use std::io::Write;
use std::path::PathBuf;

use clap::Parser;

/// Prints the table of performance goals for this machine, all rows measured in one run.
#[derive(Debug, Parser)]
#[command(name = "gateway-bench", version)]
struct Args {
    /// Under a minute: one repetition, shorter measurements.
    #[arg(long)]
    quick: bool,
    /// Measure only this row; may be given more than once. --list names them.
    #[arg(long, value_name = "ROW")]
    only: Vec<String>,
    /// Name the rows and end.
    #[arg(long)]
    list: bool,
    /// A folder with the original's node_modules, to measure it too.
    #[arg(long, value_name = "DIR")]
    original: Option<PathBuf>,
    /// Print one JSON document instead of the table.
    #[arg(long)]
    json: bool,
    /// The gatewayd to measure; without it the workspace's is built and used.
    #[arg(long, value_name = "PATH")]
    gatewayd: Option<PathBuf>,
    /// Measure the yardsticks alone.
    #[arg(long, conflicts_with = "gatewayd")]
    yardsticks_only: bool,
    /// Also write the table as Markdown, with date and commit.
    #[arg(long, value_name = "FILE")]
    write: Option<PathBuf>,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Serve as one of the yardsticks; the bench starts these itself.
    #[command(hide = true)]
    Yardstick {
        which: Which,
        #[arg(long)]
        port: u16,
        #[arg(long)]
        announce_leave: bool,
    },
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Which {
    B,
    F,
}

fn main() -> std::process::ExitCode {
    match run(Args::parse()) {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "{error:#}");
            std::process::ExitCode::FAILURE
        }
    }
}

#[cfg(not(target_os = "linux"))]
fn run(args: Args) -> anyhow::Result<()> {
    let _ = args;
    anyhow::bail!("the bench reads /proc and uses epoll; it runs on Linux only")
}

#[cfg(target_os = "linux")]
fn run(args: Args) -> anyhow::Result<()> {
    use gateway_bench::rows::{ROWS, Session};
    use gateway_bench::server::Programs;
    use gateway_bench::yardstick::{self, Yardstick};
    use gateway_bench::{measure, report::Report, rows};

    if let Some(Command::Yardstick { which, port, announce_leave }) = args.command {
        let which = if matches!(which, Which::B) { Yardstick::Bare } else { Yardstick::Raw };
        return yardstick::run(which, port, announce_leave);
    }
    let mut stdout = std::io::stdout().lock();
    if args.list {
        return Ok(writeln!(stdout, "{}", ROWS.join("\n"))?);
    }
    let bench = std::env::current_exe()?;
    let gatewayd = match (args.gatewayd, args.yardsticks_only) {
        (_, true) => None,
        (Some(path), _) => Some(path.canonicalize()?),
        (None, _) => Some(build::gatewayd(&bench, std::env::var_os("CARGO"))?),
    };
    let programs = Programs {
        bench,
        gatewayd,
        original: args.original.map(|folder| folder.canonicalize()).transpose()?,
        path: std::env::var_os("PATH").unwrap_or_default(),
    };
    let limit = usize::try_from(measure::raise_descriptor_limit()).unwrap_or(usize::MAX);
    let most_clients = limit.saturating_sub(500).max(64);
    let session = Session { programs, quick: args.quick, only: args.only, most_clients };
    session.check()?;
    let mut report = Report::new(session.programs.kinds());
    rows::run(&session, &mut report);
    let head = build::head(session.quick);
    if args.json {
        let mut document = report.json();
        document["run"] = head.as_str().into();
        writeln!(stdout, "{document:#}")?;
    } else {
        writeln!(stdout, "\n{head}\n\n{}", report.markdown())?;
    }
    if let Some(path) = args.write {
        let text = format!(
            "# Performance goals on one machine\n\n{head}\n\n{}\n{}",
            build::LEGEND,
            report.markdown()
        );
        std::fs::write(&path, text)
            .map_err(|error| anyhow::anyhow!("cannot write {}: {error}", path.display()))?;
    }
    anyhow::ensure!(report.is_whole(), "not every server could be measured; the end of the report says why");
    Ok(())
}

#[cfg(target_os = "linux")]
mod build {
    //! What the run is about: the program that is measured, the commit and the machine.

    use std::ffi::OsString;
    use std::path::{Path, PathBuf};
    use std::process::{Command, Stdio};

    use anyhow::{Context, Result, bail};
    use gateway_base::clock::{Clock, iso_utc};
    use gateway_bench::measure;

    /// How to read the table.
    pub const LEGEND: &str = "\
Columns: the subject; A, the original, when a folder with it was named; B, a bare tokio-tungstenite server with
small buffers and feed-then-flush; F, a single-threaded raw epoll server. Server and generator share the machine, so
the ratios between the columns of one run count and the numbers themselves inform. Lines that begin with \"the same\"
belong to the line above. B and F answer with 200 bytes, let clients in with 3 KB, and in the row of visits beside
200 held clients tell each of them of every leaver.
";

    /// The release build of `gatewayd` beside this program, brought up to date first.
    pub fn gatewayd(bench: &Path, cargo: Option<OsString>) -> Result<PathBuf> {
        let cargo = cargo.unwrap_or_else(|| "cargo".into());
        let status = Command::new(cargo)
            .args(["build", "--release", "-p", "gatewayd", "--bin", "gatewayd", "--quiet"])
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .status()
            .context("cannot run cargo to build gatewayd; name one with --gatewayd")?;
        if !status.success() {
            bail!("gatewayd does not build; name a built one with --gatewayd, or use --yardsticks-only");
        }
        let path = bench.with_file_name("gatewayd");
        if !path.exists() {
            bail!(
                "no gatewayd beside {}; run the bench with --release or name one with --gatewayd",
                bench.display()
            );
        }
        Ok(path)
    }

    /// Date, commit and machine of this run.
    pub fn head(quick: bool) -> String {
        let date = iso_utc(Clock::system().now());
        let commit = git(&["rev-parse", "--short=12", "HEAD"]).unwrap_or_else(|| "unknown".into());
        let changed =
            git(&["status", "--porcelain", "--untracked-files=no"]).is_some_and(|list| !list.is_empty());
        let changed = if changed { " with changes" } else { "" };
        let quick = if quick { ", quick run" } else { "" };
        format!("{}, commit {commit}{changed}, {}{quick}", &date[..date.len().min(16)], measure::machine())
    }

    fn git(args: &[&str]) -> Option<String> {
        let mut command = Command::new("git");
        command.args(args).current_dir(env!("CARGO_MANIFEST_DIR")).stderr(Stdio::null());
        let output = command.output().ok().filter(|output| output.status.success())?;
        Some(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }
}

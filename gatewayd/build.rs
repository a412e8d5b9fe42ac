//! Puts the commit and the date of the build into both programs, so that `--version` and `status` can tell two builds
//! apart. A packager without a checkout sets `GATEWAYD_COMMIT`; `SOURCE_DATE_EPOCH` makes the date reproducible.
#![allow(clippy::print_stdout, reason = "standard output is how a build script talks to cargo")]

use std::env;
use std::path::Path;
use std::process::Command;

const UNKNOWN: &str = "unknown";

fn main() {
    for name in ["GATEWAYD_COMMIT", "SOURCE_DATE_EPOCH"] {
        println!("cargo::rerun-if-env-changed={name}");
    }
    // A commit appends to the reflog of HEAD; without one, HEAD itself still shows a checkout.
    for name in ["logs/HEAD", "HEAD"] {
        let path =
            output(Command::new("git").args(["rev-parse", "--path-format=absolute", "--git-path", name]));
        if let Some(path) = path.filter(|path| Path::new(path).exists()) {
            println!("cargo::rerun-if-changed={path}");
        }
    }
    let commit = env::var("GATEWAYD_COMMIT")
        .ok()
        .or_else(|| output(Command::new("git").args(["rev-parse", "--short=12", "HEAD"])));
    println!("cargo::rustc-env=GATEWAYD_COMMIT={}", commit.as_deref().unwrap_or(UNKNOWN));
    println!("cargo::rustc-env=GATEWAYD_BUILD_DATE={}", build_date().as_deref().unwrap_or(UNKNOWN));
}

/// The day of the build in UTC, as `2026-01-31`.
fn build_date() -> Option<String> {
    let moment = match env::var("SOURCE_DATE_EPOCH") {
        Ok(epoch) => jiff::Timestamp::from_second(epoch.parse().ok()?).ok()?,
        Err(_) => jiff::Timestamp::now(),
    };
    Some(moment.strftime("%Y-%m-%d").to_string())
}

/// The first line a command prints, when it succeeds and prints one.
fn output(command: &mut Command) -> Option<String> {
    let output = command.output().ok().filter(|output| output.status.success())?;
    let line = String::from_utf8(output.stdout).ok()?.lines().next()?.trim().to_owned();
    (!line.is_empty()).then_some(line)
}

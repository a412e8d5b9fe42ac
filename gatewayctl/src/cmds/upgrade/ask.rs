//! Asks a program something that may be anything: how it is started, what it answered, and in words why it did not.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use gateway_base::env::Env;
use gateway_base::program::{self, Call, End, Variables};

/// How long an answer may take.
const LIMIT: Duration = Duration::from_secs(15);
/// How much of an answer is read.
const MAX_SAID: usize = 16 * 1024;
/// What the kernel says of a file that is no program, or one for another kind of machine.
const NO_PROGRAM: i32 = 8;

/// How the gateway is started: its arguments without the program, its environment and its folder.
#[derive(Clone, Debug, Default)]
pub struct Start {
    /// The arguments.
    pub arguments: Vec<String>,
    /// The whole environment.
    pub variables: Env,
    /// The folder.
    pub folder: Option<PathBuf>,
}

/// What a program answered.
#[derive(Debug)]
pub struct Answer {
    /// Its exit code, unless a signal ended it.
    pub code: Option<i32>,
    /// Its standard output, then its standard error.
    pub said: String,
}

/// Asks `program` with these arguments, as `start` would run it. The error is a sentence.
pub async fn ask(program: &Path, arguments: &[String], start: &Start) -> Result<Answer, String> {
    let call = Call {
        variables: Variables::Whole(start.variables.clone()),
        folder: start.folder.clone(),
        time: LIMIT,
        size: MAX_SAID,
        ..Call::new(program, arguments)
    };
    let ran = program::run(&call).await.map_err(|error| match error.raw_os_error() {
        Some(NO_PROGRAM) => "it is no program, or one for another kind of machine".to_owned(),
        _ if error.kind() == io::ErrorKind::PermissionDenied => {
            format!("it may not be run ({error}); run: chmod +x {}", program.display())
        }
        _ => format!("it cannot be run: {error}"),
    })?;
    let code = match ran.end {
        End::Success => Some(0),
        End::Failure(code) => code,
        End::TooMuch => None,
        End::TooLate => {
            let words = arguments.last().map(String::as_str).unwrap_or_default();
            return Err(format!("it did not answer {words} within {} s", LIMIT.as_secs()));
        }
    };
    Ok(Answer { code, said: ran.stdout + &ran.stderr })
}

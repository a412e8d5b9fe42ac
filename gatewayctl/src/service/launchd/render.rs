//! Writes the property list of a LaunchAgent. Pure. A value that would read differently than it was meant is refused.

use std::path::{Path, PathBuf};

use gateway_base::limits;
use plist::{Dictionary, Value, XmlWriteOptions};

use crate::service::spec::Spec;

/// The longest path that macOS takes.
const MAX_PATH: usize = 1023;
/// The longest value that is written.
pub(super) const MAX_VALUE: usize = 64 * 1024;
/// New files are for their owner alone: 0077.
pub(super) const UMASK: u64 = 0o077;

/// Why a property list cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// XML has no place for them, or reads them as something else.
    #[error("{0} holds a line break or another control character, which a service file cannot hold")]
    Control(String),
    /// It is longer than anything that can be run or read.
    #[error("{0} is too long for a service file ({1} bytes)")]
    Long(String, usize),
    /// launchd finds a program by an absolute path.
    #[error("{0} is not an absolute path")]
    Relative(String),
    /// The list could not be put together.
    #[error("the property list cannot be written: {0}")]
    Plist(#[from] plist::Error),
}

/// Where a gateway that was refused its start says why, beside its own log.
#[must_use]
pub fn error_log(log: &Path) -> PathBuf {
    log.with_file_name("gateway.err.log")
}

/// The text of the property list. `log` is the log that the gateway writes itself; its standard output would only
/// repeat that.
pub fn agent(label: &str, spec: &Spec, log: &Path) -> Result<String, Error> {
    let mut arguments = vec![Value::from(program(&spec.program)?)];
    for argument in &spec.arguments {
        arguments.push(Value::from(checked("an argument", argument, MAX_VALUE)?));
    }
    let mut variables = Dictionary::new();
    for (name, value) in &spec.environment {
        let name = checked("the name of a variable", name, MAX_VALUE)?;
        variables.insert(name.to_owned(), Value::from(checked(name, value, MAX_VALUE)?));
    }
    let errors = error_log(log).display().to_string();
    let errors = checked("the path of the log", &errors, MAX_PATH)?;
    let list = [
        ("Label", Value::from(checked("the label", label, MAX_VALUE)?)),
        ("Comment", Value::from(checked("the description", &spec.description, MAX_VALUE)?)),
        ("RunAtLoad", Value::from(true)),
        // Again after every failure, but not after a stop that somebody asked for.
        ("KeepAlive", table([("SuccessfulExit", Value::from(false))])),
        ("ThrottleInterval", Value::from(limits::SERVICE_PAUSE.as_secs())),
        ("ExitTimeOut", Value::from(limits::SERVICE_STOP.as_secs())),
        ("ProgramArguments", Value::Array(arguments)),
        ("StandardOutPath", Value::from("/dev/null")),
        ("StandardErrorPath", Value::from(errors)),
        ("EnvironmentVariables", Value::Dictionary(variables)),
        ("Umask", Value::from(UMASK)),
        // A dump of the memory would hold secrets.
        ("HardResourceLimits", table([("Core", Value::from(0_u64))])),
        ("SoftResourceLimits", table([("Core", Value::from(0_u64)), ("NumberOfFiles", Value::from(FILES))])),
    ];
    let mut xml = Vec::new();
    table(list).to_writer_xml_with_options(&mut xml, &XmlWriteOptions::default())?;
    let mut text = String::from_utf8_lossy(&xml).into_owned();
    text.push('\n');
    Ok(text)
}

/// As many open files as macOS gives a process of an ordinary user.
const FILES: u64 = 10_240;

pub(super) fn table<const N: usize>(entries: [(&str, Value); N]) -> Value {
    Value::Dictionary(entries.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

pub(super) fn program(path: &Path) -> Result<&str, Error> {
    let what = "the path of the program";
    let program = path.to_str().ok_or_else(|| Error::Control(what.to_owned()))?;
    if !program.starts_with('/') {
        return Err(Error::Relative(program.to_owned()));
    }
    checked(what, program, MAX_PATH)
}

pub(super) fn checked<'a>(what: &str, value: &'a str, limit: usize) -> Result<&'a str, Error> {
    if value.len() > limit {
        return Err(Error::Long(what.to_owned(), value.len()));
    }
    let bad = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{fffe}' | '\u{ffff}');
    if value.chars().any(bad) {
        return Err(Error::Control(what.to_owned()));
    }
    Ok(value)
}

#[cfg(test)]
mod tests;

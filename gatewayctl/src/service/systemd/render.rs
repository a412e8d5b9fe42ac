//! Writes a unit file. Pure: what comes out depends on the spec and on the version of systemd alone. Every value is
//! quoted as systemd reads it, and a value that cannot be written is refused instead of being bent.

use std::fmt::Write;

use gateway_base::limits;
use gateway_base::printable::printable;

use crate::service::scope::Scope;
use crate::service::spec::Spec;

/// Since this version systemd makes the pause between restarts longer by itself.
const HAS_BACK_OFF: u32 = 254;

/// The longest path that the kernel takes.
const MAX_PATH: usize = 4095;
/// The longest value that is written; a line of a unit may have a million bytes.
const MAX_VALUE: usize = 64 * 1024;

/// Why a unit cannot be written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Line breaks would begin a new setting, and the others cannot be written.
    #[error("{0} holds a line break or another control character, which a service file cannot hold")]
    Control(String),
    /// It is longer than anything that can be run or read.
    #[error("{0} is too long for a service file ({1} bytes)")]
    Long(String, usize),
    /// Spaces around a value are not part of it, and a backslash at its end would join the next line to it.
    #[error("{0} begins or ends with a space, or ends with a backslash, which a service file cannot hold")]
    Edge(String),
    /// systemd passes over the whole line.
    #[error(
        "{0} holds a quotation mark or a backslash, which systemd does not take there; move it to a path without"
    )]
    Quote(String),
    /// A program is found by an absolute path.
    #[error("{0} is not an absolute path")]
    Relative(String),
    /// The user's name would be read as something else.
    #[error("{0} is not the name of a user")]
    User(String),
}

/// What holds for both scopes: a process that may not gain rights, may only make the calls of an ordinary service,
/// and keeps its files to itself. Nothing here keeps a tool of the assistant from compiling at run time or from
/// making a name space of its own, as interpreters and browsers do.
const SANDBOX: [(&str, &str); 10] = [
    ("NoNewPrivileges", "yes"),
    ("LockPersonality", "yes"),
    ("RestrictRealtime", "yes"),
    ("RestrictSUIDSGID", "yes"),
    ("RestrictAddressFamilies", "AF_UNIX AF_INET AF_INET6 AF_NETLINK"),
    ("SystemCallArchitectures", "native"),
    ("SystemCallFilter", "@system-service"),
    ("SystemCallErrorNumber", "EPERM"),
    ("KeyringMode", "private"),
    ("UMask", "0077"),
];

/// What only the manager of the machine can do without name spaces of users, which many machines switch off. The
/// folder for temporary files stays shared: the lock in it keeps a second gateway from starting by hand.
const SYSTEM_SANDBOX: [(&str, &str); 12] = [
    ("CapabilityBoundingSet", ""),
    ("AmbientCapabilities", ""),
    ("ProtectSystem", "full"),
    ("ProtectKernelTunables", "yes"),
    ("ProtectKernelModules", "yes"),
    ("ProtectKernelLogs", "yes"),
    ("ProtectControlGroups", "yes"),
    ("ProtectClock", "yes"),
    ("ProtectHostname", "yes"),
    ("ProtectProc", "invisible"),
    ("PrivateDevices", "yes"),
    ("RemoveIPC", "yes"),
];

/// The text of the unit for a systemd of this version.
pub fn unit(spec: &Spec, version: u32) -> Result<String, Error> {
    let mut text = String::from(
        "# Written by gatewayctl. `gatewayctl install --force` writes it again; changes of your own belong in a\n\
         # drop-in, which stays: `systemctl edit`, with --user for a unit of your own.\n",
    );
    section(&mut text, "Unit");
    set(&mut text, "Description", &plain("the description", &spec.description)?);
    set(&mut text, "After", "network-online.target");
    set(&mut text, "Wants", "network-online.target");
    // A package that is removed takes its program along. The unit then waits for the next one instead of failing.
    set(&mut text, "ConditionFileIsExecutable", &plain("the path of the program", path(spec)?)?);
    // The gateway is meant to be there always: however often it failed, it is tried again.
    set(&mut text, "StartLimitIntervalSec", "0");
    section(&mut text, "Service");
    set(&mut text, "Type", "notify");
    set(&mut text, "NotifyAccess", "main");
    set(&mut text, "ExecStart", &command(spec)?);
    if let Some(user) = &spec.user {
        set(&mut text, "User", user_name(user)?);
    }
    lifecycle(&mut text, version);
    let of_system = if spec.scope == Scope::System { &SYSTEM_SANDBOX[..] } else { &[] };
    for (key, value) in SANDBOX.iter().chain(of_system) {
        set(&mut text, key, value);
    }
    for (name, value) in &spec.environment {
        let assignment = format!("{name}={value}");
        set(&mut text, "Environment", &word(name, &assignment, Dollar::Plain)?);
    }
    section(&mut text, "Install");
    set(&mut text, "WantedBy", target(spec.scope));
    Ok(text)
}

/// What starts the units of this scope.
pub(super) const fn target(scope: Scope) -> &'static str {
    match scope {
        Scope::System => "multi-user.target",
        Scope::User => "default.target",
    }
}

fn lifecycle(text: &mut String, version: u32) {
    let seconds = |time: std::time::Duration| time.as_secs().to_string();
    set(text, "Restart", "on-failure");
    set(text, "RestartSec", &seconds(limits::SERVICE_PAUSE));
    if version >= HAS_BACK_OFF {
        set(text, "RestartSteps", "6");
        set(text, "RestartMaxDelaySec", &seconds(limits::SERVICE_MAX_PAUSE));
    }
    let hopeless = format!("{} {}", limits::EXIT_TAKEN, limits::EXIT_REFUSED);
    set(text, "RestartPreventExitStatus", &hopeless);
    set(text, "TimeoutStopSec", &seconds(limits::SERVICE_STOP));
    set(text, "WatchdogSec", &seconds(limits::SERVICE_WATCHDOG));
    // The listeners stay open from one process to the next, so that no client is refused meanwhile.
    set(text, "FileDescriptorStoreMax", "8");
    // The daemon ends its children in order; what is left after the stop time is killed with it.
    set(text, "KillMode", "mixed");
    set(text, "OOMPolicy", "continue");
    set(text, "LimitNOFILE", &limits::DESCRIPTORS.to_string());
    // A dump of the memory would hold secrets.
    set(text, "LimitCORE", "0");
}

pub(super) fn section(text: &mut String, name: &str) {
    let gap = if text.ends_with("own.\n") { "" } else { "\n" };
    // Writing to a string does not fail.
    let _ = writeln!(text, "{gap}[{name}]");
}

pub(super) fn set(text: &mut String, key: &str, value: &str) {
    let _ = writeln!(text, "{key}={value}");
}

/// Whether a dollar sign begins a variable where the word stands.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Dollar {
    /// It does not.
    Plain,
    /// It does.
    Variable,
}

pub(super) fn command(spec: &Spec) -> Result<String, Error> {
    let program = path(spec)?;
    // The program's own path is taken as it is and cannot escape a dollar sign, so variables are switched off there.
    let (prefix, dollar) = if program.contains('$') { (":", Dollar::Plain) } else { ("", Dollar::Variable) };
    let mut line = format!("{prefix}{}", word("the path of the program", program, Dollar::Plain)?);
    for argument in &spec.arguments {
        line.push(' ');
        line.push_str(&word("an argument", argument, dollar)?);
    }
    Ok(line)
}

fn path(spec: &Spec) -> Result<&str, Error> {
    let what = "the path of the program";
    let program = spec.program.to_str().ok_or_else(|| Error::Control(what.to_owned()))?;
    if !program.starts_with('/') {
        return Err(Error::Relative(program.to_owned()));
    }
    if program.len() > MAX_PATH {
        return Err(Error::Long(what.to_owned(), program.len()));
    }
    if program.contains(['"', '\'', '\\']) {
        return Err(Error::Quote(what.to_owned()));
    }
    Ok(program)
}

/// One word of a line that is split into words.
pub(super) fn word(what: &str, value: &str, dollar: Dollar) -> Result<String, Error> {
    let value = checked(what, value)?;
    let harmless = |c: char| c.is_ascii_alphanumeric() || "_-./:=@,+".contains(c);
    if !value.is_empty() && value.chars().all(harmless) {
        return Ok(value.to_owned());
    }
    let mut quoted = String::from("\"");
    for c in value.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            '%' => quoted.push_str("%%"),
            '$' if dollar == Dollar::Variable => quoted.push_str("$$"),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    Ok(quoted)
}

/// A whole line that is not split.
pub(super) fn plain(what: &str, value: &str) -> Result<String, Error> {
    let value = checked(what, value)?;
    if value.trim() != value || value.ends_with('\\') {
        return Err(Error::Edge(what.to_owned()));
    }
    Ok(value.replace('%', "%%"))
}

fn checked<'a>(what: &str, value: &'a str) -> Result<&'a str, Error> {
    if value.len() > MAX_VALUE {
        return Err(Error::Long(what.to_owned(), value.len()));
    }
    // A line with one of Unicode's numbers that are no characters is passed over by systemd as a whole.
    let is_none = |c: char| u32::from(c) & 0xFFFE == 0xFFFE || matches!(c, '\u{fdd0}'..='\u{fdef}');
    if value.chars().any(|c| c.is_control() || is_none(c) || matches!(c, '\u{2028}' | '\u{2029}')) {
        return Err(Error::Control(what.to_owned()));
    }
    Ok(value)
}

pub(super) fn user_name(user: &str) -> Result<&str, Error> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.');
    let good =
        !user.is_empty() && user.len() <= 64 && !user.starts_with(['-', '.']) && user.bytes().all(plain);
    if good { Ok(user) } else { Err(Error::User(printable(user, 64).into_owned())) }
}

#[cfg(test)]
mod tests;

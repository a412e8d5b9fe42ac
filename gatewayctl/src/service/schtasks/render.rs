//! Writes the definition of a Scheduled Task. Pure. The daemon is started directly, never through a script: ending a
//! task ends the process that it started and no other, and a script could hold every trick of a shell. What the
//! scheduler would read differently than it was meant is refused.

use std::fmt::Write;

use quick_xml::escape::escape;

use super::words;
use crate::service::names::Names;
use crate::service::spec::Spec;

/// The longest path that the scheduler takes.
pub(super) const MAX_PATH: usize = 260;
/// The longest command line that Windows takes, with some room for the program.
pub(super) const MAX_LINE: usize = 32_000;
/// The longest other value.
pub(super) const MAX_VALUE: usize = 8 * 1024;

/// Why a definition cannot be written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// XML has no place for them, or reads them as something else.
    #[error("{0} holds a line break or another control character, which a task cannot hold")]
    Control(String),
    /// It is longer than anything that can be run or read.
    #[error("{0} is too long for a task ({1} characters)")]
    Long(String, usize),
    /// No path of Windows has one, and the scheduler takes a path as it is.
    #[error("{0} holds a quotation mark, which a path cannot hold")]
    Quote(String),
    /// Windows does not keep such a path.
    #[error("{0} begins or ends with a space, which a task cannot hold")]
    Edge(String),
    /// A program is found by a path with a drive or a share.
    #[error("{0} is not an absolute path")]
    Relative(String),
    /// The scheduler replaces it, and there is no way to write it so that it does not.
    #[error("{0} holds %...% or $(...), which the Task Scheduler would replace; move it to a path without")]
    Variable(String),
    /// Nobody to start it for.
    #[error("USERNAME is not set, so it is not known for whom the task is")]
    NoUser,
}

/// What does not depend on the service: it runs as long as it likes, on battery too, one at a time, and again when it
/// fails. A minute is the shortest pause that the scheduler takes. 5 is the priority of ordinary programs.
const SETTINGS: &str = "  <Settings>
    <MultipleInstancesPolicy>IgnoreNew</MultipleInstancesPolicy>
    <DisallowStartIfOnBatteries>false</DisallowStartIfOnBatteries>
    <StopIfGoingOnBatteries>false</StopIfGoingOnBatteries>
    <AllowHardTerminate>true</AllowHardTerminate>
    <StartWhenAvailable>true</StartWhenAvailable>
    <RunOnlyIfNetworkAvailable>false</RunOnlyIfNetworkAvailable>
    <IdleSettings>
      <StopOnIdleEnd>false</StopOnIdleEnd>
      <RestartOnIdle>false</RestartOnIdle>
    </IdleSettings>
    <AllowStartOnDemand>true</AllowStartOnDemand>
    <Enabled>true</Enabled>
    <Hidden>false</Hidden>
    <RunOnlyIfIdle>false</RunOnlyIfIdle>
    <WakeToRun>false</WakeToRun>
    <ExecutionTimeLimit>PT0S</ExecutionTimeLimit>
    <Priority>5</Priority>
    <RestartOnFailure>
      <Interval>PT1M</Interval>
      <Count>999</Count>
    </RestartOnFailure>
  </Settings>
";

/// Where every definition begins: what it is and what it is called.
pub(super) fn head(names: &Names, spec: &Spec) -> Result<String, Error> {
    let uri = format!("\\{}", names.task);
    let about = [
        element("Description", "the description", &spec.description, MAX_VALUE)?,
        element("URI", "the name of the task", &uri, MAX_VALUE)?,
    ];
    Ok(format!(
        "<?xml version=\"1.0\" encoding=\"UTF-16\"?>\n\
         <Task version=\"1.2\" xmlns=\"http://schemas.microsoft.com/windows/2004/02/mit/task\">\n  \
         <RegistrationInfo>\n    {}\n  </RegistrationInfo>\n",
        about.join("\n    ")
    ))
}

/// As whom it runs: `user` is the element with the name.
pub(super) fn principal(user: &str) -> String {
    format!(
        "  <Principals>\n    <Principal id=\"Author\">\n      {user}\n      <LogonType>InteractiveToken</LogonType>\n      \
         <RunLevel>LeastPrivilege</RunLevel>\n    </Principal>\n  </Principals>\n"
    )
}

/// The text of the definition for `user`.
pub fn task(names: &Names, spec: &Spec, user: Option<&str>) -> Result<String, Error> {
    let user = user.ok_or(Error::NoUser)?;
    let user = element("UserId", "the name of the user", user, MAX_VALUE)?;
    let program = program(spec)?;
    let arguments = words::join(&spec.arguments);
    let home = spec.environment.iter().find(|(name, _)| name == "HOME").map(|(_, home)| home.as_str());
    let mut text = head(names, spec)?;
    // Writing to a string does not fail.
    let _ = write!(
        text,
        "  <Triggers>\n    <LogonTrigger>\n      <Enabled>true</Enabled>\n      {user}\n    </LogonTrigger>\n  </Triggers>\n"
    );
    text.push_str(&principal(&user));
    text.push_str(SETTINGS);
    let mut action = vec![
        element("Command", "the path of the program", program, MAX_PATH)?,
        element("Arguments", "an argument", plain("an argument", &arguments)?, MAX_LINE)?,
    ];
    if let Some(home) = home.filter(|home| !home.is_empty()) {
        let what = "the path of the home folder";
        if home.trim() != home {
            return Err(Error::Edge(what.to_owned()));
        }
        action.push(element("WorkingDirectory", what, plain(what, home)?, MAX_PATH)?);
    }
    let _ = write!(
        text,
        "  <Actions Context=\"Author\">\n    <Exec>\n      {}\n    </Exec>\n  </Actions>\n</Task>\n",
        action.join("\n      ")
    );
    Ok(text)
}

pub(super) fn program(spec: &Spec) -> Result<&str, Error> {
    let what = "the path of the program";
    let program = spec.program.to_str().ok_or_else(|| Error::Control(what.to_owned()))?;
    let is_share = program.starts_with("\\\\");
    let is_drive = program.get(1..3) == Some(":\\") && program.starts_with(|c: char| c.is_ascii_alphabetic());
    // Elsewhere than on Windows, where only tests come here, the system's own paths are taken.
    if !is_share && !is_drive && !spec.program.is_absolute() {
        return Err(Error::Relative(program.to_owned()));
    }
    if program.contains('"') {
        return Err(Error::Quote(what.to_owned()));
    }
    plain(what, program)
}

pub(super) fn element(name: &str, what: &str, value: &str, limit: usize) -> Result<String, Error> {
    let length = value.chars().count();
    if length > limit {
        return Err(Error::Long(what.to_owned(), length));
    }
    let bad = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{fffe}' | '\u{ffff}');
    if value.chars().any(bad) {
        return Err(Error::Control(what.to_owned()));
    }
    Ok(format!("<{name}>{}</{name}>", escape(value)))
}

/// A value in which the scheduler replaces nothing. A single percent sign is one.
pub(super) fn plain<'a>(what: &str, value: &'a str) -> Result<&'a str, Error> {
    if value.matches('%').count() > 1 || value.contains("$(") {
        return Err(Error::Variable(what.to_owned()));
    }
    Ok(value)
}

#[cfg(test)]
mod tests;

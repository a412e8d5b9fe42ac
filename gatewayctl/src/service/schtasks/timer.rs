//! A task that runs for a moment, again and again. Its program has no window: a console that opens every minute would
//! be worse than no alarm, so the console host starts it without one.

use std::fmt::Write;
use std::time::Duration;

use super::render::{Error, MAX_LINE, MAX_PATH, MAX_VALUE, element, head, plain, principal, program};
use super::words;
use crate::service::names::Names;
use crate::service::spec::Spec;

/// What runs a console program without a console.
const HOST: &str = r"C:\Windows\System32\conhost.exe";

const SETTINGS: &str = "  <Settings>
    <MultipleInstancesPolicy>IgnoreNew</MultipleInstancesPolicy>
    <DisallowStartIfOnBatteries>false</DisallowStartIfOnBatteries>
    <StopIfGoingOnBatteries>false</StopIfGoingOnBatteries>
    <AllowHardTerminate>true</AllowHardTerminate>
    <StartWhenAvailable>true</StartWhenAvailable>
    <RunOnlyIfNetworkAvailable>false</RunOnlyIfNetworkAvailable>
    <AllowStartOnDemand>true</AllowStartOnDemand>
    <Enabled>true</Enabled>
    <Hidden>false</Hidden>
    <RunOnlyIfIdle>false</RunOnlyIfIdle>
    <WakeToRun>false</WakeToRun>
    <ExecutionTimeLimit>PT1H</ExecutionTimeLimit>
    <Priority>7</Priority>
  </Settings>
";

/// The text of the definition for `user`. The pause is in whole minutes, as the scheduler has it.
pub fn task(names: &Names, spec: &Spec, user: Option<&str>, every: Duration) -> Result<String, Error> {
    let user = element("UserId", "the name of the user", user.ok_or(Error::NoUser)?, MAX_VALUE)?;
    let minutes = every.as_secs().div_ceil(60).max(1);
    let again = format!(
        "<Repetition>\n        <Interval>PT{minutes}M</Interval>\n        \
         <StopAtDurationEnd>false</StopAtDurationEnd>\n      </Repetition>\n      <Enabled>true</Enabled>"
    );
    let mut text = head(names, spec)?;
    // Writing to a string does not fail.
    let _ = write!(
        text,
        "  <Triggers>\n    <RegistrationTrigger>\n      {again}\n    </RegistrationTrigger>\n    \
         <LogonTrigger>\n      {again}\n      {user}\n    </LogonTrigger>\n  </Triggers>\n"
    );
    text.push_str(&principal(&user));
    text.push_str(SETTINGS);
    let mut arguments = vec!["--headless".to_owned(), program(spec)?.to_owned()];
    arguments.extend(spec.arguments.iter().cloned());
    let arguments = words::join(&arguments);
    let action = [
        element("Command", "the path of the console host", HOST, MAX_PATH)?,
        element("Arguments", "an argument", plain("an argument", &arguments)?, MAX_LINE)?,
    ];
    let _ = write!(
        text,
        "  <Actions Context=\"Author\">\n    <Exec>\n      {}\n    </Exec>\n  </Actions>\n</Task>\n",
        action.join("\n      ")
    );
    Ok(text)
}

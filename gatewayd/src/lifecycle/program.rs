//! This program as it was started, so that it can be started again in place: same process, same arguments, but what
//! is in the file now, so an update takes effect.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::handover::HandOver;

/// Tells the next image that it is the old one, and why.
pub const FELL_BACK: &str = "CLAWDBOT_RESTART_FELL_BACK";

/// Variables that are set or taken out for the next image of the program.
pub type Variables = [(&'static str, Option<String>)];

/// How this process was started.
#[derive(Clone, Debug)]
pub struct Program {
    /// The file of the program.
    pub file: PathBuf,
    /// The arguments, the name of the program first.
    pub arguments: Vec<OsString>,
    /// The folder relative paths counted from.
    pub working_folder: PathBuf,
}

impl Program {
    /// Replaces this process by a fresh one, which goes on with `sockets`. When the file of the program cannot be run
    /// any more, because an update left it half done, this same program goes on, if the system still has it. Returns
    /// only when neither worked.
    #[must_use]
    pub fn restart(&self, sockets: &HandOver, variables: &Variables) -> io::Error {
        let error = self.replace_by(&self.file, sockets, variables, None);
        #[cfg(target_os = "linux")]
        {
            let note = format!("{} cannot be run: {error}", self.file.display());
            // The kernel leads there to the file that runs now, whatever has its name meanwhile.
            let _ = self.replace_by(Path::new("/proc/self/exe"), sockets, variables, Some(&note));
        }
        error
    }

    fn replace_by(
        &self,
        file: &Path,
        sockets: &HandOver,
        variables: &Variables,
        note: Option<&str>,
    ) -> io::Error {
        let mut command = Command::new(file);
        command.args(self.arguments_again()).current_dir(&self.working_folder);
        let noted = (FELL_BACK, note.map(str::to_owned));
        for (name, value) in variables.iter().chain([&noted]) {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        if let Err(error) = sockets.pass_to(&mut command) {
            return error;
        }
        #[cfg(unix)]
        {
            use std::os::unix::process::CommandExt;
            if let Some(name) = self.arguments.first() {
                command.arg0(name);
            }
            command.exec()
        }
        #[cfg(not(unix))]
        {
            match command.spawn() {
                Ok(_) => io::Error::other("a new process was started instead"),
                Err(error) => error,
            }
        }
    }

    /// What was asked for once must not happen again: state must not be reset, nor a port freed, by a restart.
    pub fn arguments_again(&self) -> impl Iterator<Item = &OsString> {
        self.arguments.iter().skip(1).filter(|word| *word != "--reset" && *word != "--force")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_restart_neither_resets_nor_kills() {
        let arguments =
            ["gatewayd", "--dev", "--reset", "--force", "--port", "1"].map(OsString::from).to_vec();
        let program = Program { file: "x".into(), arguments, working_folder: "/".into() };
        let again: Vec<_> = program.arguments_again().filter_map(|word| word.to_str()).collect();
        assert_eq!(again, ["--dev", "--port", "1"]);
    }
}

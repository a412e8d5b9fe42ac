//! This program as it was started, so that it can be started again in place: same process, same arguments, but what
//! is in the file now, so an update takes effect.

use std::ffi::OsString;
use std::io;
use std::path::PathBuf;
use std::process::Command;

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
    /// Replaces this process by a fresh one. Returns only when that failed.
    #[must_use]
    pub fn restart(&self) -> io::Error {
        let mut command = Command::new(&self.file);
        command.args(self.arguments_again()).current_dir(&self.working_folder);
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
    pub(crate) fn arguments_again(&self) -> impl Iterator<Item = &OsString> {
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

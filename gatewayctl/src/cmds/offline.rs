//! What needs no gateway, no configuration and no runtime: completions, the manual page, the version. These start
//! in every new shell, so they must cost nothing.

use std::path::Path;

use clap::CommandFactory;
use clap_complete::Shell;
use serde_json::{Value, json};

use crate::args::{Cli, VERSION};
use crate::exit::{Exit, Failure};
use crate::output::Output;
use crate::spelling::Words;

/// Prints the completion script of `shell`.
pub fn completions(out: &Output, words: Words, shell: Shell) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), words.program(), &mut script);
    out.bytes(&script)?;
    Ok(Exit::Ok)
}

/// Prints the manual page, or writes those of all commands, to which it refers, into a folder.
pub fn man(out: &Output, to: Option<&Path>) -> Result<Exit, Failure> {
    if let Some(folder) = to {
        let written = clap_mangen::generate_to(Cli::command(), folder);
        written.map_err(|error| {
            Failure::failed(format!("cannot write the manual pages into {}: {error}", folder.display()))
                .hint(format!("Make the folder: mkdir -p '{}'", folder.display()))
        })?;
        return Ok(Exit::Ok);
    }
    let mut page = Vec::new();
    let rendered = clap_mangen::Man::new(Cli::command()).render(&mut page);
    rendered.map_err(|error| Failure::failed(format!("cannot make the manual page: {error}")))?;
    out.bytes(&page)?;
    Ok(Exit::Ok)
}

/// Prints the version.
pub fn version(out: &Output) -> Result<Exit, Failure> {
    if out.is_json() {
        out.json(&version_document())?;
    } else {
        out.say(format!("gatewayctl {VERSION}"))?;
    }
    Ok(Exit::Ok)
}

fn version_document() -> Value {
    let protocol = gateway_wire::version::PROTOCOL;
    json!({
        "name": "gatewayctl",
        "version": env!("CARGO_PKG_VERSION"),
        "commit": env!("GATEWAYD_COMMIT"),
        "buildDate": env!("GATEWAYD_BUILD_DATE"),
        "protocol": protocol,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cmds::testing::{assert_golden, assert_schema};

    #[test]
    fn the_version_has_its_schema() {
        assert_schema("version", &version_document());
    }

    #[test]
    fn the_help_is_reviewed() {
        assert_golden("help", &Cli::command().term_width(100).render_help().to_string());
    }

    #[test]
    fn every_shell_gets_a_script_with_every_command() {
        for shell in [Shell::Bash, Shell::Zsh, Shell::Fish, Shell::PowerShell, Shell::Elvish] {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "gatewayctl", &mut script);
            let script = String::from_utf8(script).expect("is text");
            for command in Cli::command().get_subcommands() {
                assert!(script.contains(command.get_name()), "{shell}: {}", command.get_name());
            }
        }
    }
}

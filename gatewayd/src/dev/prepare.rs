//! The order of work before the configuration is loaded.

use gateway_base::clock::Clock;
use gateway_base::env::Env;
use gateway_base::paths::Paths;

use super::{reset, seed};
use crate::exit::{Exit, Refusal};
use crate::print;

/// Makes what is missing; with `reset`, throws the old state away first.
pub fn prepare(paths: &Paths, env: &Env, clock: &Clock, reset: bool) -> Result<(), Refusal> {
    if reset {
        let plan =
            reset::Plan::new(paths, env).map_err(|error| refused(Exit::Refused, &error.to_string()))?;
        plan.run(clock).iter().for_each(|line| print::line(line));
    } else if paths.config.exists() {
        return Ok(());
    }
    let failed = |what: &str, error: std::io::Error| refused(Exit::Failed, &format!("{what}: {error}"));
    seed::config(paths, clock)
        .map_err(|error| failed(&format!("{} cannot be written", paths.config.display()), error))?;
    let workspace = paths.workspace();
    seed::workspace(&workspace)
        .map_err(|error| failed(&format!("{} cannot be filled", workspace.display()), error))?;
    print::success(&format!("dev config created at {}", paths.tilde(&paths.config)));
    print::success(&format!("dev workspace initialized at {}", paths.tilde(&workspace)));
    Ok(())
}

fn refused(exit: Exit, text: &str) -> Refusal {
    Refusal::new(exit, [format!("Gateway failed to start: Error: {text}")])
}

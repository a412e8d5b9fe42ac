//! The controller's process: the words and the environment in, an exit code out.

use std::process::ExitCode;

use gateway_base::env::Env;

fn main() -> ExitCode {
    let own = std::env::current_exe().ok();
    ExitCode::from(gatewayctl::start::run(std::env::args_os().collect(), own, Env::from_process()))
}

//! Reads the arguments, builds the runtime, runs the daemon, and turns the outcome into an exit code or a restart in
//! place. Everything else is in the library.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::process::ExitCode;

use gateway_base::env::Env;
use gatewayd::args::{Args, Parsed};
use gatewayd::exit::{Exit, Refusal};
use gatewayd::handover::{Inherited, Reserved};
use gatewayd::lifecycle::{FELL_BACK, Program};
use gatewayd::standby::{self, Verdict};
use gatewayd::{Next, print, run, start, supervise};

fn main() -> ExitCode {
    ExitCode::from(outcome().code())
}

fn outcome() -> Exit {
    let mut env = Env::from_process();
    let mut inherited = Inherited::take(&mut env);
    let _reserved = Reserved::take();
    let args = match Args::parse_from_os(std::env::args_os()) {
        Ok(Parsed::Run(args)) => *args,
        Ok(Parsed::Print(text)) => {
            print::line(text.trim_end());
            return Exit::Stopped;
        }
        Err(refusal) => return refuse(&refusal),
    };
    let program = match program() {
        Ok(program) => program,
        Err(error) => return fail("the program or its folder cannot be found", &error),
    };
    match standby::wait(&program, &mut env, &mut inherited) {
        Verdict::Serve(None) => {}
        Verdict::Serve(Some(why)) => env.set(FELL_BACK, format!("the new version is not used: {why}")),
        Verdict::End => return Exit::Stopped,
    }
    if args.check {
        return match start::check(&args, &env, &program.working_folder) {
            Ok(text) => {
                print::line(&text);
                Exit::Stopped
            }
            Err(refusal) => refuse(&refusal),
        };
    }
    if args.supervise && !supervise::is_supervised(&env) {
        return supervised(&program, &env);
    }
    if let Some(refusal) = start::early_refusal(&args, &env, &program.working_folder) {
        return refuse(&refusal);
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail("the runtime cannot be started", &error),
    };
    let next =
        catch_unwind(AssertUnwindSafe(|| runtime.block_on(run(args, env.clone(), &program, inherited))));
    // What is left are tasks that outlived their limit; they end with the process.
    runtime.shutdown_background();
    match next {
        Ok(Next::Exit(exit)) => exit,
        Ok(Next::Restart(sockets)) => {
            let variables = standby::post(&program, &sockets, &env);
            fail("the restart in place failed", &program.restart(&sockets, &variables))
        }
        // The log has it already; a supervisor may start the daemon again.
        Err(_) => Exit::Failed,
    }
}

/// Waits for the daemon in another process; nothing else happens in this one.
fn supervised(program: &Program, env: &Env) -> Exit {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let ended = runtime.and_then(|runtime| runtime.block_on(supervise::supervise(program, env)));
    ended.unwrap_or_else(|error| fail("the daemon cannot be supervised", &error))
}

/// The name it was called by is kept when it is a path: a link to the newest version stays a link.
fn program() -> std::io::Result<Program> {
    let working_folder = std::env::current_dir()?;
    let arguments: Vec<_> = std::env::args_os().collect();
    let called = arguments.first().map(PathBuf::from).filter(|name| name.components().count() > 1);
    let file = match called {
        Some(path) => working_folder.join(path),
        None => std::env::current_exe()?,
    };
    Ok(Program { file, arguments, working_folder })
}

fn fail(what: &str, error: &std::io::Error) -> Exit {
    refuse(&Refusal::new(Exit::Failed, [format!("Gateway failed to start: Error: {what}: {error}")]))
}

fn refuse(refusal: &Refusal) -> Exit {
    print::refusal(refusal);
    refusal.exit
}

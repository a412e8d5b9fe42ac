//! The loop: start, wait, decide, pause.

use std::io;
use std::time::Duration;

use gateway_base::env::Env;
use gateway_base::{id, limits, process};
use tokio::time::Instant;

use super::MARK;
use super::child::{Child, Ended, Events, adopt_orphans};
use super::notices::Notices;
use crate::exit::Exit;
use crate::lifecycle::Program;
use crate::print::Stream;

/// The first pause before another start.
const PAUSE: Duration = Duration::from_secs(1);
/// The longest one.
const MAX_PAUSE: Duration = Duration::from_secs(60);

/// Runs the daemon until it ends for good.
pub async fn supervise(program: &Program, env: &Env) -> io::Result<Exit> {
    let mark = format!("{}.{}", std::process::id(), id::uuid());
    let mut events = Events::install()?;
    adopt_orphans()?;
    let mut notices = notices(env);
    let mut pause = PAUSE;
    let mut is_first = true;
    loop {
        let began = Instant::now();
        let child = Child::start(program, is_first, (MARK, &mark), notices.as_mut())?;
        is_first = false;
        let ended = child.until_it_ends(&mut events, notices.as_mut()).await;
        end_leftovers(&mark);
        if let Some(exit) = last_word(&ended) {
            return Ok(exit);
        }
        if began.elapsed() > MAX_PAUSE {
            pause = PAUSE;
        }
        Stream::Err.write(&format!(
            "The gateway {}. It is started again in {} s.\n",
            ended.words(),
            pause.as_secs()
        ));
        if events.stop_within(pause).await {
            return Ok(Exit::Stopped);
        }
        pause = (pause * 2).min(MAX_PAUSE);
    }
}

/// Where a service manager started this process, the daemon tells that one. Without a place to be heard it is started
/// again only when it ends, and nothing is kept.
fn notices(env: &Env) -> Option<Notices> {
    if env.get("NOTIFY_SOCKET").is_some() {
        return None;
    }
    let failed = |error| Stream::Err.write(&format!("A gateway that freezes will not be noticed: {error}\n"));
    Notices::listen(env).map_err(failed).ok()
}

/// The exit code that ends the supervisor too: the daemon was asked to stop, or starting it again cannot help.
fn last_word(ended: &Ended) -> Option<Exit> {
    let code = ended.code.and_then(|code| u8::try_from(code).ok());
    match code {
        Some(0) => Some(Exit::Stopped),
        Some(limits::EXIT_TAKEN) => Some(Exit::Taken),
        Some(limits::EXIT_REFUSED) => Some(Exit::Refused),
        Some(2) => Some(Exit::Usage),
        _ if ended.asked => Some(Exit::Failed),
        _ => None,
    }
}

/// Ends the processes that the daemon left behind. Only what carries the mark is touched, and it is looked at again
/// once a handle makes sure that it is still the same process.
fn end_leftovers(mark: &str) {
    let wanted = format!("{MARK}={mark}");
    let carries = |pid: u32| {
        std::fs::read(format!("/proc/{pid}/environ"))
            .is_ok_and(|environ| environ.split(|byte| *byte == 0).any(|pair| pair == wanted.as_bytes()))
    };
    // A process that is being ended may still be making another one.
    for _ in 0..10 {
        let Ok(entries) = std::fs::read_dir("/proc") else { return };
        let pids = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
        let mut found = false;
        for pid in pids.filter(|pid| carries(*pid)) {
            if let Ok(handle) = process::Handle::open(pid)
                && carries(pid)
            {
                found |= handle.signal(process::Signal::Kill).is_ok();
            }
        }
        if !found {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_failure_is_a_reason_to_start_again() {
        let after = |code, signal, asked| last_word(&Ended { code, signal, asked, silent: None });
        assert_eq!(after(Some(0), None, false), Some(Exit::Stopped));
        assert_eq!(after(Some(69), None, false), Some(Exit::Taken));
        assert_eq!(after(Some(78), None, false), Some(Exit::Refused));
        assert_eq!(after(Some(1), None, false), None);
        assert_eq!(after(None, Some(9), false), None);
        assert_eq!(after(None, Some(9), true), Some(Exit::Failed));
        assert_eq!(after(Some(0), None, true), Some(Exit::Stopped));
    }
}

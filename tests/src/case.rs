//! Runs one test. Home folders that the test drops are removed only when it has passed; when it fails, its error says
//! where they are.

use std::cell::RefCell;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use anyhow::Result;
use tempfile::TempDir;

thread_local! {
    static DROPPED: RefCell<Vec<TempDir>> = const { RefCell::new(Vec::new()) };
}

/// Runs `test` on this thread. Panics when it fails.
#[allow(clippy::panic, clippy::print_stderr, reason = "the test harness shows it")]
pub fn run(test: impl Future<Output = Result<()>>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let outcome = catch_unwind(AssertUnwindSafe(|| runtime?.block_on(test)));
    let folders = DROPPED.take();
    if matches!(outcome, Ok(Ok(()))) {
        return drop(folders);
    }
    for folder in folders {
        eprintln!("files of the failed test: {}", folder.keep().display());
    }
    match outcome {
        Ok(Ok(())) => {}
        Ok(Err(error)) => panic!("{error:?}"),
        Err(panic) => resume_unwind(panic),
    }
}

/// Keeps a folder until it is known whether the test passed.
pub(crate) fn bury(folder: TempDir) {
    DROPPED.with_borrow_mut(|dropped| dropped.push(folder));
}

//! The rows of the goals table. Rows that need the same set-up share a file and one start of the servers; within a
//! set-up the servers take turns in every repetition, so that a busy moment of the machine hits all of them.

mod churn;
mod fanout;
mod held;
mod requests;
mod session;
mod stalled;
mod start;

pub use session::{ROWS, Session};

use crate::report::Report;

/// Measures every row that `session` wants.
pub fn run(session: &Session, report: &mut Report) {
    start::run(session, report);
    held::run(session, report);
    churn::device(session, report);
    requests::run(session, report);
    fanout::hundred(session, report);
    churn::run(session, report);
    stalled::run(session, report);
    requests::slow_method(session, report);
    let wanted: Vec<_> = ROWS.iter().copied().filter(|row| session.wants(&[row])).collect();
    report.arrange(&wanted);
}

//! `config`: looks at the file and edits it. Edits keep the user's text and go through the same writer the daemon
//! uses; a running daemon sees the new file by itself. Changes on trial are the daemon's, which must outlive them.

mod change;
mod edit;
mod invalid;
mod run;
mod show;
mod trial;
mod versions;

pub use edit::{refused, store};
pub use run::run;

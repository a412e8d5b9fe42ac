//! HTTP/1.1 on the gateway's port: the upgrade to WebSocket on any path, the three probes, the metrics, and one page
//! that says what this is. Everything else is a JSON error.

mod answer;
mod page;
mod process;
mod router;
mod upgrade;

pub use process::usage as process_usage;
pub use router::{Http, serve_plain, serve_tls};

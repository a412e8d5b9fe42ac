//! The load generator: one thread, one epoll set, thousands of sockets. It speaks just enough of the control
//! plane to log in, ask and listen, and it must cost less than any server it measures, because both share the
//! machine.

mod client;
mod crowd;
mod events;
mod login;
mod pool;
mod requests;

pub use client::{Out, Seen};
pub use crowd::{ChurnRun, Crowd};
pub use events::{FanoutRun, LARGE as LARGE_EVENT, SMALL as SMALL_EVENT};
pub use login::{Device, Login, TOKEN};
pub use pool::{Pool, pause};
pub use requests::RequestRun;

//! Support for the whole-process tests: real binaries in a home folder of their own, and clients that share no code
//! with the daemon beyond the contracts. Everything waits for the thing itself, up to a limit, and says what it
//! waited for when the limit passes.

pub mod admin_client;
pub mod binaries;
pub mod case;
pub mod connect;
pub mod daemon;
pub mod device;
#[cfg(target_os = "linux")]
pub mod faults;
pub mod golden;
pub mod home;
pub mod http;
pub mod packages;
pub mod program;
pub mod provider;
pub mod random;
pub mod setup;
#[cfg(unix)]
pub mod tailnet;
#[cfg(unix)]
pub mod terminal;
pub mod verdict;
pub mod wait;
pub mod workspace;
pub mod ws_client;

pub use case::run;

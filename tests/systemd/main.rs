//! The service against a real systemd as PID 1: users with and without a session, crashes, frozen daemons, reboots,
//! power cuts. Nothing of it touches the machine that runs the tests.

mod handover;
mod machine;
mod onboard;
mod package;
mod status;
mod system;
mod user;
mod watch;
mod without;

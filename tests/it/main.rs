//! Everything that crosses a process boundary: the real binaries, driven the way their users drive them.

mod admin;
mod bad_input;
mod bind;
#[cfg(target_os = "linux")]
mod clock;
mod config_file;
mod crash;
#[cfg(target_os = "linux")]
mod crowd;
mod ctl;
mod damage;
mod dashboard;
#[cfg(target_os = "linux")]
mod disk;
#[cfg(unix)]
mod doctor;
#[cfg(target_os = "linux")]
mod doctor_finds;
mod events;
mod foreign;
#[cfg(unix)]
mod handover;
mod handshake;
#[cfg(target_os = "linux")]
mod hostile;
mod http;
#[cfg(unix)]
mod inherited;
mod methods;
#[cfg(unix)]
mod onboard;
#[cfg(unix)]
mod onboard_trouble;
#[cfg(target_os = "linux")]
mod probe_ssh;
mod reload;
mod rights;
mod start;
#[cfg(target_os = "linux")]
mod status_matrix;
mod stop;
#[cfg(target_os = "linux")]
mod supervise;
#[cfg(unix)]
mod tailscale;
#[cfg(target_os = "linux")]
mod top;
mod traffic;
mod trial;
#[cfg(unix)]
mod tutorial;
#[cfg(target_os = "linux")]
mod upgrade;
#[cfg(target_os = "linux")]
mod watch;
mod wizard;

//! Prints the table of performance goals for this machine: the subject and the yardsticks under the same load in
//! one run, so that ratios between them hold whatever else the machine does. Numbers come from `/proc` and the
//! generator from epoll, so all but the arithmetic is for Linux.

pub mod codec;
pub mod stats;

#[cfg(target_os = "linux")]
pub mod load;
#[cfg(target_os = "linux")]
pub mod measure;
#[cfg(target_os = "linux")]
pub mod report;
#[cfg(target_os = "linux")]
pub mod rows;
#[cfg(target_os = "linux")]
pub mod server;
#[cfg(target_os = "linux")]
pub mod yardstick;

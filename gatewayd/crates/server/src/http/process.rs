//! The process's own memory and descriptors, read from the system when the metrics are asked for.

use std::time::Duration;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::DescriptorEncoder;
use prometheus_client::registry::Unit;

use crate::metrics::gauge;

/// Reads `/proc/self` on Linux; reports nothing elsewhere.
#[derive(Debug)]
pub(super) struct Process;

impl Collector for Process {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        if let Some(bytes) = resident_bytes() {
            let unit = Some(&Unit::Bytes);
            gauge(&mut encoder, "process_resident_memory", "Resident memory", unit, bytes)?;
        }
        if let Some(open) = open_descriptors() {
            gauge(&mut encoder, "process_open_fds", "Open descriptors", None, open)?;
        }
        if let Some(limit) = descriptor_limit() {
            let limit = i64::try_from(limit).unwrap_or(i64::MAX);
            gauge(&mut encoder, "process_max_fds", "Limit of open descriptors", None, limit)?;
        }
        Ok(())
    }
}

/// The process's own use of the machine; 0 where the system does not tell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Resident memory in bytes.
    pub resident_bytes: u64,
    /// Open descriptors.
    pub open_files: u64,
    /// Limit of open descriptors.
    pub open_files_limit: u64,
    /// Processor time of all threads.
    pub cpu_time: Option<Duration>,
}

/// Reads the use of the machine now.
#[must_use]
pub fn usage() -> Usage {
    let count = |value: Option<i64>| value.and_then(|v| u64::try_from(v).ok()).unwrap_or_default();
    Usage {
        resident_bytes: count(resident_bytes()),
        open_files: count(open_descriptors()),
        open_files_limit: descriptor_limit().unwrap_or_default(),
        cpu_time: cpu_time(),
    }
}

#[cfg(unix)]
fn cpu_time() -> Option<Duration> {
    Duration::try_from(rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime)).ok()
}

#[cfg(not(unix))]
fn cpu_time() -> Option<Duration> {
    None
}

#[cfg(unix)]
fn descriptor_limit() -> Option<u64> {
    rustix::process::getrlimit(rustix::process::Resource::Nofile).current
}

#[cfg(not(unix))]
fn descriptor_limit() -> Option<u64> {
    None
}

#[cfg(target_os = "linux")]
fn resident_bytes() -> Option<i64> {
    let text = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages: i64 = text.split_ascii_whitespace().nth(1)?.parse().ok()?;
    pages.checked_mul(i64::try_from(rustix::param::page_size()).ok()?)
}

#[cfg(not(target_os = "linux"))]
fn resident_bytes() -> Option<i64> {
    None
}

fn open_descriptors() -> Option<i64> {
    // One of them is the folder that is being read.
    i64::try_from(std::fs::read_dir("/proc/self/fd").ok()?.count().saturating_sub(1)).ok()
}

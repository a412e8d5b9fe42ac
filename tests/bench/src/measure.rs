//! What a process used, read from `/proc`: CPU time to the nanosecond where its threads live on, resident memory
//! by the exact count. The server is always another process than the generator, so that neither is charged for
//! the other's work.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, Result};

/// CPU time that a set of processes had used at one moment.
#[derive(Clone, Debug, Default)]
pub struct Cpu {
    threads: BTreeMap<u32, u64>,
    ticks: u64,
}

impl Cpu {
    /// Reads the counters of all `pids`.
    pub fn of(pids: &[u32]) -> Result<Self> {
        let mut cpu = Self::default();
        for pid in pids {
            for entry in std::fs::read_dir(format!("/proc/{pid}/task")).context("the server is gone")? {
                let path = entry?.path();
                let tid = path.file_name().and_then(|name| name.to_str()?.parse().ok());
                let stat = std::fs::read_to_string(path.join("schedstat")).unwrap_or_default();
                let ran = stat.split(' ').next().and_then(|ns| ns.parse().ok());
                if let (Some(tid), Some(ran)) = (tid, ran) {
                    cpu.threads.insert(tid, ran);
                }
            }
            cpu.ticks += ticks(&std::fs::read_to_string(format!("/proc/{pid}/stat"))?).unwrap_or(0);
        }
        Ok(cpu)
    }

    /// What was used since `earlier`. When a thread ended in between, its share is only in the coarse counter.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Duration {
        let kept =
            !self.threads.is_empty() && earlier.threads.keys().all(|tid| self.threads.contains_key(tid));
        if kept {
            let total = |cpu: &Self| cpu.threads.values().sum::<u64>();
            return Duration::from_nanos(total(self).saturating_sub(total(earlier)));
        }
        Duration::from_secs(1) * u32::try_from(self.ticks_since(earlier)).unwrap_or(u32::MAX)
            / u32::try_from(rustix::param::clock_ticks_per_second()).unwrap_or(100)
    }

    /// Whole clock ticks since `earlier`, as accounting tools count them.
    #[must_use]
    pub fn ticks_since(&self, earlier: &Self) -> u64 {
        self.ticks.saturating_sub(earlier.ticks)
    }
}

/// User and system ticks out of a line of `/proc/PID/stat`. The second field holds the program's name in
/// brackets, which may itself contain spaces and brackets.
fn ticks(stat: &str) -> Option<u64> {
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_whitespace().skip(11);
    Some(fields.next()?.parse::<u64>().ok()? + fields.next()?.parse::<u64>().ok()?)
}

/// Resident memory of all `pids` in bytes.
pub fn resident(pids: &[u32]) -> Result<u64> {
    let mut total = 0;
    for pid in pids {
        let rollup =
            std::fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).context("the server is gone")?;
        total += kilobytes(&rollup, "Rss:").context("smaps_rollup without Rss")? * 1024;
    }
    Ok(total)
}

fn kilobytes(text: &str, name: &str) -> Option<u64> {
    text.lines().find_map(|line| line.strip_prefix(name))?.split_whitespace().next()?.parse().ok()
}

/// `pid` and all processes below it: the original starts itself a second time.
#[must_use]
pub fn family(pid: u32) -> Vec<u32> {
    let mut all = vec![pid];
    let mut next = 0;
    while let Some(parent) = all.get(next).copied() {
        let children =
            std::fs::read_to_string(format!("/proc/{parent}/task/{parent}/children")).unwrap_or_default();
        all.extend(children.split_whitespace().filter_map(|child| child.parse::<u32>().ok()));
        next += 1;
    }
    all
}

/// Raises the limit of open descriptors to what the kernel allows and returns it. Children inherit it.
pub fn raise_descriptor_limit() -> u64 {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let wanted = Rlimit { current: limit.maximum, maximum: limit.maximum };
    match setrlimit(Resource::Nofile, wanted) {
        Ok(()) => limit.maximum.unwrap_or(u64::MAX),
        Err(_) => limit.current.unwrap_or(u64::MAX),
    }
}

/// Processors, their name and the kernel, for the head of the report.
#[must_use]
pub fn machine() -> String {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model =
        info.lines().find(|line| line.starts_with("model name")).and_then(|line| line.split_once(": "));
    let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let model = model.map_or("unknown processor", |(_, name)| name.trim());
    format!("{cores} cores ({model}), Linux {}", kernel.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_survive_a_name_with_brackets() {
        let line = "12 (a) b (c) S 1 2 3 4 5 6 7 8 9 10 100 23 0 0 20 0 1 0 99";
        assert_eq!(ticks(line), Some(123));
        assert_eq!(ticks("nonsense"), None);
    }

    #[test]
    fn rss_is_found_among_the_other_lines() {
        let text = "55e [rollup]\nRss:                1720 kB\nPss:                 348 kB\n";
        assert_eq!(kilobytes(text, "Rss:"), Some(1720));
        assert_eq!(kilobytes(text, "Swap:"), None);
    }

    #[test]
    fn threads_that_lived_on_are_counted_to_the_nanosecond() {
        let earlier = Cpu { threads: [(1, 100), (2, 50)].into(), ticks: 10 };
        let later = Cpu { threads: [(1, 400), (2, 60), (3, 5)].into(), ticks: 12 };
        assert_eq!(later.since(&earlier), Duration::from_nanos(315));
        assert_eq!(later.ticks_since(&earlier), 2);
    }

    #[test]
    fn a_thread_that_ended_falls_back_to_ticks() {
        let per_second = rustix::param::clock_ticks_per_second();
        let earlier = Cpu { threads: [(1, 100), (2, 50)].into(), ticks: 0 };
        let later = Cpu { threads: [(1, 400)].into(), ticks: per_second };
        assert_eq!(later.since(&earlier), Duration::from_secs(1));
    }

    #[test]
    fn this_process_uses_memory_and_is_its_own_family() {
        let me = std::process::id();
        assert!(resident(&[me]).unwrap() > 100_000);
        assert!(family(me).contains(&me));
        assert!(!Cpu::of(&[me]).unwrap().threads.is_empty());
    }
}

//! The checks, one file each, and the list of them. A check is added by its file and one row here; the table in
//! `tests` then demands a situation in which it speaks.

mod bind;
mod clock;
mod config;
mod daemon;
mod descriptors;
mod devices;
mod disk;
mod exposure;
mod linger;
mod lock;
mod log;
mod mode;
mod nodes;
mod permissions;
mod port;
mod processes;
mod proxies;
mod service;
mod store;
mod tailscale;
#[cfg(test)]
mod tests;
mod time_zones;
mod token;
mod upgrade;
mod version;
mod watches;

use super::check::Check;

/// Every check, in the order of the report.
pub const ALL: &[Check] = &[
    config::CHECK,
    mode::CHECK,
    permissions::CHECK,
    store::CHECK,
    log::CHECK,
    service::CHECK,
    linger::CHECK,
    daemon::CHECK,
    version::CHECK,
    upgrade::CHECK,
    port::CHECK,
    lock::CHECK,
    processes::CHECK,
    bind::CHECK,
    token::CHECK,
    exposure::CHECK,
    proxies::CHECK,
    tailscale::CHECK,
    devices::CHECK,
    nodes::CHECK,
    disk::CHECK,
    clock::CHECK,
    descriptors::CHECK,
    watches::CHECK,
    time_zones::CHECK,
];

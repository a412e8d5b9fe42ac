//! The methods, one file per domain. Each function checks, asks a handle and maps the answer; what it decides is
//! decided below.

mod catalogue;
mod channels;
mod config;
mod connect;
mod devices;
mod health;
mod logs;
mod presence;
mod usage;
mod voice;
mod wizard;

use crate::registry::Function;

/// Every function with the name of its row.
pub fn bindings() -> impl Iterator<Item = (&'static str, Function)> {
    [
        health::BINDINGS,
        presence::BINDINGS,
        logs::BINDINGS,
        config::BINDINGS,
        connect::BINDINGS,
        catalogue::BINDINGS,
        voice::BINDINGS,
        devices::BINDINGS,
        channels::BINDINGS,
        usage::BINDINGS,
        wizard::BINDINGS,
    ]
    .into_iter()
    .flatten()
    .copied()
}

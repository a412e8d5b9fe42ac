//! Parameters, results and event payloads, one file per part of the gateway. They say exactly which fields may
//! be absent and which are `null`: the two differ for clients. Parameters are read after they were validated,
//! so they accept everything the schema admits, and those of methods without a schema accept anything at all.

pub mod agents;
pub mod channels;
pub mod common;
pub mod config;
pub mod connect;
pub mod devices;
pub mod health;
mod integer;
pub mod logs;
pub mod models;
pub mod presence;
pub mod shutdown;
pub mod status;
pub mod system;
pub mod talk;
pub mod usage;
pub mod voicewake;
pub mod wizard;

#[cfg(test)]
mod tests;

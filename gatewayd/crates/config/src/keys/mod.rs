//! The one table of configuration keys. A row says what a key is called, what it may hold, what happens without
//! it, what a change of it costs and what it is for. Validation, the JSON Schema, `config explain`, the reload
//! plan, redaction and the defaults of the typed view are all read from these rows.
//!
//! Paths are patterns: `[]` stands for every item of a list, `<key>` for a freely chosen name. A row of type
//! `like("x")` takes over everything below `x`.

mod row;
mod tree;

mod agent_list;
mod agents;
mod channels;
mod cron;
mod gateway;
mod hooks;
mod memory_search;
mod messages;
mod models;
mod plugins;
mod sandbox;
mod session;
mod system;
#[cfg(test)]
mod tests;
mod tools;

pub use row::{Bounds, Check, Part, Reload, Row, Type};
pub use tree::{Key, default_of, tree};

/// Every row, section by section.
pub(crate) const SECTIONS: &[&[Row]] = &[
    gateway::ROWS,
    session::ROWS,
    agents::ROWS,
    memory_search::ROWS,
    sandbox::ROWS,
    agent_list::ROWS,
    models::ROWS,
    tools::ROWS,
    messages::ROWS,
    channels::ROWS,
    channels::telegram::ROWS,
    channels::whatsapp::ROWS,
    channels::discord::ROWS,
    channels::slack::ROWS,
    channels::googlechat::ROWS,
    channels::signal::ROWS,
    channels::imessage::ROWS,
    channels::bluebubbles::ROWS,
    channels::msteams::ROWS,
    channels::plugins::ROWS,
    hooks::ROWS,
    cron::ROWS,
    plugins::ROWS,
    system::ROWS,
];

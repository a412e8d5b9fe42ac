//! The domain's handles, gathered for the methods.

use gateway_domain::agents::Agents;
use gateway_domain::devices::Devices;
use gateway_domain::events::{Bus, Versions};
use gateway_domain::health::Health;
use gateway_domain::models::Models;
use gateway_domain::presence::Presence;
use gateway_domain::usage::Usage;
use gateway_domain::voicewake::Voicewake;
use gateway_domain::wizard::Wizards;

/// One handle per subject; clones share everything.
#[derive(Clone)]
pub struct Domain {
    /// Where events are published.
    pub bus: Bus,
    /// The counters of `stateVersion`.
    pub versions: Versions,
    /// Paired devices and their tokens.
    pub devices: Devices,
    /// Who is here.
    pub presence: Presence,
    /// How everything is.
    pub health: Health,
    /// The agents of the configuration.
    pub agents: Agents,
    /// The models that can be chosen.
    pub models: Models,
    /// The wake words.
    pub voicewake: Voicewake,
    /// What was spent.
    pub usage: Usage,
    /// Runs of the setup wizard.
    pub wizards: Wizards,
}

//! Looks beside the programs that run, or would, for the mark of an upgrade.

use std::path::Path;

use crate::cmds::upgrade::Place;
use crate::doctor::facts::{CutOff, DaemonFacts, ServiceFacts};

pub fn gather(service: &ServiceFacts, daemon: &DaemonFacts) -> Option<CutOff> {
    let running = match daemon {
        DaemonFacts::Answered(answers) => answers.status.process.as_ref().map(|own| Path::new(&own.program)),
        _ => None,
    };
    let programs = [service.program.as_deref(), running, service.own_program.as_deref()];
    programs.into_iter().flatten().find_map(|program| {
        let place = Place::new(program).ok()?;
        let mark = place.mark()?;
        Some(CutOff { program: place.program, mark })
    })
}

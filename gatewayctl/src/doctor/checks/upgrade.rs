//! Whether an upgrade was cut off: the version that it put in place is what starts next, and nobody takes it back when
//! it does not serve.

use crate::doctor::check::{Check, Finding, Group, Judged};
use crate::doctor::facts::Facts;
use crate::service::Scope;

/// The check.
pub const CHECK: Check = Check { id: "upgrade", group: Group::Gateway, title: "upgrade", judge };

fn judge(facts: &Facts) -> Judged {
    let Some(cut_off) = &facts.upgrade else { return Ok(Vec::new()) };
    let (program, mark) = (&cut_off.program, &cut_off.mark);
    let upgrade = match facts.service.service.scope {
        Scope::User => facts.command("upgrade"),
        Scope::System => format!("sudo {}", facts.command("upgrade --system")),
    };
    Ok(vec![Finding::warning(
        format!("an upgrade of {} from {} to {} did not end", facts.shown(program), mark.from, mark.to),
        "Whichever version is in place now is what starts, and it is not taken back when it does not serve.",
        format!(
            "{upgrade} --binary {} to see whether it serves, or go back: {upgrade} --rollback",
            program.display()
        ),
    )])
}

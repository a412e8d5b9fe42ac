//! The options of `doctor`, those of the original among them.

use clap::Args;

/// Options of `doctor`.
#[derive(Clone, Copy, Debug, Args)]
#[command(after_help = "\
Without --fix nothing is changed. With it each change is asked for on a terminal, made after a
copy in the doctor folder of the state folder, and can be taken back with --undo. Without a
terminal, and with --yes, nothing is asked.

Exit codes: 0 nothing to do, warnings alone too; 1 something is wrong (level error), or a repair
failed. With --undo: 0 everything is as it was, 1 something is not.

Examples:
  gatewayctl doctor
  gatewayctl doctor --fix
  gatewayctl doctor --undo                take the last repairs back
  gatewayctl doctor --json                for scripts")]
pub struct DoctorArgs {
    /// Make the repairs that need no decision.
    #[arg(long, visible_alias = "repair")]
    pub fix: bool,
    /// Take back what the last --fix changed.
    #[arg(long, conflicts_with = "fix")]
    pub undo: bool,
    /// Do not ask before each change.
    #[arg(long, short = 'y')]
    pub yes: bool,
    /// Never ask; the same as --yes where something is to be changed.
    #[arg(long)]
    pub non_interactive: bool,
    /// Look for other gateway services in the system's folders too.
    #[arg(long)]
    pub deep: bool,
    /// Print one JSON document and nothing else.
    #[arg(long)]
    pub json: bool,
}

impl DoctorArgs {
    /// Whether changes are made without a question.
    #[must_use]
    pub const fn is_sure(self) -> bool {
        self.yes || self.non_interactive
    }
}

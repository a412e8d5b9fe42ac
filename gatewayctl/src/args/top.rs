//! The command line of `top`.

use std::time::Duration;

use clap::Args;

use super::options::duration;

/// Options of `top`.
#[derive(Debug, Args)]
#[command(after_help = "\
Keys: q, Esc or ctrl-c ends, p pauses, Tab shows the next plot, up and down scroll the log, ? helps.
Where standard output is no terminal it prints one snapshot, as with --once.
Exit codes: 0 ended as asked; with --once also 1 no answer, 3 not running, 4 refused.

Examples:
  gatewayctl top
  gatewayctl top --interval 250ms
  gatewayctl top --once --json | jq .rates")]
pub struct TopArgs {
    /// The pause between two snapshots, from 100ms to 1m.
    #[arg(long, value_name = "TIME", default_value = "1s", value_parser = interval)]
    pub interval: Duration,
    /// Print one snapshot, with rates over one interval, and end.
    #[arg(long)]
    pub once: bool,
    /// Print one JSON document and nothing else; means --once.
    #[arg(long)]
    pub json: bool,
}

fn interval(text: &str) -> Result<Duration, String> {
    let time = duration(text)?;
    let fits = (Duration::from_millis(100)..=Duration::from_secs(60)).contains(&time);
    if fits { Ok(time) } else { Err("must be from 100ms to 1m".to_owned()) }
}

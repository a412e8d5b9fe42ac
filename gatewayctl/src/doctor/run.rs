//! Runs `doctor`: look, judge, with `--fix` repair and look again, then print.

use std::path::PathBuf;

use gateway_base::error_chain::Chain;
use gateway_config::write::Writer;

use super::attempt::{Attempt, Ended};
use super::check::{Checked, judge_all};
use super::checks;
use super::facts::Facts;
use super::gather::gather;
use super::render::render;
use super::repair::{self, Journal, Repair};
use super::report::{Report, Summary};
use super::undo::undo;
use crate::app::App;
use crate::args::DoctorArgs;
use crate::exit::{Exit, Failure};
use crate::text::{Style, Text};

/// Runs the command.
pub async fn run(app: &App, args: &DoctorArgs) -> Result<Exit, Failure> {
    let root = app.paths.state.join("doctor");
    if args.undo {
        return undo(app, &root, args.is_sure());
    }
    let mut facts = gather(app, args.deep).await;
    let mut checked = judge_all(checks::ALL, &facts);
    let mut attempts = Vec::new();
    let mut copies = None;
    if args.fix {
        (attempts, copies) = repair_all(app, args, &facts, &checked)?;
        if attempts.iter().any(|attempt| attempt.result == Ended::Done) {
            facts = gather(app, args.deep).await;
            checked = judge_all(checks::ALL, &facts);
        }
    }
    if app.out.is_json() {
        let repairs = args.fix.then_some(attempts.as_slice());
        app.out.json(&Report::new(&facts, &checked, repairs, copies))?;
    } else {
        let mut text = told(&facts, &attempts, copies.is_some());
        text.gap();
        text.append(render(&facts, &checked));
        app.out.print(&text)?;
    }
    let failed = attempts.iter().any(|attempt| attempt.result == Ended::Failed);
    Ok(if failed || Summary::of(&checked).errors > 0 { Exit::Failed } else { Exit::Ok })
}

/// Makes every repair that the findings carry, each once, and asks before each when somebody is there to answer.
fn repair_all(
    app: &App,
    args: &DoctorArgs,
    facts: &Facts,
    checked: &[Checked],
) -> Result<(Vec<Attempt>, Option<PathBuf>), Failure> {
    let mut wanted: Vec<&Repair> = Vec::new();
    for finding in checked.iter().flat_map(|one| one.judged.iter().flatten()) {
        if let Some(repair) = finding.repair.as_ref().filter(|repair| !wanted.contains(repair)) {
            wanted.push(repair);
        }
    }
    let writer = Writer::new(app.paths.clone(), app.env.clone());
    let mut journal = None;
    let mut attempts = Vec::new();
    for repair in wanted {
        let done = repair.lines(|path| facts.shown(path));
        let asks = !args.is_sure() && app.out.can_ask();
        if asks && !app.out.ask(&format!("{}\nDo this?", done.join("\n")), true) {
            attempts.push(Attempt { done, result: Ended::Declined, why: None });
            continue;
        }
        let journal = match &mut journal {
            Some(journal) => journal,
            none => none.insert(begin(app)?),
        };
        let applied = repair::apply(repair, done.clone(), journal, &writer);
        let why = applied.err().map(|error| Chain(&error).to_string());
        let result = if why.is_none() { Ended::Done } else { Ended::Failed };
        attempts.push(Attempt { done, result, why });
    }
    Ok((attempts, journal.map(|journal| journal.folder().to_path_buf())))
}

fn begin(app: &App) -> Result<Journal, Failure> {
    Journal::begin(&app.paths.state.join("doctor"), app.clock.now()).map_err(|error| {
        Failure::failed(Chain(&error).to_string()).hint("Nothing was changed: without a copy nothing is.")
    })
}

/// What `--fix` did.
fn told(facts: &Facts, attempts: &[Attempt], has_copies: bool) -> Text {
    let mut text = Text::default();
    for attempt in attempts {
        let (mark, style) = match attempt.result {
            Ended::Done => ("✓", Style::Good),
            Ended::Declined => ("- not done:", Style::Faint),
            Ended::Failed => ("✗ not done:", Style::Bad),
        };
        for line in &attempt.done {
            text.styled(style, format!("{mark} {line}"));
        }
        if let Some(why) = &attempt.why {
            text.say(format!("  {why}"));
        }
    }
    if has_copies {
        text.say(format!("Take it back with: {}", facts.doctor("--undo")));
    }
    text
}

//! Looks, once or again and again, takes each look into the record, and tells those who are to be told. The record is
//! written before anybody is told, so that a watch that dies in between tells twice rather than never.

use std::time::Duration;

use super::deliver::deliver;
use super::look::look;
use super::message::{self, Message};
use super::place::{Place, Read};
use super::record::{Record, Verdict};
use super::report::{Report, Told};
use super::settings::Settings;
use crate::app::App;
use crate::args::WatchArgs;
use crate::exit::{Exit, Failure};
use crate::service::lock::Held;
use crate::text::{Style, Text};

/// Looks.
pub async fn run(app: &App, args: &WatchArgs) -> Result<Exit, Failure> {
    let place = Place::new(&app.paths);
    let settings = match &args.settings {
        Some(path) => Settings::load(path, &app.suggest("watch install"))?,
        None => Settings::from_options(&args.alarm, &app.env)?,
    };
    match args.every {
        Some(pause) => again_and_again(app, &place, &settings, pause).await,
        None => {
            let report = app.out.during("looking", Box::pin(once(app, &place, &settings))).await?;
            show(app, &report)?;
            if app.out.is_json() {
                app.out.json(&report)?;
            }
            Ok(report.exit())
        }
    }
}

async fn again_and_again(
    app: &App,
    place: &Place,
    settings: &Settings,
    pause: Duration,
) -> Result<Exit, Failure> {
    let mut before: Option<Report> = None;
    loop {
        let stopped = tokio::signal::ctrl_c();
        let report = tokio::select! {
            report = Box::pin(once(app, place, settings)) => report?,
            _ = stopped => return Ok(Exit::Ok),
        };
        if app.out.is_json() {
            app.out.json_line(&report)?;
        }
        if report.is_news(before.as_ref()) {
            show(app, &report)?;
        }
        before = Some(report);
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            _ = tokio::signal::ctrl_c() => return Ok(Exit::Ok),
        }
    }
}

fn show(app: &App, report: &Report) -> Result<(), Failure> {
    let mut notes = Text::default();
    for note in &report.notes {
        notes.styled(Style::Warn, note);
    }
    app.out.note(&notes);
    if app.out.is_json() { Ok(()) } else { app.out.print(&report.render()) }
}

/// One look with everything that follows from it.
async fn once(app: &App, place: &Place, settings: &Settings) -> Result<Report, Failure> {
    let seen = place.read();
    let look = look(app, settings.after(), settings.degraded, seen.record.seen).await;
    let look = look.map_err(|why| Failure::new(Exit::Refused, why))?;
    if matches!(look.verdict, Verdict::Off(_)) && !app.paths.state.exists() {
        // Where there never was a gateway, there is nothing to remember.
        let mut record = Record::default();
        let verdict = record.take(&look, &settings.policy(), app.clock.now());
        return Ok(Report::new(&verdict, &record, Vec::new(), Vec::new(), app.clock.now()));
    }
    // Where the folder cannot be written, somebody must still be told; that it may be told twice is the lesser evil.
    let made = gateway_base::atomic_file::create_private_dir(&place.folder);
    let held = match made {
        Ok(()) => Held::new(&place.lock()).await.map_err(|error| error.to_string()),
        Err(error) => Err(format!("{}: {error}", place.folder.display())),
    };
    let Read { mut record, note } = place.read();
    let mut notes: Vec<String> = seen.note.into_iter().chain(note).collect();
    if let Err(error) = &held {
        notes.push(format!("The lock of the watch cannot be used ({error})."));
    }
    let (policy, now) = (settings.policy(), app.clock.now());
    record.keep_channels(&policy.channels);
    let verdict = record.take(&look, &policy, now);
    keep(place, &record, &mut notes);
    let told = tell(app, settings, place, &mut record, &mut notes).await;
    Ok(Report::new(&verdict, &record, told, notes, now))
}

async fn tell(
    app: &App,
    settings: &Settings,
    place: &Place,
    record: &mut Record,
    notes: &mut Vec<String>,
) -> Vec<Told> {
    let (host, mut told) = (message::host(&app.env), Vec::new());
    for (channel, notice) in record.due() {
        let result = deliver(channel, &Message::new(app, &host, &notice), settings).await;
        if result.is_ok() {
            told.push(Told { channel, event: notice.event, incident: notice.incident.id.clone() });
        }
        record.tried(channel, &notice, result);
        keep(place, record, notes);
    }
    told
}

fn keep(place: &Place, record: &Record, notes: &mut Vec<String>) {
    if let Err(error) = place.write(record) {
        let note = format!(
            "What was seen cannot be remembered ({}: {error}), so an alarm may come again. Is the disk full?",
            place.folder.display()
        );
        if !notes.contains(&note) {
            notes.push(note);
        }
    }
}

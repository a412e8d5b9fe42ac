//! The log through the daemon of this machine. A follower outlives a restart: it waits for the daemon and goes on
//! where it was.

use std::time::Duration;

use gateway_admin::time;
use gateway_admin::v1::{LogLevel, LogLine, LogsRequest, LogsResponse};
use gateway_base::clock::iso_utc;
use tonic::Streaming;

use super::show::Printer;
use crate::admin;
use crate::app::App;
use crate::args::{LevelArg, LogsArgs};
use crate::exit::{Exit, Failure};
use crate::logfile::Record;

/// How often a daemon that went away is looked for.
const LOOK_AGAIN: Duration = Duration::from_millis(500);

/// Prints the log from the daemon.
pub async fn run(
    app: &App,
    args: &LogsArgs,
    mut client: admin::Client,
    printer: &mut Printer,
) -> Result<Exit, Failure> {
    let mut cursor = None;
    loop {
        let request = LogsRequest {
            cursor,
            tail: args.limit,
            follow: args.follow,
            min_level: level(args.level).into(),
        };
        let limit = args.client.timeout;
        let asking = admin::in_time(app, limit, client.logs(request));
        let mut stream = app.out.during("waiting for the log", asking).await?.into_inner();
        // Whoever follows waits for the next line as long as it takes.
        let limit = (!args.follow).then_some(limit);
        let ended = print_all(app, limit, &mut stream, printer, &mut cursor).await?;
        if !args.follow {
            return ended.map_or(Ok(Exit::Ok), |status| Err(admin::call_failure(app, &status)));
        }
        printer.notice("The gateway went away; waiting for it.")?;
        client = loop {
            tokio::time::sleep(LOOK_AGAIN).await;
            if let Ok(client) = admin::connect(app).await {
                break client;
            }
        };
    }
}

/// Prints until the stream ends; returns the error it ended with, if any.
async fn print_all(
    app: &App,
    limit: Option<Duration>,
    stream: &mut Streaming<LogsResponse>,
    printer: &mut Printer,
    cursor: &mut Option<u64>,
) -> Result<Option<tonic::Status>, Failure> {
    loop {
        let next = match limit {
            Some(limit) => admin::in_time(app, limit, async { Ok(stream.message().await) }).await?,
            None => stream.message().await,
        };
        match next {
            Ok(None) => return Ok(None),
            Err(status) => return Ok(Some(status)),
            Ok(Some(batch)) => {
                printer.head(&batch.file, batch.cursor, batch.cursor)?;
                printer.gaps(batch.reset, batch.truncated)?;
                for line in &batch.lines {
                    printer.line(record(line).as_ref(), &line.raw)?;
                }
                *cursor = Some(batch.cursor);
            }
        }
    }
}

/// What the line says: as it stands in the file, with its fields, or as the daemon read it.
fn record(line: &LogLine) -> Option<Record> {
    if let Some(record) = Record::parse(&line.raw) {
        return Some(record);
    }
    if line.time.is_none() && line.level() == LogLevel::Unspecified {
        return None;
    }
    Some(Record {
        time: line.time.as_ref().map(|at| iso_utc(time::unix_ms(at))),
        level: word(line.level()).map(str::to_owned),
        subsystem: Some(line.subsystem.clone()).filter(|name| !name.is_empty()),
        message: line.message.clone(),
    })
}

const fn word(level: LogLevel) -> Option<&'static str> {
    Some(match level {
        LogLevel::Trace => "trace",
        LogLevel::Debug => "debug",
        LogLevel::Info => "info",
        LogLevel::Warn => "warn",
        LogLevel::Error => "error",
        LogLevel::Fatal => "fatal",
        LogLevel::Unspecified => return None,
    })
}

const fn level(of: Option<LevelArg>) -> LogLevel {
    match of {
        None => LogLevel::Unspecified,
        Some(LevelArg::Trace) => LogLevel::Trace,
        Some(LevelArg::Debug) => LogLevel::Debug,
        Some(LevelArg::Info) => LogLevel::Info,
        Some(LevelArg::Warn) => LogLevel::Warn,
        Some(LevelArg::Error) => LogLevel::Error,
        Some(LevelArg::Fatal) => LogLevel::Fatal,
    }
}

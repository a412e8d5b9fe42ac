//! The log of a gateway elsewhere, polled over the control plane as the original does: a fresh connection each time.

use serde_json::{Value, json};

use super::show::Printer;
use crate::app::App;
use crate::args::LogsArgs;
use crate::exit::{Exit, Failure, Reason};
use crate::gateway;
use crate::logfile::Record;
use crate::target::Target;
use crate::ws;

/// Prints the log of `target`.
pub async fn run(
    app: &App,
    args: &LogsArgs,
    target: &Target,
    printer: &mut Printer,
) -> Result<Exit, Failure> {
    let mut cursor = None;
    loop {
        let answer = app.out.during("waiting for the log", ask(app, args, target, cursor)).await?;
        let number = |key: &str| answer[key].as_u64().unwrap_or_default();
        printer.head(answer["file"].as_str().unwrap_or("?"), number("cursor"), number("size"))?;
        printer.gaps(answer["reset"] == true, answer["truncated"] == true)?;
        for raw in answer["lines"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            let record = Record::parse(raw);
            if record.as_ref().is_none_or(|record| record.is_at_least(args.level)) {
                printer.line(record.as_ref(), raw)?;
            }
        }
        cursor = Some(number("cursor"));
        if !args.follow {
            return Ok(Exit::Ok);
        }
        tokio::time::sleep(args.interval).await;
    }
}

async fn ask(app: &App, args: &LogsArgs, target: &Target, cursor: Option<u64>) -> Result<Value, Failure> {
    let mut params = json!({"limit": args.limit.max(1), "maxBytes": args.max_bytes});
    if let Some(cursor) = cursor {
        params["cursor"] = cursor.into();
    }
    let answer = gateway::ask(app, target, args.client.timeout, "logs.tail", params, false).await?;
    answer.map_err(|error| failure(app, target, &error))
}

fn failure(app: &App, target: &Target, error: &ws::Error) -> Failure {
    let failure = gateway::failure(app, Some(target), error);
    if matches!(error, ws::Error::Method { .. }) {
        // It is reachable, or it could not have said so.
        return failure.context("Gateway logs failed");
    }
    match failure {
        Failure::Failed(Reason { exit: Exit::Failed, message, hint }) => {
            let message = format!("Gateway not reachable. Is it running and accessible?\n{message}");
            Failure::Failed(Reason { exit: Exit::Failed, message, hint })
        }
        other => other,
    }
}

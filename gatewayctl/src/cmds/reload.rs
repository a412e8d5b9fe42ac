//! `reload`: what became of every changed key.

use gateway_admin::v1::{ConfigChange, ReloadRequest, ReloadResponse};
use serde::Serialize;

use crate::admin;
use crate::app::App;
use crate::args::ReloadArgs;
use crate::exit::{Exit, Failure};
use crate::text::{Line, Style, Text};

/// Reloads, or says what a reload would do.
pub async fn run(app: &App, args: &ReloadArgs) -> Result<Exit, Failure> {
    let mut client = admin::require(app).await?;
    let request = admin::within(ReloadRequest { dry_run: args.dry_run }, args.timeout);
    let answer = app.out.during("reading the configuration", client.reload(request)).await;
    let answer = answer.map_err(|status| admin::call_failure(app, &status))?.into_inner();
    if app.out.is_json() {
        app.out.json(&Document::from(&answer))?;
    } else {
        app.out.print(&render(&answer))?;
    }
    Ok(Exit::Ok)
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Document<'a> {
    ok: bool,
    dry_run: bool,
    config_hash: &'a str,
    applied: Vec<Change<'a>>,
    restarted: Vec<Change<'a>>,
    refused: Vec<Change<'a>>,
    restart_scheduled: bool,
}

#[derive(Serialize)]
struct Change<'a> {
    path: &'a str,
    reason: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    part: &'a str,
}

impl<'a> From<&'a ReloadResponse> for Document<'a> {
    fn from(answer: &'a ReloadResponse) -> Self {
        fn changes(list: &[ConfigChange]) -> Vec<Change<'_>> {
            list.iter().map(|c| Change { path: &c.path, reason: &c.reason, part: &c.part }).collect()
        }
        Self {
            ok: true,
            dry_run: answer.dry_run,
            config_hash: &answer.config_hash,
            applied: changes(&answer.applied),
            restarted: changes(&answer.restarted),
            refused: changes(&answer.refused),
            restart_scheduled: answer.restart_scheduled,
        }
    }
}

fn render(answer: &ReloadResponse) -> Text {
    let mut text = Text::default();
    let (applied, restarted) =
        if answer.dry_run { ("would be applied", "would restart") } else { ("applied", "restarted") };
    let mut rows = |changes: &[ConfigChange], style, word: &str| {
        for change in changes {
            let part = if change.part.is_empty() { String::new() } else { format!(" {}", change.part) };
            let why = if change.reason.is_empty() { String::new() } else { format!(": {}", change.reason) };
            text.push(
                Line::default()
                    .with(style, format!("{word}{part}"))
                    .with(Style::Plain, format!("  {}{why}", change.path)),
            );
        }
    };
    rows(&answer.applied, Style::Good, applied);
    rows(&answer.restarted, Style::Good, restarted);
    rows(&answer.refused, Style::Warn, "not applied");
    if text.is_empty() {
        text.say("Nothing changed.");
    }
    if answer.restart_scheduled {
        let word = if answer.dry_run {
            "A restart of the gateway would follow."
        } else {
            "The gateway restarts now."
        };
        text.say(word);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cmds::testing::assert_schema;

    fn change(path: &str, reason: &str, part: &str) -> ConfigChange {
        ConfigChange { path: path.to_owned(), reason: reason.to_owned(), part: part.to_owned() }
    }

    fn answer() -> ReloadResponse {
        ReloadResponse {
            config_hash: "ab12".to_owned(),
            applied: vec![change("logging.level", "", "")],
            restarted: vec![change("hooks.path", "new path", "hooks")],
            refused: vec![change("gateway.port", "the socket is bound once", "")],
            ..ReloadResponse::default()
        }
    }

    #[test]
    fn every_change_has_its_line() {
        insta::assert_snapshot!(render(&answer()).plain(), @r"
        applied  logging.level
        restarted hooks  hooks.path: new path
        not applied  gateway.port: the socket is bound once
        ");
        assert_eq!(render(&ReloadResponse::default()).plain(), "Nothing changed.\n");
        let planned = ReloadResponse { dry_run: true, restart_scheduled: true, ..answer() };
        assert!(render(&planned).plain().starts_with("would be applied  logging.level\n"));
        assert!(render(&planned).plain().ends_with("A restart of the gateway would follow.\n"));
    }

    #[test]
    fn the_document_has_its_schema() {
        assert_schema("reload", &Document::from(&answer()));
    }
}

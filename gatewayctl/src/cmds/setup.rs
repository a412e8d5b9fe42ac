//! `setup`: a first configuration and the workspace, and no questions.

use gateway_onboard::apply::{Place, apply};
use gateway_onboard::plan::Plan;
use serde::Serialize;

use crate::app::App;
use crate::args::SetupArgs;
use crate::cmds::onboard::{facts, refused};
use crate::exit::{Exit, Failure};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    ok: bool,
    path: String,
    workspace: String,
    changed: bool,
}

/// Writes what is missing.
pub async fn run(app: &App, args: &SetupArgs) -> Result<Exit, Failure> {
    let facts = facts(app).await?;
    if !facts.issues.is_empty() {
        let text = format!("Config invalid. Run `{}` to repair it, then run setup again.", facts.doctor);
        return Err(Failure::new(Exit::BadConfig, text));
    }
    let plan = Plan::setup(&facts, args.workspace.as_deref());
    let workspace = plan.workspace.as_ref().map(|(folder, _)| folder.display().to_string());
    let place =
        Place { paths: app.paths.clone(), env: app.env.clone(), now: app.clock.now(), command: "setup" };
    let done = apply(plan, place).await.map_err(|error| refused(app, error))?;
    if app.out.is_json() {
        let path = app.paths.config.display().to_string();
        let workspace = workspace.unwrap_or_default();
        app.out.json(&Document { ok: true, path, workspace, changed: done.changed })?;
        return Ok(Exit::Ok);
    }
    let config = app.paths.tilde(&app.paths.config);
    app.out.say(if done.changed { format!("Wrote {config}") } else { format!("Config OK: {config}") })?;
    for line in done.lines.iter().filter(|line| line.contains(" OK: ")) {
        app.out.say(line)?;
    }
    Ok(Exit::Ok)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cmds::testing::assert_schema;

    #[test]
    fn the_document_has_its_schema() {
        let (path, workspace) = ("/h/.clawdbot/clawdbot.json".to_owned(), "/h/clawd".to_owned());
        assert_schema("setup", &Document { ok: true, path, workspace, changed: false });
    }
}

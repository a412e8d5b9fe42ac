//! What an action did, as text for people and as the one document of `--json`, which has the fields of the original
//! and some more.

use std::path::PathBuf;

use serde::Serialize;

use crate::exit::Reason;
use crate::service::{Service, Step};
use crate::text::{Style, Text};

/// The actions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// Install and start.
    Install,
    /// Start.
    Start,
    /// Stop.
    Stop,
    /// Restart.
    Restart,
    /// Stop and remove.
    Uninstall,
    /// Put a new version in place.
    Upgrade,
    /// Install the timer of the watch.
    WatchInstall,
    /// Remove it.
    WatchUninstall,
}

impl Action {
    /// The word of the command.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Install => "install",
            Self::Start => "start",
            Self::Stop => "stop",
            Self::Restart => "restart",
            Self::Uninstall => "uninstall",
            Self::Upgrade => "upgrade",
            Self::WatchInstall => "watch install",
            Self::WatchUninstall => "watch uninstall",
        }
    }
}

/// How an action ended well.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Done {
    /// Installed and serving.
    Installed,
    /// It was installed before.
    AlreadyInstalled,
    /// Serving.
    Started,
    /// Gone.
    Stopped,
    /// Serving anew.
    Restarted,
    /// Removed.
    Uninstalled,
    /// The new version serves.
    Upgraded,
    /// It served before.
    AlreadyUpgraded,
    /// The new version is in place of one that does not run.
    Replaced,
    /// There is no such service.
    NotLoaded,
    /// Nothing was done; the plan says what would be.
    Planned,
}

/// What an action did.
#[derive(Debug)]
pub struct Outcome {
    /// How it ended.
    pub done: Done,
    /// The lines for people, the first of which says it all.
    pub text: Text,
    /// The sentence for programs.
    pub message: Option<String>,
    /// What is not as it should be.
    pub warnings: Vec<String>,
    /// What to type next.
    pub hints: Vec<String>,
    /// How the installed file differs from the one that would be written.
    pub difference: Vec<String>,
    /// The steps of a dry run.
    pub plan: Vec<Step>,
    /// The service as it was seen at the end.
    pub service: Option<Service>,
}

impl Outcome {
    /// An outcome with nothing but its kind.
    #[must_use]
    pub fn new(done: Done) -> Self {
        Self {
            done,
            text: Text::default(),
            message: None,
            warnings: Vec::new(),
            hints: Vec::new(),
            difference: Vec::new(),
            plan: Vec::new(),
            service: None,
        }
    }

    /// A dry run.
    #[must_use]
    pub fn planned(plan: Vec<Step>) -> Self {
        Self { plan, ..Self::new(Done::Planned) }
    }

    /// Adds a line, and makes it the sentence for programs if there is none.
    pub fn say(&mut self, line: impl Into<String>) {
        let line = line.into();
        self.text.say(&line);
        self.message.get_or_insert(line);
    }

    /// Everything for people on standard output.
    #[must_use]
    pub fn render(&self) -> Text {
        let mut text = Text::default();
        text.append(self.text.clone());
        for line in &self.difference {
            text.styled(if line.starts_with('+') { Style::Good } else { Style::Bad }, format!("  {line}"));
        }
        for step in &self.plan {
            show(step, &mut text);
        }
        if self.done == Done::Planned {
            let is_empty =
                self.text.lines().next().is_none() && self.plan.is_empty() && self.hints.is_empty();
            let empty = if is_empty { "There is nothing to do. " } else { "" };
            text.say(format!("{empty}Nothing was changed."));
        }
        for hint in &self.hints {
            text.say(hint);
        }
        text
    }
}

fn show(step: &Step, text: &mut Text) {
    match step {
        Step::Write { path, text: content, .. } => {
            text.styled(Style::Strong, format!("write {}", path.display()));
            for line in content.lines() {
                // A tab is a control character, which would be written out.
                text.say(format!("  {}", line.replace('\t', "  ")));
            }
        }
        Step::Remove(path) => text.styled(Style::Strong, format!("remove {}", path.display())),
        Step::Folder(path) => text.styled(Style::Strong, format!("make {}", path.display())),
        Step::Gone { call, .. } => text.styled(Style::Strong, format!("wait for its end, asking {call}")),
        Step::Run(call) | Step::Try(call) | Step::Persist { call, .. } => {
            text.styled(Style::Strong, format!("run {call}"))
        }
    }
}

/// The document.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Document<'a> {
    action: Action,
    ok: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    result: Option<Done>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    hints: &'a [String],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    warnings: &'a [String],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    difference: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    plan: Option<Plan<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    service: Option<ServiceView<'a>>,
}

#[derive(Debug, Serialize)]
struct Plan<'a> {
    files: Vec<FileView<'a>>,
    commands: Vec<Vec<&'a str>>,
}

#[derive(Debug, Serialize)]
struct FileView<'a> {
    action: &'static str,
    path: &'a PathBuf,
    #[serde(skip_serializing_if = "Option::is_none")]
    content: Option<&'a str>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ServiceView<'a> {
    label: &'static str,
    loaded: bool,
    loaded_text: &'static str,
    not_loaded_text: &'static str,
    scope: crate::service::Scope,
    #[serde(skip_serializing_if = "Option::is_none")]
    runtime: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pid: Option<u32>,
}

impl<'a> Document<'a> {
    /// The document of an action that did what was asked.
    #[must_use]
    pub fn done(action: Action, outcome: &'a Outcome) -> Self {
        Self {
            action,
            ok: true,
            result: Some(outcome.done),
            message: outcome.message.as_deref(),
            error: None,
            hints: &outcome.hints,
            warnings: &outcome.warnings,
            difference: &outcome.difference,
            plan: (outcome.done == Done::Planned).then(|| plan(&outcome.plan)),
            service: outcome.service.as_ref().map(view),
        }
    }

    /// The document of an action that failed.
    #[must_use]
    pub fn failed(action: Action, reason: &'a Reason, hints: &'a [String]) -> Self {
        Self {
            action,
            ok: false,
            result: None,
            message: None,
            error: Some(&reason.message),
            hints,
            warnings: &[],
            difference: &[],
            plan: None,
            service: None,
        }
    }
}

fn view(service: &Service) -> ServiceView<'_> {
    let (label, loaded_text, not_loaded_text) = service.manager.words();
    ServiceView {
        label,
        loaded: service.installed == crate::service::Installed::Yes,
        loaded_text,
        not_loaded_text,
        scope: service.scope,
        runtime: Some(service.runtime_word()),
        pid: service.runtime.pid,
    }
}

fn plan(steps: &[Step]) -> Plan<'_> {
    let mut plan = Plan { files: Vec::new(), commands: Vec::new() };
    for step in steps {
        match step {
            Step::Write { path, text, .. } => {
                plan.files.push(FileView { action: "write", path, content: Some(text) });
            }
            Step::Remove(path) => plan.files.push(FileView { action: "remove", path, content: None }),
            // What stands in the way of nothing and changes nothing is no part of the plan for programs.
            Step::Folder(_) | Step::Gone { .. } => {}
            Step::Run(call) | Step::Try(call) | Step::Persist { call, .. } => {
                let arguments = call.arguments.iter().map(String::as_str);
                plan.commands.push(std::iter::once(call.program).chain(arguments).collect());
            }
        }
    }
    plan
}

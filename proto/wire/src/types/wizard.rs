//! Setting the gateway up over the control plane. Answers may be secrets, so they cannot be printed.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The parameters of `wizard.start`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WizardStartParams {
    /// What is set up; asked when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<WizardMode>,
    /// The workspace; asked when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workspace: Option<String>,
}

/// What is set up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WizardMode {
    /// This gateway.
    Local,
    /// Clients here use one elsewhere.
    Remote,
}

/// The parameters of `wizard.next`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WizardNextParams {
    /// From `wizard.start`.
    pub session_id: String,
    /// The answer to the present step; without it the step is given again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<WizardAnswer>,
}

/// An answer.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WizardAnswer {
    /// The step it is for.
    pub step_id: String,
    /// What was answered; may be a secret.
    #[serde(default)]
    pub value: Value,
}

impl fmt::Debug for WizardAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WizardAnswer").field("step_id", &self.step_id).finish_non_exhaustive()
    }
}

/// The parameters of `wizard.cancel` and `wizard.status`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WizardSessionParams {
    /// From `wizard.start`.
    pub session_id: String,
}

/// How a run is going.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WizardState {
    /// It waits for an answer or does what was answered.
    Running,
    /// Everything is done.
    Done,
    /// It was given up.
    Cancelled,
    /// It failed.
    Error,
}

/// The result of `wizard.start`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WizardStarted {
    /// Names this run in the other calls.
    pub session_id: String,
    /// The first step, or how it ended at once.
    #[serde(flatten)]
    pub next: WizardNext,
}

/// The result of `wizard.next`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WizardNext {
    /// Whether it is over; then the session is forgotten.
    pub done: bool,
    /// What is asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<WizardStep>,
    /// How it is going.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<WizardState>,
    /// Why it did not end well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// The result of `wizard.cancel` and `wizard.status`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WizardStatus {
    /// How it is going.
    pub status: WizardState,
    /// Why it did not end well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// One step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WizardStep {
    /// Names it in the answer.
    pub id: String,
    /// What kind of answer it takes.
    #[serde(rename = "type")]
    pub kind: WizardKind,
    /// A heading.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The question, or what is to be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// What can be chosen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub options: Option<Vec<WizardOption>>,
    /// What is proposed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub initial_value: Option<Value>,
    /// What an answer looks like.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub placeholder: Option<String>,
    /// Whether the answer must not be shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sensitive: Option<bool>,
    /// Who shows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub executor: Option<WizardExecutor>,
}

/// What kind of answer a step takes. The contract knows more kinds; these are the ones that are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WizardKind {
    /// None; it is only read, and answered when it was.
    Note,
    /// The value of an option.
    Select,
    /// A line.
    Text,
    /// Yes or no.
    Confirm,
}

/// Who shows a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WizardExecutor {
    /// The client.
    Client,
}

/// Something that can be chosen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WizardOption {
    /// The answer that means it.
    pub value: Value,
    /// Its name for people.
    pub label: String,
    /// More about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

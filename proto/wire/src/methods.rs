//! THE TABLE: one row per method of the control plane. The list in `hello-ok`, the dispatcher, the rights check
//! and its generated test, and the reference page are made from it; nothing else says what a method is.
//!
//! The order of the listed rows is the order in which clients see them. Methods of plugins are not rows: they
//! come after these, need `operator.admin`, and cannot replace one.

use std::collections::HashMap;
use std::sync::LazyLock;

use Access::{Admin, Approvals, Node, Pairing, Read, Write};
use Order::{Concurrent, Exclusive, PerNode, PerSession};

/// What there is to know about a method before it is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Method {
    /// The name clients call it by.
    pub name: &'static str,
    /// The schema that its parameters must match, or `None` when it takes anything and picks what it knows.
    pub params: Option<&'static str>,
    /// A short name of the result's type, for documentation.
    pub result: &'static str,
    /// Who may call it.
    pub access: Access,
    /// What it may run beside.
    pub order: Order,
    /// Whether a repeated `idempotencyKey` replays the first answer. `node.invoke` takes a key too, but only
    /// passes it on.
    pub idempotency_key: bool,
    /// Whether it answers twice: accepted, then done.
    pub two_stage: bool,
    /// Whether `hello-ok` lists it.
    pub listed: bool,
}

/// Who may call a method.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Access {
    /// Only role `node`.
    Node,
    /// Operators with `operator.approvals`.
    Approvals,
    /// Operators with `operator.pairing`.
    Pairing,
    /// Operators with `operator.read` or `operator.write`.
    Read,
    /// Operators with `operator.write`.
    Write,
    /// Operators with `operator.admin`, who may also call all of the above but the first.
    Admin,
}

impl Access {
    /// The scope that an error names as missing; `None` for [`Access::Node`], which is about the role.
    #[must_use]
    pub const fn scope(self) -> Option<&'static str> {
        match self {
            Node => None,
            Approvals => Some("operator.approvals"),
            Pairing => Some("operator.pairing"),
            Read => Some("operator.read"),
            Write => Some("operator.write"),
            Admin => Some("operator.admin"),
        }
    }
}

/// What calls of a method may overlap with. A method that can wait for long is concurrent: what it waits for has
/// an owner that keeps order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Order {
    /// With anything.
    Concurrent,
    /// With nothing of the same group.
    Exclusive(&'static str),
    /// With nothing of this class on the same session, the one that the parameters name.
    PerSession,
    /// With nothing of this class on the same node, the one that the parameters name, or else the caller.
    PerNode,
}

/// Finds a method by its name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Method> {
    BY_NAME.get(name).copied()
}

/// The methods that `hello-ok` lists, in its order, without those of plugins.
pub fn listed() -> impl Iterator<Item = &'static Method> {
    METHODS.iter().filter(|method| method.listed)
}

static BY_NAME: LazyLock<HashMap<&str, &Method>> =
    LazyLock::new(|| METHODS.iter().map(|method| (method.name, method)).collect());

/// Every method: the listed ones in the order of `hello-ok`, then those that are handled without being listed.
#[rustfmt::skip]
pub static METHODS: &[Method] = &[
    row("health", None, "HealthSummary", Read, Concurrent),
    row("logs.tail", Some("LogsTailParams"), "LogsTailResult", Read, Concurrent),
    row("channels.status", Some("ChannelsStatusParams"), "ChannelsStatusResult", Read, Concurrent),
    row("channels.logout", Some("ChannelsLogoutParams"), "ChannelLogout", Admin, Exclusive("channels")),
    row("status", None, "StatusResult", Read, Concurrent),
    row("usage.status", None, "UsageStatusResult", Read, Concurrent),
    row("usage.cost", None, "UsageCostResult", Read, Concurrent),
    row("tts.status", None, "TtsStatus", Read, Concurrent),
    row("tts.providers", None, "TtsProviders", Read, Concurrent),
    row("tts.enable", None, "TtsEnabled", Write, Exclusive("tts")),
    row("tts.disable", None, "TtsEnabled", Write, Exclusive("tts")),
    row("tts.convert", None, "TtsAudio", Write, Concurrent),
    row("tts.setProvider", None, "TtsProvider", Write, Exclusive("tts")),
    row("config.get", Some("ConfigGetParams"), "ConfigSnapshot", Admin, Concurrent),
    row("config.set", Some("ConfigSetParams"), "ConfigSetResult", Admin, Exclusive("config")),
    row("config.apply", Some("ConfigApplyParams"), "ConfigApplyResult", Admin, Exclusive("config")),
    row("config.patch", Some("ConfigPatchParams"), "ConfigApplyResult", Admin, Exclusive("config")),
    row("config.schema", Some("ConfigSchemaParams"), "ConfigSchemaResult", Admin, Concurrent),
    row("exec.approvals.get", Some("ExecApprovalsGetParams"), "ExecApprovals", Admin, Exclusive("exec.approvals")),
    row("exec.approvals.set", Some("ExecApprovalsSetParams"), "ExecApprovals", Admin, Exclusive("exec.approvals")),
    row("exec.approvals.node.get", Some("ExecApprovalsNodeGetParams"), "ExecApprovals", Admin, Concurrent),
    row("exec.approvals.node.set", Some("ExecApprovalsNodeSetParams"), "ExecApprovals", Admin, PerNode),
    row("exec.approval.request", Some("ExecApprovalRequestParams"), "ExecApproval", Approvals, Concurrent),
    row("exec.approval.resolve", Some("ExecApprovalResolveParams"), "Done", Approvals, Concurrent),
    row("wizard.start", Some("WizardStartParams"), "WizardStarted", Admin, Concurrent),
    row("wizard.next", Some("WizardNextParams"), "WizardNext", Admin, Concurrent),
    row("wizard.cancel", Some("WizardCancelParams"), "WizardStatus", Admin, Concurrent),
    row("wizard.status", Some("WizardStatusParams"), "WizardStatus", Admin, Concurrent),
    row("talk.mode", Some("TalkModeParams"), "TalkMode", Write, Exclusive("talk")),
    row("models.list", Some("ModelsListParams"), "ModelsListResult", Read, Concurrent),
    row("agents.list", Some("AgentsListParams"), "AgentsListResult", Read, Concurrent),
    row("skills.status", Some("SkillsStatusParams"), "SkillsStatus", Read, Concurrent),
    row("skills.bins", Some("SkillsBinsParams"), "SkillsBins", Node, Concurrent),
    row("skills.install", Some("SkillsInstallParams"), "SkillInstalled", Admin, Exclusive("skills")),
    row("skills.update", Some("SkillsUpdateParams"), "SkillUpdated", Admin, Exclusive("config")),
    row("update.run", Some("UpdateRunParams"), "UpdateRun", Admin, Exclusive("update")),
    row("voicewake.get", None, "Voicewake", Read, Concurrent),
    row("voicewake.set", None, "Voicewake", Write, Exclusive("voicewake")),
    row("sessions.list", Some("SessionsListParams"), "SessionsList", Read, Concurrent),
    row("sessions.preview", Some("SessionsPreviewParams"), "SessionsPreview", Read, Concurrent),
    row("sessions.patch", Some("SessionsPatchParams"), "SessionPatched", Admin, PerSession),
    row("sessions.reset", Some("SessionsResetParams"), "SessionReset", Admin, PerSession),
    row("sessions.delete", Some("SessionsDeleteParams"), "SessionDeleted", Admin, PerSession),
    row("sessions.compact", Some("SessionsCompactParams"), "SessionCompacted", Admin, PerSession),
    row("last-heartbeat", None, "HeartbeatEvent or null", Read, Concurrent),
    row("set-heartbeats", None, "SetHeartbeatsResult", Admin, Exclusive("heartbeats")),
    row("wake", Some("WakeParams"), "Done", Write, Concurrent),
    row("node.pair.request", Some("NodePairRequestParams"), "NodePairRequested", Pairing, Exclusive("node.pair")),
    row("node.pair.list", Some("NodePairListParams"), "NodePairList", Pairing, Concurrent),
    row("node.pair.approve", Some("NodePairApproveParams"), "NodePairApproved", Pairing, Exclusive("node.pair")),
    row("node.pair.reject", Some("NodePairRejectParams"), "NodePairRejected", Pairing, Exclusive("node.pair")),
    row("node.pair.verify", Some("NodePairVerifyParams"), "NodePairVerified", Pairing, Concurrent),
    row("device.pair.list", Some("DevicePairListParams"), "DevicePairListResult", Pairing, Concurrent),
    row("device.pair.approve", Some("DevicePairApproveParams"), "DevicePairApproveResult", Pairing, Exclusive("device.pair")),
    row("device.pair.reject", Some("DevicePairRejectParams"), "DevicePairRejectResult", Pairing, Exclusive("device.pair")),
    row("device.token.rotate", Some("DeviceTokenRotateParams"), "DeviceTokenRotateResult", Pairing, Exclusive("device.pair")),
    row("device.token.revoke", Some("DeviceTokenRevokeParams"), "DeviceTokenRevokeResult", Pairing, Exclusive("device.pair")),
    row("node.rename", Some("NodeRenameParams"), "NodeRenamed", Pairing, Exclusive("node.pair")),
    row("node.list", Some("NodeListParams"), "NodeList", Read, Concurrent),
    row("node.describe", Some("NodeDescribeParams"), "NodeDescription", Read, Concurrent),
    row("node.invoke", Some("NodeInvokeParams"), "NodeInvoked", Write, Concurrent),
    row("node.invoke.result", Some("NodeInvokeResultParams"), "Done", Node, PerNode),
    row("node.event", Some("NodeEventParams"), "Done", Node, PerNode),
    row("cron.list", Some("CronListParams"), "CronList", Read, Concurrent),
    row("cron.status", Some("CronStatusParams"), "CronStatus", Read, Concurrent),
    row("cron.add", Some("CronAddParams"), "CronJob", Admin, Exclusive("cron")),
    row("cron.update", Some("CronUpdateParams"), "CronJob", Admin, Exclusive("cron")),
    row("cron.remove", Some("CronRemoveParams"), "CronRemoved", Admin, Exclusive("cron")),
    row("cron.run", Some("CronRunParams"), "CronRan", Admin, Concurrent),
    row("cron.runs", Some("CronRunsParams"), "CronRuns", Read, Concurrent),
    row("system-presence", None, "PresenceEntry[]", Read, Concurrent),
    row("system-event", None, "Done", Admin, Exclusive("presence")),
    row("send", Some("SendParams"), "Sent", Write, Concurrent).idempotent(),
    row("agent", Some("AgentParams"), "AgentAccepted, then AgentDone", Write, Concurrent).idempotent().two_stage(),
    row("agent.identity.get", Some("AgentIdentityParams"), "AgentIdentityResult", Read, Concurrent),
    row("agent.wait", Some("AgentWaitParams"), "AgentWaited", Write, Concurrent),
    row("chat.history", Some("ChatHistoryParams"), "ChatHistory", Read, Concurrent),
    row("chat.abort", Some("ChatAbortParams"), "ChatAborted", Write, PerSession),
    row("chat.send", Some("ChatSendParams"), "ChatSent", Write, PerSession).idempotent(),

    row("connect", Some("ConnectParams"), "HelloOk", Admin, Concurrent).unlisted(),
    row("sessions.resolve", Some("SessionsResolveParams"), "SessionResolved", Admin, Concurrent).unlisted(),
    row("chat.inject", Some("ChatInjectParams"), "ChatInjected", Admin, PerSession).unlisted(),
    row("poll", Some("PollParams"), "PollSent", Admin, Concurrent).idempotent().unlisted(),
    row("web.login.start", Some("WebLoginStartParams"), "WebLoginStarted", Admin, Exclusive("web.login")).unlisted(),
    row("web.login.wait", Some("WebLoginWaitParams"), "WebLoginWaited", Admin, Concurrent).unlisted(),
];

const fn row(
    name: &'static str,
    params: Option<&'static str>,
    result: &'static str,
    access: Access,
    order: Order,
) -> Method {
    Method { name, params, result, access, order, idempotency_key: false, two_stage: false, listed: true }
}

impl Method {
    const fn idempotent(mut self) -> Self {
        self.idempotency_key = true;
        self
    }

    const fn two_stage(mut self) -> Self {
        self.two_stage = true;
        self
    }

    const fn unlisted(mut self) -> Self {
        self.listed = false;
        self
    }
}

#[cfg(test)]
mod tests;

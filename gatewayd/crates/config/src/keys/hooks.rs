//! Webhooks, mail and internal hooks.

use super::row::{
    BOOL, OBJECT, OBJECT_MAP, OBJECTS, POS, Part, Reload, TEXT, TEXT_MAP, TEXTS, Type, keys, one,
};

const TAILSCALE: Type = one(&["off", "serve", "funnel"]);
const SOURCE: Type = one(&["npm", "archive", "path"]);

keys! {
    "hooks": OBJECT, "-", "Webhooks: HTTP calls that wake the assistant.", reload(Reload::Hot(Part::Hooks));
    "hooks.enabled": BOOL, "false", "Accept webhooks.";
    "hooks.path": TEXT, "\"/hooks\"", "Path under which webhooks arrive.";
    "hooks.token": TEXT, "-", "Secret that callers of webhooks must send.", secret;
    "hooks.maxBodyBytes": POS, "262144", "Largest request body, in bytes.";
    "hooks.presets": TEXTS, "-", "Ready-made mappings to use, such as `gmail`.";
    "hooks.transformsDir": TEXT, "folder of the config file", "Folder of transform modules.";
    "hooks.mappings": OBJECTS, "-", "What each webhook path does.";
    "hooks.mappings[].id": TEXT, "-", "Name of the mapping, for logs.";
    "hooks.mappings[].match.path": TEXT, "-", "Path below the webhook path that this mapping answers.";
    "hooks.mappings[].match.source": TEXT, "-", "Value of `source` in the body that this mapping answers.";
    "hooks.mappings[].action": one(&["wake", "agent"]), "\"agent\"", "Wake the main session, or run a turn of its own.";
    "hooks.mappings[].wakeMode": one(&["now", "next-heartbeat"]), "\"now\"", "Wake at once or with the next heartbeat.";
    "hooks.mappings[].name": TEXT, "-", "Name shown for the source.";
    "hooks.mappings[].sessionKey": TEXT, "-", "Session in which the turn runs.";
    "hooks.mappings[].messageTemplate": TEXT, "-", "Message of the turn, with `{{...}}` filled in from the body.";
    "hooks.mappings[].textTemplate": TEXT, "-", "Text of the wake event, with `{{...}}` filled in from the body.";
    "hooks.mappings[].deliver": BOOL, "true", "Send the answer to a chat.";
    "hooks.mappings[].channel": one(&["last", "whatsapp", "telegram", "discord", "slack", "signal", "imessage", "msteams"]), "\"last\"", "Channel that gets the answer.";
    "hooks.mappings[].to": TEXT, "-", "Target on that channel.";
    "hooks.mappings[].model": TEXT, "-", "Model for the turn.";
    "hooks.mappings[].thinking": TEXT, "-", "Thinking level for the turn.";
    "hooks.mappings[].timeoutSeconds": POS, "-", "Time limit of the turn, in seconds.";
    "hooks.mappings[].transform.module": TEXT, "-", "Module that turns the body into a message.", required;
    "hooks.mappings[].transform.export": TEXT, "-", "Name of the function in that module.";
    "hooks.gmail": OBJECT, "-", "New mail from Gmail.", reload(Reload::Hot(Part::Gmail));
    "hooks.gmail.account": TEXT, "-", "Mail address that is watched.";
    "hooks.gmail.label": TEXT, "\"INBOX\"", "Label that is watched.";
    "hooks.gmail.topic": TEXT, "-", "Pub/Sub topic.";
    "hooks.gmail.subscription": TEXT, "\"gog-gmail-watch-push\"", "Pub/Sub subscription.";
    "hooks.gmail.pushToken": TEXT, "-", "Secret that Pub/Sub sends with each push.", secret;
    "hooks.gmail.hookUrl": TEXT, "http://127.0.0.1:<port>/hooks/gmail", "Webhook that gets the mails.";
    "hooks.gmail.includeBody": BOOL, "true", "Pass the text of the mail on.";
    "hooks.gmail.maxBytes": POS, "20000", "How much text of a mail is passed on, in bytes.";
    "hooks.gmail.renewEveryMinutes": POS, "720", "How often the watch is renewed, in minutes.";
    "hooks.gmail.serve.bind": TEXT, "\"127.0.0.1\"", "Address the push receiver listens on.";
    "hooks.gmail.serve.port": POS, "8788", "Port the push receiver listens on.";
    "hooks.gmail.serve.path": TEXT, "\"/gmail-pubsub\"", "Path the push receiver answers.";
    "hooks.gmail.tailscale.mode": TAILSCALE, "\"off\"", "How the push receiver is published.";
    "hooks.gmail.tailscale.path": TEXT, "-", "Published path.";
    "hooks.gmail.tailscale.target": TEXT, "-", "Local target of the published path.";
    "hooks.gmail.model": TEXT, "-", "Model for mail turns.";
    "hooks.gmail.thinking": one(&["off", "minimal", "low", "medium", "high"]), "-", "Thinking level for mail turns.";
    "hooks.internal": OBJECT, "-", "Hooks that run inside the gateway.";
    "hooks.internal.enabled": BOOL, "false", "Run internal hooks.";
    "hooks.internal.handlers": OBJECTS, "-", "Handler modules, older form.";
    "hooks.internal.handlers[].event": TEXT, "-", "Event that calls the handler.", required;
    "hooks.internal.handlers[].module": TEXT, "-", "Module of the handler.", required;
    "hooks.internal.handlers[].export": TEXT, "-", "Name of the function in that module.";
    "hooks.internal.entries": OBJECT_MAP, "-", "Settings per hook.";
    "hooks.internal.entries.<key>.enabled": BOOL, "true", "Run this hook.";
    "hooks.internal.entries.<key>.env": TEXT_MAP, "-", "Environment variables for this hook.", secret;
    "hooks.internal.load.extraDirs": TEXTS, "-", "More folders with hooks.";
    "hooks.internal.installs": OBJECT_MAP, "-", "Hooks that were installed, and from where.";
    "hooks.internal.installs.<key>.source": SOURCE, "-", "Where it came from.", required;
    "hooks.internal.installs.<key>.spec": TEXT, "-", "What was asked for.";
    "hooks.internal.installs.<key>.sourcePath": TEXT, "-", "File or folder it was installed from.";
    "hooks.internal.installs.<key>.installPath": TEXT, "-", "Folder it was installed to.";
    "hooks.internal.installs.<key>.version": TEXT, "-", "Version that was installed.";
    "hooks.internal.installs.<key>.installedAt": TEXT, "-", "When it was installed.";
    "hooks.internal.installs.<key>.hooks": TEXTS, "-", "Names of the hooks in this package.";
    "hooks.mappings[].allowUnsafeExternalContent": BOOL, "false", "Pass the body to the model without the warning wrapper.";
    "hooks.gmail.allowUnsafeExternalContent": BOOL, "false", "Pass mails to the model without the warning wrapper.";
}

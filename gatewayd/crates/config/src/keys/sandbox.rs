//! Containers for tools.

use super::row::{BOOL, ID, NAT, NUMBER, OBJECT, POS, POS_NUMBER, TEXT, TEXT_MAP, TEXTS, Type, keys, one};

keys! {
    "agents.defaults.sandbox": OBJECT, "-", "Running tools in a container.";
    "agents.defaults.sandbox.mode": one(&["off", "non-main", "all"]), "\"off\"", "Which sessions run in a container.";
    "agents.defaults.sandbox.workspaceAccess": one(&["none", "ro", "rw"]), "\"none\"", "How the container sees the workspace.";
    "agents.defaults.sandbox.sessionToolsVisibility": one(&["spawned", "all"]), "\"spawned\"", "Which sessions the session tools show inside.";
    "agents.defaults.sandbox.scope": one(&["session", "agent", "shared"]), "\"agent\"", "What shares a container.";
    "agents.defaults.sandbox.perSession": BOOL, "older form of scope: true=session, false=shared", "Older form of `scope`: true is session, false is shared.";
    "agents.defaults.sandbox.workspaceRoot": TEXT, "\"~/.clawdbot/sandboxes\"", "Folder of the container workspaces.";
    "agents.defaults.sandbox.docker.image": TEXT, "\"clawdbot-sandbox:bookworm-slim\"", "Container image.";
    "agents.defaults.sandbox.docker.containerPrefix": TEXT, "\"clawdbot-sbx-\"", "Start of container names.";
    "agents.defaults.sandbox.docker.workdir": TEXT, "folder workspace at the container's root", "Working folder inside.";
    "agents.defaults.sandbox.docker.readOnlyRoot": BOOL, "true", "Make the root file system read-only.";
    "agents.defaults.sandbox.docker.tmpfs": TEXTS, "the usual temporary and run folders inside the container", "Folders kept in memory.";
    "agents.defaults.sandbox.docker.network": TEXT, "\"none\"", "Container network.";
    "agents.defaults.sandbox.docker.user": TEXT, "-", "User inside.";
    "agents.defaults.sandbox.docker.capDrop": TEXTS, "[\"ALL\"]", "Capabilities taken away.";
    "agents.defaults.sandbox.docker.env": TEXT_MAP, "LANG=C.UTF-8", "Environment variables inside.", secret;
    "agents.defaults.sandbox.docker.setupCommand": TEXT, "-", "Command run once in a new container.";
    "agents.defaults.sandbox.docker.pidsLimit": POS, "-", "Most processes.";
    "agents.defaults.sandbox.docker.memory": ID, "-", "Memory limit.";
    "agents.defaults.sandbox.docker.memorySwap": ID, "-", "Memory and swap limit.";
    "agents.defaults.sandbox.docker.cpus": POS_NUMBER, "-", "CPU limit.";
    "agents.defaults.sandbox.docker.ulimits": Type::Map(&Type::OneOf(&[TEXT, NUMBER, OBJECT])), "-", "Resource limits by name.";
    "agents.defaults.sandbox.docker.ulimits.<key>.soft": NAT, "-", "Soft limit.";
    "agents.defaults.sandbox.docker.ulimits.<key>.hard": NAT, "-", "Hard limit.";
    "agents.defaults.sandbox.docker.seccompProfile": TEXT, "-", "Seccomp profile.";
    "agents.defaults.sandbox.docker.apparmorProfile": TEXT, "-", "AppArmor profile.";
    "agents.defaults.sandbox.docker.dns": TEXTS, "-", "DNS servers.";
    "agents.defaults.sandbox.docker.extraHosts": TEXTS, "-", "More host names, as `name:address`.";
    "agents.defaults.sandbox.docker.binds": TEXTS, "-", "More mounts, as `from:to:mode`.";
    "agents.defaults.sandbox.browser.enabled": BOOL, "false", "Offer a browser inside the sandbox.";
    "agents.defaults.sandbox.browser.image": TEXT, "\"clawdbot-sandbox-browser:bookworm-slim\"", "Container image of the browser.";
    "agents.defaults.sandbox.browser.containerPrefix": TEXT, "\"clawdbot-sbx-browser-\"", "Start of browser container names.";
    "agents.defaults.sandbox.browser.cdpPort": POS, "9222", "Debugging port of the browser.";
    "agents.defaults.sandbox.browser.vncPort": POS, "5900", "VNC port.";
    "agents.defaults.sandbox.browser.noVncPort": POS, "6080", "Port of the VNC web page.";
    "agents.defaults.sandbox.browser.headless": BOOL, "false", "Run without a screen.";
    "agents.defaults.sandbox.browser.enableNoVnc": BOOL, "true", "Serve the VNC web page.";
    "agents.defaults.sandbox.browser.allowHostControl": BOOL, "false", "Let sandboxed sessions use the browser of this machine.";
    "agents.defaults.sandbox.browser.allowedControlUrls": TEXTS, "-", "Control addresses they may use.";
    "agents.defaults.sandbox.browser.allowedControlHosts": TEXTS, "-", "Hosts they may use.";
    "agents.defaults.sandbox.browser.allowedControlPorts": Type::List(&POS), "-", "Ports they may use.";
    "agents.defaults.sandbox.browser.autoStart": BOOL, "true", "Start the browser when it is needed.";
    "agents.defaults.sandbox.browser.autoStartTimeoutMs": POS, "12000", "How long to wait for it, in milliseconds.";
    "agents.defaults.sandbox.prune.idleHours": NAT, "24", "Remove a container after so many idle hours.";
    "agents.defaults.sandbox.prune.maxAgeDays": NAT, "7", "Remove a container after so many days.";
    "agents.defaults.sandbox.docker.ulimits.<key>": Type::OneOf(&[TEXT, NUMBER, OBJECT]), "-", "A limit: one value for both, or soft and hard.";
}

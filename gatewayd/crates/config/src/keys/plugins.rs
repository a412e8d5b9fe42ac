//! Plugins and skills.

use super::row::{ANY_MAP, BOOL, NAT, OBJECT, OBJECT_MAP, Reload, TEXT, TEXT_MAP, TEXTS, Type, keys, one};

const SOURCE: Type = one(&["npm", "archive", "path"]);

keys! {
    "plugins": OBJECT, "-", "Plugins.", reload(Reload::Restart);
    "plugins.enabled": BOOL, "true", "Load plugins.";
    "plugins.allow": TEXTS, "-", "Plugins that may load; all others may not.";
    "plugins.deny": TEXTS, "-", "Plugins that never load.";
    "plugins.load.paths": TEXTS, "-", "More files and folders with plugins.";
    "plugins.slots.memory": TEXT, "memory-core (none disables)", "Plugin that provides memory.";
    "plugins.entries": OBJECT_MAP, "-", "Settings per plugin.";
    "plugins.entries.<key>.enabled": BOOL, "bundled: false, except the memory slot; others: true", "Load this plugin.";
    "plugins.entries.<key>.config": ANY_MAP, "-", "Its own settings.";
    "plugins.installs": OBJECT_MAP, "-", "Plugins that were installed, and from where.";
    "plugins.installs.<key>.source": SOURCE, "-", "Where it came from.", required;
    "plugins.installs.<key>.spec": TEXT, "-", "What was asked for.";
    "plugins.installs.<key>.sourcePath": TEXT, "-", "File or folder it was installed from.";
    "plugins.installs.<key>.installPath": TEXT, "-", "Folder it was installed to.";
    "plugins.installs.<key>.version": TEXT, "-", "Version that was installed.";
    "plugins.installs.<key>.installedAt": TEXT, "-", "When it was installed.";
    "skills": OBJECT, "-", "Skills.";
    "skills.allowBundled": TEXTS, "-", "Bundled skills that may be used; all others may not.";
    "skills.load.extraDirs": TEXTS, "-", "More folders with skills.";
    "skills.load.watch": BOOL, "true", "Watch the skill folders.";
    "skills.load.watchDebounceMs": NAT, "250", "Quiet time after a change, in milliseconds.";
    "skills.install.preferBrew": BOOL, "true", "Prefer Homebrew when a skill needs a program.";
    "skills.install.nodeManager": one(&["npm", "pnpm", "yarn", "bun"]), "\"npm\"", "Package manager for skills that need Node.";
    "skills.entries": OBJECT_MAP, "-", "Settings per skill.";
    "skills.entries.<key>.enabled": BOOL, "-", "Offer this skill.";
    "skills.entries.<key>.apiKey": TEXT, "-", "Key for its main variable.", secret;
    "skills.entries.<key>.env": TEXT_MAP, "-", "Environment variables for it.", secret;
    "skills.entries.<key>.config": ANY_MAP, "-", "Its own settings.";
}

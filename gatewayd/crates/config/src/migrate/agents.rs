//! The old `agent`, `identity` and `routing` sections: what they held is now in `agents`, `tools`, `messages`,
//! `bindings` and the channels. Frozen, like all steps.

use serde_json::{Map, Value, json};

use super::moves::{Root, fill, holds_only, object, put, relocate, sweep, take, take_if};

/// Renames inside bindings and send rules.
pub(super) fn providers(root: &mut Root, changes: &mut Vec<String>) {
    let lists = [("bindings", "bindings"), ("session.sendPolicy", "rules")];
    for (path, list) in lists {
        let holder = if path == list { Some(&mut *root) } else { object(root, path) };
        let items = holder.and_then(|holder| holder.get_mut(list)).and_then(Value::as_array_mut);
        for item in items.into_iter().flatten() {
            let Some(matcher) = item.get_mut("match").and_then(Value::as_object_mut) else { continue };
            for (old, new) in [("provider", "channel"), ("accountID", "accountId")] {
                if matcher.contains_key(new) {
                    continue;
                }
                if let Some(value) = matcher.shift_remove(old) {
                    matcher.insert(new.to_owned(), value);
                    changes.push(format!("Moved {path}[].match.{old} → match.{new}."));
                }
            }
        }
    }
    relocate(root, "messages.queue.byProvider", "messages.queue.byChannel", changes);
}

/// `routing`.
pub(super) fn routing(root: &mut Root, changes: &mut Vec<String>) {
    if object(root, "channels.whatsapp").is_some() {
        relocate(root, "routing.allowFrom", "channels.whatsapp.allowFrom", changes);
    }
    group_mentions(root, changes);
    routed_agents(root, changes);
    for (from, to) in [
        ("routing.bindings", "bindings"),
        ("routing.agentToAgent", "tools.agentToAgent"),
        ("routing.queue", "messages.queue"),
        ("routing.groupChat.historyLimit", "messages.groupChat.historyLimit"),
        ("routing.groupChat.mentionPatterns", "messages.groupChat.mentionPatterns"),
    ] {
        relocate(root, from, to, changes);
    }
    sweep(root, &["routing.groupChat", "routing.agents", "routing"]);
}

/// One switch for all groups becomes one for each channel that is set up; without any it has no place to go.
fn group_mentions(root: &mut Root, changes: &mut Vec<String>) {
    let channels = ["whatsapp", "telegram", "imessage"];
    let there: Vec<_> =
        channels.into_iter().filter(|name| object(root, &format!("channels.{name}")).is_some()).collect();
    if there.is_empty() {
        return;
    }
    let Some(flag) = take(root, "routing.groupChat.requireMention") else { return };
    for name in there {
        let to = format!("channels.{name}.groups.*.requireMention");
        let line = match put(root, &to, flag.clone()) {
            Ok(_) => format!("Moved routing.groupChat.requireMention → channels.{name}.groups.\"*\"."),
            Err(_) => format!("Kept channels.{name}.groups.\"*\".requireMention as it was set."),
        };
        changes.push(line);
    }
}

fn routed_agents(root: &mut Root, changes: &mut Vec<String>) {
    let fits = |value: &Value| value.is_object() && holds_only(value, Value::is_object);
    if has_list(root)
        && let Some(Value::Object(agents)) = take_if(root, "routing.agents", fits)
    {
        for (id, agent) in agents {
            let (Value::Object(mut agent), Some(entry)) = (agent, entry(root, &id)) else { continue };
            relocate(&mut agent, "mentionPatterns", "groupChat.mentionPatterns", &mut Vec::new());
            relocate(&mut agent, "sandbox.tools", "tools.sandbox.tools", &mut Vec::new());
            sweep(&mut agent, &["sandbox"]);
            fill(entry, agent);
            changes.push(format!("Moved routing.agents.{id} → agents.list."));
        }
    }
    if has_list(root)
        && let Some(Value::String(id)) = take_if(root, "routing.defaultAgentId", Value::is_string)
        && let Some(entry) = entry(root, &id)
    {
        entry.insert("default".to_owned(), json!(true));
        changes.push(format!("Moved routing.defaultAgentId → agents.list (id \"{id}\").default."));
    }
}

/// Whether `agents.list` is, or can be made, a list of objects.
fn has_list(root: &Root) -> bool {
    let fits = |list: &Value| list.is_array() && holds_only(list, Value::is_object);
    root.get("agents").is_none_or(|agents| agents.is_object() && agents.get("list").is_none_or(fits))
}

/// The entry of `agents.list` with this id, made when there is none.
fn entry<'a>(root: &'a mut Root, id: &str) -> Option<&'a mut Root> {
    let agents = root.entry("agents").or_insert_with(|| json!({})).as_object_mut()?;
    let list = agents.entry("list").or_insert_with(|| json!([])).as_array_mut()?;
    let at = list.iter().position(|entry| entry.get("id").and_then(Value::as_str) == Some(id));
    let at = at.unwrap_or_else(|| {
        list.push(json!({"id": id}));
        list.len() - 1
    });
    list.get_mut(at)?.as_object_mut()
}

/// `agent` and `identity`.
pub(super) fn agent(root: &mut Root, changes: &mut Vec<String>) {
    for place in ["agent", "agents.defaults"] {
        models(root, place, changes);
    }
    for (from, to) in [
        ("agent.tools.allow", "tools.allow"),
        ("agent.tools.deny", "tools.deny"),
        ("agent.elevated", "tools.elevated"),
        ("agent.bash", "tools.exec"),
        ("agent.sandbox.tools", "tools.sandbox.tools"),
        ("agent.subagents.tools", "tools.subagents.tools"),
    ] {
        relocate(root, from, to, changes);
    }
    sweep(root, &["agent.tools", "agent.sandbox", "agent.subagents", "agent"]);
    relocate(root, "agent", "agents.defaults", changes);
    let list = root.get("agents").and_then(|agents| agents.get("list")).and_then(Value::as_array);
    let is_default = |entry: &&Value| entry.get("default") == Some(&json!(true));
    let chosen = list.and_then(|list| list.iter().find(is_default).or(list.first()));
    let id = chosen.and_then(|entry| entry.get("id")).and_then(Value::as_str).unwrap_or("main").to_owned();
    if has_list(root)
        && let Some(Value::Object(identity)) = take_if(root, "identity", Value::is_object)
        && let Some(entry) = entry(root, &id)
    {
        let mut wanted = Map::new();
        wanted.insert("identity".to_owned(), Value::Object(identity));
        fill(entry, wanted);
        changes.push(format!("Moved identity → agents.list (id \"{id}\").identity."));
    }
}

/// Texts and lists of models become objects.
fn models(root: &mut Root, place: &str, changes: &mut Vec<String>) {
    let Some(agent) = object(root, place) else { return };
    for name in ["model", "imageModel"] {
        if let Some(Value::String(model)) = agent.get(name).cloned() {
            agent.insert(name.to_owned(), json!({"primary": model}));
            changes.push(format!("Migrated {place}.{name} string → {place}.{name}.primary."));
        }
        relocate(agent, &format!("{name}Fallbacks"), &format!("{name}.fallbacks"), changes);
    }
    if !agent.get("models").is_none_or(|models| models.is_object() && holds_only(models, Value::is_object)) {
        return;
    }
    let names = |value: &Value| holds_only(value, Value::is_string);
    if let Some(Value::Object(aliases)) = take_if(agent, "modelAliases", |v| v.is_object() && names(v)) {
        for (alias, model) in aliases {
            if let Some(entry) = model.as_str().and_then(|model| known(agent, model)) {
                entry.entry("alias").or_insert(json!(alias));
            }
        }
        changes.push(format!("Migrated {place}.modelAliases → {place}.models.*.alias."));
    }
    if let Some(Value::Array(allowed)) = take_if(agent, "allowedModels", |v| v.is_array() && names(v)) {
        for model in allowed.iter().filter_map(Value::as_str) {
            known(agent, model);
        }
        changes.push(format!("Migrated {place}.allowedModels → {place}.models."));
    }
}

/// The entry of a model, made when there is none. Names of models hold dots, so they are no paths.
fn known<'a>(agent: &'a mut Root, model: &str) -> Option<&'a mut Root> {
    let models = agent.entry("models").or_insert_with(|| json!({})).as_object_mut()?;
    models.entry(model).or_insert_with(|| json!({})).as_object_mut()
}

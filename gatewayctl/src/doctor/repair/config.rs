//! What can be done to a broken configuration file without a choice to make: old keys go where they belong now, keys
//! that nothing knows are taken out. It is offered only when the daemon would start with the result.

use std::path::PathBuf;

use gateway_base::env::Env;
use gateway_base::paths::Paths;
use gateway_config::edit::Document;
use gateway_config::path::{Segment, show};
use gateway_config::{Snapshot, load, migrate, validate, write};

/// Another text for the configuration file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigRepair {
    /// The file.
    pub path: PathBuf,
    /// The hash of the text it was made from.
    pub base_hash: String,
    /// The new text.
    pub text: String,
    /// What was changed, one line each.
    pub changes: Vec<String>,
    /// The keys that are no longer there.
    pub drops: Vec<String>,
}

/// The repair of `broken`, with the configuration it leads to.
#[must_use]
pub fn plan(broken: &Snapshot, paths: &Paths, env: &Env) -> Option<(ConfigRepair, Snapshot)> {
    let raw = broken.raw.as_deref().filter(|_| !broken.valid)?;
    let mut document = Document::parse(raw).ok()?.at(&paths.config);
    let mut repair = ConfigRepair {
        path: paths.config.clone(),
        base_hash: broken.hash.clone(),
        text: String::new(),
        changes: Vec::new(),
        drops: Vec::new(),
    };
    let migrated = migrate::migrate(document.value());
    // An old key that no step can place would otherwise be taken for an unknown one and lost.
    if migrated.is_none() && !broken.legacy_issues.is_empty() {
        return None;
    }
    if let Some(migrated) = migrated {
        document.replace_root(&migrated.value).ok()?;
        repair.changes.extend(migrated.changes);
    }
    for path in validate::unknown_keys(document.value()) {
        let segments: Vec<Segment> = path.iter().cloned().map(Segment::Key).collect();
        if document.unset(&segments).ok()? {
            repair.changes.push(format!("Remove the unknown key {}.", show(&segments)));
        }
    }
    repair.text = document.to_string();
    repair.drops = write::lost(&broken.parsed, document.value());
    let repaired = load::parse_text(&repair.text, paths, env);
    (repaired.valid && !repair.changes.is_empty()).then_some((repair, repaired))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cmds::testing::env_at;

    fn planned(text: &str) -> Option<(String, Vec<String>)> {
        let env = env_at("/h", &[]);
        let paths = Paths::resolve(&env, None).expect("HOME is set");
        let broken = load::parse_text(text, &paths, &env);
        plan(&broken, &paths, &env).map(|(repair, _)| (repair.text, repair.changes))
    }

    #[test]
    fn old_and_unknown_keys_go_and_everything_else_stays() {
        let text =
            "// mine\n{\n  gateway: { mode: 'local', token: '${T}', prot: 1 }, // here\n  bogus: {},\n}\n";
        let env = env_at("/h", &[("T", "secret")]);
        let paths = Paths::resolve(&env, None).expect("HOME is set");
        let broken = load::parse_text(text, &paths, &env);
        let (repair, repaired) = plan(&broken, &paths, &env).expect("can be repaired");
        assert!(repair.text.contains("// mine") && repair.text.contains("// here"), "{}", repair.text);
        assert!(repair.text.contains("${T}") && !repair.text.contains("secret"), "{}", repair.text);
        assert_eq!(repaired.config.gateway.auth.token.as_ref().map(|t| t.expose()), Some("secret"));
        assert_eq!(
            repair.changes,
            [
                "Moved gateway.token → gateway.auth.token.",
                "Remove the unknown key gateway.prot.",
                "Remove the unknown key bogus."
            ]
        );
    }

    #[test]
    fn what_needs_a_choice_is_left_alone() {
        for text in [
            "{gateway: {mode: 'local'}}",
            "{gateway: {port: 'door', prot: 1}}",
            "{gateway: ",
            "{routing: {transcribeAudio: {command: ['x']}}}",
            "{gateway: {auth: {token: '${NOPE}'}}}",
        ] {
            assert_eq!(planned(text), None, "{text}");
        }
    }
}

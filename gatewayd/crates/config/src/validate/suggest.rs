//! Guesses at what was meant: the closest sibling, else the same name elsewhere in the table.

use crate::keys::{Key, tree};

/// Longest word that is compared with others.
const MAX_WORD: usize = 64;
/// For how many unknown names of one object a guess is made.
const MAX_GUESSES: usize = 10;

/// The candidate that is closest to `word`, if any is close enough to be a slip.
pub fn closest<'a>(word: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    // A long word is no slip, and comparing it would take long.
    if word.len() > MAX_WORD {
        return None;
    }
    let wanted = word.to_lowercase();
    let limit = (wanted.chars().count() / 3).clamp(1, 4);
    candidates
        .map(|candidate| (strsim::damerau_levenshtein(&wanted, &candidate.to_lowercase()), candidate))
        .filter(|(distance, _)| *distance <= limit)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// The hint for unknown names under `parent`.
pub(super) fn hint(parent: &Key, unknown: &[&str]) -> Option<String> {
    let guesses: Vec<String> =
        unknown.iter().take(MAX_GUESSES).filter_map(|name| guess(parent, name)).collect();
    (!guesses.is_empty()).then(|| format!("did you mean {}?", guesses.join(", ")))
}

fn guess(parent: &Key, name: &str) -> Option<String> {
    match closest(name, parent.fields().keys().copied()) {
        Some(sibling) => Some(format!("\"{sibling}\"")),
        None => elsewhere(name).map(|path| format!("\"{path}\"")),
    }
}

/// The shortest path in the table whose last name is `name`, when there are only a few.
pub(crate) fn elsewhere(name: &str) -> Option<String> {
    let mut found: Vec<&str> = Vec::new();
    tree().visit(&mut |key| {
        if !key.path.contains("<key>") && key.path.rsplit('.').next() == Some(name) {
            found.push(&key.path);
        }
    });
    let shortest = found.iter().min_by_key(|path| path.split('.').count())?;
    (found.len() <= 4).then(|| (*shortest).to_owned())
}

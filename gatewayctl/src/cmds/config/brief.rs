//! How a list of keys is shown to people.

/// The first few keys of many.
pub fn brief(keys: &[String]) -> String {
    const SHOWN: usize = 6;
    let shown = keys.get(..SHOWN).unwrap_or(keys).join(", ");
    match keys.len().saturating_sub(SHOWN) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

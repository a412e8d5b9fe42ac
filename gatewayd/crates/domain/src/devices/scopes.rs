//! Sets of scopes as lists of text. The lists keep what clients sent; only these few questions are asked of them.

/// The scope that includes every other.
pub const ADMIN: &str = "operator.admin";

/// Whether each of `wanted` is in `held`, word for word.
#[must_use]
pub fn contains(held: &[String], wanted: &[String]) -> bool {
    wanted.iter().all(|scope| held.contains(scope))
}

/// Whether a holder of `held` has all the rights of `wanted`; admin has every right.
#[must_use]
pub fn covers(held: &[String], wanted: &[String]) -> bool {
    held.iter().any(|scope| scope == ADMIN) || contains(held, wanted)
}

/// Sorted, without blanks and repeats: the form tokens keep.
#[must_use]
pub fn normal(scopes: &[String]) -> Vec<String> {
    let mut list: Vec<String> =
        scopes.iter().map(|s| s.trim()).filter(|s| !s.is_empty()).map(str::to_owned).collect();
    list.sort_unstable();
    list.dedup();
    list
}

/// Appends to `list` what it lacks.
pub fn merge(list: &mut Vec<String>, more: &[String]) {
    for item in more {
        if !list.contains(item) {
            list.push(item.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(items: &[&str]) -> Vec<String> {
        items.iter().map(|&s| s.to_owned()).collect()
    }

    #[test]
    fn admin_covers_but_does_not_contain() {
        let admin = list(&[ADMIN]);
        assert!(covers(&admin, &list(&["operator.read", "x"])));
        assert!(!contains(&admin, &list(&["operator.read"])));
        assert!(covers(&[], &[]) && contains(&[], &[]));
        assert!(!covers(&list(&["operator.read"]), &list(&["operator.read", "operator.write"])));
        assert!(!covers(&list(&["operator.pairing"]), &admin));
    }

    #[test]
    fn normal_form() {
        assert_eq!(normal(&list(&["b", " a ", "", "b"])), list(&["a", "b"]));
        let mut merged = list(&["b"]);
        merge(&mut merged, &list(&["a", "b"]));
        assert_eq!(merged, list(&["b", "a"]));
    }
}

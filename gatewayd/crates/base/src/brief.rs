//! How a list is shown in one line, however long it is.

/// The first `shown` of `items`, and how many more there are.
#[must_use]
pub fn brief(items: &[String], shown: usize) -> String {
    let first = items.get(..shown).unwrap_or(items).join(", ");
    match items.len().saturating_sub(shown) {
        0 => first,
        more => format!("{first} and {more} more"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_out_is_counted() {
        let items = ["a", "b", "c"].map(str::to_owned);
        assert_eq!(brief(&items, 3), "a, b, c");
        assert_eq!(brief(&items, 2), "a, b and 1 more");
        assert_eq!(brief(&[], 2), "");
    }
}

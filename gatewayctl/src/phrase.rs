//! Numbers in the words of the original: ages, money, token counts.

/// An age: `5s`, `12m`, `3h`, `2d`.
#[must_use]
pub fn age(ms: i64) -> String {
    let seconds = ms.max(0) / 1000;
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3_600 => format!("{}m", seconds / 60),
        3_600..86_400 => format!("{}h", seconds / 3_600),
        _ => format!("{}d", seconds / 86_400),
    }
}

/// Dollars: two decimals from a cent up, four below.
#[must_use]
pub fn money(dollars: f64) -> String {
    if dollars >= 0.01 { format!("${dollars:.2}") } else { format!("${dollars:.4}") }
}

/// A count of tokens: `950`, `1.2k`, `12k`, `1.2m`.
#[must_use]
pub fn tokens(count: f64) -> String {
    if count >= 1_000_000.0 {
        format!("{:.1}m", count / 1_000_000.0)
    } else if count >= 10_000.0 {
        format!("{:.0}k", count / 1_000.0)
    } else if count >= 1_000.0 {
        format!("{:.1}k", count / 1_000.0)
    } else {
        format!("{count:.0}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_as_the_original_writes_them() {
        assert_eq!(
            [0, 59_999, 60_000, 7_200_000, 200_000_000, -5].map(age),
            ["0s", "59s", "1m", "2h", "2d", "0s"]
        );
        assert_eq!([0.0, 0.0099, 0.01, 12.345].map(money), ["$0.0000", "$0.0099", "$0.01", "$12.35"]);
        assert_eq!(
            [0.0, 950.0, 1_234.0, 12_345.0, 1_234_567.0].map(tokens),
            ["0", "950", "1.2k", "12k", "1.2m"]
        );
    }
}

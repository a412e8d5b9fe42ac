//! Durations as people write them: `30m`, `1.5h`, `250ms`; a bare number means minutes.

/// `text` in milliseconds, rounded; nothing when it is not a duration.
#[must_use]
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked to be in range")]
pub fn parse_ms(text: &str) -> Option<u64> {
    let text = text.trim().to_ascii_lowercase();
    let split = text.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let factor = match unit {
        "ms" => 1.0,
        "s" => 1_000.0,
        "m" | "" => 60_000.0,
        "h" => 3_600_000.0,
        "d" => 86_400_000.0,
        _ => return None,
    };
    let number = number.trim_end();
    let plain = number.bytes().all(|b| b.is_ascii_digit() || b == b'.')
        && number.starts_with(|c: char| c.is_ascii_digit());
    let ms = number.parse::<f64>().ok().filter(|_| plain)? * factor;
    (ms < 9e15).then(|| ms.round() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_and_refusals() {
        for (text, ms) in [
            ("30m", 1_800_000),
            ("5", 300_000),
            ("1.5h", 5_400_000),
            ("250ms", 250),
            ("2 d", 172_800_000),
            ("0m", 0),
        ] {
            assert_eq!(parse_ms(text), Some(ms), "{text}");
        }
        for text in ["", "m", "-5m", "1y", "1e3s", "inf", ".5h", "5m3", "99999999999999999d"] {
            assert_eq!(parse_ms(text), None, "{text}");
        }
    }
}

//! JSON5 numbers: signs, hexadecimal, bare points. Whole numbers stay whole however they are written, because the
//! original knows one kind of number only and takes `1.0` where a whole number is asked for.

use serde_json::Number;

use super::error::SyntaxError;

/// Largest magnitude up to which every whole number has its own double.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// Reads the number at `start` and returns it with the position behind it.
pub(super) fn number(text: &str, start: usize) -> Result<(Number, usize), SyntaxError> {
    let bytes = text.as_bytes();
    let negative = bytes.get(start) == Some(&b'-');
    let mut at = start + usize::from(matches!(bytes.get(start), Some(b'-' | b'+')));
    for word in ["Infinity", "NaN"] {
        if text[at..].starts_with(&word[..1]) {
            for expected in word.bytes() {
                if bytes.get(at) != Some(&expected) {
                    return Err(SyntaxError::invalid(text, at));
                }
                at += 1;
            }
            return Err(SyntaxError::other(text, start, format!("{word} is not allowed here")));
        }
    }
    if bytes.get(at) == Some(&b'0') && matches!(bytes.get(at + 1), Some(b'x' | b'X')) {
        let digits = at + 2;
        let end = run(bytes, digits, |b| b.is_ascii_hexdigit());
        if end == digits {
            return Err(SyntaxError::invalid(text, end));
        }
        let value = text[digits..end]
            .chars()
            .filter_map(|c| c.to_digit(16))
            .fold(0.0, |n, d| n * 16.0 + f64::from(d));
        return Ok((finite(text, start, if negative { -value } else { value })?, end));
    }
    let end = decimal_end(text, at)?;
    let digits = &text[at..end];
    let number = if digits.bytes().all(|b| b.is_ascii_digit()) { whole(digits, negative) } else { None };
    let number = match number {
        Some(number) => number,
        None => {
            let value: f64 = digits.parse().map_err(|_| SyntaxError::invalid(text, end))?;
            finite(text, start, if negative { -value } else { value })?
        }
    };
    Ok((number, end))
}

/// The end of `12`, `1.5`, `.5`, `5.`, `1e-3`.
fn decimal_end(text: &str, start: usize) -> Result<usize, SyntaxError> {
    let bytes = text.as_bytes();
    let mut at =
        if bytes.get(start) == Some(&b'0') { start + 1 } else { run(bytes, start, |b| b.is_ascii_digit()) };
    let whole_digits = at > start;
    if bytes.get(at) == Some(&b'.') {
        let end = run(bytes, at + 1, |b| b.is_ascii_digit());
        if end == at + 1 && !whole_digits {
            return Err(SyntaxError::invalid(text, end));
        }
        at = end;
    } else if !whole_digits {
        return Err(SyntaxError::invalid(text, at));
    }
    if matches!(bytes.get(at), Some(b'e' | b'E')) {
        let digits = at + 1 + usize::from(matches!(bytes.get(at + 1), Some(b'-' | b'+')));
        at = run(bytes, digits, |b| b.is_ascii_digit());
        if at == digits {
            return Err(SyntaxError::invalid(text, at));
        }
    }
    Ok(at)
}

fn run(bytes: &[u8], start: usize, is: impl Fn(u8) -> bool) -> usize {
    bytes.get(start..).map_or(start, |rest| start + rest.iter().take_while(|b| is(**b)).count())
}

fn whole(digits: &str, negative: bool) -> Option<Number> {
    let n: u64 = digits.parse().ok()?;
    if !negative {
        return Some(n.into());
    }
    i64::try_from(n).ok().map(|n| (-n).into())
}

#[allow(clippy::cast_possible_truncation, reason = "whole and below 2^53 is checked first")]
fn finite(text: &str, start: usize, value: f64) -> Result<Number, SyntaxError> {
    if value.fract() == 0.0 && value.abs() < EXACT {
        return Ok((value as i64).into());
    }
    Number::from_f64(value).ok_or_else(|| SyntaxError::other(text, start, "number out of range"))
}

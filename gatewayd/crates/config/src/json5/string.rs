//! JSON5 strings: both quotes, line continuations and all escapes.

use super::error::SyntaxError;

/// Reads the quoted string at `start` and returns its text with the position behind the closing quote.
pub(super) fn string(text: &str, start: usize) -> Result<(String, usize), SyntaxError> {
    let quote = text[start..].chars().next().unwrap_or('"');
    let mut out = String::new();
    let mut at = start + quote.len_utf8();
    loop {
        let Some(c) = text[at..].chars().next() else { return Err(SyntaxError::end_of_input(text)) };
        match c {
            '\n' | '\r' => return Err(SyntaxError::invalid(text, at)),
            '\\' => at = escape(text, at + 1, &mut out)?,
            c => {
                at += c.len_utf8();
                if c == quote {
                    return Ok((out, at));
                }
                out.push(c);
            }
        }
    }
}

/// Reads what follows a backslash and returns the position behind it.
fn escape(text: &str, at: usize, out: &mut String) -> Result<usize, SyntaxError> {
    let Some(c) = text[at..].chars().next() else { return Err(SyntaxError::end_of_input(text)) };
    let next = at + c.len_utf8();
    match c {
        'b' => out.push('\u{8}'),
        'f' => out.push('\u{c}'),
        'n' => out.push('\n'),
        'r' => out.push('\r'),
        't' => out.push('\t'),
        'v' => out.push('\u{b}'),
        '0' => {
            if text[next..].starts_with(|c: char| c.is_ascii_digit()) {
                return Err(SyntaxError::invalid(text, next));
            }
            out.push('\0');
        }
        '1'..='9' => return Err(SyntaxError::invalid(text, at)),
        'x' => {
            out.push(char::from_u32(hex(text, next, 2)?).unwrap_or(char::REPLACEMENT_CHARACTER));
            return Ok(next + 2);
        }
        'u' => return unicode(text, next, out),
        '\r' if text[next..].starts_with('\n') => return Ok(next + 1),
        '\n' | '\r' | '\u{2028}' | '\u{2029}' => {}
        c => out.push(c),
    }
    Ok(next)
}

/// Reads `XXXX` behind `\u`, joining surrogate pairs; half a pair becomes the replacement character.
pub(super) fn unicode(text: &str, at: usize, out: &mut String) -> Result<usize, SyntaxError> {
    let unit = hex(text, at, 4)?;
    let end = at + 4;
    if (0xd800..0xdc00).contains(&unit) && text[end..].starts_with("\\u") {
        let low = hex(text, end + 2, 4)?;
        if (0xdc00..0xe000).contains(&low) {
            let joined = 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
            out.push(char::from_u32(joined).unwrap_or(char::REPLACEMENT_CHARACTER));
            return Ok(end + 6);
        }
    }
    out.push(char::from_u32(unit).unwrap_or(char::REPLACEMENT_CHARACTER));
    Ok(end)
}

fn hex(text: &str, at: usize, count: usize) -> Result<u32, SyntaxError> {
    let mut value = 0;
    for i in at..at + count {
        match text.as_bytes().get(i).and_then(|b| char::from(*b).to_digit(16)) {
            Some(digit) => value = value * 16 + digit,
            None => return Err(SyntaxError::invalid(text, i)),
        }
    }
    Ok(value)
}

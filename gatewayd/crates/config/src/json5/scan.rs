//! The scanner: recursive descent over the text, with a limit on how deep it goes.

use super::error::SyntaxError;
use super::node::{Element, Kind, Member, Node};
use super::{number, string};

/// How many arrays and objects may stand inside one another.
pub const MAX_DEPTH: usize = 100;

/// Parses a whole text: one value, with white space and comments around it.
pub fn parse(text: &str) -> Result<Node, SyntaxError> {
    let mut scanner = Scanner { text, at: 0, depth: 0 };
    scanner.trivia()?;
    let node = scanner.value()?;
    scanner.trivia()?;
    if scanner.at < text.len() { Err(SyntaxError::invalid(text, scanner.at)) } else { Ok(node) }
}

struct Scanner<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
}

impl Scanner<'_> {
    fn peek(&self) -> Option<char> {
        self.text[self.at..].chars().next()
    }

    fn invalid<T>(&self) -> Result<T, SyntaxError> {
        Err(SyntaxError::invalid(self.text, self.at))
    }

    /// Skips white space and comments.
    fn trivia(&mut self) -> Result<(), SyntaxError> {
        while let Some(c) = self.peek() {
            if is_space(c) {
                self.at += c.len_utf8();
            } else if c == '/' {
                self.comment()?;
            } else {
                break;
            }
        }
        Ok(())
    }

    fn comment(&mut self) -> Result<(), SyntaxError> {
        let rest = &self.text[self.at..];
        if rest.starts_with("//") {
            self.at += rest.find(['\n', '\r', '\u{2028}', '\u{2029}']).unwrap_or(rest.len());
        } else if let Some(inside) = rest.strip_prefix("/*") {
            let end = inside.find("*/").ok_or_else(|| SyntaxError::end_of_input(self.text))?;
            self.at += end + 4;
        } else {
            self.at += 1;
            return self.invalid();
        }
        Ok(())
    }

    fn value(&mut self) -> Result<Node, SyntaxError> {
        let start = self.at;
        let kind = match self.peek() {
            Some('{') => self.nested(Self::object)?,
            Some('[') => self.nested(Self::array)?,
            Some('"' | '\'') => Kind::Text(self.string()?),
            Some('n') => self.word("null", Kind::Null)?,
            Some('t') => self.word("true", Kind::Bool(true))?,
            Some('f') => self.word("false", Kind::Bool(false))?,
            Some('-' | '+' | '.' | '0'..='9' | 'I' | 'N') => {
                let (number, end) = number::number(self.text, self.at)?;
                self.at = end;
                Kind::Number(number)
            }
            _ => return self.invalid(),
        };
        Ok(Node { span: start..self.at, kind })
    }

    fn nested(&mut self, inner: fn(&mut Self) -> Result<Kind, SyntaxError>) -> Result<Kind, SyntaxError> {
        if self.depth == MAX_DEPTH {
            let reason = format!("nested deeper than {MAX_DEPTH} levels");
            return Err(SyntaxError::other(self.text, self.at, reason));
        }
        self.depth += 1;
        self.at += 1;
        let kind = inner(self)?;
        self.depth -= 1;
        Ok(kind)
    }

    fn object(&mut self) -> Result<Kind, SyntaxError> {
        let mut members = Vec::new();
        loop {
            self.trivia()?;
            if self.peek() == Some('}') {
                self.at += 1;
                return Ok(Kind::Object(members));
            }
            let start = self.at;
            let key = self.key()?;
            let key_span = start..self.at;
            self.trivia()?;
            if self.peek() != Some(':') {
                return self.invalid();
            }
            self.at += 1;
            self.trivia()?;
            let value = self.value()?;
            let comma = self.comma('}')?;
            members.push(Member { key, key_span, value, comma });
        }
    }

    fn array(&mut self) -> Result<Kind, SyntaxError> {
        let mut items = Vec::new();
        loop {
            self.trivia()?;
            if self.peek() == Some(']') {
                self.at += 1;
                return Ok(Kind::Array(items));
            }
            let value = self.value()?;
            let comma = self.comma(']')?;
            items.push(Element { value, comma });
        }
    }

    /// The comma behind an item; without one the closing bracket must follow.
    fn comma(&mut self, close: char) -> Result<Option<usize>, SyntaxError> {
        self.trivia()?;
        match self.peek() {
            Some(',') => {
                self.at += 1;
                Ok(Some(self.at - 1))
            }
            Some(c) if c == close => Ok(None),
            _ => self.invalid(),
        }
    }

    fn key(&mut self) -> Result<String, SyntaxError> {
        if matches!(self.peek(), Some('"' | '\'')) {
            return self.string();
        }
        let mut key = String::new();
        while let Some(c) = self.peek() {
            if c == '\\' {
                if !self.text[self.at + 1..].starts_with('u') {
                    self.at += 1;
                    return self.invalid();
                }
                self.at = string::unicode(self.text, self.at + 2, &mut key)?;
            } else if is_identifier(c, key.is_empty()) {
                key.push(c);
                self.at += c.len_utf8();
            } else {
                break;
            }
        }
        if key.is_empty() { self.invalid() } else { Ok(key) }
    }

    fn string(&mut self) -> Result<String, SyntaxError> {
        let (text, end) = string::string(self.text, self.at)?;
        self.at = end;
        Ok(text)
    }

    fn word(&mut self, word: &str, kind: Kind) -> Result<Kind, SyntaxError> {
        for expected in word.chars() {
            if self.peek() != Some(expected) {
                return self.invalid();
            }
            self.at += 1;
        }
        Ok(kind)
    }
}

fn is_space(c: char) -> bool {
    c == '\u{feff}' || (c.is_whitespace() && c != '\u{85}')
}

/// Whether `c` may stand in a key without quotes.
pub(crate) fn is_identifier(c: char, first: bool) -> bool {
    c == '$'
        || c == '_'
        || c.is_alphabetic()
        || (!first && (c.is_alphanumeric() || matches!(c, '\u{200c}' | '\u{200d}')))
}

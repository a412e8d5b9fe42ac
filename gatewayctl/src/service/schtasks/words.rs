//! One line of arguments and its words, by the rules with which programs on Windows take their command line apart:
//! a backslash means itself, unless a quotation mark follows.

/// The line that a program reads as these words.
pub fn join(words: &[String]) -> String {
    let quoted: Vec<String> = words.iter().map(|word| quote(word)).collect();
    quoted.join(" ")
}

fn quote(word: &str) -> String {
    if !word.is_empty() && !word.contains([' ', '\t', '"']) {
        return word.to_owned();
    }
    let mut quoted = String::from("\"");
    let mut slashes = 0;
    for c in word.chars() {
        match c {
            '\\' => slashes += 1,
            // Those in front of a quotation mark count double, and the mark itself takes one more.
            '"' => quoted.push_str(&"\\".repeat(2 * slashes + 1)),
            _ => quoted.push_str(&"\\".repeat(slashes)),
        }
        if c != '\\' {
            slashes = 0;
            quoted.push(c);
        }
    }
    quoted.push_str(&"\\".repeat(2 * slashes));
    quoted.push('"');
    quoted
}

/// The words of a line.
pub fn split(line: &str) -> Vec<String> {
    let (mut words, mut word) = (Vec::new(), None::<String>);
    let (mut slashes, mut quoted) = (0, false);
    for c in line.chars() {
        if c == '\\' {
            slashes += 1;
            continue;
        }
        let halved = if c == '"' { slashes / 2 } else { slashes };
        if slashes > 0 {
            word.get_or_insert_default().push_str(&"\\".repeat(halved));
        }
        match c {
            '"' if slashes % 2 == 1 => word.get_or_insert_default().push('"'),
            '"' => {
                quoted = !quoted;
                word.get_or_insert_default();
            }
            c if c.is_whitespace() && !quoted => words.extend(word.take()),
            c => word.get_or_insert_default().push(c),
        }
        slashes = 0;
    }
    if slashes > 0 {
        word.get_or_insert_default().push_str(&"\\".repeat(slashes));
    }
    words.extend(word);
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_read_back() {
        let long = "x \\\"".repeat(2_500);
        for word in [
            "", " ", "a", "a b", "\"", "\\", "\\\\", "a\\", "a\\\"b", "a b\\", "a b\\\\", "\\\"", "'", "%",
            "é 你", &long,
        ] {
            let words = ["first".to_owned(), word.to_owned(), "last".to_owned()];
            assert_eq!(split(&join(&words)), words, "{word:.20}");
        }
        assert_eq!(join(&["C:\\a".to_owned(), "b c\\".to_owned()]), r#"C:\a "b c\\""#);
        assert_eq!(split("  a   \"b c\"d "), ["a", "b cd"]);
    }
}

//! A secret that is typed or pasted on a terminal and not shown. The terminal is silent from before the question to after
//! the last key, so that nothing typed ahead or pasted fast is shown, and ctrl-c is a key like any other, so that it ends
//! with the terminal as it was.

use super::stop::Stop;
use crate::app::App;
#[cfg(unix)]
use crate::text::Text;

/// The longest secret that is taken, in bytes.
#[cfg(unix)]
const LONGEST: usize = 8 * 1024;

/// Reads a line.
#[cfg(unix)]
pub fn read(app: &App, question: &str) -> Result<String, Stop> {
    let silent = silence::Silent::begin()?;
    app.out.prompt(question)?;
    let line = collect(std::io::Read::bytes(std::io::stdin().lock()));
    drop(silent);
    let mut end = Text::default();
    end.say("");
    app.out.note(&end);
    line
}

/// Reads a line.
#[cfg(not(unix))]
pub fn read(app: &App, question: &str) -> Result<String, Stop> {
    app.out.prompt(question)?;
    Ok(console::Term::stderr().read_secure_line()?)
}

#[cfg(unix)]
fn collect(keys: impl Iterator<Item = std::io::Result<u8>>) -> Result<String, Stop> {
    let mut typed = Vec::new();
    let mut keys = keys.peekable();
    while let Some(key) = keys.next() {
        match key? {
            b'\n' | b'\r' => return Ok(String::from_utf8_lossy(&typed).into_owned()),
            // ctrl-c, and ctrl-d
            3 | 4 => return Err(Stop::Cancelled),
            // Backspace, which takes the bytes of one character.
            8 | 0x7f => while typed.pop().is_some_and(|byte: u8| byte & 0xc0 == 0x80) {},
            // ctrl-u
            0x15 => typed.clear(),
            // An arrow or another named key; its end is the first letter.
            0x1b => {
                if matches!(keys.peek(), Some(Ok(b'[' | b'O'))) {
                    keys.next();
                    for key in keys.by_ref() {
                        if matches!(key?, b'@'..=b'~') {
                            break;
                        }
                    }
                }
            }
            byte if byte >= b' ' && typed.len() < LONGEST => typed.push(byte),
            _ => {}
        }
    }
    Err(Stop::Cancelled)
}

#[cfg(unix)]
mod silence {
    use std::io;

    use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};

    /// A terminal that shows nothing and gives every key at once, until this is dropped.
    pub struct Silent(Termios);

    impl Silent {
        pub fn begin() -> io::Result<Self> {
            let before = tcgetattr(io::stdin())?;
            let mut silent = before.clone();
            silent.local_modes.remove(LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG);
            tcsetattr(io::stdin(), OptionalActions::Drain, &silent)?;
            Ok(Self(before))
        }
    }

    impl Drop for Silent {
        fn drop(&mut self) {
            // A terminal that is gone needs nothing.
            let _ = tcsetattr(io::stdin(), OptionalActions::Drain, &self.0);
        }
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn typed(keys: &[u8]) -> Option<String> {
        collect(keys.iter().map(|key| Ok(*key))).ok()
    }

    #[test]
    fn keys_make_a_line() {
        for (keys, line) in [
            (&b"abc\n"[..], Some("abc")),
            (b"abc\r", Some("abc")),
            (b"ab\x7fc\n", Some("ac")),
            ("é\u{7f}x\n".as_bytes(), Some("x")),
            (b"\x7f\x08a\n", Some("a")),
            (b"wrong\x15right\n", Some("right")),
            (b"a\x1b[Ab\x1b[1;5Dc\x1bOPd\n", Some("abcd")),
            (b"a\x1b\x01b\n", Some("ab")),
            (b"ab\x03", None),
            (b"\x04", None),
            (b"no end", None),
        ] {
            assert_eq!(typed(keys).as_deref(), line, "{keys:?}");
        }
        let long = [&[b'x'; 20_000][..], b"\n"].concat();
        assert_eq!(typed(&long).map(|line| line.len()), Some(LONGEST));
    }
}

//! The users of this machine, as far as its own list knows them.

use std::fs;
use std::path::PathBuf;

/// A user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// The name.
    pub name: String,
    /// The number.
    pub uid: u32,
    /// The home folder.
    pub home: PathBuf,
}

const LIST: &str = "/etc/passwd";

impl Account {
    /// The user who runs this process. Linux only.
    #[must_use]
    pub fn own() -> Option<Self> {
        Self::by_uid(own_uid()?)
    }

    /// The user with this number.
    #[must_use]
    pub fn by_uid(uid: u32) -> Option<Self> {
        list().into_iter().find(|account| account.uid == uid)
    }

    /// The user with this name.
    #[must_use]
    pub fn by_name(name: &str) -> Option<Self> {
        list().into_iter().find(|account| account.name == name)
    }
}

/// The number of the user who runs this process; there are none on Windows.
#[must_use]
pub fn own_uid() -> Option<u32> {
    #[cfg(unix)]
    {
        Some(rustix::process::geteuid().as_raw())
    }
    #[cfg(not(unix))]
    {
        None
    }
}

fn list() -> Vec<Account> {
    parse(&fs::read_to_string(LIST).unwrap_or_default())
}

fn parse(text: &str) -> Vec<Account> {
    let account = |line: &str| {
        let fields: Vec<&str> = line.split(':').collect();
        let [name, _, uid, _, _, home, _] = fields[..] else { return None };
        Some(Account { name: name.to_owned(), uid: uid.parse().ok()?, home: home.into() })
    };
    text.lines().filter_map(account).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn broken_lines_are_no_users() {
        let list = parse(
            "root:x:0:0:root:/root:/bin/sh\nbroken\nx:x:y:0::/:/\nyou:x:1000:1000:,,,:/home/you:/bin/sh\n",
        );
        let names: Vec<_> = list.iter().map(|a| (a.name.as_str(), a.uid, a.home.to_str())).collect();
        assert_eq!(names, [("root", 0, Some("/root")), ("you", 1000, Some("/home/you"))]);
    }
}

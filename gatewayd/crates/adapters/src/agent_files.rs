//! The files of agents, read for the domain: folders, pictures, transcripts. Names come from configuration and disk, so
//! nothing is opened through a link or outside the folder it belongs to (GHSA-5xfq).

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Component, Path, PathBuf};

use gateway_base::clock::UnixMs;
use gateway_domain::ports::files::{AgentFiles, Transcript};

/// Longest line of a transcript that is given on.
const MAX_LINE: u64 = 8 * 1024 * 1024;

/// Files below one state folder.
#[derive(Clone, Debug)]
pub struct Files {
    agents: PathBuf,
}

impl Files {
    /// The files of the agents of the gateway that keeps its state in `state`.
    #[must_use]
    pub fn new(state: &Path) -> Self {
        Self { agents: state.join("agents") }
    }

    fn sessions(&self, agent: &str) -> io::Result<PathBuf> {
        Ok(self.agents.join(plain(agent)?).join("sessions"))
    }
}

impl AgentFiles for Files {
    fn ids(&self) -> io::Result<Vec<String>> {
        let mut ids = Vec::new();
        for entry in entries(&self.agents)? {
            let entry = entry?;
            if entry.file_type()?.is_dir()
                && let Ok(name) = entry.file_name().into_string()
            {
                ids.push(name);
            }
        }
        Ok(ids)
    }

    fn read(&self, workspace: &Path, relative: &str, limit: u64) -> io::Result<Option<Vec<u8>>> {
        let relative = Path::new(relative);
        if !relative.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir)) {
            return Ok(None);
        }
        // Resolving first and comparing then catches links in the middle of the path too.
        let (Ok(root), Ok(path)) = (fs::canonicalize(workspace), fs::canonicalize(workspace.join(relative)))
        else {
            return Ok(None);
        };
        let about = fs::symlink_metadata(&path)?;
        if !path.starts_with(&root) || !about.is_file() || about.len() > limit {
            return Ok(None);
        }
        let mut content = Vec::new();
        File::open(&path)?.take(limit + 1).read_to_end(&mut content)?;
        Ok((content.len() as u64 <= limit).then_some(content))
    }

    fn transcripts(&self, agent: &str) -> io::Result<Vec<Transcript>> {
        let mut found = Vec::new();
        for entry in entries(&self.sessions(agent)?)? {
            let entry = entry?;
            let Ok(name) = entry.file_name().into_string() else { continue };
            let about = entry.metadata()?;
            if !about.is_file() || !name.ends_with(".jsonl") {
                continue;
            }
            let age = about.modified()?.duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
            let modified = UnixMs::try_from(age.as_millis()).unwrap_or(UnixMs::MAX);
            found.push(Transcript { name, modified, size: about.len() });
        }
        Ok(found)
    }

    fn transcript_lines(&self, agent: &str, name: &str, line: &mut dyn FnMut(&[u8])) -> io::Result<()> {
        let mut reader = BufReader::new(File::open(self.sessions(agent)?.join(plain(name)?))?);
        let mut buffer = Vec::new();
        loop {
            buffer.clear();
            if reader.by_ref().take(MAX_LINE + 1).read_until(b'\n', &mut buffer)? == 0 {
                return Ok(());
            }
            if buffer.len() as u64 > MAX_LINE && buffer.last() != Some(&b'\n') {
                skip_line(&mut reader)?;
                continue;
            }
            line(buffer.strip_suffix(b"\n").unwrap_or(&buffer));
        }
    }
}

/// The entries of a folder; none when it does not exist.
fn entries(folder: &Path) -> io::Result<Box<dyn Iterator<Item = io::Result<fs::DirEntry>>>> {
    match fs::read_dir(folder) {
        Ok(entries) => Ok(Box::new(entries)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Box::new(std::iter::empty())),
        Err(error) => Err(error),
    }
}

/// `name` if it is one plain path segment.
fn plain(name: &str) -> io::Result<&str> {
    let mut parts = Path::new(name).components();
    match (parts.next(), parts.next()) {
        (Some(Component::Normal(_)), None) => Ok(name),
        _ => Err(io::Error::new(io::ErrorKind::InvalidInput, format!("{name:?} is not a plain name"))),
    }
}

fn skip_line(reader: &mut impl BufRead) -> io::Result<()> {
    loop {
        let (used, done) = {
            let chunk = reader.fill_buf()?;
            match chunk.iter().position(|b| *b == b'\n') {
                Some(end) => (end + 1, true),
                None => (chunk.len(), chunk.is_empty()),
            }
        };
        reader.consume(used);
        if done {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state() -> (tempfile::TempDir, Files) {
        let dir = tempfile::tempdir().expect("temporary folder");
        fs::create_dir_all(dir.path().join("agents/main/sessions")).expect("folders");
        let files = Files::new(dir.path());
        (dir, files)
    }

    #[test]
    fn missing_folders_are_empty_and_odd_names_refused() {
        let (_dir, files) = state();
        assert_eq!(files.ids().expect("listed"), ["main"]);
        assert!(files.transcripts("nobody").expect("listed").is_empty());
        assert!(files.transcripts("../main").is_err());
        assert!(files.transcript_lines("main", "../x.jsonl", &mut |_| ()).is_err());
    }

    #[test]
    fn lines_come_whole_and_endless_ones_not_at_all() {
        let (dir, files) = state();
        let long = "x".repeat(usize::try_from(MAX_LINE).expect("fits") + 5);
        let text = format!("one\n{long}\ntwo\nlast");
        fs::write(dir.path().join("agents/main/sessions/a.jsonl"), text).expect("written");
        let mut lines = Vec::new();
        files.transcript_lines("main", "a.jsonl", &mut |l| lines.push(l.to_vec())).expect("read");
        assert_eq!(lines, [&b"one"[..], b"two", b"last"]);
        assert_eq!(files.transcripts("main").expect("listed").len(), 1);
    }

    #[cfg(unix)]
    #[test]
    fn nothing_outside_the_workspace_is_read() {
        let (dir, files) = state();
        let workspace = dir.path().join("w");
        fs::create_dir_all(&workspace).expect("folder");
        fs::write(dir.path().join("secret"), "s").expect("written");
        fs::write(workspace.join("a.png"), "png").expect("written");
        std::os::unix::fs::symlink(dir.path().join("secret"), workspace.join("link")).expect("link");
        assert_eq!(files.read(&workspace, "a.png", 3).expect("read").as_deref(), Some(&b"png"[..]));
        for name in ["link", "../secret", "/etc/hostname", "none"] {
            assert_eq!(files.read(&workspace, name, 100).expect("no error"), None, "{name}");
        }
        assert_eq!(files.read(&workspace, "a.png", 2).expect("read"), None);
    }
}

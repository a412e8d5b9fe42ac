//! Files of agents that the domain reads but does not own: their folders, the pictures in their workspaces, their
//! transcripts. All calls block and are made where that is allowed.

use std::io;
use std::path::Path;

use gateway_base::clock::UnixMs;

/// What lies in the folders of agents.
pub trait AgentFiles: Send + Sync + 'static {
    /// Names of the folders below `agents/` in the state folder; none when that does not exist.
    fn ids(&self) -> io::Result<Vec<String>>;
    /// The content of `relative` below `workspace`, opened without following links and without leaving that folder;
    /// `None` when there is no such file or it has more than `limit` bytes.
    fn read(&self, workspace: &Path, relative: &str, limit: u64) -> io::Result<Option<Vec<u8>>>;
    /// Every `*.jsonl` in the sessions folder of `agent`; none when that does not exist.
    fn transcripts(&self, agent: &str) -> io::Result<Vec<Transcript>>;
    /// Calls `line` with every line of a transcript, in order. A line over 8 MiB is left out.
    fn transcript_lines(&self, agent: &str, name: &str, line: &mut dyn FnMut(&[u8])) -> io::Result<()>;
}

/// One transcript file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transcript {
    /// File name within the sessions folder.
    pub name: String,
    /// When it last changed.
    pub modified: UnixMs,
    /// Its length in bytes.
    pub size: u64,
}

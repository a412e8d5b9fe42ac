//! What was spent, as the transcripts tell it.

use gateway_base::clock::UnixMs;

use super::BoxFuture;

/// The use of one answer of a model.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Spent {
    /// When.
    pub at: UnixMs,
    /// Input tokens.
    pub input: u64,
    /// Output tokens.
    pub output: u64,
    /// Tokens read from the provider's cache.
    pub cache_read: u64,
    /// Tokens written to it.
    pub cache_write: u64,
    /// All tokens.
    pub total: u64,
    /// Dollars, when known.
    pub cost: Option<f64>,
}

/// Reads what was spent.
pub trait Transcripts: Send + Sync + 'static {
    /// Everything spent by `agent` at and after `since`, in any order.
    fn spent(&self, agent: String, since: UnixMs) -> BoxFuture<'static, std::io::Result<Vec<Spent>>>;
}

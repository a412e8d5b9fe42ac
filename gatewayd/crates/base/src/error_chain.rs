//! Prints an error with everything that caused it, once each: `outer: middle: inner`. The log gets this; a caller
//! over the network gets only the outermost text.

use std::error::Error;
use std::fmt;

/// Displays `error` and its sources, separated by `: `.
pub struct Chain<'a>(pub &'a (dyn Error + 'static));

impl fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        let mut source = self.0.source();
        while let Some(error) = source {
            write!(f, ": {error}")?;
            source = error.source();
        }
        Ok(())
    }
}

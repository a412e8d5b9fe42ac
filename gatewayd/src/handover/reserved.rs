//! The numbers under which the next image of the program finds its sockets. They are taken at the very start, and nobody
//! in this process uses them for anything else: what is put there just before the next image begins must not be closed
//! by a thread of a runtime that is still going down.

use std::fs::File;

use super::inherited::FIRST;

/// A gateway hands over two listeners and its admin socket.
pub(super) const NUMBERS: usize = 4;

/// Keeps the numbers. A number that was in use before this program began is nobody's here, which is as good.
#[derive(Debug)]
pub struct Reserved {
    _files: Vec<File>,
}

impl Reserved {
    /// Takes the numbers. Must come after [`super::Inherited::take`] and before anything else that opens a file.
    #[must_use]
    pub fn take() -> Self {
        let mut files = Vec::new();
        #[cfg(unix)]
        {
            use std::os::fd::AsRawFd;
            let end = FIRST.saturating_add(i32::try_from(NUMBERS).unwrap_or(FIRST));
            // The kernel gives the lowest number that is free.
            while let Ok(file) = File::open("/dev/null")
                && file.as_raw_fd() < end
            {
                files.push(file);
            }
        }
        #[cfg(not(unix))]
        let _ = (FIRST, NUMBERS, &mut files);
        Self { _files: files }
    }
}

//! Everything that crosses a process boundary: the real binaries, driven the way their users drive them.

mod crash;

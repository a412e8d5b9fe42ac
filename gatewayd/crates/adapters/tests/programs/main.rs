//! What starts other programs. It is a process of its own, because a child keeps every open file until it has become
//! another program, the lock of a store that is opened again beside it as well.

#![cfg(unix)]

#[cfg(test)]
mod program;
#[cfg(test)]
mod tailscale;

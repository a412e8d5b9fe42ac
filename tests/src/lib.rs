//! Whole-process tests: the real binaries, real clients.

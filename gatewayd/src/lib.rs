//! The daemon: arguments, composition, lifecycle.

//! The controller: install, start, stop, probe, repair.

//! Prints the table of performance goals for this machine.

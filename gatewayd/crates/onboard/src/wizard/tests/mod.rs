//! Runs through the machine without a terminal and without files of a gateway.

mod helper;
mod machine;
mod steps;

//! Implements the ports of the domain: the store and the files.

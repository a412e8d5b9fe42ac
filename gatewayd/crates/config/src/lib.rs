//! The configuration: reading, checking, editing and reloading one JSON5 file.

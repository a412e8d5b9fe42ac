//! The words that wake a listening device. They belong to the gateway, so that every device listens to the same.

mod words;

pub use words::Voicewake;

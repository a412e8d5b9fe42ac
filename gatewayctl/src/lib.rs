//! The controller: looks at, asks, configures and stops a gateway. It speaks gRPC to the daemon of this machine over
//! its private socket, WebSocket to any other, and never opens the daemon's store.

pub mod admin;
pub mod app;
pub mod args;
pub mod authorities;
pub mod become_daemon;
pub mod cmds;
pub mod dispatch;
pub mod doctor;
pub mod exit;
pub mod gateway;
pub mod http;
pub mod identity;
pub mod logfile;
pub mod output;
pub mod phrase;
pub mod ports;
pub mod service;
pub mod settings;
pub mod spelling;
pub mod start;
pub mod target;
pub mod text;
pub mod ws;

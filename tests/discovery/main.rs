//! Gateways that are found, in networks that exist only for a test: two network namespaces joined by a cable. What is
//! announced is read by Avahi too, what Avahi announces is found, and the zone of a tailnet is served by a real DNS
//! server.

mod avahi;
mod gateway;
mod local;
mod name_server;
mod network;
mod wide_area;

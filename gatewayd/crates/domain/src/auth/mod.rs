//! Who is asking, decided from what cannot be made up: the socket's own addresses, a secret, a signature. Pure
//! functions and small tables; nothing here knows a socket, a header map or a frame. Only a name of the tailnet
//! is looked up outside, through a port. Every rule of this folder
//! answers a row of the attack table (field notes 2) and has a test named after it.

pub mod failure;
pub mod limiter;
pub mod locality;
pub mod origin;
pub mod secret;
pub mod tailnet;

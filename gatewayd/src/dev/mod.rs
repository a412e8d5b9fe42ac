//! Development mode: a configuration and a workspace of its own, made on the first start, and thrown into a trash
//! folder on request. Nothing outside the development profile's folders is ever touched (operations 1.6).

mod prepare;
mod reset;
mod seed;
#[cfg(test)]
mod tests;

pub use prepare::prepare;

//! The key table as JSON Schema (draft-07) with hints for forms. A copy of the schema is committed beside the code,
//! for editors and for review, and a test keeps the two equal.

mod hints;
mod json;
#[cfg(test)]
mod tests;

pub use hints::ui_hints;
pub use json::json_schema;

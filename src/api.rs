//! The API server: kinds, decoding, defaulting, validation, admission, storage.

pub mod quantity;
pub mod schema;
